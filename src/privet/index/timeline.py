"""Density bins and spans of conditions out of rows: pure functions on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.intervals import Intervals, runs
from privet.core.scene import Condition, Reason, looked_at_seldom
from privet.index.rows import SPAN_KINDS, SpanKind

LEVELS_S = (10, 300, 7200)
SHORTEST_GAP_NS = 25 * NS_PER_S

_KINDS: dict[Condition, SpanKind] = {
    Condition.STARTING: "offline",  # nothing is seen yet
    Condition.AWAKE: "awake",
    Condition.ASLEEP: "asleep",
    Condition.BLIND: "blind",
    Condition.OFFLINE: "offline",
}
_AWAKE, _OFFLINE, _GAP = (np.uint8(SPAN_KINDS.index(kind)) for kind in ("awake", "offline", "gap"))
_KIND_OF = np.full((max(Condition) + 1, max(Reason) + 1), _GAP, np.uint8)
for _condition, _kind in _KINDS.items():
    for _reason in Reason:
        _KIND_OF[_condition, _reason] = SPAN_KINDS.index("sparse" if looked_at_seldom(_condition, _reason) else _kind)


def level_for(bin_ns: int) -> int:
    """Return the coarsest level (seconds) whose spans are not longer than a bin; the finest if all are."""
    fitting = [level for level in LEVELS_S if level * NS_PER_S <= bin_ns]
    return fitting[-1] if fitting else LEVELS_S[0]


def bin_shares(
    begins_ns: NDArray[np.int64],
    shares: NDArray[np.float64],
    known: NDArray[np.int64],
    level_s: int,
    from_wall_ns: int,
    to_wall_ns: int,
    bins: int,
) -> NDArray[np.float64]:
    """Return, as (bins,), the mean share covered in each of `bins` equal parts of [from, to); NaN where nothing is known.

    begins_ns, shares, known: (rows,) of one level; known: ten-second spans. A row counts in every bin that it overlaps, by its overlap.
    """
    each_ns, rest_ns = divmod(to_wall_ns - from_wall_ns, bins)
    numbers = np.arange(bins + 1)
    edges_ns = from_wall_ns + numbers * each_ns - (-numbers * rest_ns // bins)  # number * width / bins, rounded up; no product overflows
    starts, ends = np.maximum(begins_ns, from_wall_ns), np.minimum(begins_ns + level_s * NS_PER_S, to_wall_ns)
    inside = ends > starts
    starts, ends, shares, known = starts[inside], ends[inside], shares[inside], known[inside]
    first = np.searchsorted(edges_ns, starts, side="right") - 1
    count = np.searchsorted(edges_ns, ends - 1, side="right") - first
    row = np.repeat(np.arange(len(starts)), count)
    number = first[row] + np.arange(len(row)) - np.repeat(count.cumsum() - count, count)
    overlap_ns = np.minimum(ends[row], edges_ns[number + 1]) - np.maximum(starts[row], edges_ns[number])
    weights = np.maximum(overlap_ns, 1) * known[row].astype(np.float64)
    weight = np.bincount(number, weights, bins)
    out = np.full(bins, np.nan)
    np.divide(np.bincount(number, shares[row] * weights, bins), weight, out=out, where=weight > 0)
    return out


def known_parts(begins_ns: NDArray[np.int64], level_s: int, from_wall_ns: int, to_wall_ns: int) -> NDArray[np.int64]:
    """Join spans of one level, in order of time, to the parts of [from, to) in which something was recorded: (parts, 2), from and to.

    Holes shorter than SHORTEST_GAP_NS are closed, also at the end, where the newest span is not over yet.
    """
    starts, ends = np.maximum(begins_ns, from_wall_ns), np.minimum(begins_ns + level_s * NS_PER_S, to_wall_ns)
    inside = ends > starts
    starts, ends = starts[inside], ends[inside]
    if not len(starts):
        return np.empty((0, 2), np.int64)
    holes = np.flatnonzero(starts[1:] - ends[:-1] >= SHORTEST_GAP_NS)
    parts = np.stack((starts[np.append(0, holes + 1)], ends[np.append(holes, len(ends) - 1)]), axis=1)
    if to_wall_ns - parts[-1, 1] < SHORTEST_GAP_NS:
        parts[-1, 1] = to_wall_ns
    if parts[0, 0] - from_wall_ns < SHORTEST_GAP_NS:
        parts[0, 0] = from_wall_ns
    return parts


def spans_of(
    said_ns: NDArray[np.int64],
    conditions: NDArray[np.uint8],
    reasons: NDArray[np.uint8],
    known: NDArray[np.int64],
    from_wall_ns: int,
    to_wall_ns: int,
) -> Intervals:
    """Return what the camera was doing in [from, to), which is not empty; kinds are indexes into SPAN_KINDS.

    said_ns, conditions, reasons: (states,), the one in force at `from`, if known, then those since, in the order they were said. known:
    (parts, 2), in which something was recorded. Where nothing was recorded it is a gap, unless the camera is known to have been offline.
    """
    at_ns = np.maximum(said_ns, from_wall_ns)
    inside = at_ns < to_wall_ns
    at_ns, kinds = at_ns[inside], _KIND_OF[conditions[inside], reasons[inside]]
    # Where the clock stepped back, what was said later counts.
    holds = at_ns < np.minimum.accumulate(np.append(at_ns[1:], to_wall_ns)[::-1])[::-1] if len(at_ns) else inside[:0]
    # Recorded before anything was said: it did send, so it was awake.
    at_ns = np.append(np.int64(from_wall_ns), at_ns[holds])
    kinds = np.append(_AWAKE, kinds[holds])
    edges_ns = np.unique(np.concatenate((at_ns, known.reshape(-1), [to_wall_ns])))
    starts = edges_ns[:-1]
    kind = kinds[np.searchsorted(at_ns, starts, side="right") - 1]
    recorded = np.searchsorted(known[:, 0], starts, side="right") > np.searchsorted(known[:, 1], starts, side="right")
    return runs(edges_ns, np.where(recorded | (kind == _OFFLINE), kind, _GAP))
