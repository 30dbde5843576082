"""A stretch of wall time as intervals of different kinds.

Belongs here: the value and the joining of neighbours. Does not belong here: what a kind means (whoever makes them says so).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Intervals:
    """A stretch of wall time in order, without holes, none empty, neighbours of different kinds.

    edges_ns: int64 (n + 1,). kinds: uint8 (n,): that of [edges_ns[i], edges_ns[i + 1]).
    """

    edges_ns: NDArray[np.int64]
    kinds: NDArray[np.uint8]


def runs(edges_ns: NDArray[np.int64], kinds: NDArray[np.uint8]) -> Intervals:
    """Drop what is empty; join neighbours of one kind. edges_ns: (n + 1,), not falling. kinds: (n,)."""
    whole = np.flatnonzero(edges_ns[1:] > edges_ns[:-1])
    starts, kinds = edges_ns[whole], kinds[whole]
    changes = np.flatnonzero(np.concatenate(([True], kinds[1:] != kinds[:-1]))) if len(kinds) else np.empty(0, np.int64)
    return Intervals(np.append(starts[changes], edges_ns[-1]), kinds[changes])
