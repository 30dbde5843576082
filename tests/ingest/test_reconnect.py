from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from types import TracebackType
from typing import Self

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privet.core.backoff import REFUSED
from privet.core.clock import NS_PER_MS, NS_PER_S, FakeClock
from privet.core.errors import SourceError
from privet.core.frame import Frame
from privet.core.scene import Reason
from privet.ingest.reconnect import Attempt, Link, LinkState, Reconnector
from privet.ingest.source import Source, SourceStatistics
from privet.ingest.synthetic import SyntheticSource, grey_picture

PICTURE = grey_picture(np.full((8, 8), 90, np.uint8))


class BrokenSource:
    """A camera that takes `delay_ns` to fail, without a frame."""

    def __init__(self, clock: FakeClock, reason: Reason, delay_ns: int = 0) -> None:
        self._clock, self._reason, self._delay_ns = clock, reason, delay_ns
        self.closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def frames(self) -> Iterator[Frame]:
        self._clock.advance(self._delay_ns)
        failure = SourceError("the camera is broken", self._reason)
        if not self.closed:
            raise failure
        yield from ()

    def statistics(self) -> SourceStatistics:
        return SourceStatistics(packets=1)

    def close(self) -> None:
        self.closed = True


def run(
    make: Callable[[], Source], clock: FakeClock, until_ns: int, *, stop_at_end: bool = False, random: float = 0.5
) -> tuple[list[tuple[int, Link]], list[Frame]]:
    """All changes of state, with their time, and all frames, until `until_ns`."""
    changes: list[tuple[int, Link]] = []
    frames: list[Frame] = []

    def made() -> Source:
        if clock.monotonic >= until_ns:
            reconnector.close()
        return make()

    reconnector = Reconnector(made, clock, lambda: random, lambda link: changes.append((clock.monotonic, link)), stop_at_end=stop_at_end)
    for frame in reconnector.frames():
        frames.append(frame)
        if clock.monotonic >= until_ns:
            reconnector.close()
    return changes, frames


def test_waits_grow_and_each_is_told() -> None:
    clock = FakeClock(monotonic=0)
    changes, frames = run(lambda: BrokenSource(clock, Reason.UNREACHABLE), clock, 120 * NS_PER_S)
    waits = [link.delay_ns for _, link in changes if link.state is LinkState.WAITING]
    assert waits[:5] == [0, 750 * NS_PER_MS, 1500 * NS_PER_MS, 3 * NS_PER_S, 4_500 * NS_PER_MS]
    assert set(waits[5:]) <= {4_500 * NS_PER_MS, 0}
    first = changes[1][1]
    assert (first.state, first.attempt, first.connects, first.reason) == (LinkState.WAITING, 1, 0, Reason.UNREACHABLE)
    assert first.message == "the camera is broken"
    assert changes[-1][1].state is LinkState.CLOSED
    assert not frames


def test_the_clock_moves_by_what_was_said() -> None:
    clock = FakeClock(monotonic=0)
    changes, _ = run(lambda: BrokenSource(clock, Reason.STALLED), clock, 60 * NS_PER_S)
    for (at_ns, link), (next_ns, following) in pairwise(changes):
        if link.state is LinkState.WAITING and following.state is LinkState.CONNECTING:
            assert next_ns - at_ns == link.delay_ns


def test_ten_good_seconds_forgive_everything() -> None:
    clock = FakeClock(monotonic=0)
    lives = iter(range(100))

    def make() -> Source:
        if next(lives) < 4:
            return BrokenSource(clock, Reason.UNREACHABLE)
        return SyntheticSource(lambda _: PICTURE, clock, fps=10, count=102, paced=True)

    changes, frames = run(make, clock, 40 * NS_PER_S)
    after = [link for _, link in changes if link.state is LinkState.WAITING][4:]
    assert [link.delay_ns for link in after] == [0] * len(after)
    assert [link.connects for link in after] == list(range(1, len(after) + 1))
    assert len(frames) > 200


def test_a_camera_that_gives_a_frame_and_dies_is_not_forgiven() -> None:
    clock = FakeClock(monotonic=0)
    changes, frames = run(lambda: SyntheticSource([PICTURE], clock), clock, 60 * NS_PER_S)
    waits = [link.delay_ns for _, link in changes if link.state is LinkState.WAITING]
    assert waits[:3] == [0, 750 * NS_PER_MS, 1500 * NS_PER_MS]
    assert len(frames) <= 20


def test_damaged_frames_are_no_good_time() -> None:
    attempt = Attempt(failures=3)
    for second in range(30):
        attempt = attempt.seen(second % 5 != 0, second * NS_PER_S)
    assert attempt.failures == 3
    for second in range(30, 45):
        attempt = attempt.seen(True, second * NS_PER_S)
    assert attempt.failures == 0


def test_a_wrong_password_is_tried_slowly_from_the_start() -> None:
    clock = FakeClock(monotonic=0)
    changes, _ = run(lambda: BrokenSource(clock, Reason.REFUSED), clock, 600 * NS_PER_S, random=0.0)
    waits = [link.delay_ns for _, link in changes if link.state is LinkState.WAITING]
    assert min(waits) >= REFUSED.longest_ns // 2


def test_a_file_ends() -> None:
    clock = FakeClock()
    reconnector = Reconnector(lambda: SyntheticSource([PICTURE] * 3, clock), clock, lambda: 0.5, stop_at_end=True)
    with pytest.raises(SourceError) as failure:
        for _ in reconnector.frames():
            pass
    assert failure.value.reason is Reason.ENDED
    assert reconnector.statistics().frames_decoded == 3
    assert reconnector.connects == 1


def test_statistics_add_up_over_lives_and_sources_are_closed() -> None:
    clock = FakeClock(monotonic=0)
    made: list[BrokenSource] = []

    def make() -> Source:
        made.append(BrokenSource(clock, Reason.DAMAGED))
        return made[-1]

    reconnector = Reconnector(make, clock, lambda: 0.5, lambda link: reconnector.close() if link.attempt == 5 else None)
    assert list(reconnector.frames()) == []
    assert len(made) == 5
    assert reconnector.statistics().packets == 5
    assert all(source.closed for source in made)


def test_an_opener_that_fails_is_waited_for_like_a_camera() -> None:
    clock = FakeClock(monotonic=0)

    def make() -> Source:
        raise SourceError("no such URL", Reason.PROTOCOL)

    changes, frames = run(make, clock, 30 * NS_PER_S)
    assert not frames
    assert {link.reason for _, link in changes if link.state is LinkState.WAITING} == {Reason.PROTOCOL}


OUTCOMES = st.lists(
    st.one_of(
        st.tuples(st.just("broken"), st.sampled_from([r for r in Reason if r is not Reason.NONE]), st.integers(0, 2 * NS_PER_S)),
        st.tuples(st.just("lives"), st.integers(1, 150), st.booleans()),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(OUTCOMES, st.floats(0, 1, exclude_max=True))
def test_attempts_in_any_minute_are_bounded(outcomes: list[tuple[str, object, object]], random: float) -> None:
    """Whatever a camera does, it is tried at most thirty times in any minute."""
    clock = FakeClock(monotonic=0)
    number = 0

    def make() -> Source:
        nonlocal number
        kind, first, second = outcomes[number % len(outcomes)]
        number += 1
        if kind == "broken":
            assert isinstance(first, Reason)
            assert isinstance(second, int)
            return BrokenSource(clock, first, second)
        assert isinstance(first, int)
        damaged = {0} if second else set()
        return SyntheticSource(lambda _: PICTURE, clock, fps=2, count=first // 3 + 1, gop=1000, damaged=damaged, paced=True)

    changes, _ = run(make, clock, 3 * 60 * NS_PER_S, random=random)
    tries_ns = [at_ns for at_ns, link in changes if link.state is LinkState.CONNECTING]
    for begin_ns in tries_ns:
        assert sum(begin_ns <= at_ns < begin_ns + 60 * NS_PER_S for at_ns in tries_ns) <= 30
