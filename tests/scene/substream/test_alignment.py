"""How a sub-stream's picture lies to the main stream's: found where they show the same, refused where they do not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from privet.core.grid import Grid
from privet.scene.substream.alignment import Alignment, align, reduced
from privet.scene.substream.mapping import Mapping

PIXEL = 1 / 640


def place(width: int, height: int, left: float = 0.0, top: float = 0.0, right: float = 1.0, bottom: float = 1.0) -> NDArray[np.uint8]:
    """A part of one place, in fractions, as a picture of so many pixels: boxes of many sizes, a little blurred."""
    random = np.random.default_rng(5)
    y, x = np.meshgrid(
        top + (np.arange(height) + 0.5) / height * (bottom - top), left + (np.arange(width) + 0.5) / width * (right - left), indexing="ij"
    )
    out = np.full((height, width), 110.0)
    for _ in range(160):
        at_x, at_y, wide, tall, level = random.uniform((0, 0, 0.02, 0.02, -60), (1, 1, 0.15, 0.2, 60))
        out += level * (1 / (1 + np.exp(-(wide / 2 - abs(x - at_x)) * 400))) * (1 / (1 + np.exp(-(tall / 2 - abs(y - at_y)) * 400)))
    return np.asarray(np.clip(out, 16, 235), np.uint8)


@pytest.mark.parametrize(
    ("sub", "wanted"),
    [
        (place(640, 360), Alignment()),
        (place(640, 480), Alignment()),         # squeezed into another shape
        (place(352, 288), Alignment()),
    ],
)
def test_a_stretched_picture_is_found(sub: NDArray[np.uint8], wanted: Alignment) -> None:
    found = align(reduced(place(1280, 720)), reduced(sub))
    assert found is not None
    for name in ("scale_x", "scale_y", "shift_x", "shift_y"):
        assert abs(getattr(found, name) - getattr(wanted, name)) < 2 * PIXEL
    assert found.error < 2 * PIXEL


def test_a_main_stream_that_is_cut_out_of_the_sub_streams_picture_is_found() -> None:
    main = place(1280, 720, top=0.125, bottom=0.875)
    found = align(reduced(main), reduced(place(640, 480)))
    assert found is not None
    assert abs(found.scale_y - 0.75) < 2 * PIXEL
    assert abs(found.shift_y - 0.125) < 2 * PIXEL


def test_darker_and_with_somebody_in_one_of_them_is_the_same_place() -> None:
    sub = (place(640, 360) * 0.8 + 5).astype(np.uint8)
    sub[120:300, 200:280] = 30
    assert align(reduced(place(1280, 720)), reduced(sub)) is not None


@pytest.mark.parametrize(
    "sub",
    [
        np.ascontiguousarray(place(640, 360)[:, ::-1]),         # mirrored
        place(640, 360, left=0.1, right=0.9),                   # shows less than the main stream
        np.full((360, 640), 90, np.uint8),
        np.random.default_rng(1).integers(0, 255, (360, 640)).astype(np.uint8),
    ],
)
def test_another_picture_is_refused(sub: NDArray[np.uint8]) -> None:
    assert align(reduced(place(1280, 720)), reduced(sub)) is None


def test_a_place_without_texture_cannot_be_aligned() -> None:
    flat = np.full((360, 640), 90, np.uint8)
    assert align(reduced(flat), reduced(flat)) is None


grids = st.builds(Grid, st.integers(64, 700), st.integers(64, 500))


@settings(max_examples=60, deadline=None)
@given(
    grids, grids, st.floats(0.7, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 0.004), st.data()
)
def test_no_block_is_lost_between_the_grids(main: Grid, sub: Grid, scale: float, at: float, error: float, data: st.DataObject) -> None:
    mapping = Mapping(main, sub, Alignment(scale, 1.0, (1 - scale) * at, 0.0, error))
    row, column = data.draw(st.integers(0, main.rows - 1)), data.draw(st.integers(0, main.columns - 1))
    one = np.zeros(main.shape, np.bool_)
    one[row, column] = True
    there = mapping.on_sub(one)
    assert there.any()
    assert mapping.on_main(there)[row, column]
    assert mapping.on_main(np.ones(sub.shape, np.bool_)).all()
    assert mapping.in_main(np.ones(sub.shape, np.bool_)).all()
    some = np.zeros(sub.shape, np.bool_)
    some[data.draw(st.integers(0, sub.rows - 1)), data.draw(st.integers(0, sub.columns - 1))] = True
    assert not (mapping.in_main(some) & ~mapping.on_main(some)).any()
    cells = np.full((9, 16), 1.5, np.float32)
    assert np.allclose(mapping.light_on_sub(cells), 1.5)
    assert mapping.light_on_sub(cells).shape == sub.shape
