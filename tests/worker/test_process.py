"""The worker as a process: what it does with its pipe, its parent and its signals."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import pytest

from privet.core.ids import CameraId
from privet.core.landlock import landlock_abi
from privet.core.pb import pipe_pb2
from privet.main.launch import reduced_environment
from privet.pipe import framing
from privet.pipe.crash_code import describe
from privet.pipe.directories import Directories, arguments_of
from privet.pipe.settings import CameraSettings, WorkerSettings, connect_ports
from privet.worker.priority import AUTOGROUP
from privet.worker.process import EXIT_ORPHANED, EXIT_STOPPED, EXIT_UNUSABLE, GROUP_NICENESS, NICENESS

PASSWORD = "correct horse battery"
ROOT = Path(__file__).parents[2]


class Child:
    """A worker process and its pipe, blocking."""

    def __init__(self, module: str, arguments: Sequence[str], cwd: Path | None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=reduced_environment() | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src"), *sys.path))},
            cwd=cwd,
            start_new_session=True,         # as the supervisor starts it
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin = self.process.stdin
        assert isinstance(self.process.stdout, io.BufferedReader)
        self._frames = framing.read_bodies(self.process.stdout)

    def tell(self, message: pipe_pb2.SupervisorMessage) -> None:
        self.stdin.write(framing.framed(message))
        self.stdin.flush()

    def start(self, **words: str) -> None:
        self.tell(pipe_pb2.SupervisorMessage(start=pipe_pb2.Start(settings=settings(words).model_dump_json().encode())))

    def hear(self) -> pipe_pb2.WorkerMessage:
        return framing.parse_worker_message(next(self._frames))

    def until(self, wanted: Callable[[pipe_pb2.WorkerMessage], bool]) -> pipe_pb2.WorkerMessage:
        for _ in range(2000):
            message = self.hear()
            if wanted(message):
                return message
        raise AssertionError("never said")

    def status(self) -> int:
        return self.process.wait(20)


def settings(words: dict[str, str]) -> WorkerSettings:
    return WorkerSettings(
        cameras=tuple(
            CameraSettings(
                camera=CameraId(name), url=f"rtsp://127.0.0.1/{word}", username="viewer", password=PASSWORD,
                state_directory=PurePosixPath("state", name),
            )
            for name, word in words.items()
        ),
        directory=PurePosixPath("worker"),
        state_key_hex="cd" * 32,
    )


@contextmanager
def child(
    directory: Path, module: str = "tests.main.fake_worker", arguments: Sequence[str] | None = None, cwd: Path | None = None
) -> Iterator[Child]:
    running = Child(module, arguments_of(Directories(directory)) if arguments is None else arguments, cwd)
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait(20)
        for stream in (running.process.stdin, running.process.stdout, running.process.stderr):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                pass


def is_cover(message: pipe_pb2.WorkerMessage) -> bool:
    return message.scene.WhichOneof("kind") == "cover"


def is_log(code: int) -> Callable[[pipe_pb2.WorkerMessage], bool]:
    return lambda message: message.WhichOneof("kind") == "log" and message.log.code == code


def test_it_says_scenes_and_reports_health(tmp_path: Path) -> None:
    with child(tmp_path) as worker:
        worker.start(gate="covers", yard="covers")
        assert worker.hear().log == pipe_pb2.Log(
            level=20 if landlock_abi() else 30, code=pipe_pb2.LOG_CODE_SANDBOX, number=landlock_abi()
        )
        assert {worker.until(is_cover).camera for _ in range(10)} == {"gate", "yard"}
        health = worker.until(lambda message: message.WhichOneof("kind") == "health" and message.health.covers_sent > 0).health
        assert sum(health.latency_bucket_counts) == health.covers_sent
        assert health.bytes_sent > 0
        assert health.memory_bytes > 1 << 20, "a worker may look into itself, though nobody else may"


def test_settings_are_neither_in_argv_nor_in_the_environment(tmp_path: Path) -> None:
    with child(tmp_path) as worker:
        worker.start(gate="covers")
        worker.until(is_cover)
        entry = Path(f"/proc/{worker.process.pid}")
        assert PASSWORD.encode() not in (entry / "cmdline").read_bytes()
        if os.geteuid() == 0:  # for others the kernel hides it: the process is not dumpable
            assert PASSWORD.encode() not in (entry / "environ").read_bytes()


def test_recording_and_answering_come_first_where_there_is_too_little_for_all(tmp_path: Path) -> None:
    with child(tmp_path) as worker:
        worker.start(gate="covers")
        worker.until(is_cover)
        own = os.getpriority(os.PRIO_PROCESS, 0)
        for thread in Path(f"/proc/{worker.process.pid}/task").iterdir():
            assert os.getpriority(os.PRIO_PROCESS, int(thread.name)) == min(own + NICENESS, 19)
        if AUTOGROUP.exists():              # then niceness between sessions is the groups', and a worker has a session of its own
            group = Path(f"/proc/{worker.process.pid}/autogroup").read_text().split()
            assert group[1:] == ["nice", str(GROUP_NICENESS)]
            assert group[0] not in AUTOGROUP.read_text().split()    # which is empty for whoever is in the kernel's own group


def test_stop_is_clean(tmp_path: Path) -> None:
    with child(tmp_path) as worker:
        worker.start(gate="covers")
        worker.until(is_cover)
        worker.tell(pipe_pb2.SupervisorMessage(stop=pipe_pb2.Stop()))
        worker.until(is_log(pipe_pb2.LOG_CODE_STOPPED))
        assert worker.status() == EXIT_STOPPED


def test_sigterm_is_clean_and_sigint_is_left_to_the_supervisor(tmp_path: Path) -> None:
    with child(tmp_path) as worker:
        worker.start(gate="covers")
        worker.until(is_cover)
        worker.process.send_signal(signal.SIGINT)
        for _ in range(20):
            worker.until(is_cover)
        worker.process.send_signal(signal.SIGTERM)
        worker.until(is_log(pipe_pb2.LOG_CODE_STOPPED))
        assert worker.status() == EXIT_STOPPED


def test_it_ends_at_once_when_nobody_is_there_to_hear(tmp_path: Path) -> None:
    with child(tmp_path) as worker:
        worker.start(gate="covers")
        worker.until(is_cover)
        worker.stdin.close()
        assert worker.status() == EXIT_ORPHANED


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """A parent that dies without closing anything: the pipe's ends are held open by the test."""
    script = (
        "import os, subprocess, sys\n"
        "inward = int(sys.argv[1])\n"
        "command = [sys.executable, '-P', '-m', 'tests.main.fake_worker', sys.argv[2]]\n"
        "worker = subprocess.Popen(command, stdin=inward, stdout=subprocess.PIPE)\n"
        "worker.stdout.read(1)\n"  # it is under way
        "print(worker.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    inward, held = os.pipe()
    root = str(Path(__file__).parents[2])
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(inward), str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[inward],
        env=os.environ | {"PYTHONPATH": root},
    )
    message = pipe_pb2.Start(settings=settings({"gate": "covers"}).model_dump_json().encode())
    os.write(held, framing.framed(pipe_pb2.SupervisorMessage(start=message)))
    assert parent.stdout is not None
    assert parent.stdin is not None
    pid = int(parent.stdout.readline())
    watch = os.pidfd_open(pid)
    parent.kill()
    parent.wait(20)
    import select

    assert select.select([watch], [], [], 20)[0] == [watch]
    for descriptor in (inward, held, watch):
        os.close(descriptor)
    parent.stdout.close()
    parent.stdin.close()


def test_a_hanging_camera_does_not_hold_up_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with child(tmp_path) as worker:
        worker.start(gate="hang", yard="covers")
        worker.until(is_cover)
        worker.tell(pipe_pb2.SupervisorMessage(stop=pipe_pb2.Stop()))
        worker.until(is_log(pipe_pb2.LOG_CODE_STOPPED))
        assert worker.status() == EXIT_STOPPED


def test_a_crash_leaves_as_numbers_and_the_other_camera_goes_on(tmp_path: Path) -> None:
    with child(tmp_path) as worker:
        worker.start(gate="crash", yard="covers")
        message = worker.until(is_log(pipe_pb2.LOG_CODE_CAMERA_CRASHED))
        assert message.camera == "gate"
        assert describe(message.log.number).startswith("ArithmeticError at privet/worker/host.py")
        for _ in range(20):
            worker.until(lambda message: is_cover(message) and message.camera == "yard")
        worker.tell(pipe_pb2.SupervisorMessage(stop=pipe_pb2.Stop()))
        worker.until(is_log(pipe_pb2.LOG_CODE_STOPPED))
        assert worker.status() == EXIT_STOPPED
        assert worker.process.stderr is not None
        assert worker.process.stderr.read() == b""


def test_a_worker_that_cannot_say_any_more_how_its_cameras_are_ends(tmp_path: Path) -> None:
    with child(tmp_path) as worker:
        worker.start(gate="beatless", yard="covers")
        message = worker.until(is_log(pipe_pb2.LOG_CODE_CAMERA_CRASHED))
        assert message.camera == ""
        assert describe(message.log.number).startswith("MemoryError at privet/worker/host.py")
        assert worker.status() == EXIT_UNUSABLE


def test_what_libraries_print_goes_nowhere(tmp_path: Path) -> None:
    with child(tmp_path) as worker:
        worker.start(gate="print")
        for _ in range(20):
            worker.until(is_cover)  # the pipe's framing is intact
        worker.tell(pipe_pb2.SupervisorMessage(stop=pipe_pb2.Stop()))
        worker.until(is_log(pipe_pb2.LOG_CODE_STOPPED))
        worker.status()
        assert worker.process.stderr is not None
        assert worker.process.stderr.read() == b""


@pytest.mark.skipif(landlock_abi() == 0, reason="this kernel has no Landlock")
def test_it_writes_its_own_directories_only(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    with child(tmp_path) as worker:
        worker.start(gate="write")
        codes = [worker.until(is_log(pipe_pb2.LOG_CODE_CONNECTED)).log.number for _ in range(4)]
        assert codes == [0, 0, 13, 13]


def test_resend_reaches_the_camera(tmp_path: Path) -> None:
    with child(tmp_path) as worker:
        worker.start(gate="covers", yard="covers")
        worker.until(is_cover)
        worker.tell(pipe_pb2.SupervisorMessage(resend=pipe_pb2.Resend(camera="yard")))
        assert worker.until(is_log(pipe_pb2.LOG_CODE_EPOCH)).camera == "yard"


@pytest.mark.parametrize("nonsense", [b"\x00\x00\x00\x02\xff\xff", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00"])
def test_nonsense_instead_of_settings_ends_it(tmp_path: Path, nonsense: bytes) -> None:
    with child(tmp_path) as worker:
        worker.stdin.write(nonsense)
        worker.stdin.flush()
        assert worker.status() == EXIT_UNUSABLE


def test_a_worker_that_is_never_told_anything_ends_with_its_pipe(tmp_path: Path) -> None:
    with child(tmp_path, "privet.worker.process") as worker:
        worker.stdin.close()
        assert worker.status() == EXIT_ORPHANED


@pytest.mark.parametrize("arguments", [[], ["data"], ["/data", "/compiled", "/more"]])
def test_without_a_data_directory_of_its_own_it_ends(tmp_path: Path, arguments: list[str]) -> None:
    with child(tmp_path, arguments=arguments) as worker:
        worker.start(gate="covers")
        assert worker.status() == EXIT_UNUSABLE


def test_no_file_where_it_stands_is_a_module_of_its(tmp_path: Path) -> None:
    """Somebody who may write there could otherwise run what he likes where the live pixels are."""
    for name in ("numpy", "pydantic", "secrets", "privet"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w').close()\nraise SystemExit(99)\n")
    with child(tmp_path, cwd=tmp_path) as worker:
        worker.start(gate="covers")
        worker.until(is_cover)
    assert not (tmp_path / "ran").exists()


def test_nothing_of_an_earlier_life_is_left_but_the_state(tmp_path: Path) -> None:
    planted = tmp_path / "worker" / "compiled" / "planted.nbc"
    kept = tmp_path / "state" / "gate" / "scene.state"
    for path in (planted, kept):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
    with child(tmp_path) as worker:
        worker.start(gate="covers")
        worker.until(is_cover)
    assert not planted.exists()
    assert kept.exists()


def test_ports_are_those_of_the_cameras_and_name_servers() -> None:
    told = settings({"gate": "covers"})
    (camera,) = told.cameras
    urls = ["rtsp://h/a", "rtsps://h/a", "rtsp://h:8554/a", "file:///a.mp4"]
    cameras = tuple(camera.model_copy(update={"url": url, "sub_url": "rtsp://h:555/b"}) for url in urls)
    assert connect_ports(told.model_copy(update={"cameras": cameras})) == (53, 322, 554, 555, 8554)
    assert connect_ports(told.model_copy(update={"cameras": ()})) == (53,)
