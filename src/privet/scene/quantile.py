"""Selection: the value that would stand at a place if many were sorted, without sorting them.

The place is found by halving the range of values and counting which lie below: floats of one sign sort as the whole numbers that their
bits are, so that two dozen halvings at most find one exactly, and fewer if a limit happens to fall right beside it. Counting has no branch
in it and vectorises, which sorting into halves (Hoare's "Find", 1961) does not: of a hundred values that took twice as long, and of
thousands three times. Compiled, because it is asked for a few hundred times a picture, of a few hundred values each.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Keys = NDArray[np.int32]
"""Whole numbers in the order of the floats that they stand for."""


@njit(cache=True, nogil=True)
def _turned(bits: Keys) -> Keys:
    """A float's bits to its key, and back: of negative ones, all but the sign are turned over."""
    out = np.empty_like(bits)
    for i in range(bits.size):
        out[i] = bits[i] ^ ((bits[i] >> np.int32(31)) & np.int32(0x7FFFFFFF))
    return out


@njit(cache=True, nogil=True)
def _beside(keys: Keys, limit: np.int32, above: bool) -> int:
    """The least key above a limit, or the greatest that is not."""
    least, most = np.int32(0x7FFFFFFF), np.int32(-0x80000000)
    for i in range(keys.size):
        least = min(least, keys[i] if keys[i] > limit else np.int32(0x7FFFFFFF))
        most = max(most, np.int32(-0x80000000) if keys[i] > limit else keys[i])
    return int(least) if above else int(most)


@njit(cache=True, nogil=True)
def _at(keys: Keys, which: int) -> int:
    low, high = np.int64(keys.min()), np.int64(keys.max())
    while low < high:
        middle = (low + high) >> 1
        limit = np.int32(middle)
        below = 0
        for i in range(keys.size):
            below += keys[i] <= limit
        if below == which or below == which + 1:
            return _beside(keys, limit, below == which)
        if below > which:
            high = middle
        else:
            low = middle + 1
    return int(low)


@njit(cache=True, nogil=True)
def _around(values: NDArray[np.float32], which: int) -> NDArray[np.float32]:
    """The values that would stand before `which` and at it."""
    keys = _turned(values.view(np.int32))
    at = np.int32(_at(keys, which))
    least = np.int32(-0x80000000)
    before = 0
    most = least
    for i in range(keys.size):
        before += keys[i] < at
        most = max(most, keys[i] if keys[i] < at else least)
    return _turned(np.array([most if before == which else at, at], np.int32)).view(np.float32)


@njit(cache=True, nogil=True)
def nth(values: NDArray[np.float32], which: int) -> np.float32:
    """The value that would stand at `which`. values: side by side in memory, none of them NaN."""
    return np.float32(_around(values, which)[1])


@njit(cache=True, nogil=True)
def median(values: NDArray[np.float32]) -> np.float32:
    """The median; of an even number of values the mean of both in the middle. At least one value, as for `nth`."""
    around = _around(values, values.size // 2)
    return around[1] if values.size % 2 else np.float32((around[0] + around[1]) / np.float32(2))


@njit(cache=True, nogil=True)
def percentile(values: NDArray[np.float32], share: float) -> float:
    """As `numpy.percentile`, interpolated linearly; share: 0 to 100. 0 of no values at all; values: as for `nth`."""
    if values.size == 0:
        return 0.0
    at = share / 100.0 * (values.size - 1)
    upper = min(int(at) + 1, values.size - 1)
    around = _around(values, upper)
    lower = around[0] if upper > int(at) else around[1]
    return float(lower + (at - int(at)) * (float(around[1]) - float(lower)))
