"""The cameras as the API tells of them."""

from __future__ import annotations

from typing import get_args

import pytest
from tests.api.names import DOCK, FROM_MS, GATE
from tests.api.world import World, publish_place

from privet.api.cameras.routes import ConditionName, ReasonName
from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.scene import Condition, Reason

pytestmark = pytest.mark.anyio


def test_names_of_conditions_and_reasons_are_those_of_the_stream() -> None:
    assert get_args(ConditionName) == tuple(condition.name.lower() for condition in Condition)
    assert get_args(ReasonName) == tuple(reason.name.lower() for reason in Reason)


async def test_a_camera_nothing_was_heard_of(unchanged: World) -> None:
    async with unchanged.client(unchanged.viewer) as client:
        camera = (await client.get("/api/cameras/dock")).json()
    assert camera["name"] == "<script>alert(1)</script>"  # data, not markup: the page draws it as text
    assert (camera["condition"], camera["reason"], camera["stale"]) == ("starting", "none", True)
    assert (camera["grid"], camera["since_ms"], camera["heard_ms"], camera["background_oldest_ms"]) == (None,) * 4
    assert camera["counters"]["frames_decoded"] == 0
    assert camera["capacity_bits_per_second"] == 0


async def test_a_camera_that_is_awake(world: World) -> None:
    place = publish_place(world)
    now_ms = world.fake_clock.wall_ns() // NS_PER_MS
    async with world.client(world.viewer) as client:
        first, second = (await client.get("/api/cameras")).json()
        assert (first["id"], second["id"]) == (GATE, DOCK)
        assert first == (await client.get("/api/cameras/gate")).json()
        world.fake_clock.advance(3 * NS_PER_S)
        assert (await client.get("/api/cameras/gate")).json()["stale"] is True
    assert (first["condition"], first["stale"], first["heard_ms"]) == ("awake", False, now_ms)
    assert first["grid"] == {
        "width_px": 64, "height_px": 40, "block_px": 8, "epoch": 0, "columns": 8, "rows": 5,
    }  # fmt: skip
    assert first["capacity_bits_per_second"] == place.grid.blocks * 5
    assert first["counters"]["frames_decoded"] == 7
    assert first["background_oldest_ms"] == FROM_MS


async def test_cameras_come_and_go_while_it_runs(world: World) -> None:
    gate, dock = world.settings.register
    async with world.client(world.viewer) as client:
        world.settings.register = (dock,)
        assert [camera["id"] for camera in (await client.get("/api/cameras")).json()] == [DOCK]
        assert (await client.get("/api/cameras/gate")).status_code == 404
        world.settings.register = (dock, gate)
        assert [camera["id"] for camera in (await client.get("/api/cameras")).json()] == [DOCK, GATE]
