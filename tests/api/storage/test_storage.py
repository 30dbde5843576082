"""What is stored, as far as one may see it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.api.auth.fakes import OnlyGateForViewers
from tests.api.names import DOCK, FROM_MS, GATE
from tests.api.world import World, make_world
from tests.live.places import START_WALL_NS

from privet.index.rows import StoredRow

pytestmark = pytest.mark.anyio


async def test_storage_is_told_of_the_cameras_one_may_see(tmp_path: Path) -> None:
    world = make_world(tmp_path, policy=OnlyGateForViewers())
    world.settings.retention = replace(world.settings.retention, quota_bytes=5_000_000_000)
    each = 1000
    world.storage.rows = [StoredRow(GATE, 2, 2 * each, START_WALL_NS), StoredRow(DOCK, 1, each, START_WALL_NS)]
    async with world.client(world.administrator) as client:
        whole = (await client.get("/api/storage")).json()
    async with world.client(world.viewer) as client:
        part = (await client.get("/api/storage")).json()
    assert whole["free_bytes"] > 0
    assert (whole["bytes"], whole["quota_bytes"], whole["retention_hours"]) == (3 * each, 5_000_000_000, 72)
    assert [stored["camera"] for stored in whole["cameras"]] == [GATE, DOCK]
    assert part["bytes"] == 2 * each
    assert part["cameras"] == [{"camera": GATE, "recordings": 2, "bytes": 2 * each, "oldest_ms": FROM_MS, "error": ""}]


async def test_nothing_stored_yet(unchanged: World) -> None:
    async with unchanged.client(unchanged.viewer) as client:
        found = (await client.get("/api/storage")).json()
    assert (found["bytes"], found["quota_bytes"]) == (0, None)
    assert found["cameras"][0] == {"camera": GATE, "recordings": 0, "bytes": 0, "oldest_ms": None, "error": ""}
    assert found["index_fails"] is False


async def test_what_cannot_be_written_is_said_where_storage_is_shown(world: World) -> None:
    world.disk.errors[DOCK], world.disk.index = "No space left on device", True
    async with world.client(world.viewer) as client:
        found = (await client.get("/api/storage")).json()
    assert found["index_fails"] is True
    assert {each["camera"]: each["error"] for each in found["cameras"]} == {GATE: "", DOCK: "No space left on device"}
