"""How the place is lit compared with its background: a coarse grid of gains and offsets, and its coding.

Fitted on proven, uncovered blocks only. Robust: medians over the blocks of a cell and its eight neighbours, so that somebody who fills
a cell does not become its light; cells without enough blocks take the mean of their fitted neighbours, and so on outwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.grid import BoolGrid
from privet.core.scene import LIGHT_COLUMNS, LIGHT_ROWS
from privet.scene.quantile import median

CELL_COLUMNS, CELL_ROWS = LIGHT_COLUMNS, LIGHT_ROWS
BLACK = 16.0
ENOUGH_BLOCKS = 12
MOST_SAMPLES = 96           # about as many blocks are asked for a median; with 64, a third of strangers moved one by a quarter now and then
DARKEST_FOR_RATIO = 12.0
LIMITED_TO_FULL = 255.0 / 219.0
LIGHT_EVERY_NS = 1 * NS_PER_S

Cells = NDArray[np.float32]
"""Shape (cell rows, cell columns)."""

Quantised = tuple[NDArray[np.uint8], NDArray[np.uint8]]
"""(gain, offset) per cell, as `quantise` gives them."""


@njit(cache=True, nogil=True)
def _gather(usable: BoolGrid, cell_rows: int, cell_columns: int, starts: NDArray[np.int64], blocks: NDArray[np.int32]) -> None:
    """Sort usable blocks, counted row by row, by the cell they lie in: those of cell c are blocks[starts[c] : starts[c + 1]]."""
    rows, columns = usable.shape
    count = 0
    for i in range(cell_rows):
        for j in range(cell_columns):
            starts[i * cell_columns + j] = count
            for row in range(i * rows // cell_rows, (i + 1) * rows // cell_rows):
                for column in range(j * columns // cell_columns, (j + 1) * columns // cell_columns):
                    if usable[row, column]:
                        blocks[count] = row * columns + column
                        count += 1
    starts[cell_rows * cell_columns] = count


@njit(cache=True, nogil=True)
def _medians(
    luma: NDArray[np.float32], background: NDArray[np.float32], starts: NDArray[np.int64], blocks: NDArray[np.int32], gains: Cells,
    residuals: bool, out: Cells, fitted: BoolGrid,
) -> None:
    cell_rows, cell_columns = out.shape
    seen_of, base_of = luma.reshape(-1), background.reshape(-1)
    values = np.empty(2 * MOST_SAMPLES, np.float32)
    for i in range(cell_rows):
        for j in range(cell_columns):
            left, right = max(j - 1, 0), min(j + 2, cell_columns)
            there = 0
            for k in range(max(i - 1, 0), min(i + 2, cell_rows)):
                there += starts[k * cell_columns + right] - starts[k * cell_columns + left]
            step = there // MOST_SAMPLES + 1 if there >= 2 * MOST_SAMPLES else 1
            gain = gains[i, j]
            count = 0
            skip = 0
            for k in range(max(i - 1, 0), min(i + 2, cell_rows)):
                at = starts[k * cell_columns + left] + skip
                end = starts[k * cell_columns + right]
                while at < end:
                    base = base_of[blocks[at]] - np.float32(BLACK)
                    seen = seen_of[blocks[at]] - np.float32(BLACK)
                    if residuals:
                        values[count] = seen - base * gain
                        count += 1
                    elif base >= DARKEST_FOR_RATIO:
                        values[count] = seen / base
                        count += 1
                    at += step
                skip = at - end
            fitted[i, j] = count >= ENOUGH_BLOCKS
            out[i, j] = median(values[:count]) if fitted[i, j] else np.float32(0)


def fit_light(
    luma: NDArray[np.float32], background: NDArray[np.float32], usable: BoolGrid, cells: tuple[int, int] = (CELL_ROWS, CELL_COLUMNS)
) -> tuple[Cells, Cells]:
    """Fit (gain, offset) per cell: luma - 16 = (background - 16) * gain + offset.

    luma, background: float32 (rows, columns), block means of Y in limited range. usable: blocks to fit on.

    Returns float32 (cell rows, cell columns) each; gain 1 and offset 0 everywhere if nothing is usable. Offsets are in levels of Y.
    """
    cells = (min(cells[0], luma.shape[0]), min(cells[1], luma.shape[1]))
    gains = np.ones(cells, np.float32)
    fitted = np.zeros(cells, np.bool_)
    out = np.empty(cells, np.float32)
    starts, blocks = np.empty(cells[0] * cells[1] + 1, np.int64), np.empty(usable.size, np.int32)
    _gather(usable, *cells, starts, blocks)
    _medians(luma, background, starts, blocks, gains, False, out, fitted)
    if fitted.any():
        gains = np.clip(fill_starved(out, fitted), 1 / 16, 15.0).astype(np.float32)
    offsets = np.empty(cells, np.float32)
    _medians(luma, background, starts, blocks, gains, True, offsets, fitted)
    offsets = fill_starved(offsets, fitted) if fitted.any() else np.zeros(cells, np.float32)
    return gains, np.clip(offsets, -64, 64).astype(np.float32)


@njit(cache=True, nogil=True)
def fill_starved(values: Cells, fitted: BoolGrid) -> Cells:
    """Give every cell that was not fitted the mean of its known four-neighbours, ring by ring. At least one must be fitted."""
    values, known = values.copy(), fitted.copy()
    rows, columns = values.shape
    while not known.all():
        before, reached = values.copy(), known.copy()
        for row in range(rows):
            for column in range(columns):
                if reached[row, column]:
                    continue
                total = np.float32(0)
                weight = np.float32(0)
                for step in range(4):
                    i = row + (1 if step == 0 else -1 if step == 1 else 0)
                    j = column + (1 if step == 2 else -1 if step == 3 else 0)
                    if 0 <= i < rows and 0 <= j < columns and reached[i, j]:
                        total += before[i, j]
                        weight += np.float32(1)
                if weight > 0:
                    values[row, column] = total / weight
                    known[row, column] = True
    return values


@njit(cache=True, nogil=True)
def spread(cells: Cells, rows: int, columns: int) -> NDArray[np.float32]:
    """Interpolate cell values bilinearly between cell centres to blocks: float32 (rows, columns)."""
    cell_rows, cell_columns = cells.shape
    out = np.empty((rows, columns), np.float32)
    lefts, shares = np.empty(columns, np.int64), np.empty(columns, np.float32)
    for column in range(columns):
        x = min(max((column + 0.5) * cell_columns / columns - 0.5, 0.0), cell_columns - 1.0)
        lefts[column] = min(int(x), max(cell_columns - 2, 0))
        shares[column] = x - lefts[column]
    line = np.empty(cell_columns + 1, np.float32)
    for row in range(rows):
        y = min(max((row + 0.5) * cell_rows / rows - 0.5, 0.0), cell_rows - 1.0)
        i = min(int(y), max(cell_rows - 2, 0))
        share = np.float32(y - i)
        for j in range(cell_columns):
            line[j] = cells[i, j] + (cells[min(i + 1, cell_rows - 1), j] - cells[i, j]) * share
        line[cell_columns] = line[cell_columns - 1]
        for column in range(columns):
            left = line[lefts[column]]
            out[row, column] = left + (line[lefts[column] + 1] - left) * shares[column]
    return out


def quantise(gains: Cells, offsets: Cells) -> Quantised:
    """Code gains (thirty-seconds of an octave around 128) and offsets (Y levels to sRGB levels around 128) as in scene.proto."""
    gain = np.clip(np.rint(128 + 32 * np.log2(np.maximum(gains, 1 / 32))), 0, 255).astype(np.uint8)
    offset = np.clip(np.rint(128 + offsets * LIMITED_TO_FULL), 0, 255).astype(np.uint8)
    return gain, offset


@dataclass(frozen=True, slots=True, eq=False)
class LightSaid:
    """The light in force, and before when no other is said (monotonic)."""

    last: Quantised | None = None
    next_ns: int = -1


def light_due(said: LightSaid, cells: tuple[Cells, Cells], now_ns: int) -> tuple[LightSaid, Quantised | None]:
    """The light to be said now, if it is another than the last one and that was said long enough ago. cells: as it was fitted."""
    if now_ns < said.next_ns:
        return said, None
    gain, offset = quantise(*cells)
    if said.last is not None and np.array_equal(said.last[0], gain) and np.array_equal(said.last[1], offset):
        return said, None
    return LightSaid((gain, offset), now_ns + LIGHT_EVERY_NS), (gain, offset)
