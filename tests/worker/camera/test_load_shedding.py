"""What is left out on a machine that is behind: more the further behind it is, in the stated order; only by whoever was behind for a while,
ever longer, never together, and never for good."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.ingest.rtsp import QUEUE_NS
from privet.worker.camera.load_shedding import (
    FEWER_COVERS,
    KEYFRAMES_ABOVE_NS,
    NO_LOOKS_ABOVE_NS,
    PICTURES,
    PROOFS,
    LoadShedding,
    Periods,
    covers_apart_ns,
)

STEP_NS = 2 * NS_PER_S      # a keyframe
both = pytest.mark.parametrize("periods", [PROOFS, PICTURES])


def waits(load_shedding: LoadShedding, count: int, now_ns: int = 0) -> list[int]:
    """How long each of so many waits takes, of a camera that is always behind."""
    found: list[int] = []
    while len(found) < count:
        while not load_shedding.note(now_ns, doing=True, hurried=True):
            now_ns += STEP_NS
        began_ns = now_ns
        while load_shedding.off(now_ns):
            now_ns += NS_PER_S // 10
        found.append(now_ns - began_ns)
    return found


@both
def test_it_waits_twice_as_long_each_time_and_not_for_ever(periods: Periods) -> None:
    always = LoadShedding(periods, lambda: 0.0)
    found = waits(always, 8)
    assert found == [min(periods.waits.first_ns << each, periods.waits.longest_ns) // 2 for each in range(8)]
    assert always.times == 8


@both
def test_who_shed_load_together_comes_back_apart(periods: Periods) -> None:
    first, second, last = (waits(LoadShedding(periods, iter([at]).__next__), 1)[0] for at in (0.0, 0.1, 0.9))
    assert 2 * first > last > second


@both
def test_doing_it_in_peace_for_long_enough_is_forgiven(periods: Periods) -> None:
    camera = LoadShedding(periods, lambda: 0.0)
    (first, second) = waits(camera, 2)
    assert second == 2 * first
    now_ns = 1_000 * NS_PER_S
    for _ in range(periods.forgiven_after_ns // STEP_NS + 1):
        assert not camera.note(now_ns, doing=True, hurried=False)
        now_ns += STEP_NS
    assert waits(camera, 1, now_ns) == [first]


@both
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0.001, 0.25)), max_size=200), st.floats(0, 0.999))
def test_it_takes_so_long_on_end_in_which_the_machine_was_behind(
    periods: Periods, story: list[tuple[bool, bool, float]], random: float
) -> None:
    camera, now_ns, hurried_ns = LoadShedding(periods, lambda: random), 0, -1
    for doing, hurried, share in story:
        step_ns = round(share * periods.hurried_for_ns)
        now_ns += step_ns
        was_off = camera.off(now_ns)
        hurried_ns = (0 if hurried_ns < 0 else hurried_ns + step_ns) if doing and hurried and not was_off else -1
        shed = was_off or hurried_ns >= periods.hurried_for_ns
        assert camera.note(now_ns, doing=doing, hurried=hurried) == shed
        assert camera.off(now_ns) == shed
        assert not camera.off(now_ns + periods.waits.longest_ns)
        if hurried_ns >= periods.hurried_for_ns:
            hurried_ns = -1


# ---- the order


def test_the_order_is_looks_then_covers_then_pictures_and_all_of_it_before_packets_are_thrown_away() -> None:
    assert NO_LOOKS_ABOVE_NS < min(above_ns for above_ns, _ in FEWER_COVERS) <= KEYFRAMES_ABOVE_NS < QUEUE_NS
    assert covers_apart_ns(NO_LOOKS_ABOVE_NS) == 0
    assert [covers_apart_ns(each * NS_PER_MS) for each in (401, 1001)] == [NS_PER_S // 2, NS_PER_S]


@given(st.integers(0, 5 * NS_PER_S), st.integers(0, 5 * NS_PER_S))
def test_whoever_is_further_behind_takes_no_more_covers(one_ns: int, other_ns: int) -> None:
    less_ns, more_ns = sorted((one_ns, other_ns))
    assert covers_apart_ns(less_ns) <= covers_apart_ns(more_ns)
