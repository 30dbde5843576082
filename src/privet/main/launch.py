"""Starts a worker as a process of its own, with a pipe each way and nothing else in common.

Belongs here: the process. Does not belong here: when (supervisor) and what is said (pipe). Its standard error leads nowhere: no
log line leaves a worker but as a code. The environment is reduced to what Python and the libraries need.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys

import anyio

from privet.core.pb import pipe_pb2
from privet.pipe import framing
from privet.pipe.directories import Directories, arguments_of

SEND_WITHIN_S = 2.0
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "LIBVA_DRIVER_NAME")

ALLOCATION = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "8388608", "MALLOC_MMAP_THRESHOLD_": "1048576"}
"""glibc gives every thread a heap of its own and keeps in it what was freed; with several threads a camera that comes to more than the
cameras' own data."""


class LocalWorker:
    """A worker process on this machine. Implements worker_life.WorkerProcess."""

    def __init__(self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer

    @property
    def pid(self) -> int:
        return self._process.pid

    async def send(self, message: pipe_pb2.SupervisorMessage) -> None:
        # A worker that is gone, or no longer reads, is not an error here: receive() says so, or the supervisor's patience ends.
        with contextlib.suppress(ConnectionError, RuntimeError), anyio.move_on_after(SEND_WITHIN_S):
            self._writer.write(framing.framed(message))
            await self._writer.drain()

    async def receive(self) -> bytes | None:
        return await framing.receive_body(self._reader)

    async def end(self) -> int:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._writer.close()
        status = await self._process.wait()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
        return status


async def launch_worker(directories: Directories) -> LocalWorker:
    """Start `python -P -m privet.worker.process`: -P, for no file where this process happens to stand is a module of a worker's.

    Raises:
        OSError: the machine has no room for another process.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "privet.worker.process", *arguments_of(directories),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=reduced_environment(),
        start_new_session=True,  # Ctrl-C in the terminal is for the main process, which stops the workers in order
    )
    assert process.stdin is not None
    assert process.stdout is not None
    return LocalWorker(process, process.stdout, process.stdin)


def reduced_environment() -> dict[str, str]:
    """Return what a process that holds live pixels is given of this one's environment."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    # One thread a camera is the design: libraries that start a pool per core would fight over the same cores.
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return kept | threads | ALLOCATION | {"PYTHONDONTWRITEBYTECODE": "1"}
