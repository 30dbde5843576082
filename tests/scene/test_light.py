"""Light: fitted as it is, robust, interpolated where starved, and coded as readers decode it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.core.grid import Grid
from privet.core.scene import Head, Light
from privet.render.paint import render
from privet.scene.light import CELL_COLUMNS, CELL_ROWS, fill_starved, fit_light, quantise, spread

SHAPE = (72, 96)
seeds = st.integers(0, 2**32 - 1)


def a_background(draw: np.random.Generator) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return draw.uniform(40, 220, SHAPE).astype(np.float32)


@given(seeds, st.floats(0.2, 3.0))
def test_a_gain_is_recovered(seed: int, gain: float) -> None:
    draw = np.random.default_rng(seed)
    background = a_background(draw)
    seen = ((background - 16) * gain + 16 + draw.normal(0, 0.5, SHAPE)).astype(np.float32)
    gains, offsets = fit_light(seen, background, np.ones(SHAPE, np.bool_))
    assert gains.shape == offsets.shape == (CELL_ROWS, CELL_COLUMNS)
    assert np.abs(gains / gain - 1).max() < 0.03
    assert np.abs(offsets).max() < 1.5


@given(seeds, st.floats(0.4, 2.0))
def test_a_third_that_is_something_else_does_not_matter(seed: int, gain: float) -> None:
    draw = np.random.default_rng(seed)
    background = a_background(draw)
    seen = (background - 16) * gain + 16 + draw.normal(0, 0.5, SHAPE)
    strangers = draw.random(SHAPE) < 0.3
    seen[strangers] = draw.uniform(16, 235, SHAPE)[strangers]
    gains, _ = fit_light(seen.astype(np.float32), background, np.ones(SHAPE, np.bool_))
    # A fifth of the samples on one side move a median, but not far; a least-squares fit would be off by half.
    assert np.abs(gains / gain - 1).max() < 0.2
    assert np.abs(np.median(gains) / gain - 1) < 0.06


@given(seeds)
def test_what_is_covered_is_not_fitted_on(seed: int) -> None:
    draw = np.random.default_rng(seed)
    background = a_background(draw)
    seen = background.copy()
    usable = np.ones(SHAPE, np.bool_)
    usable[20:70, 10:90] = False
    seen[~usable] = draw.uniform(0, 255)
    gains, offsets = fit_light(seen, background, usable)
    assert np.allclose(gains, 1, atol=1e-5)
    assert np.allclose(offsets, 0, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (5, 3), (9, 16), SHAPE])
def test_without_anything_to_fit_on_the_light_is_the_background_s(shape: tuple[int, int]) -> None:
    values = np.full(shape, 100, np.float32)
    gains, offsets = fit_light(values * 2, values, np.zeros(shape, np.bool_))
    assert gains.shape == (min(shape[0], CELL_ROWS), min(shape[1], CELL_COLUMNS))
    assert (gains == 1).all()
    assert not offsets.any()


@given(st.tuples(st.integers(1, 9), st.integers(1, 16)), seeds)
def test_starved_cells_are_filled_from_their_neighbours(shape: tuple[int, int], seed: int) -> None:
    draw = np.random.default_rng(seed)
    values = draw.uniform(0.5, 2, shape).astype(np.float32)
    fitted = draw.random(shape) < 0.4
    fitted[draw.integers(0, shape[0]), draw.integers(0, shape[1])] = True
    filled = fill_starved(np.where(fitted, values, np.nan).astype(np.float32), fitted)
    assert np.array_equal(filled[fitted], values[fitted])
    assert filled.min() >= values[fitted].min() - 1e-5
    assert filled.max() <= values[fitted].max() + 1e-5
    lone = np.zeros(shape, np.bool_)
    lone[0, 0] = True
    assert np.allclose(fill_starved(values, lone), values[0, 0])


@given(st.tuples(st.integers(1, 9), st.integers(1, 16)), st.tuples(st.integers(1, 30), st.integers(1, 40)), seeds)
def test_spread(cells: tuple[int, int], blocks: tuple[int, int], seed: int) -> None:
    values = np.random.default_rng(seed).uniform(0, 3, cells).astype(np.float32)
    down = np.array([np.interp((np.arange(blocks[0]) + 0.5) * cells[0] / blocks[0] - 0.5, np.arange(cells[0]), column)
                     for column in values.T.astype(np.float64)])
    expected = np.array([np.interp((np.arange(blocks[1]) + 0.5) * cells[1] / blocks[1] - 0.5, np.arange(cells[1]), row)
                         for row in down.T])
    assert np.allclose(spread(values, *blocks), expected, atol=1e-4)


@given(st.floats(1 / 16, 15), st.floats(-64, 64))
def test_coding_is_the_readers_decoding(gain: float, offset: float) -> None:
    """A grey picture drawn by render under a coded light is the grey that the light makes of it."""
    coded = quantise(np.full((1, 1), gain, np.float32), np.full((1, 1), offset, np.float32))
    assert coded[0].dtype == coded[1].dtype == np.uint8
    grid = Grid(8, 8)
    base_y = 100.0
    srgb = (base_y - 16) * 255 / 219
    picture = np.full((8, 8, 3), round(srgb), np.uint8)
    proven = np.ones((1, 1), np.bool_)
    shown = render(picture, proven, None, Light(Head(1, 1, 0), 0, *coded), grid)
    wanted = np.clip(((base_y - 16) * gain + offset) * 255 / 219, 0, 255)
    # A 64th of an octave on either side, and the rounding of picture, offset and result.
    assert abs(float(shown[0, 0, 0]) - wanted) <= wanted * (2 ** (1 / 64) - 1) + gain / 2 + 3


@given(st.floats(1 / 16, 15), st.floats(-64, 64))
def test_coding_is_as_fine_as_it_says(gain: float, offset: float) -> None:
    gains, offsets = quantise(np.full((1, 1), gain, np.float32), np.full((1, 1), offset, np.float32))
    decoded = 2.0 ** ((float(gains[0, 0]) - 128) / 32)
    assert abs(np.log2(decoded / gain)) <= 1 / 64 + 1e-3 or gains[0, 0] in (0, 255)
    assert abs(float(offsets[0, 0]) - 128 - offset * 255 / 219) <= 0.51


def test_absurd_lights_are_kept_within_a_byte() -> None:
    gains, offsets = quantise(np.array([[0.0, 1e9]], np.float32), np.array([[-1e9, 1e9]], np.float32))
    assert gains.tolist() == [[0, 255]]
    assert offsets.tolist() == [[0, 255]]
