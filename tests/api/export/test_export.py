"""A span as MP4."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.api.descriptors import open_descriptors
from tests.api.names import FROM_MS, SPAN
from tests.api.world import World, make_world
from tests.live.places import START_WALL_NS

from privet.api.export.directory import DIRECTORY
from privet.core.clock import NS_PER_S

pytestmark = pytest.mark.anyio


async def test_export_is_sent_and_leaves_nothing_behind(world: World) -> None:
    before = open_descriptors()
    async with world.client(world.administrator) as client:
        answer = await client.get(f"/api/cameras/gate/export.mp4?{SPAN}")
    assert answer.text == f"film gate {START_WALL_NS} {START_WALL_NS + 60 * NS_PER_S}"
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-disposition"] == f'attachment; filename="gate-{FROM_MS}-{FROM_MS + 60_000}.mp4"'
    assert list((world.data_directory / "exports").iterdir()) == []
    assert open_descriptors() == before


async def test_export_of_nothing(world: World) -> None:
    world.exporter.empty = True
    async with world.client(world.administrator) as client:
        assert (await client.get(f"/api/cameras/gate/export.mp4?{SPAN}")).status_code == 404
    assert list((world.data_directory / "exports").iterdir()) == []


async def test_export_is_cancelled_when_the_client_goes_away(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    exporter = world.exporter
    exporter.go = asyncio.Event()

    async def receive() -> dict[str, object]:
        await exporter.started.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None: ...

    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "path": "/api/cameras/gate/export.mp4", "raw_path": b"", "query_string": SPAN.encode(), "root_path": "", "scheme": "http",
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {world.administrator}".encode())],
        "client": ("192.0.2.7", 1), "server": ("localhost", 8420),
    }  # fmt: skip
    await world.app(scope, receive, send)
    assert exporter.cancelled.is_set()
    assert list((tmp_path / "exports").iterdir()) == []


async def test_how_long_a_film_may_be_is_a_setting(tmp_path: Path) -> None:
    world = make_world(tmp_path, change=lambda given: replace(given, export=replace(given.export, most_span_ns=NS_PER_S)))
    async with world.client(world.administrator) as client:
        assert (await client.get(f"/api/cameras/gate/export.mp4?{SPAN}")).status_code == 422


async def test_a_disk_without_room_for_an_export_is_said_and_nothing_is_started(world: World) -> None:
    (world.data_directory / DIRECTORY).write_bytes(b"")         # where the directory is to be made; a full disk refuses it likewise
    async with world.client(world.administrator) as client:
        answer = await client.get(f"/api/cameras/gate/export.mp4?{SPAN}")
    assert answer.status_code == 503
    assert "full disk" in answer.json()["detail"]
    assert not world.exporter.started.is_set()
