"""When what was lost is started again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privet.core.clock import NS_PER_S
from privet.core.restart_backoff import LONGEST_NS, SETTLED_NS, SHORTEST_NS, Backoff

fractions = st.floats(0, 1, exclude_max=True)


@given(fractions)
def test_the_first_restart_is_at_once_and_the_second_is_not(draw: float) -> None:
    assert Backoff().lost(0).delay_ns(draw) == 0
    assert SHORTEST_NS // 2 <= Backoff().lost(0).lost(0).delay_ns(draw) <= SHORTEST_NS


@given(st.integers(2, 10_000), fractions)
def test_waits_grow_to_the_longest_and_stay(losses: int, draw: float) -> None:
    delay_ns = Backoff(losses).delay_ns(draw)
    assert SHORTEST_NS // 2 <= delay_ns <= LONGEST_NS
    assert Backoff(losses + 1).delay_ns(0.0) >= Backoff(losses).delay_ns(0.0)
    if losses > 10:
        assert delay_ns >= LONGEST_NS // 2


@given(st.integers(0, 1000))
def test_who_lived_long_begins_anew(losses: int) -> None:
    assert Backoff(losses).lost(SETTLED_NS) == Backoff(1)
    assert Backoff(losses).lost(SETTLED_NS - 1) == Backoff(losses + 1)


@given(st.lists(st.integers(0, 90 * NS_PER_S), max_size=50), fractions)
def test_whatever_crashes_at_once_is_started_at_most_ten_times_in_a_minute(lives_ns: list[int], draw: float) -> None:
    # Only lives shorter than SETTLED_NS in a row can be quick; count the starts in the busiest minute.
    backoff, now_ns = Backoff(), 0
    starts = [0]
    for lived_ns in lives_ns:
        now_ns += lived_ns
        backoff = backoff.lost(lived_ns)
        now_ns += backoff.delay_ns(draw)
        starts.append(now_ns)
    busiest = max(sum(1 for other in starts if start <= other < start + 60 * NS_PER_S) for start in starts)
    assert busiest <= 10
