"""Taking privet.toml up again, with workers that only note what they are told."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pytest

from privet.api.cameras.register import RegisterEntry
from privet.config.load import Loaded, load
from privet.core.errors import ConfigError, StoreError
from privet.core.ids import CameraId
from privet.main.assignment import Hosted
from privet.main.reload import Parts, Reloader, read_steady
from privet.main.running import NAME, Running, told
from privet.main.worker_settings import worker_settings
from privet.pipe.settings import WorkerSettings

KEY = b"k" * 32
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def camera(name: str, /, **keys: str) -> str:
    lines = {"place": "North", "purpose": "See", "controller": "Us", "url": f"rtsp://192.0.2.1/{name}"} | keys
    return f"[cameras.{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())


class Site:
    """A privet.toml, workers that note, and an index that may fail."""

    def __init__(self, directory: Path, *tables: str) -> None:
        self.path = directory / "privet.toml"
        self.write(*tables)
        loaded = load(self.path)
        loaded.data_directory.mkdir()
        self.running = Running(loaded)
        self.workers = {0: self.make(loaded, 0, loaded.config.camera_ids())}
        self.registered: list[list[str]] = []
        self.seen_while_changing: list[tuple[CameraId, ...]] = []
        self.forgotten: list[CameraId] = []
        self.index_fails = False
        self.most_cameras = 100
        self.roomed: list[tuple[int, int]] = []
        self.reloader = Reloader(self.running, Parts(self, self.register, self.make, self.room, (self.forgotten.append,)), KEY, load)

    def write(self, *tables: str) -> None:
        self.path.write_text("\n".join(tables))

    def make(self, loaded: Loaded, number: int, cameras: Sequence[CameraId]) -> WorkerSettings:
        return worker_settings(loaded, cameras, PurePosixPath("workers", str(number)), KEY)

    def register(self, entries: Sequence[RegisterEntry]) -> None:
        if self.index_fails:
            raise StoreError("the index is full")
        self.registered.append([entry.id for entry in entries])

    async def reconfigure(self, plan: Callable[[Mapping[int, Hosted]], Mapping[int, WorkerSettings]]) -> None:
        self.seen_while_changing.append(self.running.cameras)
        self.workers = dict(plan(self.hosted()))

    def room(self, cameras: int, workers: int) -> Callable[[], None]:
        if cameras > self.most_cameras:
            raise ConfigError(f"no room for {cameras} cameras")
        return lambda: self.roomed.append((cameras, workers))

    def hosted(self) -> dict[int, Hosted]:
        return {number: Hosted(settings, settings) for number, settings in self.workers.items()}

    def hosts(self) -> dict[int, tuple[str, ...]]:
        return {number: settings.camera_ids() for number, settings in self.workers.items()}


async def test_the_difference_is_carried_out_and_said(tmp_path: Path) -> None:
    site = Site(tmp_path, camera("gate"), camera("yard"), camera("shed"))
    await site.reloader.begin()
    site.write(camera("gate"), camera("yard", name="Yard"), camera("barn"))
    assert await site.reloader.reload()
    assert site.hosts() == {0: ("gate", "yard"), 1: ("barn",)}
    assert site.running.cameras == ("gate", "yard", "barn")
    assert site.forgotten == ["shed"]
    assert site.registered == [["gate", "yard", "barn", "shed"], ["gate", "yard", "barn"]], "until it has ended it stays in the register"
    assert site.seen_while_changing == [("gate", "yard", "barn", "shed")]
    said = told(tmp_path / "data")
    assert said is not None
    assert (said.reloads, said.done) == (1, True)
    assert said.lines == (
        "camera barn is added", "camera shed is removed; its recordings stay until they are too old", 'camera yard: name: "" -> "Yard"',
    )


async def test_a_file_with_a_mistake_changes_nothing_and_is_said(tmp_path: Path) -> None:
    site = Site(tmp_path, camera("gate"))
    before = site.workers
    site.write(camera("gate"), camera("yard", placee="North"))
    assert not await site.reloader.reload()
    assert site.workers is before
    assert site.registered == []
    assert site.running.cameras == ("gate",)
    said = told(tmp_path / "data")
    assert said is not None
    assert not said.done
    assert "cameras.yard.placee is not known: did you mean 'place'?" in said.lines[0]


async def test_an_index_that_does_not_take_the_cameras_stops_it_before_anything_begins(tmp_path: Path) -> None:
    site = Site(tmp_path, camera("gate"))
    site.write(camera("gate"), camera("yard"))
    site.index_fails = True
    assert not await site.reloader.reload()
    assert site.hosts() == {0: ("gate",)}
    assert site.running.cameras == ("gate",)
    site.index_fails = False
    assert await site.reloader.reload(), "and the next time it is tried again"
    assert site.hosts() == {0: ("gate",), 1: ("yard",)}


async def test_what_waits_for_a_restart_is_not_taken_up(tmp_path: Path) -> None:
    site = Site(tmp_path, camera("gate"))
    site.write('[storage]\ndirectory = "elsewhere"', camera("gate"))
    assert await site.reloader.reload()
    assert site.running.loaded.data_directory == tmp_path.resolve() / "data"
    assert not (tmp_path / "elsewhere").exists()


async def test_nothing_to_do_is_said_too(tmp_path: Path) -> None:
    site = Site(tmp_path, camera("gate"))
    assert await site.reloader.reload()
    said = told(tmp_path / "data")
    assert said is not None
    assert said.lines == ("nothing has changed",)
    assert site.registered == []


async def test_no_password_is_told_to_other_processes(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text('[door]\nusername = "viewer"\npassword = "hunter2hunter2"\n')
    secrets.chmod(0o600)
    site = Site(tmp_path, camera("gate", credentials="door"))
    await site.reloader.begin()
    written = tmp_path / "data" / NAME
    assert stat.S_IMODE(written.stat().st_mode) == 0o600
    first = written.read_text()
    assert "hunter2" not in first
    secrets.write_text('[door]\nusername = "viewer"\npassword = "hunter3hunter3"\n')
    assert await site.reloader.reload()
    assert site.workers[0].cameras[0].password == "hunter3hunter3"
    assert json.loads(written.read_text())["secrets"] != json.loads(first)["secrets"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"process": "x"}', '{"process": 1, "config": {"sever": 1}, "secrets": {}}'])
def test_what_cannot_be_read_is_nothing_told(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    assert told(tmp_path) is None
    assert told(tmp_path / "nowhere") is None


async def test_a_file_without_any_camera_does_not_end_the_guarding(tmp_path: Path) -> None:
    site = Site(tmp_path, camera("gate"), camera("yard"))
    before = site.workers
    site.write("")
    assert not await site.reloader.reload()
    assert site.workers is before
    said = told(tmp_path / "data")
    assert said is not None
    assert "names no camera, and 2 are guarded" in said.lines[0]
    off = camera("gate") + "enabled = false\n"
    site.write(off)
    assert await site.reloader.reload(), "who says it of each camera means it"
    assert site.workers == {}
    assert site.running.cameras == ()


async def test_cameras_for_which_there_are_no_descriptors_are_refused(tmp_path: Path) -> None:
    site = Site(tmp_path, camera("gate"))
    site.most_cameras = 1
    site.write(camera("gate"), camera("yard"))
    assert not await site.reloader.reload()
    assert site.hosts() == {0: ("gate",)}
    site.most_cameras = 2
    assert await site.reloader.reload()
    assert site.roomed == [(2, 2)]


async def test_a_defect_ends_the_reload_and_nothing_else(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    site = Site(tmp_path, camera("gate"))

    def broken(_path: Path) -> Loaded:
        raise ZeroDivisionError

    reloader = Reloader(site.running, Parts(site, site.register, site.make, site.room, ()), KEY, broken)
    assert not await reloader.reload()
    assert "ZeroDivisionError" in caplog.text
    said = told(tmp_path / "data")
    assert said is not None
    assert said.lines == ("a defect of Privet (ZeroDivisionError): its log says where",)


async def test_an_index_that_fails_afterwards_is_asked_again_and_what_is_done_is_said(tmp_path: Path) -> None:
    site = Site(tmp_path, camera("gate"), camera("yard"))
    calls = []

    def register(entries: Sequence[RegisterEntry]) -> None:
        calls.append([entry.id for entry in entries])
        if len(calls) == 2:
            raise StoreError("the index is full")

    reloader = Reloader(site.running, Parts(site, register, site.make, site.room, ()), KEY, load)
    site.write(camera("gate"))
    assert await reloader.reload()
    said = told(tmp_path / "data")
    assert said is not None
    assert said.lines[-1].startswith("the index does not take the names")
    assert site.running.cameras == ("gate",)
    assert await reloader.reload()
    assert calls == [["gate", "yard"], ["gate"], ["gate"]]
    assert await reloader.reload()
    assert len(calls) == 3, "and then no more"


def test_a_file_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "privet.toml"
    path.write_text(camera("gate"))
    assert read_steady(path, 0.0).config.camera_ids() == ("gate",)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            path.write_text(camera("gate") + "#" * number)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        with pytest.raises(ConfigError, match=r"being written|names|not TOML"):
            read_steady(path, 0.02)
    finally:
        stop.set()
        writing.join(10)
    assert read_steady(path, 0.0).config.camera_ids() == ("gate",)
    path.write_text("[sever]")
    with pytest.raises(ConfigError, match="sever"):
        read_steady(path, 0.0)
