"""A span as MP4, drawn by a process of its own.

Belongs here: the route. Does not belong here: starting the process (process_exporter), drawing and encoding (render, cli).

The life of an export: 1. wait for one of two places, a few may wait; 2. a fresh directory in `exports` of the data directory;
3. the child writes the film there; 4. it is opened and the directory removed, with whatever a killed child left beside it, so that
nothing is left however sending it ends; 5. it is sent. A client that goes away before 4 has its child killed.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from privet.api.auth.permission import Permission, requires
from privet.api.export.directory import DIRECTORY
from privet.api.export.ports import Exporter
from privet.api.file_response import RangedFileResponse
from privet.api.model import to_ms
from privet.api.parameters import CameraName, TheSpan
from privet.api.resource import Given
from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import NotFoundError, StoreError
from privet.core.ids import CameraId
from privet.record.store import DirectoryFile

router = APIRouter(tags=["export"])

MOST_SPAN_NS = 6 * 3600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class ExportResource:
    """What these routes are given. threads: in which films are read."""

    exporter: Exporter
    data_directory: Path
    clock: Clock
    threads: anyio.CapacityLimiter
    most_span_ns: int = MOST_SPAN_NS


Resource = Annotated[ExportResource, Depends(Given(ExportResource))]


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
async def export(camera: CameraName, span: TheSpan, request: Request, resource: Resource) -> Response:
    """[from_ms, to_ms) as MP4."""
    span.at_most(resource.most_span_ns)
    known = CameraId(camera)
    if span.from_ns >= resource.clock.wall_ns():
        raise NotFoundError("this span is yet to come: nothing is recorded in it")
    directory = resource.data_directory / DIRECTORY / secrets.token_hex(16)
    await anyio.to_thread.run_sync(_make, directory)
    path = directory / "film.mp4"
    try:
        if not await _until_gone(request, resource.exporter, known, span.from_ns, span.to_ns, path):
            return Response(None, 499)  # nobody is there to read it
        film = await anyio.to_thread.run_sync(_open, path)
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(lambda: shutil.rmtree(directory, ignore_errors=True))
    name = f"{known}-{to_ms(span.from_ns)}-{to_ms(span.to_ns)}.mp4"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return RangedFileResponse(film, 0, film.size_bytes, resource.threads, headers=headers, media_type="video/mp4")


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
