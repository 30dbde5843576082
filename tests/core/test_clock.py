from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privet.core.clock import NS_PER_S, FakeClock, SystemClock


@given(st.lists(st.integers(-(10**12), 10**12)))
def test_a_fake_clock_never_goes_back_monotonically(steps: list[int]) -> None:
    clock = FakeClock()
    for step in steps:
        before = clock.monotonic_ns()
        clock.sleep(step)
        assert clock.monotonic_ns() == before + max(0, step)


def test_the_wall_steps_alone() -> None:
    clock = FakeClock()
    wall, monotonic = clock.wall_ns(), clock.monotonic_ns()
    clock.step_wall(-3600 * NS_PER_S)
    assert (clock.wall_ns(), clock.monotonic_ns()) == (wall - 3600 * NS_PER_S, monotonic)
    clock.advance(5)
    assert (clock.wall_ns(), clock.monotonic_ns()) == (wall - 3600 * NS_PER_S + 5, monotonic + 5)


def test_the_machine_s_clock() -> None:
    clock = SystemClock()
    before = clock.monotonic_ns()
    clock.sleep(2_000_000)
    assert clock.monotonic_ns() - before >= 2_000_000
    clock.sleep(-5)
    assert clock.wall_ns() > 1_600_000_000 * NS_PER_S
