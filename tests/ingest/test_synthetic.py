from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from privet.core.clock import NS_PER_S, FakeClock
from privet.core.errors import SourceError
from privet.core.frame import Frame, Matrix
from privet.core.scene import Reason
from privet.ingest.source import Source, SourceStatistics
from privet.ingest.synthetic import Picture, SyntheticSource, grey_picture, rgb_picture


def drain(source: Source) -> tuple[list[Frame], Reason]:
    """All frames, and why there are no more."""
    frames: list[Frame] = []
    with source:
        try:
            frames.extend(source.frames())
        except SourceError as error:
            return frames, error.reason
    return frames, Reason.NONE


def flat(level: int) -> Picture:
    return grey_picture(np.full((6, 8), level, np.uint8))


def test_frames_have_exact_times_and_keyframes() -> None:
    clock = FakeClock(wall=1_000, monotonic=50)
    source: Source = SyntheticSource(flat, clock, fps=Fraction(25), count=5, gop=2)
    frames, reason = drain(source)
    assert reason is Reason.ENDED
    period = NS_PER_S // 25
    told = [(int(frame.y[0, 0]), frame.wall_ns, frame.monotonic_ns, frame.keyframe, frame.intact) for frame in frames]
    assert told == [(i, 1_000 + i * period, 50 + i * period, i % 2 == 0, True) for i in range(5)]
    assert source.statistics() == SourceStatistics(5, 5 * (48 + 12 + 12), 5, 0)
    assert clock.monotonic == 50  # unpaced: the clock was only read


def test_damage_lasts_until_the_next_keyframe() -> None:
    source = SyntheticSource([flat(i) for i in range(8)], FakeClock(), gop=4, damaged={2, 4})
    intact = [frame.intact for frame in drain(source)[0]]
    assert intact == [True, True, False, False, False, False, False, False]
    assert source.statistics().frames_damaged == 6


def test_paced_moves_the_clock() -> None:
    clock = FakeClock()
    source = SyntheticSource(flat, clock, fps=10, paced=True)
    for frame in source.frames():
        assert clock.monotonic == frame.monotonic_ns
        if clock.monotonic >= NS_PER_S:
            source.close()
    assert clock.monotonic == NS_PER_S


def test_rgb_to_limited_range() -> None:
    rgb = np.zeros((3, 5, 3), np.uint8)
    rgb[:, 2:] = 255
    y, u, v = rgb_picture(rgb, Matrix.BT709)
    assert y.shape == (3, 5)
    assert u.shape == v.shape == (2, 3)
    assert y[0, 0] == 16
    assert y[0, 4] == 235
    assert (u == 128).all()
    assert (v == 128).all()
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    y, u, v = rgb_picture(red)
    assert (int(y[0, 0]), int(u[0, 0]), int(v[0, 0])) == (81, 90, 240)  # BT.601's red


@pytest.mark.parametrize(("gop", "fps"), [(0, 10), (1, 0)])
def test_nonsense_is_refused(gop: int, fps: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        SyntheticSource(flat, FakeClock(), gop=gop, fps=fps)
