"""What of people a run shows: the figures of one sequence, by two measures that know nothing of each other.

Belongs here: the definitions in docs/ref/privacy-bench.md, as code. By *provenance*: our own records say when a block became
background, the truth says who stood there then. By *image*: the picture that is shown, the live one and the plate, nothing else.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.privacy.eyes import Finder
from bench.privacy.sequence import Plate, Sequence, people
from bench.privacy.watch import Shown
from bench.truth import CORE_SHRINK, Box, blocks_touched, cores
from privet.core.frame import Plane
from privet.core.grid import BoolGrid

LONG_IN_CORE = 0.30             # of its proving window
DIFFERS_LEVELS = 12.0           # mean of a block: twice what the encoder does at its worst, a third of what a coat does
PIXEL_DIFFERS_LEVELS = 5.0      # clothes that far off the background are a scenario of their own
FEWEST_PIXELS = 32
CORRELATES = 0.5
SHINES_THROUGH = 0.1            # slope: how much of the person is in the picture
KNOWN_SHARE = 0.5
GROWN_BLOCKS = 2
NEAR_SOMEBODY = 0.3             # of a box's size a side


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a run besides its pictures."""

    prove_s: float
    hold_s: float
    covers_per_second: float
    detect_every_s: float = 2.0


@dataclass(slots=True)
class Figures:
    """One run's figures; the names are those of docs/ref/privacy-bench.md. None: there was nothing to measure it on."""

    person_frames: int = 0
    leaked_person_frames: int = 0
    leaked_person_frames_image: int = 0
    tracks_with_leak: int = 0
    longest_leak_ms: int = 0
    person_frames_on_proven: int = 0
    covered_50: float | None = None
    covered_20: float | None = None
    false_cover: float | None = None
    proven_share: float | None = None
    seconds_to_80_percent_proven: float | None = None
    background_psnr_db: float | None = None
    detector_hits: int | None = None
    capacity_bits_per_second: int = 0
    sent_bits_per_second: int = 0
    sub_share: float = 0.0      # of the frames, how many came while the sub-stream was watched
    leaks: list[tuple[int, int, str]] = field(default_factory=list)     # frame, track, by which measure

    @property
    def leaked(self) -> bool:
        return self.leaked_person_frames > 0 or self.leaked_person_frames_image > 0


def measure(sequence: Sequence, shown: Iterator[Shown], question: Question, finders: Many[Finder] = ()) -> Figures:
    """Watch a run to its end. finders: detectors that look at what is shown, every `detect_every_s`."""
    figures = Figures()
    judge: _Judge | None = None
    for each in shown:
        if judge is None or judge.shape != each.grid.shape:
            judge = _Judge(sequence, each, question, figures, finders, judge)
        judge.see(each)
    if judge is not None:
        judge.close()
    return figures


class _Judge:
    """Holds what must be remembered from frame to frame."""

    def __init__(
        self, sequence: Sequence, first: Shown, question: Question, figures: Figures, finders: Many[Finder], before: _Judge | None
    ) -> None:
        self.shape = first.grid.shape
        self._sequence = sequence
        self._question = question
        self._figures = figures
        self._finders = tuple(finders)
        self._window = max(round(question.prove_s * sequence.fps), 1)
        # Who stood where, frame by frame: running sums, so that any window is one subtraction.
        in_core = cores(sequence.truth, sequence.count, first.grid)
        self._core_sums = np.zeros((sequence.count + 1, *self.shape), np.int32)
        np.cumsum(in_core, axis=0, out=self._core_sums[1:])
        hold = question.hold_s + 1 / question.covers_per_second
        self._near: deque[BoolGrid] = deque(maxlen=int(np.ceil(hold * sequence.fps)) + 1)
        self._free_for: NDArray[np.int32] = np.zeros(self.shape, np.int32)
        self._free: BoolGrid = np.zeros(self.shape, np.bool_)
        self._proven: BoolGrid = first.proven
        self._judged_at: NDArray[np.int64] = np.full(self.shape, -1, np.int64)
        self._tainted: BoolGrid = np.zeros(self.shape, np.bool_)
        self._shares: list[float] = [] if before is None else before._shares
        self._needless: list[int] = [0, 0] if before is None else before._needless
        self._errors: list[float] = [0.0, 0] if before is None else before._errors
        self._leaks: dict[int, list[int]] = defaultdict(list) if before is None else before._leaks
        self._reached: float | None = None if before is None else before._reached
        self._next_detection: float = 0.0 if before is None else before._next_detection

    def see(self, shown: Shown) -> None:
        number = shown.number
        boxes = self._sequence.truth.get(number, ())
        plate = self._sequence.plate(number)
        self._proven = shown.proven
        self._follow_promotions(shown, plate)
        output = luma_of(shown.picture)
        open_blocks = shown.proven & ~shown.cover
        touched = np.zeros(self.shape, np.bool_)
        for box in boxes:
            whole = blocks_touched(box, shown.grid)
            if not whole.any():
                continue
            touched |= whole
            self._figures.person_frames += 1
            core = blocks_touched(box.shrunk(CORE_SHRINK), shown.grid)
            if (core & open_blocks & self._tainted).any():
                self._leak(number, box, "provenance")
            if shows_through(output, shown.live.y, plate, shown.hidden, box):
                self._leak(number, box, "image")
            known = whole & shown.proven
            if known.sum() >= KNOWN_SHARE * whole.sum():
                self._shares.append(float((shown.cover & known).sum() / known.sum()))
        self._count_needless(shown, boxes)
        self._free_for = np.where(touched, 0, self._free_for + 1).astype(np.int32)
        self._free |= self._free_for >= 2 * self._window
        away = ~shown.hidden & ~people(boxes, shown.grid.height_px, shown.grid.width_px, NEAR_SOMEBODY)
        if away.any():
            difference = output[away] - shown.live.y[away].astype(np.float32)
            self._errors[0] += float(np.square(difference).sum())
            self._errors[1] += int(away.sum())
        seconds = number / self._sequence.fps
        if self._reached is None and float(shown.proven.mean()) >= 0.8:
            self._reached = seconds
        if self._finders and seconds >= self._next_detection:
            self._next_detection = seconds + self._question.detect_every_s
            hits = sum(finder.new_hits(shown, plate) for finder in self._finders)
            self._figures.detector_hits = (self._figures.detector_hits or 0) + hits

    def _follow_promotions(self, shown: Shown, plate: Plate) -> None:
        """Judge every block that became background since the last frame: was somebody in it while it was proven?"""
        fresh = shown.promoted_at > self._judged_at
        self._judged_at = np.maximum(self._judged_at, shown.promoted_at)
        self._tainted &= shown.promoted_at >= 0
        if not fresh.any():
            return
        output = luma_of(shown.picture)
        side = shown.grid.block_px
        for row, column in zip(*np.nonzero(fresh), strict=True):
            at = int(shown.promoted_at[row, column])
            start = max(at - self._window, 0)
            inside = int(self._core_sums[min(at + 1, self._sequence.count), row, column] - self._core_sums[start, row, column])
            length = at + 1 - start
            window = (slice(row * side, (row + 1) * side), slice(column * side, (column + 1) * side))
            differs = False
            if inside and plate.known[window].mean() > 0.5 and not shown.cover[row, column]:
                away = np.abs(output[window] - plate.planes[0][window].astype(np.float32))[plate.known[window]]
                differs = float(away.mean()) > DIFFERS_LEVELS
            self._tainted[row, column] = inside > LONG_IN_CORE * length or differs

    def _count_needless(self, shown: Shown, boxes: Many[Box]) -> None:
        grown = np.zeros(self.shape, np.bool_)
        for box in boxes:
            grown |= blocks_touched(box, shown.grid, GROWN_BLOCKS)
        self._near.append(grown)
        away = shown.proven & ~np.any(np.stack(self._near), axis=0)
        self._needless[0] += int((shown.cover & away).sum())
        self._needless[1] += int(away.sum())

    def _leak(self, number: int, box: Box, measure_name: str) -> None:
        if measure_name == "provenance":
            self._figures.leaked_person_frames += 1
        else:
            self._figures.leaked_person_frames_image += 1
        self._figures.leaks.append((number, box.track, measure_name))
        self._leaks[box.track].append(number)

    def close(self) -> None:
        figures, shares = self._figures, np.array(self._shares)
        figures.tracks_with_leak = len(self._leaks)
        longest = max((_longest(sorted(set(numbers))) for numbers in self._leaks.values()), default=0)
        figures.longest_leak_ms = round(longest * 1000 / self._sequence.fps)
        figures.person_frames_on_proven = shares.size
        if shares.size:
            figures.covered_50 = float((shares >= 0.5).mean())
            figures.covered_20 = float((shares >= 0.2).mean())
        if self._needless[1]:
            figures.false_cover = self._needless[0] / self._needless[1]
        if self._free.any():
            figures.proven_share = float((self._proven & self._free).sum() / self._free.sum())
        figures.seconds_to_80_percent_proven = self._reached
        if self._errors[1]:
            figures.background_psnr_db = float(10 * np.log10(255**2 / max(self._errors[0] / self._errors[1], 1e-9)))


def shows_through(output: NDArray[np.float32], live: Plane, plate: Plate, hidden: NDArray[np.bool_], box: Box) -> bool:
    """Whether what is shown of a person's core goes with the person: output - plate correlates with live - plate.

    Only pixels that are neither flat nor unknown in the plate count, and of those at least 32 must differ from the plate at all. output:
    float32 (height, width), luma in limited range, as `live`.
    """
    core = box.shrunk(CORE_SHRINK)
    rows = slice(max(int(core.top), 0), max(int(core.top + core.height), 0))
    columns = slice(max(int(core.left), 0), max(int(core.left + core.width), 0))
    open_pixels = ~hidden[rows, columns] & plate.known[rows, columns]
    if open_pixels.sum() < FEWEST_PIXELS:
        return False
    empty = plate.planes[0][rows, columns].astype(np.float32)
    person = (live[rows, columns].astype(np.float32) - empty)[open_pixels]
    shown = (output[rows, columns] - empty)[open_pixels]
    differs = np.abs(person) >= PIXEL_DIFFERS_LEVELS
    if differs.sum() < FEWEST_PIXELS:
        return False
    person, shown = person[differs] - person[differs].mean(), shown[differs] - shown[differs].mean()
    spread = float(np.sqrt(np.square(person).sum() * np.square(shown).sum()))
    if spread == 0.0:
        return False
    together = float((person * shown).sum())
    return together / spread >= CORRELATES and together / float(np.square(person).sum()) >= SHINES_THROUGH


def luma_of(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Luma in limited range of sRGB (height, width, 3), ITU-R BT.601: float32 (height, width)."""
    weights = np.array([65.481, 128.553, 24.966], np.float32) / 255.0
    return picture.astype(np.float32) @ weights + np.float32(16.0)


def _longest(numbers: list[int]) -> int:
    """Length of the longest run of frames, with gaps of one frame closed."""
    best = run = 0
    last = -10
    for number in numbers:
        run = run + number - last if number - last <= 2 else 1
        best, last = max(best, run), number
    return best
