"""A camera that does its worst costs itself alone: whatever its worker says of it, the supervisor's inspector lets pass."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from tests.scene.pictures import Spotter, place
from tests.worker.camera.test_pipeline import Kept, Scripted, camera_settings

from privet.config.models import SceneSection
from privet.core.clock import NS_PER_S, FakeClock
from privet.core.errors import SourceError
from privet.core.frame import Frame, Matrix
from privet.core.geometry import Geometry
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Reason
from privet.ingest.frame_demand import FrameConsumer
from privet.ingest.synthetic import Picture, SyntheticSource
from privet.main.inspector import Allowances, Inspector
from privet.worker.camera.pipeline import CameraPipeline
from privet.worker.camera.steady_source import EPOCH_EVERY_NS, EPOCHS_AT_ONCE, FormChanges
from privet.worker.send_queue import Outgoing

PLACE = place()
SMALL: Picture = (PLACE[0][:64, :96].copy(), PLACE[1][:32, :48].copy(), PLACE[2][:32, :48].copy())
OTHER: Picture = (PLACE[0][::-1].copy(), PLACE[1][::-1].copy(), PLACE[2][::-1].copy())
BLACK: Picture = (PLACE[0] * 0 + 16, PLACE[1] * 0 + 128, PLACE[2] * 0 + 128)
SIMULATED_NS = 240 * NS_PER_S


class EndError(Exception):
    """The test has seen enough."""


class Beating(FakeClock):
    """Whoever sleeps on it lets the heartbeat's thread have its turn every second."""

    beat: Callable[[], object] = staticmethod(lambda: None)
    _next_ns = 0

    def sleep(self, duration_ns: int) -> None:
        ends_ns = self.monotonic_ns() + max(duration_ns, 0)
        while self._next_ns <= ends_ns:
            self.advance(max(self._next_ns - self.monotonic_ns(), 0))
            self._next_ns += NS_PER_S
            self.beat()
        self.advance(ends_ns - self.monotonic_ns())


@dataclass(frozen=True)
class Attack:
    """Frame number i, and whether the camera hangs up after it."""

    frame: Callable[[Frame, int], Frame]
    fps: int = 25
    hangs_up: Callable[[int], bool] = lambda _: False


def _picture(frame: Frame, picture: Picture) -> Frame:
    return replace(frame, y=picture[0], u=picture[1], v=picture[2])


def _odd(i: int) -> bool:
    """Half of all numbers, in no rhythm that those frames fall into which are looked at."""
    return bool((i * 2654435761 >> 16) & 1)


ATTACKS = {
    "size": Attack(lambda frame, i: _picture(frame, SMALL) if _odd(i) else frame),
    "size, slowly": Attack(lambda frame, i: _picture(frame, SMALL) if i // 10 % 2 else frame, fps=5),
    "size, each connection": Attack(lambda frame, i: _picture(frame, SMALL) if _odd(i) else frame, hangs_up=lambda _: True),
    "geometry": Attack(lambda frame, i: replace(frame, stored=Geometry(flipped=True)) if _odd(i) else frame),
    "matrix": Attack(lambda frame, i: replace(frame, matrix=Matrix.BT709) if _odd(i) else frame),
    "damage": Attack(lambda frame, i: replace(frame, intact=_odd(i)), fps=60),
    "black": Attack(lambda frame, i: _picture(frame, BLACK) if _odd(i) else frame, fps=60),
    "hangs up": Attack(lambda frame, _: frame, hangs_up=lambda _: True),
    "hangs up when it was good": Attack(lambda frame, _: frame, fps=5, hangs_up=lambda i: i % 55 == 54),
    "another place": Attack(lambda frame, i: _picture(frame, OTHER) if i // 40 % 2 else frame, fps=5),
}


FORMS = {"size", "size, slowly", "size, each connection", "geometry", "matrix"}


class Hostile(SyntheticSource):
    """One connection of an attacker; number: of the first frame, counted over all connections."""

    def __init__(self, attack: Attack, clock: FakeClock, numbers: Iterator[int], ends_ns: int) -> None:
        super().__init__([PLACE], clock)
        self._attack, self._time, self._numbers, self._ends_ns = attack, clock, numbers, ends_ns

    def frames(self) -> Iterator[Frame]:
        first = next(SyntheticSource([PLACE], self._time).frames())
        for i in self._numbers:
            self._time.sleep(NS_PER_S // self._attack.fps)
            now_ns = self._time.monotonic_ns()
            if now_ns >= self._ends_ns:
                raise EndError
            yield self._attack.frame(replace(first, monotonic_ns=now_ns, wall_ns=self._time.wall_ns()), i)
            if self._attack.hangs_up(i):
                raise SourceError("hung up", Reason.ENDED)


@pytest.mark.parametrize("name", ATTACKS)
def test_whatever_a_camera_does_its_worker_keeps_within_what_is_declared(name: str) -> None:
    random.seed(7)                      # spreads retries: the same ones in every run
    clock = Beating()
    inspector = Inspector([CameraId("gate")], Allowances(clock), SceneSection().covers_per_second)
    said: list[Outgoing] = []

    def emit(message: Outgoing, arrived_monotonic_ns: int = 0) -> None:
        said.append(message)
        outgoing = pipe_pb2.WorkerMessage(camera="gate")
        match message:
            case scene_pb2.SceneMessage():
                outgoing.scene.CopyFrom(message)
            case pipe_pb2.Promotion():
                outgoing.promotion.CopyFrom(message)
            case pipe_pb2.Log():
                outgoing.log.CopyFrom(message)
            case pipe_pb2.Health():
                outgoing.health.CopyFrom(message)
            case _:
                raise AssertionError(f"{type(message).__name__} was not asked for")
        inspector.inspect(outgoing.SerializeToString())

    numbers = iter(range(1_000_000))
    ends_ns = clock.monotonic_ns() + SIMULATED_NS

    def open_source(_: FrameConsumer) -> Hostile:
        return Hostile(ATTACKS[name], clock, numbers, ends_ns)

    pipeline = CameraPipeline(camera_settings(), emit, [Spotter(), Spotter()], Kept(), clock, open_source, session=7)

    def beat() -> None:
        pipeline.resend()               # a reader loses the thread all the time
        pipeline.heartbeat(1.0)

    clock.beat = beat
    with pytest.raises(EndError):
        pipeline.run()
    states = [m.state for m in said if isinstance(m, scene_pb2.SceneMessage) and m.WhichOneof("kind") == "state"]
    epochs = {state.grid.epoch for state in states if state.HasField("grid")}
    assert len(epochs) <= EPOCHS_AT_ONCE + SIMULATED_NS // EPOCH_EVERY_NS
    offline = scene_pb2.REASON_PROTOCOL in {state.reason for state in states}
    assert offline == (name in FORMS), "what changes its form all the time is offline for that"
    beats = SIMULATED_NS // NS_PER_S
    assert sum(isinstance(message, pipe_pb2.Health) for message in said) >= beats - 2, "a heartbeat every second, all the time"


def test_a_form_too_many_is_refused_and_a_camera_that_settles_is_taken_again() -> None:
    clock = FakeClock()
    changes = FormChanges(clock)
    large = next(SyntheticSource([PLACE], clock).frames())
    small = _picture(large, SMALL)
    for i in range(EPOCHS_AT_ONCE):
        changes.check(small if i % 2 else large)
    last, other = (small, large) if EPOCHS_AT_ONCE % 2 == 0 else (large, small)
    with pytest.raises(SourceError, match="again and again") as refused:
        changes.check(other)
    assert refused.value.reason is Reason.PROTOCOL
    changes.check(last)                 # what it was goes on
    clock.advance(EPOCH_EVERY_NS)
    changes.check(other)
    clock.advance(EPOCH_EVERY_NS // 2)
    changes.check(other)


def test_a_sub_stream_that_changes_its_form_all_the_time_is_closed_and_the_main_stream_goes_on() -> None:
    clock = FakeClock()
    frame = next(SyntheticSource([PLACE], clock).frames())
    main_came, sub_over, end = threading.Event(), threading.Event(), threading.Event()
    given: list[int] = []
    reached: list[bool] = []

    def main() -> Iterator[Frame]:
        yield frame
        main_came.set()
        reached.append(sub_over.wait(20))
        clock.advance(NS_PER_S)
        yield replace(frame, monotonic_ns=clock.monotonic_ns())
        end.set()
        raise EndError

    def sub() -> Iterator[Frame]:
        assert main_came.wait(20)
        if sub_over.is_set():
            end.wait(20)
            return
        try:
            for i in range(100):
                given.append(i)
                yield _picture(frame, SMALL) if i % 2 else frame
        finally:
            sub_over.set()

    pipeline = CameraPipeline(
        camera_settings(), lambda *_: None, [], Kept(), clock, lambda _: Scripted(main), session=7, open_sub=lambda _: Scripted(sub),
    )
    with pytest.raises(EndError):
        pipeline.run()
    assert reached == [True]
    assert len(given) == EPOCHS_AT_ONCE + 1, "the one too many was the last"
