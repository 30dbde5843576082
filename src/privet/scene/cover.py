"""From blocks that look different to a cover: specks dropped, gaps closed, grown, holes filled, coarsened.

Pure functions on bool arrays of shape (rows, columns). The compiled kernels and the plain references in tests/scene are held equal by
property tests. The order is fixed: `shape` looks at one frame, the hold over time is the caller's, `coarsen` comes last and is a
function of the cover alone, so that it opens no channel of its own.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from privet.core.grid import BoolGrid


@njit(cache=True, nogil=True)
def _neighbours(bits: BoolGrid, row: int, column: int) -> int:
    rows, columns = bits.shape
    count = 0
    for i in range(max(row - 1, 0), min(row + 2, rows)):
        for j in range(max(column - 1, 0), min(column + 2, columns)):
            if bits[i, j] and not (i == row and j == column):
                count += 1
    return count


@njit(cache=True, nogil=True)
def drop_specks(bits: BoolGrid) -> BoolGrid:
    """Blocks without any of the eight neighbours are dropped."""
    rows, columns = bits.shape
    out = np.zeros_like(bits)
    for row in range(rows):
        for column in range(columns):
            if bits[row, column] and _neighbours(bits, row, column) > 0:
                out[row, column] = True
    return out


@njit(cache=True, nogil=True)
def dilate(bits: BoolGrid, radius: int) -> BoolGrid:
    """Every set block grows to a square of 2 * radius + 1 blocks. radius: blocks, 0 or more."""
    rows, columns = bits.shape
    across = np.zeros_like(bits)
    for row in range(rows):
        reach = -1
        for column in range(columns):
            if bits[row, column]:
                reach = column + radius
            if column <= reach:
                across[row, column] = True
        reach = columns
        for column in range(columns - 1, -1, -1):
            if bits[row, column]:
                reach = column - radius
            if column >= reach:
                across[row, column] = True
    out = np.zeros_like(bits)
    for column in range(columns):
        reach = -1
        for row in range(rows):
            if across[row, column]:
                reach = row + radius
            if row <= reach:
                out[row, column] = True
        reach = rows
        for row in range(rows - 1, -1, -1):
            if across[row, column]:
                reach = row - radius
            if row >= reach:
                out[row, column] = True
    return out


@njit(cache=True, nogil=True)
def erode(bits: BoolGrid, radius: int) -> BoolGrid:
    """The dual of `dilate`; beyond the edge counts as set, so that what touches the edge keeps touching it."""
    return ~dilate(~bits, radius)


@njit(cache=True, nogil=True)
def label(bits: BoolGrid) -> tuple[NDArray[np.int32], int]:
    """Eight-connected components: int32 (rows, columns), 0 for unset and 1 to n otherwise, and n."""
    rows, columns = bits.shape
    labels = np.zeros((rows, columns), np.int32)
    stack = np.empty(rows * columns, np.int32)
    count = 0
    for start_row in range(rows):
        for start_column in range(columns):
            if not bits[start_row, start_column] or labels[start_row, start_column] != 0:
                continue
            count += 1
            labels[start_row, start_column] = count
            stack[0] = start_row * columns + start_column
            depth = 1
            while depth > 0:
                depth -= 1
                row, column = divmod(stack[depth], columns)
                for i in range(max(row - 1, 0), min(row + 2, rows)):
                    for j in range(max(column - 1, 0), min(column + 2, columns)):
                        if bits[i, j] and labels[i, j] == 0:
                            labels[i, j] = count
                            stack[depth] = i * columns + j
                            depth += 1
    return labels, count


@njit(cache=True, nogil=True)
def fill_holes(bits: BoolGrid) -> BoolGrid:
    """Unset blocks that cannot be reached from the edge over unset four-neighbours are set."""
    rows, columns = bits.shape
    outside = np.zeros_like(bits)
    stack = np.empty(rows * columns, np.int32)
    depth = 0
    for row in range(rows):
        for column in range(columns):
            at_edge = row == 0 or column == 0 or row == rows - 1 or column == columns - 1
            if at_edge and not bits[row, column]:
                outside[row, column] = True
                stack[depth] = row * columns + column
                depth += 1
    while depth > 0:
        depth -= 1
        row, column = divmod(stack[depth], columns)
        for step in range(4):
            i = row + (1 if step == 0 else -1 if step == 1 else 0)
            j = column + (1 if step == 2 else -1 if step == 3 else 0)
            if 0 <= i < rows and 0 <= j < columns and not bits[i, j] and not outside[i, j]:
                outside[i, j] = True
                stack[depth] = i * columns + j
                depth += 1
    return ~outside


def drop_small(bits: BoolGrid, fewest_blocks: int) -> BoolGrid:
    """Eight-connected components of fewer blocks are dropped."""
    labels, count = label(bits)
    large = np.bincount(labels.ravel(), minlength=count + 1) >= fewest_blocks
    large[0] = False
    kept: BoolGrid = large[labels]
    return kept


def shape(raw: BoolGrid) -> BoolGrid:
    """One frame's raw findings as a silhouette: specks dropped, closed by one block, grown by one block, holes filled."""
    closed = erode(dilate(drop_specks(raw), 1), 1)
    return fill_holes(dilate(closed, 1))


@njit(cache=True, nogil=True)
def coarsen(bits: BoolGrid, tallest_blocks: int) -> BoolGrid:
    """Coarsen every component until it is at most `tallest_blocks` cells tall.

    A component of h blocks is redrawn in cells of f x f blocks, f the least for which it spans at most `tallest_blocks` rows of
    cells; cells lie on a grid that begins at the picture's corner, and a cell that the component touches is set whole.
    """
    rows, columns = bits.shape
    labels, count = label(bits)
    top = np.full(count + 1, rows, np.int32)
    bottom = np.full(count + 1, -1, np.int32)
    for row in range(rows):
        for column in range(columns):
            which = labels[row, column]
            if which:
                top[which] = min(top[which], row)
                bottom[which] = max(bottom[which], row)
    factor = np.ones(count + 1, np.int32)
    for which in range(1, count + 1):
        f = 1
        while bottom[which] // f - top[which] // f + 1 > tallest_blocks:
            f += 1
        factor[which] = f
    out = bits.copy()
    for row in range(rows):
        for column in range(columns):
            which = labels[row, column]
            if which and factor[which] > 1:
                f = factor[which]
                first_row = row // f * f
                first_column = column // f * f
                for i in range(first_row, min(first_row + f, rows)):
                    for j in range(first_column, min(first_column + f, columns)):
                        out[i, j] = True
    return out
