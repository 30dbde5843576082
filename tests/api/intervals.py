"""Intervals for fakes."""

from __future__ import annotations

import numpy as np

from privet.core.clock import NS_PER_S
from privet.core.intervals import Intervals, runs


def ten_seconds_each(kinds: list[int], from_wall_ns: int, to_wall_ns: int) -> Intervals:
    """Each kind for ten seconds, the last to the end."""
    assert from_wall_ns < to_wall_ns
    edges_ns = np.array([*(from_wall_ns + 10 * NS_PER_S * number for number in range(len(kinds))), to_wall_ns])
    return runs(np.minimum(edges_ns, to_wall_ns), np.array(kinds, np.uint8))
