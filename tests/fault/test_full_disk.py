"""A worker whose state's file system is really full, or read-only: it guards on, says so, and saves once the disk takes it again."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import NoReturn

import av
import numpy as np
import pytest
from demo.encode import CACHE, yuv_picture
from tests.scene.pictures import place
from tests.worker.test_process import Child, child

from privet.config.models import Promotion
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.pipe.compiled import compiled_directory, warm_command
from privet.pipe.directories import Directories, arguments_of
from privet.pipe.settings import CameraSettings, WorkerSettings
from privet.scene.state_format import from_bytes
from privet.worker.state_store import StateStore

GATE = CameraId("gate")
SMALL_BYTES = 4_000_000
STARTS_WITHIN_S = 90.0
FAILS_WITHIN_S = 60.0
MENDS_WITHIN_S = 40.0           # the longest wait between two tries, and some
KEY_HEX = "cd" * 32
WITHOUT_MOUNT = "PRIVET_TESTS_WITHOUT_MOUNT"


def cannot_mount(why: str) -> NoReturn:
    """Fail: what this file is about was not tried. Only whoever says that it may be left out has it skipped."""
    words = f"a small file system cannot be mounted here ({why})"
    if os.environ.get(WITHOUT_MOUNT) == "1":
        pytest.skip(f"{words}; tests/worker/camera/test_state_saving.py has a store that fails")
    pytest.fail(f"{words}: run the tests as root, or set {WITHOUT_MOUNT}=1 to leave out what needs a disk that is really full")


@contextmanager
def small_file_system(directory: Path) -> Iterator[Path]:
    """A tmpfs of `SMALL_BYTES` at `directory`, gone at the end."""
    directory.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", f"size={SMALL_BYTES},mode=0700", "none", str(directory)]
    if mount is None or (done := subprocess.run(command, capture_output=True, text=True, check=False)).returncode:
        cannot_mount("mount is missing" if mount is None else done.stderr.strip())
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(directory: Path) -> None:
    """Write until nothing more fits."""
    with (directory / "ballast").open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4096))
        except OSError:
            return


def empty(directory: Path) -> None:
    (directory / "ballast").unlink()


def remount(directory: Path, mode: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{mode},size={SMALL_BYTES}", str(directory)], check=True)


@dataclass
class Ear:
    """Hears a worker from a thread of its own, so that the worker never waits for the test."""

    worker: Child
    messages: list[pipe_pb2.WorkerMessage] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def listen(self) -> None:
        try:
            while True:
                message = self.worker.hear()
                with self.changed:
                    self.messages.append(message)
                    self.changed.notify_all()
        except (StopIteration, ValueError, OSError):
            return

    def until(self, wanted: Callable[[pipe_pb2.WorkerMessage], bool], within_s: float, after: int = 0) -> int:
        """Wait for a message; returns how many had come by then."""

        def found() -> int | None:
            return next((n + 1 for n in range(after, len(self.messages)) if wanted(self.messages[n])), None)

        with self.changed:
            self.changed.wait_for(lambda: found() is not None, within_s)
            number = found()
            said = [message.log for message in self.messages if message.WhichOneof("kind") == "log"]
        assert number is not None, f"not said within {within_s} s; logs: {said}"
        return number


def is_log(code: int) -> Callable[[pipe_pb2.WorkerMessage], bool]:
    return lambda message: message.WhichOneof("kind") == "log" and message.log.code == code


def is_state(reason: int) -> Callable[[pipe_pb2.WorkerMessage], bool]:
    return lambda message: message.scene.WhichOneof("kind") == "state" and message.scene.state.reason == reason


def write_film(path: Path) -> Path:
    """A still place, a keyframe a second, along whose lower edge something small goes to and fro, so that covers come."""
    y, u, v = place()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = y.shape
        stream.pix_fmt = "yuv420p"
        stream.codec_context.options = {"x264-params": "bframes=0:keyint=10:min-keyint=10:scenecut=0:crf=18"}
        for number in range(80):
            luma = y.copy()
            left = 8 * min(number % 40, 40 - number % 40)
            luma[-24:-8, left : left + 16] = 235
            picture = yuv_picture(luma, np.ascontiguousarray(u), np.ascontiguousarray(v))
            picture.pts, picture.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def worker_settings(clip: Path) -> WorkerSettings:
    camera = CameraSettings(
        camera=GATE, url=clip.as_uri(), state_directory=PurePosixPath("small/gate"),
        promotion=Promotion(commissioning="automatic", prove_seconds=2, prove_keyframes=2, person_height_px=80),
    )
    return WorkerSettings(cameras=(camera,), directory=PurePosixPath("worker"), state_key_hex=KEY_HEX)


@pytest.fixture(scope="module")
def warmed() -> None:
    subprocess.run(warm_command(CACHE.parent / "compiled"), check=True, capture_output=True, timeout=280)


TROUBLES = {
    "full": (fill, empty),
    "read-only": (lambda directory: remount(directory, "ro"), lambda directory: remount(directory, "rw")),
}


@pytest.mark.usefixtures("warmed")
@pytest.mark.parametrize("trouble", ["full", pytest.param("read-only", marks=pytest.mark.slow)])
def test_a_disk_that_takes_no_state_ends_no_camera(tmp_path: Path, trouble: str) -> None:
    spoil, mend = TROUBLES[trouble]
    started = arguments_of(Directories(tmp_path, compiled_directory(CACHE.parent / "compiled")))
    with small_file_system(tmp_path / "small") as disk, child(tmp_path, "privet.worker.process", started) as worker:
        state = disk / "gate"
        state.mkdir(mode=0o700)
        spoil(disk)
        settings = worker_settings(write_film(tmp_path / "clip.mp4"))
        worker.tell(pipe_pb2.SupervisorMessage(start=pipe_pb2.Start(settings=settings.model_dump_json().encode())))
        ear = Ear(worker)
        listening = threading.Thread(target=ear.listen, daemon=True)
        listening.start()

        ear.until(lambda message: message.scene.WhichOneof("kind") == "cover", STARTS_WITHIN_S)
        failed = ear.until(is_log(pipe_pb2.LOG_CODE_STATE_UNSAVED), FAILS_WITHIN_S)
        said = ear.until(is_state(scene_pb2.REASON_UNSAVED), 10.0)
        time.sleep(4.0)          # a real disk in real time: what is said meanwhile is what the test is about
        meanwhile = list(ear.messages[max(failed, said):])
        kinds = [message.scene.WhichOneof("kind") for message in meanwhile]
        assert kinds.count("state") >= 3, "heartbeats go on"
        assert kinds.count("cover") >= 10, "covers go on"
        health = [message.health for message in meanwhile if message.WhichOneof("kind") == "health"]
        assert health[-1].state_unsaved_seconds > health[0].state_unsaved_seconds > 0
        assert 1 <= health[-1].saves_failed <= 12, "tried again, and more and more seldom"
        assert not (state / "scene.state").exists()

        mend(disk)
        mended = len(ear.messages)
        saved = ear.until(is_log(pipe_pb2.LOG_CODE_STATE_SAVED), MENDS_WITHIN_S, mended)
        ear.until(is_state(scene_pb2.REASON_NONE), 10.0, saved)
        ear.until(lambda message: message.health.saves_failed > 0 and message.health.state_unsaved_seconds == 0, 10.0, saved)
        kept = StateStore(state, GATE, bytes.fromhex(KEY_HEX)).load()
        assert kept is not None
        assert from_bytes(kept).proven.any()
        assert [path.name for path in state.iterdir()] == ["scene.state"]
        assert not any(map(is_log(pipe_pb2.LOG_CODE_CAMERA_CRASHED), ear.messages))
        codes = [message.log.code for message in ear.messages if message.WhichOneof("kind") == "log"]
        assert codes.count(pipe_pb2.LOG_CODE_STATE_UNSAVED) == 1, "said once, however often it is tried"
        worker.tell(pipe_pb2.SupervisorMessage(stop=pipe_pb2.Stop()))
        assert worker.status() == 0
        listening.join(10)


@pytest.mark.parametrize(("said", "outcome"), [("1", pytest.skip.Exception), ("0", pytest.fail.Exception), (None, pytest.fail.Exception)])
def test_where_nothing_can_be_mounted_that_is_a_failure_unless_it_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))       # no mount in it
    monkeypatch.delenv(WITHOUT_MOUNT, raising=False)
    if said is not None:
        monkeypatch.setenv(WITHOUT_MOUNT, said)
    with pytest.raises(outcome, match=r"cannot be mounted here \(mount is missing\)"), small_file_system(tmp_path / "small"):
        raise AssertionError("something was mounted")
