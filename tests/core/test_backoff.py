"""When what failed is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.core.backoff import RECONNECT, REFUSED, RESTART, SETTLED_NS, Backoff, Losses
from privet.core.clock import NS_PER_S

fractions = st.floats(0, 1, exclude_max=True)
rules = st.sampled_from([RECONNECT, REFUSED, RESTART])


@given(rules, st.integers(1, 10**9), fractions)
def test_a_wait_lies_between_half_the_first_and_the_longest(rule: Backoff, failures: int, draw: float) -> None:
    assert rule.first_ns // 2 <= rule.wait_ns(failures, draw) <= rule.longest_ns


@given(rules, st.integers(1, 100), fractions)
def test_waits_do_not_shrink_and_come_to_the_longest(rule: Backoff, failures: int, draw: float) -> None:
    assert rule.wait_ns(failures, draw) <= rule.wait_ns(failures + 1, draw)
    assert rule.wait_ns(failures + 8, 0.999999) >= rule.longest_ns * 0.99


@given(rules, fractions)
def test_the_first_try_is_at_once(rule: Backoff, draw: float) -> None:
    assert rule.wait_ns(0, draw) == 0


def test_jitter_spreads_over_the_upper_half() -> None:
    assert RECONNECT.wait_ns(6, 0.0) == 3 * NS_PER_S
    assert RECONNECT.wait_ns(6, 0.5) == 4.5 * NS_PER_S


@pytest.mark.parametrize(("failures", "draw"), [(-1, 0.5), (1, 1.0), (1, -0.1)])
def test_nonsense_is_refused(failures: int, draw: float) -> None:
    with pytest.raises(ValueError, match=r"failures|random"):
        RECONNECT.wait_ns(failures, draw)


@given(fractions)
def test_the_first_restart_is_at_once_and_the_second_is_not(draw: float) -> None:
    assert Losses().lost(0).wait_ns(draw) == 0
    assert RESTART.first_ns // 2 <= Losses().lost(0).lost(0).wait_ns(draw) <= RESTART.first_ns


@given(st.integers(0, 1000))
def test_who_lived_long_begins_anew(losses: int) -> None:
    assert Losses(losses).lost(SETTLED_NS) == Losses(1)
    assert Losses(losses).lost(SETTLED_NS - 1) == Losses(losses + 1)


@given(st.lists(st.integers(0, 90 * NS_PER_S), max_size=50), fractions)
def test_whatever_crashes_at_once_is_started_at_most_ten_times_in_a_minute(lives_ns: list[int], draw: float) -> None:
    # Only lives shorter than SETTLED_NS in a row can be quick; count the starts in the busiest minute.
    losses, now_ns = Losses(), 0
    starts = [0]
    for lived_ns in lives_ns:
        now_ns += lived_ns
        losses = losses.lost(lived_ns)
        now_ns += losses.wait_ns(draw)
        starts.append(now_ns)
    busiest = max(sum(1 for other in starts if start <= other < start + 60 * NS_PER_S) for start in starts)
    assert busiest <= 10
