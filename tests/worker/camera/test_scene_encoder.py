"""How long what was said last holds, and how often a camera can make its worker speak."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from privet.core.clock import NS_PER_S
from privet.core.frame import Matrix
from privet.core.grid import Grid
from privet.core.scene import Condition, Cover, Reason, State
from privet.scene.proof.promote import ProvenBackground
from privet.worker.camera.scene_encoder import CHANGES_AT_ONCE, COVERS_AT_ONCE, SceneEncoder, Seen

GRID = Grid(32, 16, 8, 0)
SLOT_NS = NS_PER_S // 5


def told(condition: Condition) -> SceneEncoder:
    encoder = SceneEncoder(7, SLOT_NS)
    nothing = np.zeros(GRID.shape, np.bool_)
    seen = Seen(100 * NS_PER_S, NS_PER_S, condition, Reason.NONE, nothing, None, None, new_grid=False)
    encoder.tell(seen, ProvenBackground(GRID, Matrix.BT709), 0)
    return encoder


def test_awake_a_cover_holds_for_its_slot() -> None:
    state = told(Condition.AWAKE).heartbeat(None, 0, 102 * NS_PER_S)
    assert state.cover_until_wall_ns == 100 * NS_PER_S + SLOT_NS


def test_asleep_it_holds_until_now_for_as_long_as_packets_come() -> None:
    encoder = told(Condition.ASLEEP)
    assert encoder.heartbeat(None, 0, 102 * NS_PER_S).cover_until_wall_ns == 102 * NS_PER_S
    encoder.offline(Condition.OFFLINE, Reason.STALLED)
    assert encoder.heartbeat(None, 0, 104 * NS_PER_S).cover_until_wall_ns == 0


def test_no_more_covers_are_said_than_slots_go_by_however_often_they_change() -> None:
    """A stream of which every other picture is damaged is covered as a whole by one and not by the next."""
    encoder, background = SceneEncoder(7, SLOT_NS), ProvenBackground(GRID, Matrix.BT709)
    everything, nothing = np.ones(GRID.shape, np.bool_), np.zeros(GRID.shape, np.bool_)
    said: list[tuple[int, bool]] = []
    for number in range(30 * 60):
        now_ns = number * NS_PER_S // 30
        covered = nothing if number % 2 else everything
        seen = Seen(now_ns, now_ns, Condition.AWAKE, Reason.NONE, covered, None, None, new_grid=False)
        before_ns = encoder.heartbeat(None, 0, now_ns).cover_until_wall_ns
        said += [(now_ns, bool(each.covered.all())) for each in encoder.tell(seen, background, 0) if isinstance(each, Cover)]
        # What holds on is what was said last: a cover that was not said prolongs nothing.
        same = said[-1][1] == bool(covered.all())
        assert encoder.heartbeat(None, 0, now_ns).cover_until_wall_ns == (now_ns + SLOT_NS if same else before_ns)
    assert 60 * 5 <= len(said) <= 60 * 5 + COVERS_AT_ONCE
    assert {whole for _, whole in said} == {True, False}


def test_a_condition_that_flips_with_every_picture_is_said_no_more_often_than_covers_may_be() -> None:
    encoder, background = SceneEncoder(7, SLOT_NS), ProvenBackground(GRID, Matrix.BT709)
    nothing = np.zeros(GRID.shape, np.bool_)
    said: list[Condition] = []
    for number in range(30 * 60):
        now_ns = number * NS_PER_S // 30
        condition = Condition.BLIND if number % 2 else Condition.AWAKE
        seen = Seen(now_ns, now_ns, condition, Reason.NONE, nothing, None, None, new_grid=False)
        said += [each.condition for each in encoder.tell(seen, background, 0) if isinstance(each, State)]
    assert 60 * 5 <= len(said) <= 60 * 5 + CHANGES_AT_ONCE
    assert all(before is not after for before, after in pairwise(said)), "said only where it is another"
    assert encoder.heartbeat(None, 0, 60 * NS_PER_S).condition is condition, "what was left out is said with the next heartbeat"
