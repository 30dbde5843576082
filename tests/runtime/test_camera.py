"""One camera's pipeline: what it says when the camera comes and goes, when a detector fails, when it starts again, when it is behind."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.scene.pictures import Spotter, place

from privet.config.models import Detect, Promotion, SceneSection
from privet.core.clock import NS_PER_MS, NS_PER_S, FakeClock, SystemClock
from privet.core.errors import DetectorError, SourceError, StoreError
from privet.core.frame import Frame
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Reason
from privet.ingest.attention import Attention, Wants
from privet.ingest.source import Source, SourceStatistics
from privet.ingest.synthetic import SyntheticSource
from privet.runtime.camera import CameraPipeline
from privet.runtime.camera_state import StateSaving
from privet.runtime.outlet import Outgoing
from privet.runtime.settings import CameraSettings
from privet.scene.analyst import Analyst, Observation
from privet.scene.looks import Detector
from privet.scene.stored import from_bytes

PLACE = place()
HEIGHT, WIDTH = PLACE[0].shape


def camera_settings(**promotion: object) -> CameraSettings:
    quick = {"commissioning": "automatic", "prove_seconds": 2.0, "prove_keyframes": 2, "person_height_px": 80} | promotion
    return CameraSettings(
        camera=CameraId("gate"),
        url="rtsp://camera.invalid/",
        state_directory=Path("unused"),
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
) -> CameraPipeline:
    """Run a pipeline over one source after another, then end it."""
    left = iter(sources)

    def open_source(_: Attention) -> Source:
        try:
            return next(left)()
        except StopIteration:
            raise GoneError from None

    pipeline = CameraPipeline(
        camera_settings(**promotion), heard, detectors, store, clock, open_source, session=7
    )
    with suppress(GoneError):
        pipeline.run()
    return pipeline


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


class LateSource(SyntheticSource):
    """Hands its frames on so much later than they arrived: the machine is behind."""

    def __init__(self, clock: FakeClock, behind_ns: int) -> None:
        super().__init__([PLACE] * 50, clock, fps=5, gop=5)
        self._fake, self._behind_ns = clock, behind_ns

    def frames(self) -> Iterator[Frame]:
        for frame in super().frames():
            self._fake.monotonic = frame.monotonic_ns + self._behind_ns
            yield frame


def test_a_machine_that_is_behind_looks_no_more_and_then_analyses_less_often() -> None:
    looked, analysed, covered_until = [], [], []
    for behind_ms in (0, 400, 600, 3000):
        clock, heard, spotter = FakeClock(), Heard(), Spotter()
        late = partial(LateSource, clock, behind_ms * NS_PER_MS)
        pipeline = play(heard, Kept(), [late], clock, [spotter, Spotter()])
        looked.append(spotter.looked)
        analysed.append(pipeline._analysed)
        covered_until.append(len(heard.scenes("cover")))
    assert looked[0] > 0
    assert looked[1:] == [0, 0, 0]
    assert analysed[:2] == [50, 50], "looks first"
    assert analysed[2:] == [20, 10], "then covers: two a second, and one"
    assert min(covered_until) > 0


class SeenInSub(Analyst):
    """Takes the sub-stream's pictures for the main stream's."""

    def sub_due(self, frame: Frame) -> bool:
        return self.due(frame)

    def observe_sub(self, frame: Frame, *, asleep: bool = False) -> Observation | None:
        return self.observe(frame, asleep=asleep)


def test_a_sub_stream_of_a_machine_that_is_behind_is_looked_at_less_often_too() -> None:
    analysed = []
    for behind_ms in (0, 400, 600, 3000):
        clock = FakeClock()
        pipeline = CameraPipeline(
            camera_settings(), Heard(), two(), Kept(), clock, lambda _: frames(FakeClock(), 0), make_observer=SeenInSub,
            open_sub=lambda _: frames(FakeClock(), 0),
        )
        pipeline._delivers = True
        for frame in itertools.islice(LateSource(clock, behind_ms * NS_PER_MS).frames(), 50):
            pipeline._take_sub(frame)
        analysed.append(pipeline._analysed)
    assert analysed == [50, 50, 17, 10], "no keyframe is looked at for its own sake"


class Strained(SyntheticSource):
    """For so many seconds the machine does not keep up, unless keyframes alone are decoded."""

    def __init__(self, clock: FakeClock, attention: Attention, seconds: int, strained_for_s: int) -> None:
        super().__init__([PLACE] * (5 * seconds), clock, fps=5, gop=5)
        self._fake, self._attention, self._strained_for_s = clock, attention, strained_for_s
        self.wanted: list[Wants] = []       # a second, with its keyframe

    def frames(self) -> Iterator[Frame]:
        began_ns = -1
        for frame in super().frames():
            began_ns = frame.monotonic_ns if began_ns < 0 else began_ns
            self._fake.monotonic = frame.monotonic_ns
            if frame.keyframe:
                self.wanted.append(self._attention.wants)
                if Wants.KEYFRAMES in self.wanted[-2:]:
                    self._attention.skipping(on=self.wanted[-1] is Wants.KEYFRAMES)
            all_of_them = self.wanted[-1] is Wants.ALL
            strained = all_of_them and frame.monotonic_ns - began_ns < self._strained_for_s * NS_PER_S
            if frame.keyframe or all_of_them:
                self._fake.monotonic = frame.monotonic_ns + (600 * NS_PER_MS if strained else 0)
                yield frame


def test_a_machine_that_does_not_keep_up_decodes_keyframes_alone_says_so_and_proves_nothing_by_them() -> None:
    clock, heard, store, made = FakeClock(), Heard(), Kept(), list[Strained]()

    def open_source(attention: Attention) -> Source:
        if made:
            raise GoneError
        made.append(Strained(clock, attention, 900, 120))
        return made[0]

    pipeline = CameraPipeline(camera_settings(), heard, two(), store, clock, open_source, session=7)
    with pytest.raises(GoneError):
        pipeline.run()
    wanted = made[0].wanted
    assert wanted.index(Wants.KEYFRAMES) <= 3, "a second on end, and then the next keyframe"
    assert wanted[:120].count(Wants.KEYFRAMES) > 80, "ever more of them, for it is tried again ever more seldom"
    assert Wants.KEYFRAMES not in wanted[-300:]
    states = [state.state for state in heard.scenes("state")]
    assert {state.condition for state in states if state.reason == scene_pb2.REASON_OVERLOADED} == {scene_pb2.CONDITION_AWAKE}
    ended_ns = [
        after.head.wall_ns for before, after in itertools.pairwise(states)
        if before.reason == scene_pb2.REASON_OVERLOADED and after.condition == scene_pb2.CONDITION_AWAKE and after.reason != before.reason
    ]
    patches = [patch.patch.head.wall_ns for patch in heard.scenes("patch")]
    assert patches
    assert min(patches) > max(ended_ns), "keyframes alone are evidence of nothing, though two in two seconds would be enough here"


class NotesSleep(SeenInSub):
    """Keeps of every frame whether it was told that what came before was not looked at."""

    def observe(self, frame: Frame, *, hurried: bool = False, asleep: bool = False) -> Observation:
        vars(self).setdefault("told", []).append(asleep)
        return super().observe(frame, hurried=hurried, asleep=asleep)


@pytest.mark.parametrize("sub", [False, True])
def test_the_analyst_is_told_what_was_left_out(*, sub: bool) -> None:
    clock = FakeClock()
    pipeline = CameraPipeline(
        camera_settings(), Heard(), two(), Kept(), clock, lambda _: frames(FakeClock(), 0), make_observer=NotesSleep,
        open_sub=lambda _: frames(FakeClock(), 0),
    )
    assert pipeline._sub is not None
    pipeline._delivers = True
    vigil = pipeline._sub.vigil if sub else pipeline._vigil
    for number, frame in enumerate(itertools.islice(frames(clock, 41).frames(), 40)):
        clock.monotonic = frame.monotonic_ns
        if number in (10, 15):
            vigil.skipping(on=True)
        elif number == 20:
            vigil.skipping(on=False)
        if number // 5 not in (2, 3) or frame.keyframe:
            (pipeline._take_sub if sub else pipeline._look_at)(frame)
    assert vars(pipeline._observer)["told"] == [False] * 10 + [True] * 3 + [False] * 19


class BusyAtFirst(SyntheticSource):
    """The machine is behind for a while; notes when something is being proven."""

    BEHIND_FOR_S = 80

    def __init__(self, clock: FakeClock, attention: Attention, seconds: int) -> None:
        super().__init__([PLACE] * (5 * seconds), clock, fps=5, gop=5)
        self._fake, self._attention = clock, attention
        self.proving: list[bool] = []       # a second, beginning with the first frame

    def frames(self) -> Iterator[Frame]:
        began_ns = -1
        for number, frame in enumerate(super().frames()):
            began_ns = frame.monotonic_ns if began_ns < 0 else began_ns
            behind = frame.monotonic_ns - began_ns < self.BEHIND_FOR_S * NS_PER_S
            self._fake.monotonic = frame.monotonic_ns + (NS_PER_S // 2 if behind else 0)
            if number % 5 == 0:
                self.proving.append(self._attention.proving)
            yield frame


def test_a_machine_that_stays_behind_leaves_proofs_be_and_takes_them_up_again_later() -> None:
    clock, heard, store, spotter, made = FakeClock(), Heard(), Kept(), Spotter(), list[BusyAtFirst]()

    def open_source(attention: Attention) -> Source:
        if made:
            raise GoneError
        made.append(BusyAtFirst(clock, attention, 280))
        return made[0]

    pipeline = CameraPipeline(camera_settings(), heard, [spotter, Spotter()], store, clock, open_source, session=7)
    with pytest.raises(GoneError):
        pipeline.run()
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

    def __init__(self, clock: FakeClock, attention: Attention, sleeps_for: int, *, fps: int = 5, gop: int = 5) -> None:
        super().__init__([PLACE] * (30 * fps), clock, fps=fps, gop=gop)
        self._fake, self._attention, self._left = clock, attention, sleeps_for
        self.slept_wall_ns: list[int] = []

    def frames(self) -> Iterator[Frame]:
        asleep = False
        held: list[Frame] = []
        for frame in super().frames():
            if not asleep and frame.keyframe and self._attention.quiet and self._left:
                asleep = True
                self._attention.fell_asleep()
                self.slept_wall_ns.append(frame.wall_ns)
            elif asleep and frame.keyframe:
                self._left -= 1
                held.clear()
            elif asleep and not self._left:
                self._fake.monotonic = frame.monotonic_ns + 3 * NS_PER_S
                asleep = False
                self._attention.woke()
                yield from held
                self._attention.caught_up()
            if asleep and not frame.keyframe:
                held.append(frame)
                continue
            yield frame


def test_a_camera_that_sleeps_says_so_and_what_comes_late_is_looked_at() -> None:
    clock, heard, store = FakeClock(), Heard(), Kept()
    play(heard, store, [lambda: frames(clock, 100)], clock, two())
    drowsy = Heard()
    pipeline = CameraPipeline(
        camera_settings(), drowsy, [], store, clock, lambda attention: DrowsySource(clock, attention, 4), session=7
    )
    thread = threading.Thread(target=pipeline.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not any(state.state.condition == scene_pb2.CONDITION_OFFLINE for state in drowsy.scenes("state")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    pipeline.stop()
    thread.join(10)
    said = [state.state.condition for state in drowsy.scenes("state")]
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

    def opened(attention: Attention) -> Source:
        sources.append(DrowsySource(clock, attention, 3, fps=15, gop=gop))
        return sources[-1]

    with running(CameraPipeline(camera_settings(), drowsy, [], store, clock, opened, session=7)):
        deadline = time.monotonic() + 20
        while not any(state.state.condition == scene_pb2.CONDITION_OFFLINE for state in drowsy.scenes("state")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    said = [state.state.head.wall_ns for state in drowsy.scenes("state") if state.state.condition == scene_pb2.CONDITION_ASLEEP]
    assert said[0] == sources[0].slept_wall_ns[0]


@contextmanager
def running(pipeline: CameraPipeline) -> Iterator[None]:
    thread = threading.Thread(target=pipeline.run)
    thread.start()
    try:
        yield
    finally:
        pipeline.stop()
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def beaten(pipeline: CameraPipeline) -> Iterator[None]:
    """Running, and asked twenty times a second how it is."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.05):
            pipeline.beat(1.0)

    thread = threading.Thread(target=beat)
    with running(pipeline):
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(10)


def test_heartbeats_go_on_while_the_camera_is_silent_and_a_resend_is_answered() -> None:
    heard, clock = Heard(), SystemClock()

    def endless(_: Attention) -> Source:
        return SyntheticSource([PLACE] * 10_000, clock, fps=20, gop=20, paced=True)

    pipeline = CameraPipeline(camera_settings(), heard, two(), Kept(), clock, endless)
    pipeline.beat(1.0)
    assert heard.messages == [], "it does not run yet"
    with beaten(pipeline):
        deadline = time.monotonic() + 20
        while len(heard.scenes("state")) < 10 and time.monotonic() < deadline:
            time.sleep(0.05)
        before = len(heard.scenes("background"))
        pipeline.resend()
        while len(heard.scenes("background")) == before and time.monotonic() < deadline:
            time.sleep(0.05)
    assert len(heard.scenes("state")) >= 10
    assert len(heard.scenes("background")) == before + 1
    assert any(isinstance(message, pipe_pb2.Health) for message in heard.messages)
    said = len(heard.messages)
    pipeline.beat(1.0)
    assert len(heard.messages) == said, "it does not run any more"


class CloggedSource(SyntheticSource):
    """A few frames and no more, while packets go on coming. throws_away: each second some, because nobody takes them."""

    def __init__(self, clock: FakeClock, *, throws_away: bool) -> None:
        super().__init__([PLACE] * 3, clock, fps=5, gop=5)
        self._fake, self._throws_away, self._seconds = clock, throws_away, 0
        self._open = True

    def frames(self) -> Iterator[Frame]:
        yield from itertools.islice(super().frames(), 3)
        while self._open:
            time.sleep(0.02)  # a beat is another thread's
            self._seconds += 1
            self._fake.monotonic += NS_PER_S

    def statistics(self) -> SourceStatistics:
        return SourceStatistics(15 * self._seconds, packets_dropped=10 * self._seconds if self._throws_away else 0)

    def close(self) -> None:
        self._open = False
        super().close()


@pytest.mark.parametrize("dark", [False, True])
def test_where_keyframes_alone_are_looked_at_the_next_may_take_as_long_as_a_gop_if_packets_come(*, dark: bool) -> None:
    clock, heard = FakeClock(), Heard()
    pipeline = CameraPipeline(camera_settings(), heard, two(), Kept(), clock, lambda _: frames(FakeClock(), 0))
    nothing = np.full_like(PLACE[0], 16), *PLACE[1:]
    source = SyntheticSource([nothing if dark else PLACE] * 30, clock, fps=5, gop=5)
    for frame in itertools.islice(source.frames(), 25):
        clock.monotonic = frame.monotonic_ns
        pipeline._vigil.skipping(on=True)
        pipeline._take(frame)
    said = heard.scenes("state")[-1].state
    assert said.condition == (scene_pb2.CONDITION_BLIND if dark else scene_pb2.CONDITION_AWAKE)
    assert dark or said.reason == scene_pb2.REASON_OVERLOADED
    assert not pipeline._silent(packets=100)
    clock.sleep(5 * NS_PER_S)
    assert not pipeline._silent(packets=101)
    clock.sleep(2 * NS_PER_S + 1)
    assert pipeline._silent(packets=102), "no keyframe comes"
    pipeline._take(next(frames(clock, 2).frames()))
    assert not pipeline._silent(packets=103)
    clock.sleep(2 * NS_PER_S + 1)
    assert pipeline._silent(packets=103), "no packet comes"


@pytest.mark.parametrize(
    ("throws_away", "reason"), [(True, scene_pb2.REASON_OVERLOADED), (False, scene_pb2.REASON_STALLED)]
)
def test_a_machine_that_does_not_keep_up_is_not_the_cameras_fault(throws_away: bool, reason: int) -> None:
    clock, heard = FakeClock(), Heard()
    pipeline = CameraPipeline(
        camera_settings(), heard, [], Kept(), clock, lambda _: CloggedSource(clock, throws_away=throws_away)
    )
    with beaten(pipeline):
        deadline = time.monotonic() + 20
        while not any(state.state.condition == scene_pb2.CONDITION_OFFLINE for state in heard.scenes("state")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    offline = [state.state.reason for state in heard.scenes("state") if state.state.condition == scene_pb2.CONDITION_OFFLINE]
    assert offline[0] == reason
