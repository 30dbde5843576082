from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.scenes import streams
from tests.render.places import (
    T0,
    S,
    background,
    block,
    cover,
    everything,
    light,
    nothing,
    patch,
    state,
    texture,
)

from privet.core.errors import NotFoundError
from privet.core.grid import Grid
from privet.core.scene import Condition, Scene
from privet.render.caption import caption, dimmed, strip
from privet.render.paint import COVER, UNPROVEN, Picture, render
from privet.render.painter import Painter, Span

GRID = Grid(160, 96)
PLACE = texture(160, 96)
STEP = S // 5


def painted(scenes: Iterable[Scene], span: Span) -> list[Picture]:
    return [picture.copy() for picture in Painter(scenes, span, camera="gate")]


def area(picture: Picture, grid: Grid = GRID) -> Picture:
    return picture[: grid.height_px, : grid.width_px]


def alive(from_s: int, to_s: int, first: int = 1000) -> list[Scene]:
    """A heartbeat a second."""
    return [state(first + second, GRID, T0 + second * S, until_ns=T0 + (second + 1) * S) for second in range(from_s, to_s)]


def test_a_frame_shows_what_was_said_by_then() -> None:
    here, there = block(GRID, (1, 1)), block(GRID, (8, 5))
    lit = light(5, GRID, [[150]], [[120]], T0 + 3 * STEP)
    scenes: list[Scene] = [
        background(1, GRID, PLACE),
        state(2, GRID),
        cover(3, GRID, here, T0),
        cover(4, GRID, there, T0 + 2 * STEP),
        lit,
    ]
    frames = painted(scenes, Span(T0, T0 + 5 * STEP, STEP))
    assert len(frames) == 5
    proven = everything(GRID)
    expected = [
        render(PLACE, proven, here, None, GRID), render(PLACE, proven, here, None, GRID),
        render(PLACE, proven, there, None, GRID), render(PLACE, proven, there, lit, GRID), render(PLACE, proven, there, lit, GRID),
    ]
    for frame, picture in zip(frames, expected, strict=True):
        assert np.array_equal(area(frame), picture)


def test_the_caption_stands_below_the_picture() -> None:
    scenes: list[Scene] = [background(1, GRID, PLACE), cover(2, GRID, nothing(GRID)), state(3, GRID)]
    frames = painted(scenes, Span(T0, T0 + 2 * S, S))
    for number, frame in enumerate(frames):
        line = strip(caption("gate", T0 + number * S, T0 - 3 * 3600 * S, UTC), 160)
        assert np.array_equal(frame[96 : 96 + line.shape[0]], line)
    assert not np.array_equal(frames[0][96:], frames[1][96:])


def test_background_is_as_old_as_its_first_patch_until_it_is_said_as_a_whole() -> None:
    scenes: list[Scene] = [
        background(1, GRID, PLACE, nothing(GRID)),
        *(patch(2 + after_s, GRID, (after_s, 0), everything(Grid(8, 8)), PLACE, T0 + after_s * S) for after_s in (1, 2)),
    ]
    frames = painted(scenes, Span(T0, T0 + 4 * S, S))
    for number, age_s in enumerate((None, 0, 1, 2)):
        line = strip(caption("gate", T0 + number * S, 0 if age_s is None else T0 + S, UTC), 160)
        assert np.array_equal(frames[number][96 : 96 + line.shape[0]], line)


def test_faster_than_it_was_nobody_slips_between_two_frames() -> None:
    walk = [cover(10 + step, GRID, block(GRID, (step, 3)), T0 + step * STEP) for step in range(20)]
    scenes: list[Scene] = [background(1, GRID, PLACE), state(2, GRID), *walk]
    scenes += alive(0, 6)
    scenes.sort(key=lambda scene: scene.head.wall_ns)
    frames = painted(scenes, Span(T0, T0 + 4 * S, S))
    # The second frame is about [0.2 s, 1 s]: blocks 1 to 5 were covered in it.
    row = area(frames[1])[3 * 8 + 4, 4::8]
    assert [tuple(pixel) == COVER for pixel in row] == [1 <= column <= 5 for column in range(20)]


def test_silence_is_drawn_as_silence() -> None:
    scenes: list[Scene] = [background(1, GRID, PLACE), cover(2, GRID, nothing(GRID)), state(3, GRID)]
    frames = painted(scenes, Span(T0, T0 + 6 * S, S))
    whole = render(PLACE, everything(GRID), nothing(GRID), None, GRID)
    assert [np.array_equal(area(frame), whole) for frame in frames] == [True, True, True, False, False, False]
    assert np.array_equal(area(frames[4]), dimmed(whole, "nothing heard for 4 s"))


def test_a_gap_ends_when_somebody_speaks_again() -> None:
    scenes: list[Scene] = [background(1, GRID, PLACE), cover(2, GRID, nothing(GRID)), state(3, GRID)]
    scenes += [cover(9, GRID, block(GRID, (0, 0)), T0 + 5 * S), state(10, GRID, T0 + 5 * S)]
    frames = painted(scenes, Span(T0, T0 + 6 * S, S))
    assert np.array_equal(area(frames[5]), render(PLACE, everything(GRID), block(GRID, (0, 0)), None, GRID))


def test_offline_is_said() -> None:
    scenes: list[Scene] = [background(1, GRID, PLACE), cover(2, GRID, nothing(GRID)), state(3, GRID)]
    scenes.append(state(4, GRID, T0 + S, Condition.OFFLINE))
    frames = painted(scenes, Span(T0, T0 + 2 * S, S))
    whole = render(PLACE, everything(GRID), nothing(GRID), None, GRID)
    assert np.array_equal(area(frames[1]), dimmed(whole, "camera offline"))


def test_the_place_grows_by_patches() -> None:
    scenes: list[Scene] = [background(1, GRID, PLACE, nothing(GRID)), cover(2, GRID, nothing(GRID)), state(3, GRID)]
    scenes.append(patch(4, GRID, (2, 1), np.ones((2, 3), np.bool_), PLACE, T0 + S))
    frames = painted(scenes, Span(T0, T0 + 2 * S, S))
    assert (area(frames[0]) == UNPROVEN).all()
    assert np.array_equal(area(frames[1])[8:24, 16:40], PLACE[8:24, 16:40])
    assert (area(frames[1])[24:] == UNPROVEN).all()


def test_odd_sizes_are_padded_with_black() -> None:
    grid = Grid(61, 47)
    scenes: list[Scene] = [background(1, grid, texture(61, 47)), cover(2, grid, nothing(grid)), state(3, grid)]
    painter = Painter(scenes, Span(T0, T0 + S, S))
    (frame,) = list(painter)
    assert painter.size_px == (frame.shape[1], frame.shape[0])
    assert frame.shape[0] % 2 == 0
    assert frame.shape[1] == 62
    assert np.array_equal(area(frame, grid), texture(61, 47))
    assert (frame[:47, 61] == 0).all()
    assert (frame[47, :62] == 0).all()


def test_another_size_is_fitted_in() -> None:
    other = Grid(320, 96, 8, 1)
    scenes: list[Scene] = [background(1, GRID, PLACE), cover(2, GRID, nothing(GRID)), state(3, GRID)]
    later = T0 + S
    scenes += [background(4, other, texture(320, 96), wall_ns=later), cover(5, other, nothing(other), later), state(6, other, later)]
    frames = painted(scenes, Span(T0, T0 + 2 * S, S))
    assert frames[0].shape == frames[1].shape
    assert area(frames[1])[:48].mean() > 50
    assert (area(frames[1])[48:] == 0).all()


def test_a_damaged_picture_is_drawn_as_unproven_and_said() -> None:
    scenes: list[Scene] = [
        replace(background(1, GRID, PLACE), image=b"no picture"), cover(2, GRID, block(GRID, (0, 0))), state(3, GRID)
    ]
    (frame,) = painted(scenes, Span(T0, T0 + S, S))
    flat = np.full_like(PLACE, UNPROVEN)
    shown = render(flat, nothing(GRID), block(GRID, (0, 0)), None, GRID)
    assert np.array_equal(area(frame), dimmed(shown, "the background's picture is damaged"))


def test_a_clock_that_steps_back_does_not_hold_anything_up() -> None:
    scenes: list[Scene] = [background(1, GRID, PLACE), state(2, GRID), cover(3, GRID, nothing(GRID), T0)]
    scenes += [cover(4, GRID, block(GRID, (0, 0)), T0 - 3600 * S, duration_ns=10 * S)]
    (frame,) = painted(scenes, Span(T0, T0 + S, S))
    assert tuple(frame[4, 4] * 2) != tuple(PLACE[4, 4])


def test_no_picture_at_all() -> None:
    for scenes in ([], [state(1, None)]):
        with pytest.raises(NotFoundError):
            Painter(scenes, Span(T0, T0 + S, S))


def test_spans() -> None:
    assert Span(0, 10, 3).frames == 4
    assert Span(0, 9, 3).frames == 3
    for bad in ((0, 0, 1), (5, 4, 1), (0, 5, 0)):
        with pytest.raises(ValueError, match="span"):
            Span(*bad)


def test_scenes_are_read_as_they_are_needed() -> None:
    read = 0

    def heard() -> Iterator[Scene]:
        nonlocal read
        for scene in [background(1, GRID, PLACE), cover(2, GRID, nothing(GRID)), *alive(0, 1000)]:
            read += 1
            yield scene

    frames = iter(Painter(heard(), Span(T0, T0 + 1000 * S, S)))
    for _ in range(10):
        next(frames)
    assert read <= 14


@given(streams(), st.integers(-(10**9), 10**10), st.integers(10**8, 10**9))
def test_any_stream_is_painted(sent: list[Scene], from_ns: int, step_ns: int) -> None:
    """Their images are no pictures, so every background is a damaged one: it is drawn all the same."""
    span = Span(T0 + from_ns, T0 + from_ns + 8 * step_ns, step_ns)
    try:
        painter = Painter(sent, span)
    except NotFoundError:
        assert all(getattr(scene, "grid", None) is None for scene in sent)
        return
    shapes = {picture.shape for picture in painter}
    assert shapes == {(painter.size_px[1], painter.size_px[0], 3)}
