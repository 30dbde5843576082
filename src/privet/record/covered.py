"""When something was in a polygon: runs of ten-second slots, and the intervals that they come to.

Belongs here: the values and the joining, pure functions on arrays. Does not belong here: where slots come from (`block_index`, `summary`),
files (`archive`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_MS
from privet.core.intervals import Intervals, runs
from privet.core.reader import STALE_AFTER_NS
from privet.record.summary import SLOT_MS, SLOT_NS

WATCHED_MS = SLOT_MS - STALE_AFTER_NS // NS_PER_MS
"""Less than this, awake and asleep together, and nobody knows whether nothing was there."""
LEAST_PROVEN = 0.5
"""Of the polygon's blocks. Only what is proven can be seen to be covered: less, and nobody knows either."""

_MAX_ROWS = 1_000_000               # a recording lasts an hour, which has 360; unless its clock was set to and fro

RUN = np.dtype([("from_wall_ns", "<i8"), ("slots", "<u4"), ("watched_ms", "<u2"), ("blind_ms", "<u2")])
"""Slots on end of which the same is known: an hour in which nothing happens is three or four of them."""
Runs = NDArray[np.void]
"""(n,) of RUN."""

UNKNOWN, NOTHING, SOMETHING = 0, 1, 2
"""The kinds of an answer's intervals."""


@dataclass(frozen=True, slots=True)
class Slots:
    """What is known of runs of ten seconds. runs: (n,). there: bool (n,). proven_share: float32 (n,), of the polygon's blocks."""

    runs: Runs
    there: NDArray[np.bool_]
    proven_share: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Answer:
    """intervals: UNKNOWN, NOTHING or SOMETHING. proven_share: of the polygon's blocks, on average while it is either of the latter; None if
    it never is."""

    intervals: Intervals
    proven_share: float | None


def runs_of(rows: Sequence[tuple[int, int, int]]) -> Runs:
    """Join rows (from_wall_ns, watched_ms, blind_ms) that follow on another, and of which the same is known."""
    from_ns, watched, blind = np.array(rows, np.int64).reshape(-1, 3).T
    another = (np.diff(from_ns) != SLOT_NS) | (np.diff(watched) != 0) | (np.diff(blind) != 0)
    starts = np.flatnonzero(np.concatenate((np.ones(min(1, len(rows)), np.bool_), another)))
    found = np.empty(len(starts), RUN)
    found["from_wall_ns"], found["watched_ms"], found["blind_ms"] = from_ns[starts], watched[starts], blind[starts]
    found["slots"] = np.diff(starts, append=len(rows))
    return found


def single(runs: Runs) -> Runs:
    """Return the slots of `runs` one by one.

    Raises:
        ValueError: there are far too many.
    """
    slots = runs["slots"].astype(np.int64)
    if slots.sum() > _MAX_ROWS:
        raise ValueError(f"{slots.sum()} rows")
    found = np.repeat(runs, slots)
    found["from_wall_ns"] += SLOT_NS * (np.arange(len(found)) - np.repeat(slots.cumsum() - slots, slots))
    found["slots"] = 1
    return found


def answer_of(slots: Iterable[Slots], from_wall_ns: int, to_wall_ns: int) -> Answer:
    """Return what is known of [from, to).

    Slots may come in any order; those of the same ten seconds (cut in two where a file or a grid ends) are joined. Something: any of
    the polygon's blocks was covered, and the camera was not blind meanwhile, for then all is covered. Nothing: it was not, the camera
    was awake or asleep all the time, and half of the polygon was proven. Unknown: everything else, and where there is no slot.
    """
    parts = [part for part in slots if len(part.runs)]
    if not parts:
        return Answer(runs(np.array([from_wall_ns, to_wall_ns], np.int64), np.array([UNKNOWN], np.uint8)), None)
    known = Slots(
        np.frombuffer(b"".join([part.runs.tobytes() for part in parts]), RUN),  # concatenate() takes fifty times as long
        np.concatenate([part.there for part in parts]),
        np.concatenate([part.proven_share for part in parts]),
    )
    if _overlap(known := _in_order(known)):
        known = _once(known)
    begin, slots_of = known.runs["from_wall_ns"], known.runs["slots"].astype(np.int64)
    end = begin + SLOT_NS * slots_of
    kinds = np.full(len(begin), UNKNOWN, np.uint8)
    blind = known.runs["blind_ms"] > 0
    kinds[~known.there & (known.runs["watched_ms"] >= WATCHED_MS) & (known.proven_share >= LEAST_PROVEN)] = NOTHING
    kinds[known.there & ~blind] = SOMETHING
    lasted = np.where(kinds != UNKNOWN, np.maximum(np.minimum(end, to_wall_ns) - np.maximum(begin, from_wall_ns), 0), 0)
    proven_share = float(np.average(known.proven_share, weights=lasted)) if bool(lasted.any()) else None
    starts = np.flatnonzero(np.concatenate(([True], (kinds[1:] != kinds[:-1]) | (begin[1:] != end[:-1]))))
    # Each run of slots is followed by what lies between it and the next, which is mostly empty and drops out.
    edges = np.empty(2 * len(starts) + 2, np.int64)
    edges[0], edges[-1] = from_wall_ns, to_wall_ns
    edges[1:-1:2] = begin[starts]
    edges[2:-1:2] = np.minimum(end[np.append(starts[1:], len(begin)) - 1], np.append(begin[starts[1:]], to_wall_ns))
    between = np.full(2 * len(starts) + 1, UNKNOWN, np.uint8)
    between[1::2] = kinds[starts]
    return Answer(runs(np.clip(edges, from_wall_ns, to_wall_ns), between), proven_share)


def _in_order(slots: Slots) -> Slots:
    begin = slots.runs["from_wall_ns"]
    return slots if bool((begin[1:] >= begin[:-1]).all()) else _chosen(slots, np.argsort(begin, kind="stable"))


def _overlap(slots: Slots) -> bool:
    begin = slots.runs["from_wall_ns"]
    return bool((begin[1:] < begin[:-1] + SLOT_NS * slots.runs["slots"][:-1].astype(np.int64)).any())


def _chosen(slots: Slots, which: NDArray[np.int64]) -> Slots:
    return Slots(slots.runs[which], slots.there[which], slots.proven_share[which])


def _once(slots: Slots) -> Slots:
    """Join slots of the same time. They are few, one or two an hour, and mostly runs of one: only they are touched."""
    begin, lasts = slots.runs["from_wall_ns"], slots.runs["slots"].astype(np.int64)
    overlaps = begin[1:] < begin[:-1] + SLOT_NS * lasts[:-1]
    if bool((overlaps & ((lasts[1:] > 1) | (lasts[:-1] > 1))).any()):
        each = np.repeat(np.arange(len(begin)), lasts)
        slots = _in_order(Slots(single(slots.runs), slots.there[each], slots.proven_share[each]))
        begin = slots.runs["from_wall_ns"]
    again = np.concatenate(([False], begin[1:] == begin[:-1]))
    first = np.flatnonzero(~again)
    group = np.searchsorted(first, np.flatnonzero(again), side="right") - 1
    found = _chosen(slots, first)
    watched = found.runs["watched_ms"].astype(np.int64)
    np.add.at(watched, group, slots.runs["watched_ms"][again])
    found.runs["watched_ms"] = np.minimum(watched, SLOT_MS)
    np.maximum.at(found.runs["blind_ms"], group, slots.runs["blind_ms"][again])
    np.logical_or.at(found.there, group, slots.there[again])
    np.minimum.at(found.proven_share, group, slots.proven_share[again])
    return found


def joined(intervals: Intervals, kind: int, join_ns: int) -> Intervals:
    """Return `intervals` in which all that lies between two of `kind` less than `join_ns` apart is of that kind, too."""
    at = np.flatnonzero(intervals.kinds == kind)
    near = np.flatnonzero(intervals.edges_ns[at[1:]] - intervals.edges_ns[at[:-1] + 1] < join_ns)
    depth = np.zeros(len(intervals.kinds) + 1, np.int64)
    np.add.at(depth, at[near], 1)
    np.add.at(depth, at[near + 1], -1)
    return runs(intervals.edges_ns, np.where(depth[:-1].cumsum() > 0, kind, intervals.kinds).astype(np.uint8))
