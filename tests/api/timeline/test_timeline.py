"""The timeline: density and spans."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.names import FROM_MS, GATE, HOUR_NS, SPAN
from tests.api.world import World
from tests.live.places import START_WALL_NS

from privet.api.parameters import Span
from privet.api.timeline.routes import MAX_SPANS, coarse, whole
from privet.core.intervals import Intervals, runs
from privet.index.rows import SPAN_KINDS, SpanKind

pytestmark = pytest.mark.anyio


async def test_timeline(world: World) -> None:
    world.past.densities[GATE] = (START_WALL_NS, START_WALL_NS + HOUR_NS, 0.25)
    world.past.conditions[GATE] = ["awake", "awake", "asleep", "asleep", "asleep", "gap"]
    async with world.client(world.viewer) as client:
        answer = (await client.get(f"/api/cameras/gate/timeline?{SPAN}&bins=7")).json()
        future = f"from_ms={FROM_MS + 10 * 3_600_000}&to_ms={FROM_MS + 11 * 3_600_000}"
        ahead = (await client.get(f"/api/cameras/gate/timeline?{future}&bins=4")).json()
    assert answer["bin_ms"] == 8572
    assert answer["density"] == [0.25] * 7
    assert [(s["from_ms"] - FROM_MS, s["to_ms"] - FROM_MS, s["kind"]) for s in answer["spans"]] == [
        (0, 20_000, "awake"),
        (20_000, 50_000, "asleep"),
        (50_000, 60_000, "gap"),
    ]
    assert [s["kind"] for s in ahead["spans"]] == ["gap"]
    assert ahead["density"] == [None] * 4


@st.composite
def known_pieces(draw: Callable[[st.SearchStrategy[int]], int]) -> Intervals:
    lengths_ns = [draw(st.integers(0, 40)) for _ in range(draw(st.integers(1, 12)))]
    edges_ns = np.array([draw(st.integers(0, 50)), *lengths_ns]).cumsum()
    return runs(edges_ns, np.array([draw(st.integers(0, 4)) for _ in lengths_ns], np.uint8))


def kind_at(intervals: Intervals, at_ns: int) -> SpanKind | None:
    ends = pairwise(intervals.edges_ns.tolist())
    return next((SPAN_KINDS[kind] for (start, end), kind in zip(ends, intervals.kinds, strict=True) if start <= at_ns < end), None)


@given(known_pieces(), st.integers(0, 100), st.integers(1, 300))
def test_spans_fill_the_stretch_without_overlap(known: Intervals, from_ns: int, duration_ns: int) -> None:
    span = Span(from_ns, from_ns + duration_ns)
    intervals = whole(known, span)
    assert intervals.edges_ns[0] == span.from_ns
    assert intervals.edges_ns[-1] == span.to_ns
    assert (np.diff(intervals.edges_ns) > 0).all()
    assert (intervals.kinds[1:] != intervals.kinds[:-1]).all()
    for at_ns in range(span.from_ns, span.to_ns):
        assert kind_at(intervals, at_ns) == (kind_at(known, at_ns) or "gap")


@given(known_pieces(), st.integers(1, 60))
def test_coarse_steps_are_of_the_kind_that_fills_most(known: Intervals, most: int) -> None:
    from_ns, to_ns = int(known.edges_ns[0]), int(known.edges_ns[-1])
    if from_ns == to_ns:
        return
    found = coarse(known, most)
    assert len(found.kinds) <= most
    assert (found.edges_ns[0], found.edges_ns[-1]) == (from_ns, to_ns)
    step_ns = -(-(to_ns - from_ns) // most)
    for start in range(from_ns, to_ns, step_ns):
        within = [kind_at(known, at_ns) for at_ns in range(start, min(start + step_ns, to_ns))]
        assert within.count(kind_at(found, start)) == max(within.count(kind) for kind in SPAN_KINDS)


def test_very_many_spans_are_coarsened() -> None:
    flicker = runs(np.arange(100_001), np.where(np.arange(100_000) % 5, 0, 2).astype(np.uint8))
    intervals = coarse(flicker, MAX_SPANS)
    assert intervals.edges_ns.tolist() == [0, 100_000]
    assert kind_at(intervals, 0) == "awake"
