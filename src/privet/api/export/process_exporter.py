"""`Exporter` that starts `privet export` as a process of its own for each film.

Belongs here: how many run and wait, how long, and that they are gone when nobody wants them any more. Does not belong here: drawing and
encoding (render, cli).
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
from starlette.exceptions import HTTPException

from privet.core.clock import NS_PER_S
from privet.core.errors import NotFoundError, StoreError
from privet.core.ids import CameraId

NOTHING_FOUND_STATUS = 4
"""Exit status of `privet export` when nothing is recorded in the span."""

_log = logging.getLogger(__name__)


def iso_time(wall_ns: int) -> str:
    """RFC 3339, UTC, to the microsecond: how a time is written on the command line."""
    whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=wall_ns // 1000)
    return whole.isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class ProcessExporter:
    """Runs `privet export` as a child: decoding, drawing and encoding share no process with the API.

    command: what to run, before the arguments CAMERA FROM TO OUT; -P, for no file where this process happens to stand is a module of the
    child's. options: what comes after them, asked for with each film, for what is in force may change.
    """

    command: Sequence[str] = (sys.executable, "-P", "-m", "privet.cli.main", "export")
    options: Callable[[], Sequence[str]] = tuple
    at_once: int = 2
    waiting: int = 4
    timeout_ns: int = 600 * NS_PER_S
    _running: int = 0
    _queued: int = 0
    _place: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def export(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, path: Path) -> None:
        """As the port says. 503 when too many wait already."""
        async with self._turn():
            arguments = (camera, iso_time(from_wall_ns), iso_time(to_wall_ns), str(path))
            status = await self._run((*self.command, *arguments, *self.options()))
        if status == NOTHING_FOUND_STATUS:
            raise NotFoundError("nothing is recorded of this camera in this span")
        if status != 0:
            raise StoreError(f"`privet export` of {camera} ended with status {status}")

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        if self._running >= self.at_once and self._queued >= self.waiting:
            raise HTTPException(503, "too many exports at once: try again in a minute", {"Retry-After": "60"})
        async with self._place:
            self._queued += 1
            try:
                await self._place.wait_for(lambda: self._running < self.at_once)
            finally:
                self._queued -= 1
            self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            with anyio.CancelScope(shield=True):
                async with self._place:
                    self._place.notify()

    async def _run(self, command: Sequence[str]) -> int:
        """Run `command` to its end; kill its process group when cancelled or out of time."""
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(self.timeout_ns / NS_PER_S):
                _, said = await child.communicate()
        except TimeoutError as error:
            raise StoreError(f"`privet export` was not done after {self.timeout_ns // NS_PER_S} s") from error
        finally:
            if child.returncode is None:
                os.killpg(child.pid, signal.SIGKILL)
                with anyio.CancelScope(shield=True):
                    await child.wait()
        if child.returncode != 0:
            _log.warning("`privet export` ended with status %s: %s", child.returncode, said[-2000:].decode(errors="replace"))
        return child.returncode or 0
