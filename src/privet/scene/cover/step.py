"""What is covered after each frame: what was found, for how long it is held, and what stands there for good. Pure.

Belongs here: holding, coarsening, what is said and what has settled. Does not belong here: which blocks differ (changes), shapes (shape).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.grid import BoolGrid
from privet.core.scene import Condition
from privet.scene.cover.shape import coarsen, follow, shape

SETTLED_NS = 5 * NS_PER_S       # covered for so long on end: what came may have come to stay, and a person may be asked to sign for it


@dataclass(frozen=True, slots=True, eq=False)
class Covering:
    """Arrays (rows, columns). found: what the last frame found, held and coarsened by nothing. held_until_ns: int64, monotonic. said: the
    cover that is in force. since_ns: int64, since when a proven block has been covered, -1 where it is not; followed_ns: when that was
    followed last."""

    found: BoolGrid
    said: BoolGrid
    held_until_ns: NDArray[np.int64]
    since_ns: NDArray[np.int64]
    followed_ns: int = -1


def uncovered(shape_blocks: tuple[int, int]) -> Covering:
    """Nothing is covered yet. shape_blocks: (rows, columns)."""
    nothing = np.zeros(shape_blocks, np.bool_)
    return Covering(nothing, nothing, np.full(shape_blocks, -1, np.int64), np.full(shape_blocks, -1, np.int64))


def cover(
    covering: Covering, raw: BoolGrid, moved: BoolGrid, blind: BoolGrid, condition: Condition, now_ns: int, *, hold_ns: int,
    tallest_blocks: int,
) -> tuple[Covering, BoolGrid]:
    """Cover what was found, and what was found a moment ago; everything unless AWAKE. Returns the cover too, which is not said yet.

    raw: proven blocks that differ. moved: unproven ones that moved. blind: those in blind zones.
    """
    if condition is not Condition.AWAKE:
        everything = np.ones_like(raw)
        return replace(covering, found=everything, held_until_ns=np.full(raw.shape, -1, np.int64)), everything
    found = raw | moved
    if found.any():
        found = shape(found) & ~blind
    held_until_ns = np.where(found, now_ns + hold_ns, covering.held_until_ns)
    held = held_until_ns >= now_ns
    if held.any():
        held = coarsen(held, tallest_blocks) & ~blind
    return replace(covering, found=found, held_until_ns=held_until_ns), held


def settle(covering: Covering, proven: BoolGrid, raw: BoolGrid, condition: Condition, now_ns: int) -> tuple[Covering, BoolGrid]:
    """Proven blocks that something has been in front of for a while; all of them where the picture as a whole fits no longer."""
    covered = proven & (raw | (covering.held_until_ns >= now_ns) | (condition is not Condition.AWAKE))
    nobody_looked = now_ns - covering.followed_ns > SETTLED_NS
    since_ns = np.full(raw.shape, -1, np.int64) if nobody_looked else covering.since_ns.copy()
    follow(covered, since_ns, now_ns)
    settled: BoolGrid = covered & (since_ns <= now_ns - SETTLED_NS)
    return replace(covering, since_ns=since_ns, followed_ns=now_ns), settled
