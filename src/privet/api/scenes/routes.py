"""The recorded scene stream of a span, for the player to scrub in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Query
from starlette.exceptions import HTTPException
from starlette.responses import Response

from privet.api.auth.permission import Permission, requires
from privet.api.file_response import StreamResponse
from privet.api.parameters import CameraName, TheSpan
from privet.api.resource import Given
from privet.api.scenes.ports import RecordedScenes
from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2

router = APIRouter(tags=["scene"])

MEDIA_TYPE = "application/vnd.privet.scene"
BATCH_BYTES = 256 * 1024
MAX_STEP_MS = 24 * 3600 * 1000
MOST_SPAN_NS = 400 * 24 * 3600 * NS_PER_S
MOST_COVERS = 40_000


@dataclass(frozen=True, slots=True)
class ScenesResource:
    """What these routes are given. covers_per_second: how often covers are taken now. threads: in which files are read.

    most_covers: how many an answer may hold: span over step.
    """

    scenes: RecordedScenes
    covers_per_second: Callable[[], float]
    threads: anyio.CapacityLimiter
    most_span_ns: int = MOST_SPAN_NS
    most_covers: int = MOST_COVERS


Resource = Annotated[ScenesResource, Depends(Given(ScenesResource))]


@router.get(
    "/api/cameras/{id}/scene",
    operation_id="scene",
    response_class=Response,
    dependencies=requires(Permission.VIEW, "id"),
    responses={
        200: {
            "description": "SceneMessages, each behind its length as a varint: what was in force at from_ms, then all up to to_ms.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def scene(
    camera: CameraName,
    span: TheSpan,
    resource: Resource,
    step_ms: Annotated[int, Query(ge=0, le=MAX_STEP_MS, description="At most one cover a step; 0: all of them.")] = 0,
) -> Response:
    """The scene stream of [from_ms, to_ms)."""
    span.at_most(resource.most_span_ns)
    # How many covers there can be is bounded by the step, and by how often covers are taken at all.
    step_ns = max(step_ms * NS_PER_MS, round(NS_PER_S / resource.covers_per_second()))
    if span.duration_ns // step_ns > resource.most_covers:
        wanted_ms = -(-span.duration_ns // (resource.most_covers * NS_PER_MS))
        raise HTTPException(422, f"too many covers in this span: ask for less of it, or for step_ms of at least {wanted_ms}")
    messages = resource.scenes.scenes(CameraId(camera), span.from_ns, span.to_ns, step_ms * NS_PER_MS)
    stream = batches(messages, resource.threads)
    # The first batch is read before the answer begins: what fails at once is still answered as a problem.
    first = await anext(stream, b"")
    return StreamResponse(first, stream, MEDIA_TYPE)


async def batches(messages: Iterator[scene_pb2.SceneMessage], threads: anyio.CapacityLimiter) -> AsyncGenerator[bytes]:
    """Serialise `messages` in a worker thread, some 256 KB at a time; the next batch is read when this one was taken.

    Closing the generator, as happens when the client goes away, closes `messages`.
    """
    try:
        while data := await anyio.to_thread.run_sync(_batch, messages, limiter=threads):
            yield data
    finally:
        close = getattr(messages, "close", None)
        if close is not None:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(close, limiter=threads)


def _batch(messages: Iterator[scene_pb2.SceneMessage]) -> bytes:
    data = bytearray()
    for message in messages:
        data += delimited(message.SerializeToString(deterministic=True))
        if len(data) >= BATCH_BYTES:
            break
    return bytes(data)


def delimited(message: bytes) -> bytes:
    """`message` behind its length as a varint, as protobuf's own delimited streams have it."""
    prefix = bytearray()
    length = len(message)
    while length >= 0x80:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix) + message
