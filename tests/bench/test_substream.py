"""The sub-streams that the benches make: what they send when, late and at a lower frame rate too."""

from __future__ import annotations

import numpy as np
import pytest
from bench.privacy.substream import DELAY_S, GOP_S, Smaller, SubStream
from bench.throughput.clips import FPS, SUB_HEIGHT_PX, clip

from privet.core.clock import NS_PER_S
from privet.core.frame import Frame, Matrix

RATE = 10
SECONDS = 6
WIDTH, HEIGHT = 160, 96
GREY = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)


def main_stream() -> list[Frame]:
    """Pictures that become brighter, so that each can be told from the others."""
    return [
        Frame(np.full((HEIGHT, WIDTH), luma(number), np.uint8), GREY, GREY, 7 + at_ns, at_ns, False, True, Matrix.BT601)
        for number in range(RATE * SECONDS)
        for at_ns in (number * NS_PER_S // RATE,)
    ]


def luma(number: int) -> int:
    return 20 + 3 * number


@pytest.mark.parametrize("every", [1, 2, 5])
def test_of_the_main_streams_pictures_one_in_so_many_comes_and_each_as_late_as_the_others(every: int) -> None:
    frames = main_stream()
    sub = SubStream(Smaller(2, every), RATE, frames[0])
    late = round(DELAY_S * RATE)
    came, keyframes = [], []
    for number, frame in enumerate(frames):
        for small in sub.next(frame):
            shown = frames[number - late]
            assert (small.width_px, small.height_px) == (WIDTH // 2, HEIGHT // 2)
            assert (small.wall_ns, small.monotonic_ns) == (shown.wall_ns, frame.monotonic_ns)
            assert abs(float(np.mean(small.y)) - luma(number - late)) < 2
            came.append(number)
            keyframes.append(small.keyframe)
    assert came == list(range(late, len(frames), every))
    gop = GOP_S * RATE // every
    assert keyframes == [place % gop == 0 for place in range(len(came))]


def test_a_sub_stream_of_fewer_pictures_shows_the_same_view_for_as_long() -> None:
    whole, seldom = (clip("quiet", SUB_HEIGHT_PX, every=every) for every in (1, 3))
    assert (whole.fps, seldom.fps) == (FPS, FPS / 3)
    assert seldom.duration_s == whole.duration_s
    assert len(seldom.units) * 3 == len(whole.units)
    assert [unit.keyframe for unit in seldom.units] == [unit.keyframe for unit in whole.units[::3]]
    assert seldom.bits_per_second < whole.bits_per_second
