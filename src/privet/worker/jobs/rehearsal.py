"""A worker's work on a made-up film, so that every kernel is called once with the types that a decoder's frames have.

Belongs here: the film and the run over it, with and without a sub-stream. Does not belong here: where the compiled kernels go (compile).
The film is encoded and decoded again, in widths that fill the decoder's rows and in such that do not, of chroma alone or of both: they lie
differently in memory. What is not rehearsed is compiled when it is needed first, which holds a camera up until its queue is full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.frame import Frame
from privet.ingest.open import open_file_frames
from privet.scene.analyst import Analyst
from privet.scene.cover.shape import dilate
from privet.scene.demand import is_due
from privet.scene.observation import Observation
from privet.scene.settings import AnalystSettings
from privet.scene.state_format import StoredScene, from_bytes, to_bytes
from privet.worker.camera.scene_encoder import SceneEncoder, Seen

FPS = 5
SECONDS = 14
SIZES_PX = ((256, 192), (200, 120))
WITH_SUB_PX = (((640, 360), (320, 180)), ((512, 384), (256, 192)), ((400, 240), (200, 120)))
PROVE_SECONDS = 3
WALL_ROWS, WALL_COLUMNS = 30, 40        # of the patches that it is made of
WALKS_IN = 28                           # pictures, from one side to the other


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
    for size_px, sub_px in WITH_SUB_PX:
        main, sub = directory / "main.mp4", directory / "sub.mp4"
        encode_film(main, *size_px)
        encode_film(sub, *sub_px)
        promoted += _watch_both(main, sub)
    dilate(np.eye(8, dtype=np.bool_), 2)        # what sways by parts of a pixel: there is nothing of that in the film
    return promoted


def encode_film(path: Path, width_px: int, height_px: int) -> None:
    """Write a film: a textured wall with a little noise, over which a dark box walks in the last third. In any size it shows the same."""
    draw = np.random.default_rng(7)
    rows, columns = np.arange(height_px) * WALL_ROWS // height_px, np.arange(width_px) * WALL_COLUMNS // width_px
    wall = draw.integers(60, 200, (WALL_ROWS, WALL_COLUMNS, 3))[rows][:, columns]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": str(FPS)})
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.time_base = Fraction(1, FPS)
        for number in range(FPS * SECONDS):
            picture = np.clip(wall + draw.integers(-2, 3, wall.shape), 0, 255).astype(np.uint8)
            step = number - FPS * SECONDS * 2 // 3
            if step >= 0:
                left = width_px * (step % WALKS_IN) // WALKS_IN
                picture[height_px // 3 : height_px * 2 // 3, left : left + width_px // 8] = 20
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _watch(path: Path) -> int:
    analyst, encoder = _analyst(), SceneEncoder(1, NS_PER_S // FPS)
    promoted = sum(_look(analyst, encoder, frame) for frame in _frames(path))
    again = _analyst(analyst)
    for frame in _frames(path):
        _look(again, encoder, frame)
    return promoted


def _watch_both(main: Path, sub: Path) -> int:
    """As `_watch`, with a sub-stream; it is learned while the place is proven, and again after a restart."""
    promoted, before = 0, None
    for _ in range(2):
        analyst, encoder = _analyst(before), SceneEncoder(1, NS_PER_S // FPS)
        for large, small in zip(_frames(main), _frames(sub), strict=True):
            if is_due(analyst.demand.sub, small):
                analyst.sub.observe(small)
            promoted += _look(analyst, encoder, large)
        before = analyst
    return promoted


def _analyst(before: Analyst | None = None) -> Analyst:
    """A new one; with what another one has kept, as after a restart."""
    settings = AnalystSettings(
        prove_ns=PROVE_SECONDS * NS_PER_S,
        prove_keyframes=PROVE_SECONDS,
        commissioning="automatic",
        looks_per_second=50.0,
        covers_per_second=float(FPS),
        blind=(((0.0, 0.0), (0.1, 0.0), (0.1, 0.1)),),
    )
    return Analyst(settings, (Nobody(), Nobody()), None if before is None else _kept(before))


def _kept(analyst: Analyst) -> StoredScene | None:
    scene = analyst.snapshot()
    return None if scene is None else from_bytes(to_bytes(scene))


def _look(analyst: Analyst, encoder: SceneEncoder, frame: Frame) -> int:
    if not is_due(analyst.demand.main, frame):
        return 0
    seen = analyst.observe(frame)
    background = analyst.background
    assert background is not None
    encoder.tell(_said(seen, frame), background, 0)
    return 0 if seen.promoted is None else int(seen.promoted.sum())


def _said(seen: Observation, frame: Frame) -> Seen:
    return Seen(
        seen.wall_ns, frame.monotonic_ns, seen.condition, seen.reason, seen.cover, seen.light, seen.painted, seen.new_grid
    )


def _frames(path: Path) -> Iterator[Frame]:
    """A film's frames, arriving at its own pace by the clock that the analyst goes by."""
    for number, frame in enumerate(open_file_frames(path, start_wall_ns=NS_PER_S)):
        yield replace(frame, monotonic_ns=(number + 1) * NS_PER_S // FPS)


__all__: Sequence[str] = ("encode_film", "rehearse")
