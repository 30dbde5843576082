"""Slice: the timeline: how much was covered, and when the camera was awake, asleep, blind, away or not recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Literal

import anyio.to_thread
from fastapi import APIRouter, Query
from pydantic import Field

from privet.api.dependencies import Deps, TheRoom
from privet.api.model import Model, to_ms
from privet.api.parameters import CameraName, Span, TheSpan
from privet.api.permission import Permission, requires
from privet.api.ports import Past, Recording, StateChange
from privet.core.clock import NS_PER_MS
from privet.core.ids import CameraId
from privet.core.scene import Condition

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
    recorded = recorded_spans(past.recordings(camera, span.from_ns, span.to_ns), now_ns)
    pieces = spans(past.states(camera, span.from_ns, span.to_ns), recorded, span, now_ns)
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

_KINDS: dict[Condition, Kind] = {
    Condition.STARTING: "offline",
    Condition.AWAKE: "awake",
    Condition.ASLEEP: "asleep",
    Condition.BLIND: "blind",
    Condition.OFFLINE: "offline",
}

JOIN_NS = 2_000_000_000
"""Recordings closer together than this follow one another: rotation is no gap."""


def recorded_spans(recordings: Iterable[Recording], now_ns: int) -> tuple[tuple[int, int], ...]:
    """[from, to) of what was recorded, joined, oldest first. An open recording reaches until now."""
    joined: list[tuple[int, int]] = []
    for recording in sorted(recordings, key=lambda r: r.from_wall_ns):
        to_ns = recording.to_wall_ns if recording.closed else now_ns
        if to_ns is None or to_ns <= recording.from_wall_ns:
            continue
        if joined and recording.from_wall_ns - joined[-1][1] <= JOIN_NS:
            joined[-1] = (joined[-1][0], max(joined[-1][1], to_ns))
        else:
            joined.append((recording.from_wall_ns, to_ns))
    return tuple(joined)


def spans(states: Sequence[StateChange], recorded: Sequence[tuple[int, int]], span: Span, now_ns: int) -> tuple[Piece, ...]:
    """Cut `span` into pieces: in order, without overlap, neighbours of different kinds, together the whole of it.

    states: oldest first. recorded: joined and oldest first. What is not recorded is a gap, unless the camera was known to be
    offline; what is yet to come is a gap.
    """
    cuts = {span.from_ns, span.to_ns, min(max(now_ns, span.from_ns), span.to_ns)}
    cuts.update(change.wall_ns for change in states if span.from_ns < change.wall_ns < span.to_ns)
    cuts.update(at for piece in recorded for at in piece if span.from_ns < at < span.to_ns)
    pieces: list[Piece] = []
    at_state, at_recorded = -1, 0
    for from_ns, to_ns in pairwise(sorted(cuts)):
        while at_state + 1 < len(states) and states[at_state + 1].wall_ns <= from_ns:
            at_state += 1
        while at_recorded < len(recorded) and recorded[at_recorded][1] <= from_ns:
            at_recorded += 1
        inside = at_recorded < len(recorded) and recorded[at_recorded][0] <= from_ns
        known: Kind = _KINDS[states[at_state].condition] if at_state >= 0 else "gap"
        kind: Kind = known if (inside or known == "offline") and from_ns < now_ns else "gap"
        if pieces and pieces[-1][2] == kind:
            pieces[-1] = (pieces[-1][0], to_ns, kind)
        else:
            pieces.append((from_ns, to_ns, kind))
    return tuple(pieces)


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
        kind = max(share, key=lambda k: share[k])
        if steps and steps[-1][2] == kind:
            steps[-1] = (steps[-1][0], to_ns, kind)
        else:
            steps.append((from_ns, to_ns, kind))
    return tuple(steps)
