"""Rule 4 on one camera: what a person is offered to sign, what a signature writes, what a refusal ends.

Belongs here: offering, signing, refusing, against the proofs as they run. Does not belong here: the offer itself (signing), writing the
background (promote alone), who may ask and how it is answered (worker, api).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from privet.core.clock import NS_PER_S
from privet.core.errors import DetectorError
from privet.core.frame import Frame
from privet.core.grid import BoolGrid
from privet.scene.proof.promote import promote
from privet.scene.proof.signing import NoOffer, Offer, OpenOffer, Signing, began, look_everywhere, unbroken
from privet.scene.proof.step import Means, Proof, candidates_by, evidence, policy, unsigned

SIGN_WITHIN_NS = 5 * NS_PER_S   # of the last usable frame; later nobody knows whether the proofs still hold


class Commissioning:
    """The one open offer of a camera, and what becomes of it."""

    def __init__(self, means: Means, running: Callable[[], Proof | None]) -> None:
        """running: the proofs of the grid that is in force; None before the first frame."""
        self._means = means
        self._running = running
        self._open = OpenOffer()

    def offer(self, frame: Frame) -> Offer | NoOffer:
        """Freeze what a signer is to be shown. frame: the one that was observed last; every detector looks at it once more, all over.

        An open offer is void from then on. At most one attempt in `OFFER_EVERY_NS`.

        Raises:
            DetectorError: a detector failed; there is no offer.
        """
        now_ns, proof, means = frame.monotonic_ns, self._running(), self._means
        if proof is None or not means.detectors or now_ns != proof.usable_ns:
            return NoOffer.NO_PICTURE
        if not self._open.due(now_ns):
            return NoOffer.TOO_SOON
        if not candidates_by(proof, means, unsigned(proof, means)).any():
            return NoOffer.NO_CANDIDATES
        self._open.attempt(now_ns)
        try:
            hit = look_everywhere(frame, proof.grid, means.detectors, proof.person_px)
        except DetectorError:
            means.lose_detectors()
            raise
        proof.restart(hit)
        candidates = candidates_by(proof, means, unsigned(proof, means)) & ~hit
        if not candidates.any():
            return NoOffer.NO_CANDIDATES
        began_ns = began(proof.stillness.still_ns(now_ns), now_ns)
        return self._open.put(
            proof.grid, proof.background.matrix, candidates, proof.stillness.picture(), began_ns, now_ns, frame.wall_ns
        )

    def sign(self, offer_id: bytes, blocks: BoolGrid | None, now_ns: int) -> Signing | None:
        """A person signed that nobody is in the offered picture; in `blocks` of it, if not None. It is said with the next observation.

        Written is what was offered, for those blocks whose proof has not restarted since and which are still candidates; the others have
        lapsed. The offer is closed. None: there is no such offer (any more).
        """
        offer, proof, means = self._open.take(offer_id, now_ns), self._running(), self._means
        if offer is None or proof is None:
            return None
        asked = offer.blocks if blocks is None else offer.blocks & blocks
        promoted = np.zeros_like(offer.blocks)
        at_ns = proof.usable_ns
        if at_ns >= 0 and 0 <= now_ns - at_ns <= SIGN_WITHIN_NS and offer.grid == proof.grid:
            signed = asked & unbroken(offer, began(proof.stillness.still_ns(at_ns), at_ns))
            known = evidence(proof, means, signed, offer.planes)
            promoted, _ = promote(proof.background, known, policy(means, "signature"), offer.wall_ns)
        if promoted.any():
            proof.expect(promoted)
            proof.signed = promoted if proof.signed is None else proof.signed | promoted
        return Signing(int(promoted.sum()), int(asked.sum()) - int(promoted.sum()))

    def refuse(self, offer_id: bytes, now_ns: int) -> bool:
        """A person saw somebody or something in the offered picture: it is forgotten, and its blocks' proofs begin anew.

        Returns whether there was such an offer.
        """
        offer, proof = self._open.take(offer_id, now_ns), self._running()
        if offer is None or proof is None:
            return False
        proof.restart(offer.blocks)
        return True

    def expire(self, now_ns: int) -> None:
        """Forget an offer whose time is over."""
        self._open.expire(now_ns)

    def forget(self) -> None:
        """There is no offer any more: the picture it was of is gone."""
        self._open.forget()
