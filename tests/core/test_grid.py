from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from privet.core.grid import MAX_PICTURE_PX, Grid, pack_bits, unpack_bits

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)


@given(hnp.arrays(np.bool_, SHAPES))
def test_bits_come_back(blocks: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> None:
    packed = pack_bits(blocks)
    assert len(packed) == -(-blocks.size // 8)
    assert np.array_equal(unpack_bits(packed, *blocks.shape), blocks)


@given(hnp.arrays(np.bool_, SHAPES))
def test_bits_are_row_major_with_the_first_block_highest(blocks: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> None:
    packed = pack_bits(blocks)
    rows, columns = blocks.shape
    for row in range(rows):
        for column in range(columns):
            at = row * columns + column
            assert bool(packed[at // 8] >> (7 - at % 8) & 1) == blocks[row, column]


@given(st.data(), st.integers(1, 9), st.integers(1, 9))
def test_bytes_are_a_bitmap_if_so_many_and_without_padding_bits_else_refused(drawn: st.DataObject, rows: int, columns: int) -> None:
    size = -(-rows * columns // 8)
    data = drawn.draw(st.binary(min_size=size, max_size=size) | st.binary(max_size=12))
    padding = (1 << (8 * size - rows * columns)) - 1
    if len(data) == size and not data[-1] & padding:
        assert pack_bits(unpack_bits(data, rows, columns)) == data
    else:
        with pytest.raises(ValueError, match="bitmap"):
            unpack_bits(data, rows, columns)


def test_a_grid_view_is_packed_as_it_looks() -> None:
    blocks = np.zeros((4, 6), np.bool_)
    blocks[:, 1] = True
    assert unpack_bits(pack_bits(blocks[::2, ::-1]), 2, 6)[:, 4].all()


@given(st.integers(1, 8192), st.integers(1, 8192), st.sampled_from((8, 16, 32)))
def test_blocks_cover_the_picture_and_no_more(width: int, height: int, block: int) -> None:
    grid = Grid(width, height, block)
    assert (grid.columns - 1) * block < width <= grid.columns * block
    assert (grid.rows - 1) * block < height <= grid.rows * block
    assert grid.shape == (grid.rows, grid.columns)
    assert grid.blocks == grid.rows * grid.columns
    assert grid.bitmap_bytes == len(pack_bits(np.zeros(grid.shape, np.bool_)))


@pytest.mark.parametrize(
    ("width", "height", "block", "epoch"),
    [(0, 8, 8, 0), (8, -1, 8, 0), (16385, 8, 8, 0), (8, 8, 12, 0), (8, 8, 0, 0), (8, 8, 8, -1), (8, 8, 8, 2**32),
     (16384, MAX_PICTURE_PX // 16384 + 1, 8, 0)],
)
def test_what_is_no_grid(width: int, height: int, block: int, epoch: int) -> None:
    with pytest.raises(ValueError, match=r"block size|picture size|epoch"):
        Grid(width, height, block, epoch)


def test_the_largest_picture_is_taken() -> None:
    assert Grid(16384, MAX_PICTURE_PX // 16384).blocks == 2048 * 512
