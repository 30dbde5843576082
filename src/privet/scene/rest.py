"""When most frames may do without being looked at, or without being decoded as well as they could be. Pure.

Belongs here: whether something is there, and for how long nothing was. Does not belong here: whether proofs go on (proof.scheduler), how a
camera that rests is decoded (ingest).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from privet.core.clock import NS_PER_S
from privet.core.grid import BoolGrid
from privet.core.scene import Condition
from privet.scene.cover.shape import drop_small
from privet.scene.proof.stillness import FEWEST_MOVING_BLOCKS

QUIET_AFTER_NS = 10 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Rest:
    """something: there is something in the last frame. certain: beside what moved where nothing is proven. on_end: in so many frames on
    end. disturbed_ns: when there was something last (monotonic); -1 at first. proving, quiet: see `core.frame_demand.FrameDemand`."""

    something: bool = False
    certain: bool = False
    on_end: int = 0
    disturbed_ns: int = -1
    proving: bool = True
    quiet: bool = False

    @property
    def covered(self) -> bool:
        """Whether something was there in the last frame. What is not proven yet counts where several blocks of it moved, twice on end:
        once it may be noise, which no size of a packet tells of. A frame that was damaged says nothing.
        """
        return self.on_end > (0 if self.certain else 1)


def notice(rest: Rest, condition: Condition, differs: BoolGrid, moved: BoolGrid) -> Rest:
    """Whether something is there: what differs from proven background, or several blocks that moved where there is none."""
    certain = condition is not Condition.AWAKE or bool(differs.any())
    return replace(rest, certain=certain, something=certain or bool(drop_small(moved, FEWEST_MOVING_BLOCKS).any()))


def advance(rest: Rest, now_ns: int, *, idle: bool, new_grid: bool = False, unseen: bool = False) -> Rest:
    """Take in a frame that was looked at. idle: nothing is being proven, and nothing waits for a signature.

    unseen: of what was lost nothing is known, so there is no rest now. But neither was anything seen: were the quiet seconds to begin
    anew with every packet that an overloaded machine throws away, its cameras would stay awake, and it would stay overloaded.
    """
    something = rest.something and not unseen
    disturbed_ns = now_ns if new_grid or something or rest.disturbed_ns < 0 else rest.disturbed_ns
    return replace(
        rest, on_end=rest.on_end + 1 if something else 0, disturbed_ns=disturbed_ns, proving=not idle,
        quiet=idle and not unseen and now_ns - disturbed_ns >= QUIET_AFTER_NS,
    )
