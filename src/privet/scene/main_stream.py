"""One frame of the main stream, step by step: change, fit, proof, cover, rest, light.

Belongs here: the order of the steps and what each hands to the next. Does not belong here: the steps themselves, each in its module; when a
frame is due (demand).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from privet.core.frame import Frame
from privet.core.grid import BoolGrid
from privet.core.scene import Condition, Reason
from privet.scene.cover.changes import Changes
from privet.scene.cover.difference import DIFFERENCE_FLOORS, differs
from privet.scene.cover.shape import dilate, drop_small, drop_specks
from privet.scene.cover.step import cover, settle
from privet.scene.epoch import REFINE_TIME_NS, Epoch, nothing
from privet.scene.fit import Fitted, Picture, fit_picture
from privet.scene.light import light_due
from privet.scene.observation import Observation
from privet.scene.proof.step import Circumstances, Means, bring_back, end_for_gap, promote_if_due, prove, take_in_fit
from privet.scene.proof.stillness import FEWEST_MOVING_BLOCKS
from privet.scene.rest import advance, notice
from privet.scene.statistics import GRADIENT, Y_MEAN
from privet.scene.substream.state import teach


def observe_main(epoch: Epoch, means: Means, frame: Frame, how: Circumstances, *, new_grid: bool) -> Observation:
    """Analyse a frame that is due. new_grid: it is the epoch's first.

    Raises:
        DetectorError: a detector failed; the frame proves nothing.
    """
    background, proof, now_ns = epoch.background, epoch.proof, frame.monotonic_ns
    proven = background.proven
    sub_suffices, sub_tells_all, was_covered = epoch.sub_suffices, epoch.sub_tells_all, epoch.covering.found
    whole, cover_due = _take(epoch, means, frame, sub_suffices=sub_suffices)

    # 1. What differs from the background, unless an earlier layer is back.
    changes, raw = _changes(epoch, frame)
    returned = bring_back(proof, frame, changes.seen, raw) if frame.intact else ()
    for _, blocks in returned:
        raw = raw & ~blocks

    # 2. Whether the picture fits as a whole. One that does not is an arrival: it can be proven, and then a person may sign for it.
    fitted = _fit(epoch, changes, raw)
    usable = frame.intact and (fitted.condition is Condition.AWAKE or fitted.reason is Reason.MOVED)
    proof.usable_ns = now_ns if usable else -1

    # 3. What is proven, and what was promoted.
    moved, promoted = nothing(epoch), None
    by_signature = usable and proof.signed is not None
    if usable:
        if fitted.condition is Condition.AWAKE:
            _refine(epoch, changes, raw, now_ns)
        epoch.covering, settled = settle(epoch.covering, proven, raw, fitted.condition, now_ns)
        epoch.sub.main_settled = settled
        waiting = (~proven | settled) & ~epoch.blind
        proof.waits = bool(waiting.any())
        if how.gap:
            end_for_gap(proof)
        else:
            moved = prove(proof, means, frame, changes.seen, waiting, raw, settled, how, whole=whole, at_once=epoch.sub_suffices)
        promoted = promote_if_due(proof, means, frame, sub_suffices=epoch.sub_suffices)
    else:
        proof.restart_all()

    # 4. What is covered, and whether there is rest.
    epoch.covering, covered = cover(
        epoch.covering, raw, moved, epoch.blind, fitted.condition, now_ns,
        hold_ns=means.settings.hold_ns, tallest_blocks=means.settings.tallest_blocks,
    )
    if cover_due or new_grid or (sub_suffices and not epoch.sub_suffices):
        epoch.covering = replace(epoch.covering, said=covered)
    epoch.rest = notice(epoch.rest, fitted.condition, drop_specks(raw), moved)
    take_rest(epoch, means, how, now_ns, new_grid=new_grid, unseen=not frame.intact)
    epoch.last_seen = changes.seen

    # 5. The light, and what the sub-stream learns.
    light = None
    if usable and not sub_tells_all and bool((proven & ~was_covered).any()):
        epoch.light, light = light_due(epoch.light, changes.cells, now_ns)
    if usable:
        teach(epoch.sub, frame, background.proven, epoch.blind, raw, changes.cells)
    if frame.keyframe:
        epoch.taken = replace(epoch.taken, keyframe_ns=now_ns, sharpness=float(changes.seen[GRADIENT].mean()))
    return Observation(
        frame.wall_ns, fitted.condition, fitted.reason, epoch.covering.said, light, promoted, proof.candidate_count, new_grid,
        epoch.taken.sharpness, by_signature, returned,
    )


def next_slot_ns(due_ns: int, now_ns: int, slot_ns: int) -> int:
    """When the next picture is due after one that was due and came now; whoever came a little late does not make the next one later."""
    late_ns = now_ns - due_ns
    return now_ns + slot_ns - (late_ns if 0 <= late_ns < slot_ns else 0)


def take_rest(
    epoch: Epoch, means: Means, how: Circumstances, now_ns: int, *, new_grid: bool = False, unseen: bool = False
) -> None:
    """Whether the camera may rest, now that a frame of either stream was looked at."""
    proof = epoch.proof
    waiting = (~epoch.background.proven | proof.arrival) & ~epoch.blind
    idle = how.shed or not means.detectors or proof.scheduler.idle(waiting, now_ns)
    if means.settings.commissioning == "signature":
        idle = idle and proof.candidate_count == 0 and proof.signed is None
    epoch.rest = advance(epoch.rest, now_ns, idle=idle, new_grid=new_grid, unseen=unseen)


def shows_anything(epoch: Epoch, frame: Frame) -> bool:
    """Whether a frame shows anything that the last one did not; of a quiet place, where nothing is covered. Changes nothing but that
    the same frame, if it is observed next, is not measured again."""
    grid = epoch.grid
    same_size = (grid.width_px, grid.height_px) == (frame.width_px, frame.height_px)
    if not same_size or epoch.geometry != frame.stored or not frame.intact or epoch.last_seen is None:
        return True
    epoch.measured = changes = epoch.measure(frame)
    if drop_specks(changes.raw & ~epoch.blind).any():
        return True
    unknown = ~epoch.background.proven & ~epoch.blind
    moved = differs(changes.seen, epoch.last_seen, np.zeros_like(changes.seen), DIFFERENCE_FLOORS, 0.0) & unknown
    return bool(drop_small(moved, FEWEST_MOVING_BLOCKS).any())


def _take(epoch: Epoch, means: Means, frame: Frame, *, sub_suffices: bool) -> tuple[bool, bool]:
    """Take a frame. Returns whether whatever was due between the last one and this was looked at, and whether a cover is due."""
    taken, slot_ns = epoch.taken, means.settings.slot_ns
    # Pictures between two keyframes were decoded only if that was asked for when the first of the two came.
    whole = taken.granted or not frame.keyframe
    granted = not sub_suffices or epoch.proof.asks_whole if frame.keyframe else taken.granted
    cover_due = frame.monotonic_ns >= taken.next_cover_ns and not sub_suffices
    next_cover_ns = next_slot_ns(taken.next_cover_ns, frame.monotonic_ns, slot_ns) if cover_due else taken.next_cover_ns
    epoch.taken = replace(taken, granted=granted, next_whole_ns=frame.monotonic_ns + slot_ns, next_cover_ns=next_cover_ns)
    return whole, cover_due


def _changes(epoch: Epoch, frame: Frame) -> tuple[Changes, BoolGrid]:
    measured, epoch.measured = epoch.measured, None
    changes = measured if measured is not None and measured.frame is frame else epoch.measure(frame)
    return changes, changes.raw


def _fit(epoch: Epoch, changes: Changes, raw: BoolGrid) -> Fitted:
    frame, seen, proven = changes.frame, changes.seen, epoch.background.proven
    if not frame.intact:
        return Fitted(epoch.fit, Condition.BLIND, Reason.DAMAGED)
    known = int(np.count_nonzero(proven))
    share = np.count_nonzero(raw) / known if known else 0.0
    picture = Picture(float(seen[Y_MEAN].mean()), float(seen[GRADIENT].mean()), share, known, proven.size)
    fitted = fit_picture(epoch.fit, picture, frame.monotonic_ns)
    epoch.fit = fitted.fit
    take_in_fit(epoch.proof, fitted)
    return fitted


def _refine(epoch: Epoch, changes: Changes, raw: BoolGrid, now_ns: int) -> None:
    """Let the model follow the place, as far as it is neither covered nor beside what differs."""
    refined_ns = epoch.taken.refined_ns
    elapsed_ns = max(now_ns - refined_ns, 0) if refined_ns >= 0 else 0
    epoch.taken = replace(epoch.taken, refined_ns=now_ns)
    uncovered = epoch.background.proven & ~epoch.covering.found & ~dilate(raw, 1)
    epoch.model.refine(changes.seen, changes.expected, uncovered, min(elapsed_ns / REFINE_TIME_NS, 0.1))
