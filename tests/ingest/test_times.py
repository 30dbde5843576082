from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.ingest.times import BELIEVED_NS, MinimumDelay, WallTimes

PERIOD_NS = 40 * NS_PER_MS
START_WALL_NS = 1_700_000_000 * NS_PER_S


def arrivals(delays_ns: list[int], start_ns: int = 7 * NS_PER_S) -> list[tuple[int, int]]:
    """(media time, arrival) of pictures PERIOD_NS apart, each delayed by so much, in order."""
    pairs, last_ns = [], 0
    for number, delay_ns in enumerate(delays_ns):
        media_ns = number * PERIOD_NS
        last_ns = max(last_ns, start_ns + media_ns + delay_ns)
        pairs.append((media_ns, last_ns))
    return pairs


DELAYS = st.lists(st.integers(0, 900 * NS_PER_MS), min_size=1, max_size=200)


@given(DELAYS)
def test_never_after_the_arrival_and_never_back(delays_ns: list[int]) -> None:
    delay = MinimumDelay()
    last_ns = 0
    for media_ns, arrival_ns in arrivals(delays_ns):
        taken_ns = delay.taken_ns(media_ns, arrival_ns)
        assert last_ns <= taken_ns <= arrival_ns
        last_ns = taken_ns


@given(DELAYS)
def test_once_the_least_delay_is_known_spacing_is_the_cameras(delays_ns: list[int]) -> None:
    delay = MinimumDelay()
    steady = [0, *delays_ns]                 # the first packet is the one delayed least
    taken = [delay.taken_ns(media_ns, arrival_ns) for media_ns, arrival_ns in arrivals(steady)]
    for before, after in pairwise(taken):
        assert abs(after - before - PERIOD_NS) <= NS_PER_MS     # what DRIFT_PPM makes of a second at most, each way


def test_a_burst_after_a_stall_keeps_its_spacing() -> None:
    delay = MinimumDelay()
    for number in range(50):
        delay.taken_ns(number * PERIOD_NS, NS_PER_S + number * PERIOD_NS)
    burst_ns = NS_PER_S + 100 * PERIOD_NS    # fifty pictures come at once, two seconds late
    taken = [delay.taken_ns(number * PERIOD_NS, burst_ns) for number in range(50, 100)]
    assert all(abs(after - before - PERIOD_NS) < NS_PER_MS for before, after in pairwise(taken))


def test_media_time_set_anew_begins_anew() -> None:
    delay = MinimumDelay()
    assert delay.taken_ns(0, 100) == 100
    assert delay.taken_ns(3600 * NS_PER_S, 100 + PERIOD_NS) == 100 + PERIOD_NS
    assert delay.taken_ns(3600 * NS_PER_S + PERIOD_NS, 100 + 2 * PERIOD_NS) == 100 + 2 * PERIOD_NS


def test_without_media_time_the_arrival_counts() -> None:
    delay = MinimumDelay()
    assert delay.taken_ns(None, 5) == 5
    assert delay.taken_ns(0, 9) == 9


def test_a_slow_crystal_is_followed() -> None:
    delay = MinimumDelay()
    taken_ns = arrival_ns = 0
    for number in range(36_000):                            # an hour at 10 a second, 100 ppm slow
        media_ns = number * 100 * NS_PER_MS
        arrival_ns = media_ns + media_ns // 10_000
        taken_ns = delay.taken_ns(media_ns, arrival_ns)
    assert arrival_ns - taken_ns < NS_PER_MS


def stamp(times: WallTimes, number: int, camera_ahead_ns: int | None, jitter_ns: int = 0) -> int:
    """Wall time of picture `number`, whose camera's clock is ahead of ours by so much (None: it sends no reports)."""
    media_ns = number * PERIOD_NS
    arrival_ns = NS_PER_S + media_ns + jitter_ns
    camera_ns = None if camera_ahead_ns is None else START_WALL_NS + media_ns + camera_ahead_ns
    return times.taken_wall_ns(media_ns, arrival_ns, START_WALL_NS + media_ns + jitter_ns, camera_ns)


def test_a_camera_near_our_time_is_believed_from_its_second_report_on() -> None:
    times = WallTimes(MinimumDelay())
    assert stamp(times, 0, None) == START_WALL_NS
    assert stamp(times, 1, 3 * NS_PER_S) == START_WALL_NS + PERIOD_NS
    assert stamp(times, 2, 3 * NS_PER_S) == START_WALL_NS + 2 * PERIOD_NS + 3 * NS_PER_S
    assert stamp(times, 3, None) == START_WALL_NS + 3 * PERIOD_NS + 3 * NS_PER_S   # its offset is known now


@given(st.integers(BELIEVED_NS + 1, 10**18), st.sampled_from([-1, 1]))
def test_a_camera_far_from_our_time_is_not(apart_ns: int, sign: int) -> None:
    times = WallTimes(MinimumDelay())
    for number in range(4):
        assert stamp(times, number, sign * apart_ns) == START_WALL_NS + number * PERIOD_NS


@given(st.lists(st.integers(0, 300 * NS_PER_MS), min_size=5, max_size=100), st.booleans())
def test_wall_time_never_jumps_back_with_jitter(jitters_ns: list[int], reports: bool) -> None:
    times = WallTimes(MinimumDelay())
    last_ns = 0
    clock_ns = 0
    for number, jitter_ns in enumerate(jitters_ns):
        clock_ns = max(clock_ns + 1, number * PERIOD_NS + jitter_ns)     # packets keep their order
        wall_ns = stamp(times, number, 0 if reports else None, clock_ns - number * PERIOD_NS)
        assert wall_ns >= last_ns
        last_ns = wall_ns


def test_a_step_of_our_wall_clock_is_passed_on() -> None:
    times = WallTimes(MinimumDelay())
    stamp(times, 0, None)
    back_ns = times.taken_wall_ns(PERIOD_NS, NS_PER_S + PERIOD_NS, START_WALL_NS - 3600 * NS_PER_S, None)
    assert back_ns == START_WALL_NS - 3600 * NS_PER_S
