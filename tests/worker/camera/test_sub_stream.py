"""The sub-stream's link: its frames are handed on, whether it comes is known, and a defect in it does not stay unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from tests.worker.camera.test_pipeline import PLACE

from privet.core.clock import NS_PER_MS, NS_PER_S, FakeClock
from privet.core.frame import Frame
from privet.ingest.frame_demand import Wants
from privet.ingest.synthetic import SyntheticSource
from privet.worker.camera.frame_demand import SubVigil, Vigil
from privet.worker.camera.load_shedding import PICTURES
from privet.worker.camera.overload import KEYFRAMES_ABOVE_NS
from privet.worker.camera.sub_stream import SubFeed


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


def strained(vigil: Vigil, clock: FakeClock, seconds: float, behind_ns: int) -> None:
    """Five looks a second, each so long after its picture came."""
    for _ in range(round(5 * seconds)):
        clock.sleep(NS_PER_S // 5)
        vigil.note(clock.monotonic, behind_ns)


def test_whoever_stays_behind_wants_keyframes_alone_for_a_while() -> None:
    clock, knows = FakeClock(), Knows()
    knows.sub_suffices = False
    for vigil in (SubVigil(knows, clock), Vigil(knows, clock)):
        strained(vigil, clock, 60, KEYFRAMES_ABOVE_NS)
        assert wanted(vigil) is Wants.ALL
        strained(vigil, clock, 0.8, KEYFRAMES_ABOVE_NS + 1)
        assert wanted(vigil) is Wants.ALL, "a moment is not a second"
        strained(vigil, clock, 1, KEYFRAMES_ABOVE_NS + 1)
        assert wanted(vigil) is Wants.KEYFRAMES
        clock.sleep(PICTURES.shortest_ns)
        assert wanted(vigil) is Wants.ALL


def test_where_nothing_is_gained_by_it_everything_is_decoded() -> None:
    clock, knows = FakeClock(), Knows()
    vigil = SubVigil(knows, clock)
    vigil.fell_asleep()
    strained(vigil, clock, 20, NS_PER_S)
    vigil.woke()
    assert wanted(vigil) is Wants.ALL, "asleep there are keyframes alone anyway"
    vigil.cannot_skip()
    strained(vigil, clock, 20, NS_PER_S)
    assert wanted(vigil) is Wants.ALL, "and here they cannot be decoded alone"
    vigil.begin()
    strained(vigil, clock, 2, NS_PER_S)
    assert wanted(vigil) is Wants.KEYFRAMES
    vigil.fell_asleep()
    assert wanted(vigil) is Wants.ALL


def test_sleep_in_time_is_peace_too() -> None:
    """Else a camera that was put off for long, at a start, would be so again for the next second in which the machine is behind."""
    clock, waits = FakeClock(), list[int]()
    vigil = SubVigil(Knows(), clock)
    for _ in range(2):
        for _ in range(6):
            strained(vigil, clock, 2, NS_PER_S)
            began_ns = clock.monotonic
            while wanted(vigil) is Wants.KEYFRAMES:
                clock.sleep(NS_PER_S)
        waits.append(clock.monotonic - began_ns)
        vigil.fell_asleep()
        strained(vigil, clock, PICTURES.forgiven_after_ns / NS_PER_S + 5, 0)
        vigil.woke()
    strained(vigil, clock, 2, NS_PER_S)
    began_ns = clock.monotonic
    while wanted(vigil) is Wants.KEYFRAMES:
        clock.sleep(NS_PER_S)
    assert min(waits) >= PICTURES.longest_ns // 2 - 2 * NS_PER_S
    assert clock.monotonic - began_ns <= PICTURES.shortest_ns


def test_beside_a_sub_stream_the_main_streams_keyframes_say_nothing_unless_it_is_decoded_whole() -> None:
    clock, knows = FakeClock(), Knows()
    vigil = Vigil(knows, clock, lambda: True)
    strained(vigil, clock, 20, NS_PER_S)
    vigil.skipping(on=True)
    assert not vigil.look(), "the analyst knows that keyframes alone are wanted"
    knows.wants_whole = True
    assert wanted(vigil) is Wants.ALL
    strained(vigil, clock, 2, NS_PER_S)
    assert wanted(vigil) is Wants.SELDOM
    assert vigil.times_sparse == 0


def test_what_was_left_out_is_known_to_who_looks_next_and_no_longer() -> None:
    vigil = SubVigil(Knows(), FakeClock())
    assert [vigil.look(), vigil.sparse] == [False, False]
    vigil.skipping(on=True)
    assert [vigil.look(), vigil.look(), vigil.sparse, vigil.leaves_out] == [True, True, True, True]
    vigil.skipping(on=True)
    vigil.skipping(on=False)
    assert vigil.leaves_out
    assert [vigil.look(), vigil.look(), vigil.sparse, vigil.leaves_out] == [True, False, False, False]
    assert vigil.times_sparse == 1
    vigil.skipping(on=True)
    vigil.begin()           # another connection begins with everything
    assert [vigil.look(), vigil.look()] == [True, False]
    assert vigil.times_sparse == 2


def test_a_main_stream_that_left_out_is_not_whole_when_a_sub_stream_takes_over() -> None:
    knows = Knows()
    knows.sub_suffices = False
    vigil = Vigil(knows, FakeClock(), lambda: True)
    vigil.skipping(on=True)
    knows.sub_suffices = True
    vigil.skipping(on=True)
    assert [vigil.look(), vigil.look()] == [True, False]


def test_a_decoder_that_keeps_pictures_back_does_not_make_a_machine_slow() -> None:
    clock = FakeClock()
    vigil = SubVigil(Knows(), clock)
    frame = next(SyntheticSource([PLACE] * 2, clock, fps=5, gop=5).frames())
    later_ns = frame.monotonic_ns + NS_PER_S
    assert vigil.behind_ns(frame, later_ns) == NS_PER_S
    vigil.took(later_ns - NS_PER_MS)
    assert vigil.behind_ns(frame, later_ns) == NS_PER_MS
    vigil.woke()
    assert vigil.behind_ns(frame, later_ns + NS_PER_S) == 0
