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

Bytes = NDArray[np.uint8]
"""0 or 1, of shape (columns) or (rows, columns)."""


@njit(cache=True, nogil=True)
def _either(line: Bytes, other: Bytes) -> None:
    for column in range(line.size):         # plain, over whole lines of bytes, because that is vectorised
        line[column] |= other[column]


@njit(cache=True, nogil=True)
def _beside(bits: Bytes, itself: bool) -> Bytes:
    """Whether one beside a block in its row is set, or `itself`; with a row of nothing above and one below."""
    rows, columns = bits.shape
    out = np.zeros((rows + 2, columns), np.uint8)
    for row in range(rows):
        if itself:
            out[row + 1] = bits[row]
        _either(out[row + 1, 1:], bits[row, :-1])
        _either(out[row + 1, :-1], bits[row, 1:])
    return out


@njit(cache=True, nogil=True)
def _above_and_below(out: Bytes, wide: Bytes) -> None:
    for row in range(out.shape[0]):
        _either(out[row], wide[row])
        _either(out[row], wide[row + 2])


@njit(cache=True, nogil=True)
def drop_specks(bits: BoolGrid) -> BoolGrid:
    """Blocks without any of the eight neighbours are dropped."""
    there = bits.view(np.uint8)
    out = _beside(there, False)[1:-1]
    _above_and_below(out, _beside(there, True))
    for row in range(out.shape[0]):
        kept, here = out[row], there[row]
        for column in range(kept.size):
            kept[column] &= here[column]
    return out.view(np.bool_)


@njit(cache=True, nogil=True)
def _grown_by_one(bits: BoolGrid) -> BoolGrid:
    wide = _beside(bits.view(np.uint8), True)
    out = wide[1:-1].copy()
    _above_and_below(out, wide)
    return out.view(np.bool_)


def erode(bits: BoolGrid, radius: int) -> BoolGrid:
    """The dual of `dilate`; beyond the edge counts as set, so that what touches the edge keeps touching it."""
    return ~dilate(~bits, radius)


@njit(cache=True, nogil=True)
def _next_set(bits: Bytes, at: int) -> int:
    """The first place from `at` on that is set; the size if none is. Most of a grid is not, so eight are asked at once."""
    size = bits.size
    words = bits[: size // 8 * 8].view(np.uint64)
    while at < size:
        if at % 8 == 0:
            word = at // 8
            while word < words.size and words[word] == 0:
                word += 1
            at = word * 8
            if at >= size:
                break
        if bits[at]:
            return at
        at += 1
    return size


@njit(cache=True, nogil=True)
def _grown(bits: BoolGrid, radius: int) -> BoolGrid:
    """Along the rows run by run, for there are few; then from row to row: what is set within a window twice as long is set in one of its
    halves, so that a window takes as many steps as its length has digits, each over whole lines."""
    rows, columns = bits.shape
    flat, window = np.ascontiguousarray(bits).view(np.uint8).reshape(-1), 2 * radius + 1
    high = np.zeros((rows + 2 * radius, columns), np.uint8)
    at = _next_set(flat, 0)
    while at < flat.size:
        row, first = divmod(at, columns)
        while at < (row + 1) * columns and flat[at]:
            at += 1
        high[radius + row, max(first - radius, 0) : at - row * columns + radius] = 1
        at = _next_set(flat, at)
    reached = 1
    while reached < window:                     # high[row]: whether any of the `reached` rows from row - radius on is set
        step = min(reached, window - reached)
        for row in range(high.shape[0] - step):
            _either(high[row], high[row + step])
        reached += step
    return high[:rows].view(np.bool_)


def dilate(bits: BoolGrid, radius: int) -> BoolGrid:
    """Every set block grows to a square of 2 * radius + 1 blocks. radius: blocks, 0 or more."""
    if radius == 1:
        return _grown_by_one(bits)
    return _grown(bits, radius) if bits.any() else bits.copy()


@njit(cache=True, nogil=True)
def _root(parents: NDArray[np.int32], which: int) -> int:
    while parents[which] != which:
        parents[which] = parents[parents[which]]
        which = parents[which]
    return which


@njit(cache=True, nogil=True)
def _components(bits: BoolGrid) -> tuple[NDArray[np.int32], NDArray[np.int32], int]:
    """Eight-connected components, numbered by their first blocks, as runs of set blocks within rows: there are far fewer of those.

    Returns int32 (runs, 3), row, first column and one past the last; int32 (runs,), the component that each belongs to; and how many
    components there are.
    """
    rows, columns = bits.shape
    flat = np.ascontiguousarray(bits).view(np.uint8).reshape(-1)
    runs = np.empty((rows * ((columns + 1) // 2), 3), np.int32)
    parents = np.empty(len(runs), np.int32)
    count = above = of_row = 0                  # above: the first run of the row above that may touch; of_row: the first of this row
    row = -1
    at = _next_set(flat, 0)
    while at < flat.size:
        if at // columns != row:
            above = of_row if at // columns == row + 1 else count
            row, of_row = at // columns, count
        first, line = at - row * columns, (row + 1) * columns
        while at < line and flat[at]:
            at += 1
        end = at - row * columns
        runs[count, 0], runs[count, 1], runs[count, 2] = row, first, end
        parents[count] = count
        while above < of_row and runs[above, 2] < first:
            above += 1
        other = above
        while other < of_row and runs[other, 1] <= end:
            one, another = _root(parents, count), _root(parents, other)
            parents[max(one, another)] = min(one, another)
            other += 1
        count += 1
        at = _next_set(flat, at)
    components = 0
    numbers = np.empty(count, np.int32)
    for which in range(count):
        root = _root(parents, which)
        if root == which:
            numbers[which] = components
            components += 1
        else:
            numbers[which] = numbers[root]
    return runs[:count], numbers, components


@njit(cache=True, nogil=True)
def label(bits: BoolGrid) -> tuple[NDArray[np.int32], int]:
    """Eight-connected components: int32 (rows, columns), 0 for unset and 1 to n otherwise, and n."""
    labels = np.zeros(bits.shape, np.int32)
    runs, numbers, count = _components(bits)
    for which in range(len(runs)):
        labels[runs[which, 0], runs[which, 1] : runs[which, 2]] = numbers[which] + 1
    return labels, count


@njit(cache=True, nogil=True)
def _enclosed(bits: Bytes) -> Bytes:
    """What has set blocks, or is set, in all four directions: from anywhere else a straight line leads to the edge."""
    rows, columns = bits.shape
    out = np.empty_like(bits)
    line = np.zeros(columns, np.uint8)
    for row in range(rows):
        _either(line, bits[row])
        out[row] = line
    line[:] = 0
    for row in range(rows - 1, -1, -1):
        here, these = bits[row], out[row]
        _either(line, here)
        for column in range(columns):
            these[column] &= line[column]
        first, end = 0, columns
        while first < columns and not here[first]:
            first += 1
        while end > first and not here[end - 1]:
            end -= 1
        these[:first] = 0
        these[end:] = 0
    return out


@njit(cache=True, nogil=True)
def _holes(bits: Bytes, out: Bytes) -> Bytes:
    """Whether a row has any that are enclosed and unset."""
    found = np.zeros(bits.shape[0], np.uint8)
    for row in range(bits.shape[0]):
        here, these = bits[row], out[row]
        more = np.uint8(0)
        for column in range(here.size):
            more |= these[column] & (here[column] ^ np.uint8(1))
        found[row] = more
    return found


@njit(cache=True, nogil=True)
def fill_holes(bits: BoolGrid) -> BoolGrid:
    """Unset blocks that cannot be reached from the edge over unset four-neighbours are set."""
    rows, columns = bits.shape
    there = bits.view(np.uint8)
    filled = _enclosed(there)
    out = filled.view(np.bool_)
    holes = _holes(there, filled)
    stack = np.empty(rows * columns, np.int32)
    depth = 0
    for row in range(1, rows - 1):              # nothing at the edge is enclosed and unset
        if not holes[row]:
            continue
        for column in range(1, columns - 1):
            if (
                out[row, column] and not bits[row, column]
                and not (out[row - 1, column] and out[row + 1, column] and out[row, column - 1] and out[row, column + 1])
            ):
                out[row, column] = False
                stack[depth] = row * columns + column
                depth += 1
    while depth > 0:
        depth -= 1
        row, column = divmod(stack[depth], columns)
        for step in range(4):
            i = row + (1 if step == 0 else -1 if step == 1 else 0)
            j = column + (1 if step == 2 else -1 if step == 3 else 0)
            if out[i, j] and not bits[i, j]:
                out[i, j] = False
                stack[depth] = i * columns + j
                depth += 1
    return out


@njit(cache=True, nogil=True)
def drop_small(bits: BoolGrid, fewest_blocks: int) -> BoolGrid:
    """Eight-connected components of fewer blocks are dropped."""
    out = bits.copy()
    runs, numbers, count = _components(bits)
    sizes = np.zeros(count, np.int32)
    for which in range(len(runs)):
        sizes[numbers[which]] += runs[which, 2] - runs[which, 1]
    for which in range(len(runs)):
        if sizes[numbers[which]] < fewest_blocks:
            out[runs[which, 0], runs[which, 1] : runs[which, 2]] = False
    return out


@njit(cache=True, nogil=True)
def follow(there: BoolGrid, since_ns: NDArray[np.int64], now_ns: int) -> None:
    """Keep since when each block has been set without a break: int64 (rows, columns), ns; -1 where it is not. Changes `since_ns`."""
    rows, _ = there.shape
    for row in range(rows):
        flags, since = there[row], since_ns[row]
        for column in range(flags.size):
            held = since[column] if since[column] >= 0 else now_ns
            since[column] = held if flags[column] else -1


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
    rows = len(bits)
    out = bits.copy()
    runs, numbers, count = _components(bits)
    top, bottom = np.full(count, rows, np.int32), np.zeros(count, np.int32)
    for which in range(len(runs)):
        top[numbers[which]] = min(top[numbers[which]], runs[which, 0])
        bottom[numbers[which]] = max(bottom[numbers[which]], runs[which, 0])
    factors = np.ones(count, np.int32)
    for which in range(count):
        while bottom[which] // factors[which] - top[which] // factors[which] + 1 > tallest_blocks:
            factors[which] += 1
    for which in range(len(runs)):
        f = factors[numbers[which]]
        if f == 1:
            continue
        first_row, first, end = runs[which, 0] // f * f, runs[which, 1] // f * f, ((runs[which, 2] - 1) // f + 1) * f
        for row in range(first_row, min(first_row + f, rows)):
            out[row, first:end] = True          # a slice ends at the picture's edge by itself
    return out
