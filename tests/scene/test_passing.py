"""Who passes by is told from who is there, and in doubt they are there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scene.pictures import bool_grids

from privet.core.clock import NS_PER_S
from privet.core.grid import BoolGrid
from privet.scene.passing import MOST_BLOBS, REMEMBER_NS, Passing

BODY = 8
SHAPE = (40, 80)


def boxes(*corners: tuple[int, int, int, int]) -> BoolGrid:
    """Blocks within any of the boxes: top, bottom, left, right."""
    grid = np.zeros(SHAPE, np.bool_)
    for top, bottom, left, right in corners:
        grid[max(top, 0) : bottom, max(left, 0) : right] = True
    return grid


def walker(step: int) -> tuple[int, int, int, int]:
    return (10, 18, step, step + 4)


def test_a_walker_passes_once_a_body_height_is_behind_them() -> None:
    passing = Passing(BODY)
    found = [passing.update(boxes(walker(step)), step * NS_PER_S // 5) for step in range(20)]
    first = next(step for step, each in enumerate(found) if each.any())
    assert BODY <= first <= BODY + 2, "at the picture's edge the blob grows before it goes"
    assert all(np.array_equal(each, boxes(walker(step))) for step, each in enumerate(found) if step >= first)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=5, max_size=40))
def test_somebody_who_fidgets_is_there(offsets: list[tuple[int, int]]) -> None:
    """Whatever moves within one body height never passes."""
    passing = Passing(BODY)
    for number, (down, aside) in enumerate(offsets):
        motion = boxes((10 + down, 12 + down, 20 + aside, 22 + aside))
        assert not passing.update(motion, number * NS_PER_S // 5).any()


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=5, max_size=30))
def test_a_bench_full_of_people_is_there(moving: list[tuple[int, int]]) -> None:
    """All move, then only those at one end: the middle of the motion wanders, but nobody has gone anywhere."""
    passing = Passing(BODY)
    seats = [(10, 16, 10 + 6 * seat, 16 + 6 * seat) for seat in range(4)]
    for number, (first, last) in enumerate(moving):
        now_ns = number * 2 * NS_PER_S // 5
        assert not passing.update(boxes(*seats), now_ns).any()
        some = seats[min(first, last) : max(first, last) + 1]
        assert not passing.update(boxes(*some), now_ns + NS_PER_S // 5).any()


def test_who_is_passed_is_there() -> None:
    """While both are one blob, and after."""
    passing = Passing(BODY)
    sitter = (12, 16, 40, 43)
    for step in range(78):
        found = passing.update(boxes(walker(step), sitter), step * NS_PER_S // 10)
        assert not found[12:16, 40:43].any() or step in range(44, 56), "but for the moment after they part"
    assert not found[12:16, 40:43].any()


def test_somebody_s_passing_is_forgotten_after_some_seconds() -> None:
    passing = Passing(BODY)
    for step in range(20):
        found = passing.update(boxes(walker(step)), step * NS_PER_S // 5)
    assert found.any()
    arrived_ns = 19 * NS_PER_S // 5
    for number in range(1, 60):
        now_ns = arrived_ns + number * NS_PER_S // 5
        found = passing.update(boxes((10, 18, 19 + number % 2, 23 + number % 2)), now_ns)
        if now_ns - arrived_ns > REMEMBER_NS:
            assert not found.any()


def test_who_paused_has_no_past() -> None:
    passing = Passing(BODY)
    for step in range(20):
        found = passing.update(boxes(walker(step)), step * NS_PER_S // 5)
    assert found.any()
    assert not passing.update(boxes(), 20 * NS_PER_S // 5).any()
    assert not passing.update(boxes(walker(20)), 21 * NS_PER_S // 5).any()


def test_in_rain_nobody_passes() -> None:
    passing = Passing(BODY)
    for step in range(20):
        rain = np.zeros(SHAPE, np.bool_)
        rain[::4, step % 4 :: 4] = True
        assert int(rain.sum()) >= MOST_BLOBS - 10
        found = passing.update(rain | boxes(walker(step)), step * NS_PER_S // 5)
    assert not found.all()


@settings(max_examples=40)
@given(st.lists(bool_grids(10), max_size=6), st.integers(1, 12))
def test_only_motion_passes(motions: list[BoolGrid], body: int) -> None:
    passing = Passing(body)
    for number, motion in enumerate(motions):
        if motion.shape == motions[0].shape:
            assert not (passing.update(motion, number) & ~motion).any()


@pytest.mark.parametrize("body", [1, 100])
def test_a_first_frame_tells_nothing(body: int) -> None:
    assert not Passing(body).update(np.ones(SHAPE, np.bool_), 0).any()
