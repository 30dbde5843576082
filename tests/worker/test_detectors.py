"""Detectors that load late: asked too early they are waited for, and one that fails says so every time."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from tests.scene.pictures import Spotter

from privet.core.clock import NS_PER_S, FakeClock
from privet.core.errors import DetectorError
from privet.scene.proof.looks import Detector
from privet.worker.detectors import LateDetectors, LookBudget

SIZE = Spotter().input_px
PICTURE = np.zeros((1, *SIZE, 3), np.uint8)



def test_they_answer_once_they_are_loaded() -> None:
    let_go, spotter = threading.Event(), Spotter()

    def load() -> Sequence[Detector]:
        assert let_go.wait(10)
        return (spotter,)

    late = LateDetectors((SIZE,), load)
    assert not late.ready()
    assert late.detectors[0].input_px == SIZE
    let_go.set()
    assert len(late.detectors[0].find(PICTURE)) == 1
    assert late.ready()
    assert spotter.looked == 1


def test_a_failure_is_told_to_whoever_asks() -> None:
    def load() -> Sequence[Detector]:
        raise DetectorError("the weights are gone")

    late = LateDetectors((SIZE, SIZE), load)
    for detector in late.detectors * 2:
        with pytest.raises(DetectorError, match="the weights are gone"):
            detector.find(PICTURE)
    assert late.ready()


def test_others_than_were_announced_are_refused() -> None:
    late = LateDetectors(((7, 7),), lambda: (Spotter(),))
    with pytest.raises(DetectorError, match="not the ones"):
        late.detectors[0].find(PICTURE)


def test_cameras_share_a_budget_of_looks_and_nothing_is_saved_up_for_long() -> None:
    clock = FakeClock()
    budget = LookBudget(4.0, clock)
    assert [budget.take("gate") for _ in range(6)] == [True] * 4 + [False] * 2
    clock.advance(NS_PER_S // 4)
    assert [budget.take("gate"), budget.take("gate")] == [True, False]
    clock.advance(3600 * NS_PER_S)
    assert sum(budget.take("gate") for _ in range(100)) == 4


def test_a_budget_of_less_than_a_look_a_second_is_one_all_the_same() -> None:
    clock = FakeClock()
    budget = LookBudget(0.1, clock)
    taken = 0
    for _ in range(100):
        taken += budget.take("gate")
        clock.advance(NS_PER_S)
    assert taken == pytest.approx(11, abs=1)


def test_a_camera_that_asks_often_does_not_take_the_others_looks() -> None:
    clock = FakeClock()
    budget = LookBudget(6.0, clock)
    taken = {"gate": 0, "yard": 0, "dock": 0}
    for number in range(600):                   # a minute; gate asks first, and five times as often
        for camera in ("gate", "gate", "gate", "gate", "gate", "yard", "dock"):
            if number % 2 == 0:
                taken[camera] += budget.take(camera)
        clock.advance(NS_PER_S // 10)
    assert sum(taken.values()) >= 0.9 * 360
    assert min(taken.values()) >= 0.8 * max(taken.values())
