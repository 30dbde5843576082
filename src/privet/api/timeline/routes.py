"""The timeline: how much was covered, and when the camera was awake, looked at seldom, asleep, blind, away or not recorded."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import anyio
import anyio.to_thread
import numpy as np
from fastapi import APIRouter, Depends, Query
from pydantic import Field

from privet.api.auth.permission import Permission, requires
from privet.api.model import Model
from privet.api.parameters import CameraName, Span, TheSpan
from privet.api.resource import Given
from privet.api.timeline.ports import Past
from privet.core.clock import NS_PER_MS, NS_PER_S, Clock
from privet.core.ids import CameraId
from privet.core.intervals import Intervals, runs
from privet.index.rows import SPAN_KINDS, SpanKind

router = APIRouter(tags=["timeline"])

MAX_BINS = 4000
MAX_SPANS = 8000
MOST_SPAN_NS = 10 * 366 * 24 * 3600 * NS_PER_S

GAP = np.array([SPAN_KINDS.index("gap")], np.uint8)
NOTHING_KNOWN = Intervals(np.zeros(1, np.int64), np.empty(0, np.uint8))


@dataclass(frozen=True, slots=True)
class TimelineResource:
    """What these routes are given. threads: in which the index is read."""

    past: Past
    clock: Clock
    threads: anyio.CapacityLimiter
    most_span_ns: int = MOST_SPAN_NS


Resource = Annotated[TimelineResource, Depends(Given(TimelineResource))]


class SpanModel(Model):
    """[from_ms, to_ms) of one kind. sparse: awake, but looked at every few seconds only; gap: Privet did not record; starting counts as
    offline."""

    from_ms: int
    to_ms: int
    kind: SpanKind


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
    resource: Resource,
    bins: Annotated[int, Query(ge=1, le=MAX_BINS, description="How many bins at most.")] = 600,
) -> Timeline:
    """Density and spans of [from_ms, to_ms)."""
    span.at_most(resource.most_span_ns)
    now_ns = resource.clock.wall_ns()
    return await anyio.to_thread.run_sync(
        _timeline, resource.past, CameraId(camera), span, bins, now_ns, limiter=resource.threads
    )


def _timeline(past: Past, camera: CameraId, span: Span, bins: int, now_ns: int) -> Timeline:
    bin_ms = max(1, -(-span.duration_ns // (bins * NS_PER_MS)))
    bin_ns = bin_ms * NS_PER_MS
    count = -(-span.duration_ns // bin_ns)
    density = past.density(camera, span.from_ns, span.from_ns + count * bin_ns, count)
    known_to_ns = min(span.to_ns, now_ns)
    known = past.spans(camera, span.from_ns, known_to_ns) if known_to_ns > span.from_ns else NOTHING_KNOWN
    intervals = whole(known, span)
    if len(intervals.kinds) > MAX_SPANS:
        intervals = coarse(intervals, MAX_SPANS)
    edges_ms = (intervals.edges_ns // NS_PER_MS).tolist()
    # One validation of all: a call for each of thousands of spans takes longer than finding them.
    return Timeline.model_validate(
        {
            "from_ms": edges_ms[0],
            "to_ms": edges_ms[-1],
            "bin_ms": bin_ms,
            "density": [None if share is None else round(share, 4) for share in density],
            "spans": [
                {"from_ms": from_ms, "to_ms": to_ms, "kind": SPAN_KINDS[kind]}
                for (from_ms, to_ms), kind in zip(pairwise(edges_ms), intervals.kinds.tolist(), strict=True)
                if to_ms > from_ms
            ],
        }
    )


def whole(known: Intervals, span: Span) -> Intervals:
    """Cut `known` to `span`; what nothing is known of is a gap."""
    edges_ns = np.concatenate(([span.from_ns], np.clip(known.edges_ns, span.from_ns, span.to_ns), [span.to_ns]))
    return runs(edges_ns, np.concatenate((GAP, known.kinds, GAP)))


def coarse(intervals: Intervals, most: int) -> Intervals:
    """At most `most` intervals: each of as many equal steps is of the kind that fills most of it."""
    edges_ns, kinds = intervals.edges_ns, intervals.kinds
    step_ns = -(-int(edges_ns[-1] - edges_ns[0]) // most)
    steps_ns = np.append(np.arange(edges_ns[0], edges_ns[-1], step_ns), edges_ns[-1])
    at = np.minimum(np.searchsorted(edges_ns, steps_ns, side="right") - 1, len(kinds) - 1)
    filled = np.empty((len(SPAN_KINDS), len(steps_ns) - 1), np.int64)
    for kind in range(len(SPAN_KINDS)):
        lasted_ns = np.where(kinds == kind, np.diff(edges_ns), 0)
        until_ns = (lasted_ns.cumsum() - lasted_ns)[at] + np.where(kinds[at] == kind, steps_ns - edges_ns[at], 0)
        filled[kind] = np.diff(until_ns)
    return runs(steps_ns, filled.argmax(axis=0).astype(np.uint8))
