"""The sub-stream's link: its frames are handed on, whether it comes is known, and a defect in it does not stay unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from tests.worker.camera.test_pipeline import PLACE

from privet.core.clock import NS_PER_MS, NS_PER_S, FakeClock
from privet.core.frame import Frame
from privet.core.frame_demand import FrameDemand, SceneDemand, Stream, Wanted
from privet.ingest.frame_demand import DecoderState
from privet.ingest.synthetic import SyntheticSource
from privet.worker.camera.frame_demand import MainDemand, StreamDemand, SubDemand
from privet.worker.camera.load_shedding import KEYFRAMES_ABOVE_NS, PICTURES
from privet.worker.camera.sub_stream import SubFeed


class Knows:
    """An analysis of which only one thing is asked: what it asks for. sub: the same, of the sub-stream."""

    def __init__(self, *, sub_suffices: bool = True) -> None:
        self.lost = 0
        self.sub = self
        self.demand = SceneDemand()
        self.ask(sub_suffices=sub_suffices)

    def ask(self, *, sub_suffices: bool = True, whole: bool = False) -> None:
        pictures = Wanted.SELDOM if sub_suffices and not whole else Wanted.ALL
        main = FrameDemand(pictures, Wanted.SELDOM if sub_suffices else Wanted.KEYFRAMES)
        self.demand = SceneDemand(main, FrameDemand(), Stream.SUB if sub_suffices else Stream.MAIN)

    def differs(self, frame: Frame) -> bool:
        return True

    def lose(self) -> None:
        self.lost += 1


def feed(take: Callable[[Frame], None], clock: FakeClock) -> SubFeed:
    return SubFeed(Knows(), lambda consumer: SyntheticSource([PLACE] * 10, clock, fps=5, gop=5), clock, take)


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
    demand = MainDemand(knows, FakeClock(), lambda: comes[0], lambda: asked[0])
    wanted = [demand.wants()]
    asked[0] = True
    wanted.append(demand.wants())
    knows.ask(whole=True)
    wanted.append(demand.wants())
    knows.ask(sub_suffices=False)
    wanted.append(demand.wants())
    knows.ask()
    comes[0] = False
    wanted.append(demand.wants())
    assert knows.lost == 1
    comes[0] = True
    demand.cannot_skip()
    wanted.append(demand.wants())
    demand.begin()           # another connection may give other keyframes
    wanted.append(demand.wants())
    assert wanted == [Wanted.SELDOM, Wanted.KEYFRAMES, Wanted.ALL, Wanted.ALL, Wanted.ALL, Wanted.ALL, Wanted.KEYFRAMES]


def wanted(demand: StreamDemand) -> Wanted:
    """What it wants now; a type checker takes a property that was compared for a constant."""
    return demand.wants()


def strained(demand: StreamDemand, clock: FakeClock, seconds: float, behind_ns: int) -> None:
    """Five looks a second, each so long after its picture came."""
    for _ in range(round(5 * seconds)):
        clock.sleep(NS_PER_S // 5)
        demand.note(clock.monotonic, behind_ns)


def test_whoever_stays_behind_wants_keyframes_alone_for_a_while() -> None:
    clock, knows = FakeClock(), Knows(sub_suffices=False)
    for demand in (SubDemand(knows, clock), MainDemand(knows, clock)):
        strained(demand, clock, 60, KEYFRAMES_ABOVE_NS)
        assert wanted(demand) is Wanted.ALL
        strained(demand, clock, 0.8, KEYFRAMES_ABOVE_NS + 1)
        assert wanted(demand) is Wanted.ALL, "a moment is not a second"
        strained(demand, clock, 1, KEYFRAMES_ABOVE_NS + 1)
        assert wanted(demand) is Wanted.KEYFRAMES
        clock.sleep(PICTURES.waits.first_ns)
        assert wanted(demand) is Wanted.ALL


def test_where_nothing_is_gained_by_it_everything_is_decoded() -> None:
    clock, knows = FakeClock(), Knows()
    demand = SubDemand(knows, clock)
    demand.note_decoder(DecoderState.ASLEEP)
    strained(demand, clock, 20, NS_PER_S)
    demand.note_decoder(DecoderState.CATCHING_UP)
    assert wanted(demand) is Wanted.ALL, "asleep there are keyframes alone anyway"
    demand.cannot_skip()
    strained(demand, clock, 20, NS_PER_S)
    assert wanted(demand) is Wanted.ALL, "and here they cannot be decoded alone"
    demand.begin()
    strained(demand, clock, 2, NS_PER_S)
    assert wanted(demand) is Wanted.KEYFRAMES
    demand.note_decoder(DecoderState.ASLEEP)
    assert wanted(demand) is Wanted.ALL


def test_sleep_in_time_is_peace_too() -> None:
    """Else a camera that was put off for long, at a start, would be so again for the next second in which the machine is behind."""
    clock, waits = FakeClock(), list[int]()
    demand = SubDemand(Knows(), clock)
    for _ in range(2):
        for _ in range(6):
            strained(demand, clock, 2, NS_PER_S)
            began_ns = clock.monotonic
            while wanted(demand) is Wanted.KEYFRAMES:
                clock.sleep(NS_PER_S)
        waits.append(clock.monotonic - began_ns)
        demand.note_decoder(DecoderState.ASLEEP)
        strained(demand, clock, PICTURES.forgiven_after_ns / NS_PER_S + 5, 0)
        demand.note_decoder(DecoderState.CATCHING_UP)
    strained(demand, clock, 2, NS_PER_S)
    began_ns = clock.monotonic
    while wanted(demand) is Wanted.KEYFRAMES:
        clock.sleep(NS_PER_S)
    assert min(waits) >= PICTURES.waits.longest_ns // 2 - 2 * NS_PER_S
    assert clock.monotonic - began_ns <= PICTURES.waits.first_ns


def test_beside_a_sub_stream_the_main_streams_keyframes_say_nothing_unless_it_is_decoded_whole() -> None:
    clock, knows = FakeClock(), Knows()
    demand = MainDemand(knows, clock, lambda: True)
    strained(demand, clock, 20, NS_PER_S)
    demand.skipping(on=True)
    assert not demand.take_gap(), "the analyst knows that keyframes alone are wanted"
    knows.ask(whole=True)
    assert wanted(demand) is Wanted.ALL
    strained(demand, clock, 2, NS_PER_S)
    assert wanted(demand) is Wanted.SELDOM
    assert demand.times_shed == 0


def test_what_was_left_out_is_known_to_who_looks_next_and_no_longer() -> None:
    demand = SubDemand(Knows(), FakeClock())
    assert [demand.take_gap(), demand.gap] == [False, False]
    demand.skipping(on=True)
    assert [demand.take_gap(), demand.take_gap(), demand.gap, demand.leaves_out] == [True, True, True, True]
    demand.skipping(on=True)
    demand.skipping(on=False)
    assert demand.leaves_out
    assert [demand.take_gap(), demand.take_gap(), demand.gap, demand.leaves_out] == [True, False, False, False]
    assert demand.times_shed == 1
    demand.skipping(on=True)
    demand.begin()           # another connection begins with everything
    assert [demand.take_gap(), demand.take_gap()] == [True, False]
    assert demand.times_shed == 2


def test_a_main_stream_that_left_out_is_not_whole_when_a_sub_stream_takes_over() -> None:
    knows = Knows(sub_suffices=False)
    demand = MainDemand(knows, FakeClock(), lambda: True)
    demand.skipping(on=True)
    knows.ask()
    demand.skipping(on=True)
    assert [demand.take_gap(), demand.take_gap()] == [True, False]


def test_a_decoder_that_keeps_pictures_back_does_not_make_a_machine_slow() -> None:
    clock = FakeClock()
    demand = SubDemand(Knows(), clock)
    frame = next(SyntheticSource([PLACE] * 2, clock, fps=5, gop=5).frames())
    later_ns = frame.monotonic_ns + NS_PER_S
    assert demand.behind_ns(frame, later_ns) == NS_PER_S
    demand.took(later_ns - NS_PER_MS)
    assert demand.behind_ns(frame, later_ns) == NS_PER_MS
    demand.note_decoder(DecoderState.CATCHING_UP)
    assert demand.behind_ns(frame, later_ns + NS_PER_S) == 0
