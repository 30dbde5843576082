"""The worker's side of commissioning: a camera's requests wait here until the camera's thread has just seen a frame.

Belongs here: the bounded queue between the threads, and the answers' words. Does not belong here: what is offered and what a signature does
(scene.proof.commissioning), who may ask (main, api). Every request is answered exactly once; one that finds no frame within
ANSWER_WITHIN_NS is answered with NO_PICTURE and forgotten, so that a signature is never carried out later than its signer was told.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import DetectorError
from privet.core.frame import Frame
from privet.core.grid import BoolGrid, Grid, pack_bits, unpack_bits
from privet.core.pb import pipe_pb2, scene_pb2
from privet.pipe.signing import CommissionRequest, no_picture
from privet.scene.proof.promote import ProvenBackground
from privet.scene.proof.signing import NoOffer, Offer, Signing
from privet.worker.send_queue import Emit

ANSWER_WITHIN_NS = 5 * NS_PER_S
MOST_WAITING = 4

_NO_OFFER = {
    NoOffer.NO_PICTURE: pipe_pb2.OFFER_ANSWER_NO_PICTURE,
    NoOffer.NO_CANDIDATES: pipe_pb2.OFFER_ANSWER_NO_CANDIDATES,
    NoOffer.TOO_SOON: pipe_pb2.OFFER_ANSWER_TOO_SOON,
}


class Signer(Protocol):
    """What is asked of a camera's analysis."""

    def offer(self, frame: Frame) -> Offer | NoOffer: ...

    def sign(self, offer_id: bytes, blocks: BoolGrid | None, now_ns: int) -> Signing | None: ...

    def refuse(self, offer_id: bytes, now_ns: int) -> bool: ...

    def expire(self, now_ns: int) -> None: ...


class SigningQueue:
    """One camera's requests. `put` and `give_up` from any thread, `serve` from the camera's."""

    def __init__(self, emit: Emit, clock: Clock, keep: Callable[[], bool] = lambda: True) -> None:
        """keep: saves what was just signed, before it is answered; whether it is on the disk."""
        self._emit = emit
        self._keep = keep
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, CommissionRequest]] = deque()

    def put(self, request: CommissionRequest) -> None:
        """Take a request; with MOST_WAITING before it, it is answered at once with NO_PICTURE."""
        with self._lock:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append((self._clock.monotonic_ns(), request))
                return
        self._emit(no_picture(request))

    def waits(self) -> bool:
        """Whether a request waits for a frame."""
        return bool(self._waiting)

    def serve(self, signer: Signer, background: ProvenBackground | None, frame: Frame) -> int:
        """Carry out what waits, right after `frame` was observed. background: as it is now. Returns how many blocks were signed.

        Raises:
            DetectorError: a detector failed in an offer's looks; that request is answered.
        """
        now_ns = frame.monotonic_ns
        signer.expire(now_ns)
        signed = 0
        while (request := self._next()) is not None:
            match request:
                case pipe_pb2.CommissionOffer():
                    self._offer(signer, frame, request)
                case pipe_pb2.CommissionSign():
                    signed += self._sign(signer, background, now_ns, request)
                case pipe_pb2.CommissionRefuse():
                    refused = signer.refuse(request.offer, now_ns)
                    answer = pipe_pb2.SIGNING_ANSWER_REFUSED if refused else pipe_pb2.SIGNING_ANSWER_NOT_OPEN
                    self._emit(pipe_pb2.Commissioned(request=request.request, answer=answer))
        return signed

    def give_up(self, *, everything: bool = False) -> None:
        """Answer what has waited too long for a frame."""
        oldest_ns = self._clock.monotonic_ns() - ANSWER_WITHIN_NS
        while True:
            with self._lock:
                if not self._waiting or not (everything or self._waiting[0][0] <= oldest_ns):
                    return
                _, request = self._waiting.popleft()
            self._emit(no_picture(request))

    def _next(self) -> CommissionRequest | None:
        with self._lock:
            return self._waiting.popleft()[1] if self._waiting else None

    def _offer(self, signer: Signer, frame: Frame, request: pipe_pb2.CommissionOffer) -> None:
        try:
            offer = signer.offer(frame)
        except DetectorError:
            self._emit(no_picture(request))
            raise
        if isinstance(offer, NoOffer):
            self._emit(pipe_pb2.Candidate(request=request.request, answer=_NO_OFFER[offer]))
            return
        self._emit(
            pipe_pb2.Candidate(
                request=request.request,
                answer=pipe_pb2.OFFER_ANSWER_OFFERED,
                offer=offer.id,
                grid=_grid(offer.grid),
                blocks=pack_bits(offer.blocks),
                format=scene_pb2.IMAGE_FORMAT_WEBP,
                image=offer.webp(),
                wall_ns=offer.wall_ns,
                good_for_ns=offer.expires_ns - frame.monotonic_ns,
            )
        )

    def _sign(
        self, signer: Signer, background: ProvenBackground | None, now_ns: int, request: pipe_pb2.CommissionSign
    ) -> int:
        signing = None
        try:
            signing = signer.sign(request.offer, _blocks(background, request.blocks), now_ns)
        except ValueError:
            pass  # a bitmap of another grid than the camera's is of no offer that is open
        if signing is None:
            self._emit(pipe_pb2.Commissioned(request=request.request, answer=pipe_pb2.SIGNING_ANSWER_NOT_OPEN))
            return 0
        kept = signing.signed == 0 or self._keep()
        self._emit(
            pipe_pb2.Commissioned(
                request=request.request,
                answer=pipe_pb2.SIGNING_ANSWER_SIGNED if kept else pipe_pb2.SIGNING_ANSWER_SIGNED_UNSAVED,
                signed_blocks=signing.signed,
                lapsed_blocks=signing.lapsed,
            )
        )
        return signing.signed


def _blocks(background: ProvenBackground | None, bits: bytes) -> BoolGrid | None:
    if not bits or background is None:
        return None
    return unpack_bits(bits, *background.grid.shape)


def _grid(grid: Grid) -> scene_pb2.Grid:
    return scene_pb2.Grid(width_px=grid.width_px, height_px=grid.height_px, block_px=grid.block_px, epoch=grid.epoch)
