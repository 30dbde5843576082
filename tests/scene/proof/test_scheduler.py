"""What looks do not help is given up, and gets another chance when something has changed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from privet.core.clock import NS_PER_S
from privet.core.grid import BoolGrid
from privet.scene.proof.scheduler import ProofScheduler

SHAPE = (4, 5)
PATIENCE_NS = 60 * NS_PER_S
AGAIN_NS = 30 * NS_PER_S
ALL: BoolGrid = np.ones(SHAPE, np.bool_)
NONE: BoolGrid = ~ALL
TOP: BoolGrid = NONE.copy()
TOP[1] = True


def _scheduler() -> ProofScheduler:
    return ProofScheduler(SHAPE, PATIENCE_NS, AGAIN_NS)


def _given_up() -> ProofScheduler:
    """Everything has been given up by second 300."""
    pace = _scheduler()
    for second in range(1, 300):
        pace.choose(ALL, NONE, 0, second * NS_PER_S)
    assert pace.given_up.all()
    return pace


def test_all_that_waits_is_tried_for_as_long_as_looks_bring_proofs_nearer() -> None:
    pace = _scheduler()
    for second in range(0, 600, 10):
        assert pace.choose(ALL, NONE, second, second * NS_PER_S).all()


def test_what_looks_have_not_helped_for_long_is_given_up() -> None:
    pace = _scheduler()
    tried = [bool(pace.choose(ALL, NONE, 0, second * NS_PER_S).any()) for second in range(1, 400)]
    assert all(tried[:60])
    assert not any(tried[60:])


def test_what_waits_for_a_signature_alone_is_not_given_up() -> None:
    pace = _scheduler()
    for second in range(1, 600):
        asked = pace.choose(ALL, TOP, 5, second * NS_PER_S)
    assert np.array_equal(asked, TOP)
    assert not pace.idle(ALL, 601 * NS_PER_S)


def test_blocks_that_begin_to_wait_are_tried_at_once() -> None:
    pace = _scheduler()
    waiting = ~TOP
    for second in range(1, 300):
        pace.choose(waiting, NONE, 0, second * NS_PER_S)
    assert np.array_equal(pace.choose(ALL, NONE, 0, 300 * NS_PER_S), TOP)


def test_where_nobody_passes_any_more_it_is_tried_again() -> None:
    pace = _given_up()
    pace.disturbed(TOP, 310 * NS_PER_S)
    assert not pace.choose(ALL, NONE, 0, 339 * NS_PER_S).any()
    assert np.array_equal(pace.choose(ALL, NONE, 0, 340 * NS_PER_S), TOP)
    assert np.array_equal(pace.choose(ALL, NONE, 0, 341 * NS_PER_S), TOP)


def test_a_second_chance_ends_with_the_first_movement_and_there_is_a_third() -> None:
    pace = _given_up()
    pace.disturbed(TOP, 310 * NS_PER_S)
    assert pace.choose(ALL, NONE, 0, 340 * NS_PER_S).any()
    pace.disturbed(TOP, 341 * NS_PER_S)
    assert not pace.choose(ALL, NONE, 0, 342 * NS_PER_S).any()
    assert pace.choose(ALL, NONE, 0, 371 * NS_PER_S).any()


def test_a_second_chance_that_brings_nothing_ends_too() -> None:
    pace = _given_up()
    pace.disturbed(TOP, 310 * NS_PER_S)
    for second in range(340, 410):
        asked = pace.choose(ALL, NONE, 0, second * NS_PER_S)
    assert not asked.any()


def test_what_cannot_be_judged_is_not_tried_again_for_having_been_still_all_along() -> None:
    pace = _given_up()
    for second in range(300, 2000):
        assert not pace.choose(ALL, NONE, 0, second * NS_PER_S).any()


def test_sleep_is_not_stillness() -> None:
    pace = _given_up()
    pace.disturbed(TOP, 310 * NS_PER_S)
    pace.slept()
    assert not pace.choose(ALL, NONE, 0, 900 * NS_PER_S).any()


def test_another_picture_begins_anew() -> None:
    pace = _given_up()
    pace.begin_anew()
    assert pace.choose(ALL, NONE, 0, 300 * NS_PER_S).all()


def test_what_was_given_up_lets_a_camera_rest_for_an_hour_and_then_for_two() -> None:
    pace = _scheduler()
    now_s, idle_from = 0, -1
    ended: list[int] = []
    while len(ended) < 2:
        now_s += 5
        pace.choose(ALL, NONE, 0, now_s * NS_PER_S)
        idle = pace.idle(ALL, now_s * NS_PER_S)
        if idle and idle_from < 0:
            idle_from = now_s
        elif not idle and idle_from >= 0:
            ended.append(now_s - idle_from)
            idle_from = -1
    assert ended == [3600, 7200]


def test_what_an_earlier_life_gave_up_is_not_tried_for_long_again() -> None:
    pace = _scheduler()
    assert not pace.given_up.any()
    assert not pace.idle(ALL, 5 * NS_PER_S)
    pace.give_up(ALL)
    assert pace.given_up.all()
    assert pace.idle(ALL, 6 * NS_PER_S)
    assert not pace.idle(ALL, 3700 * NS_PER_S), "after an hour everything is tried anew"


def test_where_nothing_waits_there_is_nothing_to_be_done() -> None:
    assert _scheduler().idle(NONE, NS_PER_S)
    assert not _scheduler().idle(ALL, NS_PER_S)


GRIDS = arrays(np.bool_, SHAPE)


@given(st.lists(st.tuples(st.integers(1, 40), GRIDS, GRIDS, GRIDS, st.booleans()), max_size=60))
def test_what_is_tried_waits_and_was_not_given_up(steps: list[tuple[int, BoolGrid, BoolGrid, BoolGrid, bool]]) -> None:
    pace, now_s = _scheduler(), 0
    for seconds, waiting, candidates, moved, slept in steps:
        now_s += seconds
        pace.disturbed(moved, now_s * NS_PER_S)
        if slept:
            pace.slept()
        before = pace.given_up.copy()
        asked = pace.choose(waiting, candidates & waiting, 0, now_s * NS_PER_S)
        assert np.array_equal(asked, waiting & ~pace.given_up)
        assert not (pace.given_up & ~waiting).any()
        assert not (pace.given_up & ~before & candidates).any()
        again = before & ~pace.given_up & waiting
        assert not (again & moved).any(), "what has just moved is not tried again"
        assert not (slept and again.any())
