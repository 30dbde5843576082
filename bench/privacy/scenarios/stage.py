"""A stage: what a camera sees of the footage's place, who is on it when, and what light, weather and the camera do to it.

Belongs here: composing, encoding as cameras do, truth and plate. Does not belong here: what the scenarios are (cases).
The plate of a frame is composed by the same steps as the frame, without people, weather and noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from demo.clip import Clip, read_clip
from demo.encode import CACHE, RECIPE, clip_frames, encode_pictures, yuv_picture
from numpy.typing import NDArray

from bench.privacy.scenarios.cut import Cutout, Picture, Placed, footage_key, halved, paste, place, put
from bench.privacy.sequence import Plate, Sequence
from bench.truth import Box, Truth
from privet.core.clock import NS_PER_S
from privet.core.frame import Frame
from privet.ingest.decode import FrameDecoder, Ticket, make_decoder

GOP_S = 2
KEYFRAME_BITS_PER_PIXEL = 1.7       # what sequence.BITS_PER_PIXEL comes to, split into a keyframe and what follows it
BETWEEN_BITS_PER_PIXEL = 0.27
FEWEST_VISIBLE_PX = 12


@dataclass(frozen=True, slots=True)
class View:
    """A rectangle of the footage, in its pixels, at a scale of 1 or 0.5. person_px: how tall people are in the stage's pixels."""

    left: int
    top: int
    width: int
    height: int
    scale: float
    person_px: int

    def plate(self) -> Picture:
        cut = place()[self.top : self.top + self.height, self.left : self.left + self.width]
        return cut if self.scale == 1 else halved(cut)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Footage pixels -> stage pixels."""
        return (x - self.left) * self.scale, (y - self.top) * self.scale


WIDE = View(0, 0, 768, 576, 0.5, 36)
CLOSE = View(180, 130, 384, 288, 1.0, 75)

Actor = Callable[[float], Placed | None]
"""Where somebody is after so many seconds; None: not in the picture."""
Change = Callable[[float, Picture], Picture]
Pixel = TypeVar("Pixel", np.float32, np.bool_)


def unchanged(seconds: float, picture: Picture) -> Picture:
    return picture


def unmoved(seconds: float) -> tuple[int, int]:
    return 0, 0


@dataclass(frozen=True, slots=True, eq=False)
class Damage:
    """What happens to a coded picture on its way. lost: it never arrives, which the transport tells; else its bytes are changed."""

    lost: bool = False
    cut_to: float = 1.0
    flipped_bytes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """All of a scenario. The functions take seconds of stream time.

    people: tracks 1, 2, ... in the truth. backdrop: things on the place. in_front: bool (height, width), stands before people.
    light: what light and exposure do. shift: how far the camera is off, pixels (right, down). weather: over everything, not in the
    plate. sigma: sensor noise, levels.
    """

    seconds: float
    fps: Fraction
    view: View
    people: tuple[Actor, ...]
    backdrop: Change = unchanged
    in_front: NDArray[np.bool_] | None = None
    light: Change = unchanged
    shift: Callable[[float], tuple[int, int]] = unmoved
    weather: Callable[[float, np.random.Generator, Picture], Picture] = lambda seconds, random, picture: picture
    sigma: Callable[[float], float] = lambda seconds: 1.8
    damage: dict[int, Damage] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return round(self.seconds * float(self.fps))


def sequence(name: str, stage: Stage, recipe: str) -> Sequence:
    """Encode a stage, once; recipe: whatever says how it was made, for its name in the cache.

    Raises:
        FileNotFoundError, FootageMissingError: footage or truth are not on this machine.
    """
    made_from = "".join(path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob("[cs]*.py")) if path.stem in ("cut", "stage"))
    key = hashlib.sha256(repr((RECIPE, footage_key(), made_from, recipe)).encode()).hexdigest()[:16]
    path = CACHE / f"scenario-{name}-{key}.annexb"
    truth = {number: boxes for number in range(stage.count) if (boxes := people_at(stage, number))}
    try:
        clip = read_clip(path)
    except FileNotFoundError:
        clip = encode_pictures(composed(stage, key), path, stage.fps, bits_per_second=_rate(stage), gop_seconds=GOP_S)
    if stage.damage:
        return _damaged(name, stage, clip, truth)
    return Sequence(
        name, lambda: clip_frames(clip), truth, stage.count, float(stage.fps), clip.width_px, clip.height_px,
        lambda number: plate_at(stage, number),
    )


def _rate(stage: Stage) -> int:
    """Bits a second: keyframes as large as in the footage, whatever the frame rate."""
    gop = max(1, int(GOP_S * stage.fps))
    height, width = stage.view.plate().shape[:2]
    bits: float = height * width * (KEYFRAME_BITS_PER_PIXEL + BETWEEN_BITS_PER_PIXEL * (gop - 1)) / gop * float(stage.fps)
    return round(bits)


def composed(stage: Stage, key: str) -> Iterator[av.VideoFrame]:
    for number in range(stage.count):
        random = np.random.default_rng([int(key[:8], 16), number])
        seconds = float(number / stage.fps)
        picture, _ = _compose(stage, seconds, with_people=True)
        picture = stage.weather(seconds, random, picture)
        sigma = stage.sigma(seconds)
        clean = picture[:, :, 0], halved(picture[:, :, 1]), halved(picture[:, :, 2])
        noisy = [plane + random.normal(0, share * sigma, plane.shape) for plane, share in zip(clean, (1.0, 0.5, 0.5), strict=True)]
        yield yuv_picture(*(_levels(plane.astype(np.float32)) for plane in noisy))


def _levels(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.rint(values).clip(16, 240).astype(np.uint8)
    return levels


def _compose(stage: Stage, seconds: float, with_people: bool) -> tuple[Picture, list[NDArray[np.bool_]]]:
    """The picture, and where each person is to be seen in it."""
    picture = stage.backdrop(seconds, stage.view.plate().copy())
    visible = []
    if with_people:
        for actor in stage.people:
            placed = actor(seconds)
            seen = np.zeros(picture.shape[:2], np.bool_) if placed is None else paste(picture, placed, stage.in_front)
            visible.append(seen)
    picture = stage.light(seconds, picture)
    right, down = stage.shift(seconds)
    if right or down:
        picture = _moved(picture, right, down)
        visible = [_moved(each, right, down) for each in visible]
    return picture, visible


def _moved(values: NDArray[Pixel], right: int, down: int) -> NDArray[Pixel]:
    """Shifted by whole pixels; what comes in is what was at the edge."""
    height, width = values.shape[:2]
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    return values[rows][:, columns]


def people_at(stage: Stage, number: int) -> tuple[Box, ...]:
    _, visible = _compose(stage, float(number / stage.fps), with_people=True)
    boxes = []
    for track, seen in enumerate(visible, 1):
        if seen.sum() < FEWEST_VISIBLE_PX:
            continue
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        left, top = float(columns[0]), float(rows[0])
        boxes.append(Box(track, left, top, float(columns[-1] + 1 - left), float(rows[-1] + 1 - top)))
    return tuple(boxes)


def plate_at(stage: Stage, number: int) -> Plate:
    """The place without people, as lit and as seen at a frame."""
    picture, _ = _compose(stage, float(number / stage.fps), with_people=False)
    planes = (_levels(picture[:, :, 0]), _levels(halved(picture[:, :, 1])), _levels(halved(picture[:, :, 2])))
    return Plate(planes, np.ones(picture.shape[:2], np.bool_))


def _damaged(name: str, stage: Stage, clip: Clip, truth: Truth) -> Sequence:
    """Some pictures never come out of the decoder: those that do are numbered anew, and truth and plate with them."""
    numbers = [round(frame.wall_ns * stage.fps / NS_PER_S) for frame in _through_damage(stage, clip)]
    renumbered = {new: truth[old] for new, old in enumerate(numbers) if old in truth}
    return Sequence(
        name, lambda: _through_damage(stage, clip), renumbered, len(numbers), float(stage.fps), clip.width_px, clip.height_px,
        lambda number: plate_at(stage, numbers[number]),
    )


def _through_damage(stage: Stage, clip: Clip) -> Iterator[Frame]:
    """As ingest decodes what arrives: a gap is known to the transport, changed bytes are for the decoder to find."""
    decoder = FrameDecoder(make_decoder("h264"))
    data = clip.path.read_bytes()
    gap = False
    for number, unit in enumerate(clip.units):
        damage = stage.damage.get(number, Damage())
        if damage.lost:
            gap = True
            continue
        coded = bytearray(data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes])
        random = np.random.default_rng([7, number])
        for _ in range(damage.flipped_bytes):
            coded[int(random.integers(len(coded) // 3, len(coded)))] ^= int(random.integers(1, 256))
        kept = bytes(coded[: max(round(len(coded) * damage.cut_to), 64)])
        at_ns = int(unit.pts * NS_PER_S / clip.fps)
        yield from decoder.decode(av.Packet(kept), Ticket(at_ns, at_ns, gap))
        gap = False
    yield from decoder.flush()


# -- actors


def walking(view: View, steps: tuple[Cutout, ...], step_s: float, start_s: float = 0.0) -> Actor:
    """Walks as in the footage, where in the footage."""

    def at(seconds: float) -> Placed | None:
        number = int(np.floor((seconds - start_s) / step_s + 1e-6))
        if not 0 <= number < len(steps):
            return None
        left, top = view.at(steps[number].left, steps[number].top)
        return put(steps[number], left, top, view.scale)

    return at


def staying(
    cutout: Cutout, left: float, top: float, scale: float, from_s: float = 0.0, until_s: float = float("inf"), alive_px: float = 0.0
) -> Actor:
    """Stays at (left, top) of the stage. alive_px: breathing and swaying of who stands still (see `sway`)."""

    def at(seconds: float) -> Placed | None:
        if not from_s <= seconds < until_s:
            return None
        return put(cutout, left, top, scale, alive_px * sway(seconds))

    return at


def sway(seconds: float) -> float:
    """Of a body that stands still, as a share of its largest extent: breath of four seconds and slow, irregular drift."""
    breath = 0.45 * np.sin(2 * np.pi * 0.25 * seconds)
    drift = 0.35 * np.sin(2 * np.pi * 0.083 * seconds + 1.0) + 0.2 * np.sin(2 * np.pi * 0.031 * seconds + 2.0)
    return float(breath + drift)


def one_after_the_other(*actors: Actor) -> Actor:
    """Whoever of them is there first in the list."""

    def at(seconds: float) -> Placed | None:
        return next((placed for actor in actors if (placed := actor(seconds)) is not None), None)

    return at
