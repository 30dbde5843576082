"""Slice: a span as MP4, drawn by a process of its own.

Belongs here: the route, and the exporter that starts the process. Does not belong here: drawing and encoding (render, cli).

The life of an export: 1. wait for one of two places, a few may wait; 2. a fresh directory in `exports` of the data directory;
3. the child writes the film there; 4. it is opened and the directory removed, with whatever a killed child left beside it, so that
nothing is left however sending it ends; 5. it is sent. A client that goes away before 4 has its child killed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import shutil
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from privet.api.auth.permission import Permission, requires
from privet.api.dependencies import Deps, TheRoom
from privet.api.file_response import RangedFileResponse
from privet.api.model import to_ms
from privet.api.parameters import CameraName, TheSpan
from privet.api.ports import Exporter
from privet.core.clock import NS_PER_S
from privet.core.errors import NotFoundError, StoreError
from privet.core.ids import CameraId
from privet.record.store import DirectoryFile

router = APIRouter(tags=["export"])

DIRECTORY = "exports"
NOTHING_FOUND_STATUS = 4
"""Exit status of `privet export` when nothing is recorded in the span."""

_log = logging.getLogger(__name__)


@router.get(
    "/api/cameras/{id}/export.mp4",
    operation_id="export",
    response_class=Response,
    dependencies=requires(Permission.EXPORT, "id"),
    responses={
        200: {
            "description": "The masked span: a reconstruction, not video.",
            "content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def export(camera: CameraName, span: TheSpan, request: Request, deps: Deps, room: TheRoom) -> Response:
    """[from_ms, to_ms) as MP4."""
    span.at_most(deps.limits.export_span_ns)
    known = CameraId(camera)
    if span.from_ns >= deps.clock.wall_ns():
        raise NotFoundError("this span is yet to come: nothing is recorded in it")
    directory = deps.data_directory / DIRECTORY / secrets.token_hex(16)
    await anyio.to_thread.run_sync(_make, directory)
    path = directory / "film.mp4"
    try:
        if not await _until_gone(request, deps.exporter, known, span.from_ns, span.to_ns, path):
            return Response(None, 499)  # nobody is there to read it
        film = await anyio.to_thread.run_sync(_open, path)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(lambda: shutil.rmtree(directory, ignore_errors=True))
    name = f"{known}-{to_ms(span.from_ns)}-{to_ms(span.to_ns)}.mp4"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return RangedFileResponse(film, 0, film.size_bytes, room.archive_threads, headers=headers, media_type="video/mp4")


async def _until_gone(
    request: Request, exporter: Exporter, camera: CameraId, from_ns: int, to_ns: int, path: Path
) -> bool:
    """Export; False if the client went away before it was done."""
    work = asyncio.create_task(exporter.export(camera, from_ns, to_ns, path))
    gone = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            return False
        await work
        return True
    finally:
        for task in (work, gone):
            task.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _make(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise StoreError(f"{directory} cannot be made for an export: {error.strerror}") from error


def _open(path: Path) -> DirectoryFile:
    try:
        return DirectoryFile(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW))
    except OSError as error:
        raise StoreError(f"the export {path} cannot be read: {error.strerror}") from error


def clear_leftovers(data_directory: Path) -> int:
    """Remove exports that a crash left behind; run before serving. Returns how many."""
    directory = data_directory / DIRECTORY
    leftovers = [path for path in directory.iterdir() if path.is_dir()] if directory.is_dir() else []
    for path in leftovers:
        shutil.rmtree(path, ignore_errors=True)
    return len(leftovers)


def iso_time(wall_ns: int) -> str:
    """RFC 3339, UTC, to the microsecond: how a time is written on the command line."""
    whole = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=wall_ns // 1000)
    return whole.isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(slots=True)
class ProcessExporter:
    """Runs `privet export` as a child: decoding, drawing and encoding share no process with the API.

    command: what to run, before the arguments CAMERA FROM TO OUT. options: after them, such as where the configuration is.
    """

    command: Sequence[str] = (sys.executable, "-m", "privet.cli.main", "export")
    options: Sequence[str] = ()
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
            status = await self._run((*self.command, *arguments, *self.options))
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
