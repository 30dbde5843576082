"""The recorded scene stream."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import MutableMapping
from typing import Any

import pytest
from google.protobuf.internal.decoder import _DecodeVarint32  # type: ignore[attr-defined]  # the other side's reader; not in the stubs
from hypothesis import given
from hypothesis import strategies as st
from tests.api.names import GATE, SPAN
from tests.api.scenes.fakes import read_delimited
from tests.api.world import World
from tests.live.places import Place

from privet.api.scenes.routes import delimited

pytestmark = pytest.mark.anyio


@given(st.lists(st.integers(0, 70_000), max_size=5))
def test_lengths_are_protobufs_own(sizes: list[int]) -> None:
    at, data = 0, b"".join(delimited(b"x" * size) for size in sizes)
    for size in sizes:
        length, at = _DecodeVarint32(data, at)
        assert length == size
        at += length
    assert at == len(data)


async def test_scene_streams_what_the_archive_reads_off_the_loop(world: World) -> None:
    place = Place()
    world.scenes.messages[GATE] = [place.state(), place.background(b"x" * 600_000), *(place.cover(n) for n in range(50))]
    async with world.client(world.viewer) as client:
        answer = await client.get(f"/api/cameras/gate/scene?{SPAN}")
        nothing = await client.get(f"/api/cameras/dock/scene?{SPAN}")
    assert answer.headers["content-type"] == "application/vnd.privet.scene"
    assert read_delimited(answer.content) == world.scenes.messages[GATE]
    assert (nothing.status_code, nothing.content) == (200, b"")
    assert threading.get_ident() not in world.scenes.threads
    assert world.scenes.closed.is_set()


async def test_scene_stops_reading_when_the_client_goes_away(world: World) -> None:
    place = Place()
    world.scenes.messages[GATE] = [place.background(b"x" * 300_000) for _ in range(200)]
    started = asyncio.Event()

    async def receive() -> dict[str, object]:
        await started.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            started.set()
            await asyncio.sleep(0)

    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "path": "/api/cameras/gate/scene", "raw_path": b"", "query_string": SPAN.encode(), "root_path": "", "scheme": "http",
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {world.viewer}".encode())],
        "client": ("192.0.2.7", 1), "server": ("localhost", 8420),
    }  # fmt: skip
    await world.app(scope, receive, send)
    assert await asyncio.to_thread(world.scenes.closed.wait, 10)
    assert 0 < world.scenes.yielded < 200
