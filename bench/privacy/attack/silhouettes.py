"""Silhouettes: can walkers of one view be told apart by their covers, and how much better by pixel masks of the same footage?

Belongs here: covers for a choice of coarseness, walks as features, telling them apart. Both kinds of mask go the same way: cut out around
the truth's box, scaled to one height and centred, so that place and size of the box are no features; described by their mean over a
second (the gait energy image of J. Han and B. Bhanu, "Individual recognition using gait energy image", 2006), their variance, and the
spectrum of their widths, which carries the stride. The background is the plate, proven everywhere, which is more than the product ever
has: every walk is seen whole.

Two questions, because they have different answers. *near*: learned from and asked about every other four seconds of a track, so that
somebody walks much as they did when they were learned; that is where pixel masks are strong. *far*: learned from one half of a track
and asked about the other, after they have turned and gone elsewhere.

What cannot be normalised away is that somebody far off covers fewer blocks. How much of an answer that is, the covers of the *boxes* say
(`box_only`): full rectangles in the same blocks, which know nothing of the body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench.privacy.attack.reidentify import RESAMPLES, interval
from bench.privacy.sequence import Plate, Sequence
from bench.privacy.watch import FIRST_NS
from bench.truth import Box, blocks_touched
from privet.core.clock import NS_PER_MS
from privet.core.frame import Frame
from privet.core.grid import BoolGrid, Grid
from privet.scene.analyst import Analyst
from privet.scene.cover.shape import coarsen
from privet.scene.demand import is_due
from privet.scene.settings import AnalystSettings
from privet.scene.state_format import StoredScene

Mask = NDArray[np.bool_]
Walk = NDArray[np.float32]

BLOCKS_PX = (8, 16)
TALLEST = (6, 8, 12, 0)             # 0: not coarsened
RATES = (2.0, 5.0, 10.0)
HOLDS_MS = (300, 600, 1200)
AROUND_PIXELS = 0.05                # of the box, a side; each kind of mask is cut where it was told apart best of 0, 0.05, 0.15 and 0.25:
AROUND_COVERS = 0.15                # covers are dilated and lag behind
SIZE_PX = (32, 32)
WINDOW_S = 1.0                      # told apart better than two seconds
STEP_S = 0.5
NEAR_S = 4.0
MASK_LEVELS = 15.0                  # pixel masks: luma off the plate; chroma half of it
DIMENSIONS = 40
FEWEST = 2                          # windows of a track in each half


@dataclass(frozen=True, slots=True, order=True)
class Choice:
    """tallest_blocks 0: not coarsened."""

    block_px: int
    tallest_blocks: int
    covers_per_second: float
    hold_ms: int

    def __str__(self) -> str:
        return f"{self.block_px} px, {self.tallest_blocks or 'no limit'}, {self.covers_per_second:g}/s, {self.hold_ms} ms"


DEFAULT = Choice(8, 12, 5.0, 600)


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Walks of a second that were given to the right walker. by_walker: the share of each one's; rank-1 is their mean, with a 95 % interval
    by bootstrap over walkers.
    """

    by_walker: NDArray[np.float64]
    walks: int
    seed: int = 0

    @property
    def rank1(self) -> float:
        return float(self.by_walker.mean())

    @property
    def interval(self) -> tuple[float, float]:
        return interval(self.by_walker, self.seed)

    def share_of(self, other: Told) -> tuple[float, float, float]:
        """This rank-1 by another one's of the same walkers, and its 95 % interval: low, high."""
        pairs = np.stack([self.by_walker, other.by_walker])
        chosen = np.random.default_rng(self.seed).integers(0, pairs.shape[1], (RESAMPLES, pairs.shape[1]))
        mine, theirs = pairs[:, chosen].mean(axis=2)
        shares = mine / np.maximum(theirs, 1e-9)
        return self.rank1 / max(other.rank1, 1e-9), float(np.quantile(shares, 0.025)), float(np.quantile(shares, 0.975))


@dataclass(frozen=True, slots=True)
class Answers:
    """One kind of mask, both questions."""

    near: Told
    far: Told


@dataclass(frozen=True, slots=True)
class Silhouettes:
    """box_only: by full boxes in the default's blocks, rate and hold. pixel_masks: every frame."""

    pixel_masks: Answers
    box_only: Answers
    covers: dict[Choice, Answers]


def silhouettes(sequence: Sequence, blocks: tuple[int, ...] = BLOCKS_PX) -> Silhouettes:
    """Every choice of block, coarsening, rate and hold: some minutes for 80 s of 768 x 576."""
    pixel = _answers(sequence, pixel_masks(sequence), AROUND_PIXELS)
    box_only = _answers(sequence, box_masks(sequence, DEFAULT), AROUND_COVERS)
    covers: dict[Choice, Answers] = {}
    for block_px in blocks:
        for rate in RATES:
            for hold_ms in HOLDS_MS:
                whole = list(uncoarsened(sequence, block_px, rate, hold_ms))
                for tallest in TALLEST:
                    masks = cover_masks(sequence, whole, block_px, tallest)
                    covers[Choice(block_px, tallest, rate, hold_ms)] = _answers(sequence, masks, AROUND_COVERS)
    return Silhouettes(pixel, box_only, covers)


def _answers(sequence: Sequence, masks: Iterator[Mask], around: float) -> Answers:
    walks = _walks(sequence, masks, around)
    return Answers(tell_apart(walks, sequence.fps, NEAR_S), tell_apart(walks, sequence.fps, None))


# -- masks: bool (height, width) per frame


def pixel_masks(sequence: Sequence) -> Iterator[Mask]:
    """Live pixels that differ from the plate, specks dropped and gaps closed by a majority over 5 x 5."""
    for number, frame in enumerate(sequence.frames()):
        plate = sequence.plate(number)
        yield majority(differing(frame, plate))


def differing(frame: Frame, plate: Plate) -> Mask:
    luma = np.abs(frame.y.astype(np.int16) - plate.planes[0]) > MASK_LEVELS
    chroma = np.abs(frame.u.astype(np.int16) - plate.planes[1]) + np.abs(frame.v.astype(np.int16) - plate.planes[2]) > MASK_LEVELS / 2
    height, width = luma.shape
    out: Mask = (luma | np.repeat(np.repeat(chroma, 2, 0), 2, 1)[:height, :width]) & plate.known
    return out


def majority(mask: Mask, reach: int = 2) -> Mask:
    """Whether more than half of the square of 2 * reach + 1 pixels is set; beyond the edge nothing is."""
    side = 2 * reach + 1
    padded = np.pad(mask.astype(np.int32), ((reach + 1, reach), (reach + 1, reach)))
    sums = padded.cumsum(0).cumsum(1)
    counts = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    out: Mask = counts * 2 > side * side
    return out


def uncoarsened(sequence: Sequence, block_px: int, rate: float, hold_ms: int) -> Iterator[BoolGrid]:
    """Per frame the product's cover before it is coarsened, over the plate as its background."""
    settings = AnalystSettings(
        block_px=block_px, covers_per_second=rate, hold_ns=hold_ms * NS_PER_MS, tallest_blocks=10**6, commissioning="signature"
    )
    analyst = Analyst(settings, (), proven_plate(sequence, block_px))
    cover = np.zeros((0, 0), np.bool_)
    for frame in sequence.frames():
        timed = replace(frame, wall_ns=frame.wall_ns + FIRST_NS, monotonic_ns=frame.monotonic_ns + FIRST_NS)
        if is_due(analyst.demand.main, timed):
            cover = analyst.observe(timed).cover
        yield cover


def proven_plate(sequence: Sequence, block_px: int) -> StoredScene:
    """The plate as a background, proven wherever anything is known of it."""
    grid = Grid(sequence.width_px, sequence.height_px, block_px)
    plate = sequence.plate(0)
    proven = np.logical_not(_any_in_block(~plate.known, grid))
    return StoredScene(grid, sequence.matrix, plate.planes, proven, proven.astype(np.int64), np.zeros(grid.shape, np.bool_))


def cover_masks(sequence: Sequence, whole: list[BoolGrid], block_px: int, tallest: int) -> Iterator[Mask]:
    last: BoolGrid | None = None
    mask = np.zeros((sequence.height_px, sequence.width_px), np.bool_)
    for cover in whole:
        if cover is not last:
            last = cover
            coarse = coarsen(cover, tallest) if tallest else cover
            mask = np.repeat(np.repeat(coarse, block_px, 0), block_px, 1)[: sequence.height_px, : sequence.width_px]
        yield mask


def box_masks(sequence: Sequence, choice: Choice) -> Iterator[Mask]:
    """Covers as they would be if everybody were a box: grown by a block, at the choice's rate, held and coarsened."""
    grid = Grid(sequence.width_px, sequence.height_px, choice.block_px)
    every = max(round(sequence.fps / choice.covers_per_second), 1)
    held = max(round(choice.hold_ms / 1000 * sequence.fps), 1)
    boxed: list[BoolGrid] = []
    for number in range(sequence.count):
        inside = np.zeros(grid.shape, np.bool_)
        for box in sequence.truth.get(number, ()):
            inside |= blocks_touched(box, grid, 1)
        boxed.append(inside)
    whole: list[BoolGrid] = []
    covered: BoolGrid = np.zeros(grid.shape, np.bool_)
    for number in range(sequence.count):
        at = number // every * every
        if number % every == 0:
            covered = _any(boxed[max(at - held, 0) : at + 1])
        whole.append(covered)
    return cover_masks(sequence, whole, choice.block_px, choice.tallest_blocks)


def _any(covers: list[BoolGrid]) -> BoolGrid:
    out = covers[0].copy()
    for cover in covers[1:]:
        out |= cover
    return out


def _any_in_block(pixels: Mask, grid: Grid) -> BoolGrid:
    side = grid.block_px
    padded = np.zeros((grid.rows * side, grid.columns * side), np.bool_)
    padded[: pixels.shape[0], : pixels.shape[1]] = pixels
    out: BoolGrid = np.asarray(padded.reshape(grid.rows, side, grid.columns, side).any(axis=(1, 3)))
    return out


# -- walks


def _walks(sequence: Sequence, masks: Iterator[Mask], around: float) -> dict[int, list[tuple[int, Walk]]]:
    """Per track the aligned silhouettes, by frame number."""
    out: dict[int, list[tuple[int, Walk]]] = {}
    for number, mask in enumerate(masks):
        for box in sequence.truth.get(number, ()):
            if _in_view(box, sequence):
                out.setdefault(box.track, []).append((number, aligned(_around(mask, box, around))))
    return out


def _in_view(box: Box, sequence: Sequence) -> bool:
    return (
        box.left >= 0 and box.top >= 0 and box.left + box.width <= sequence.width_px and box.top + box.height <= sequence.height_px
    )


def _around(mask: Mask, box: Box, around: float) -> Mask:
    grown = box.shrunk(-around)
    rows = slice(max(int(grown.top), 0), int(grown.top + grown.height) + 1)
    return mask[rows, max(int(grown.left), 0) : int(grown.left + grown.width) + 1]


def aligned(mask: Mask) -> Walk:
    """A silhouette at one height, its middle in the middle: float32 SIZE_PX, 0 to 1. mask: bool (any, any); an empty one gives zeros."""
    height, width = SIZE_PX
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return np.zeros(SIZE_PX, np.float32)
    top, tall = int(rows[0]), int(rows[-1] - rows[0] + 1)
    columns = np.flatnonzero(mask.any(axis=0))
    share = mask[:, columns[0] : columns[-1] + 1].sum(axis=0)
    middle = float((share * np.arange(columns[0], columns[-1] + 1)).sum() / share.sum()) + 0.5
    # Means over the squares that a pixel of the result falls on, two by two samples each.
    fine_rows = top + (np.arange(2 * height) + 0.5) * tall / (2 * height)
    fine_columns = middle + (np.arange(2 * width) + 0.5 - width) * tall / (2 * height)
    inside = (fine_columns >= 0) & (fine_columns < mask.shape[1])
    sampled = mask[np.minimum(fine_rows.astype(np.int64), mask.shape[0] - 1)][:, fine_columns.clip(0, mask.shape[1] - 1).astype(np.int64)]
    out: Walk = (sampled & inside).reshape(height, 2, width, 2).mean(axis=(1, 3), dtype=np.float32)
    return out


def describe(walk: NDArray[np.float32]) -> NDArray[np.float64]:
    """One window as a vector. walk: (frames, height, width)."""
    energy = walk.mean(axis=0)
    variance = walk.var(axis=0)
    bands = np.stack([part.sum(axis=(1, 2)) for part in np.array_split(walk, 4, axis=1)]) / walk.shape[2]
    stride = np.abs(np.fft.rfft(bands - bands.mean(axis=1, keepdims=True), axis=1)) / walk.shape[0]
    return np.concatenate([energy.ravel(), 2 * variance.ravel(), stride.ravel()]).astype(np.float64)


def windows(walk: list[tuple[int, Walk]], fps: float) -> list[tuple[int, NDArray[np.float64]]]:
    """(first frame, features) of every window without a gap, every half second."""
    length, step = max(round(WINDOW_S * fps), 2), max(round(STEP_S * fps), 1)
    out = []
    for first in range(0, len(walk) - length + 1, step):
        part = walk[first : first + length]
        if part[-1][0] - part[0][0] == length - 1:
            out.append((part[0][0], describe(np.stack([each for _, each in part]))))
    return out


def tell_apart(walks: dict[int, list[tuple[int, Walk]]], fps: float, alternate_s: float | None, seed: int = 0) -> Told:
    """Learn from one part of each track, tell the other apart, both ways round; the better of two classifiers.

    alternate_s: a track's parts are every other so many seconds; None: its halves. No window lies in both parts. Walkers with too few
    windows in a part are left out of both.

    Raises:
        ValueError: fewer than two walkers are left.
    """
    length = max(round(WINDOW_S * fps), 2)
    features: list[NDArray[np.float64]] = []
    track: list[int] = []
    part: list[int] = []
    for one, walk in walks.items():
        start, end = walk[0][0], walk[-1][0] + 1
        span = max(round(alternate_s * fps), 1) if alternate_s is not None else (end - start + 1) // 2
        # A window belongs to the span that it lies in whole, or to none.
        found = [
            ((first - start) // span % 2, each)
            for first, each in windows(walk, fps)
            if (first - start) // span == (first - start + length - 1) // span
        ]
        late = sum(which for which, _ in found)
        if min(late, len(found) - late) >= FEWEST:
            features += [each for _, each in found]
            track += [one] * len(found)
            part += [which for which, _ in found]
    who, when, matrix = np.array(track), np.array(part), np.array(features)
    walkers = np.unique(who)
    if len(walkers) < 2:
        raise ValueError(f"{len(walkers)} walkers are in view for long enough to be told apart, two are needed")
    best: NDArray[np.float64] | None = None
    for classify in CLASSIFIERS:
        right = np.zeros(len(who), np.bool_)
        for learned in (0, 1):
            asked = when != learned
            right[asked] = classify(matrix[~asked], who[~asked], matrix[asked]) == who[asked]
        by_walker = np.array([right[who == one].mean() for one in walkers])
        if best is None or by_walker.mean() > best.mean():
            best = by_walker
    assert best is not None
    return Told(best, len(who), seed)


def nearest(known: NDArray[np.float64], who: NDArray[np.int64], asked: NDArray[np.float64]) -> NDArray[np.int64]:
    """The nearest neighbour's track."""
    distance = np.square(known).sum(axis=1)[None] - 2 * asked @ known.T
    return np.asarray(who[np.argmin(distance, axis=1)])


def discriminant(known: NDArray[np.float64], who: NDArray[np.int64], asked: NDArray[np.float64]) -> NDArray[np.int64]:
    """The nearest mean after principal components and division by the spread within tracks (linear discriminant analysis)."""
    middle = known.mean(axis=0)
    _, spread, axes = np.linalg.svd(known - middle, full_matrices=False)
    axes = axes[: min(DIMENSIONS, int((spread > 1e-9).sum()))]
    inside, outside = (known - middle) @ axes.T, (asked - middle) @ axes.T
    walkers = np.unique(who)
    means = np.stack([inside[who == one].mean(axis=0) for one in walkers])
    within = inside - means[np.searchsorted(walkers, who)]
    scatter = within.T @ within / len(within)
    scatter += np.eye(len(scatter)) * (0.1 * np.trace(scatter) / max(len(scatter), 1) + 1e-9)
    inverse = np.linalg.inv(scatter)
    off = outside[:, None] - means[None]
    distance = np.einsum("nkd,de,nke->nk", off, inverse, off, optimize=True)
    return np.asarray(walkers[np.argmin(distance, axis=1)])


Classifier = Callable[[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]], NDArray[np.int64]]
CLASSIFIERS: tuple[Classifier, ...] = (nearest, discriminant)
