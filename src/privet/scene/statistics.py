"""Block statistics: what each block of a picture looks like in four numbers.

Kernels are free functions on arrays. Each compiled kernel has a plain numpy reference of the same name with `_reference`; a property
test holds them equal. Block means as features of a background model are surveyed in Bouwmans, "Traditional and recent approaches in
background modeling for foreground detection" (2014).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from privet.core.frame import Plane

Y_MEAN, U_MEAN, V_MEAN, GRADIENT = range(4)

Statistics = NDArray[np.float32]
"""Shape (4, rows, columns): mean Y, mean U, mean V, mean |dY/dx| + |dY/dy|, in levels."""

Flat = NDArray[np.uint8]
"""Shape (n,), contiguous: a plane's memory from its first pixel to its last."""


def flattened(plane: Plane) -> tuple[Flat, int]:
    """A plane's memory as one line, and by how much of it two of its lines are apart; a view wherever the decoder's rows are whole.

    The compiler does not know that the pixels of a line lie side by side in a plane that is cut from wider lines, and so does not
    vectorise over one.
    """
    if plane.strides[1] != 1 or plane.strides[0] < plane.shape[1]:
        plane = np.ascontiguousarray(plane)
    height, width = plane.shape
    stride = plane.strides[0]
    return as_strided(plane, ((height - 1) * stride + width,), (1,), writeable=False), stride


@njit(cache=True, nogil=True)
def _fold(values: NDArray[np.uint16], side: int, out: NDArray[np.uint32]) -> None:
    """Sum every `side` values; the last ones may be fewer. Eight and four are written out: as a loop they take five times as long."""
    whole = values.size // side
    done = 0
    if side == 8:
        for i in range(whole):
            v = values[i * 8 : i * 8 + 8]
            four = np.uint32(v[0]) + np.uint32(v[1]) + np.uint32(v[2]) + np.uint32(v[3])
            out[i] = four + np.uint32(v[4]) + np.uint32(v[5]) + np.uint32(v[6]) + np.uint32(v[7])
        done = whole
    elif side == 4:
        for i in range(whole):
            v = values[i * 4 : i * 4 + 4]
            out[i] = np.uint32(v[0]) + np.uint32(v[1]) + np.uint32(v[2]) + np.uint32(v[3])
        done = whole
    for i in range(done, out.size):
        total = np.uint32(0)
        for value in values[i * side : (i + 1) * side]:
            total += value
        out[i] = total


@njit(cache=True, nogil=True)
def _scale(sums: NDArray[np.uint32], lines: int, width: int, side: int, steps: int, out: NDArray[np.float32]) -> None:
    """Sums of a row of blocks to means over their pixels or, with steps 1, to twice the mean over the steps between them.

    lines: of the row; width: of the picture; the last block may be narrower.
    """
    last = out.size - 1
    for part in range(2):
        begin, end, across = (0, last, side) if part == 0 else (last, last + 1, width - last * side)
        count = lines * (across - 1) + (lines - 1) * across if steps else lines * across
        factor = np.float32((2.0 if steps else 1.0) / max(count, 1))
        those, these = out[begin:end], sums[begin:end]
        for i in range(those.size):
            those[i] = np.float32(these[i]) * factor


@njit(cache=True, nogil=True)
def _luma(
    flat: Flat, stride: int, height: int, width: int, block_px: int, sums: NDArray[np.uint16], means: NDArray[np.float32],
    gradients: NDArray[np.float32],
) -> None:
    """sums: uint16 (3, width), scratch. Sums run down the columns of a row of blocks first, over whole lines: that is what vectorises."""
    rows, columns = means.shape
    totals, across, down = sums[0], sums[1], sums[2]
    folded = np.empty((2, columns), np.uint32)
    for row in range(rows):
        top = row * block_px
        bottom = min(top + block_px, height)
        sums[:] = 0
        for i in range(top, bottom):
            line = flat[i * stride : i * stride + width]
            after = flat[i * stride + 1 : i * stride + width]
            for j in range(width):
                totals[j] += line[j]
            for j in range(width - 1):
                across[j] += np.uint16(abs(np.int16(line[j]) - np.int16(after[j])))
        across[block_px - 1 :: block_px] = 0        # the step from a block to the next
        for i in range(top, bottom - 1):
            line = flat[i * stride : i * stride + width]
            below = flat[(i + 1) * stride : (i + 1) * stride + width]
            for j in range(width):
                down[j] += np.uint16(abs(np.int16(line[j]) - np.int16(below[j])))
        for j in range(width):
            down[j] += across[j]
        _fold(totals, block_px, folded[0])
        _fold(down, block_px, folded[1])
        _scale(folded[0], bottom - top, width, block_px, 0, means[row])
        _scale(folded[1], bottom - top, width, block_px, 1, gradients[row])


@njit(cache=True, nogil=True)
def _chroma(
    flat: Flat, stride: int, height: int, width: int, block_px: int, sums: NDArray[np.uint16], means: NDArray[np.float32]
) -> None:
    """sums: uint16 (width,), scratch. block_px: of a chroma block."""
    rows, columns = means.shape
    folded = np.empty(columns, np.uint32)
    for row in range(rows):
        top = row * block_px
        bottom = min(top + block_px, height)
        sums[:] = 0
        for i in range(top, bottom):
            line = flat[i * stride : i * stride + width]
            for j in range(width):
                sums[j] += line[j]
        _fold(sums, block_px, folded)
        _scale(folded, bottom - top, width, block_px, 0, means[row])


def block_statistics(y: Plane, u: Plane, v: Plane, block_px: int) -> Statistics:
    """Return float32 (4, rows, columns) for planes y (h, w), u and v (ceil(h/2), ceil(w/2)); gradients stay inside a block.

    block_px: at most 128, or the sums of a column would not fit.
    """
    height, width = y.shape
    out = np.empty((4, -(-height // block_px), -(-width // block_px)), np.float32)
    sums = np.empty((3, width), np.uint16)
    flat, stride = flattened(y)
    _luma(flat, stride, height, width, block_px, sums, out[Y_MEAN], out[GRADIENT])
    for which, plane in ((U_MEAN, u), (V_MEAN, v)):
        flat, stride = flattened(plane)
        _chroma(flat, stride, plane.shape[0], plane.shape[1], block_px // 2, sums[0, : plane.shape[1]], out[which])
    return out


def block_statistics_reference(y: Plane, u: Plane, v: Plane, block_px: int) -> Statistics:
    """As `block_statistics`, plainly."""
    height, width = y.shape
    rows, columns = -(-height // block_px), -(-width // block_px)
    out = np.empty((4, rows, columns), np.float32)
    half = block_px // 2
    for row in range(rows):
        for column in range(columns):
            block = y[row * block_px : (row + 1) * block_px, column * block_px : (column + 1) * block_px].astype(np.int64)
            u_block = u[row * half : (row + 1) * half, column * half : (column + 1) * half].astype(np.int64)
            v_block = v[row * half : (row + 1) * half, column * half : (column + 1) * half].astype(np.int64)
            across, down = np.abs(np.diff(block, axis=1)), np.abs(np.diff(block, axis=0))
            out[0, row, column] = block.sum() / block.size
            out[1, row, column] = u_block.sum() / max(u_block.size, 1)
            out[2, row, column] = v_block.sum() / max(v_block.size, 1)
            out[3, row, column] = 2.0 * (across.sum() + down.sum()) / max(across.size + down.size, 1)
    return out


@njit(cache=True, nogil=True)
def extent(flags: NDArray[np.bool_]) -> tuple[int, int]:
    """The first that is set and the last; (size, -1) if none is."""
    first, last = flags.size, -1
    for i in range(flags.size):
        if flags[i]:
            first = min(first, i)
            last = i
    return first, last


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _block_differences(
    flat: Flat, stride: int, other: Flat, other_stride: int, size: tuple[int, int], side: int, wanted: NDArray[np.bool_],
    offsets: NDArray[np.float32], sums: NDArray[np.float32], offset_of: NDArray[np.float32], out: NDArray[np.float32],
) -> None:
    """Adds one plane's mean absolute differences to `out`. sums, offset_of: float32 (width,), scratch; over whole lines, as in `_luma`."""
    height, width = size
    for row in range(wanted.shape[0]):
        first, last = extent(wanted[row])
        top = row * side
        bottom = min(top + side, height)
        begin, end = first * side, min((last + 1) * side, width)
        if last < 0 or bottom <= top or end <= begin:
            continue
        for column in range(first, last + 1):
            for j in range(column * side, min((column + 1) * side, width)):
                offset_of[j] = offsets[row, column]
        sums[begin:end] = 0
        for i in range(top, bottom):
            line = flat[i * stride + begin : i * stride + end]
            those = other[i * other_stride + begin : i * other_stride + end]
            total, off = sums[begin:end], offset_of[begin:end]
            for j in range(end - begin):
                total[j] += abs(np.float32(line[j]) - np.float32(those[j]) - off[j])
        for column in range(first, last + 1):
            left, right = column * side, min((column + 1) * side, width)
            if wanted[row, column] and right > left:
                whole = np.float32(0)
                for j in range(left, right):
                    whole += sums[j]
                out[row, column] += whole / np.float32((bottom - top) * (right - left))


def block_differences(
    picture: tuple[Plane, Plane, Plane],
    other: tuple[Plane, Plane, Plane],
    block_px: int,
    wanted: NDArray[np.bool_],
    brighter: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Mean absolute difference of two pictures per block, luma plus both chromas, in levels.

    wanted: bool (rows, columns); other blocks get 0. brighter: float64 (rows, columns), levels by which `picture` is lit more than
    `other`, taken off first.
    """
    out = np.zeros(wanted.shape, np.float32)
    scratch = np.empty((2, picture[0].shape[1]), np.float32)
    offsets = brighter.astype(np.float32)
    for plane, (here, there) in enumerate(zip(picture, other, strict=True)):
        side = block_px if plane == 0 else block_px // 2
        lit = offsets if plane == 0 else np.zeros_like(offsets)
        _block_differences(*flattened(here), *flattened(there), here.shape, side, wanted, lit, scratch[0], scratch[1], out)
    return out


def block_differences_reference(
    picture: tuple[Plane, Plane, Plane],
    other: tuple[Plane, Plane, Plane],
    block_px: int,
    wanted: NDArray[np.bool_],
    brighter: NDArray[np.float64],
) -> NDArray[np.float32]:
    """As `block_differences`, plainly."""
    rows, columns = wanted.shape
    out = np.zeros((rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            if not wanted[row, column]:
                continue
            total = 0.0
            for plane, (a, b) in enumerate(zip(picture, other, strict=True)):
                side = block_px if plane == 0 else block_px // 2
                window = (slice(row * side, (row + 1) * side), slice(column * side, (column + 1) * side))
                difference = a[window].astype(np.float64) - b[window].astype(np.float64) - (brighter[row, column] if plane == 0 else 0.0)
                total += float(np.abs(difference).mean()) if difference.size else 0.0
            out[row, column] = total
    return out


STRUCTURE_FLOOR = 64.0      # added to the structure tensor: what a block must hold before a shift of it is told from noise


@njit(cache=True, nogil=True)
def _block_shifts(
    flat: Flat, stride: int, other: Flat, other_stride: int, size: tuple[int, int], block_px: int, wanted: NDArray[np.bool_],
    line: NDArray[np.int16], sums: NDArray[np.int32], out: NDArray[np.float32],
) -> None:
    """line: int16 (3, width), scratch. sums: int32 (8, width), scratch: per column of a row of blocks, sums over its lines.

    Over whole lines, as in `_luma`.
    """
    height, width = size
    for row in range(wanted.shape[0]):
        first, last = extent(wanted[row])
        if last < 0:
            continue
        top = row * block_px
        bottom = min(top + block_px, height)
        begin, end = first * block_px, min((last + 1) * block_px, width)
        sums[:, begin:end] = 0
        for i in range(top, bottom):
            above, below = max(i - 1, 0), min(i + 1, height - 1)
            _gradients(
                flat[i * stride : i * stride + width], flat[above * stride : above * stride + width],
                flat[below * stride : below * stride + width], other[i * other_stride : i * other_stride + width],
                other[above * other_stride : above * other_stride + width], other[below * other_stride : below * other_stride + width],
                line[0], line[1], line[2],
            )
            difference, across, down = line[0, begin:end], line[1, begin:end], line[2, begin:end]
            for which in range(3):
                _add(line[which, begin:end], sums[which, begin:end])
            _add_product(across, across, sums[3, begin:end])
            _add_product(down, down, sums[4, begin:end])
            _add_product(across, down, sums[5, begin:end])
            _add_product(across, difference, sums[6, begin:end])
            _add_product(down, difference, sums[7, begin:end])
        for column in range(first, last + 1):
            if not wanted[row, column]:
                continue
            left = column * block_px
            right = min(left + block_px, width)
            d = x = y = 0.0
            xx = yy = 16.0 * STRUCTURE_FLOOR        # gradients are four times as large: see `_gradients`
            xy = bx = by = 0.0
            for j in range(left, right):
                d += sums[0, j]
                x += sums[1, j]
                y += sums[2, j]
                xx += sums[3, j]
                yy += sums[4, j]
                xy += sums[5, j]
                bx += sums[6, j]
                by += sums[7, j]
            mean = d / ((bottom - top) * (right - left))
            bx -= mean * x
            by -= mean * y
            out[row, column] = np.sqrt(max((yy * bx * bx - 2 * xy * bx * by + xx * by * by) / (xx * yy - xy * xy), 0.0))


@njit(cache=True, nogil=True)
def _gradients(
    line: Flat, above: Flat, below: Flat, other: Flat, other_above: Flat, other_below: Flat, difference: NDArray[np.int16],
    across: NDArray[np.int16], down: NDArray[np.int16],
) -> None:
    """Of one line: the difference, and both gradients (four times the mean of both pictures' central differences)."""
    width = line.size
    for j in range(width):
        difference[j] = np.int16(line[j]) - np.int16(other[j])
    last = width - 1                                # beyond the picture's edge lies the edge again
    for j in (0, last):
        before, after = max(j - 1, 0), min(j + 1, last)
        across[j] = np.int16(line[after]) - np.int16(line[before]) + np.int16(other[after]) - np.int16(other[before])
    inner, right, other_right = across[1:], line[2:], other[2:]
    for j in range(width - 2):
        inner[j] = np.int16(right[j]) - np.int16(line[j]) + np.int16(other_right[j]) - np.int16(other[j])
    for j in range(width):
        down[j] = np.int16(below[j]) - np.int16(above[j])
    for j in range(width):
        down[j] += np.int16(other_below[j]) - np.int16(other_above[j])


@njit(cache=True, nogil=True)
def _add(values: NDArray[np.int16], out: NDArray[np.int32]) -> None:
    for j in range(out.size):
        out[j] += np.int32(values[j])


@njit(cache=True, nogil=True)
def _add_product(values: NDArray[np.int16], by: NDArray[np.int16], out: NDArray[np.int32]) -> None:
    for j in range(out.size):
        out[j] += np.int32(values[j]) * np.int32(by[j])


def block_shifts(y: Plane, other: Plane, block_px: int, wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far the difference of two pictures is what a small shift of the block's texture would make, in levels of noise.

    float32 (rows, columns); blocks that are not wanted get 0. Where it is known which way a difference points, much smaller ones are
    told from noise than by their mean: a textured block that moved a tenth of a pixel stands out. The square root of b' S^-1 b with S
    the structure tensor of the mean of both pictures and b the gradient times the difference, its mean taken off: the normal equations
    of Lucas and Kanade, "An iterative image registration technique with an application to stereo vision" (1981), read as a matched
    filter. Noise of one level gives about one.
    """
    out = np.zeros(wanted.shape, np.float32)
    line, sums = np.empty((3, y.shape[1]), np.int16), np.empty((8, y.shape[1]), np.int32)
    _block_shifts(*flattened(y), *flattened(other), y.shape, block_px, wanted, line, sums, out)
    return out


def block_shifts_reference(y: Plane, other: Plane, block_px: int, wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """As `block_shifts`, plainly."""
    here, there = y.astype(np.float64), other.astype(np.float64)
    padded = np.pad((here + there) / 2, 1, mode="edge")
    across, down = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2, (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2
    out = np.zeros(wanted.shape, np.float32)
    for row, column in np.argwhere(wanted):
        window = (slice(row * block_px, (row + 1) * block_px), slice(column * block_px, (column + 1) * block_px))
        difference = here[window] - there[window]
        difference -= difference.mean()
        gradients = np.stack([across[window].ravel(), down[window].ravel()])
        structure = gradients @ gradients.T + STRUCTURE_FLOOR * np.eye(2)
        projected = gradients @ difference.ravel()
        out[row, column] = max(float(projected @ np.linalg.solve(structure, projected)), 0.0) ** 0.5
    return out
