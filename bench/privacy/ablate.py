"""Rules of promotion switched off one at a time, from outside: the product has no such switch.

A sequence that stays clean with a rule off says nothing about that rule: it counts as evidence only if some ablation leaks on it. What is
patched is named by module and attribute; a name that is no longer there is an error here, not a rule that silently stays on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Sequence as Many
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from privet.core.frame import Frame
from privet.core.grid import BoolGrid
from privet.scene import analyst
from privet.scene.analyst import Analyst
from privet.scene.cover.shape import dilate
from privet.scene.proof import looks, stillness
from privet.scene.proof.looks import Detector
from privet.scene.proof.promote import Evidence, ProvenBackground, Rules, promote
from privet.scene.proof.views import Transform
from privet.scene.statistics import Statistics

Detectors = tuple[Detector, ...]


class Nobody:
    """A detector that never finds anybody."""

    def __init__(self, input_px: tuple[int, int]) -> None:
        self.input_px = input_px

    def find(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        return [np.zeros((0, 4), np.float32) for _ in pictures]


def _not_since_anchor(self: stillness.Stillness, frame: Frame, seen: Statistics, running: BoolGrid) -> BoolGrid:
    return np.zeros_like(running)


def _not_shifted(self: stillness.Stillness, frame: Frame, seen: Statistics, running: BoolGrid, waiting: BoolGrid) -> BoolGrid:
    return np.zeros_like(running)


def _not_between(
    self: stillness.Stillness, before: Statistics, brighter: NDArray[np.float64], seen: Statistics, blocks: BoolGrid
) -> BoolGrid:
    return np.zeros_like(blocks)


def _only_itself(self: stillness.Stillness, moved: BoolGrid, moving: BoolGrid) -> BoolGrid:
    return dilate(moved, 0)


def _always_good(self: looks.Looks, in_view: BoolGrid, seen: Statistics) -> BoolGrid:
    return np.ones_like(in_view)


def _no_arrivals(self: Analyst) -> BoolGrid:
    return np.zeros_like(self._arrival)


def _as_if_signed(background: ProvenBackground, evidence: Evidence, rules: Rules, wall_ns: int) -> tuple[BoolGrid, BoolGrid]:
    """promote() that takes what came to stand before a proven block for the place, once rules 1 and 2 say so."""
    if rules.commissioning == "automatic":
        evidence = replace(evidence, signed=np.ones_like(evidence.signed))
    return promote(background, evidence, rules, wall_ns)


_Patches = tuple[tuple[object, str, object], ...]

_KEYFRAMES_OFF: _Patches = (
    (stillness.Stillness, "_moved_since_anchor", _not_since_anchor),
    (stillness.Stillness, "_shifted_since_anchor", _not_shifted),
)
_RULE_1_OFF: _Patches = (
    *_KEYFRAMES_OFF, (stillness.Stillness, "_moved_from", _not_between), (stillness.Stillness, "_neighbourhood", _only_itself),
)
_RULE_3_OFF: _Patches = ((Analyst, "_arrivals", _no_arrivals), (analyst, "promote", _as_if_signed))


@dataclass(frozen=True, slots=True)
class Ablation:
    """patches: (owner, attribute, replacement). blind: which detectors are replaced by one that finds nobody."""

    says: str
    patches: _Patches = ()
    blind: Callable[[int, int], bool] = lambda number, count: False


ABLATIONS: dict[str, Ablation] = {
    "stillness": Ablation("rule 1 off: time passes whatever moves", _RULE_1_OFF),
    "keyframe_noise": Ablation("rule 1 without keyframes: only what changes between frames counts as motion", _KEYFRAMES_OFF),
    "small_shifts": Ablation(
        "rule 1 without parts of a pixel: keyframes are compared by how much they differ alone",
        ((stillness.Stillness, "_shifted_since_anchor", _not_shifted),),
    ),
    "neighbourhood": Ablation(
        "rule 1 for each block alone", ((stillness.Stillness, "_neighbourhood", _only_itself),)
    ),
    "looks": Ablation("rule 2 off: no detector ever finds anybody", blind=lambda number, count: True),
    "second_detector": Ablation("rule 2 with one person detector", blind=lambda number, count: number == 1),
    "varied_looks": Ablation(
        "rule 2 with the same view again and again", ((looks, "TRANSFORMS", (Transform(),) * len(looks.TRANSFORMS)),)
    ),
    "definition_of_clear": Ablation(
        "rule 2 takes no hit for clear, however dark or blurred", ((looks.Looks, "_good_enough", _always_good),)
    ),
    "arrival": Ablation("rule 3 off: who came and went still is judged by time and detectors", _RULE_3_OFF),
    "arrival_and_looks": Ablation("rules 2 and 3 off: who came and went still is judged by time", _RULE_3_OFF, lambda number, count: True),
    "stillness_and_looks": Ablation("rules 1 and 2 off", _RULE_1_OFF, lambda number, count: True),
}


@contextmanager
def without(name: str, detectors: Many[Detector]) -> Iterator[Detectors]:
    """Run with one rule off; yields the detectors to use.

    Raises:
        KeyError: there is no such ablation. AttributeError: the product has changed and the ablation would do nothing.
    """
    ablation = ABLATIONS[name]
    with ExitStack() as stack:
        for owner, attribute, replacement in ablation.patches:
            stack.enter_context(patch.object(owner, attribute, replacement))
        count = len(detectors)
        yield tuple(
            Nobody(detector.input_px) if ablation.blind(number, count) else detector for number, detector in enumerate(detectors)
        )
