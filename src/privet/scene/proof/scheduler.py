"""Which blocks are worth proving now: all that wait, until looks have brought nothing for a while; then none, until something changes.

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


class ProofScheduler:
    """What was given up, and what has got another chance since."""

    def __init__(self, shape: tuple[int, int], patience_ns: int, again_ns: int) -> None:
        """shape: (rows, columns). patience_ns: how long looks may bring nothing.

        again_ns: a block that was given up is tried again when it was disturbed since and has then been still for so long, until it is
        disturbed again.
        """
        self._patience_ns = patience_ns
        self._again_ns = again_ns
        self._given_up: BoolGrid = np.zeros(shape, np.bool_)
        self._disturbed_ns: NDArray[np.int64] = np.full(shape, -1, np.int64)
        self._rest_ns = FIRST_REST_NS
        self._idle_since_ns = -1
        self.begin_anew()

    def begin_anew(self) -> None:
        """The picture is another as a whole: what was learned of its blocks is worth nothing."""
        self._given_up[:] = False
        self._second_chance: BoolGrid = np.zeros_like(self._given_up)
        self._reached = 0
        self._since_ns = -1

    @property
    def given_up(self) -> BoolGrid:
        """Blocks that looks did not help. bool (rows, columns)."""
        return self._given_up

    def give_up(self, blocks: BoolGrid) -> None:
        """Looks did not help these blocks, perhaps in an earlier life: it is not tried for long again at every start."""
        self._given_up = self._given_up | blocks
        self._second_chance = self._second_chance & ~blocks
        self._disturbed_ns[blocks] = -1

    def disturbed(self, blocks: BoolGrid, now_ns: int) -> None:
        """Something moved at these blocks, or somebody was found there."""
        self._disturbed_ns[blocks] = now_ns
        failed = self._second_chance & blocks
        self._second_chance = self._second_chance & ~failed
        self._given_up = self._given_up | failed

    def slept(self) -> None:
        """Nobody looked for a while, or ever: whether what was disturbed has been still since is not known."""
        self._disturbed_ns[:] = -1

    def choose(self, waiting: BoolGrid, candidates: BoolGrid, reached: int, now_ns: int) -> BoolGrid:
        """Which of the blocks that wait are to be proven. Asked twice a second or so.

        waiting: all that are not proven, those whose proof has just broken off among them. candidates: those that wait for a signature
        alone; they are not given up. reached: how many blocks are proven or candidates; a hundredth of what waits more is headway.
        """
        disturbed_ns = self._disturbed_ns
        again = self._given_up & (disturbed_ns >= 0) & (now_ns - disturbed_ns >= self._again_ns)
        self._second_chance = (self._second_chance | again) & waiting
        self._given_up = self._given_up & waiting & ~again
        if self._since_ns < 0 or again.any() or reached >= self._reached + max(int(waiting.sum()) // 100, 1):
            if self._since_ns >= 0 and not again.any():
                self._rest_ns = FIRST_REST_NS
            self._reached, self._since_ns = reached, now_ns
        elif now_ns - self._since_ns >= self._patience_ns:
            # Whoever has waited for nothing waits a quarter as long from then on.
            self._since_ns = now_ns - self._patience_ns * 3 // 4
            self.give_up(waiting & ~candidates & ~self._given_up)
        return waiting & ~self._given_up

    def idle(self, waiting: BoolGrid, now_ns: int) -> bool:
        """Whether all that waits was given up. After a rest of an hour, and twice as long each time it was in vain, all is tried anew."""
        if not waiting.any():
            return True
        if (waiting & ~self._given_up).any():
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
