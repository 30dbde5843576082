"""A worker's work on a made-up film, so that every kernel is called once with the types that a decoder's frames have.

Belongs here: the film and the run over it. Does not belong here: where the compiled kernels go (warm). The film is encoded and decoded
again, in a width that fills the decoder's rows and in one that does not: the two lie differently in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.frame import Frame
from privet.ingest.open import open_file_frames
from privet.runtime.narrator import Narrator, Seen
from privet.scene.analyst import Analyst, AnalystSettings, Observation

FPS = 5
SECONDS = 14
SIZES_PX = ((256, 192), (200, 120))
PROVE_SECONDS = 3


class Nobody:
    """A detector that never finds anybody: in a made-up film there is nobody."""

    @property
    def input_px(self) -> tuple[int, int]:
        return (300, 300)

    def find(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        return [np.zeros((0, 4), np.float32) for _ in pictures]


def rehearse(directory: Path) -> int:
    """Run the whole analysis over a film in each size. directory: for the films. Returns how many blocks were promoted."""
    promoted = 0
    for width_px, height_px in SIZES_PX:
        path = directory / f"{width_px}.mp4"
        encode_film(path, width_px, height_px)
        promoted += _watch(path)
    return promoted


def encode_film(path: Path, width_px: int, height_px: int) -> None:
    """Write a film: a textured wall with a little noise, over which a dark square walks in the last third."""
    draw = np.random.default_rng(7)
    wall = draw.integers(60, 200, (height_px // 4 + 1, width_px // 4 + 1, 3)).repeat(4, 0).repeat(4, 1)[:height_px, :width_px]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": str(FPS)})
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.time_base = Fraction(1, FPS)
        for number in range(FPS * SECONDS):
            picture = np.clip(wall + draw.integers(-2, 3, wall.shape), 0, 255).astype(np.uint8)
            step = number - FPS * SECONDS * 2 // 3
            if step >= 0:
                left = (step * 8) % max(1, width_px - 40)
                picture[height_px // 3 : height_px // 3 + 48, left : left + 32] = 20
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _watch(path: Path) -> int:
    settings = AnalystSettings(
        prove_ns=PROVE_SECONDS * NS_PER_S,
        prove_keyframes=PROVE_SECONDS,
        commissioning="automatic",
        looks_per_second=50.0,
        covers_per_second=float(FPS),
        blind=(((0.0, 0.0), (0.1, 0.0), (0.1, 0.1)),),
    )
    analyst = Analyst(settings, (Nobody(), Nobody()))
    narrator = Narrator(1, NS_PER_S // FPS)
    promoted = sum(_look(analyst, narrator, frame) for frame in _numbered(open_file_frames(path, start_wall_ns=NS_PER_S)))
    again = Analyst(settings, (Nobody(), Nobody()), analyst.snapshot())  # as after a restart
    for frame in _numbered(open_file_frames(path, start_wall_ns=NS_PER_S)):
        _look(again, narrator, frame)
    return promoted


def _look(analyst: Analyst, narrator: Narrator, frame: Frame) -> int:
    if not analyst.due(frame):
        return 0
    seen = analyst.observe(frame)
    background = analyst.background
    assert background is not None
    narrator.tell(_said(seen, frame), background, 0)
    return 0 if seen.promoted is None else int(seen.promoted.sum())


def _said(seen: Observation, frame: Frame) -> Seen:
    return Seen(
        seen.wall_ns, frame.monotonic_ns, seen.condition, seen.reason, seen.cover, seen.light, seen.painted, seen.new_grid
    )


def _numbered(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The same frames, arriving at the film's own pace by the clock that the analyst goes by."""
    for number, frame in enumerate(frames):
        yield Frame(
            frame.y, frame.u, frame.v, frame.wall_ns, (number + 1) * NS_PER_S // FPS, frame.keyframe, frame.intact, frame.matrix
        )


__all__: Sequence[str] = ("encode_film", "rehearse")
