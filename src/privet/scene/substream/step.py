"""One frame of the sub-stream, step by step: change, fit, proof, cover, rest, light.

Belongs here: the order of the steps, in the main stream's blocks. Does not belong here: what the sub-stream knows (view, state); the steps
themselves. Nothing is proven here: what moves only ends proofs.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from privet.core.frame import Frame
from privet.core.grid import BoolGrid
from privet.core.scene import Condition, Reason
from privet.scene.cover.shape import dilate, follow
from privet.scene.cover.step import cover
from privet.scene.epoch import Epoch
from privet.scene.fit import Picture, fit_picture
from privet.scene.light import Quantised, light_due
from privet.scene.main_stream import next_slot_ns, take_rest
from privet.scene.observation import Observation
from privet.scene.proof.step import Circumstances, Means, end_for_gap, take_in_fit
from privet.scene.rest import notice
from privet.scene.substream.state import come
from privet.scene.substream.view import SubSeen


def observe_sub(epoch: Epoch, means: Means, frame: Frame, how: Circumstances) -> Observation | None:
    """Analyse a frame of the sub-stream that is due; None while the main stream is analysed, too, and says what there is to say."""
    sub, now_ns = epoch.sub, frame.monotonic_ns
    epoch.measured = None               # what is covered may be another afterwards
    sub.next_ns = next_slot_ns(sub.next_ns, now_ns, means.settings.slot_ns)
    view = come(sub, epoch.grid, frame)
    if not frame.intact:
        return _blind(epoch, means, frame, how, Reason.DAMAGED) if epoch.sub_suffices else None
    tells_all = epoch.sub_tells_all     # what is learned from this frame is no measure of it
    seen = view.observe(frame)
    sub.seen_ns = now_ns
    if seen is None or not epoch.sub_suffices:
        return None

    # 1. Whether the picture fits as a whole.
    proven = epoch.background.proven
    known = int(np.count_nonzero(proven)) if tells_all else 0
    fitted = fit_picture(epoch.fit, Picture(seen.luma, seen.gradient, seen.share, known, proven.size), now_ns)
    epoch.fit = fitted.fit
    take_in_fit(epoch.proof, fitted)
    if fitted.reason is Reason.OBSCURED:
        return _blind(epoch, means, frame, how, Reason.OBSCURED)

    # 2. Which proofs end.
    raw, moved = seen.differs & proven & ~epoch.blind, seen.moved & ~proven & ~epoch.blind
    was_covered = epoch.covering.found
    if how.gap:
        end_for_gap(epoch.proof)
    elif fitted.condition is Condition.AWAKE:
        _end_proofs(epoch, seen, raw, now_ns)
        # Whoever goes where the sub-stream knows nothing may stand still there: covered until a keyframe shows that nobody does.
        sub.unsure = sub.unsure | (seen.unsure & proven & ~epoch.blind)

    # 3. What is covered, and whether there is rest.
    # What stands there, that is; whoever walks about need not be looked at in the main stream.
    follow(raw & ~dilate(seen.moved, 1), sub.covered_since_ns, now_ns)
    raw = raw | sub.unsure
    _cover(epoch, means, raw, moved, fitted.condition, now_ns)
    epoch.rest = notice(epoch.rest, fitted.condition, raw, moved)
    take_rest(epoch, means, how, now_ns)

    # 4. The light.
    light = None
    if tells_all and fitted.condition is Condition.AWAKE and bool((proven & ~was_covered).any()):
        epoch.light, light = light_due(epoch.light, seen.light, now_ns)
    return _observation(epoch, frame, fitted.condition, fitted.reason, light)


def _blind(epoch: Epoch, means: Means, frame: Frame, how: Circumstances, reason: Reason) -> Observation:
    """Nothing can be told from this frame: everything is covered, and every proof ends."""
    epoch.proof.restart_all()
    nothing = np.zeros_like(epoch.blind)
    _cover(epoch, means, nothing, nothing, Condition.BLIND, frame.monotonic_ns)
    epoch.rest = notice(epoch.rest, Condition.BLIND, nothing, nothing)
    take_rest(epoch, means, how, frame.monotonic_ns, unseen=reason is Reason.DAMAGED)
    return _observation(epoch, frame, Condition.BLIND, reason, None)


def _end_proofs(epoch: Epoch, seen: SubSeen, raw: BoolGrid, now_ns: int) -> None:
    """Whoever moves between two keyframes ends the proofs around them, as in the main stream's own pictures."""
    proof = epoch.proof
    disturbed = proof.stillness.around((seen.stirred & ~epoch.blind) | raw) & ~epoch.sub.main_settled
    proof.restart(disturbed & proof.stillness.running)
    proof.scheduler.disturbed(disturbed, now_ns)


def _cover(epoch: Epoch, means: Means, raw: BoolGrid, moved: BoolGrid, condition: Condition, now_ns: int) -> None:
    covering, covered = cover(
        epoch.covering, raw, moved, epoch.blind, condition, now_ns,
        hold_ns=means.settings.hold_ns, tallest_blocks=means.settings.tallest_blocks,
    )
    epoch.covering = replace(covering, said=covered)


def _observation(epoch: Epoch, frame: Frame, condition: Condition, reason: Reason, light: Quantised | None) -> Observation:
    return Observation(
        frame.wall_ns, condition, reason, epoch.covering.said, light, None, epoch.proof.candidate_count, False, epoch.taken.sharpness
    )
