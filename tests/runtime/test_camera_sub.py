"""The sub-stream's link: its frames are handed on, whether it comes is known, and a defect in it does not stay unseen."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import pytest
from tests.runtime.test_camera import PLACE

from privet.core.clock import NS_PER_S, FakeClock
from privet.core.frame import Frame
from privet.ingest.attention import Wants
from privet.ingest.synthetic import SyntheticSource
from privet.runtime.camera_sub import SubFeed
from privet.runtime.camera_vigil import SubVigil, Vigil
from privet.runtime.overload import KEYFRAMES_ABOVE_NS
from privet.runtime.putting_off import PICTURES


class Knows:
    """An observer of which only one thing is asked: whether the sub-stream suffices."""

    proving = quiet = covered = False
    sub_suffices = True
    wants_keyframes = wants_whole = False
    due_ns = sub_due_ns = -1

    def __init__(self) -> None:
        self.lost = 0

    def differs(self, frame: Frame) -> bool:
        return False

    def sub_differs(self, frame: Frame) -> bool:
        return True

    def lose_sub(self) -> None:
        self.lost += 1


def feed(take: Callable[[Frame], None], clock: FakeClock) -> SubFeed:
    return SubFeed(Knows(), lambda attention: SyntheticSource([PLACE] * 10, clock, fps=5, gop=5), clock, take)


def test_its_frames_are_handed_on_and_it_comes() -> None:
    clock, enough = FakeClock(), threading.Event()
    taken: list[int] = []

    def take(frame: Frame) -> None:
        taken.append(frame.monotonic_ns)
        if len(taken) >= 10:
            enough.set()

    sub = feed(take, clock)
    assert not sub.comes()
    sub.start()
    assert enough.wait(10)
    clock.sleep(NS_PER_S)
    assert sub.comes()
    sub.stop()
    sub.join(10)
    clock.sleep(NS_PER_S)
    sub.comes()
    clock.sleep(3 * NS_PER_S)
    assert not sub.comes()
    assert sub.statistics().packets >= 10


def test_a_defect_in_its_thread_ends_the_cameras() -> None:
    def break_down(frame: Frame) -> None:
        raise LookupError("a defect")

    sub = feed(break_down, FakeClock())
    sub.start()
    sub.join(10)
    with pytest.raises(LookupError, match="a defect"):
        sub.comes()


def test_what_of_the_main_stream_is_wanted() -> None:
    knows, comes, asked = Knows(), [True], [False]
    vigil = Vigil(knows, FakeClock(), lambda: comes[0], lambda: asked[0])
    wanted = [vigil.wants]
    asked[0] = True
    wanted.append(vigil.wants)
    knows.wants_whole = True
    wanted.append(vigil.wants)
    knows.wants_whole = False
    knows.sub_suffices = False
    wanted.append(vigil.wants)
    knows.sub_suffices = True
    comes[0] = False
    wanted.append(vigil.wants)
    assert knows.lost == 1
    comes[0] = True
    vigil.cannot_skip()
    wanted.append(vigil.wants)
    vigil.begin()           # another connection may give other keyframes
    wanted.append(vigil.wants)
    assert wanted == [Wants.SELDOM, Wants.KEYFRAMES, Wants.ALL, Wants.ALL, Wants.ALL, Wants.ALL, Wants.KEYFRAMES]


def wanted(vigil: Vigil) -> Wants:
    """What it wants now; a type checker takes a property that was compared for a constant."""
    return vigil.wants


def strained(vigil: Vigil, clock: FakeClock, seconds: float, behind_ns: int, gop: int = 10) -> list[bool]:
    """Five looks a second, each so long after its picture came; a keyframe in so many. Whether each was said to be sparse."""
    found, count = [], round(5 * seconds)
    for frame in itertools.islice(SyntheticSource([PLACE] * (count + 1), clock, fps=5, gop=gop).frames(), count):
        clock.monotonic = frame.monotonic_ns
        vigil.note(frame, frame.monotonic_ns, behind_ns)
        found.append(vigil.sparse)
    return found


def test_whoever_stays_behind_wants_keyframes_alone_for_a_while() -> None:
    clock, knows = FakeClock(), Knows()
    knows.sub_suffices = False
    for vigil in (SubVigil(knows, clock), Vigil(knows, clock)):
        strained(vigil, clock, 60, KEYFRAMES_ABOVE_NS)
        assert wanted(vigil) is Wants.ALL
        strained(vigil, clock, 0.8, KEYFRAMES_ABOVE_NS + 1)
        assert wanted(vigil) is Wants.ALL, "a moment is not a second"
        strained(vigil, clock, 2, KEYFRAMES_ABOVE_NS + 1)
        assert wanted(vigil) is Wants.KEYFRAMES
        assert vigil.put_off_times == 1
        clock.sleep(PICTURES.shortest_ns)
        assert wanted(vigil) is Wants.ALL


def test_asleep_nothing_is_gained_by_it() -> None:
    clock = FakeClock()
    vigil = SubVigil(Knows(), clock)
    vigil.fell_asleep()
    strained(vigil, clock, 20, NS_PER_S)
    assert wanted(vigil) is Wants.ALL
    vigil.woke()
    strained(vigil, clock, 2, NS_PER_S)
    assert wanted(vigil) is Wants.KEYFRAMES
    vigil.fell_asleep()
    assert wanted(vigil) is Wants.ALL


def test_a_machine_that_is_behind_decodes_no_main_stream_whole_beside_a_sub_stream() -> None:
    clock, knows = FakeClock(), Knows()
    knows.wants_whole = True
    vigil = Vigil(knows, clock, lambda: True)
    assert wanted(vigil) is Wants.ALL
    strained(vigil, clock, 2, NS_PER_S)
    assert wanted(vigil) is Wants.SELDOM


def test_until_a_second_keyframe_comes_pictures_may_be_missing_before() -> None:
    clock = FakeClock()
    vigil = SubVigil(Knows(), clock)
    assert strained(vigil, clock, 2, NS_PER_S) == [False] * 5 + [True] * 5, "as soon as they are not asked for"
    clock.sleep(PICTURES.shortest_ns)
    assert strained(vigil, clock, 6, 0) == [True] * 11 + [False] * 19
