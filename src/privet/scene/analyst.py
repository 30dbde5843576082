"""One camera's scene: frames in, cover, light and promoted blocks out.

Belongs here: the order in which the parts look at a frame, and what holds between frames (holds, conditions, schedules). Does not
belong here: the kernels, the rules of promotion, encoding. What comes out is `Observation`, which holds no live pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.frame import Frame, Matrix, Plane
from privet.core.geometry import Geometry
from privet.core.grid import BoolGrid, Grid
from privet.core.scene import Condition, Reason
from privet.scene.block_model import BlockModel
from privet.scene.cover.blind import blind_blocks
from privet.scene.cover.changes import Changes, judge
from privet.scene.cover.difference import DIFFERENCE_FLOORS, differs
from privet.scene.cover.shape import coarsen, dilate, drop_small, drop_specks, follow, shape
from privet.scene.light import Cells, quantise
from privet.scene.proof.layers import Returns
from privet.scene.proof.looks import Detector, Look, Looks
from privet.scene.proof.promote import Evidence, ProvenBackground, Rules, promote, recall, restore
from privet.scene.proof.scheduler import ProofScheduler
from privet.scene.proof.signing import NoOffer, Offer, OpenOffer, Signing, began, look_everywhere, unbroken
from privet.scene.proof.stillness import FEWEST_MOVING_BLOCKS, Stillness, StillnessRules
from privet.scene.state_format import StoredScene
from privet.scene.statistics import GRADIENT, Y_MEAN, Statistics, block_statistics
from privet.scene.substream.view import SubSeen, SubView

MISFIT_SHARE = 0.6          # of proven blocks; more than this differ: the picture does not fit
FIT_SHARE = 0.4
MISFIT_AFTER_NS = 1 * NS_PER_S
FIT_AFTER_NS = 1 * NS_PER_S
BLACK_BELOW = 24.0
FEATURELESS_BELOW = 0.6
LIGHT_EVERY_NS = 1 * NS_PER_S
PROMOTE_EVERY_NS = 1 * NS_PER_S
REFINE_TIME_NS = 10 * NS_PER_S
LEAST_PROVEN_TO_JUDGE = 0.05
PATIENCE_PROOFS = 6             # so many times as long as a proof takes, or at least this long, looks may bring nothing
PATIENCE_NS = 120 * NS_PER_S
QUIET_AFTER_NS = 10 * NS_PER_S
AGAIN_PROOFS = 3                # after so many times as long as a proof takes, a block that moved and then was still gets another chance
SETTLED_NS = 5 * NS_PER_S       # covered for so long on end: what came may have come to stay, and a person may be asked to sign for it
LOOKS_SAVED_NS = 2 * NS_PER_S   # looks that were due for longer are not made up for
ASK_MAIN_NS = 10 * NS_PER_S     # what the sub-stream shows for so long, unmoved, is looked at in the main stream
ASK_LESS_NS = 2 * NS_PER_S      # later by so much, then twice that and so on, while the main stream's keyframes teach nothing
ASK_LEAST_NS = 16 * NS_PER_S
SIGN_WITHIN_NS = 5 * NS_PER_S   # of the last usable frame; later nobody knows whether the proofs still hold


@dataclass(frozen=True, slots=True)
class AnalystSettings:
    """The site's policy for one camera. person_height_px 0: an eighth of the picture."""

    block_px: int = 8
    covers_per_second: float = 5.0
    hold_ns: int = 600 * NS_PER_MS
    tallest_blocks: int = 12
    prove_ns: int = 60 * NS_PER_S
    prove_keyframes: int = 30
    commissioning: Literal["signature", "automatic"] = "signature"
    person_height_px: int = 0
    looks_per_second: float = 2.0
    blind: tuple[tuple[tuple[float, float], ...], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What one frame said about the place. Arrays are bool (rows, columns).

    cover: the blocks where something is that is not background; it changes no more often than covers are due, so that a frame analysed
    in between for the sake of proving repeats it. promoted, candidates: as `promote` returned them, None when it was not
    asked. light: quantised (gain, offset), None when unchanged or not due. new_grid: a new epoch began, all unproven.
    by_signature: what was promoted was signed for by a person. returned: the layers of the background that are in force again, by their
    number from 1, and the blocks that look again as they did then.
    """

    wall_ns: int
    condition: Condition
    reason: Reason
    cover: BoolGrid
    light: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None
    promoted: BoolGrid | None
    candidates: int
    new_grid: bool
    sharpness: float
    by_signature: bool = False
    returned: tuple[tuple[int, BoolGrid], ...] = ()

    @property
    def recalled(self) -> BoolGrid | None:
        """Blocks that look again as in an earlier layer, whichever; None if there are none."""
        return np.logical_or.reduce([blocks for _, blocks in self.returned]) if self.returned else None

    @property
    def painted(self) -> BoolGrid | None:
        """Blocks whose pixels in the background are others than before: what a viewer must be told."""
        recalled = self.recalled
        if self.promoted is None or recalled is None:
            return self.promoted if recalled is None else recalled
        return self.promoted | recalled


class Analyst:
    """Follows the frames of one camera. Not safe for use from several threads at once."""

    def __init__(
        self, settings: AnalystSettings, detectors: Sequence[Detector], stored: StoredScene | None = None, *, distrust: bool = False,
        may_look: Callable[[], bool] = lambda: True,
    ) -> None:
        """stored: what an earlier run left. distrust: it left something that cannot be read, so everything in view is an arrival.

        may_look: asked before every look, for the detectors are shared; a look that is put off is counted and costs nothing but time.
        """
        self._may_look = may_look
        self.looks_starved = 0
        self._put_off = False
        self._settings = settings
        self._detectors = tuple(detectors)
        self._slot_ns = round(NS_PER_S / settings.covers_per_second)
        self._look_period_ns = round(NS_PER_S / settings.looks_per_second)
        self._next_cover_ns = -1
        self._distrust = distrust
        self._background: ProvenBackground | None = None
        self._geometry: Geometry | None = None      # of the last frame; not known of what an earlier run left
        self._open_offer = OpenOffer()
        self._last_seen: Statistics | None = None
        self._just_judged: Changes | None = None
        self._signed: BoolGrid | None = None  # signed, written, and not said yet
        self._sub: SubView | None = None
        self._sub_geometry: Geometry | None = None
        self._sub_live = False
        self._next_sub_ns: int = -1
        self._sub_ns: int = -1
        self._ask_every_ns: int = 0
        self._whole, self._granted = False, True
        self._next_whole_ns: int = -1
        self._tried: int = 0
        self._main_settled: BoolGrid = np.zeros((0, 0), np.bool_)
        self._unsure: BoolGrid = np.zeros((0, 0), np.bool_)
        self._given_up_before: BoolGrid | None = None
        if stored is not None:
            self._take_up(stored)

    @property
    def background(self) -> ProvenBackground | None:
        """The proven background; None before the first frame of a camera that has none stored."""
        return self._background

    @property
    def blind(self) -> BoolGrid:
        """Blocks in blind zones."""
        return self._blind

    @property
    def looks(self) -> tuple[int, int]:
        """Looks so far, and those with a hit."""
        return (0, 0) if self._background is None else (self._looks.looked, self._looks.hits)

    @property
    def proofs_restarted(self) -> int:
        return 0 if self._background is None else self._stillness.restarts

    @property
    def proving(self) -> bool:
        """Whether blocks are being proven, so that every pixel of a frame matters."""
        return self._background is None or self._proving

    @property
    def quiet(self) -> bool:
        """Whether nothing has been there for a while and nothing is being proven or waits for a signature: keyframes will do for now."""
        return self._background is not None and self._quiet

    @property
    def covered(self) -> bool:
        """Whether something was there in the last frame. What is not proven yet counts where several blocks of it moved, twice on end:
        once it may be noise, which no size of a packet tells of. A frame that was damaged says nothing.
        """
        return self._background is not None and self._something_on_end > (0 if self._certain else 1)

    @property
    def sub_suffices(self) -> bool:
        """Whether the sub-stream shows whether anything is there, so that of the main stream keyframes are enough.

        What moves it shows from the first, and what stays only where it has learned what the place looks like; elsewhere keyframes tell.
        """
        return self._sub is not None and self._sub_live and self._sub.aligned and self.fits

    @property
    def fits(self) -> bool:
        """Whether the picture shows the place that is known, as far as any is; after a start not before it was seen to."""
        return self._background is not None and self._fitted_once and not self._misfit

    @property
    def _sub_judges(self) -> bool:
        """Whether light, and whether the picture still fits, are told from the sub-stream: it knows what the place looks like."""
        return self.sub_suffices and self._sub is not None and self._sub.knows

    @property
    def sub_refused(self) -> bool:
        """Whether sub- and main stream were compared and do not show the same."""
        return self._sub is not None and self._sub.refused

    @property
    def wants_keyframes(self) -> bool:
        """Whether the main stream's keyframes would tell what the sub-stream does not: proofs, what came to stay, what to learn."""
        if self._sub is None or self._background is None or self._proving or not self._sub.knows:
            return True
        if self._sub_ns < self._ask_ns:
            return False
        since = self._sub_covered_since_ns
        return self._sub.learning or bool(self._unsure.any() or ((since >= 0) & (self._sub_ns - since >= ASK_MAIN_NS)).any())

    @property
    def wants_whole(self) -> bool:
        """Whether all of the main stream is to be decoded although the sub-stream suffices.

        A proof asks for a minute, or what the policy says, in which every picture that was due was looked at: whoever is hard to see moves
        more in one of those than in a keyframe. That minute comes last, and only when a proof lacks nothing else.
        """
        return self.sub_suffices and self._whole

    @property
    def due_ns(self) -> int:
        """When the main stream is to be looked at next (monotonic): before it, keyframes are all that is asked of it."""
        if self._background is None:
            return -1
        return self._next_whole_ns if self.sub_suffices else self._next_cover_ns

    @property
    def sub_due_ns(self) -> int:
        """As `due_ns`, of the sub-stream."""
        return -1 if self._background is None else self._next_sub_ns

    def sub_differs(self, frame: Frame) -> bool:
        """As `differs`, of a frame of the sub-stream."""
        return self._sub is None or self._sub.differs(frame)

    def sub_due(self, frame: Frame) -> bool:
        """Whether this frame of the sub-stream is to be analysed."""
        return self._background is not None and (frame.monotonic_ns >= self._next_sub_ns or not frame.intact)

    def observe_sub(self, frame: Frame, *, asleep: bool = False) -> Observation | None:
        """Analyse a frame of the sub-stream that is due; None while the main stream is analysed, too, and says what there is to say.

        asleep: what lay between this frame and the last was not looked at, so no proof goes on.
        """
        background = self._background
        assert background is not None
        self._just_judged = None            # what is covered may be another afterwards
        now_ns = frame.monotonic_ns
        late_ns = now_ns - self._next_sub_ns
        self._next_sub_ns = now_ns + self._slot_ns - (late_ns if 0 <= late_ns < self._slot_ns else 0)
        same_size = self._sub is not None and (self._sub.grid.width_px, self._sub.grid.height_px) == (frame.width_px, frame.height_px)
        if self._sub is None or not same_size or self._sub_geometry != frame.stored:
            self._sub = SubView(background.grid, frame)
            self._sub_geometry = frame.stored
            self._sub_covered_since_ns[:] = -1
            self._unsure = np.zeros_like(self._unsure)
            self._learned = 0
        self._sub_live = True
        if not frame.intact:
            return self._sub_blind(frame, Reason.DAMAGED) if self.sub_suffices else None
        judges = self._sub_judges           # what is learned from this frame is no measure of it
        seen = self._sub.observe(frame)
        self._sub_ns = now_ns
        if seen is None or not self.sub_suffices:
            return None
        return self._sub_told(frame, seen, asleep, judges)

    def lose_sub(self) -> None:
        """The sub-stream does not come any more: until it does, the main stream is all there is."""
        self._sub_live = False

    def _sub_blind(self, frame: Frame, reason: Reason) -> Observation:
        """Nothing can be told from this frame: everything is covered, and every proof ends."""
        self._restart(self._stillness.restart_all())
        self._said_cover = self._cover(self._covered, self._covered, Condition.BLIND, frame.monotonic_ns)
        self._something = self._certain = True
        waiting = (~self._known_proven() | self._arrival) & ~self._blind
        self._rest(waiting, False, frame.monotonic_ns, unseen=reason is Reason.DAMAGED)
        return Observation(
            frame.wall_ns, Condition.BLIND, reason, self._said_cover, None, None, self._candidates, False, self._sharpness
        )

    def _sub_told(self, frame: Frame, seen: SubSeen, asleep: bool, judges: bool) -> Observation:
        proven, now_ns = self._known_proven(), frame.monotonic_ns
        known = int(np.count_nonzero(proven)) if judges else 0
        condition, reason = self._conditioned(seen.luma, seen.gradient, seen.share, known, proven.size, now_ns)
        if reason is Reason.OBSCURED:
            return self._sub_blind(frame, reason)
        raw = seen.differs & proven & ~self._blind
        was_covered = self._covered
        waiting = ~proven & ~self._blind
        moved = seen.moved & waiting
        if asleep:
            self._sleep()
        elif condition is Condition.AWAKE:
            # Whoever moves between two keyframes ends the proofs around them, as in the main stream's own pictures.
            disturbed = self._stillness.around((seen.stirred & ~self._blind) | raw) & ~self._main_settled
            self._restart(disturbed & self._stillness.running)
            self._scheduler.disturbed(disturbed, now_ns)
            # Whoever goes where the sub-stream knows nothing may stand still there: covered until a keyframe shows that nobody does.
            self._unsure |= seen.unsure & proven & ~self._blind
        # What stands there, that is; whoever walks about need not be looked at in the main stream.
        follow(raw & ~dilate(seen.moved, 1), self._sub_covered_since_ns, now_ns)
        raw |= self._unsure
        cover = self._said_cover = self._cover(raw, moved, condition, now_ns)
        self._notice(condition, raw, moved)
        self._rest((~proven | self._arrival) & ~self._blind, False, now_ns)
        fitted = judges and condition is Condition.AWAKE and bool((proven & ~was_covered).any())
        light = self._light_if_due(seen.light, fitted, now_ns)
        return Observation(frame.wall_ns, condition, reason, cover, light, None, self._candidates, False, self._sharpness)

    def _known_proven(self) -> BoolGrid:
        assert self._background is not None
        return self._background.proven

    def differs(self, frame: Frame) -> bool:
        """Whether a frame shows anything that the last one did not; of a quiet place, where nothing is covered. Changes nothing but that
        the same frame, if it is observed next, is not measured again."""
        background = self._background
        grid = None if background is None else background.grid
        if background is None or grid is None or (grid.width_px, grid.height_px) != (frame.width_px, frame.height_px):
            return True
        if not frame.intact or self._last_seen is None or self._geometry != frame.stored:
            return True
        self._just_judged = judged = self._judged(frame, background)
        seen, raw = judged.seen, judged.raw
        if drop_specks(raw & ~self._blind).any():
            return True
        unknown = ~background.proven & ~self._blind
        moved = differs(seen, self._last_seen, np.zeros_like(seen), DIFFERENCE_FLOORS, 0.0) & unknown
        return bool(drop_small(moved, FEWEST_MOVING_BLOCKS).any())

    def due(self, frame: Frame) -> bool:
        """Whether this frame is to be analysed: the next cover is due, or it is a keyframe and something waits to be proven.

        Where most frames are keyframes, they are not taken more often than covers: samples close in time are not independent.
        """
        if self.sub_suffices:
            if self._whole and frame.monotonic_ns >= self._next_whole_ns:
                return True
            return frame.keyframe and frame.monotonic_ns - self._last_keyframe_ns >= self._slot_ns
        if self._background is None or frame.monotonic_ns >= self._next_cover_ns:
            return True
        if not frame.keyframe or frame.monotonic_ns - self._last_keyframe_ns < self._slot_ns:
            return False
        return self._anything_waits and not self._put_off

    def observe(self, frame: Frame, *, hurried: bool = False, asleep: bool = False) -> Observation:
        """Analyse a frame that is due. hurried: the machine is behind: no looks are taken, which costs proofs, never covers.

        asleep: what lay between this frame and the last was not looked at, so no proof goes on.

        Raises:
            DetectorError: a detector failed; the frame proves nothing.
        """
        new_grid = self._adopt(frame)
        background = self._background
        assert background is not None
        now_ns = frame.monotonic_ns
        sub_suffices, sub_judges = self.sub_suffices, self._sub_judges
        whole = self._watched_whole(frame, sub_suffices)
        cover_due = now_ns >= self._next_cover_ns and not sub_suffices
        if cover_due:
            late_ns = now_ns - self._next_cover_ns
            self._next_cover_ns = now_ns + self._slot_ns - (late_ns if 0 <= late_ns < self._slot_ns else 0)
        proven = background.proven
        was_covered = self._covered
        just, self._just_judged = self._just_judged, None
        judged = just if just is not None and just.frame is frame else self._judged(frame, background)
        seen, raw, expected, cells = judged.seen, judged.raw, judged.expected, judged.cells
        returned = self._recall(frame, seen, raw) if frame.intact else ()
        for _, blocks in returned:
            raw = raw & ~blocks
        condition, reason = self._judge(frame, seen, raw, proven, now_ns)
        # A picture that fits no longer is an arrival as a whole: it can be proven, and then a person may sign for it.
        usable = frame.intact and (condition is Condition.AWAKE or reason is Reason.MOVED)
        moved = np.zeros(background.grid.shape, np.bool_)
        promoted: BoolGrid | None = None
        by_signature = usable and self._signed is not None
        self._usable_ns = now_ns if usable else -1
        if usable:
            if condition is Condition.AWAKE:
                self._refine(seen, expected, raw, proven, now_ns)
            settled = self._settled(raw, condition, now_ns)
            self._main_settled = settled
            waiting = (~proven | settled) & ~self._blind
            self._anything_waits = bool(waiting.any())
            moved = self._sleep() if asleep else self._prove(frame, seen, waiting, raw, settled, hurried=hurried, whole=whole)
            promoted = self._promote_if_due(frame, background)
        else:
            self._restart(self._stillness.restart_all())
        cover = self._cover(raw, moved, condition, now_ns)
        if cover_due or new_grid or (sub_suffices and not self.sub_suffices):
            self._said_cover = cover
        self._notice(condition, drop_specks(raw), moved)
        self._rest((~background.proven | self._arrival) & ~self._blind, new_grid, now_ns, unseen=not frame.intact)
        self._last_seen = seen
        light = self._light_if_due(cells, usable and bool((proven & ~was_covered).any()) and not sub_judges, now_ns)
        if usable:
            self._teach_sub(frame, raw, cells)
        if frame.keyframe:
            self._last_keyframe_ns = now_ns
            self._sharpness = float(seen[GRADIENT].mean())
        return Observation(
            frame.wall_ns, condition, reason, self._said_cover, light, promoted, self._candidates, new_grid, self._sharpness,
            by_signature, returned,
        )

    def _watched_whole(self, frame: Frame, sub_suffices: bool) -> bool:
        """Whether whatever was due between the last frame and this one was looked at."""
        self._next_whole_ns = frame.monotonic_ns + self._slot_ns
        # What lies before a keyframe was decoded if that was asked for when the one before it came.
        whole = self._granted or not frame.keyframe
        if frame.keyframe:
            self._granted = not sub_suffices or self._whole
        return whole

    def _teach_sub(self, frame: Frame, raw: BoolGrid, cells: tuple[Cells, Cells]) -> None:
        """What a keyframe of the main stream tells of the sub-stream's picture."""
        background = self._background
        if self._sub is None or background is None or not frame.keyframe:
            return
        self._sub.compare(frame)
        self._sub.teach(background.proven, background.proven & ~dilate(raw, 1), cells)
        self._unsure = raw & self._sub.unknown & ~self._blind
        # Somebody who always stands where something was to be learned must not keep the main stream's decoder busy.
        self._ask_every_ns = 0 if self._sub.learned > self._learned else min(max(2 * self._ask_every_ns, ASK_LESS_NS), ASK_LEAST_NS)
        self._learned = self._sub.learned
        self._ask_ns = frame.monotonic_ns + self._ask_every_ns

    def put_off(self, *, off: bool) -> None:
        """Prove nothing for now, or again: what waits is watched for movement alone, as if looks had not helped it, and its proofs end.

        For machines that are behind: what cannot be finished costs what covers need.
        """
        self._put_off = off

    def lose_detectors(self) -> None:
        """A detector failed: from now on nothing is looked at, and so nothing promoted. Covers go on."""
        self._detectors = ()

    def snapshot(self) -> StoredScene | None:
        """What must outlive the worker, to be sealed; None while there is no background."""
        if self._background is None:
            return None
        background = self._background
        return StoredScene(
            background.grid, background.matrix, background.planes, background.proven, background.proven_wall_ns, self._arrival,
            background.layers, self._scheduler.given_up if self._given_up_before is None else self._given_up_before,
        )

    # -- commissioning: rule 4

    def offer(self, frame: Frame) -> Offer | NoOffer:
        """Freeze what a signer is to be shown. frame: the one that was observed last; every detector looks at it once more, all over.

        An open offer is void from then on. At most one attempt in `OFFER_EVERY_NS`.

        Raises:
            DetectorError: a detector failed; there is no offer.
        """
        now_ns = frame.monotonic_ns
        background = self._background
        if background is None or not self._detectors or now_ns != self._usable_ns:
            return NoOffer.NO_PICTURE
        if not self._open_offer.due(now_ns):
            return NoOffer.TOO_SOON
        if not self._candidates_by(self._unsigned()).any():
            return NoOffer.NO_CANDIDATES
        self._open_offer.attempt(now_ns)
        hit = look_everywhere(frame, background.grid, self._detectors, self._person_px)
        self._restart(hit)
        candidates = self._candidates_by(self._unsigned()) & ~hit
        if not candidates.any():
            return NoOffer.NO_CANDIDATES
        began_ns = began(self._stillness.still_ns(now_ns), now_ns)
        return self._open_offer.put(
            background.grid, background.matrix, candidates, self._stillness.picture(), began_ns, now_ns, frame.wall_ns
        )

    def sign(self, offer_id: bytes, blocks: BoolGrid | None, now_ns: int) -> Signing | None:
        """A person signed that nobody is in the offered picture; in `blocks` of it, if not None. It is said with the next observation.

        Written is what was offered, for those blocks whose proof has not restarted since and which are still candidates; the others have
        lapsed. The offer is closed. None: there is no such offer (any more).
        """
        offer = self._open_offer.take(offer_id, now_ns)
        background = self._background
        if offer is None or background is None:
            return None
        asked = offer.blocks if blocks is None else offer.blocks & blocks
        promoted = np.zeros_like(offer.blocks)
        if 0 <= now_ns - self._usable_ns <= SIGN_WITHIN_NS and self._usable_ns >= 0 and offer.grid == background.grid:
            at_ns = self._usable_ns
            signed = asked & unbroken(offer, began(self._stillness.still_ns(at_ns), at_ns))
            rules = self._rules("signature")
            promoted, _ = promote(background, self._evidence(signed, offer.planes), rules, offer.wall_ns)
        if promoted.any():
            self._model.start(promoted, block_statistics(*background.planes, self._settings.block_px))
            self._signed = promoted if self._signed is None else self._signed | promoted
        return Signing(int(promoted.sum()), int(asked.sum()) - int(promoted.sum()))

    def refuse(self, offer_id: bytes, now_ns: int) -> bool:
        """A person saw somebody or something in the offered picture: it is forgotten, and its blocks' proofs begin anew.

        Returns whether there was such an offer.
        """
        offer = self._open_offer.take(offer_id, now_ns)
        if offer is None:
            return False
        self._restart(offer.blocks)
        return True

    def expire_offer(self, now_ns: int) -> None:
        """Forget an offer whose time is over."""
        self._open_offer.expire(now_ns)

    @property
    def _candidates(self) -> int:
        """How many blocks waited for a signature alone when it was last looked."""
        return int(np.count_nonzero(self._candidate_blocks))

    def _unsigned(self) -> Evidence:
        """What is known now, of which nothing is written, for nothing is signed."""
        background = self._background
        assert background is not None
        return self._evidence(np.zeros(background.grid.shape, np.bool_), background.planes)

    def _candidates_by(self, unsigned: Evidence) -> BoolGrid:
        """Blocks that have passed rules 1 and 2."""
        background = self._background
        assert background is not None
        _, candidates = promote(background, unsigned, self._rules("signature"), 0)
        return candidates

    def _lacks_pictures(self, unsigned: Evidence, candidates: BoolGrid, now_ns: int) -> bool:
        """Whether a hundredth of what is being proven would be candidates, too, if keyframes were enough."""
        by_keyframes = self._candidates_by(replace(unsigned, still_ns=self._stillness.still_ns(now_ns)))
        return int(np.count_nonzero(by_keyframes & ~candidates)) >= self._hundredth

    def _evidence(self, signed: BoolGrid, picture: tuple[Plane, Plane, Plane]) -> Evidence:
        return Evidence(
            still_ns=self._stillness.watched_ns(),
            keyframes=self._stillness.keyframes,
            clear_views=self._looks.clear_views(),
            closed=self._blind,
            arrival=self._arrivals(),
            signed=signed,
            picture=picture,
        )

    def _arrivals(self) -> BoolGrid:
        """Rule 3: what came after the place was known. That a proven block is one, too, is promote's own knowledge."""
        return self._arrival

    def _rules(self, commissioning: Literal["signature", "automatic"]) -> Rules:
        settings = self._settings
        return Rules(settings.prove_ns, settings.prove_keyframes, commissioning, len(self._detectors))

    # -- the parts of an observation, in order

    def _adopt(self, frame: Frame) -> bool:
        """Begin a new epoch, all unproven, when there is no background yet or the picture's size, geometry or colour coding is another."""
        epoch = 0
        same_geometry = self._geometry in (None, frame.stored)
        self._geometry = frame.stored
        if self._background is not None:
            grid = self._background.grid
            same_size = (grid.width_px, grid.height_px) == (frame.width_px, frame.height_px)
            if same_size and same_geometry and self._background.matrix is frame.matrix:
                return False
            epoch = grid.epoch + 1
        self._set_up(Grid(frame.width_px, frame.height_px, self._settings.block_px, epoch), frame.matrix)
        return True

    def _take_up(self, stored: StoredScene) -> None:
        """Go on from an earlier run's background. It must be seen to fit before anything is promoted or shown as uncovered."""
        grid = stored.grid
        if grid.block_px != self._settings.block_px:
            self._set_up(Grid(grid.width_px, grid.height_px, self._settings.block_px, grid.epoch + 1), stored.matrix)
            return
        self._set_up(grid, stored.matrix)
        assert self._background is not None
        restore(self._background, stored.planes, stored.proven & ~self._blind, stored.proven_wall_ns, stored.layers)
        self._model.start(self._background.proven, block_statistics(*self._background.planes, grid.block_px))
        self._arrival |= stored.arrival
        if self._background.proven.any():
            self._fitted_once = False
            self._given_up_before = stored.given_up

    def _set_up(self, grid: Grid, matrix: Matrix) -> None:
        settings = self._settings
        self._person_px = person_px = float(settings.person_height_px or grid.height_px / 8)
        self._open_offer.forget()
        self._signed = None
        self._usable_ns = -1
        self._blind = blind_blocks(grid, settings.blind)
        self._model = BlockModel(grid)
        self._stillness = Stillness(grid, StillnessRules(neighbourhood_blocks=ceil(person_px / settings.block_px) // 2))
        self._looks = Looks(grid, self._detectors, person_px)
        patience_ns = max(PATIENCE_PROOFS * settings.prove_ns, PATIENCE_NS)
        self._scheduler = ProofScheduler(grid.shape, patience_ns, AGAIN_PROOFS * settings.prove_ns)
        self._arrival: BoolGrid = np.full(grid.shape, self._distrust, np.bool_)
        self._held_until_ns: NDArray[np.int64] = np.full(grid.shape, -1, np.int64)
        self._covered: BoolGrid = np.zeros(grid.shape, np.bool_)
        self._covered_since_ns: NDArray[np.int64] = np.full(grid.shape, -1, np.int64)
        self._settled_ns = -1
        self._returns = Returns(grid)
        self._anything_waits = True
        self._last_light: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
        self._said_cover = self._covered
        self._last_keyframe_ns = -self._slot_ns
        self._next_light_ns = self._next_look_ns = self._next_promotion_ns = self._refined_ns = -1
        self._misfit = False
        self._changing_since_ns = -1
        self._fitted_once = True
        self._candidate_blocks: BoolGrid = np.zeros(grid.shape, np.bool_)
        self._sharpness = 0.0
        self._last_seen = None
        self._disturbed_ns = -1
        self._something = self._certain = False     # certain: something is there beside what moved where nothing is proven
        self._something_on_end = 0                  # frames, the last one among them
        self._proving, self._quiet = True, False
        self._looked_ns = -1
        self._sub = None
        self._sub_covered_since_ns: NDArray[np.int64] = np.full(grid.shape, -1, np.int64)
        self._main_settled = np.zeros(grid.shape, np.bool_)
        self._unsure = np.zeros(grid.shape, np.bool_)
        self._next_sub_ns = self._sub_ns = self._ask_ns = -1
        self._ask_every_ns = 0
        self._learned = 0
        self._given_up_before = None
        self._whole, self._granted = False, True
        self._next_whole_ns = -1
        self._tried = 0
        # Last, for whoever decodes asks from other threads meanwhile, and what is said of a place is said once there is one.
        self._background = ProvenBackground(grid, matrix)

    def _judged(self, frame: Frame, background: ProvenBackground) -> Changes:
        proven, block_px = background.proven, background.grid.block_px
        seen = block_statistics(frame.y, frame.u, frame.v, block_px)
        return judge(frame, seen, self._model, proven, proven & ~self._covered, background.planes[0], block_px)

    def _recall(self, frame: Frame, seen: Statistics, raw: BoolGrid) -> tuple[tuple[int, BoolGrid], ...]:
        """Put earlier layers back where the picture fits them again; as `Observation.returned`."""
        background = self._background
        assert background is not None
        if not background.layers:
            return ()
        back = self._returns.observe(frame, seen, background.layers, raw)
        if frame.monotonic_ns < self._next_promotion_ns:
            return ()
        tried = [(which + 1, recall(background, blocks, which)) for which, blocks in enumerate(back) if blocks.any()]
        returned = tuple((layer, blocks) for layer, blocks in tried if blocks.any())
        if not returned:
            return ()
        recalled = np.logical_or.reduce([blocks for _, blocks in returned])
        # They share the promotions' turns: a patch says which blocks and when, and its rate is part of what can leave.
        self._next_promotion_ns = frame.monotonic_ns + PROMOTE_EVERY_NS
        self._restart(recalled)
        self._model.start(recalled, block_statistics(*background.planes, self._settings.block_px))
        return returned

    def _settled(self, raw: BoolGrid, condition: Condition, now_ns: int) -> BoolGrid:
        """Proven blocks that something has been in front of for a while; all of them where the picture as a whole fits no longer."""
        background = self._background
        assert background is not None
        covered = background.proven & (raw | (self._held_until_ns >= now_ns) | (condition is not Condition.AWAKE))
        since = self._covered_since_ns
        if now_ns - self._settled_ns > SETTLED_NS:
            since[:] = -1               # nobody looked meanwhile
        self._settled_ns = now_ns
        follow(covered, since, now_ns)
        settled: BoolGrid = covered & (since <= now_ns - SETTLED_NS)
        return settled

    def _judge(
        self, frame: Frame, seen: Statistics, raw: BoolGrid, proven: BoolGrid, now_ns: int
    ) -> tuple[Condition, Reason]:
        """Blind or awake. A picture that stops fitting is an arrival as a whole until it fits again."""
        if not frame.intact:
            return Condition.BLIND, Reason.DAMAGED
        known = int(np.count_nonzero(proven))
        share = np.count_nonzero(raw) / known if known else 0.0
        return self._conditioned(float(seen[Y_MEAN].mean()), float(seen[GRADIENT].mean()), share, known, proven.size, now_ns)

    def _conditioned(
        self, luma: float, gradient: float, share: float, known: int, blocks: int, now_ns: int
    ) -> tuple[Condition, Reason]:
        """luma, gradient: the picture's means. share: of the known blocks, how many differ. known, blocks: how many there are."""
        if luma < BLACK_BELOW or gradient < FEATURELESS_BELOW:
            return Condition.BLIND, Reason.OBSCURED
        judging = self._misfit or not self._fitted_once  # then a few blocks must do: nothing may be promoted before it fits
        if known == 0 or (known < LEAST_PROVEN_TO_JUDGE * blocks and not judging):
            return Condition.AWAKE, Reason.NONE
        if not self._fitted_once:
            # A start: the picture must show that it fits before it is taken for the place that was known.
            self._misfit = share > FIT_SHARE
            self._fitted_once = not self._misfit
            self._arrival[:] = self._misfit
            if self._fitted_once and self._given_up_before is not None:
                self._scheduler.give_up(self._given_up_before)
                self._given_up_before = None
        changing = share < FIT_SHARE if self._misfit else share > MISFIT_SHARE
        if not changing:
            self._changing_since_ns = -1
        elif self._changing_since_ns < 0:
            self._changing_since_ns = now_ns
        elif now_ns - self._changing_since_ns >= (FIT_AFTER_NS if self._misfit else MISFIT_AFTER_NS):
            self._misfit = not self._misfit
            self._arrival[:] = self._misfit
            self._scheduler.begin_anew()
            self._fitted_once = True
            self._changing_since_ns = -1
        if self._misfit:
            return Condition.BLIND, Reason.MOVED
        return Condition.AWAKE, Reason.NONE

    def _refine(self, seen: Statistics, expected: Statistics, raw: BoolGrid, proven: BoolGrid, now_ns: int) -> None:
        elapsed_ns = max(now_ns - self._refined_ns, 0) if self._refined_ns >= 0 else 0
        self._refined_ns = now_ns
        rate = min(elapsed_ns / REFINE_TIME_NS, 0.1)
        self._model.refine(seen, expected, proven & ~self._covered & ~dilate(raw, 1), rate)

    def _prove(
        self, frame: Frame, seen: Statistics, waiting: BoolGrid, raw: BoolGrid, settled: BoolGrid, *, hurried: bool, whole: bool
    ) -> BoolGrid:
        """Follow stillness and, when one is due, take a look. Returns waiting blocks that moved."""
        if not waiting.any():
            return waiting
        # What was given up is watched for movement alone.
        tried = np.zeros_like(waiting) if self._put_off else waiting & ~self._scheduler.given_up
        self._tried = int(np.count_nonzero(tried))
        interrupted = self._stillness.interrupted(frame.monotonic_ns)
        moved, disturbed = self._stillness.observe(frame, seen, waiting, raw & ~settled, tried, whole=whole)
        self._scheduler.disturbed(disturbed, frame.monotonic_ns)
        if interrupted:
            self._scheduler.slept()      # that nobody looked is no reason to try again what was given up
        moved = moved & ~settled  # those are covered anyway
        # Whoever came to stay holds up what is not proven yet around them, as if they moved; themselves they may be still.
        self._restart(self._stillness.around(raw & settled) & ~settled)
        # What was seen of a block before its proof began is no evidence: somebody may have come in between. A proof that ended in a
        # keyframe has begun anew in the same, and runs.
        self._looks.forget(self._stillness.still_ns(frame.monotonic_ns) == 0)
        if not hurried and not self._put_off:
            self._look(frame, seen, waiting, settled)
        self._looks.forget(~self._stillness.running)
        return moved

    def _sleep(self) -> BoolGrid:
        """Nobody looked since the last frame: no proof goes on, and what moved is not known. Returns no block."""
        self._restart(self._stillness.restart_all())
        self._scheduler.slept()
        return np.zeros_like(self._blind)

    def _look(self, frame: Frame, seen: Statistics, waiting: BoolGrid, settled: BoolGrid) -> None:
        """Take the looks that are due, within the budget; what was not used is not saved up.

        What came to stay is proven by signature alone: it is looked at once it has been still for long enough to be offered.
        """
        now_ns = frame.monotonic_ns
        # Where keyframes alone come, what was due since the last one is taken at once; else the same tile waits for the next picture.
        at_once = self.sub_suffices
        self._next_look_ns = max(self._next_look_ns, now_ns - min(max(self._slot_ns, now_ns - self._looked_ns), LOOKS_SAVED_NS))
        self._looked_ns = now_ns
        taken: dict[tuple[int, int, int], Look] = {}
        while self._detectors and self._next_look_ns <= now_ns:
            assert self._background is not None
            reached = int(np.count_nonzero(self._background.proven)) + self._candidates
            asked = self._worth_a_look(self._scheduler.choose(waiting, self._candidate_blocks, reached, now_ns), settled, now_ns)
            if not asked.any():
                self._next_look_ns = now_ns + self._look_period_ns
                return
            look = self._looks.next_look(asked, taken.values() if at_once else ())
            if look is None or (look.detector, look.level, look.tile) in taken:
                return
            taken[look.detector, look.level, look.tile] = look
            if not self._may_look():
                self.looks_starved += 1
                self._next_look_ns = now_ns + self._slot_ns
                return
            self._next_look_ns += self._look_period_ns
            hit = self._looks.look(look, frame, seen)
            self._restart(hit)
            self._scheduler.disturbed(hit, now_ns)

    def _worth_a_look(self, chosen: BoolGrid, settled: BoolGrid, now_ns: int) -> BoolGrid:
        """Of the blocks chosen, those whose proof is likely to last: one that breaks off takes its looks with it.

        A place in which nobody is, is looked at from the first. Where an earlier proof broke off, this one must have come half way; and
        all the way where that leaves less than a hundredth of what is being proven. Fewer looks are no less evidence: a proof asks for as
        many as ever.
        """
        chosen = chosen & self._stillness.running
        if not chosen.any():
            return chosen
        still_ns, prove_ns = self._stillness.still_ns(now_ns), self._settings.prove_ns
        all_the_way = still_ns >= prove_ns
        likely = np.where(settled, all_the_way, ~self._stillness.broke_off | (still_ns >= prove_ns // 2)) & chosen
        return likely if np.count_nonzero(likely) >= self._hundredth else all_the_way & chosen

    @property
    def _hundredth(self) -> int:
        """Of the blocks that are being proven, and at least one."""
        return max(self._tried // 100, 1)

    def _restart(self, blocks: BoolGrid) -> None:
        self._stillness.restart(blocks)
        self._looks.forget(blocks)

    def _promote_if_due(self, frame: Frame, background: ProvenBackground) -> BoolGrid | None:
        if self._signed is not None:  # said by itself: who answers for a promotion is said with it
            signed, self._signed = self._signed, None
            return signed
        if not self._stillness.running.any():
            self._candidate_blocks = np.zeros(background.grid.shape, np.bool_)
            self._whole = False
            return None
        if frame.monotonic_ns < self._next_promotion_ns:
            return None
        self._next_promotion_ns = frame.monotonic_ns + PROMOTE_EVERY_NS
        settings = self._settings
        unsigned = self._unsigned()
        self._candidate_blocks = waiting = self._candidates_by(unsigned)
        self._whole = self.sub_suffices and self._lacks_pictures(unsigned, waiting, frame.monotonic_ns)
        # The picture is put together only where something can be written without a signature. It is promote that decides.
        if settings.commissioning == "signature" or not waiting.any():
            return None
        evidence = replace(unsigned, picture=self._stillness.picture())
        promoted, candidates = promote(background, evidence, self._rules(settings.commissioning), frame.wall_ns)
        self._candidate_blocks = candidates
        if not promoted.any():
            return None
        self._model.start(promoted, block_statistics(*background.planes, settings.block_px))
        return promoted

    def _cover(self, raw: BoolGrid, moved: BoolGrid, condition: Condition, now_ns: int) -> BoolGrid:
        if condition is not Condition.AWAKE:
            self._covered = np.ones_like(raw)
            self._held_until_ns[:] = -1
            return self._covered
        found = raw | moved
        if found.any():
            found = shape(found) & ~self._blind
        self._held_until_ns[found] = now_ns + self._settings.hold_ns
        self._covered = found
        held = self._held_until_ns >= now_ns
        if not held.any():
            return held
        return coarsen(held, self._settings.tallest_blocks) & ~self._blind

    def _notice(self, condition: Condition, differs: BoolGrid, moved: BoolGrid) -> None:
        """Whether something is there: what differs from proven background, or several blocks that moved where there is none."""
        self._certain = condition is not Condition.AWAKE or bool(differs.any())
        self._something = self._certain or bool(drop_small(moved, FEWEST_MOVING_BLOCKS).any())

    def _rest(self, waiting: BoolGrid, new_grid: bool, now_ns: int, *, unseen: bool = False) -> None:
        """Whether most frames may do without being looked at, or without being decoded as well as they could be.

        unseen: of what was lost nothing is known, so there is no rest now. But neither was anything seen: were the quiet seconds to begin
        anew with every packet that an overloaded machine throws away, its cameras would stay awake, and it would stay overloaded.
        """
        something = self._something and not unseen
        self._something_on_end = self._something_on_end + 1 if something else 0
        if new_grid or something or self._disturbed_ns < 0:
            self._disturbed_ns = now_ns
        idle = self._put_off or not self._detectors or self._scheduler.idle(waiting, now_ns)
        if self._settings.commissioning == "signature":
            idle = idle and self._candidates == 0 and self._signed is None
        self._proving = not idle
        self._quiet = idle and not unseen and now_ns - self._disturbed_ns >= QUIET_AFTER_NS

    def _light_if_due(
        self, cells: tuple[Cells, Cells], fitted: bool, now_ns: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]] | None:
        if not fitted or now_ns < self._next_light_ns:
            return None
        gain, offset = quantise(*cells)
        last = self._last_light
        if last is not None and np.array_equal(last[0], gain) and np.array_equal(last[1], offset):
            return None
        self._next_light_ns = now_ns + LIGHT_EVERY_NS
        self._last_light = (gain, offset)
        return self._last_light
