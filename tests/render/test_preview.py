"""A small background is the large one, block by block; what is not proven stays flat and lies in no other block."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.render.places import png

from privet.core.errors import WireError
from privet.core.grid import BoolGrid, Grid
from privet.core.scene import Background, Head, ImageFormat
from privet.render import preview as module
from privet.render.preview import small_block_px, small_size_px, smaller


def background(grid: Grid, proven: BoolGrid, picture: np.ndarray) -> Background:
    return Background(Head(1, 1, 1), grid, proven, ImageFormat.PNG, png(picture), 1, 1)


@pytest.fixture(autouse=True)
def lossless(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the encoder does to pixels is not asked here."""
    save = Image.Image.save

    def exactly(image: Image.Image, out: io.BytesIO, kind: str, **options: int) -> None:
        save(image, out, kind, lossless=True) if kind == "WEBP" else save(image, out, kind, **options)

    monkeypatch.setattr(Image.Image, "save", exactly)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 260), st.integers(1, 90), st.sampled_from((8, 16, 32)), st.integers(1, 200), st.integers(0, 2**32))
def test_blocks_stay_apart(width_px: int, height_px: int, block_px: int, most_px: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    grid = Grid(width_px, height_px, block_px)
    proven = random.random(grid.shape) < 0.6
    # Every block of one colour: whatever is mixed with another shows.
    colours = random.integers(0, 256, (*grid.shape, 3), np.uint8)
    picture = np.repeat(np.repeat(colours, block_px, axis=0), block_px, axis=1)[:height_px, :width_px]
    small = smaller(background(grid, proven, picture), most_px)
    size = small_block_px(grid, most_px)
    found = np.asarray(Image.open(io.BytesIO(small)).convert("RGB"))
    assert found.shape[1::-1] == small_size_px(grid, size)
    assert size == block_px or grid.columns * size <= max(most_px, grid.columns)
    expected = np.repeat(np.repeat(colours, size, axis=0), size, axis=1)[: found.shape[0], : found.shape[1]]
    assert np.array_equal(found, expected)


def test_what_is_not_proven_is_flat_whatever_the_image_says() -> None:
    grid = Grid(32, 16, 8)
    proven = np.ones(grid.shape, np.bool_)
    proven[0, 1] = False
    picture = np.random.default_rng(1).integers(0, 256, (16, 32, 3), np.uint8)
    found = np.asarray(Image.open(io.BytesIO(smaller(background(grid, proven, picture), 16))))
    assert found.shape == (8, 16, 3)
    assert len(np.unique(found[:4, 4:8].reshape(-1, 3), axis=0)) == 1
    means = picture[:8, :8].reshape(4, 2, 4, 2, 3).mean(axis=(1, 3))
    assert np.abs(found[:4, :4] - means).max() <= 1


def test_a_picture_that_is_small_already_is_left_as_it_is() -> None:
    grid = Grid(64, 40, 8)
    whole = background(grid, np.ones(grid.shape, np.bool_), np.zeros((40, 64, 3), np.uint8))
    assert smaller(whole, 64) is whole.image
    empty = Background(Head(1, 1, 1), grid, np.zeros(grid.shape, np.bool_), ImageFormat.PNG, b"", 0, 0)
    assert smaller(empty, 8) == b""


def test_an_image_that_cannot_be_used_is_refused() -> None:
    grid = Grid(64, 40, 8)
    for image in (b"no image", png(np.zeros((8, 8, 3), np.uint8))):
        with pytest.raises(WireError):
            smaller(Background(Head(1, 1, 1), grid, np.ones(grid.shape, np.bool_), ImageFormat.PNG, image, 1, 1), 16)


def test_the_usual_sizes() -> None:
    assert module.SMALL_WIDTH_PX == 480
    sizes = ((3840, 2160), (1920, 1080), (1280, 720), (640, 360), (480, 270))
    assert [small_block_px(Grid(width, height)) for width, height in sizes] == [1, 2, 3, 6, 8]
