"""One masked picture, now or then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.api.names import FROM_MS, GATE, HOUR_NS
from tests.api.scenes.fakes import ListedScenes
from tests.api.world import World, make_world, publish_place
from tests.live.places import START_WALL_NS, Place

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Condition

pytestmark = pytest.mark.anyio


async def test_what_is_not_written_yet_is_no_silence(world: World) -> None:
    """While nothing happens a recorder writes every ten seconds; heartbeats are heard meanwhile, and say that the cover holds."""
    place = Place()
    said = [place.background(), place.cover(), place.state(Condition.ASLEEP)]
    world.scenes.messages[GATE] = said
    for message in said:
        world.hub.publish(GATE, message)
    at_ms = place.wall_ns // NS_PER_MS + 5000

    async def drawn() -> int:
        async with world.client(world.viewer) as client:
            answer = await client.get(f"/api/cameras/gate/snapshot.jpg?at_ms={at_ms}")
        return int(answer.text.split()[2])

    written = place.sequence
    assert await drawn() == written
    place.wall_ns += 6_000_000_000
    world.hub.publish(GATE, place.state(Condition.ASLEEP))
    assert await drawn() == place.sequence
    world.hub.publish(GATE, place.state(Condition.OFFLINE))
    assert await drawn() == written, "it was not offline then, as far as is known"
    world.hub.publish(GATE, place.state(Condition.ASLEEP))
    world.hub.publish(GATE, place.cover(3))
    assert await drawn() == written, "something has come since"


async def test_snapshot_now_and_then(world: World) -> None:
    place = publish_place(world)
    then = Place()
    world.scenes.messages[GATE] = [then.state(), then.background(), then.cover()]
    at_ms = FROM_MS + 30_000
    async with world.client(world.viewer) as client:
        now = await client.get("/api/cameras/gate/snapshot.jpg")
        past = await client.get(f"/api/cameras/gate/snapshot.jpg?at_ms={at_ms}&width=320")
        world.fake_clock.advance(3 * NS_PER_S)
        late = await client.get("/api/cameras/gate/snapshot.jpg")
        nothing = await client.get("/api/cameras/dock/snapshot.jpg")
        unrecorded = await client.get(f"/api/cameras/dock/snapshot.jpg?at_ms={at_ms}")
        wide = await client.get("/api/cameras/gate/snapshot.jpg?width=100000")
    assert now.text == f"jpeg 640 {place.sequence} Gate {START_WALL_NS + HOUR_NS}"
    assert now.headers["content-type"] == "image/jpeg"
    assert now.headers["x-privet-background-age-seconds"] == "3600"
    assert past.text == f"jpeg 320 3 Gate {at_ms * NS_PER_MS}"
    assert past.headers["x-privet-background-age-seconds"] == "30"
    assert [answer.headers["x-privet-stale"] for answer in (now, past, late)] == ["false", "false", "true"]
    assert (nothing.status_code, unrecorded.status_code, wide.status_code) == (404, 404, 422)


async def test_snapshot_says_how_the_place_is_drawn(world: World) -> None:
    place = publish_place(world)
    then = Place()
    world.scenes.messages[GATE] = [then.state(), then.background(), then.cover()]
    async with world.client(world.viewer) as client:

        async def said(query: str = "") -> str:
            answer = await client.get(f"/api/cameras/gate/snapshot.jpg{query}")
            freshness: str = answer.headers["x-privet-freshness"]
            return freshness

        assert await said() == "silent"
        assert await said(f"?at_ms={FROM_MS + 1000}") == "shown"
        assert await said(f"?at_ms={FROM_MS + 30_000}") == "silent"
        place.wall_ns = world.clock.wall_ns()
        world.hub.publish(GATE, place.state())
        assert await said() == "unknown"
        world.hub.publish(GATE, place.cover())
        assert await said() == "shown"
        world.hub.publish(GATE, place.state(Condition.OFFLINE))
        assert await said() == "offline"


async def test_a_camera_that_goes_while_it_is_drawn_is_not_found(tmp_path: Path) -> None:
    class Leaving(ListedScenes):
        """The configuration is read again while recordings are read: the gate goes."""

        def scenes(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, step_ns: int) -> Iterator[pb.SceneMessage]:
            yield from super().scenes(camera, from_wall_ns, to_wall_ns, step_ns)
            world.settings.register = world.settings.register[1:]

    place = Place()
    leaving = Leaving({GATE: [place.state(), place.background(), place.cover()]})
    world = make_world(tmp_path, change=lambda given: replace(given, snapshot=replace(given.snapshot, recorded=leaving)))
    async with world.client(world.viewer) as client:
        answer = await client.get(f"/api/cameras/gate/snapshot.jpg?at_ms={FROM_MS + 30_000}")
    assert answer.status_code == 404
