"""All scenarios asked for, one after another, and their table: one row a scenario.

Belongs here: the order and the words. Does not belong here: judging (judge).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Many

from bench.privacy.scenarios.cases import SCENARIOS
from bench.privacy.scenarios.cut import footage_key
from bench.privacy.scenarios.judge import SHEETS, Outcome, outcome
from bench.privacy.substream import Smaller
from bench.privacy.tables import aligned, said
from privet.scene.proof.looks import Detector


def outcomes(
    names: Many[str], prove_s: float, detectors: Many[Detector], ablations: Many[str] | None = None, smaller: Smaller | None = None
) -> Iterator[tuple[str, Outcome]]:
    """Run the named scenarios, or all; contact sheets are written below .cache/scenarios. ablations: None: those of each.

    smaller: as of `watch`.

    Raises:
        KeyError: there is no such scenario. FileNotFoundError, FootageMissingError: footage or truth are not on this machine.
    """
    for name in names:
        if name not in SCENARIOS:
            raise KeyError(f"no scenario {name}: there are {', '.join(SCENARIOS)}")
    footage_key()
    for name in names or list(SCENARIOS):
        yield name, outcome(name, SCENARIOS[name], prove_s, detectors, ablations, SHEETS / f"{name}.jpg", smaller)


def rows(results: Mapping[str, Outcome]) -> str:
    head = ["", "people", "leaked", "by image", "ablation leaks", "stays covered", "usefulness"]
    body = []
    for name, each in results.items():
        figures = each.figures
        useful = ", ".join(f"{key} {said(value)}" for key, value in each.usefulness.items())
        stays = "–" if each.stays_covered is None else "yes" if each.stays_covered else "NO"
        counts = [str(n) for n in (figures.person_frames, figures.leaked_person_frames, figures.leaked_person_frames_image)]
        body.append([name, *counts, str(each.ablation_leaks), stays, useful])
    return aligned([head, *body])
