"""How long what was said last holds."""

from __future__ import annotations

import numpy as np

from privet.core.clock import NS_PER_S
from privet.core.frame import Matrix
from privet.core.grid import Grid
from privet.core.scene import Condition, Reason
from privet.runtime.narrator import Narrator, Seen
from privet.scene.promote import ProvenBackground

GRID = Grid(32, 16, 8, 0)
SLOT_NS = NS_PER_S // 5


def told(condition: Condition) -> Narrator:
    narrator = Narrator(7, SLOT_NS)
    nothing = np.zeros(GRID.shape, np.bool_)
    seen = Seen(100 * NS_PER_S, NS_PER_S, condition, Reason.NONE, nothing, None, None, new_grid=False)
    narrator.tell(seen, ProvenBackground(GRID, Matrix.BT709), 0)
    return narrator


def test_awake_a_cover_holds_for_its_slot() -> None:
    state = told(Condition.AWAKE).heartbeat(None, 0, 102 * NS_PER_S)
    assert state.cover_until_wall_ns == 100 * NS_PER_S + SLOT_NS


def test_asleep_it_holds_until_now_for_as_long_as_packets_come() -> None:
    narrator = told(Condition.ASLEEP)
    assert narrator.heartbeat(None, 0, 102 * NS_PER_S).cover_until_wall_ns == 102 * NS_PER_S
    narrator.offline(Condition.OFFLINE, Reason.STALLED)
    assert narrator.heartbeat(None, 0, 104 * NS_PER_S).cover_until_wall_ns == 0
