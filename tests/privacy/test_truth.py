"""The demo's own footage, held against ground truth: what became background, what was covered, what was covered for nothing.

The truth file lies outside the project (its terms allow measuring, not shipping); without it these tests are skipped.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from bench.truth import Truth, blocks_touched, cores, grown_boxes, plate, read_truth
from demo.encode import FootageMissingError, cached_clip, clip_frames, find_footage
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.grid import BoolGrid, Grid
from privet.detect.openvino import load_detectors
from privet.scene.analyst import Analyst
from privet.scene.demand import is_due
from privet.scene.settings import AnalystSettings

TRUTH = Path(__file__).resolve().parents[3] / "shared" / "data" / "PETS09-S2L1-gt.txt"
FPS = 10
PROVE_S = 10
SETTINGS = AnalystSettings(prove_ns=PROVE_S * NS_PER_S, prove_keyframes=5, commissioning="automatic", looks_per_second=8.0)
# Mean luma difference of a block from the plate: twice what the encoder alone does at its worst, a third of what a coat does.
DIFFERS_LEVELS = 12.0
FIGURES = Path(__file__).resolve().parents[2] / ".cache" / "figures" / "truth.json"


@dataclass
class Run:
    """One pass over the clip."""

    promoted_at: NDArray[np.int64]      # frame number per block, -1 if never
    background: NDArray[np.uint8]
    proven: BoolGrid
    shares: list[float]                 # of each person-frame after proving: how much of the box was covered
    needless: int
    needless_of: int
    looks: tuple[int, int]


@pytest.fixture(scope="module")
def truth() -> Truth:
    if not TRUTH.is_file():
        pytest.skip(f"ground truth is not here: {TRUTH.name}")
    return read_truth(TRUTH)


@pytest.fixture(scope="module")
def lumas() -> list[NDArray[np.uint8]]:
    try:
        clip = cached_clip(find_footage(), "gate")
    except FootageMissingError as error:
        pytest.skip(str(error))
    return [frame.y.copy() for frame in clip_frames(clip)]


@pytest.fixture(scope="module")
def run(truth: Truth, lumas: list[NDArray[np.uint8]]) -> Run:
    analyst = Analyst(SETTINGS, load_detectors("CPU", 0.15))
    hold_frames = -(-SETTINGS.hold_ns * FPS // NS_PER_S) + 2  # a cover lasts until the next, and is taken every other frame
    near: deque[BoolGrid] = deque(maxlen=hold_frames + 1)
    shares: list[float] = []
    needless = needless_of = 0
    promoted_at: NDArray[np.int64] | None = None
    grown: NDArray[np.bool_] | None = None
    for number, frame in enumerate(clip_frames(cached_clip(find_footage(), "gate"))):
        if not is_due(analyst.demand.main, frame):
            if grown is not None:
                near.append(grown[number])
            continue
        seen = analyst.observe(frame)
        background = analyst.background
        assert background is not None
        grid, proven = background.grid, background.proven
        if promoted_at is None or grown is None:
            promoted_at = np.full(grid.shape, -1, np.int64)
            grown = grown_boxes(truth, len(lumas), grid, 2)
        near.append(grown[number])
        if seen.promoted is not None:
            promoted_at[seen.promoted] = number
        away = proven & ~np.any(np.stack(near), axis=0)
        needless += int((seen.cover & away).sum())
        needless_of += int(away.sum())
        for box in truth.get(number, ()):
            whole = blocks_touched(box, grid)
            known = whole & proven
            if known.sum() >= 0.5 * whole.sum() > 0:
                shares.append(float((seen.cover & known).sum() / known.sum()))
    assert promoted_at is not None
    assert analyst.background is not None
    return Run(
        promoted_at, analyst.background.planes[0].copy(), analyst.background.proven.copy(), shares, needless, needless_of,
        (analyst.counters.looks, analyst.counters.looks_with_hit),
    )


def test_no_block_was_promoted_that_a_person_covered_for_long(run: Run, truth: Truth, lumas: list[NDArray[np.uint8]]) -> None:
    grid = Grid(lumas[0].shape[1], lumas[0].shape[0])
    covered = cores(truth, len(lumas), grid)
    leaked = [
        (int(row), int(column))
        for row, column in zip(*np.nonzero(run.promoted_at >= 0), strict=True)
        if covered[max(run.promoted_at[row, column] - PROVE_S * FPS, 0) : run.promoted_at[row, column], row, column].mean() > 0.3
    ]
    assert leaked == []


def test_no_promoted_block_differs_from_the_person_free_plate(run: Run, truth: Truth, lumas: list[NDArray[np.uint8]]) -> None:
    clean = plate(lumas[::3], {frame // 3: boxes for frame, boxes in truth.items() if frame % 3 == 0})
    differing = []
    errors = []
    for row, column in zip(*np.nonzero(run.proven), strict=True):
        window = (slice(row * 8, row * 8 + 8), slice(column * 8, column * 8 + 8))
        difference = np.abs(run.background[window].astype(np.float32) - clean[window])
        if np.isnan(difference).mean() > 0.5:
            continue
        errors.append(float(np.nanmean(difference**2)))
        if float(np.nanmean(difference)) > DIFFERS_LEVELS:
            differing.append((int(row), int(column)))
    psnr_db = 10 * np.log10(255**2 / np.mean(errors))
    _note(run, psnr_db=round(float(psnr_db), 1), differing_blocks=len(differing))
    assert differing == []
    assert psnr_db >= 32


def test_people_are_covered_once_the_place_is_proven(run: Run) -> None:
    assert len(run.shares) >= 100, "the place was hardly proven where people walk: nothing was measured"
    assert np.mean(np.array(run.shares) >= 0.5) >= 0.99


def test_hardly_anything_is_covered_needlessly(run: Run) -> None:
    assert run.needless_of > 0
    assert run.needless / run.needless_of <= 0.02


def test_the_place_gets_proven(run: Run) -> None:
    assert run.proven.mean() >= 0.5


def _note(run: Run, **more: float) -> None:
    """Keep the figures where a person finds them; they are part of what a change is judged by."""
    figures = {
        "proven_share": round(float(run.proven.mean()), 4),
        "person_frames": len(run.shares),
        "covered_50": round(float(np.mean(np.array(run.shares) >= 0.5)), 4),
        "covered_20": round(float(np.mean(np.array(run.shares) >= 0.2)), 4),
        "needless_cover": round(run.needless / max(run.needless_of, 1), 4),
        "looks": run.looks[0],
        "looks_with_hit": run.looks[1],
        **more,
    }
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
