"""The sub-stream watches what the main stream has proven: learned from its keyframes, covered at once, and never a proof by itself."""

from __future__ import annotations

import itertools
from contextlib import suppress

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.scene.pictures import Failing
from tests.scene.substream.test_alignment import place
from tests.scene.test_analyst import SETTINGS, detectors

from privet.core.clock import NS_PER_S
from privet.core.errors import DetectorError
from privet.core.frame import Frame, Matrix
from privet.core.frame_demand import Stream, Wanted
from privet.core.grid import Grid
from privet.core.scene import Condition
from privet.scene.analyst import Analyst
from privet.scene.demand import is_due
from privet.scene.light import CELL_COLUMNS, CELL_ROWS, quantise
from privet.scene.observation import Observation
from privet.scene.substream.view import SubView

FPS = 5
GOP = 5
MAIN = place(640, 360)
SUB = place(320, 180)


def frame(luma: NDArray[np.uint8], number: int, noise: int, *, keyframe: bool, intact: bool = True) -> Frame:
    random = np.random.default_rng(noise)
    noisy = np.clip(luma + random.normal(0, 0.8, luma.shape), 16, 235).astype(np.uint8)
    chroma = np.full((-(-luma.shape[0] // 2), -(-luma.shape[1] // 2)), 128, np.uint8)
    at_ns = NS_PER_S + number * NS_PER_S // FPS
    return Frame(noisy, chroma, chroma, at_ns, at_ns, keyframe, intact, Matrix.BT709)


def with_somebody(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Somebody in the middle of the picture."""
    height, width = luma.shape
    out = luma.copy()
    out[height // 3 : height * 5 // 6, width * 4 // 10 : width // 2] = 40
    return out


UNLEARNED = (slice(60, 84), slice(160, 184))        # of the sub-stream: nine blocks, fewer than two of a hundred


def restless(number: int) -> NDArray[np.uint8]:
    """The place in the sub-stream, with a patch that is never the same twice, so that it cannot be learned."""
    out = SUB.copy()
    out[UNLEARNED] = np.random.default_rng(number).integers(40, 200)
    return out


def with_somebody_unlearned(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Somebody who fills that patch, in either stream."""
    scale = luma.shape[0] // SUB.shape[0]
    rows, columns = UNLEARNED
    out = luma.copy()
    out[rows.start * scale : rows.stop * scale, columns.start * scale : columns.stop * scale] = 30
    return out


def asks_keyframes(analyst: Analyst) -> bool:
    """Whether the main stream's keyframes are asked for, and not one now and then."""
    return analyst.demand.main.wanted_if_behind is Wanted.KEYFRAMES


def watches(analyst: Analyst) -> Stream:
    """The stream that covers are taken from; a type checker takes a property that was compared for a constant."""
    return analyst.demand.watched


class Both:
    """A camera with both streams, as a worker hands them to its analyst. main_seen: how many frames of the main stream it took."""

    def __init__(self, gop: int = GOP) -> None:
        self.gop = gop
        self.detectors = Failing((200, 200)), Failing((220, 220))
        self.analyst = Analyst(SETTINGS, self.detectors)
        self.number = 0
        self.main_seen = 0
        self.whole = True
        self.told: list[Observation] = []

    def show(
        self, seconds: float, main: NDArray[np.uint8] = MAIN, sub: NDArray[np.uint8] | None = SUB, *, intact: bool = True
    ) -> None:
        for _ in range(round(seconds * FPS)):
            keyframe = self.number % self.gop == 0
            if sub is not None:
                small = frame(sub, self.number, 2 * self.number, keyframe=keyframe, intact=intact)
                if is_due(self.analyst.demand.sub, small) and (seen := self.analyst.sub.observe(small)) is not None:
                    self.told.append(seen)
            if keyframe:
                self.whole = self.analyst.demand.main.wanted is Wanted.ALL
            wanted = self.whole or (keyframe and asks_keyframes(self.analyst))
            large = frame(main, self.number, 2 * self.number + 1, keyframe=keyframe)
            if wanted and is_due(self.analyst.demand.main, large):
                self.main_seen += 1
                with suppress(DetectorError):
                    self.told.append(self.analyst.observe(large))
            self.number += 1

    def lose_detectors(self) -> None:
        """From the next look on they fail."""
        for each in self.detectors:
            each.failed = True


@pytest.fixture(scope="module")
def watched() -> Both:
    """A camera whose sub-stream has been learned."""
    both = Both()
    both.show(40)
    assert both.analyst.background is not None
    assert both.analyst.background.proven.mean() > 0.9
    assert both.analyst.demand.watched is Stream.SUB
    return both


@pytest.fixture
def fresh() -> Both:
    """A camera that has just proven its place, of which the sub-stream has learned nothing yet."""
    return proven_to(0.9)


def proven_to(share: float) -> Both:
    both = Both()
    while both.analyst.background is None or not both.analyst.background.proven.mean() > share:
        assert both.number < 40 * FPS
        both.show(1 / FPS)
    assert both.analyst.demand.watched is Stream.SUB
    return both


def test_while_all_is_to_be_proven_the_main_streams_keyframes_are_enough() -> None:
    both = Both()
    both.show(2)
    assert both.analyst.demand.watched is Stream.SUB
    before = both.main_seen
    both.show(5)
    assert both.main_seen - before == 5 * FPS // GOP
    both.show(10)
    assert both.analyst.background is not None
    assert both.analyst.background.proven.mean() > 0.9


def test_by_keyframes_alone_nothing_is_proven_and_the_whole_stream_is_asked_for_when_nothing_else_is_lacking() -> None:
    both = Both()
    both.show(2)
    while both.analyst.demand.main.wanted is not Wanted.ALL:
        assert both.number < 20 * FPS
        both.show(1 / FPS)
    background = both.analyst.background
    assert background is not None
    asked, before = both.number, both.main_seen
    while not background.proven.any():
        assert both.number < asked + 20 * FPS
        both.show(1 / FPS)
    assert both.number - asked >= 5 * FPS       # of the six seconds, one was watched whole before the two pictures were compared
    assert both.main_seen - before >= 4 * FPS
    both.show(10)
    assert background.proven.mean() > 0.9
    before = both.main_seen
    both.show(5)
    assert both.main_seen - before <= FPS


def test_a_main_stream_of_keyframes_alone_is_proven() -> None:
    both = Both(gop=1)
    both.show(40)
    assert both.analyst.background is not None
    assert both.analyst.background.proven.mean() > 0.9


def test_somebody_whom_only_pictures_between_keyframes_show_is_not_proven() -> None:
    """In the sub-stream they are not seen at all."""
    both = Both()
    for number in range(60 * FPS):
        both.show(1 / FPS, with_somebody(MAIN) if number % GOP == 3 else MAIN)
    background = both.analyst.background
    assert background is not None
    rows, columns = background.proven.shape
    assert not background.proven[rows // 3 : rows * 5 // 6, columns * 4 // 10 : columns // 2].any()
    assert background.proven.any()


def test_what_moves_in_the_sub_stream_ends_the_proofs_around_it() -> None:
    """Between two keyframes of the main stream, where it alone is looked at."""
    both = Both()
    for _ in range(20):
        both.show(2 / FPS)
        both.show(1 / FPS, with_somebody(MAIN), with_somebody(SUB))     # never in the fifth picture, which is the keyframe
        both.show(2 / FPS)
    background = both.analyst.background
    assert background is not None
    rows, columns = background.proven.shape
    assert not background.proven[rows // 3 : rows * 5 // 6, columns * 4 // 10 : columns // 2].any()
    assert background.proven.any()


def test_whoever_comes_before_the_sub_stream_has_learned_is_covered_until_a_keyframe_shows_that_they_left(fresh: Both) -> None:
    fresh.show(1 / FPS, with_somebody(MAIN), with_somebody(SUB))
    told = len(fresh.told)
    fresh.show(6, with_somebody(MAIN), with_somebody(SUB))
    rows, columns = fresh.told[-1].cover.shape
    inside = np.s_[rows // 3 + 1 : rows * 5 // 6 - 1, columns * 4 // 10 + 1 : columns // 2 - 1]
    assert all(seen.cover[inside].all() for seen in fresh.told[told - 1 :])
    fresh.show(4)
    assert not fresh.told[-1].cover.any()


def test_before_the_sub_stream_has_learned_the_main_stream_tells_that_the_picture_fits_no_longer(fresh: Both) -> None:
    other = 251 - MAIN[::-1], 251 - SUB[::-1]
    fresh.show(4, *(np.ascontiguousarray(each) for each in other))
    assert fresh.told[-1].condition is Condition.BLIND
    assert fresh.told[-1].cover.all()
    assert fresh.analyst.demand.watched is Stream.MAIN


def test_before_the_sub_stream_has_learned_light_is_told_by_the_main_stream() -> None:
    fresh = proven_to(0.1)
    told = len(fresh.told)
    fresh.show(3, *(np.clip(each * 0.95 + 0.8, 16, 235).astype(np.uint8) for each in (MAIN, SUB)))
    lights = [seen.light for seen in fresh.told[told:] if seen.light is not None]
    plain = quantise(np.ones((CELL_ROWS, CELL_COLUMNS), np.float32), np.zeros((CELL_ROWS, CELL_COLUMNS), np.float32))[0]
    assert lights
    assert all((gain < plain).all() for gain, _ in lights)


def test_somebody_in_the_sub_stream_is_covered_at_once_and_uncovered_afterwards(watched: Both) -> None:
    watched.show(2)
    assert not watched.told[-1].cover.any()
    watched.show(1, with_somebody(MAIN), with_somebody(SUB))
    rows, columns = watched.told[-1].cover.shape
    cover = watched.told[-1].cover
    assert cover[rows // 2, columns * 45 // 100]
    assert cover[rows // 3 + 1 : rows * 5 // 6 - 1, columns * 4 // 10 + 1 : columns // 2 - 1].all()
    assert cover.mean() < 0.4
    watched.show(4)
    assert not watched.told[-1].cover.any()


def test_when_nothing_waits_the_main_stream_is_hardly_looked_at(watched: Both) -> None:
    watched.lose_detectors()
    watched.show(12)
    before = watched.main_seen
    watched.show(10)
    assert not asks_keyframes(watched.analyst)
    assert watched.main_seen == before
    assert watched.analyst.demand.main.quiet


def test_what_stays_is_looked_at_in_the_main_stream(watched: Both) -> None:
    watched.show(12, with_somebody(MAIN), with_somebody(SUB))
    assert asks_keyframes(watched.analyst)
    watched.show(5)
    assert not watched.told[-1].cover.any()


@pytest.fixture
def partly() -> Both:
    """A camera whose sub-stream has been learned but for a patch, of which the main stream knows everything."""
    both = Both()
    both.show(20, MAIN, None)
    for _ in range(20 * FPS):
        both.show(1 / FPS, MAIN, restless(both.number))
    background = both.analyst.background
    assert background is not None
    assert background.proven[15:21, 40:46].all()
    assert both.analyst.demand.watched is Stream.SUB
    both.lose_detectors()
    return both


def test_whoever_stands_where_the_sub_stream_knows_nothing_is_covered_until_the_main_stream_says_that_they_left(partly: Both) -> None:
    told = len(partly.told)
    partly.show(30, with_somebody_unlearned(MAIN), with_somebody_unlearned(SUB))
    assert all(seen.cover[16:20, 41:45].all() for seen in partly.told[told + 1 :])
    partly.show(40)
    assert not partly.told[-1].cover.any()


def test_what_cannot_be_learned_does_not_keep_the_main_stream_busy(partly: Both) -> None:
    before = partly.main_seen
    for _ in range(60 * FPS):
        partly.show(1 / FPS, MAIN, restless(partly.number))
    assert partly.analyst.demand.watched is Stream.SUB
    assert 3 <= partly.main_seen - before <= 12     # of sixty keyframes


def test_a_damaged_sub_stream_covers_everything(watched: Both) -> None:
    watched.show(1, intact=False)
    assert watched.told[-1].condition is Condition.BLIND
    assert watched.told[-1].cover.all()
    watched.show(3)
    assert not watched.told[-1].cover.any()


def test_without_the_sub_stream_the_main_stream_is_watched_again(watched: Both) -> None:
    watched.analyst.sub.lose()
    assert watches(watched.analyst) is Stream.MAIN
    watched.show(1)
    assert watches(watched.analyst) is Stream.SUB


def test_the_sub_stream_alone_proves_nothing() -> None:
    analyst = Analyst(SETTINGS, detectors())
    analyst.observe(frame(MAIN, 0, 1, keyframe=True))
    background = analyst.background
    assert background is not None
    for number in range(1, 40 * FPS):
        small = frame(SUB, number, number, keyframe=number % GOP == 0)
        if is_due(analyst.demand.sub, small):
            assert analyst.sub.observe(small) is None
    assert not background.proven.any()


def test_a_sub_stream_of_another_place_is_refused() -> None:
    both = Both()
    other = np.ascontiguousarray(SUB[:, ::-1])
    for _ in range(7):
        both.show(11, MAIN, other)
    assert both.analyst.demand.sub_refused
    assert both.analyst.demand.watched is Stream.MAIN


def lit_by(luma: NDArray[np.uint8], gain: float) -> NDArray[np.uint8]:
    lit: NDArray[np.uint8] = np.clip((luma - 16.0) * gain + 16.0, 16, 235).astype(np.uint8)
    return lit


def test_light_that_is_switched_is_nobody_whenever_it_was_fitted_last(watched: Both) -> None:
    watched.show(2)
    for _ in range(3):                      # 1.4 s each: at another moment between two fits each time
        for gain in (0.7, 1.0):
            told = len(watched.told)
            watched.show(1.4, lit_by(MAIN, gain), lit_by(SUB, gain))
            assert not any(seen.cover.any() for seen in watched.told[told:])


def test_while_nothing_changes_light_is_fitted_once_a_second() -> None:
    """Every frame has noise of its own, so that each fit comes to another light: how often it is another says how often it was fitted."""
    grid, seconds = Grid(640, 360, 8), 16
    view = SubView(grid, frame(SUB, 0, 0, keyframe=True))
    everywhere = np.ones(grid.shape, np.bool_)
    plain = np.ones((CELL_ROWS, CELL_COLUMNS), np.float32), np.zeros((CELL_ROWS, CELL_COLUMNS), np.float32)
    lights: list[NDArray[np.float32]] = []
    for number in range(seconds * FPS):
        keyframe = number % GOP == 0
        seen = view.observe(frame(SUB, number, 2 * number, keyframe=keyframe))
        if seen is not None and number >= (seconds - 8) * FPS:
            lights.append(np.stack(seen.light))
        if keyframe:
            view.compare(frame(MAIN, number, 2 * number + 1, keyframe=True))
            view.teach(everywhere, everywhere, plain)
    assert view.knows, "before, every block that is learned has it fitted anew"
    assert len(lights) == 8 * FPS
    assert 7 <= sum(not np.array_equal(*two) for two in itertools.pairwise(lights)) <= 8
