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
def _luma(
    flat: Flat, stride: int, height: int, width: int, block_px: int, sums: NDArray[np.uint16], means: NDArray[np.float32],
    gradients: NDArray[np.float32],
) -> None:
    """sums: uint16 (3, width), scratch. Sums run down the columns of a row of blocks first, over whole lines: that is what vectorises."""
    rows, columns = means.shape
    for row in range(rows):
        top = row * block_px
        bottom = min(top + block_px, height)
        sums[:] = 0
        totals, across, down = sums[0], sums[1], sums[2]
        for i in range(top, bottom):
            line = flat[i * stride : i * stride + width]
            for j in range(width):
                totals[j] += line[j]
            for j in range(width - 1):
                across[j] += np.uint16(abs(np.int16(line[j]) - np.int16(line[j + 1])))
        for i in range(top, bottom - 1):
            line = flat[i * stride : i * stride + width]
            below = flat[(i + 1) * stride : (i + 1) * stride + width]
            for j in range(width):
                down[j] += np.uint16(abs(np.int16(line[j]) - np.int16(below[j])))
        for column in range(columns):
            left = column * block_px
            right = min(left + block_px, width)
            total = np.int32(0)
            gradient = np.int32(0)
            for j in range(left, right):
                total += totals[j]
                gradient += down[j]
            for j in range(left, right - 1):
                gradient += across[j]
            steps = (bottom - top) * (right - 1 - left) + (bottom - top - 1) * (right - left)
            means[row, column] = total / ((bottom - top) * (right - left))
            gradients[row, column] = 2.0 * gradient / (steps if steps > 0 else 1)


@njit(cache=True, nogil=True)
def _chroma(
    flat: Flat, stride: int, height: int, width: int, block_px: int, sums: NDArray[np.uint16], means: NDArray[np.float32]
) -> None:
    """sums: uint16 (at least width), scratch. block_px: of a chroma block."""
    rows, columns = means.shape
    for row in range(rows):
        top = row * block_px
        bottom = min(top + block_px, height)
        sums[:] = 0
        for i in range(top, bottom):
            line = flat[i * stride : i * stride + width]
            for j in range(width):
                sums[j] += line[j]
        for column in range(columns):
            left = column * block_px
            right = min(left + block_px, width)
            total = np.int32(0)
            for j in range(left, right):
                total += sums[j]
            means[row, column] = total / max((bottom - top) * (right - left), 1)


def block_statistics(y: Plane, u: Plane, v: Plane, block_px: int) -> Statistics:
    """Return float32 (4, rows, columns) for planes y (h, w), u and v (ceil(h/2), ceil(w/2)); gradients stay inside a block.

    block_px: at most 256, or the sums of a column would not fit.
    """
    height, width = y.shape
    out = np.empty((4, -(-height // block_px), -(-width // block_px)), np.float32)
    sums = np.empty((3, width), np.uint16)
    flat, stride = flattened(y)
    _luma(flat, stride, height, width, block_px, sums, out[Y_MEAN], out[GRADIENT])
    for which, plane in ((U_MEAN, u), (V_MEAN, v)):
        flat, stride = flattened(plane)
        _chroma(flat, stride, plane.shape[0], plane.shape[1], block_px // 2, sums[0], out[which])
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
def _block_differences(
    y: Plane, u: Plane, v: Plane, other_y: Plane, other_u: Plane, other_v: Plane, block_px: int, wanted: NDArray[np.bool_],
    offsets: NDArray[np.float64], out: NDArray[np.float32],
) -> None:
    height, width = y.shape
    chroma_height, chroma_width = u.shape
    rows, columns = wanted.shape
    half = block_px // 2
    for row in range(rows):
        top = row * block_px
        bottom = min(top + block_px, height)
        c_top = row * half
        c_bottom = min(c_top + half, chroma_height)
        for column in range(columns):
            if not wanted[row, column]:
                out[row, column] = 0.0
                continue
            left = column * block_px
            right = min(left + block_px, width)
            offset = offsets[row, column]
            total = 0.0
            for i in range(top, bottom):
                for j in range(left, right):
                    total += abs(np.float64(y[i, j]) - np.float64(other_y[i, j]) - offset)
            worst = total / ((bottom - top) * (right - left))
            c_left = column * half
            c_right = min(c_left + half, chroma_width)
            chroma = np.int64(0)
            for i in range(c_top, c_bottom):
                for j in range(c_left, c_right):
                    chroma += abs(np.int64(u[i, j]) - np.int64(other_u[i, j])) + abs(np.int64(v[i, j]) - np.int64(other_v[i, j]))
            worst += chroma / max((c_bottom - c_top) * (c_right - c_left), 1)
            out[row, column] = worst


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
    out = np.empty(wanted.shape, np.float32)
    _block_differences(*picture, *other, block_px, wanted, brighter, out)
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
def _block_shifts(y: Plane, other: Plane, block_px: int, wanted: NDArray[np.bool_], out: NDArray[np.float32]) -> None:
    height, width = y.shape
    rows, columns = wanted.shape
    for row in range(rows):
        top = row * block_px
        bottom = min(top + block_px, height)
        for column in range(columns):
            if not wanted[row, column]:
                out[row, column] = 0.0
                continue
            left = column * block_px
            right = min(left + block_px, width)
            total = np.int64(0)
            for i in range(top, bottom):
                for j in range(left, right):
                    total += np.int64(y[i, j]) - np.int64(other[i, j])
            mean = total / ((bottom - top) * (right - left))
            xx = STRUCTURE_FLOOR
            yy = STRUCTURE_FLOOR
            xy = bx = by = 0.0
            for i in range(top, bottom):
                above, below = max(i - 1, 0), min(i + 1, height - 1)
                for j in range(left, right):
                    before, after = max(j - 1, 0), min(j + 1, width - 1)
                    across = 0.25 * (np.int64(y[i, after]) - np.int64(y[i, before]))
                    across += 0.25 * (np.int64(other[i, after]) - np.int64(other[i, before]))
                    down = 0.25 * (np.int64(y[below, j]) - np.int64(y[above, j]))
                    down += 0.25 * (np.int64(other[below, j]) - np.int64(other[above, j]))
                    difference = np.int64(y[i, j]) - np.int64(other[i, j]) - mean
                    xx += across * across
                    yy += down * down
                    xy += across * down
                    bx += across * difference
                    by += down * difference
            out[row, column] = np.sqrt(max((yy * bx * bx - 2 * xy * bx * by + xx * by * by) / (xx * yy - xy * xy), 0.0))


def block_shifts(y: Plane, other: Plane, block_px: int, wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far the difference of two pictures is what a small shift of the block's texture would make, in levels of noise.

    float32 (rows, columns); blocks that are not wanted get 0. Where it is known which way a difference points, much smaller ones are
    told from noise than by their mean: a textured block that moved a tenth of a pixel stands out. The square root of b' S^-1 b with S
    the structure tensor of the mean of both pictures and b the gradient times the difference, its mean taken off: the normal equations
    of Lucas and Kanade, "An iterative image registration technique with an application to stereo vision" (1981), read as a matched
    filter. Noise of one level gives about one.
    """
    out = np.empty(wanted.shape, np.float32)
    _block_shifts(y, other, block_px, wanted, out)
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
