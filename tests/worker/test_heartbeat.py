"""A worker's cameras speak together, once a second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.worker.heartbeat import SPREAD_NS, until_heartbeat_ns

NOW_NS = st.integers(0, 10**18)
WORKERS = st.integers(1, 1 << 22)


@given(NOW_NS, NOW_NS, WORKERS)
def test_cameras_of_one_worker_beat_together(first_ns: int, second_ns: int, worker: int) -> None:
    beats = [now_ns + until_heartbeat_ns(now_ns, NS_PER_S, worker) for now_ns in (first_ns, second_ns)]
    assert (beats[0] - beats[1]) % NS_PER_S == 0


@given(NOW_NS, st.integers(NS_PER_MS, 10 * NS_PER_S), WORKERS)
def test_a_beat_is_neither_told_twice_nor_long_in_coming(now_ns: int, every_ns: int, worker: int) -> None:
    wait_ns = until_heartbeat_ns(now_ns, every_ns, worker)
    assert every_ns <= 200 * wait_ns < 201 * every_ns
    assert until_heartbeat_ns(now_ns + wait_ns, every_ns, worker) == every_ns
    assert until_heartbeat_ns(now_ns + wait_ns - 1, every_ns, worker) == every_ns + 1, "woken early, it waits for the next"


@given(WORKERS)
def test_workers_beat_at_different_moments(worker: int) -> None:
    waits_ns = [until_heartbeat_ns(0, NS_PER_S, worker + number) % NS_PER_S for number in range(4)]
    assert len(set(waits_ns)) == 4
    assert (waits_ns[1] - waits_ns[0]) % NS_PER_S == SPREAD_NS
