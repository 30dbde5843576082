"""The recordings there are, and their bytes.

A file's path comes from the index alone, never from a request; the store opens nothing outside of the data directory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as PathParameter
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from privet.api.auth.permission import Permission, TheAccess, Who, requires
from privet.api.file_response import RangedFileResponse
from privet.api.model import Model, to_ms
from privet.api.parameters import TheSpan
from privet.api.recordings.byte_range import parse_range
from privet.api.recordings.ports import Recordings
from privet.api.resource import Given
from privet.core.errors import NotFoundError, StoreError
from privet.index.rows import RecordingRow
from privet.record.store import StoredFile

router = APIRouter(tags=["recordings"])

MEDIA_TYPE = "application/vnd.mcap"
MAX_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class RecordingsResource:
    """What these routes are given. threads: in which the index and files are read."""

    recordings: Recordings
    threads: anyio.CapacityLimiter


Resource = Annotated[RecordingsResource, Depends(Given(RecordingsResource))]


class RecordingModel(Model):
    """A recording: a file of the scene stream, one camera and at most one hour."""

    id: int
    camera: str
    from_ms: int
    to_ms: int | None = Field(description="Where its time ends; null while it is being written.")
    size_bytes: int
    closed: bool = Field(description="false: it is being written.")


@router.get("/api/recordings", operation_id="recordings", dependencies=requires(Permission.VIEW))
async def recordings(
    span: TheSpan,
    who: Who,
    access: TheAccess,
    resource: Resource,
    camera: Annotated[str | None, Query(max_length=64, description="A camera's id; all of them if left out.")] = None,
) -> list[RecordingModel]:
    """The recordings that overlap [from_ms, to_ms), per camera oldest first."""
    cameras = access.visible(who, Permission.VIEW) if camera is None else (access.permit(who, Permission.VIEW, camera),)

    def collect() -> list[RecordingModel]:
        found: list[RecordingModel] = []
        for known in cameras:
            found.extend(_model(recording) for recording in resource.recordings.recordings(known, span.from_ns, span.to_ns))
            if len(found) > MAX_LISTED:
                raise HTTPException(422, f"more than {MAX_LISTED} recordings: ask for a shorter span, or for one camera")
        return found

    return await anyio.to_thread.run_sync(collect, limiter=resource.threads)


def _model(recording: RecordingRow) -> RecordingModel:
    return RecordingModel(
        id=recording.id,
        camera=recording.camera,
        from_ms=to_ms(recording.from_wall_ns),
        to_ms=None if recording.to_wall_ns is None else to_ms(recording.to_wall_ns),
        size_bytes=recording.size_bytes,
        closed=recording.closed,
    )


@router.get(
    "/api/recordings/{id}/data",
    operation_id="recording_data",
    response_class=Response,
    dependencies=requires(Permission.EXPORT),
    responses={
        200: {"description": "The file.", "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}},
        206: {"description": "The part asked for.", "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}},
        304: {"description": "Unchanged since If-None-Match."},
    },
)
@router.head("/api/recordings/{id}/data", include_in_schema=False, dependencies=requires(Permission.EXPORT))
async def recording_data(
    recording_id: Annotated[int, PathParameter(alias="id", ge=0, le=2**63 - 1)],
    request: Request,
    who: Who,
    access: TheAccess,
    resource: Resource,
) -> Response:
    """A recording's file (MCAP), whole or in part (Range, If-Range)."""
    recording = await anyio.to_thread.run_sync(resource.recordings.recording, recording_id, limiter=resource.threads)
    if recording is None:
        raise NotFoundError("there is no such recording: /api/recordings lists them")
    access.permit(who, Permission.EXPORT, recording.camera)
    file = await anyio.to_thread.run_sync(_open, resource.recordings, recording, limiter=resource.threads)
    etag = f'"{recording.id}-{file.tag}"'
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f'attachment; filename="{recording.camera}-{to_ms(recording.from_wall_ns)}.mcap"',
    }
    if_range = request.headers.get("if-range")
    asked = parse_range(request.headers.get("range"), file.size_bytes, applies=if_range is None or if_range == etag)
    refused = asked is None or request.headers.get("if-none-match") == etag
    if refused or request.method == "HEAD":
        file.close()
    if request.headers.get("if-none-match") == etag:
        return Response(None, 304, headers)
    if asked is None:
        raise HTTPException(416, f"the recording has {file.size_bytes} bytes", {"Content-Range": f"bytes */{file.size_bytes}"})
    if not asked.whole:
        headers["Content-Range"] = asked.content_range
    status = 200 if asked.whole else 206
    if request.method == "HEAD":
        return Response(None, status, headers | {"Content-Length": str(asked.length)}, MEDIA_TYPE)
    return RangedFileResponse(
        file, asked.first, asked.length, resource.threads, status_code=status, headers=headers, media_type=MEDIA_TYPE
    )


def _open(recordings: Recordings, recording: RecordingRow) -> StoredFile:
    try:
        return recordings.open(recording.path)
    except FileNotFoundError as error:
        raise NotFoundError("this recording's file is gone: its time may be over") from error
    except OSError as error:
        raise StoreError(f"recording {recording.id}: {recording.path} cannot be read: {error.strerror}: run `privet check`") from error
