"""The proofs of one grid, frame by frame: what moved, which looks are taken, what earlier layers come back, what is promoted.

Belongs here: the order in which rules 1 to 3 look at a frame, and what they keep between frames. Does not belong here: each rule by itself
(stillness, looks, promote), which blocks are worth it (scheduler), signatures (commissioning).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

import numpy as np

from privet.core.clock import NS_PER_S
from privet.core.errors import DetectorError
from privet.core.frame import Frame, Plane
from privet.core.grid import BoolGrid, Grid
from privet.scene.block_model import BlockModel
from privet.scene.fit import Fitted
from privet.scene.proof.layers import Returns
from privet.scene.proof.looks import Detector, Look, Looks
from privet.scene.proof.promote import Evidence, Policy, ProvenBackground, promote, recall
from privet.scene.proof.rules import Rules
from privet.scene.proof.scheduler import ProofScheduler
from privet.scene.proof.stillness import Stillness, StillnessLimits
from privet.scene.settings import AnalystSettings
from privet.scene.statistics import Statistics, block_statistics

PROMOTE_EVERY_NS = 1 * NS_PER_S
PATIENCE_PROOFS = 6             # so many times as long as a proof takes, or at least this long, looks may bring nothing
PATIENCE_NS = 120 * NS_PER_S
AGAIN_PROOFS = 3                # after so many times as long as a proof takes, a block that moved and then was still gets another chance
LOOKS_SAVED_NS = 2 * NS_PER_S   # looks that were due for longer are not made up for


@dataclass(slots=True)
class Means:
    """What proofs are made with, whatever grid they are of. may_look: asked before every look, for the detectors are shared; a look that is
    not taken is counted (looks_starved) and costs nothing but time."""

    settings: AnalystSettings
    rules: Rules
    detectors: tuple[Detector, ...]
    may_look: Callable[[], bool]
    looks_starved: int = 0

    def lose_detectors(self) -> None:
        """From now on nothing is looked at, and so nothing promoted."""
        self.detectors = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How a frame came to be looked at. hurried: the machine is behind: no looks are taken, which costs proofs, never covers.

    gap: what lay between this frame and the last was not looked at, so no proof goes on. shed: nothing is proven for now: what waits is
    watched for movement alone, as if looks had not helped it, and its proofs end. For machines that are behind: what cannot be finished
    costs what covers need.
    """

    hurried: bool = False
    gap: bool = False
    shed: bool = False


AS_USUAL = Circumstances()


@dataclass(slots=True, eq=False)
class Proof:
    """Arrays are bool (rows, columns). arrival: what came after the place was known. candidates: what waited for a signature alone when it
    was last looked. tried: how many blocks' proofs are followed. asks_whole: a proof lacks nothing but all pictures. waits: anything is to
    be proven. given_up_before: what looks did not help before the last start, until the picture is seen to fit. usable_ns: the last frame,
    if something could be told from it, else -1 (monotonic)."""

    background: ProvenBackground
    blind: BoolGrid
    person_px: float
    stillness: Stillness
    looks: Looks
    scheduler: ProofScheduler
    returns: Returns
    model: BlockModel
    arrival: BoolGrid
    candidates: BoolGrid
    given_up_before: BoolGrid | None = None
    tried: int = 0
    waits: bool = True
    asks_whole: bool = False
    usable_ns: int = -1
    looked_ns: int = -1
    next_look_ns: int = -1
    next_promotion_ns: int = -1
    signed: BoolGrid | None = None      # signed, written, and not said yet

    @property
    def grid(self) -> Grid:
        return self.background.grid

    @property
    def candidate_count(self) -> int:
        """How many blocks waited for a signature alone when it was last looked."""
        return int(np.count_nonzero(self.candidates))

    @property
    def hundredth(self) -> int:
        """Of the blocks that are being proven, and at least one."""
        return max(self.tried // 100, 1)

    @property
    def given_up(self) -> BoolGrid:
        """Blocks that looks did not help, in this life or before it."""
        return self.scheduler.given_up if self.given_up_before is None else self.given_up_before

    def restart(self, blocks: BoolGrid) -> None:
        """End the proofs of these blocks; they begin without evidence."""
        self.stillness.restart(blocks)
        self.looks.forget(blocks)

    def restart_all(self) -> None:
        """End every proof: something happened to the picture as a whole."""
        self.restart(self.stillness.restart_all())

    def expect(self, blocks: BoolGrid) -> None:
        """What the background shows of these blocks is another than before, and what is expected there."""
        self.model.start(blocks, block_statistics(*self.background.planes, self.grid.block_px))


def begin_proof(background: ProvenBackground, blind: BoolGrid, model: BlockModel, means: Means, *, distrust: bool) -> Proof:
    """Nothing is being proven yet. distrust: everything in view is an arrival."""
    settings, grid = means.settings, background.grid
    person_px = float(settings.person_height_px or grid.height_px / 8)
    limits = StillnessLimits(neighbourhood_blocks=ceil(person_px / settings.block_px) // 2)
    patience_ns = max(PATIENCE_PROOFS * settings.prove_ns, PATIENCE_NS)
    return Proof(
        background, blind, person_px, Stillness(grid, limits, means.rules), Looks(grid, means.detectors, person_px, means.rules),
        ProofScheduler(grid.shape, patience_ns, AGAIN_PROOFS * settings.prove_ns), Returns(grid), model,
        arrival=np.full(grid.shape, distrust, np.bool_), candidates=np.zeros(grid.shape, np.bool_),
    )


def take_in_fit(proof: Proof, fitted: Fitted) -> None:
    """What the picture as a whole says of every block's proof."""
    if fitted.arrival is not None:
        proof.arrival = np.full(proof.grid.shape, fitted.arrival, np.bool_)
    if fitted.found and proof.given_up_before is not None:
        proof.scheduler.give_up(proof.given_up_before)
        proof.given_up_before = None
    if fitted.turned:
        proof.scheduler.begin_anew()


def bring_back(proof: Proof, frame: Frame, seen: Statistics, raw: BoolGrid) -> tuple[tuple[int, BoolGrid], ...]:
    """Put earlier layers back where the picture fits them again; as `Observation.returned`. raw: proven blocks that differ."""
    background = proof.background
    if not background.layers:
        return ()
    back = proof.returns.observe(frame, seen, background.layers, raw)
    if frame.monotonic_ns < proof.next_promotion_ns:
        return ()
    tried = [(which + 1, recall(background, blocks, which)) for which, blocks in enumerate(back) if blocks.any()]
    returned = tuple((layer, blocks) for layer, blocks in tried if blocks.any())
    if not returned:
        return ()
    recalled = np.logical_or.reduce([blocks for _, blocks in returned])
    # They share the promotions' turns: a patch says which blocks and when, and its rate is part of what can leave.
    proof.next_promotion_ns = frame.monotonic_ns + PROMOTE_EVERY_NS
    proof.restart(recalled)
    proof.expect(recalled)
    return returned


def end_for_gap(proof: Proof) -> None:
    """Nobody looked since the last frame: no proof goes on, and what moved is not known."""
    proof.restart_all()
    proof.scheduler.slept()


def prove(
    proof: Proof, means: Means, frame: Frame, seen: Statistics, waiting: BoolGrid, raw: BoolGrid, settled: BoolGrid,
    how: Circumstances, *, whole: bool, at_once: bool,
) -> BoolGrid:
    """Follow stillness and, when one is due, take a look. Returns waiting blocks that moved.

    waiting: blocks to be proven. raw: proven blocks that differ; settled: those that came to stay. whole: whatever was due since the last
    frame was looked at. at_once: keyframes alone come, and what was due since the last one is taken at once.

    Raises:
        DetectorError: a detector failed.
    """
    if not waiting.any():
        return waiting
    # What was given up is watched for movement alone.
    tried = np.zeros_like(waiting) if how.shed else waiting & ~proof.scheduler.given_up
    proof.tried = int(np.count_nonzero(tried))
    interrupted = proof.stillness.interrupted(frame.monotonic_ns)
    moved, disturbed = proof.stillness.observe(frame, seen, waiting, raw & ~settled, tried, whole=whole)
    proof.scheduler.disturbed(disturbed, frame.monotonic_ns)
    if interrupted:
        proof.scheduler.slept()      # that nobody looked is no reason to try again what was given up
    moved = moved & ~settled  # those are covered anyway
    # Whoever came to stay holds up what is not proven yet around them, as if they moved; themselves they may be still.
    proof.restart(proof.stillness.around(raw & settled) & ~settled)
    # What was seen of a block before its proof began is no evidence: somebody may have come in between. A proof that ended in a
    # keyframe has begun anew in the same, and runs.
    proof.looks.forget(proof.stillness.still_ns(frame.monotonic_ns) == 0)
    if not how.hurried and not how.shed:
        _take_looks(proof, means, frame, seen, waiting, settled, at_once=at_once)
    proof.looks.forget(~proof.stillness.running)
    return moved


def _take_looks(
    proof: Proof, means: Means, frame: Frame, seen: Statistics, waiting: BoolGrid, settled: BoolGrid, *, at_once: bool
) -> None:
    """Take the looks that are due, within the budget; what was not used is not saved up.

    What came to stay is proven by signature alone: it is looked at once it has been still for long enough to be offered.
    """
    now_ns, settings = frame.monotonic_ns, means.settings
    # Where keyframes alone come, what was due since the last one is taken at once; else the same tile waits for the next picture.
    proof.next_look_ns = max(proof.next_look_ns, now_ns - min(max(settings.slot_ns, now_ns - proof.looked_ns), LOOKS_SAVED_NS))
    proof.looked_ns = now_ns
    taken: dict[tuple[int, int, int], Look] = {}
    while means.detectors and proof.next_look_ns <= now_ns:
        reached = int(np.count_nonzero(proof.background.proven)) + proof.candidate_count
        chosen = proof.scheduler.choose(waiting, proof.candidates, reached, now_ns)
        asked = _worth_a_look(proof, chosen, settled, now_ns, settings.prove_ns)
        if not asked.any():
            proof.next_look_ns = now_ns + settings.look_period_ns
            return
        look = proof.looks.next_look(asked, taken.values() if at_once else ())
        if look is None or (look.detector, look.level, look.tile) in taken:
            return
        taken[look.detector, look.level, look.tile] = look
        if not means.may_look():
            means.looks_starved += 1
            proof.next_look_ns = now_ns + settings.slot_ns
            return
        proof.next_look_ns += settings.look_period_ns
        try:
            hit = proof.looks.look(look, frame, seen)
        except DetectorError:
            means.lose_detectors()
            raise
        proof.restart(hit)
        proof.scheduler.disturbed(hit, now_ns)


def _worth_a_look(proof: Proof, chosen: BoolGrid, settled: BoolGrid, now_ns: int, prove_ns: int) -> BoolGrid:
    """Of the blocks chosen, those whose proof is likely to last: one that breaks off takes its looks with it.

    A place in which nobody is, is looked at from the first. Where an earlier proof broke off, this one must have come half way; and
    all the way where that leaves less than a hundredth of what is being proven. Fewer looks are no less evidence: a proof asks for as
    many as ever.
    """
    chosen = chosen & proof.stillness.running
    if not chosen.any():
        return chosen
    still_ns = proof.stillness.still_ns(now_ns)
    all_the_way = still_ns >= prove_ns
    likely = np.where(settled, all_the_way, ~proof.stillness.broke_off | (still_ns >= prove_ns // 2)) & chosen
    return likely if np.count_nonzero(likely) >= proof.hundredth else all_the_way & chosen


# -- what is promoted


def policy(means: Means, commissioning: Literal["signature", "automatic"]) -> Policy:
    """The site's, for one of both ways of commissioning."""
    settings = means.settings
    return Policy(settings.prove_ns, settings.prove_keyframes, commissioning, len(means.detectors))


def evidence(proof: Proof, means: Means, signed: BoolGrid, picture: tuple[Plane, Plane, Plane]) -> Evidence:
    """What is known now. signed: blocks for which a person has signed. picture: what would be written."""
    return Evidence(
        still_ns=proof.stillness.watched_ns(),
        keyframes=proof.stillness.keyframes,
        clear_views=proof.looks.clear_views(),
        closed=proof.blind,
        arrival=proof.arrival if means.rules.arrival else np.zeros_like(proof.arrival),
        signed=signed,
        picture=picture,
    )


def unsigned(proof: Proof, means: Means) -> Evidence:
    """What is known now, of which nothing is written, for nothing is signed."""
    return evidence(proof, means, np.zeros(proof.grid.shape, np.bool_), proof.background.planes)


def candidates_by(proof: Proof, means: Means, known: Evidence) -> BoolGrid:
    """Blocks that have passed rules 1 and 2. known: what is known, with nothing signed."""
    _, candidates = promote(proof.background, known, policy(means, "signature"), 0)
    return candidates


def promote_if_due(proof: Proof, means: Means, frame: Frame, *, sub_suffices: bool) -> BoolGrid | None:
    """What became background with this frame, None for nothing. sub_suffices: of the main stream keyframes alone come."""
    if proof.signed is not None:  # said by itself: who answers for a promotion is said with it
        signed, proof.signed = proof.signed, None
        return signed
    if not proof.stillness.running.any():
        proof.candidates = np.zeros(proof.grid.shape, np.bool_)
        proof.asks_whole = False
        return None
    if frame.monotonic_ns < proof.next_promotion_ns:
        return None
    proof.next_promotion_ns = frame.monotonic_ns + PROMOTE_EVERY_NS
    known = unsigned(proof, means)
    proof.candidates = candidates = candidates_by(proof, means, known)
    proof.asks_whole = sub_suffices and _lacks_pictures(proof, means, known, frame.monotonic_ns)
    # The picture is put together only where something can be written without a signature. It is promote that decides.
    if means.settings.commissioning == "signature" or not candidates.any():
        return None
    known = replace(known, picture=proof.stillness.picture())
    if not means.rules.arrival:
        known = replace(known, signed=np.ones_like(known.signed))    # what came to stand before a proven block is taken for the place
    promoted, proof.candidates = promote(proof.background, known, policy(means, "automatic"), frame.wall_ns)
    if not promoted.any():
        return None
    proof.expect(promoted)
    return promoted


def _lacks_pictures(proof: Proof, means: Means, known: Evidence, now_ns: int) -> bool:
    """Whether a hundredth of what is being proven would be candidates, too, if keyframes were enough."""
    by_keyframes = candidates_by(proof, means, replace(known, still_ns=proof.stillness.still_ns(now_ns)))
    return int(np.count_nonzero(by_keyframes & ~proof.candidates)) >= proof.hundredth
