"""The sub-stream's link: its frames are handed on, whether it comes is known, and a defect in it does not stay unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from tests.runtime.test_camera import PLACE

from privet.core.clock import NS_PER_S, FakeClock
from privet.core.frame import Frame
from privet.ingest.attention import Wants
from privet.ingest.synthetic import SyntheticSource
from privet.runtime.camera_sub import SubFeed
from privet.runtime.camera_vigil import Vigil


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
    vigil = Vigil(knows, lambda: comes[0], lambda: asked[0])
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
