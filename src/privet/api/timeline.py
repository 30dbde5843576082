"""Slice: the timeline: how much was covered, and when the camera was awake, asleep, blind, away or not recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import Field

from privet.api.dependencies import Deps, TheRoom
from privet.api.model import Model, to_ms
from privet.api.parameters import CameraName, Span, TheSpan
from privet.api.permission import Permission, requires
from privet.api.ports import Past
from privet.core.clock import NS_PER_MS
from privet.core.ids import CameraId

router = APIRouter(tags=["timeline"])

MAX_BINS = 4000
MAX_SPANS = 8000

Kind = Literal["awake", "asleep", "blind", "offline", "gap"]


class SpanModel(Model):
    """[from_ms, to_ms) of one kind. gap: Privet did not record; starting counts as offline."""

    from_ms: int
    to_ms: int
    kind: Kind


class Timeline(Model):
    """A stretch of time at a glance."""

    from_ms: int
    to_ms: int
    bin_ms: int
    density: tuple[float | None, ...] = Field(
        description="Share of the picture that was covered at all, per bin from from_ms on, 0 to 1; null where nothing is known."
    )
    spans: tuple[SpanModel, ...] = Field(description="In order, without overlap, together the whole stretch.")


@router.get("/api/cameras/{id}/timeline", operation_id="timeline", dependencies=requires(Permission.VIEW, "id"))
async def timeline(
    camera: CameraName,
    span: TheSpan,
    deps: Deps,
    room: TheRoom,
    bins: Annotated[int, Query(ge=1, le=MAX_BINS, description="How many bins at most.")] = 600,
) -> Timeline:
    """Density and spans of [from_ms, to_ms)."""
    span.at_most(deps.limits.timeline_span_ns)
    now_ns = deps.clock.wall_ns()
    return await anyio.to_thread.run_sync(
        _timeline, deps.past, CameraId(camera), span, bins, now_ns, limiter=room.archive_threads
    )


def _timeline(past: Past, camera: CameraId, span: Span, bins: int, now_ns: int) -> Timeline:
    bin_ms = max(1, -(-span.duration_ns // (bins * NS_PER_MS)))
    bin_ns = bin_ms * NS_PER_MS
    count = -(-span.duration_ns // bin_ns)
    density = past.density(camera, span.from_ns, span.from_ns + count * bin_ns, count)
    known_to_ns = min(span.to_ns, now_ns)
    known = past.spans(camera, span.from_ns, known_to_ns) if known_to_ns > span.from_ns else ()
    pieces = whole([(piece.from_wall_ns, piece.to_wall_ns, piece.kind) for piece in known], span)
    return Timeline(
        from_ms=to_ms(span.from_ns),
        to_ms=to_ms(span.to_ns),
        bin_ms=bin_ms,
        density=tuple(None if share is None else round(share, 4) for share in density),
        spans=tuple(
            SpanModel(from_ms=to_ms(from_ns), to_ms=to_ms(to_ns), kind=kind)
            for from_ns, to_ns, kind in (coarse(pieces, span) if len(pieces) > MAX_SPANS else pieces)
            if to_ms(to_ns) > to_ms(from_ns)
        ),
    )


Piece = tuple[int, int, Kind]
"""(from_ns, to_ns, kind)"""


def whole(known: Sequence[Piece], span: Span) -> tuple[Piece, ...]:
    """Fill `span` with `known` (in order): neighbours of one kind are joined, and what nothing is known of is a gap."""
    pieces: list[Piece] = []
    at_ns = span.from_ns
    for from_ns, to_ns, kind in (*known, (span.to_ns, span.to_ns, "gap")):
        if min(from_ns, span.to_ns) > at_ns:
            _append(pieces, (at_ns, min(from_ns, span.to_ns), "gap"))
        if min(to_ns, span.to_ns) > max(from_ns, at_ns):
            _append(pieces, (max(from_ns, at_ns), min(to_ns, span.to_ns), kind))
        at_ns = max(at_ns, to_ns)
    return tuple(pieces)


def _append(pieces: list[Piece], piece: Piece) -> None:
    if pieces and pieces[-1][2] == piece[2]:
        piece = (pieces.pop()[0], piece[1], piece[2])
    pieces.append(piece)


def coarse(pieces: Sequence[Piece], span: Span) -> tuple[Piece, ...]:
    """At most MAX_SPANS pieces: each of as many equal steps is of the kind that fills most of it."""
    step_ns = -(-span.duration_ns // MAX_SPANS)
    steps: list[Piece] = []
    index = 0
    for from_ns in range(span.from_ns, span.to_ns, step_ns):
        to_ns = min(from_ns + step_ns, span.to_ns)
        share: dict[Kind, int] = {}
        while index < len(pieces) and pieces[index][1] <= from_ns:
            index += 1
        for piece_from, piece_to, kind in (pieces[at] for at in range(index, len(pieces))):
            if piece_from >= to_ns:
                break
            share[kind] = share.get(kind, 0) + min(piece_to, to_ns) - max(piece_from, from_ns)
        _append(steps, (from_ns, to_ns, max(share, key=lambda kind: share[kind])))
    return tuple(steps)
