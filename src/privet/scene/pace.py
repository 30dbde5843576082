"""How often a camera asks for looks: at full pace while they bring proofs nearer, ever more rarely for blocks that they do not help.

A look costs more than everything else together, and some blocks are never proven: a detector takes a lamp post for somebody, or people
pass all day. Pure: fewer looks only ever cost proofs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.grid import BoolGrid

FIRST_REST_NS = 3600 * NS_PER_S
LONGEST_REST_NS = 24 * FIRST_REST_NS
SLOWEST = 32
"""How much more rarely blocks that nothing helped are looked at in the end."""


class Pace:
    """Which blocks are worth looks now, and how long to wait after one."""

    def __init__(self, shape: tuple[int, int], period_ns: int, patience_ns: int, again_ns: int) -> None:
        """shape: (rows, columns). period_ns: between two looks at full pace. patience_ns: how long looks may bring nothing.

        again_ns: a block that looks did not help is tried again when it moved since and has then been still for so long, until it moves.
        """
        self._period_ns = period_ns
        self._patience_ns = patience_ns
        self._again_ns = again_ns
        self._given_up_ns: NDArray[np.int64] = np.full(shape, -1, np.int64)
        self._rest_ns = FIRST_REST_NS
        self._idle_since_ns = -1
        self.begin_anew()

    def begin_anew(self) -> None:
        """The picture is another as a whole: what was learned of its blocks is worth nothing."""
        self._given_up_ns[:] = -1
        self._second_chance: BoolGrid = np.zeros(self._given_up_ns.shape, np.bool_)
        self._slower = 2
        self._reached = 0
        self._since_ns = -1

    @property
    def given_up(self) -> BoolGrid:
        """Blocks that looks did not help. bool (rows, columns)."""
        return self._given_up_ns >= 0

    def give_up(self, blocks: BoolGrid, now_ns: int) -> None:
        """Looks did not help these blocks in an earlier life: it is not tried for long again at every start."""
        self._given_up_ns[blocks] = now_ns

    def choose(
        self, wanting: BoolGrid, waiting: BoolGrid, still_ns: NDArray[np.int64], reached: int, now_ns: int
    ) -> tuple[BoolGrid, int]:
        """Which blocks to look at next, and how long to wait after that look, ns.

        wanting: blocks that a look might help now. waiting: all that are not proven, those whose proof has just broken off among them.
        still_ns: for how long each has been still. reached: how many blocks are proven or candidates; a hundredth of what waits more is
        headway.
        """
        since_given_up_ns = now_ns - self._given_up_ns
        again = (self._given_up_ns >= 0) & (still_ns >= self._again_ns) & (still_ns < since_given_up_ns)
        self._given_up_ns[~waiting | again] = -1
        failed = self._second_chance & (still_ns < self._again_ns)
        self._given_up_ns[failed & waiting] = now_ns
        self._second_chance = (self._second_chance | again) & waiting & ~failed
        if self._since_ns < 0 or again.any() or reached >= self._reached + max(int(waiting.sum()) // 100, 1):
            if self._since_ns >= 0 and not again.any():
                self._slower = max(self._slower // 2, 2)
                self._rest_ns = FIRST_REST_NS
            self._reached, self._since_ns = reached, now_ns
        elif now_ns - self._since_ns >= self._patience_ns:
            # Whoever has waited for nothing waits a quarter as long from then on.
            self._since_ns = now_ns - self._patience_ns * 3 // 4
            fresh = waiting & (self._given_up_ns < 0)
            self._given_up_ns[fresh] = now_ns
            self._slower = self._slower if fresh.any() else min(self._slower * 2, SLOWEST)
        eager: BoolGrid = wanting & (self._given_up_ns < 0)
        if eager.any():
            return eager, self._period_ns
        return wanting, self._period_ns * self._slower

    def idle(self, waiting: BoolGrid, now_ns: int) -> bool:
        """Whether all that waits was given up. After a rest of an hour, and twice as long each time it was in vain, all is tried anew."""
        if not waiting.any():
            return True
        if (waiting & (self._given_up_ns < 0)).any():
            self._idle_since_ns = -1
            return False
        if self._idle_since_ns < 0:
            self._idle_since_ns = now_ns
        if now_ns - self._idle_since_ns < self._rest_ns:
            return True
        self._rest_ns = min(2 * self._rest_ns, LONGEST_REST_NS)
        self._idle_since_ns = -1
        self.begin_anew()
        return False
