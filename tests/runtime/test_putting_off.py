"""When proofs are put off: only by whoever could not look for a while, ever longer, never together, and never for good."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privet.core.clock import NS_PER_S
from privet.runtime.putting_off import FORGIVEN_AFTER_NS, HURRIED_FOR_NS, LONGEST_NS, SHORTEST_NS, PuttingOff

STEP_NS = 2 * NS_PER_S      # a keyframe


def waits(putting_off: PuttingOff, count: int, now_ns: int = 0) -> list[int]:
    """How long each of so many waits takes, of a camera that is always behind."""
    found: list[int] = []
    while len(found) < count:
        while not putting_off.note(now_ns, proving=True, hurried=True):
            now_ns += STEP_NS
        began_ns = now_ns
        while putting_off.off(now_ns):
            now_ns += NS_PER_S // 10
        found.append(now_ns - began_ns)
    return found


def test_it_waits_twice_as_long_each_time_and_not_for_ever() -> None:
    always = PuttingOff(lambda: 0.0)
    found = waits(always, 8)
    assert found == [min(SHORTEST_NS << each, LONGEST_NS) // 2 for each in range(8)]
    assert always.times == 8


def test_who_was_put_off_together_comes_back_apart() -> None:
    assert waits(PuttingOff(lambda: 0.0), 1)[0] * 2 > waits(PuttingOff(lambda: 0.9), 1)[0] > waits(PuttingOff(lambda: 0.1), 1)[0]


def test_a_minute_of_proving_in_peace_is_forgiven() -> None:
    camera = PuttingOff(lambda: 0.0)
    (first, second) = waits(camera, 2)
    assert second == 2 * first
    now_ns = 1_000 * NS_PER_S
    for _ in range(FORGIVEN_AFTER_NS // STEP_NS + 1):
        assert not camera.note(now_ns, proving=True, hurried=False)
        now_ns += STEP_NS
    assert waits(camera, 1, now_ns) == [first]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, HURRIED_FOR_NS // 4)), max_size=200), st.floats(0, 0.999))
def test_it_takes_a_minute_on_end_in_which_no_look_could_be_taken(story: list[tuple[bool, bool, int]], random: float) -> None:
    camera, now_ns, hurried_for_ns = PuttingOff(lambda: random), 0, -1
    for proving, hurried, step_ns in story:
        now_ns += step_ns
        was_off = camera.off(now_ns)
        hurried_for_ns = (0 if hurried_for_ns < 0 else hurried_for_ns + step_ns) if proving and hurried and not was_off else -1
        assert camera.note(now_ns, proving=proving, hurried=hurried) == (was_off or hurried_for_ns >= HURRIED_FOR_NS)
        assert camera.off(now_ns) == (was_off or hurried_for_ns >= HURRIED_FOR_NS)
        assert not camera.off(now_ns + LONGEST_NS)
        if hurried_for_ns >= HURRIED_FOR_NS:
            hurried_for_ns = -1
