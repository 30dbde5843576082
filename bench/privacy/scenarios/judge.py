"""A scenario through the product: figures, ablations, usefulness, a contact sheet.

Belongs here: what is asked of a scenario beyond the figures of any sequence. Does not belong here: those figures (measure).
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from demo.encode import CACHE

from bench.privacy.bench import ablated, policy, run
from bench.privacy.measure import Figures
from bench.privacy.scenarios.cases import Scenario
from bench.privacy.sequence import Sequence
from bench.privacy.stills import Stills, evenly, save
from bench.privacy.substream import Smaller
from bench.privacy.tables import Json, as_json
from bench.privacy.watch import Shown
from bench.truth import blocks_touched
from privet.scene.proof.looks import Detector

SHEETS = CACHE.parent / "scenarios"
SHEET_ROWS = 6
RECOVERED_SHARE = 0.05      # of proven blocks away from people are covered, at most
HIDDEN_SHARE = 0.5          # of a person's box
NEVER_S = -1.0


@dataclass(slots=True)
class Notes:
    """What is written down while a scenario is watched."""

    away: list[tuple[float, float]] = field(default_factory=list)      # seconds, covered share of proven blocks away from people
    least_hidden: dict[int, float] = field(default_factory=dict)       # by track


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scenario's result. stays_covered: None where it is not asked."""

    figures: Figures
    ablations: dict[str, Figures]
    usefulness: dict[str, float | None]
    stays_covered: bool | None

    @property
    def ablation_leaks(self) -> int:
        return sum(each.leaked_person_frames + each.leaked_person_frames_image for each in self.ablations.values())

    @property
    def failed(self) -> bool:
        return self.figures.leaked or self.stays_covered is False

    def as_json(self) -> Json:
        return {
            **as_json(self.figures),
            "ablation_leaks": self.ablation_leaks,
            "ablations": {name: as_json(each) for name, each in self.ablations.items()},
            "stays_covered": self.stays_covered,
            "usefulness": dict(self.usefulness),
            "leaks": [[frame, track, measure_name] for frame, track, measure_name in self.figures.leaks[:40]],
        }


def outcome(
    name: str,
    scenario: Scenario,
    prove_s: float,
    detectors: Many[Detector],
    ablations: Many[str] | None = None,
    sheet: Path | None = None,
    smaller: Smaller | None = None,
) -> Outcome:
    """Run a scenario. ablations: which rules are switched off in turn; None: those that it is about. sheet: where to write live, shown
    and plate of a few frames, side by side. smaller: as of `watch`.
    """
    sequence = scenario.sequence(name)
    settings = policy(prove_s, **dict(scenario.changes))
    between = None if scenario.restarting is None else partial(scenario.restarting, settings, detectors)
    notes, stills = Notes(), Stills(sequence, evenly(sequence, SHEET_ROWS))
    figures = run(
        sequence, settings, detectors, between, through=lambda shown: _noting(stills.through("shown", shown), sequence, notes),
        smaller=smaller,
    )
    off = ablated(sequence, settings, detectors, scenario.ablations if ablations is None else ablations, between, smaller)
    if sheet is not None and (image := stills.sheet(("live", "shown", "plate"))) is not None:
        save(image, sheet)
    hidden = [notes.least_hidden.get(track, 1.0) for track in scenario.stays_covered]
    usefulness: dict[str, float | None] = {
        "proven_share": figures.proven_share,
        "covered_50": figures.covered_50,
        "false_cover": figures.false_cover,
    }
    if scenario.disturbed:
        recoveries = [recovery_s(notes.away, ended_s) for ended_s in scenario.disturbed]
        usefulness["recovery_s"] = NEVER_S if NEVER_S in recoveries else max(recoveries)
    if hidden:
        usefulness["least_hidden_share"] = min(hidden)
    return Outcome(figures, off, usefulness, min(hidden) >= HIDDEN_SHARE if hidden else None)


def recovery_s(away: Many[tuple[float, float]], since_s: float) -> float:
    """Seconds from `since_s` until hardly anything is covered needlessly, for a second on end; -1: never."""
    began: float | None = None
    for seconds, share in away:
        if seconds < since_s:
            continue
        if share > RECOVERED_SHARE:
            began = None
        elif began is None:
            began = seconds
        if began is not None and seconds - began >= 1.0:
            return began - since_s
    return NEVER_S


def _noting(shown: Iterator[Shown], sequence: Sequence, notes: Notes) -> Iterator[Shown]:
    for each in shown:
        near = np.zeros(each.grid.shape, np.bool_)
        for box in sequence.truth.get(each.number, ()):
            near |= blocks_touched(box, each.grid, 3)
            whole = blocks_touched(box, each.grid)
            if whole.any():
                hidden = float((each.cover | ~each.proven)[whole].mean())
                notes.least_hidden[box.track] = min(notes.least_hidden.get(box.track, 1.0), hidden)
        away = each.proven & ~near
        notes.away.append((each.number / sequence.fps, float(each.cover[away].mean()) if away.any() else 1.0))
        yield each
