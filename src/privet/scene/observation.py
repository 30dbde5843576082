"""What one frame said about the place: all that comes out of the scene room for it, and no live pixel.

Belongs here: that value. Does not belong here: how it is found (main_stream, substream.step), how it is encoded (worker).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privet.core.grid import BoolGrid
from privet.core.scene import Condition, Reason


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What one frame said about the place. Arrays are bool (rows, columns).

    cover: the blocks where something is that is not background; it changes no more often than covers are due, so that a frame analysed
    in between for the sake of proving repeats it. promoted, candidates: as `promote` returned them, None when it was not
    asked. light: quantised (gain, offset), None when unchanged or not due. new_grid: a new epoch began, all unproven.
    by_signature: what was promoted was signed for by a person. returned: the layers of the background that are in force again, by their
    number from 1, and the blocks that look again as they did then.
    """

    wall_ns: int
    condition: Condition
    reason: Reason
    cover: BoolGrid
    light: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None
    promoted: BoolGrid | None
    candidates: int
    new_grid: bool
    sharpness: float
    by_signature: bool = False
    returned: tuple[tuple[int, BoolGrid], ...] = ()

    @property
    def recalled(self) -> BoolGrid | None:
        """Blocks that look again as in an earlier layer, whichever; None if there are none."""
        return np.logical_or.reduce([blocks for _, blocks in self.returned]) if self.returned else None

    @property
    def painted(self) -> BoolGrid | None:
        """Blocks whose pixels in the background are others than before: what a viewer must be told."""
        recalled = self.recalled
        if self.promoted is None or recalled is None:
            return self.promoted if recalled is None else recalled
        return self.promoted | recalled
