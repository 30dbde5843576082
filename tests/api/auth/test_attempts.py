"""Token buckets: over any stretch of time nobody gets more than the burst and what was refilled."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privet.api.auth.attempts import MAX_ADDRESSES, Attempts, Rate, draw, full


@given(st.integers(1, 10), st.integers(1, 1000), st.lists(st.integers(0, 3000), max_size=60))
def test_never_more_than_burst_and_refill(burst: int, refill_ns: int, waits_ns: list[int]) -> None:
    rate = Rate(burst, refill_ns)
    bucket, now_ns = full(rate, 0), 0
    allowed_at: list[int] = []
    for wait_ns in waits_ns:
        now_ns += wait_ns
        bucket, left_ns = draw(bucket, rate, now_ns)
        assert 0 <= bucket.tries <= burst
        if left_ns == 0:
            allowed_at.append(now_ns)
        else:
            assert 0 < left_ns <= refill_ns
            # Whoever waits as long as told gets through, and not a moment sooner.
            assert draw(bucket, rate, now_ns + left_ns)[1] == 0
            assert draw(bucket, rate, now_ns + left_ns - 1)[1] > 0
    for index, start_ns in enumerate(allowed_at):
        for count, end_ns in enumerate(allowed_at[index:], 1):
            assert count <= burst + (end_ns - start_ns) // refill_ns + 1


def test_addresses_do_not_pay_for_one_another_until_all_together_do() -> None:
    attempts = Attempts(Rate(2, 1000), Rate(5, 1000))
    assert [attempts.draw("a", 0) == 0 for _ in range(3)] == [True, True, False]
    assert [attempts.draw("b", 0) == 0 for _ in range(2)] == [True, True]
    assert attempts.draw("c", 0) == 0
    assert attempts.draw("d", 0) == 1000
    assert attempts.draw("d", 1000) == 0


def test_what_is_remembered_is_bounded() -> None:
    attempts = Attempts(Rate(1, 10**12), Rate(10**9, 1))
    for number in range(MAX_ADDRESSES + 100):
        attempts.draw(str(number), 0)
    assert attempts.draw(str(MAX_ADDRESSES + 99), 0) > 0
    assert attempts.draw("100", 0) > 0, "the longest unseen that is remembered"
    assert attempts.draw("99", 0) == 0, "forgotten"
