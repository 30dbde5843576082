"""The live WebSocket, over a real server and a real client on the loopback."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image
from tests.api.auth.fakes import OnlyGateForViewers
from tests.api.names import DOCK, GATE
from tests.api.world import World, make_world, publish_place
from tests.live.places import Place
from tests.live.test_hub import seen
from tests.render.places import png
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from privet.api.app import Resources
from privet.api.auth.cookie import COOKIE, TLS_COOKIE
from privet.api.auth.permission import Permission
from privet.api.auth.sessions import check_token, open_session
from privet.api.guard.listen import ListenSettings, make_certificate
from privet.core.clock import NS_PER_MS, NS_PER_S, SystemClock
from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.reader import SceneView, follow
from privet.core.wire import from_message

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def served(world: World) -> AsyncIterator[int]:
    """Serve the application as main does; yields the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    port: int = listening.getsockname()[1]
    config = uvicorn.Config(
        world.app, log_config=None, lifespan="off", ws="websockets-sansio", ws_max_size=64 * 1024, proxy_headers=False,
        timeout_graceful_shutdown=2, ssl_certfile=world.listen.tls_certificate, ssl_keyfile=world.listen.tls_key,
    )  # fmt: skip
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        await task
        listening.close()


def make_live(directory: Path, *, session_ns: int = 3600 * NS_PER_S, viewers: int = 256) -> World:
    def change(given: Resources) -> Resources:
        return replace(given, live=replace(given.live, session_recheck_ns=50 * NS_PER_MS, follow_ns=10 * NS_PER_MS, most_viewers=viewers))

    return make_world(directory, clock=SystemClock(), session_ns=session_ns, policy=OnlyGateForViewers(), change=change)


def cookie_of(world: World, token: str) -> str:
    identity = check_token(world.accounts, token)
    assert identity is not None
    return f"{COOKIE}={open_session(world.accounts, world.clock, identity, world.session_ns)}"


def watching(
    port: int,
    world: World,
    cameras: str = "",
    *,
    token: str | None = None,
    cookie: str | None = None,
    origin: str | None = None,
    backgrounds: str = "",
) -> connect:
    headers = {}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if cookie is not None:
        headers["Cookie"] = cookie
    query = "&".join(f"{name}={value}" for name, value in {"cameras": cameras, "backgrounds": backgrounds}.items() if value)
    return connect(
        f"ws://127.0.0.1:{port}/api/live?{query}",
        additional_headers=headers,
        origin=None if origin is None else Origin(origin),
        max_size=None,
        proxy=None,
    )


class Follower:
    """Follows what a connection brings."""

    def __init__(self) -> None:
        self.views: dict[CameraId, SceneView] = {}

    async def read(self, connection: ClientConnection) -> None:
        data = await asyncio.wait_for(connection.recv(), 10)
        assert isinstance(data, bytes)
        message = pb.CameraMessage.FromString(data)
        camera = CameraId(message.camera)
        view = self.views.get(camera, SceneView())
        scene = from_message(message.scene, view.grid)
        assert scene is not None
        self.views[camera] = follow(view, scene)

    async def read_until(self, connection: ClientConnection, world: World, cameras: tuple[CameraId, ...]) -> None:
        while any(seen(self.views.get(camera, SceneView())) != seen(world.hub.view(camera)) for camera in cameras):
            await self.read(connection)


async def close_code(connection: ClientConnection) -> int:
    with suppress(ConnectionClosed):
        async with asyncio.timeout(10):
            while True:
                await connection.recv()
    assert connection.close_code is not None
    return connection.close_code


async def test_a_viewer_sees_what_is_in_force_and_what_comes(tmp_path: Path) -> None:
    world = make_live(tmp_path)
    gate = publish_place(world, GATE)
    publish_place(world, DOCK)
    async with served(world) as port, watching(port, world, token=world.administrator) as connection:
        follower = Follower()
        await follower.read_until(connection, world, (GATE, DOCK))
        await connection.send("what a client says is ignored")
        world.hub.publish(GATE, gate.cover(7))
        await follower.read_until(connection, world, (GATE, DOCK))
        assert world.hub.statistics().subscribers == 1
        await asyncio.wait_for(await connection.ping(), 10)
    assert world.hub.statistics().subscribers == 0


async def test_a_wall_is_sent_small_backgrounds_and_can_have_the_large_one(tmp_path: Path) -> None:
    world = make_live(tmp_path)
    grid, random = Grid(960, 520, 8, 0), np.random.default_rng(3)
    place = Place(grid=grid)
    large = png(random.integers(0, 256, (520, 960, 3), np.uint8))
    for message in (place.state(), place.background(large), place.patch(), place.cover()):
        world.hub.publish(GATE, message)
    async with served(world) as port:
        async with watching(port, world, token=world.viewer, backgrounds="small") as connection:
            follower = Follower()
            await follower.read_until(connection, world, (GATE,))
            background = follower.views[GATE].background
            assert background is not None
            assert Image.open(io.BytesIO(background.image)).size == (480, 260)
            assert background.grid == grid
            assert background.proven.all()
            assert [patch.image for patch in follower.views[GATE].patches] == [b"patch"]
            world.hub.publish(GATE, place.background(large))
            await follower.read_until(connection, world, (GATE,))
            assert Image.open(io.BytesIO(follower.views[GATE].background.image)).size == (480, 260)  # type: ignore[union-attr]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            head = follower.views[GATE].background.head  # type: ignore[union-attr]
            path = f"/api/cameras/gate/background?session={head.session}&sequence={head.sequence}"
            answer = await client.get(path, headers={"Authorization": f"Bearer {world.viewer}"})
        assert answer.content == large
        async with watching(port, world, token=world.viewer, backgrounds="huge") as connection:
            follower = Follower()
            await follower.read_until(connection, world, (GATE,))
            assert follower.views[GATE].background.image == large  # type: ignore[union-attr]


async def test_over_tls_with_the_self_made_certificate(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, ("localhost", "127.0.0.1"))
    listen = ListenSettings("127.0.0.1", 8420, frozenset({"127.0.0.1"}), certificate, key)
    world = make_world(tmp_path, clock=SystemClock(), listen=listen)
    publish_place(world)
    trust = ssl.create_default_context(cafile=str(certificate))
    async with served(world) as port:
        page = f"https://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=page, verify=trust, headers={"Origin": page}, trust_env=False) as client:
            answer = await client.post("/login", data={"token": world.viewer})
            assert answer.status_code == 303
            assert (await client.get("/api/session")).json()["role"] == "viewer"
            secret = client.cookies[TLS_COOKIE]
        headers = {"Cookie": f"{TLS_COOKIE}={secret}"}
        address = f"wss://127.0.0.1:{port}/api/live"
        async with connect(address, additional_headers=headers, origin=Origin(page), ssl=trust, proxy=None) as connection:
            await Follower().read_until(connection, world, (GATE,))


async def test_only_the_cameras_that_are_named_and_allowed(tmp_path: Path) -> None:
    world = make_live(tmp_path)
    for camera in (GATE, DOCK):
        publish_place(world, camera)
    async with served(world) as port:
        async with watching(port, world, "dock", token=world.administrator) as connection:
            follower = Follower()
            await follower.read_until(connection, world, (DOCK,))
            assert set(follower.views) == {DOCK}
        async with watching(port, world, token=world.viewer) as connection:
            follower = Follower()
            await follower.read_until(connection, world, (GATE,))
            assert set(follower.views) == {GATE}
        for cameras in ("dock", "gate,dock"):
            async with watching(port, world, cameras, token=world.viewer) as connection:
                assert await close_code(connection) == 4404
        for cameras in ("none", "gate,none", "%3Cscript%3E", "../gate", "x" * 4000):
            async with watching(port, world, cameras, token=world.administrator) as connection:
                assert await close_code(connection) == 4404
    assert world.resources.live.viewers == set()


async def test_cameras_that_come_and_go_are_followed(tmp_path: Path) -> None:
    world = make_live(tmp_path)
    both, gate_alone = world.settings.register, world.settings.register[:1]
    world.settings.register = gate_alone
    for camera in (GATE, DOCK):
        publish_place(world, camera)
    async with served(world) as port, watching(port, world, token=world.administrator) as connection:
        follower = Follower()
        await follower.read_until(connection, world, (GATE,))
        assert set(follower.views) == {GATE}
        world.settings.register = both
        await follower.read_until(connection, world, (GATE, DOCK))
        assert set(follower.views) == {GATE, DOCK}
        async with watching(port, world, "dock", token=world.administrator) as one:
            named = Follower()
            await named.read_until(one, world, (DOCK,))
            world.settings.register = gate_alone
            await asyncio.sleep(0.1)  # two real timers of a hundredth of a second
            publish_place(world, DOCK)
            publish_place(world, GATE)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(one.recv(), 0.1)
        dock = follower.views[DOCK]
        await follower.read_until(connection, world, (GATE,))
        assert follower.views[DOCK] is dock


async def test_nobody_watches_without_logging_in(tmp_path: Path) -> None:
    world = make_live(tmp_path)
    async with served(world) as port:
        for connecting in (
            watching(port, world),
            watching(port, world, token="wrong"),
            watching(port, world, cookie=f"{COOKIE}=wrong", origin=f"http://127.0.0.1:{port}"),
        ):
            async with connecting as connection:
                assert await close_code(connection) == 4401


async def test_another_sites_page_cannot_open_it(tmp_path: Path) -> None:
    world = make_live(tmp_path)
    async with served(world) as port:
        cookie = cookie_of(world, world.viewer)
        async with watching(port, world, cookie=cookie, origin=f"http://127.0.0.1:{port}") as connection:
            await connection.ping()
        for origin in ("http://evil.example", f"https://127.0.0.1:{port}", f"http://localhost:{port}", "null", None):
            with pytest.raises(InvalidStatus) as refused:
                async with watching(port, world, cookie=cookie, origin=origin):
                    pass
            assert refused.value.response.status_code == 403
        with pytest.raises(InvalidStatus):
            async with connect(
                f"ws://127.0.0.1:{port}/api/live",
                additional_headers={"Authorization": f"Bearer {world.viewer}"},
                origin=Origin("http://evil.example"),
                proxy=None,
            ):
                pass


async def test_it_closes_when_the_session_ends(tmp_path: Path) -> None:
    world = make_live(tmp_path, session_ns=NS_PER_S // 2)
    async with served(world) as port:
        origin = f"http://127.0.0.1:{port}"
        async with watching(port, world, cookie=cookie_of(world, world.viewer), origin=origin) as connection:
            assert await close_code(connection) == 4401


async def test_it_closes_when_somebody_logs_out(tmp_path: Path) -> None:
    world = make_live(tmp_path)
    async with served(world) as port:
        origin = f"http://127.0.0.1:{port}"
        async with watching(port, world, cookie=cookie_of(world, world.viewer), origin=origin) as connection:
            await connection.ping()
            for secret_hash in list(world.accounts.sessions):
                world.accounts.drop_session(secret_hash)
            assert await close_code(connection) == 4401
    assert world.hub.statistics().subscribers == 0


async def test_viewers_are_bounded(tmp_path: Path) -> None:
    world = make_live(tmp_path, viewers=1)
    publish_place(world)
    async with served(world) as port, watching(port, world, token=world.viewer) as first:
        await Follower().read(first)
        async with watching(port, world, token=world.viewer) as second:
            assert await close_code(second) == 1013


async def test_a_viewer_that_does_not_read_is_resynchronised_and_holds_nobody_up(tmp_path: Path) -> None:
    world = make_live(tmp_path)
    place = publish_place(world)
    async with (
        served(world) as port, watching(port, world, "gate", token=world.viewer) as slow,
        watching(port, world, "gate", token=world.administrator) as quick,
    ):
        quick_follower = Follower()
        await quick_follower.read_until(quick, world, (GATE,))
        for _ in range(150):
            # Not to be compressed, so that sockets' buffers fill.
            world.hub.publish(GATE, place.background(os.urandom(200_000)))
            world.hub.publish(GATE, place.cover())
            await quick_follower.read_until(quick, world, (GATE,))
        statistics = world.hub.statistics()
        assert statistics.resyncs >= 1
        assert max(statistics.queue_depths) <= 256
        slow_follower = Follower()
        await slow_follower.read_until(slow, world, (GATE,))
    assert seen(slow_follower.views[GATE]) == seen(world.hub.view(GATE))


async def test_who_may_see_no_camera_is_told_nothing(tmp_path: Path) -> None:

    class Nothing:
        def allows(self, identity: object, permission: Permission, camera: CameraId) -> bool:
            return False

    closed = make_world(tmp_path, clock=SystemClock(), policy=Nothing())
    publish_place(closed)
    async with served(closed) as port, watching(port, closed, token=closed.administrator) as connection:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.recv(), 0.3)


async def test_a_place_that_is_unknown_so_far_is_shown_when_it_comes(tmp_path: Path) -> None:
    world = make_live(tmp_path)
    async with served(world) as port, watching(port, world, "gate", token=world.viewer) as connection:
        place = Place()
        world.hub.publish(GATE, place.state())
        follower = Follower()
        await follower.read_until(connection, world, (GATE,))
        assert follower.views[GATE].state is not None
