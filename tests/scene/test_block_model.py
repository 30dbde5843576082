"""The model of what blocks look like: that it follows only what it is told to, and costs the same whatever is proven."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from privet.core.grid import Grid
from privet.scene.block_model import BlockModel

GRID = Grid(1920, 1080, 8)


def seconds(act: Callable[[], None]) -> float:
    """The least of several rounds: machines are noisy."""
    act()
    rounds = []
    for _ in range(20):
        began_s = time.perf_counter()
        act()
        rounds.append(time.perf_counter() - began_s)
    return min(rounds)


def test_where_nothing_is_proven_following_costs_no_more_than_elsewhere() -> None:
    seen = np.full((4, *GRID.shape), 100.0, np.float32)
    nothing, everything = np.zeros(GRID.shape, np.bool_), np.ones(GRID.shape, np.bool_)
    empty, full = BlockModel(GRID), BlockModel(GRID)
    full.start(everything, seen)
    # It was a hundred times as much: see model._written.
    assert seconds(lambda: empty.refine(seen, seen, nothing, 0.02)) < 8 * seconds(lambda: full.refine(seen, seen, everything, 0.02))


def test_blocks_that_are_not_asked_for_stay_as_they_are() -> None:
    model = BlockModel(GRID)
    first = np.full((4, *GRID.shape), 100.0, np.float32)
    model.start(np.ones(GRID.shape, np.bool_), first)
    half = np.zeros(GRID.shape, np.bool_)
    half[: GRID.rows // 2] = True
    model.refine(first + 2, first, half, 0.5)
    assert (model.mean[:, half] == 101).all()
    assert (model.mean[:, ~half] == 100).all()
