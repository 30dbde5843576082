from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from privet.core.frame import Frame


def test_a_live_frame_does_not_leave_its_process() -> None:
    plane = np.zeros((2, 2), np.uint8)
    frame = Frame(plane, plane[:1, :1], plane[:1, :1], 0, 0, True, True)
    assert (frame.width_px, frame.height_px) == (2, 2)
    with pytest.raises(TypeError, match="does not leave"):
        pickle.dumps(frame)
    with pytest.raises(TypeError, match="does not leave"):
        copy.deepcopy(frame)
