"""Density bins and spans of conditions out of rows: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from privet.core.clock import NS_PER_S
from privet.core.scene import Condition, Reason
from privet.index.rows import Span, SpanKind, StateRow

LEVELS_S = (10, 300, 7200)
SHORTEST_GAP_NS = 25 * NS_PER_S

_KINDS: dict[Condition, SpanKind] = {
    Condition.STARTING: "offline",  # nothing is seen yet
    Condition.AWAKE: "awake",
    Condition.ASLEEP: "asleep",
    Condition.BLIND: "blind",
    Condition.OFFLINE: "offline",
}


def level_for(bin_ns: int) -> int:
    """Return the coarsest level (seconds) whose spans are not longer than a bin; the finest if all are."""
    fitting = [level for level in LEVELS_S if level * NS_PER_S <= bin_ns]
    return fitting[-1] if fitting else LEVELS_S[0]


def bin_shares(
    rows: Iterable[tuple[int, float, int]], level_s: int, from_wall_ns: int, to_wall_ns: int, bins: int
) -> list[float | None]:
    """Return the mean share covered in each of `bins` equal parts of [from, to); None where nothing is known.

    rows: (beginning, share, known ten-second spans) of one level. A row counts in every bin that it overlaps, by its overlap.
    """
    sums = [0.0] * bins
    weights = [0] * bins
    width_ns = to_wall_ns - from_wall_ns
    for begin_ns, share, known in rows:
        end_ns = min(begin_ns + level_s * NS_PER_S, to_wall_ns)
        start_ns = max(begin_ns, from_wall_ns)
        if end_ns <= start_ns:
            continue
        first = (start_ns - from_wall_ns) * bins // width_ns
        last = (end_ns - 1 - from_wall_ns) * bins // width_ns
        for number in range(first, last + 1):
            left_ns = max(start_ns, from_wall_ns + -(-number * width_ns // bins))
            right_ns = min(end_ns, from_wall_ns + -(-(number + 1) * width_ns // bins))
            weight = max(right_ns - left_ns, 1) * known
            sums[number] += share * weight
            weights[number] += weight
    return [total / weight if weight else None for total, weight in zip(sums, weights, strict=True)]


def known_parts(begins_ns: Iterable[int], level_s: int, from_wall_ns: int, to_wall_ns: int) -> list[tuple[int, int]]:
    """Join spans of one level, in order of time, to the parts of [from, to) in which something was recorded.

    Holes shorter than SHORTEST_GAP_NS are closed, also at the end, where the newest span is not over yet.
    """
    parts: list[tuple[int, int]] = []
    for begin_ns in begins_ns:
        start_ns, end_ns = max(begin_ns, from_wall_ns), min(begin_ns + level_s * NS_PER_S, to_wall_ns)
        if end_ns <= start_ns:
            continue
        if parts and start_ns - parts[-1][1] < SHORTEST_GAP_NS:
            parts[-1] = (parts[-1][0], max(end_ns, parts[-1][1]))
        else:
            parts.append((start_ns, end_ns))
    if parts and to_wall_ns - parts[-1][1] < SHORTEST_GAP_NS:
        parts[-1] = (parts[-1][0], to_wall_ns)
    if parts and parts[0][0] - from_wall_ns < SHORTEST_GAP_NS:
        parts[0] = (from_wall_ns, parts[0][1])
    return parts


def spans_of(
    states: Sequence[StateRow], known: Sequence[tuple[int, int]], from_wall_ns: int, to_wall_ns: int
) -> list[Span]:
    """Return what the camera was doing in [from, to), without holes; nothing at all before the first thing known.

    states: the one in force at `from`, if known, then those since, in order. known: parts in which something was recorded. Where
    nothing was recorded it is a gap, unless the camera is known to have been offline.
    """
    changes: list[tuple[int, SpanKind | None, Reason]] = [(from_wall_ns, None, Reason.NONE)]
    for state in states:
        at_ns = max(state.wall_ns, from_wall_ns)
        if at_ns >= to_wall_ns:
            continue
        while changes and changes[-1][0] >= at_ns:  # the clock stepped back: what was said later counts
            changes.pop()
        changes.append((at_ns, _KINDS[state.condition], state.reason))
    spans: list[Span] = []
    first = 0  # known parts before it are over
    for number, (start_ns, kind, reason) in enumerate(changes):
        end_ns = changes[number + 1][0] if number + 1 < len(changes) else to_wall_ns
        while first < len(known) and known[first][1] <= start_ns:
            first += 1
        if kind is not None and first < len(known) and known[first][0] <= start_ns and end_ns <= known[first][1]:
            _append(spans, Span(start_ns, end_ns, kind, reason))  # recorded all through, as most are
            continue
        _add_spans(spans, start_ns, end_ns, kind, reason, known, first)
    return spans


def _add_spans(
    spans: list[Span], from_ns: int, to_ns: int, kind: SpanKind | None, reason: Reason, known: Sequence[tuple[int, int]], first: int
) -> None:
    if kind == "offline":
        _append(spans, Span(from_ns, to_ns, kind, reason))
        return
    position_ns = from_ns
    for number in range(first, len(known)):
        known_from_ns, known_to_ns = known[number]
        if known_from_ns >= to_ns:
            break
        start_ns, end_ns = max(known_from_ns, position_ns), min(known_to_ns, to_ns)
        if end_ns <= start_ns:
            continue
        if start_ns > position_ns:
            _append(spans, Span(position_ns, start_ns, "gap", Reason.NONE))
        # Recorded, but no row says what the camera did: it did send, so it was awake.
        _append(spans, Span(start_ns, end_ns, kind or "awake", reason))
        position_ns = end_ns
    if position_ns < to_ns:
        _append(spans, Span(position_ns, to_ns, "gap", Reason.NONE))


def _append(spans: list[Span], span: Span) -> None:
    last = spans[-1] if spans else None
    if last is not None and last.kind == span.kind and last.reason == span.reason and last.to_wall_ns == span.from_wall_ns:
        spans[-1] = Span(last.from_wall_ns, span.to_wall_ns, span.kind, span.reason)
    else:
        spans.append(span)
