"""Rules of promotion switched off one at a time, through `Rules`, which nothing but a bench sets.

A sequence that stays clean with a rule off says nothing about that rule: it counts as evidence only if some ablation leaks on it.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Many
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privet.scene.proof.looks import Detector
from privet.scene.proof.rules import ALL_RULES, Rules

Detectors = tuple[Detector, ...]


class Nobody:
    """A detector that never finds anybody."""

    def __init__(self, input_px: tuple[int, int]) -> None:
        self.input_px = input_px

    def find(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        return [np.zeros((0, 4), np.float32) for _ in pictures]


@dataclass(frozen=True, slots=True)
class Ablation:
    """rules: those that are left. blind: which detectors are replaced by one that finds nobody."""

    says: str
    rules: Rules = ALL_RULES
    blind: Callable[[int, int], bool] = lambda number, count: False

    def detectors(self, detectors: Many[Detector]) -> Detectors:
        """Those to use."""
        count = len(detectors)
        return tuple(Nobody(each.input_px) if self.blind(number, count) else each for number, each in enumerate(detectors))


def _all(number: int, count: int) -> bool:
    return True


_RULE_1_OFF = Rules(keyframe_noise=False, small_shifts=False, motion=False, neighbourhood=False)

ABLATIONS: dict[str, Ablation] = {
    "stillness": Ablation("rule 1 off: time passes whatever moves", _RULE_1_OFF),
    "keyframe_noise": Ablation(
        "rule 1 without keyframes: only what changes between frames counts as motion", Rules(keyframe_noise=False, small_shifts=False)
    ),
    "small_shifts": Ablation(
        "rule 1 without parts of a pixel: keyframes are compared by how much they differ alone", Rules(small_shifts=False)
    ),
    "neighbourhood": Ablation("rule 1 for each block alone", Rules(neighbourhood=False)),
    "looks": Ablation("rule 2 off: no detector ever finds anybody", blind=_all),
    "second_detector": Ablation("rule 2 with one person detector", blind=lambda number, count: number == 1),
    "varied_looks": Ablation("rule 2 with the same view again and again", Rules(varied_views=False)),
    "definition_of_clear": Ablation("rule 2 takes no hit for clear, however dark or blurred", Rules(clear_needs_light=False)),
    "arrival": Ablation("rule 3 off: who came and went still is judged by time and detectors", Rules(arrival=False)),
    "arrival_and_looks": Ablation("rules 2 and 3 off: who came and went still is judged by time", Rules(arrival=False), _all),
    "stillness_and_looks": Ablation("rules 1 and 2 off", _RULE_1_OFF, _all),
}
