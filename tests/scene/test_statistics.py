"""Kernels over pixels against plain references: block statistics and differences, the plain test, the test for another light."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.scene.pictures import SIZES_PX, place, random_planes

from privet.core.frame import Plane
from privet.core.grid import BoolGrid
from privet.scene.cover.difference import WHITE, differs, lit, same_texture
from privet.scene.statistics import (
    Statistics,
    block_differences,
    block_differences_reference,
    block_shifts,
    block_shifts_reference,
    block_statistics,
    block_statistics_reference,
)

sizes = st.sampled_from(SIZES_PX) | st.tuples(st.integers(1, 40), st.integers(1, 40))
seeds = st.integers(0, 2**32 - 1)
block_sides = st.sampled_from([8, 16, 32])


def blocks_of(size: tuple[int, int], block_px: int) -> tuple[int, int]:
    return -(-size[0] // block_px), -(-size[1] // block_px)


@given(sizes, seeds, st.booleans(), block_sides)
def test_block_statistics(size: tuple[int, int], seed: int, strided: bool, block_px: int) -> None:
    planes = random_planes(*size, seed, strided)
    got = block_statistics(*planes, block_px)
    assert got.shape == (4, *blocks_of(size, block_px))
    assert np.allclose(got, block_statistics_reference(*planes, block_px), rtol=1e-5, atol=1e-4)


@given(sizes, seeds, st.booleans(), block_sides)
def test_block_differences(size: tuple[int, int], seed: int, strided: bool, block_px: int) -> None:
    planes, others = random_planes(*size, seed, strided), random_planes(*size, seed + 1)
    wanted: BoolGrid = np.random.default_rng(seed).random(blocks_of(size, block_px)) < 0.7
    brighter = np.random.default_rng(seed).uniform(-12, 12, wanted.shape)
    got = block_differences(planes, others, block_px, wanted, brighter)
    expected = block_differences_reference(planes, others, block_px, wanted, brighter)
    assert np.allclose(got, expected, rtol=1e-5, atol=1e-3)
    assert not got[~wanted].any()


@given(sizes, seeds, st.booleans(), block_sides)
def test_block_shifts(size: tuple[int, int], seed: int, strided: bool, block_px: int) -> None:
    y, other = random_planes(*size, seed, strided)[0], random_planes(*size, seed + 1)[0]
    wanted: BoolGrid = np.random.default_rng(seed).random(blocks_of(size, block_px)) < 0.7
    got = block_shifts(y, other, block_px, wanted)
    assert np.allclose(got, block_shifts_reference(y, other, block_px, wanted), rtol=1e-4, atol=1e-3)
    assert not got[~wanted].any()


@pytest.mark.parametrize("shift_px", [0.1, 0.3])
@pytest.mark.parametrize("brighter", [0, 9])
def test_a_shift_of_part_of_a_pixel_stands_out_of_noise_that_hides_it_from_the_mean(shift_px: float, brighter: int) -> None:
    """A quarter of the blocks moves, under noise of two levels; the mean difference does not tell which."""
    draw = np.random.default_rng(7)
    columns = np.arange(256)
    wave = 40 * np.sin(2 * np.pi * columns / 9)
    moves = columns < 64
    shifted = np.where(moves, 40 * np.sin(2 * np.pi * (columns - shift_px) / 9), wave)
    still, moved = (120 + np.broadcast_to(each, (256, 256)) + draw.normal(0, 2, (256, 256)) for each in (wave, shifted))
    y, other = np.rint(moved + brighter).astype(np.uint8), np.rint(still).astype(np.uint8)
    everywhere = np.ones((32, 32), np.bool_)
    response = block_shifts(y, other, 8, everywhere)
    noise = float(np.median(response[:, 9:]))
    assert np.median(response[:, :7]) > (2.5 if shift_px < 0.2 else 7) * noise
    assert np.percentile(response[:, 9:], 99) < 4 * noise


@pytest.mark.parametrize("level", [0, 77, 255])
def test_flat_pictures_have_no_gradient(level: int) -> None:
    y, u, v = (np.full(shape, level, np.uint8) for shape in ((33, 17), (17, 9), (17, 9)))
    seen = block_statistics(y, u, v, 8)
    assert np.array_equal(seen[:3], np.full_like(seen[:3], level))
    assert not seen[3].any()


def random_statistics(draw: np.random.Generator, shape: tuple[int, int]) -> Statistics:
    return draw.uniform(0, 255, (4, *shape)).astype(np.float32)


@given(st.tuples(st.integers(0, 6), st.integers(0, 6)), seeds)
def test_lit(shape: tuple[int, int], seed: int) -> None:
    draw = np.random.default_rng(seed)
    mean = random_statistics(draw, shape)
    gain = draw.uniform(0.1, 4, shape).astype(np.float32)
    offset = draw.uniform(-60, 60, shape).astype(np.float32)
    expected = np.stack(
        [(mean[0] - 16) * gain + 16 + offset, (mean[1] - 128) * gain + 128, (mean[2] - 128) * gain + 128, mean[3] * gain]
    )
    assert np.allclose(lit(mean, gain, offset), expected, rtol=1e-5, atol=1e-3)


@given(st.tuples(st.integers(0, 6), st.integers(0, 6)), seeds)
def test_differs(shape: tuple[int, int], seed: int) -> None:
    draw = np.random.default_rng(seed)
    expected = random_statistics(draw, shape)
    seen = (expected + draw.normal(0, 6, expected.shape)).astype(np.float32)
    deviation = draw.uniform(0, 3, expected.shape).astype(np.float32)
    floors = draw.uniform(1, 8, 4).astype(np.float32)
    allowed = np.maximum(floors[:, None, None] + np.array([0, 0, 0, 0.25])[:, None, None] * expected, 4.0 * deviation)
    distance = seen - expected
    blown = expected[0] > WHITE
    distance[0] = np.where(blown & (distance[0] < 0), np.minimum(seen[0] - WHITE, 0), distance[0])
    distance[3] = np.where(blown, np.maximum(distance[3], 0), distance[3])
    distance = np.abs(distance)
    certain = np.abs(distance - allowed).min(axis=0, initial=1.0) > 1e-3  # rounding decides on the edge itself
    got = differs(seen, expected, deviation, floors, 4.0)
    assert np.array_equal(got[certain], (distance > allowed).any(axis=0)[certain])


@pytest.mark.parametrize(("seen_y", "same"), [(235.0, True), (250.0, True), (229.0, False), (262.0, False)])
def test_white_is_as_white_as_it_gets(seen_y: float, same: bool) -> None:
    """Asphalt that a step of light makes brighter than a camera can say; somebody dark in front of it, and a lamp, differ still."""
    expected = np.array([250, 128, 128, 9], np.float32).reshape(4, 1, 1)
    seen = np.array([seen_y, 128, 128, 0], np.float32).reshape(4, 1, 1)
    floors = np.array([5.0, 3.5, 3.5, 2.5], np.float32)
    assert bool(differs(seen, expected, np.zeros_like(seen), floors, 4.0)[0, 0]) is not same


def same_texture_reference(
    y: Plane, background_y: Plane, block_px: int, wanted: BoolGrid, chroma: NDArray[np.float32], noise: float
) -> tuple[BoolGrid, BoolGrid]:
    """The answer, and where it is certain: not within rounding of a limit."""
    same, certain = np.zeros_like(wanted), np.ones_like(wanted)
    for row, column in np.argwhere(wanted & (chroma <= 4.0)):
        window = (slice(row * block_px, (row + 1) * block_px), slice(column * block_px, (column + 1) * block_px))
        a, b = y[window].astype(np.float64).ravel(), background_y[window].astype(np.float64).ravel()
        covariance = float(((a - a.mean()) * (b - b.mean())).mean())
        variance_a, variance_b = float(a.var()), float(b.var())
        if variance_b <= 1e-6 or variance_a <= 1e-6:
            continue
        gain, correlation = covariance / variance_b, covariance / np.sqrt(variance_a * variance_b)
        same[row, column] = variance_b >= 16 * noise**2 and 0.3 <= gain <= 2.5 and correlation >= 0.9
        margins = (variance_b - 16 * noise**2, gain - 0.3, gain - 2.5, correlation - 0.9)
        certain[row, column] = min(abs(margin) for margin in margins) > 1e-6
    return same, certain


@given(sizes, seeds, st.booleans(), st.floats(0.1, 3.0), st.sampled_from([0.0, 2.0, 20.0]))
def test_same_texture(size: tuple[int, int], seed: int, strided: bool, gain: float, noise: float) -> None:
    draw = np.random.default_rng(seed)
    background_y = random_planes(*size, seed, strided)[0]
    dimmed = background_y * gain + draw.normal(0, draw.choice([0.5, 10, 60]), background_y.shape)
    y = np.clip(np.rint(dimmed), 0, 255).astype(np.uint8)
    shape = blocks_of(size, 8)
    wanted: BoolGrid = draw.random(shape) < 0.8
    chroma = draw.uniform(0, 6, shape).astype(np.float32)
    expected, certain = same_texture_reference(y, background_y, 8, wanted, chroma, noise)
    got = same_texture(y, background_y, 8, wanted, chroma, noise)
    assert np.array_equal(got[certain], expected[certain])
    assert not (got & ~wanted).any()


def test_a_shadow_is_the_same_texture_and_cloth_is_not() -> None:
    y = place()[0]
    wanted = np.ones((30, 40), np.bool_)
    chroma = np.zeros((30, 40), np.float32)
    shadow = np.rint((y - 16.0) * 0.6 + 16).astype(np.uint8)
    textured = same_texture(y, y, 8, wanted, chroma, 2.0)
    assert 100 < textured.sum() < 1200, "the place has blocks of either kind"
    assert (same_texture(shadow, y, 8, wanted, chroma, 2.0) >= textured).mean() > 0.98
    cloth = np.full_like(y, 60)
    assert not same_texture(cloth, y, 8, wanted, chroma, 2.0).any()
    assert not same_texture(y[:, ::-1].copy(), y, 8, wanted, chroma, 2.0)[:, :5].all()


def test_flat_blocks_never_pass_for_another_light() -> None:
    flat = np.full((16, 16), 90, np.uint8)
    darker = np.full((16, 16), 60, np.uint8)
    wanted = np.ones((2, 2), np.bool_)
    assert not same_texture(darker, flat, 8, wanted, np.zeros((2, 2), np.float32), 0.0).any()
