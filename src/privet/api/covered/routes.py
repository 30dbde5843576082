"""When something was in a part of the picture. A place and a time are asked about, never a person."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

import anyio
import anyio.to_thread
import numpy as np
from fastapi import APIRouter, Depends, Query
from pydantic import Field
from starlette.exceptions import HTTPException

from privet.api.auth.permission import Permission, requires
from privet.api.covered.ports import Covers
from privet.api.model import Model, to_ms
from privet.api.parameters import CameraName, Span, TheSpan
from privet.api.resource import Given
from privet.core.clock import NS_PER_MS, NS_PER_S, Clock
from privet.core.ids import CameraId
from privet.core.intervals import Intervals
from privet.core.polygon import MOST_POINTS, Polygon
from privet.record.covered import NOTHING, SOMETHING, UNKNOWN, joined
from privet.record.summary import SLOT_NS

router = APIRouter(tags=["timeline"])

MAX_SPANS = 8000
MAX_JOIN_MS = 86_400_000
MOST_SPAN_NS = 400 * 24 * 3600 * NS_PER_S

Kind = Literal["something", "nothing", "unknown"]
KINDS: dict[int, Kind] = {SOMETHING: "something", NOTHING: "nothing", UNKNOWN: "unknown"}


@dataclass(frozen=True, slots=True)
class CoveredResource:
    """What these routes are given. threads: in which files are read."""

    covers: Covers
    clock: Clock
    threads: anyio.CapacityLimiter
    most_span_ns: int = MOST_SPAN_NS


Resource = Annotated[CoveredResource, Depends(Given(CoveredResource))]


class CoveredSpan(Model):
    """[from_ms, to_ms) of one kind. unknown: nobody watched all the time, the camera was blind, or less than half of it was proven."""

    from_ms: int
    to_ms: int
    kind: Kind


class Covered(Model):
    """When something was there, to ten seconds."""

    from_ms: int
    to_ms: int
    join_ms: int = Field(description="What is shorter than this between two spans of something was added to them.")
    something_ms: int = Field(description="Together, before anything was joined.")
    unknown_ms: int = Field(description="Likewise.")
    proven_share: float | None = Field(
        description="Of the polygon's blocks, on average while it was something or nothing; null if it never was. Only on proven ground"
        " anything can be seen: with less than 1, something may have been on the rest while it says nothing."
    )
    spans: tuple[CoveredSpan, ...] = Field(description="In order, without overlap, together the whole stretch.")


def the_polygon(
    polygon: Annotated[
        str,
        Query(
            max_length=MOST_POINTS * 44,
            description="Corners as x,y,x,y,... in fractions of the picture's width and height, 0 to 1; three at least.",
            examples=["0.1,0.5,0.4,0.5,0.4,0.9,0.1,0.9"],
        ),
    ],
) -> Polygon:
    """Dependency: the polygon asked for."""
    try:
        values = [float(value) for value in polygon.split(",")]
        if len(values) % 2:
            raise ValueError("an x without a y")
        return Polygon(tuple(zip(values[::2], values[1::2], strict=True)))
    except ValueError as error:
        raise HTTPException(422, f"polygon cannot be used: {error}; send x,y,x,y,... in fractions, 0 to 1") from error


ThePolygon = Annotated[Polygon, Depends(the_polygon)]


@router.get("/api/cameras/{id}/covered", operation_id="covered", dependencies=requires(Permission.VIEW, "id"))
async def covered(
    camera: CameraName,
    span: TheSpan,
    polygon: ThePolygon,
    resource: Resource,
    join_ms: Annotated[int, Query(ge=0, le=MAX_JOIN_MS, description="Join spans of something that are less than so far apart.")] = 0,
) -> Covered:
    """When anything was in the polygon in [from_ms, to_ms), when nothing, and when nobody knows."""
    span.at_most(resource.most_span_ns)
    now_ns = resource.clock.wall_ns()
    return await anyio.to_thread.run_sync(
        answer, resource.covers, CameraId(camera), span, polygon, join_ms, now_ns, limiter=resource.threads
    )


def answer(covers: Covers, camera: CameraId, span: Span, polygon: Polygon, join_ms: int, now_ns: int) -> Covered:
    """What is answered; blocks on files. At most MAX_SPANS intervals, joined further than was asked for where there are more."""
    known_to_ns = min(span.to_ns, now_ns)
    if known_to_ns > span.from_ns:
        found = covers.covered(camera, polygon, span.from_ns, known_to_ns)
        intervals, proven_share = found.intervals, found.proven_share
        if known_to_ns < span.to_ns:  # what is to come is not known
            intervals = Intervals(np.append(intervals.edges_ns, span.to_ns), np.append(intervals.kinds, np.uint8(UNKNOWN)))
    else:
        intervals, proven_share = Intervals(np.array([span.from_ns, span.to_ns]), np.array([UNKNOWN], np.uint8)), None
    lasted_ns = np.diff(intervals.edges_ns)
    shown, join_ns = joined_to_fit(intervals, join_ms * NS_PER_MS, MAX_SPANS)
    edges_ms = (shown.edges_ns // NS_PER_MS).tolist()
    # One validation of all: a call for each of thousands of spans takes longer than finding them.
    return Covered.model_validate(
        {
            "from_ms": edges_ms[0],
            "to_ms": edges_ms[-1],
            "join_ms": to_ms(join_ns),
            "something_ms": to_ms(int(lasted_ns[intervals.kinds == SOMETHING].sum())),
            "unknown_ms": to_ms(int(lasted_ns[intervals.kinds == UNKNOWN].sum())),
            "proven_share": None if proven_share is None else round(proven_share, 4),
            "spans": [
                {"from_ms": from_ms, "to_ms": until_ms, "kind": KINDS[kind]}
                for (from_ms, until_ms), kind in zip(pairwise(edges_ms), shown.kinds.tolist(), strict=True)
                if until_ms > from_ms
            ],
        }
    )


def joined_to_fit(intervals: Intervals, join_ns: int, most: int) -> tuple[Intervals, int]:
    """Join what is less than `join_ns` apart, or as far as it takes to have `most` intervals; return that distance as well."""
    found = joined(intervals, SOMETHING, join_ns)
    while len(found.kinds) > most:
        join_ns = max(2 * join_ns, 2 * SLOT_NS)
        found = joined(joined(found, SOMETHING, join_ns), UNKNOWN, join_ns)
    return found, join_ns
