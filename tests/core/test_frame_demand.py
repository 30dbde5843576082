"""Which frames a demand asks to be analysed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privet.core.frame_demand import FrameDemand, SceneDemand, Wanted

times = st.integers(0, 100)


def test_before_anything_is_known_every_frame_of_the_main_stream_is_due_and_none_of_the_sub_stream() -> None:
    demand = SceneDemand()
    assert demand.main.due(0, keyframe=False)
    for intact in (True, False):
        assert not demand.sub.due(0, keyframe=True, intact=intact)


@given(st.sampled_from(list(Wanted)), times, times, times, st.booleans())
def test_between_keyframes_pictures_are_due_only_where_all_are_wanted(
    wanted: Wanted, due_ns: int, keyframe_due_ns: int, at_ns: int, keyframe: bool
) -> None:
    demand = FrameDemand(wanted, due_ns=due_ns, keyframe_due_ns=keyframe_due_ns)
    by_time = wanted is Wanted.ALL and at_ns >= due_ns
    assert demand.due(at_ns, keyframe=keyframe) == (by_time or (keyframe and at_ns >= keyframe_due_ns))


def test_what_is_damaged_is_due_where_it_is_to_be_said_at_once() -> None:
    assert FrameDemand(due_ns=5, damaged_due=True).due(0, keyframe=False, intact=False)
    assert not FrameDemand(due_ns=5).due(0, keyframe=False, intact=False)
