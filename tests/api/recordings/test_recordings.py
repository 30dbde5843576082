"""The recordings there are, and their bytes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.api.descriptors import open_descriptors
from tests.api.names import DOCK, FROM_MS, SPAN
from tests.api.recordings.fakes import row
from tests.api.world import World, make_world

pytestmark = pytest.mark.anyio


async def test_recordings_are_listed(world: World) -> None:
    world.recordings.rows = [row(1, "one.mcap", size_bytes=5), row(2, "two.mcap", DOCK, closed=False)]
    async with world.client(world.viewer) as client:
        every = (await client.get(f"/api/recordings?{SPAN}")).json()
        dock = (await client.get(f"/api/recordings?camera=dock&{SPAN}")).json()
    assert every == [
        {"id": 1, "camera": "gate", "from_ms": FROM_MS, "to_ms": FROM_MS + 3_600_000, "size_bytes": 5, "closed": True},
        {"id": 2, "camera": "dock", "from_ms": FROM_MS, "to_ms": None, "size_bytes": 0, "closed": False},
    ]
    assert dock == every[1:]


DATA = bytes(range(256)) * 4096


@pytest.fixture
def recorded(world: World) -> World:
    directory = world.data_directory / "recordings"
    directory.mkdir()
    (directory / "one.mcap").write_bytes(DATA)
    world.recordings.rows = [row(1, "recordings/one.mcap")]
    return world


async def test_a_recording_whole_and_in_parts(recorded: World) -> None:
    async with recorded.client(recorded.administrator) as client:
        before = open_descriptors()
        whole_file = await client.get("/api/recordings/1/data")
        assert (whole_file.status_code, whole_file.content) == (200, DATA)
        assert whole_file.headers["accept-ranges"] == "bytes"
        assert whole_file.headers["content-disposition"] == f'attachment; filename="gate-{FROM_MS}.mcap"'
        etag = whole_file.headers["etag"]
        part = await client.get("/api/recordings/1/data", headers={"Range": "bytes=300000-700000"})
        assert (part.status_code, part.content) == (206, DATA[300000:700001])
        assert part.headers["content-range"] == f"bytes 300000-700000/{len(DATA)}"
        assert part.headers["content-length"] == "400001"
        same = await client.get("/api/recordings/1/data", headers={"Range": "bytes=0-9", "If-Range": etag})
        assert (same.status_code, same.content) == (206, DATA[:10])
        changed = await client.get("/api/recordings/1/data", headers={"Range": "bytes=0-9", "If-Range": '"other"'})
        assert (changed.status_code, len(changed.content)) == (200, len(DATA))
        beyond = await client.get("/api/recordings/1/data", headers={"Range": f"bytes={len(DATA)}-"})
        assert beyond.status_code == 416
        assert beyond.headers["content-range"] == f"bytes */{len(DATA)}"
        assert beyond.headers["content-type"] == "application/problem+json"
        several = await client.get("/api/recordings/1/data", headers={"Range": "bytes=0-1,5-6"})
        assert (several.status_code, len(several.content)) == (200, len(DATA))
        unchanged = await client.get("/api/recordings/1/data", headers={"If-None-Match": etag})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        head = await client.head("/api/recordings/1/data")
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(DATA)))
        assert open_descriptors() == before


async def test_a_path_that_leads_out_of_the_data_directory_is_not_followed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (data / "link").symlink_to(secret)
    (data / "directory").mkdir()
    os.mkfifo(data / "pipe")
    world = make_world(data)
    bad = ["../secret", str(secret), "link", "directory", "pipe", "directory/../../secret"]
    world.recordings.rows = [row(number, path) for number, path in enumerate(bad)] + [row(99, "gone.mcap")]
    async with world.client(world.administrator) as client:
        for number, path in enumerate(bad):
            answer = await client.get(f"/api/recordings/{number}/data")
            assert answer.status_code == 503, path
            assert "secret" not in answer.text
        assert (await client.get("/api/recordings/99/data")).status_code == 404
        assert (await client.get("/api/recordings/100/data")).status_code == 404
        for name in ("1%20OR%201", "x", "-1", str(2**63), "9" * 5000, "../../secret"):
            answer = await client.get(f"http://localhost:8420/api/recordings/{name}/data")
            assert answer.status_code in {404, 422}, name
