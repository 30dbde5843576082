"""Where in the sub-stream's picture each point of the main stream's lies: found by looking at both.

Cameras make their sub-stream by stretching the picture, or from more of the sensor; they do not turn it. So there are a scale and a shift
for each axis, found together with the difference in brightness by Lucas and Kanade's method (Baker and Matthews, "Lucas-Kanade 20 years
on", 2004). What is left over is measured on patches of the picture, and covers are made larger by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privet.core.frame import Plane

COLUMNS = 320               # of the small pictures that are compared
COARSE = (8, 4, 2, 1)       # they are compared in so many times fewer rows and columns first, so that larger shifts are found
STEPS = 12                  # at each
SURE_OF = 0.85              # of the pixels; the others may have somebody in them, who was elsewhere when the other picture was taken
LEAST_CORRELATION = 0.95    # of those; right ones have 0.999
LEAST_SEEN = 0.99           # of the main stream's picture must be in the sub-stream's
LARGEST_ERROR_SHARE = 1 / 320   # of the width: two pixels of 640
SAME_SHAPE = 0.02
PATCH = 20                  # pixels of the small picture
FEWEST_PATCHES = 12
LEAST_TEXTURE = 4.0         # levels a pixel, root mean square of the gradient along each axis
ERROR_PERCENTILE = 80.0     # what moves between two pictures taken at different times is no error

Picture = NDArray[np.float32]
"""Shape (rows, columns), luma."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Sub-stream position = scale * main position + shift, in fractions of the picture's width or height; error: of its width."""

    scale_x: float = 1.0
    scale_y: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    error: float = 0.0

    def seen(self) -> float:
        """Share of the main stream's picture that the sub-stream shows, by its narrower axis."""
        return min(_overlap(self.scale_x, self.shift_x), _overlap(self.scale_y, self.shift_y))


def reduced(y: Plane | Picture, widest: int = COLUMNS) -> Picture:
    """A picture at most so wide, each pixel the mean of those it stands for; a smaller one stays as it is."""
    height, width = y.shape
    columns = min(widest, width)
    rows = min(max(round(height * columns / width), 1), height)
    top, left = np.arange(rows) * height // rows, np.arange(columns) * width // columns
    sums = np.add.reduceat(np.add.reduceat(y, top, axis=0, dtype=np.float32), left, axis=1)
    counts = np.diff(np.append(top, height))[:, None] * np.diff(np.append(left, width))[None, :]
    return np.asarray(sums / counts, np.float32)


def align(main: Picture, sub: Picture) -> Alignment | None:
    """How two pictures of the same place lie to each other, as `reduced` gives them; None where they do not, or it cannot be told."""
    best: Alignment | None = None
    most = LEAST_CORRELATION
    for start in _starts(main, sub):
        found = start
        for times in COARSE:
            found = _refined(reduced(main, COLUMNS // times), reduced(sub, COLUMNS // times), found)
        correlation = _correlation(main, _sampled(sub, found, main.shape))
        if correlation > most:
            best, most = found, correlation
    if best is None or best.seen() < LEAST_SEEN:
        return None
    error = _residual(main, sub, best)
    if error is None or error > LARGEST_ERROR_SHARE:
        return None
    return Alignment(best.scale_x, best.scale_y, best.shift_x, best.shift_y, error)


def _overlap(scale: float, shift: float) -> float:
    return max(0.0, min(1.0, scale + shift) - max(0.0, shift)) / scale if scale > 0 else 0.0


def _starts(main: Picture, sub: Picture) -> list[Alignment]:
    """The same picture stretched, or where the shapes differ, the main stream cut out of what the sub-stream shows."""
    starts = [Alignment()]
    wider = (main.shape[1] / main.shape[0]) / (sub.shape[1] / sub.shape[0])
    if wider > 1 + SAME_SHAPE:
        starts.append(Alignment(1.0, 1 / wider, 0.0, (1 - 1 / wider) / 2))
    elif wider < 1 - SAME_SHAPE:
        starts.append(Alignment(wider, 1.0, (1 - wider) / 2, 0.0))
    return starts


def _grid(shape: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, columns = shape
    return (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns


def _taps(at: NDArray[np.float64], size: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    inside = np.clip(at * size - 0.5, 0, size - 1.001)
    first = inside.astype(np.int64)
    return first, (inside - first).astype(np.float32)


def _sampled(sub: Picture, alignment: Alignment, shape: tuple[int, ...]) -> Picture:
    """The sub-stream's picture as the main stream would show it."""
    y, x = _grid(shape)
    row, down = _taps(alignment.scale_y * y + alignment.shift_y, sub.shape[0])
    column, right = _taps(alignment.scale_x * x + alignment.shift_x, sub.shape[1])
    lines = sub[row] * (1 - down)[:, None] + sub[row + 1] * down[:, None]
    return np.asarray(lines[:, column] * (1 - right) + lines[:, column + 1] * right, np.float32)


def _refined(main: Picture, sub: Picture, start: Alignment) -> Alignment:
    y, x = _grid(main.shape)
    here = start
    for _ in range(STEPS):
        image = _sampled(sub, here, main.shape)
        down, right = np.gradient(image)
        # Along the sub-stream's own axes, a step of one there is so many pixels of the main stream's.
        right = right * (main.shape[1] / here.scale_x)
        down = down * (main.shape[0] / here.scale_y)
        columns = [right * x, right, down * y[:, None], down, image, np.ones_like(image)]
        design = np.stack([column.reshape(-1) for column in columns], axis=1).astype(np.float64)
        wanted = main.reshape(-1)
        gain_offset = _solve(design[:, 4:], wanted)
        apart = np.abs(wanted - design[:, 4:] @ gain_offset)
        sure = apart <= np.quantile(apart, SURE_OF)
        design, wanted = design[sure], wanted[sure]
        gain_offset = _solve(design[:, 4:], wanted)
        residual = wanted - design[:, 4:] @ gain_offset
        design[:, :4] *= gain_offset[0]
        step = _solve(design, residual)
        step[:4] = np.clip(step[:4], -0.05, 0.05)
        by = [float(each) for each in step[:4]]
        here = Alignment(here.scale_x + by[0], here.scale_y + by[2], here.shift_x + by[1], here.shift_y + by[3])
        if not (0.3 < here.scale_x < 3 and 0.3 < here.scale_y < 3):
            return start
        if float(np.abs(step[:4]).max()) < 1e-5:
            break
    return here


def _solve(design: NDArray[np.float64], wanted: NDArray[np.float64] | Picture) -> NDArray[np.float64]:
    return np.asarray(np.linalg.lstsq(design.T @ design, design.T @ wanted, rcond=None)[0], np.float64)


def _correlation(one: Picture, other: Picture) -> float:
    """Of the pixels that fit best."""
    a, b = one - np.median(one), other - np.median(other)
    apart = np.abs(a - b * float(a.std() / max(float(b.std()), 1e-6)))
    sure = apart <= np.quantile(apart, SURE_OF)
    return float(np.corrcoef(a[sure], b[sure])[0, 1]) if float(a[sure].std()) > 0 and float(b[sure].std()) > 0 else 0.0


def _residual(main: Picture, sub: Picture, alignment: Alignment) -> float | None:
    """By how much textured patches are still apart, in fractions of the picture's width; None where there are too few of them."""
    image = _sampled(sub, alignment, main.shape)
    down, right = np.gradient(image)
    down, right = np.asarray(down), np.asarray(right)
    gain = float(main.std() / max(float(image.std()), 1e-6))
    apart = []
    for top in range(0, main.shape[0] - PATCH + 1, PATCH):
        for left in range(0, main.shape[1] - PATCH + 1, PATCH):
            here = np.s_[top : top + PATCH, left : left + PATCH]
            across, along = right[here], down[here]
            if min(float((across * across).mean()), float((along * along).mean())) < LEAST_TEXTURE**2:
                continue
            # Where nothing but an edge is, its direction alone counts: the smallest step that explains the difference.
            difference = (main[here] - main[here].mean()) / gain - (image[here] - image[here].mean())
            design = np.stack([across.reshape(-1), along.reshape(-1)], axis=1)
            step = np.linalg.lstsq(design, difference.reshape(-1), rcond=0.1)[0]
            apart.append(float(np.hypot(*step)))
    if len(apart) < FEWEST_PATCHES:
        return None
    return float(np.percentile(np.array(apart), ERROR_PERCENTILE)) / int(main.shape[1])
