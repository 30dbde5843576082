"""Selection: the value that would stand at a place if many were sorted, without sorting them.

Hoare, "Algorithm 65: Find" (1961). Compiled, because it is asked for a few hundred times a picture, of a few hundred values each.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def nth(values: NDArray[np.float32], which: int) -> np.float32:
    """The value that would stand at `which`. Reorders `values`: no value before it is larger then, and none after it smaller."""
    left, right = 0, values.size - 1
    while left < right:
        pivot = values[(left + right) // 2]
        i, j = left, right
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if which <= j:
            right = j
        elif which >= i:
            left = i
        else:
            break
    return np.float32(values[which])


@njit(cache=True, nogil=True)
def median(values: NDArray[np.float32]) -> np.float32:
    """The median; of an even number of values the mean of both in the middle. At least one value; they are reordered."""
    upper = nth(values, values.size // 2)
    if values.size % 2:
        return upper
    return np.float32((values[: values.size // 2].max() + upper) / np.float32(2))


@njit(cache=True, nogil=True)
def percentile(values: NDArray[np.float32], share: float) -> float:
    """As `numpy.percentile`, interpolated linearly; share: 0 to 100. 0 of no values at all; they are reordered."""
    if values.size == 0:
        return 0.0
    at = share / 100.0 * (values.size - 1)
    lower = int(at)
    found = float(nth(values, lower))
    if lower + 1 < values.size:
        found += (at - lower) * (float(values[lower + 1 :].min()) - found)
    return found
