"""Looks are asked for where they help, and ever more rarely where they do not."""

from __future__ import annotations

import numpy as np

from privet.core.clock import NS_PER_S
from privet.core.grid import BoolGrid
from privet.scene.pace import SLOWEST, Pace

SHAPE = (4, 5)
PERIOD_NS = NS_PER_S // 2
PATIENCE_NS = 60 * NS_PER_S
AGAIN_NS = 30 * NS_PER_S
ALL: BoolGrid = np.ones(SHAPE, np.bool_)


def _pace() -> Pace:
    return Pace(SHAPE, PERIOD_NS, PATIENCE_NS, AGAIN_NS)


def _still(seconds: float) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.full(SHAPE, int(seconds * NS_PER_S), np.int64)


def test_at_full_pace_for_as_long_as_looks_bring_proofs_nearer() -> None:
    pace = _pace()
    for second in range(0, 600, 10):
        asked, pause_ns = pace.choose(ALL, ALL, _still(5), second, second * NS_PER_S)
        assert asked.all()
        assert pause_ns == PERIOD_NS


def test_ever_more_rarely_where_they_bring_nothing_and_never_not_at_all() -> None:
    pace = _pace()
    pauses = [pace.choose(ALL, ALL, _still(1000), 0, second * NS_PER_S)[1] for second in range(1, 400)]
    assert pauses[58] == PERIOD_NS
    assert pauses == sorted(pauses)
    assert pauses[-1] == PERIOD_NS * SLOWEST


def test_blocks_that_begin_to_wait_are_looked_at_at_once() -> None:
    pace = _pace()
    waiting = ALL.copy()
    waiting[0] = False
    for second in range(1, 300):
        pace.choose(waiting, waiting, _still(1), 0, second * NS_PER_S)
    asked, pause_ns = pace.choose(ALL, ALL, _still(1), 0, 300 * NS_PER_S)
    assert pause_ns == PERIOD_NS
    assert asked[0].all()
    assert not asked[1:].any()


def test_where_nobody_passes_any_more_looks_are_taken_again() -> None:
    pace = _pace()
    for second in range(1, 300):
        pace.choose(ALL, ALL, _still(second % 20), 0, second * NS_PER_S)
    still_ns = _still(2)
    still_ns[1] = 40 * NS_PER_S          # it moved since it was given up, and has been still since
    asked, pause_ns = pace.choose(ALL, ALL, still_ns, 0, 400 * NS_PER_S)
    assert pause_ns == PERIOD_NS
    assert np.array_equal(asked, still_ns >= AGAIN_NS)


def test_what_cannot_be_judged_is_not_tried_again_for_having_been_still_all_along() -> None:
    pace = _pace()
    for second in range(1, 2000):
        _, pause_ns = pace.choose(ALL, ALL, _still(second), 0, second * NS_PER_S)
    assert pause_ns == PERIOD_NS * SLOWEST


def test_another_picture_begins_anew() -> None:
    pace = _pace()
    for second in range(1, 300):
        pace.choose(ALL, ALL, _still(1), 0, second * NS_PER_S)
    pace.begin_anew()
    asked, pause_ns = pace.choose(ALL, ALL, _still(1), 0, 300 * NS_PER_S)
    assert asked.all()
    assert pause_ns == PERIOD_NS


def test_a_second_chance_ends_with_the_first_movement() -> None:
    pace = _pace()
    for second in range(1, 300):
        pace.choose(ALL, ALL, _still(second % 20), 0, second * NS_PER_S)
    assert pace.choose(ALL, ALL, _still(40), 0, 400 * NS_PER_S)[1] == PERIOD_NS
    assert pace.choose(ALL, ALL, _still(41), 0, 401 * NS_PER_S)[1] == PERIOD_NS
    assert pace.choose(ALL, ALL, _still(0), 0, 402 * NS_PER_S)[1] == PERIOD_NS * SLOWEST


def test_what_was_given_up_lets_a_camera_rest_for_an_hour_and_then_for_two() -> None:
    pace = _pace()
    now_s, idle_from = 0, -1
    ended: list[int] = []
    while len(ended) < 2:
        now_s += 5
        pace.choose(ALL, ALL, _still(1), 0, now_s * NS_PER_S)
        idle = pace.idle(ALL, now_s * NS_PER_S)
        if idle and idle_from < 0:
            idle_from = now_s
        elif not idle and idle_from >= 0:
            ended.append(now_s - idle_from)
            idle_from = -1
    assert ended == [3600, 7200]


def test_what_an_earlier_life_gave_up_is_not_tried_for_long_again() -> None:
    pace = _pace()
    assert not pace.given_up.any()
    assert not pace.idle(ALL, 5 * NS_PER_S)
    pace.give_up(ALL, 5 * NS_PER_S)
    assert pace.given_up.all()
    assert pace.idle(ALL, 6 * NS_PER_S)
    assert not pace.idle(ALL, 3700 * NS_PER_S), "after an hour everything is tried anew"


def test_where_nothing_waits_there_is_nothing_to_be_done() -> None:
    assert _pace().idle(~ALL, NS_PER_S)
    assert not _pace().idle(ALL, NS_PER_S)
