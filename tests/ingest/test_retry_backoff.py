from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.core.clock import NS_PER_S
from privet.ingest.retry_backoff import LONGEST_NS, next_delay_ns

RANDOM = st.floats(0.0, 1.0, exclude_max=True)


@given(st.integers(1, 10**9), RANDOM)
def test_retries_wait_between_half_a_second_and_the_longest(attempt: int, random: float) -> None:
    assert NS_PER_S // 2 <= next_delay_ns(attempt, random) <= LONGEST_NS


@given(st.integers(1, 100), RANDOM)
def test_waits_do_not_shrink_and_come_to_the_longest(attempt: int, random: float) -> None:
    assert next_delay_ns(attempt, random) <= next_delay_ns(attempt + 1, random)
    assert next_delay_ns(attempt + 6, 0.999999) >= LONGEST_NS * 0.99


@given(RANDOM)
def test_first_retry_is_at_once(random: float) -> None:
    assert next_delay_ns(0, random) == 0


def test_jitter_spreads_over_half_the_interval() -> None:
    assert next_delay_ns(6, 0.0) == LONGEST_NS // 2
    assert next_delay_ns(6, 0.5) == LONGEST_NS * 3 // 4


@pytest.mark.parametrize(("attempt", "random"), [(-1, 0.5), (1, 1.0), (1, -0.1)])
def test_nonsense_is_refused(attempt: int, random: float) -> None:
    with pytest.raises(ValueError, match=r"attempt|random"):
        next_delay_ns(attempt, random)
