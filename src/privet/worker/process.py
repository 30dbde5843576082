"""The worker process: `python -P -m privet.worker.process DATA [COMPILED]`, a blind box that holds live pixels and says scene messages.

Belongs here: the life of the process, in this order:
1. it forbids core dumps, takes its pipe (descriptors 0 and 1 as inherited) away from the standard streams and points those at
   /dev/null, so that nothing a library prints can reach the pipe or anybody's log;
2. it reads its settings from the pipe: never from argv or the environment, which others may read and which say only where its
   directories are on this machine;
3. it makes its directories, copies what was compiled before into its own, and confines itself (lockdown);
4. only then it imports what decodes, sees and detects, and starts a thread per camera;
5. it ends when told to, on SIGTERM, and at once when the supervisor is gone.
Does not belong here: what a camera's thread does (camera) and when it is started again (worker.host).
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from pydantic import ValidationError

from privet.core.clock import NS_PER_S, Clock, SystemClock
from privet.core.errors import PrivetError, WireError
from privet.core.machine import own_memory_bytes
from privet.core.pb import pipe_pb2
from privet.pipe import framing
from privet.pipe.compiled import COMPILED, MODELS, is_warm
from privet.pipe.crash_code import crash_code_of
from privet.pipe.directories import Directories, directories_of
from privet.pipe.settings import WorkerSettings, connect_ports, fits
from privet.worker import lockdown
from privet.worker.heartbeat import until_heartbeat_ns
from privet.worker.host import ERROR, INFO, WARNING, Host, MakePipeline
from privet.worker.priority import stand_back
from privet.worker.send_queue import MessageSender, SendQueue, SendQueueClosedError

EXIT_STOPPED = 0
EXIT_ORPHANED = 3
EXIT_UNUSABLE = 4

NICENESS, GROUP_NICENESS = 10, 5
"""More than the supervisor's: when CPU is short, recording and serving come before analysis. A worker
has fifty threads and more that compete, the supervisor a handful; group by group there is one of it and few of them."""
HEARTBEAT_EVERY_S = 1.0
STOP_WITHIN_S = 5.0
DRAIN_WITHIN_S = 2.0

DRI = Path("/dev/dri")


Furnish = Callable[[WorkerSettings, Directories, Clock], MakePipeline]
"""Gives what makes the pipelines: the real ones import the decoder, the scene and the detectors."""


def main(furnish: Furnish | None = None, memory_bytes: Callable[[], int] = own_memory_bytes) -> None:
    """Live as a worker. Never returns. furnish: tests give pipelines without cameras. memory_bytes: of this process."""
    stand_back(NICENESS, GROUP_NICENESS)
    lockdown.forbid_dumps()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor says when to stop
    inward, outward = take_pipe()
    clock = SystemClock()
    send_queue = SendQueue(lambda data: framing.write_all(outward, data), clock)
    bodies = framing.read_bodies(os.fdopen(inward, "rb"), framing.MAX_COMMAND_BYTES)
    settings, directories = _settings(bodies), _directories()
    say = send_queue.sender("")
    try:
        abi = prepare(settings, directories)
    except (PrivetError, OSError) as error:
        _fail(outward, pipe_pb2.LOG_CODE_SANDBOX, crash_code_of(error))
    if abi == 0 and settings.lockdown == "required":
        _fail(outward, pipe_pb2.LOG_CODE_SANDBOX, 0)
    writing = threading.Thread(target=_send, args=(send_queue,), name="writing", daemon=True)
    writing.start()
    say(pipe_pb2.Log(level=INFO if abi else WARNING, code=pipe_pb2.LOG_CODE_SANDBOX, number=abi))
    try:
        host = Host(settings.cameras, (furnish or _real_pipelines)(settings, directories, clock), send_queue, clock, memory_bytes)
    except Exception as error:  # noqa: BLE001 (a supervisor: say where before the process is gone)
        _end_by(error, say, send_queue, writing)
    stop = threading.Event()
    _on_sigterm(stop)
    threading.Thread(target=_obey, args=(bodies, settings, host, stop), name="control", daemon=True).start()
    say(pipe_pb2.Log(level=INFO, code=pipe_pb2.LOG_CODE_STARTED, number=len(settings.cameras)))
    host.start()
    wait_s = HEARTBEAT_EVERY_S
    try:
        while not stop.wait(wait_s):
            host.heartbeat()
            wait_s = until_heartbeat_ns(clock.monotonic_ns(), round(HEARTBEAT_EVERY_S * NS_PER_S), os.getpid()) / NS_PER_S
    except Exception as error:  # noqa: BLE001 (a supervisor: cameras that nobody speaks for any more must not go on)
        _end_by(error, say, send_queue, writing)
    host.stop(STOP_WITHIN_S)
    say(pipe_pb2.Log(level=INFO, code=pipe_pb2.LOG_CODE_STOPPED, number=0))
    send_queue.close()
    writing.join(DRAIN_WITHIN_S)
    os._exit(EXIT_STOPPED)  # a camera's thread may still sit in a decoder: nothing here is worth waiting for


def take_pipe() -> tuple[int, int]:
    """Return the pipe's two descriptors, (in, out), moved away from the standard streams, which then lead nowhere."""
    inward, outward = os.dup(0), os.dup(1)  # not inheritable
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard, inheritable=False)
    os.close(nowhere)
    return (inward, outward)


def prepare(settings: WorkerSettings, directories: Directories) -> int:
    """Make the directories, bring the compiled kernels, confine the process. Returns Landlock's ABI, 0 without.

    Raises:
        OSError: a directory cannot be made.
        LockdownError: the kernel refused a restriction.
    """
    own, writable = directories.of(settings.directory), directories.writable(settings)
    temporary, compiled = own / "tmp", own / COMPILED
    # Nothing of an earlier life is trusted: a worker that was taken over could have left it.
    with suppress(RecursionError):  # nested as deep as somebody who took the worker over liked
        shutil.rmtree(own, ignore_errors=True)
    for directory in (*writable, temporary):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directories.compiled is not None and is_warm(directories.compiled):
        shutil.copytree(directories.compiled, compiled)
    (compiled / MODELS).mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["TMPDIR"] = str(temporary)
    os.environ["NUMBA_CACHE_DIR"] = str(compiled)
    return lockdown.confine(writable, connect_ports(settings), devices(settings))


def devices(settings: WorkerSettings) -> tuple[Path, ...]:
    """Return the device files, and directories of them, that the settings ask for: none unless a GPU detects or decodes. Pure but for
    which of NVIDIA's there are."""
    found = [] if settings.detect.device == "CPU" else [DRI, Path("/dev/accel")]
    for decode in [camera.decode for camera in settings.cameras] or [settings.decode]:
        if decode.hardware in {"vaapi", "auto"}:
            found.append(Path(decode.device) if decode.device else DRI)
        if decode.hardware in {"cuda", "auto"}:
            found += [Path("/dev/nvidiactl"), Path("/dev/nvidia-uvm"), *sorted(Path("/dev").glob("nvidia[0-9]*"))]
    return tuple(dict.fromkeys(found))


def _settings(bodies: Iterator[bytes]) -> WorkerSettings:
    try:
        message = framing.parse_supervisor_message(next(bodies))
        return WorkerSettings.model_validate_json(message.start.settings)
    except StopIteration:
        os._exit(EXIT_ORPHANED)
    except (WireError, ValidationError):
        os._exit(EXIT_UNUSABLE)


def _directories() -> Directories:
    try:
        return directories_of(sys.argv[1:])
    except ValueError:
        os._exit(EXIT_UNUSABLE)


def _real_pipelines(settings: WorkerSettings, directories: Directories, clock: Clock) -> MakePipeline:
    from privet.worker.pipelines import pipelines  # noqa: PLC0415 (not before the process is confined)

    return pipelines(settings, directories, clock)


def _on_sigterm(stop: threading.Event) -> None:
    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, handle)


def _obey(bodies: Iterator[bytes], started: WorkerSettings, host: Host, stop: threading.Event) -> None:
    """Do what the supervisor says; end the process at once when it is gone or says nonsense."""
    try:
        for body in bodies:
            message = framing.parse_supervisor_message(body)
            match message.WhichOneof("kind"):
                case "resend":
                    host.resend(message.resend.camera)
                case "commission_offer":
                    host.commission(message.commission_offer)
                case "commission_sign":
                    host.commission(message.commission_sign)
                case "commission_refuse":
                    host.commission(message.commission_refuse)
                case "reconfigure":
                    settings = WorkerSettings.model_validate_json(message.reconfigure.settings)
                    if not all(fits(started, camera) for camera in settings.cameras):
                        break
                    host.reconfigure(settings.cameras)
                case "stop":
                    stop.set()
                case _:
                    break
    finally:
        os._exit(EXIT_ORPHANED)


def _send(send_queue: SendQueue) -> None:
    """Write what is said until the send queue is closed; end the process at once when nobody reads."""
    try:
        send_queue.run()
    except OSError:
        os._exit(EXIT_ORPHANED)


def _end_by(error: Exception, say: MessageSender, send_queue: SendQueue, writing: threading.Thread) -> NoReturn:
    """Say where it went wrong, and end the process: the supervisor starts another."""
    with suppress(SendQueueClosedError):
        say(pipe_pb2.Log(level=ERROR, code=pipe_pb2.LOG_CODE_CAMERA_CRASHED, number=crash_code_of(error)))
    send_queue.close()
    writing.join(DRAIN_WITHIN_S)
    os._exit(EXIT_UNUSABLE)


def _fail(outward: int, code: pipe_pb2.LogCode.ValueType, number: int) -> None:
    message = pipe_pb2.WorkerMessage(log=pipe_pb2.Log(level=ERROR, code=code, number=number))
    try:
        framing.write_all(outward, framing.framed(message))
    finally:
        os._exit(EXIT_UNUSABLE)


if __name__ == "__main__":
    main()
    sys.exit(EXIT_UNUSABLE)
