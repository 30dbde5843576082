"""Views for detectors: the geometry there and back, and the sampling kernel against a plain reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.scene.pictures import RED, SIZES_PX, frame_of, full, place, random_planes

from privet.core.frame import Matrix
from privet.scene.proof.looks import TRANSFORMS
from privet.scene.proof.views import OUTSIDE, RGB_COEFFICIENTS, Affine, RgbPicture, Tile, Transform, apply, input_to_picture, invert, sample

tiles = st.builds(Tile, st.floats(-5, 40), st.floats(-5, 40), st.floats(4, 90), st.floats(4, 90))
transforms = st.builds(
    Transform, st.booleans(), st.floats(-20, 20), st.floats(0.6, 1.2), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2)
)


def bilinear(plane: NDArray[np.uint8], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = plane.shape
    left, top = np.maximum(x - 0.5, 0).astype(np.int64), np.maximum(y - 0.5, 0).astype(np.int64)
    across, down = np.clip(x - 0.5 - left, 0, 1), np.clip(y - 0.5 - top, 0, 1)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    values = plane.astype(np.float64)
    upper = values[top, left] * (1 - across) + values[top, right] * across
    lower = values[bottom, left] * (1 - across) + values[bottom, right] * across
    mixed: NDArray[np.float64] = upper * (1 - down) + lower * down
    return mixed


def sample_reference(
    planes: tuple[NDArray[np.uint8], ...], matrix: Matrix, affine: Affine, height: int, width: int
) -> NDArray[np.float64]:
    """RGB before rounding."""
    scale = max(abs(affine[0, 0]) + abs(affine[0, 1]), abs(affine[1, 0]) + abs(affine[1, 1]))
    taps = min(max(round(scale), 1), 4)
    def at(offset_x: float, offset_y: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        row, column = np.mgrid[0:height, 0:width]
        points = np.stack([(column + offset_x).ravel(), (row + offset_y).ravel()], axis=1)
        mapped = apply(affine, points)
        x, y = mapped[:, 0].reshape(height, width), mapped[:, 1].reshape(height, width)
        within = (x >= 0) & (y >= 0) & (x < planes[0].shape[1]) & (y < planes[0].shape[0])
        return np.where(within, x, 0), np.where(within, y, 0), within

    luma = np.zeros((height, width))
    for i in range(taps):
        for j in range(taps):
            x, y, within = at((j + 0.5) / taps, (i + 0.5) / taps)
            seen = bilinear(planes[0], x, y) if taps == 1 else planes[0][y.astype(int), x.astype(int)]
            luma += np.where(within, seen, OUTSIDE) / taps**2
    x, y, within = at(0.5, 0.5)
    cb, cr = (np.where(within, plane[y.astype(int) // 2, x.astype(int) // 2], 128.0) for plane in planes[1:])
    scale_y, cr_r, cb_g, cr_g, cb_b = RGB_COEFFICIENTS[matrix]
    luma = (luma - 16) * scale_y
    cb, cr = cb - 128, cr - 128
    return np.stack([luma + cr_r * cr, luma + cb_g * cb + cr_g * cr, luma + cb_b * cb], axis=-1)


@given(
    st.sampled_from(SIZES_PX), st.integers(0, 99), st.booleans(), st.sampled_from(list(Matrix)), tiles, transforms,
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
)
def test_sampling(
    size: tuple[int, int], seed: int, strided: bool, matrix: Matrix, tile: Tile, transform: Transform, out: tuple[int, int]
) -> None:
    planes = random_planes(*size, seed, strided)
    affine = input_to_picture(tile, transform, *out)
    got = sample(frame_of(planes, matrix=matrix), affine, *out)
    assert got.dtype == np.uint8
    expected = np.clip(np.floor(sample_reference(planes, matrix, affine, *out) + 0.5), 0, 255)
    # A point that falls exactly between two pixels may be given to either by the order of the arithmetic.
    assert np.mean(np.abs(got - expected) > 1) <= 0.05


@given(tiles, transforms, st.tuples(st.integers(1, 400), st.integers(1, 400)), st.floats(-50, 500), st.floats(-50, 500))
def test_there_and_back(tile: Tile, transform: Transform, out: tuple[int, int], x: float, y: float) -> None:
    affine = input_to_picture(tile, transform, *out)
    point = np.array([[x, y]])
    assert np.allclose(apply(invert(affine), apply(affine, point)), point, atol=1e-6)


def test_the_plain_view_of_everything_is_the_picture() -> None:
    affine = input_to_picture(Tile(0, 0, 320, 240), Transform(), 240, 320)
    assert np.allclose(affine, [[1, 0, 0], [0, 1, 0]])
    rgb = sample(frame_of(place()), affine, 240, 320)
    y = place()[0]
    grey = rgb.astype(float) @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey - (y - 16.0) * 255 / 219).mean() < 1


def view(transform: Transform) -> RgbPicture:
    """A red spot at (0.3, 0.2) of the picture, seen through a transform."""
    y, u, v = full((100, 200), 60), full((50, 100)), full((50, 100))
    y[14:26, 54:66], u[7:13, 27:33], v[7:13, 27:33] = RED
    return sample(frame_of((y, u, v)), input_to_picture(Tile(0, 0, 200, 100), transform, 100, 100), 100, 100)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_spot_lies_where_the_map_says(transform: Transform) -> None:
    rows, columns = np.nonzero(view(transform)[..., 0] > 150)
    to_input = invert(input_to_picture(Tile(0, 0, 200, 100), transform, 100, 100))
    x, y = apply(to_input, np.array([[60.0, 20.0]]))[0]
    assert abs(columns.mean() + 0.5 - x) < 1
    assert abs(rows.mean() + 0.5 - y) < 1
    assert (x > 50) == transform.mirrored


def test_views_are_different() -> None:
    views = [view(transform) for transform in TRANSFORMS]
    for i, one in enumerate(views):
        for other in views[:i]:
            assert np.abs(one.astype(int) - other.astype(int)).max() > 40
