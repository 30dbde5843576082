"""How the place is lit compared with its background: a coarse grid of gains and offsets, and its coding.

Fitted on proven, uncovered blocks only. Robust: medians over the blocks of a cell and its eight neighbours, so that somebody who fills
a cell does not become its light; cells without enough blocks take the mean of their fitted neighbours, and so on outwards.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from privet.core.grid import BoolGrid

CELL_COLUMNS = 16
CELL_ROWS = 9
BLACK = 16.0
ENOUGH_BLOCKS = 12
DARKEST_FOR_RATIO = 12.0
LIMITED_TO_FULL = 255.0 / 219.0

Cells = NDArray[np.float32]
"""Shape (cell rows, cell columns)."""


@njit(cache=True, nogil=True)
def _medians(
    luma: NDArray[np.float32], background: NDArray[np.float32], usable: BoolGrid, gains: Cells, residuals: bool, out: Cells,
    fitted: BoolGrid,
) -> None:
    rows, columns = luma.shape
    cell_rows, cell_columns = out.shape
    values = np.empty(rows * columns, np.float32)
    for i in range(cell_rows):
        top = max(i - 1, 0) * rows // cell_rows
        bottom = min(i + 2, cell_rows) * rows // cell_rows
        for j in range(cell_columns):
            left = max(j - 1, 0) * columns // cell_columns
            right = min(j + 2, cell_columns) * columns // cell_columns
            count = 0
            for row in range(top, bottom):
                for column in range(left, right):
                    if usable[row, column]:
                        base = background[row, column] - BLACK
                        seen = luma[row, column] - BLACK
                        if residuals:
                            values[count] = seen - base * gains[i, j]
                            count += 1
                        elif base >= DARKEST_FOR_RATIO:
                            values[count] = seen / base
                            count += 1
            fitted[i, j] = count >= ENOUGH_BLOCKS
            out[i, j] = np.median(values[:count]) if fitted[i, j] else 0.0


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
    _medians(luma, background, usable, gains, False, out, fitted)
    if fitted.any():
        gains = np.clip(fill_starved(out, fitted), 1 / 16, 15.0).astype(np.float32)
    offsets = np.empty(cells, np.float32)
    _medians(luma, background, usable, gains, True, offsets, fitted)
    offsets = fill_starved(offsets, fitted) if fitted.any() else np.zeros(cells, np.float32)
    return gains, np.clip(offsets, -64, 64).astype(np.float32)


def fill_starved(values: Cells, fitted: BoolGrid) -> Cells:
    """Give every cell that was not fitted the mean of its known four-neighbours, ring by ring. At least one must be fitted."""
    values, known = values.copy(), fitted.copy()
    while not known.all():
        weight = np.zeros(values.shape, np.float32)
        total = np.zeros(values.shape, np.float32)
        masked = np.where(known, values, 0).astype(np.float32)
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            shifted_known = _shifted(known.astype(np.float32), axis, step)
            total += _shifted(masked, axis, step)
            weight += shifted_known
        ring = ~known & (weight > 0)
        values[ring] = total[ring] / weight[ring]
        known |= ring
    return values


def _shifted(values: NDArray[np.float32], axis: int, step: int) -> NDArray[np.float32]:
    out = np.roll(values, step, axis)
    edge: list[slice | int] = [slice(None), slice(None)]
    edge[axis] = 0 if step > 0 else -1
    out[tuple(edge)] = 0
    return out


@njit(cache=True, nogil=True)
def spread(cells: Cells, rows: int, columns: int) -> NDArray[np.float32]:
    """Interpolate cell values bilinearly between cell centres to blocks: float32 (rows, columns)."""
    cell_rows, cell_columns = cells.shape
    out = np.empty((rows, columns), np.float32)
    for row in range(rows):
        y = (row + 0.5) * cell_rows / rows - 0.5
        y = min(max(y, 0.0), cell_rows - 1.0)
        i = min(int(y), max(cell_rows - 2, 0))
        fy = y - i
        i_next = min(i + 1, cell_rows - 1)
        for column in range(columns):
            x = (column + 0.5) * cell_columns / columns - 0.5
            x = min(max(x, 0.0), cell_columns - 1.0)
            j = min(int(x), max(cell_columns - 2, 0))
            fx = x - j
            j_next = min(j + 1, cell_columns - 1)
            upper = cells[i, j] * (1 - fx) + cells[i, j_next] * fx
            lower = cells[i_next, j] * (1 - fx) + cells[i_next, j_next] * fx
            out[row, column] = upper * (1 - fy) + lower * fy
    return out


def quantise(gains: Cells, offsets: Cells) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Code gains (thirty-seconds of an octave around 128) and offsets (Y levels to sRGB levels around 128) as in scene.proto."""
    gain = np.clip(np.rint(128 + 32 * np.log2(np.maximum(gains, 1 / 32))), 0, 255).astype(np.uint8)
    offset = np.clip(np.rint(128 + offsets * LIMITED_TO_FULL), 0, 255).astype(np.uint8)
    return gain, offset
