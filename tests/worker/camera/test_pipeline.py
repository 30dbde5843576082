"""One camera's pipeline: what it says when the camera comes and goes, when a detector fails, when it starts again, when it is behind."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.scene.pictures import Spotter, place

from privet.config.models import Detect, Promotion, SceneSection
from privet.core.clock import NS_PER_MS, NS_PER_S, FakeClock
from privet.core.errors import DetectorError, SourceError, StoreError
from privet.core.frame import Frame
from privet.core.frame_demand import SceneDemand, Wanted
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Reason
from privet.ingest.frame_demand import DecoderState, FrameConsumer
from privet.ingest.source import Source, SourceStatistics
from privet.ingest.synthetic import SyntheticSource
from privet.pipe.settings import CameraSettings
from privet.scene.analyst import Analyst, Counters
from privet.scene.observation import Observation
from privet.scene.proof.looks import Detector
from privet.scene.proof.promote import ProvenBackground
from privet.scene.proof.step import Circumstances
from privet.scene.settings import AnalystSettings
from privet.scene.state_format import StoredScene, from_bytes
from privet.worker.camera.pipeline import CameraPipeline, OpenSource, analyst_settings
from privet.worker.camera.state_saving import StateSaving
from privet.worker.send_queue import Outgoing

PLACE = place()
HEIGHT, WIDTH = PLACE[0].shape


def camera_settings(**promotion: object) -> CameraSettings:
    quick = {"commissioning": "automatic", "prove_seconds": 2.0, "prove_keyframes": 2, "person_height_px": 80} | promotion
    return CameraSettings(
        camera=CameraId("gate"),
        url="rtsp://camera.invalid/",
        state_directory=PurePosixPath("unused"),
        scene=SceneSection(),
        promotion=Promotion.model_validate(quick),
        detect=Detect(looks_per_second=100.0),
    )


@dataclass
class Heard:
    """Everything a pipeline says, in order."""

    messages: list[Outgoing] = field(default_factory=list)

    def __call__(self, message: Outgoing, arrived_monotonic_ns: int = 0) -> None:
        self.messages.append(message)

    def scenes(self, kind: str) -> list[scene_pb2.SceneMessage]:
        return [m for m in self.messages if isinstance(m, scene_pb2.SceneMessage) and m.WhichOneof("kind") == kind]

    def codes(self) -> list[int]:
        return [m.code for m in self.messages if isinstance(m, pipe_pb2.Log)]

    def reasons(self) -> list[int]:
        return [m.state.reason for m in self.scenes("state")]

    def conditions(self) -> list[int]:
        return [m.state.condition for m in self.scenes("state")]

    def health(self) -> list[pipe_pb2.Health]:
        return [m for m in self.messages if isinstance(m, pipe_pb2.Health)]


@dataclass
class Kept:
    """A store in memory."""

    state: bytes | None = None
    broken: bool = False
    full: bool = False

    def load(self) -> bytes | None:
        if self.broken:
            raise StoreError("the stored state is damaged")
        return self.state

    def save(self, state: bytes) -> None:
        if self.full:
            raise StoreError("no space left")
        self.state = state


def frames(clock: FakeClock, count: int, *, paced: bool = False) -> SyntheticSource:
    return SyntheticSource([PLACE] * count, clock, fps=5, gop=5, paced=paced)


class GoneError(Exception):
    """Ends a pipeline from its source, when a test has seen enough."""


def play(
    heard: Heard, store: Kept | StateSaving, sources: list[Callable[[], Source]], clock: FakeClock, detectors: list[Detector],
    **promotion: object,
) -> None:
    """Run a pipeline over one source after another, then end it."""
    left = iter(sources)

    def open_source(_: FrameConsumer) -> Source:
        try:
            return next(left)()
        except StopIteration:
            raise GoneError from None

    with suppress(GoneError):
        CameraPipeline(camera_settings(**promotion), heard, detectors, store, clock, open_source, session=7).run()


def once(make: Callable[[FrameConsumer], Source]) -> OpenSource:
    """Opens one source; the second time the pipeline ends."""
    opened: list[Source] = []

    def open_source(consumer: FrameConsumer) -> Source:
        if opened:
            raise GoneError
        opened.append(make(consumer))
        return opened[0]

    return open_source


def run(pipeline: CameraPipeline) -> None:
    """Until its source is gone."""
    with pytest.raises(GoneError):
        pipeline.run()


class Scripted(SyntheticSource):
    """Frames as a test's own generator gives them, which does between two of them what it likes. counted: what was received so far."""

    def __init__(self, script: Callable[[], Iterator[Frame]], counted: Callable[[], SourceStatistics] = SourceStatistics) -> None:
        super().__init__([PLACE], FakeClock())
        self._script, self._counted = script, counted

    def frames(self) -> Iterator[Frame]:
        return self._script()

    def statistics(self) -> SourceStatistics:
        return self._counted()


class Beside:
    """A main stream that shows one picture, and no more until the sub-stream's have all been looked at."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._main_came, self._sub_over, self._end = threading.Event(), threading.Event(), threading.Event()

    def main(self, at_end: Callable[[], object] = lambda: None) -> Iterator[Frame]:
        """at_end: done once all has been looked at."""
        yield from itertools.islice(frames(self._clock, 2).frames(), 1)
        self._main_came.set()
        assert self._sub_over.wait(20)
        at_end()
        self._end.set()

    def sub(self, given: Callable[[], Iterator[Frame]]) -> Iterator[Frame]:
        assert self._main_came.wait(20)
        self._clock.advance(NS_PER_S)
        yield from given()
        self._sub_over.set()
        self._end.wait(20)


def two() -> list[Detector]:
    return [Spotter(), Spotter()]


def test_a_place_is_proven_and_taken_up_again_by_the_next_life() -> None:
    clock, heard, store = FakeClock(), Heard(), Kept()
    play(heard, store, [lambda: frames(clock, 100)], clock, two())
    assert heard.scenes("patch")
    assert store.state is not None
    again = Heard()
    play(again, store, [lambda: frames(clock, 5)], clock, two())
    assert pipe_pb2.LOG_CODE_BACKGROUND_RESTORED in again.codes()
    first = again.scenes("background")[0].background
    assert first.image
    assert sum(bin(byte).count("1") for byte in first.proven) > 0.9 * WIDTH * HEIGHT / 64
    assert not again.scenes("patch")


def test_a_state_that_cannot_be_read_is_an_arrival_and_said() -> None:
    clock, heard = FakeClock(), Heard()
    play(heard, Kept(broken=True), [lambda: frames(clock, 60)], clock, two())
    assert pipe_pb2.LOG_CODE_STATE_UNREADABLE in heard.codes()
    assert not heard.scenes("patch")


def test_a_disk_that_is_full_ends_no_camera_and_nothing_is_proven_twice() -> None:
    clock, heard, store = FakeClock(monotonic=60 * NS_PER_S), Heard(), Kept(full=True)
    saving = StateSaving(store, clock)
    play(heard, saving, [lambda: frames(clock, 100), lambda: frames(clock, 20)], clock, two())
    assert heard.scenes("patch")
    assert scene_pb2.REASON_UNSAVED in heard.reasons()
    assert heard.codes()[-1] == pipe_pb2.LOG_CODE_STATE_UNSAVED
    assert store.state is None
    again = Heard()
    store.full = False
    play(again, saving, [lambda: frames(clock, 5)], clock, two())
    assert pipe_pb2.LOG_CODE_BACKGROUND_RESTORED in again.codes(), "taken from memory"
    assert pipe_pb2.LOG_CODE_STATE_SAVED in again.codes()
    assert store.state is not None


def test_without_detectors_nothing_is_proven_and_the_state_says_why() -> None:
    clock, heard = FakeClock(), Heard()
    play(heard, Kept(), [lambda: frames(clock, 60)], clock, [])
    assert not heard.scenes("patch")
    assert heard.scenes("cover")
    assert scene_pb2.REASON_NO_DETECTOR in heard.reasons()


class FailingDetector:
    """Finds nobody, until it fails for good."""

    input_px = (120, 120)

    def __init__(self, good: int) -> None:
        self._good = good

    def find(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        self._good -= 1
        if self._good < 0:
            raise DetectorError("the device is gone")
        return [np.zeros((0, 4), np.float32) for _ in pictures]


def test_a_detector_that_fails_stops_promotion_not_the_camera() -> None:
    clock, heard = FakeClock(), Heard()
    play(heard, Kept(), [lambda: frames(clock, 80)], clock, [FailingDetector(3), Spotter()])
    assert pipe_pb2.LOG_CODE_DETECTOR_FAILED in heard.codes()
    assert scene_pb2.REASON_NO_DETECTOR in heard.reasons()
    assert not heard.scenes("patch")
    last = heard.scenes("cover")[-1].cover.head
    assert last.sequence > 3


def test_signature_policy_promotes_nothing_by_itself() -> None:
    clock, heard = FakeClock(), Heard()
    play(heard, Kept(), [lambda: frames(clock, 60)], clock, two(), commissioning="signature")
    assert not heard.scenes("patch")


class BrokenSource(SyntheticSource):
    """Never delivers."""

    def __init__(self, clock: FakeClock, reason: Reason) -> None:
        super().__init__([PLACE], clock)
        self._reason = reason

    def frames(self) -> Iterator[Frame]:
        raise SourceError("broken for the test", self._reason)


def test_a_camera_that_comes_and_goes_is_said() -> None:
    clock, heard = FakeClock(), Heard()
    play(
        heard,
        Kept(),
        [lambda: BrokenSource(clock, Reason.REFUSED), lambda: frames(clock, 10), lambda: BrokenSource(clock, Reason.UNREACHABLE)],
        clock,
        two(),
    )
    assert heard.codes().count(pipe_pb2.LOG_CODE_CONNECTED) == 1
    reasons = heard.reasons()
    refused, ended = reasons.index(scene_pb2.REASON_REFUSED), reasons.index(scene_pb2.REASON_ENDED)
    assert refused < ended < reasons.index(scene_pb2.REASON_UNREACHABLE)


def test_sequences_grow_without_gaps_whoever_speaks() -> None:
    clock, heard = FakeClock(), Heard()
    play(heard, Kept(), [lambda: frames(clock, 60)], clock, two())
    sequences = []
    for message in heard.messages:
        if isinstance(message, scene_pb2.SceneMessage):
            kind = message.WhichOneof("kind")
            assert kind is not None
            sequences.append(getattr(message, kind).head.sequence)
    assert sequences == list(range(1, len(sequences) + 1))


def late(clock: FakeClock, behind_ns: int) -> Iterator[Frame]:
    """Fifty frames, each handed on so much later than it arrived: the machine is behind."""
    for frame in itertools.islice(frames(clock, 51).frames(), 50):
        clock.monotonic = frame.monotonic_ns + behind_ns
        yield frame


@dataclass
class Worked:
    """How much a pipeline looked at."""

    looked: int
    analysed: int
    covers: int


def worked_when_behind(behind_ns: int) -> Worked:
    clock, heard, spotter = FakeClock(), Heard(), Spotter()

    def script() -> Iterator[Frame]:
        yield from late(clock, behind_ns)
        pipeline.heartbeat(1.0)

    source = once(lambda _: Scripted(script))
    pipeline = CameraPipeline(camera_settings(), heard, [spotter, Spotter()], Kept(), clock, source, session=7)
    run(pipeline)
    return Worked(spotter.looked, heard.health()[-1].frames_analysed, len(heard.scenes("cover")))


def test_a_machine_that_is_behind_looks_no_more_and_then_analyses_less_often() -> None:
    worked = [worked_when_behind(behind_ms * NS_PER_MS) for behind_ms in (0, 400, 600, 3000)]
    assert worked[0].looked > 0
    assert [each.looked for each in worked[1:]] == [0, 0, 0]
    analysed = [each.analysed for each in worked]
    assert analysed[:2] == [50, 50], "looks first"
    assert analysed[2:] == [20, 10], "then covers: two a second, and one"
    assert min(each.covers for each in worked) > 0


class SubSeen:
    """Takes the sub-stream's pictures for the main stream's."""

    def __init__(self, main: SeenInSub) -> None:
        self._main = main

    def differs(self, frame: Frame) -> bool:
        return self._main.differs(frame)

    def observe(self, frame: Frame, how: Circumstances) -> Observation:
        return self._main.observe(frame, how)

    def lose(self) -> None:
        raise AssertionError("nobody asks for the main stream's pictures here")


class SeenInSub:
    """An analysis that takes the sub-stream's pictures for the main stream's."""

    def __init__(
        self, settings: AnalystSettings, detectors: Sequence[Detector], stored: StoredScene | None, *, distrust: bool,
        may_look: Callable[[], bool],
    ) -> None:
        self._analyst = analyst = Analyst(settings, detectors, stored, distrust=distrust, may_look=may_look)
        self.signing, self.snapshot, self.differs = analyst.signing, analyst.snapshot, analyst.differs
        self.sub = SubSeen(self)

    @property
    def demand(self) -> SceneDemand:
        demand = self._analyst.demand
        return replace(demand, sub=demand.main)

    @property
    def background(self) -> ProvenBackground | None:
        return self._analyst.background

    @property
    def counters(self) -> Counters:
        return self._analyst.counters

    def observe(self, frame: Frame, how: Circumstances) -> Observation:
        return self._analyst.observe(frame, how)


def analysed_in_sub_when_behind(behind_ns: int) -> int:
    clock, heard = FakeClock(), Heard()
    beside = Beside(clock)
    pipeline = CameraPipeline(
        camera_settings(), heard, two(), Kept(), clock, once(lambda _: Scripted(lambda: beside.main(lambda: pipeline.heartbeat(1.0)))),
        make_observer=SeenInSub, open_sub=lambda _: Scripted(lambda: beside.sub(lambda: late(clock, behind_ns))),
    )
    run(pipeline)
    return heard.health()[-1].frames_analysed - 1       # without the main stream's


def test_a_sub_stream_of_a_machine_that_is_behind_is_looked_at_less_often_too() -> None:
    analysed = [analysed_in_sub_when_behind(behind_ms * NS_PER_MS) for behind_ms in (0, 400, 600, 3000)]
    assert analysed == [50, 50, 17, 10], "no keyframe is looked at for its own sake"


class Strained(SyntheticSource):
    """For so many seconds the machine does not keep up, unless keyframes alone are decoded."""

    def __init__(self, clock: FakeClock, consumer: FrameConsumer, seconds: int, strained_for_s: int) -> None:
        super().__init__([PLACE] * (5 * seconds), clock, fps=5, gop=5)
        self._fake, self._consumer, self._strained_for_s = clock, consumer, strained_for_s
        self.wanted: list[Wanted] = []       # a second, with its keyframe

    def frames(self) -> Iterator[Frame]:
        began_ns = -1
        for frame in super().frames():
            began_ns = frame.monotonic_ns if began_ns < 0 else began_ns
            self._fake.monotonic = frame.monotonic_ns
            if frame.keyframe:
                self.wanted.append(self._consumer.wants())
                if Wanted.KEYFRAMES in self.wanted[-2:]:
                    self._consumer.skipping(on=self.wanted[-1] is Wanted.KEYFRAMES)
            all_of_them = self.wanted[-1] is Wanted.ALL
            strained = all_of_them and frame.monotonic_ns - began_ns < self._strained_for_s * NS_PER_S
            if frame.keyframe or all_of_them:
                self._fake.monotonic = frame.monotonic_ns + (600 * NS_PER_MS if strained else 0)
                yield frame


def test_a_machine_that_does_not_keep_up_decodes_keyframes_alone_says_so_and_proves_nothing_by_them() -> None:
    clock, heard, store, made = FakeClock(), Heard(), Kept(), list[Strained]()

    def open_source(consumer: FrameConsumer) -> Source:
        if made:
            raise GoneError
        made.append(Strained(clock, consumer, 900, 120))
        return made[0]

    run(CameraPipeline(camera_settings(), heard, two(), store, clock, open_source, session=7))
    wanted = made[0].wanted
    assert wanted.index(Wanted.KEYFRAMES) <= 3, "a second on end, and then the next keyframe"
    assert wanted[:120].count(Wanted.KEYFRAMES) > 80, "ever more of them, for it is tried again ever more seldom"
    assert Wanted.KEYFRAMES not in wanted[-300:]
    states = [state.state for state in heard.scenes("state")]
    assert {state.condition for state in states if state.reason == scene_pb2.REASON_OVERLOADED} == {scene_pb2.CONDITION_AWAKE}
    ended_ns = [
        after.head.wall_ns for before, after in itertools.pairwise(states)
        if before.reason == scene_pb2.REASON_OVERLOADED and after.condition == scene_pb2.CONDITION_AWAKE and after.reason != before.reason
    ]
    patches = [patch.patch.head.wall_ns for patch in heard.scenes("patch")]
    assert patches
    assert min(patches) > max(ended_ns), "keyframes alone are evidence of nothing, though two in two seconds would be enough here"


@pytest.mark.parametrize("sub", [False, True])
def test_the_analysis_is_told_what_was_left_out(*, sub: bool) -> None:
    clock, told = FakeClock(), list[bool]()

    class NotesGaps(SeenInSub):
        """Keeps of every frame whether it was told that what came before was not looked at."""

        def observe(self, frame: Frame, how: Circumstances) -> Observation:
            told.append(how.gap)
            return super().observe(frame, how)

    def given(consumer: FrameConsumer) -> Iterator[Frame]:
        """Of the third and the fourth GOP nothing but the keyframe."""
        for number, frame in enumerate(itertools.islice(frames(clock, 41).frames(), 40)):
            clock.monotonic = frame.monotonic_ns
            if frame.keyframe and number in (10, 15, 20):
                consumer.skipping(on=number < 20)
            if number // 5 not in (2, 3) or frame.keyframe:
                yield frame

    beside = Beside(clock)
    if sub:
        pipeline = CameraPipeline(
            camera_settings(), Heard(), two(), Kept(), clock, once(lambda _: Scripted(beside.main)), make_observer=NotesGaps,
            open_sub=lambda consumer: Scripted(lambda: beside.sub(lambda: given(consumer))),
        )
    else:
        source = once(lambda consumer: Scripted(lambda: given(consumer)))
        pipeline = CameraPipeline(camera_settings(), Heard(), two(), Kept(), clock, source, make_observer=NotesGaps)
    run(pipeline)
    of_the_main_stream = [False] if sub else []
    assert told == of_the_main_stream + [False] * 10 + [True] * 3 + [False] * 19


class BusyAtFirst(SyntheticSource):
    """The machine is behind for a while; notes when something is being proven."""

    BEHIND_FOR_S = 80

    def __init__(self, clock: FakeClock, consumer: FrameConsumer, seconds: int) -> None:
        super().__init__([PLACE] * (5 * seconds), clock, fps=5, gop=5)
        self._fake, self._consumer = clock, consumer
        self.proving: list[bool] = []       # a second, beginning with the first frame

    def frames(self) -> Iterator[Frame]:
        began_ns = -1
        for number, frame in enumerate(super().frames()):
            began_ns = frame.monotonic_ns if began_ns < 0 else began_ns
            behind = frame.monotonic_ns - began_ns < self.BEHIND_FOR_S * NS_PER_S
            self._fake.monotonic = frame.monotonic_ns + (NS_PER_S // 2 if behind else 0)
            if number % 5 == 0:
                self.proving.append(self._consumer.demand.proving)
            yield frame


def test_a_machine_that_stays_behind_leaves_proofs_be_and_takes_them_up_again_later() -> None:
    clock, heard, store, spotter, made = FakeClock(), Heard(), Kept(), Spotter(), list[BusyAtFirst]()

    def open_source(consumer: FrameConsumer) -> Source:
        if made:
            raise GoneError
        made.append(BusyAtFirst(clock, consumer, 280))
        return made[0]

    run(CameraPipeline(camera_settings(), heard, [spotter, Spotter()], store, clock, open_source, session=7))
    proving = made[0].proving
    began_s = proving.index(False)
    assert 58 <= began_s <= 64, "after a minute in which no look could be taken"
    ended_s = proving.index(True, began_s)
    assert 59 <= ended_s - began_s <= 123
    assert spotter.looked > 0
    stored = from_bytes(store.state or b"")
    assert stored.proven.all()


class DrowsySource(SyntheticSource):
    """Leaves out what lies between keyframes once all is quiet, and wakes after so many of them; what it left out then comes late."""

    def __init__(self, clock: FakeClock, consumer: FrameConsumer, sleeps_for: int, *, fps: int = 5, gop: int = 5) -> None:
        super().__init__([PLACE] * (30 * fps), clock, fps=fps, gop=gop)
        self._fake, self._consumer, self._left = clock, consumer, sleeps_for
        self.slept_wall_ns: list[int] = []

    def frames(self) -> Iterator[Frame]:
        asleep = False
        held: list[Frame] = []
        for frame in super().frames():
            if not asleep and frame.keyframe and self._consumer.demand.quiet and self._left:
                asleep = True
                self._consumer.note_decoder(DecoderState.ASLEEP)
                self.slept_wall_ns.append(frame.wall_ns)
            elif asleep and frame.keyframe:
                self._left -= 1
                held.clear()
            elif asleep and not self._left:
                self._fake.monotonic = frame.monotonic_ns + 3 * NS_PER_S
                asleep = False
                self._consumer.note_decoder(DecoderState.CATCHING_UP)
                yield from held
                self._consumer.note_decoder(DecoderState.AWAKE)
            if asleep and not frame.keyframe:
                held.append(frame)
                continue
            yield frame


def test_a_camera_that_sleeps_says_so_and_what_comes_late_is_looked_at() -> None:
    clock, heard, store = FakeClock(), Heard(), Kept()
    play(heard, store, [lambda: frames(clock, 100)], clock, two())
    drowsy = Heard()
    run(CameraPipeline(camera_settings(), drowsy, [], store, clock, once(lambda consumer: DrowsySource(clock, consumer, 4)), session=7))
    said = drowsy.conditions()
    changes = [now for before, now in zip([0, *said], said, strict=False) if now != before]
    assert changes[:4] == [
        scene_pb2.CONDITION_STARTING, scene_pb2.CONDITION_AWAKE, scene_pb2.CONDITION_ASLEEP, scene_pb2.CONDITION_AWAKE
    ]


@pytest.mark.parametrize("gop", [20, 30, 31])
def test_sleep_is_said_with_the_keyframe_that_it_begins_with(gop: int) -> None:
    """Of 15 pictures a second five are looked at. Were the keyframe none of those, the camera would be said to be awake for a GOP more."""
    clock, store = FakeClock(), Kept()
    play(Heard(), store, [lambda: frames(clock, 100)], clock, two())
    drowsy, sources = Heard(), list[DrowsySource]()

    def opened(consumer: FrameConsumer) -> Source:
        sources.append(DrowsySource(clock, consumer, 3, fps=15, gop=gop))
        return sources[-1]

    run(CameraPipeline(camera_settings(), drowsy, [], store, clock, once(opened), session=7))
    said = [state.state.head.wall_ns for state in drowsy.scenes("state") if state.state.condition == scene_pb2.CONDITION_ASLEEP]
    assert said[0] == sources[0].slept_wall_ns[0]


def test_heartbeats_go_on_while_the_camera_is_silent_and_a_resend_is_answered() -> None:
    heard, clock = Heard(), FakeClock()

    def script() -> Iterator[Frame]:
        yield from itertools.islice(frames(clock, 10, paced=True).frames(), 9)
        before = len(heard.scenes("state")), len(heard.health())
        for _ in range(10):
            clock.advance(NS_PER_S)
            assert pipeline.heartbeat(1.0)
        assert (len(heard.scenes("state")), len(heard.health())) == (before[0] + 10, before[1] + 10)
        pipeline.resend()
        assert len(heard.scenes("background")) == 1, "with the next heartbeat"
        pipeline.heartbeat(1.0)
        assert len(heard.scenes("background")) == 2
        pipeline.heartbeat(1.0)
        assert len(heard.scenes("background")) == 2, "once"

    pipeline = CameraPipeline(camera_settings(), heard, two(), Kept(), clock, once(lambda _: Scripted(script)))
    pipeline.heartbeat(1.0)
    assert heard.messages == [], "it does not run yet"
    run(pipeline)
    assert scene_pb2.REASON_STALLED in heard.reasons()
    said = len(heard.messages)
    pipeline.heartbeat(1.0)
    assert len(heard.messages) == said, "it does not run any more"


@pytest.mark.parametrize("dark", [False, True])
def test_where_keyframes_alone_are_looked_at_the_next_may_take_as_long_as_a_gop_if_packets_come(*, dark: bool) -> None:
    clock, heard, packets = FakeClock(), Heard(), itertools.count(100)
    received = SourceStatistics()
    nothing = np.full_like(PLACE[0], 16), *PLACE[1:]
    offline: list[tuple[str, bool]] = []

    def heartbeat(when: str, *, a_packet_came: bool) -> None:
        nonlocal received
        if a_packet_came:
            received = SourceStatistics(next(packets))
        pipeline.heartbeat(1.0)
        offline.append((when, heard.conditions()[-1] == scene_pb2.CONDITION_OFFLINE))

    def script(consumer: FrameConsumer) -> Iterator[Frame]:
        source = SyntheticSource([nothing if dark else PLACE] * 30, clock, fps=5, gop=5)
        for frame in itertools.islice(source.frames(), 25):
            clock.monotonic = frame.monotonic_ns
            consumer.skipping(on=True)
            yield frame
        said = heard.scenes("state")[-1].state
        assert said.condition == (scene_pb2.CONDITION_BLIND if dark else scene_pb2.CONDITION_AWAKE)
        assert dark or said.reason == scene_pb2.REASON_OVERLOADED
        heartbeat("at once", a_packet_came=True)
        clock.sleep(5 * NS_PER_S)
        heartbeat("within a GOP", a_packet_came=True)
        clock.sleep(2 * NS_PER_S + 1)
        heartbeat("no keyframe comes", a_packet_came=True)
        yield from itertools.islice(frames(clock, 2).frames(), 1)
        heartbeat("it came", a_packet_came=True)
        clock.sleep(2 * NS_PER_S + 1)
        heartbeat("no packet comes", a_packet_came=False)

    source = once(lambda consumer: Scripted(lambda: script(consumer), lambda: received))
    pipeline = CameraPipeline(camera_settings(), heard, two(), Kept(), clock, source)
    run(pipeline)
    assert offline == [
        ("at once", False), ("within a GOP", False), ("no keyframe comes", True), ("it came", False), ("no packet comes", True),
    ]


@pytest.mark.parametrize(
    ("throws_away", "reason"), [(True, scene_pb2.REASON_OVERLOADED), (False, scene_pb2.REASON_STALLED)]
)
def test_a_machine_that_does_not_keep_up_is_not_the_cameras_fault(throws_away: bool, reason: int) -> None:
    """A few frames and no more, while packets go on coming; each second some are thrown away, or none, because nobody takes them."""
    clock, heard = FakeClock(), Heard()
    received = SourceStatistics()

    def script() -> Iterator[Frame]:
        nonlocal received
        yield from itertools.islice(frames(clock, 4).frames(), 3)
        for _ in range(5):
            clock.advance(NS_PER_S)
            received += SourceStatistics(15, packets_dropped=10 if throws_away else 0)
            pipeline.heartbeat(1.0)

    pipeline = CameraPipeline(
        camera_settings(), heard, [], Kept(), clock, once(lambda _: Scripted(script, lambda: received))
    )
    run(pipeline)
    offline = [state.state.reason for state in heard.scenes("state") if state.state.condition == scene_pb2.CONDITION_OFFLINE]
    assert offline[0] == reason


def test_what_the_analysis_takes_by_default_is_what_the_configuration_says() -> None:
    camera = CameraSettings(camera=CameraId("gate"), url="rtsp://192.0.2.1/", state_directory=PurePosixPath("state/gate"))
    assert analyst_settings(camera) == AnalystSettings()
