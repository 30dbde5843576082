"""Detectors that load late: asked too early they are waited for, and one that fails says so every time."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from tests.scene.pictures import Spotter

from privet.core.errors import DetectorError
from privet.runtime.worker_detectors import LateDetectors
from privet.scene.looks import Detector

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
