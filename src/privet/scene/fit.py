"""Whether the picture shows the place that is known: blind or awake, and when a picture that stops fitting fits again. Pure.

Belongs here: what a frame's means and the share of blocks that differ say of the picture as a whole. Does not belong here: which blocks
differ (cover.changes), what becomes of proofs when it fits no longer (proof.step).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from privet.core.clock import NS_PER_S
from privet.core.scene import Condition, Reason

MISFIT_SHARE = 0.6          # of proven blocks; more than this differ: the picture does not fit
FIT_SHARE = 0.4
MISFIT_AFTER_NS = 1 * NS_PER_S
FIT_AFTER_NS = 1 * NS_PER_S
BLACK_BELOW = 24.0
FEATURELESS_BELOW = 0.6
LEAST_PROVEN_FOR_FIT = 0.05


@dataclass(frozen=True, slots=True)
class Fit:
    """misfit: the picture does not fit. found: the place that was known at a start has been seen. changing_since_ns: since when the picture
    says otherwise than misfit (monotonic); -1 while it does not."""

    misfit: bool = False
    found: bool = True
    changing_since_ns: int = -1

    @property
    def fits(self) -> bool:
        """Whether the picture shows the place that is known, as far as any is; after a start not before it was seen to."""
        return self.found and not self.misfit


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame as a whole. luma, gradient: its means. share: of the known blocks, how many differ. known, blocks: how many there are."""

    luma: float
    gradient: float
    share: float
    known: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a frame says of the fit. arrival: all that is seen came later (True), or nothing (False); None: as before. turned: the picture
    began or ceased to fit. found: it has just been seen to be the place that was known at the start."""

    fit: Fit
    condition: Condition
    reason: Reason
    arrival: bool | None = None
    turned: bool = False
    found: bool = False


def fit_picture(fit: Fit, picture: Picture, now_ns: int) -> Fitted:
    """Blind or awake. A picture that stops fitting is an arrival as a whole until it fits again. Of a frame that decoded cleanly."""
    if picture.luma < BLACK_BELOW or picture.gradient < FEATURELESS_BELOW:
        return Fitted(fit, Condition.BLIND, Reason.OBSCURED)
    few_must_do = not fit.fits              # nothing may be promoted before it fits
    if picture.known == 0 or (picture.known < LEAST_PROVEN_FOR_FIT * picture.blocks and not few_must_do):
        return Fitted(fit, Condition.AWAKE, Reason.NONE)
    arrival: bool | None = None
    turned = found = False
    if not fit.found:
        # A start: the picture must show that it fits before it is taken for the place that was known.
        misfit = arrival = picture.share > FIT_SHARE
        found = not misfit
        fit = replace(fit, misfit=misfit, found=found)
    changing = picture.share < FIT_SHARE if fit.misfit else picture.share > MISFIT_SHARE
    if not changing:
        fit = replace(fit, changing_since_ns=-1)
    elif fit.changing_since_ns < 0:
        fit = replace(fit, changing_since_ns=now_ns)
    elif now_ns - fit.changing_since_ns >= (FIT_AFTER_NS if fit.misfit else MISFIT_AFTER_NS):
        fit, arrival, turned = Fit(not fit.misfit), not fit.misfit, True
    if fit.misfit:
        return Fitted(fit, Condition.BLIND, Reason.MOVED, arrival, turned, found)
    return Fitted(fit, Condition.AWAKE, Reason.NONE, arrival, turned, found)
