"""What is covered is held for a while, everything is where nothing can be told, and what stays has settled."""

from __future__ import annotations

import numpy as np

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.grid import BoolGrid
from privet.core.scene import Condition
from privet.scene.cover.step import SETTLED_NS, Covering, cover, settle, uncovered

SHAPE = (20, 30)
NOTHING: BoolGrid = np.zeros(SHAPE, np.bool_)
EVERYTHING = ~NOTHING
SOMEBODY: BoolGrid = np.zeros(SHAPE, np.bool_)
SOMEBODY[5:13, 10:14] = True
HOLD_NS = 600 * NS_PER_MS


def covered(
    covering: Covering, raw: BoolGrid, now_ns: int, *, blind: BoolGrid = NOTHING, condition: Condition = Condition.AWAKE
) -> tuple[Covering, BoolGrid]:
    return cover(covering, raw, NOTHING, blind, condition, now_ns, hold_ns=HOLD_NS, tallest_blocks=12)


def test_what_was_found_is_held_and_then_let_go() -> None:
    covering, first = covered(uncovered(SHAPE), SOMEBODY, 0)
    assert first[SOMEBODY].all()
    assert not first.all()
    covering, held = covered(covering, NOTHING, HOLD_NS)
    assert np.array_equal(held, first)
    assert not covering.found.any()
    assert not covered(covering, NOTHING, HOLD_NS + 1)[1].any()


def test_a_step_changes_no_array_of_the_state_before_it() -> None:
    before = uncovered(SHAPE)
    after, _ = covered(before, SOMEBODY, 0)
    settle(after, EVERYTHING, SOMEBODY, Condition.AWAKE, 0)
    for state in (before, after):
        assert (state.since_ns == -1).all()
    assert (before.held_until_ns == -1).all()
    assert not before.found.any()
    assert not before.said.any()


def test_unless_awake_everything_is_covered_and_nothing_held_afterwards() -> None:
    covering, _ = covered(uncovered(SHAPE), SOMEBODY, 0)
    covering, everything = covered(covering, NOTHING, 1, condition=Condition.BLIND)
    assert everything.all()
    assert not covered(covering, NOTHING, 2)[1].any()


def test_blind_zones_are_never_covered() -> None:
    _, found = covered(uncovered(SHAPE), SOMEBODY, 0, blind=SOMEBODY)
    assert not found[SOMEBODY].any()


def test_what_is_covered_for_long_enough_has_settled_unless_nobody_looked() -> None:
    covering = uncovered(SHAPE)
    for second in range(SETTLED_NS // NS_PER_S):
        covering, settled = settle(covering, EVERYTHING, SOMEBODY, Condition.AWAKE, second * NS_PER_S)
        assert not settled.any()
    _, settled = settle(covering, EVERYTHING, SOMEBODY, Condition.AWAKE, SETTLED_NS)
    assert np.array_equal(settled, SOMEBODY)
    _, settled = settle(covering, EVERYTHING, SOMEBODY, Condition.AWAKE, 3 * SETTLED_NS)
    assert not settled.any()


def test_a_picture_that_does_not_fit_settles_as_a_whole_where_it_is_proven() -> None:
    covering, _ = settle(uncovered(SHAPE), ~SOMEBODY, NOTHING, Condition.BLIND, 0)
    _, settled = settle(covering, ~SOMEBODY, NOTHING, Condition.BLIND, SETTLED_NS)
    assert np.array_equal(settled, ~SOMEBODY)
