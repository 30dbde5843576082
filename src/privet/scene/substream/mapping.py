"""Carries what is known of a sub-stream's blocks to the main stream's, and back, by how the two pictures lie to each other.

Belongs here: index arithmetic over two grids. Does not belong here: how the alignment was found (alignment), what is asked of the blocks
(view).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from privet.core.grid import BoolGrid, Grid
from privet.scene.light import CELL_COLUMNS, CELL_ROWS, Cells
from privet.scene.substream.alignment import Alignment

Spans = NDArray[np.int64]
"""Shape (n, 2): for each row or column of one grid, first and one past the last of the other's that it touches."""


@njit(cache=True, nogil=True)
def _any_within(bits: BoolGrid, rows: Spans, columns: Spans) -> BoolGrid:
    """Whether any of a span of rows and columns is set. Each row of `bits` is widened to the other grid's columns once."""
    there = bits.view(np.uint8)
    wide = np.zeros((bits.shape[0], len(columns)), np.uint8)
    asked = np.zeros(bits.shape[0], np.bool_)
    for i in range(bits.shape[0]):
        line, out = there[i], wide[i]
        some = np.uint8(0)
        for j in range(line.size):
            some |= line[j]
        asked[i] = some != 0
        if not asked[i]:
            continue
        for column in range(out.size):
            found = np.uint8(0)
            for j in range(columns[column, 0], columns[column, 1]):
                found |= line[j]
            out[column] = found
    result = np.zeros((len(rows), len(columns)), np.uint8)
    for row in range(len(rows)):
        out = result[row]
        for i in range(rows[row, 0], rows[row, 1]):
            if asked[i]:
                line = wide[i]
                for column in range(out.size):
                    out[column] |= line[column]
    return result.view(np.bool_)


@njit(cache=True, nogil=True)
def _taken_at(bits: BoolGrid, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> BoolGrid:
    out = np.empty((rows.size, columns.size), np.bool_)
    for row in range(rows.size):
        line, these = bits[rows[row]], out[row]
        for column in range(columns.size):
            these[column] = line[columns[column]]
    return out


class Mapping:
    """Between the grids of a main and a sub-stream."""

    def __init__(self, main: Grid, sub: Grid, alignment: Alignment) -> None:
        error_x = alignment.error
        error_y = alignment.error * sub.width_px / sub.height_px
        self._rows = _spans(main.rows, main.height_px, sub.rows, sub.height_px, sub.block_px, main.block_px, alignment.scale_y,
                            alignment.shift_y, error_y)
        self._columns = _spans(main.columns, main.width_px, sub.columns, sub.width_px, sub.block_px, main.block_px, alignment.scale_x,
                               alignment.shift_x, error_x)
        self._row_at = _middles(main.rows, main.height_px, main.block_px, sub.rows, sub.height_px, sub.block_px, alignment.scale_y,
                                alignment.shift_y)
        self._column_at = _middles(main.columns, main.width_px, main.block_px, sub.columns, sub.width_px, sub.block_px, alignment.scale_x,
                                   alignment.shift_x)
        self._back_rows = _turned(self._rows, sub.rows)
        self._back_columns = _turned(self._columns, sub.columns)
        # Where the light of one picture is asked for in the other: matrices, for the cells of both are few and lie in lines.
        sub_y, sub_x = _centres(sub.rows), _centres(sub.columns)
        self._to_sub = (
            _weights((sub_y - alignment.shift_y) / alignment.scale_y, CELL_ROWS),
            _weights((sub_x - alignment.shift_x) / alignment.scale_x, CELL_COLUMNS),
        )
        self._to_main = (
            _weights(_centres(CELL_ROWS) * alignment.scale_y + alignment.shift_y, min(CELL_ROWS, sub.rows)),
            _weights(_centres(CELL_COLUMNS) * alignment.scale_x + alignment.shift_x, min(CELL_COLUMNS, sub.columns)),
        )

    def on_main(self, sub_blocks: BoolGrid) -> BoolGrid:
        """Main blocks that touch one of these, the alignment's error included."""
        return _any_within(sub_blocks, self._rows, self._columns)

    def in_main(self, sub_blocks: BoolGrid) -> BoolGrid:
        """Main blocks whose middle lies in one of these: for what is grown by more than a block anyway."""
        return _taken_at(sub_blocks, self._row_at, self._column_at)

    def on_sub(self, main_blocks: BoolGrid) -> BoolGrid:
        """Sub-stream blocks that one of these reaches into, the alignment's error included."""
        return _any_within(main_blocks, self._back_rows, self._back_columns)

    def light_on_sub(self, cells: Cells) -> NDArray[np.float32]:
        """The main stream's light (one of gain and offset) for every block of the sub-stream: float32 (rows, columns)."""
        return np.asarray(self._to_sub[0] @ cells @ self._to_sub[1].T, np.float32)

    def light_on_main(self, cells: Cells) -> Cells:
        """Light that was fitted on the sub-stream's picture, in the main stream's cells."""
        return np.asarray(self._to_main[0] @ cells @ self._to_main[1].T, np.float32)


def _centres(count: int) -> NDArray[np.float64]:
    return (np.arange(count) + 0.5) / count


def _spans(
    main_blocks: int, main_px: int, sub_blocks: int, sub_px: int, sub_block_px: int, main_block_px: int, scale: float, shift: float,
    error: float,
) -> Spans:
    first_px = np.arange(main_blocks) * main_block_px
    last_px = np.minimum(first_px + main_block_px, main_px)
    least = (first_px / main_px * scale + shift - error) * sub_px / sub_block_px
    most = (last_px / main_px * scale + shift + error) * sub_px / sub_block_px
    first = np.clip(np.floor(least + 1e-6), 0, sub_blocks - 1).astype(np.int64)
    end = np.clip(np.ceil(most - 1e-6), first + 1, sub_blocks).astype(np.int64)
    return np.stack([first, end], axis=1)


def _middles(
    main_blocks: int, main_px: int, main_block_px: int, sub_blocks: int, sub_px: int, sub_block_px: int, scale: float, shift: float
) -> NDArray[np.int64]:
    middles_px = np.minimum((np.arange(main_blocks) + 0.5) * main_block_px, main_px)
    at = (middles_px / main_px * scale + shift) * sub_px / sub_block_px
    return np.asarray(np.clip(np.floor(at), 0, sub_blocks - 1), np.int64)


def _turned(spans: Spans, count: int) -> Spans:
    """The same relation from the other side. What nothing touches has an empty span."""
    out = np.zeros((count, 2), np.int64)
    for which in range(count):
        touching = np.flatnonzero((spans[:, 0] <= which) & (which < spans[:, 1]))
        if touching.size:
            out[which] = touching[0], touching[-1] + 1
    return out


def _weights(at: NDArray[np.float64], cells: int) -> NDArray[np.float32]:
    """Bilinear weights of cells, for positions in fractions: float32 (positions, cells), rows add up to 1."""
    inside = np.clip(at * cells - 0.5, 0.0, cells - 1.0)
    first = np.minimum(inside.astype(np.int64), max(cells - 2, 0))
    share = (inside - first).astype(np.float32)
    out = np.zeros((len(at), cells), np.float32)
    lines = np.arange(len(at))
    out[lines, first] += 1 - share
    out[lines, np.minimum(first + 1, cells - 1)] += share
    return out
