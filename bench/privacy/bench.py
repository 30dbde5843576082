"""One sequence through the product: policy, detectors with a memory, figures, ablations.

Belongs here: how a run is set up. Detectors are asked the same question again and again by ablations of one sequence: answers are
remembered by the picture asked about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.privacy.ablate import ABLATIONS
from bench.privacy.eyes import Finder
from bench.privacy.measure import Figures, Question, measure
from bench.privacy.sequence import Sequence
from bench.privacy.substream import Smaller
from bench.privacy.watch import Account, Between, Shown, watch
from privet.core.clock import NS_PER_S
from privet.core.grid import Grid
from privet.detect.openvino import load_detectors
from privet.pipe.bound import capacity_bits_per_second
from privet.scene.proof.looks import Detector
from privet.scene.proof.rules import ALL_RULES, Rules
from privet.scene.settings import AnalystSettings

GATE_THRESHOLD = 0.15
EYES_THRESHOLD = 0.5
LOOKS_PER_PROOF = 120       # two a second over a proof of sixty seconds: the defaults
GOP_S = 2


@dataclass(slots=True)
class Remembering:
    """A detector that remembers what it answered."""

    detector: Detector
    answers: dict[bytes, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def input_px(self) -> tuple[int, int]:
        return self.detector.input_px

    def find(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = []
        for picture in pictures:
            key = hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16).digest()
            if key not in self.answers:
                self.answers[key] = self.detector.find(picture[None])[0]
            found.append(self.answers[key])
        return found


def gate_detectors() -> tuple[Remembering, ...]:
    return tuple(Remembering(detector) for detector in load_detectors("CPU", GATE_THRESHOLD))


def policy(prove_s: float, **changes: object) -> AnalystSettings:
    """The defaults, with time constants and keyframe counts shortened to the clip; thresholds and rules are not."""
    values: dict[str, object] = {
        "prove_ns": round(prove_s * NS_PER_S),
        "prove_keyframes": min(30, max(2, int(prove_s // GOP_S))),
        "commissioning": "automatic",
        "looks_per_second": LOOKS_PER_PROOF / prove_s,
        **changes,
    }
    return AnalystSettings(**values)  # type: ignore[arg-type] # names are checked at the call, by the dataclass


def question(settings: AnalystSettings) -> Question:
    return Question(settings.prove_ns / NS_PER_S, settings.hold_ns / NS_PER_S, settings.covers_per_second)


def finders() -> tuple[Finder, ...]:
    """Detectors that look at what is shown."""
    return tuple(Finder(detector) for detector in load_detectors("CPU", EYES_THRESHOLD))


def run(
    sequence: Sequence,
    settings: AnalystSettings,
    detectors: Many[Detector],
    between: Callable[[], Between] | None = None,
    eyes: bool = False,
    through: Callable[[Iterator[Shown]], Iterator[Shown]] = iter,
    smaller: Smaller | None = None,
    rules: Rules = ALL_RULES,
) -> Figures:
    """One run. between: makes what is called before every frame (restarts, signatures). eyes: detectors look at what is shown. through:
    sees every frame on its way to being judged. smaller, rules: as of `watch`.
    """
    account = Account()
    shown = watch(sequence, settings, detectors, account, None if between is None else between(), smaller, rules)
    figures = measure(sequence, through(shown), question(settings), finders() if eyes else ())
    grid = Grid(sequence.width_px, sequence.height_px, settings.block_px)
    figures.capacity_bits_per_second = capacity_bits_per_second(grid, settings.covers_per_second)
    figures.sent_bits_per_second = round(8 * account.bytes_sent / max(account.seconds, 1e-9))
    figures.sub_share = account.sub_frames / max(sequence.count, 1)
    return figures


def ablated(
    sequence: Sequence,
    settings: AnalystSettings,
    detectors: Many[Detector],
    names: Many[str],
    between: Callable[[], Between] | None = None,
    smaller: Smaller | None = None,
) -> dict[str, Figures]:
    """The same run with each of the named rules switched off in turn."""
    out: dict[str, Figures] = {}
    for name in names:
        ablation = ABLATIONS[name]
        out[name] = run(sequence, settings, ablation.detectors(detectors), between, smaller=smaller, rules=ablation.rules)
    return out
