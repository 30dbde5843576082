"""The API over the real recorder, index, archive and renderer."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.api.auth.test_login import log_in
from tests.api.names import GATE
from tests.api.scenes.fakes import read_delimited
from tests.api.world import World, make_world

from privet.api.app import Resources
from privet.api.auth.sessions import create_first_token
from privet.api.cameras.register import register_of
from privet.api.covered.adapter import ArchivedCovers
from privet.api.export.ports import Exporter
from privet.api.export.process_exporter import ProcessExporter
from privet.api.recordings.adapter import IndexedRecordings
from privet.api.scenes.adapter import ArchivedScenes
from privet.api.snapshot.adapter import DrawnSnapshots
from privet.api.storage.adapter import IndexedStorage
from privet.config.load import load
from privet.config.models import Config
from privet.core.clock import NS_PER_MS, NS_PER_S, FakeClock
from privet.core.grid import Grid
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Background, Condition, Cover, Head, ImageFormat, Reason, Scene, State
from privet.core.wire import decode_all, to_message
from privet.index.index import Index, index_url
from privet.main.application import export_options
from privet.main.running import Running
from privet.record.archive import Archive
from privet.record.recorder import Recorder
from privet.record.recording import RecordingInfo
from privet.record.store import DirectoryStore

pytestmark = pytest.mark.anyio

BEGIN_NS = 1_700_000_400 * NS_PER_S  # on a ten-second mark
GRID = Grid(160, 96, 8, 0)


class IndexAnnounce:
    """As main does it."""

    def __init__(self, index: Index) -> None:
        self.opened = index.recording_opened
        self.closed = index.recording_closed
        self.summarised = index.add_summary
        self.index = index


def picture() -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.full((GRID.height_px, GRID.width_px, 3), (40, 90, 60), np.uint8)).save(out, "PNG")
    return out.getvalue()


def minute() -> Iterator[pb.SceneMessage]:
    """A minute: a background, a state a second, and something in the upper half from second 20 to 40."""
    sequence = 0

    def head(at_ns: int) -> Head:
        nonlocal sequence
        sequence += 1
        return Head(9, sequence, at_ns)

    def message(scene: Scene) -> pb.SceneMessage:
        return to_message(scene)

    def state(at_ns: int) -> State:
        return State(head(at_ns), Condition.AWAKE, Reason.NONE, 0, GRID, GRID.blocks, 0)

    proven = np.ones(GRID.shape, np.bool_)
    yield message(state(BEGIN_NS))
    yield message(Background(head(BEGIN_NS), GRID, proven, ImageFormat.PNG, picture(), BEGIN_NS - 60 * NS_PER_S, BEGIN_NS))
    for second in range(60):
        at_ns = BEGIN_NS + second * NS_PER_S
        covered = np.zeros(GRID.shape, np.bool_)
        if 20 <= second < 40:
            covered[: GRID.rows // 2] = True
        yield message(Cover(head(at_ns), 0, NS_PER_S, covered))
        yield message(state(at_ns + 1))


class Site:
    """An application with the real store behind it, and a recorder that has heard a minute."""

    def __init__(self, directory: Path, *, closed: bool, exporter: Exporter | None = None) -> None:
        self.index = Index.open(index_url(directory))
        clock = FakeClock(wall=BEGIN_NS)
        self.recorder = Recorder(directory, IndexAnnounce(self.index), clock)
        camera = {"place": "North", "purpose": "Keep", "controller": "Us", "url": "rtsp://192.0.2.1/"}
        config = Config.model_validate({"cameras": {"gate": camera}})
        self.index.put_cameras(register_of(config))
        self.index.add_state(GATE, BEGIN_NS, Condition.AWAKE, Reason.NONE)
        store = DirectoryStore(directory)
        archive = Archive(store)
        scenes = ArchivedScenes(self.index, archive, self.recorder.open_recordings)

        def change(given: Resources) -> Resources:
            return replace(
                given,
                timeline=replace(given.timeline, past=self.index),
                covered=replace(given.covered, covers=ArchivedCovers(self.index, archive)),
                scenes=replace(given.scenes, scenes=scenes),
                snapshot=replace(given.snapshot, recorded=scenes, snapshots=DrawnSnapshots(lambda: UTC)),
                export=given.export if exporter is None else replace(given.export, exporter=exporter),
                recordings=replace(given.recordings, recordings=IndexedRecordings(self.index, store, self.recorder.open_recordings)),
                storage=replace(given.storage, stored=IndexedStorage(self.index, self.recorder.open_recordings)),
            )

        self.world: World = make_world(directory, clock=clock, accounts=self.index, change=change)
        self.world.settings.register = register_of(config)
        token = create_first_token(self.index, clock)
        assert token is not None
        self.token = token
        self.messages = list(minute())
        for message in self.messages:
            self.recorder.put(GATE, message)
            self.world.hub.publish(GATE, message)
        clock.advance(60 * NS_PER_S)
        if closed:
            self.recorder.close()

    def close(self) -> None:
        self.recorder.close()
        self.index.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, closed=True)
    yield made
    made.close()


MINUTE = f"from_ms={BEGIN_NS // NS_PER_MS}&to_ms={BEGIN_NS // NS_PER_MS + 60_000}"


async def test_the_first_token_logs_in(site: Site) -> None:
    assert create_first_token(site.index, site.world.clock) is None
    async with site.world.client() as client:
        assert (await log_in(client, site.token)).status_code == 303
        assert (await client.get("/api/session")).json()["role"] == "administrator"
        assert (await client.post("/logout", headers={"Origin": "http://localhost:8420"})).status_code == 204
        assert (await client.get("/api/session")).status_code == 401


async def test_the_recorded_minute_is_all_there(site: Site) -> None:
    async with site.world.client(site.token) as client:
        listed = (await client.get(f"/api/recordings?{MINUTE}")).json()
        whole = await client.get(f"/api/cameras/gate/scene?{MINUTE}")
        thinned = await client.get(f"/api/cameras/gate/scene?{MINUTE}&step_ms=10000")
        timeline = (await client.get(f"/api/cameras/gate/timeline?{MINUTE}&bins=6")).json()
        file = await client.get(f"/api/recordings/{listed[0]['id']}/data")
        part = await client.get(f"/api/recordings/{listed[0]['id']}/data", headers={"Range": "bytes=0-7"})
    assert [(row["camera"], row["closed"], row["size_bytes"]) for row in listed] == [("gate", True, len(file.content))]
    scenes = list(decode_all(read_delimited(whole.content)))
    assert sum(isinstance(scene, Cover) for scene in scenes) == 60
    assert sum(isinstance(scene, Background) for scene in scenes) == 1
    few = list(decode_all(read_delimited(thinned.content)))
    assert 6 <= sum(isinstance(scene, Cover) for scene in few) <= 7
    assert timeline["bin_ms"] == 10_000
    assert timeline["density"] == [0.0, 0.0, 0.5, 0.5, 0.0, 0.0]
    assert [(span["kind"], span["to_ms"] - span["from_ms"]) for span in timeline["spans"]] == [("awake", 60_000)]
    assert file.content[:5] == b"\x89MCAP"
    assert (part.status_code, part.content) == (206, file.content[:8])


async def test_snapshots_are_pictures(site: Site) -> None:
    at_ms = BEGIN_NS // NS_PER_MS + 30_500
    async with site.world.client(site.token) as client:
        then = await client.get(f"/api/cameras/gate/snapshot.jpg?at_ms={at_ms}&width=160")
        now = await client.get("/api/cameras/gate/snapshot.jpg?width=160")
        never = await client.get(f"/api/cameras/gate/snapshot.jpg?at_ms={at_ms - 3_600_000}")
    assert never.status_code == 404
    assert then.headers["x-privet-background-age-seconds"] == "90"
    with Image.open(io.BytesIO(then.content)) as shown:
        assert shown.format == "JPEG"
        assert shown.width == 160
        upper, lower = shown.getpixel((80, 20)), shown.getpixel((80, 80))
    assert lower != upper  # the upper half is covered, the lower is the background
    assert now.status_code == 200
    assert now.headers["x-privet-stale"] == "true"  # a minute has gone by since


async def test_a_recording_that_is_being_written_is_served(tmp_path: Path) -> None:
    site = Site(tmp_path, closed=False)
    try:
        async with site.world.client(site.token) as client:
            sequence = 1000
            served = 0
            async with asyncio.timeout(20):  # the recorder writes in its own thread, and looks at the clock when it hears something
                while served < len(site.messages):
                    site.world.fake_clock.advance(NS_PER_S)
                    sequence += 1
                    head = Head(9, sequence, site.world.fake_clock.wall_ns())
                    state = State(head, Condition.AWAKE, Reason.NONE, 0, GRID, GRID.blocks, 0)
                    site.recorder.put(GATE, to_message(state))
                    await asyncio.sleep(0.01)
                    if any(recording.chunk_indexes for recording in site.recorder.open_recordings()):
                        data = await client.get(f"/api/cameras/gate/scene?{MINUTE}")
                        served = len(list(decode_all(read_delimited(data.content))))
            listed = (await client.get(f"/api/recordings?{MINUTE}")).json()
        assert [(row["closed"], row["to_ms"]) for row in listed] == [(False, None)]
        assert listed[0]["size_bytes"] > 0
    finally:
        site.close()


async def test_an_export_is_a_film(tmp_path: Path) -> None:
    """The real command in a process of its own, as main has it."""
    data = tmp_path / "data"
    data.mkdir()
    configuration = tmp_path / "privet.toml"
    configuration.write_text(
        '[site]\ntimezone = "Europe/Berlin"\n'
        '[cameras.gate]\nplace = "North"\npurpose = "Keep"\ncontroller = "Us"\nurl = "rtsp://192.0.2.1/"\n'
    )
    running = Running(load(configuration))
    configuration.write_text("not yet taken up, [and mistaken")  # what is in force counts, not what stands in the file
    site = Site(data, closed=True, exporter=ProcessExporter(options=lambda: export_options(data, running)))
    begin_ms = BEGIN_NS // NS_PER_MS
    try:
        async with site.world.client(site.token) as client:
            film = await client.get(f"/api/cameras/gate/export.mp4?from_ms={begin_ms}&to_ms={begin_ms + 5000}")
            nothing = await client.get(f"/api/cameras/gate/export.mp4?from_ms={begin_ms - 9000}&to_ms={begin_ms - 5000}")
            ahead = await client.get(f"/api/cameras/gate/export.mp4?from_ms={begin_ms + 10**9}&to_ms={begin_ms + 10**9 + 1}")
        assert (film.status_code, film.headers["content-type"], film.content[4:8]) == (200, "video/mp4", b"ftyp")
        assert (nothing.status_code, ahead.status_code) == (404, 404)
        assert list((data / "exports").iterdir()) == []
    finally:
        site.close()


def test_the_announcer_fits_what_the_recorder_says(tmp_path: Path) -> None:
    index = Index.open(index_url(tmp_path))
    announce = IndexAnnounce(index)
    info = RecordingInfo(GATE, "recordings/gate/2023/11/14/22-00000000.mcap", BEGIN_NS, BEGIN_NS + 1, 10, 0, 1)
    announce.opened(info)
    announce.closed(info)
    assert [row.path for row in index.recordings(GATE)] == [info.path]
    index.close()
