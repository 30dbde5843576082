"""Density and spans: pure functions against plain references, and a year in less than a second."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.errors import StoreError
from privet.core.ids import CameraId
from privet.core.intervals import Intervals
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Condition, Reason
from privet.index import tables
from privet.index.index import FILE_NAME, Index, index_url
from privet.index.rows import SPAN_KINDS
from privet.index.timeline import SHORTEST_GAP_NS, bin_shares, known_parts, level_for, spans_of

FRONT = CameraId("front")
NOON = 1_714_564_800 * NS_PER_S
SLOT_NS = 10 * NS_PER_S

Said = tuple[int, Condition, Reason]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = Index.open(index_url(tmp_path))
    yield opened
    opened.close()


def summary(slot: int, blocks: int) -> pb.Summary:
    covered = (((1 << blocks) - 1) << (64 - blocks)).to_bytes(8, "big") if blocks else b""
    grid = pb.Grid(width_px=64, height_px=64, block_px=8)
    return pb.Summary(from_wall_ns=NOON + slot * SLOT_NS, duration_ms=10_000, grid=grid, covered=covered, awake_ms=10_000)


def shares_of(known: dict[int, float], from_ns: int, to_ns: int, bins: int) -> list[float | None]:
    slots = np.array(sorted(known), np.int64)
    shares = np.array([known[slot] for slot in sorted(known)], np.float64)
    found = bin_shares(slots * SLOT_NS, shares, np.ones(len(slots), np.int64), 10, from_ns, to_ns, bins)
    return [None if math.isnan(share) else share for share in found.tolist()]


def named(intervals: Intervals) -> list[tuple[int, int, str]]:
    """(from, to, kind)."""
    edges_ns = itertools.pairwise(intervals.edges_ns.tolist())
    return [(from_ns, to_ns, SPAN_KINDS[kind]) for (from_ns, to_ns), kind in zip(edges_ns, intervals.kinds, strict=True)]


rows_of_seconds = st.dictionaries(st.integers(0, 12), st.floats(0, 1), max_size=12)


@given(rows_of_seconds, st.integers(-20, 100), st.integers(1, 150), st.integers(1, 40))
def test_bins_are_means_over_the_known_seconds(known: dict[int, float], start_s: int, length_s: int, bins: int) -> None:
    """Bins of whole seconds are compared with a mean taken second by second."""
    length_s = length_s * bins
    from_ns, to_ns = start_s * NS_PER_S, (start_s + length_s) * NS_PER_S
    found = shares_of(known, from_ns, to_ns, bins)
    assert len(found) == bins
    for number, share in enumerate(found):
        width_s = length_s // bins
        seconds = range(start_s + number * width_s, start_s + (number + 1) * width_s)
        shares = [known[second // 10] for second in seconds if second // 10 in known]
        assert (share is None) == (not shares)
        if share is not None:
            assert share == pytest.approx(sum(shares) / len(shares))


@given(rows_of_seconds, st.integers(1, 10**12), st.integers(1, 10**12), st.integers(1, 500))
def test_bins_of_any_width_hold(known: dict[int, float], from_ns: int, length_ns: int, bins: int) -> None:
    found = shares_of(known, from_ns, from_ns + length_ns, bins)
    assert len(found) == bins
    assert all(share is None or 0 <= share <= 1.000001 for share in found)
    inside = any(slot * SLOT_NS < from_ns + length_ns and (slot + 1) * SLOT_NS > from_ns for slot in known)
    assert inside == any(share is not None for share in found)


@pytest.mark.parametrize(("bin_s", "level"), [(1, 10), (10, 10), (299, 10), (300, 300), (7199, 300), (7200, 7200), (10**6, 7200)])
def test_the_coarsest_level_that_still_shows_every_bin(bin_s: int, level: int) -> None:
    assert level_for(bin_s * NS_PER_S) == level


@settings(max_examples=25, deadline=None)
@given(slots=st.dictionaries(st.integers(0, 2000), st.integers(0, 64), min_size=1, max_size=30), again=st.booleans())
def test_every_level_says_the_mean_of_the_finest(slots: dict[int, int], again: bool) -> None:
    index = Index.open("sqlite://")
    summaries = [summary(slot, blocks) for slot, blocks in slots.items()]
    for one in summaries:
        index.add_summary(FRONT, one)
    if again:
        index.add_summaries(FRONT, summaries)
    for level_s in (300, 7200):
        bins = 30_000 // level_s
        found = index.density(FRONT, NOON, NOON + bins * level_s * NS_PER_S, bins)
        for number, share in enumerate(found):
            inside = [blocks / 64 for slot, blocks in slots.items() if slot * 10 // level_s == number]
            assert (share is None) == (not inside)
            if share is not None:
                assert share == pytest.approx(sum(inside) / len(inside))
    index.close()


def test_a_slot_that_was_cut_in_two_keeps_the_greater_share(index: Index) -> None:
    for blocks in (4, 32, 8):
        index.add_summary(FRONT, summary(0, blocks))
    assert index.density(FRONT, NOON, NOON + SLOT_NS, 1) == [0.5]
    assert index.density(FRONT, NOON, NOON + 7200 * NS_PER_S, 1) == [0.5]


def test_density_is_forgotten_with_the_recordings(index: Index) -> None:
    index.add_summaries(FRONT, [summary(slot, 8) for slot in range(60)])
    index.forget_density(FRONT, NOON + 305 * NS_PER_S)
    assert index.density(FRONT, NOON, NOON + 600 * NS_PER_S, 60)[:30] == [None] * 30
    assert index.density(FRONT, NOON, NOON + 600 * NS_PER_S, 60)[30:] == [0.125] * 30
    assert index.density(FRONT, NOON, NOON + 600 * NS_PER_S, 2) == [None, 0.125]


def test_an_empty_span_is_refused(index: Index) -> None:
    with pytest.raises(ValueError):
        index.density(FRONT, 5, 5, 1)
    with pytest.raises(ValueError):
        index.density(FRONT, 5, 6, 0)
    assert index.density(CameraId("unknown"), 5, 6, 2) == [None, None]


reasons = st.just(Reason.OVERLOADED) | st.sampled_from(list(Reason))
states = st.lists(st.tuples(st.integers(0, 300), st.sampled_from(list(Condition)), reasons), max_size=8).map(
    lambda said: [(at_s * NS_PER_S, condition, reason) for at_s, condition, reason in sorted(said, key=lambda one: one[0])]
)
slots_known = st.sets(st.integers(0, 30), max_size=20).map(sorted)


def spans_over(said: list[Said], known: NDArray[np.int64], from_ns: int, to_ns: int) -> list[tuple[int, int, str]]:
    """Of what was said the one in force at `from`, then those since."""
    asked = [*[s for s in said if s[0] <= from_ns][-1:], *(s for s in said if from_ns < s[0] < to_ns)]
    said_ns, (conditions, reasons) = np.array([s[0] for s in asked], np.int64), np.array([s[1:] for s in asked], np.uint8).reshape(-1, 2).T
    return named(spans_of(said_ns, conditions, reasons, known, from_ns, to_ns))


@given(states, slots_known, st.integers(0, 200), st.integers(1, 150))
def test_spans_have_no_holes_and_say_what_was_said(said: list[Said], slots: list[int], start_s: int, length_s: int) -> None:
    from_ns, to_ns = start_s * NS_PER_S, (start_s + length_s) * NS_PER_S
    known = known_parts(np.array(slots, np.int64) * SLOT_NS, 10, from_ns, to_ns)
    spans = spans_over(said, known, from_ns, to_ns)
    assert spans[0][0] == from_ns
    assert spans[-1][1] == to_ns
    for before, after in itertools.pairwise(spans):
        assert before[1] == after[0]
        assert before[2] != after[2]
    for begin_ns, end_ns, kind in spans:
        assert begin_ns < end_ns
        middle_ns = (begin_ns + end_ns) // 2
        last = [(condition, reason) for at_ns, condition, reason in said if at_ns <= middle_ns][-1:]
        recorded = any(first <= middle_ns < end for first, end in known)
        if last and last[0][0] in (Condition.OFFLINE, Condition.STARTING):
            assert kind == "offline"
        elif not recorded:
            assert kind == "gap"
        elif last == [(Condition.AWAKE, Reason.OVERLOADED)]:
            assert kind == "sparse"
        else:
            assert kind == (last[0][0].name.lower() if last else "awake")


def test_where_the_clock_stepped_back_what_was_said_later_counts() -> None:
    said = [(at_s * NS_PER_S, condition, Reason.NONE) for at_s, condition in (
        (10, Condition.AWAKE), (40, Condition.BLIND), (50, Condition.OFFLINE), (20, Condition.ASLEEP), (60, Condition.AWAKE))]  # fmt: skip
    known = known_parts(np.arange(10) * SLOT_NS, 10, 0, 100 * NS_PER_S)
    spans = spans_over(said, known, 0, 100 * NS_PER_S)
    assert [(from_ns // NS_PER_S, kind) for from_ns, _, kind in spans] == [(0, "awake"), (20, "asleep"), (60, "awake")]


@given(slots_known)
def test_only_real_holes_are_gaps(slots: list[int]) -> None:
    parts = known_parts(np.array(slots, np.int64) * SLOT_NS, 10, 0, 310 * NS_PER_S).tolist()
    for (_, end_ns), (start_ns, _) in itertools.pairwise(parts):
        assert start_ns - end_ns >= SHORTEST_GAP_NS
    for slot in slots:
        assert any(first <= slot * SLOT_NS < end for first, end in parts)


def test_the_spans_of_a_camera(index: Index) -> None:
    index.add_state(FRONT, NOON, Condition.AWAKE, Reason.NONE)
    index.add_state(FRONT, NOON + 100 * NS_PER_S, Condition.OFFLINE, Reason.UNREACHABLE)
    index.add_state(FRONT, NOON + 200 * NS_PER_S, Condition.AWAKE, Reason.NONE)
    index.add_state(FRONT, NOON + 240 * NS_PER_S, Condition.AWAKE, Reason.OVERLOADED)
    index.add_state(FRONT, NOON + 270 * NS_PER_S, Condition.AWAKE, Reason.NONE)
    index.add_summaries(FRONT, [summary(slot, 0) for slot in [*range(10), *range(20, 30)]])
    s = NS_PER_S
    assert named(index.spans(FRONT, NOON - 60 * s, NOON + 400 * s)) == [
        (NOON - 60 * s, NOON, "gap"),
        (NOON, NOON + 100 * s, "awake"),
        (NOON + 100 * s, NOON + 200 * s, "offline"),
        (NOON + 200 * s, NOON + 240 * s, "awake"),
        (NOON + 240 * s, NOON + 270 * s, "sparse"),
        (NOON + 270 * s, NOON + 300 * s, "awake"),
        (NOON + 300 * s, NOON + 400 * s, "gap"),
    ]
    # What is not over yet is no gap.
    assert named(index.spans(FRONT, NOON + 250 * s, NOON + 320 * s))[-1][2] == "awake"


def test_a_year_loads_in_less_than_a_second(tmp_path: Path) -> None:
    index = Index.open(index_url(tmp_path))
    index.add_state(FRONT, NOON, Condition.AWAKE, Reason.NONE)
    year_s = 365 * 86400
    engine = sa.create_engine(index_url(tmp_path))
    with engine.begin() as connection:
        key = connection.execute(sa.select(tables.cameras.c.key)).scalar_one()
        for level_s in (300, 7200):
            begins_ns = range(NOON, NOON + year_s * NS_PER_S, level_s * NS_PER_S)
            rows = [{"level_s": level_s, "from_wall_ns": at, "covered_share": 0.25, "known_spans": level_s // 10} for at in begins_ns]
            connection.execute(sa.insert(tables.density), [{"camera_key": key} | row for row in rows])
        # A camera that falls asleep and wakes every fourteen minutes.
        steps = range(NOON, NOON + year_s * NS_PER_S, 864 * NS_PER_S)
        conditions = itertools.cycle((int(Condition.AWAKE), int(Condition.ASLEEP)))
        said = [{"wall_ns": at, "condition": condition} for at, condition in zip(steps, conditions, strict=False)]
        connection.execute(sa.insert(tables.camera_states), [{"camera_key": key, "reason": 1} | row for row in said])
    engine.dispose()
    start = time.perf_counter()
    found = index.density(FRONT, NOON, NOON + year_s * NS_PER_S, 2000)
    spans = index.spans(FRONT, NOON, NOON + year_s * NS_PER_S)
    assert time.perf_counter() - start < 1.0
    assert found == pytest.approx([0.25] * 2000)
    assert len(spans.kinds) == len(steps)
    index.close()


def test_rows_that_cannot_be_read_are_an_error_of_ours(tmp_path: Path) -> None:
    """Also where the driver only finds out as it fetches the later ones."""
    index = Index.open(index_url(tmp_path))
    index.add_summaries(FRONT, [summary(slot, 8) for slot in range(3000)])
    index.close()
    file = tmp_path / FILE_NAME
    file.write_bytes(file.read_bytes()[: -20 * 4096] + bytes([0xFF]) * 20 * 4096)
    damaged = Index.open(index_url(tmp_path))
    with pytest.raises(StoreError, match="cannot be read"):
        damaged.density(FRONT, NOON, NOON + 3000 * SLOT_NS, 3000)
    damaged.close()
