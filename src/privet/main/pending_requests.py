"""Signers' requests that are under way to workers, and who waits for which answer.

Belongs here: the requests' numbers, the limit of offers, and that an answer is given to whoever asked and to nobody else. Does not belong
here: processes (supervisor), who may ask (api).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import anyio

from privet.core.clock import Clock
from privet.core.errors import WireError
from privet.core.ids import CameraId
from privet.core.offer import OFFER_EVERY_NS
from privet.core.pb import pipe_pb2
from privet.pipe.signing import CommissionAnswer

ANSWER_WITHIN_S = 12.0
MOST_PENDING = 16


@dataclass(slots=True)
class PendingRequest:
    """One request under way. answer: None until it came; stays None if its worker was lost."""

    camera: CameraId
    offers: bool                   # asks for an offer: a Candidate answers it, and nothing else does
    answer: CommissionAnswer | None = None
    done: anyio.Event = field(default_factory=anyio.Event)


class PendingRequests:
    """The requests under way to one worker's process."""

    def __init__(self) -> None:
        self._waiting: dict[int, PendingRequest] = {}
        self._number = 0

    def begin(self, camera: CameraId, *, offers: bool) -> tuple[int, PendingRequest] | None:
        """Number a request; None while MOST_PENDING are unanswered."""
        if len(self._waiting) >= MOST_PENDING:
            return None
        self._number += 1
        request_pending = self._waiting[self._number] = PendingRequest(camera, offers)
        return self._number, request_pending

    def answered(self, camera: CameraId, answer: CommissionAnswer) -> None:
        """Give an answer to whoever asked; who has stopped waiting gets it no more.

        Raises:
            WireError: nobody asked for it: a worker says nothing of its own accord.
        """
        request_pending = self._waiting.get(answer.request)
        if request_pending is None or request_pending.camera != camera or request_pending.offers != isinstance(answer, pipe_pb2.Candidate):
            raise WireError(f"an answer to request {answer.request} of {camera}, which was not asked")
        del self._waiting[answer.request]
        request_pending.answer = answer
        request_pending.done.set()

    def leave(self, cameras: Collection[CameraId]) -> None:
        """These cameras are hosted no more: nobody waits for what they were asked."""
        for number, request in list(self._waiting.items()):
            if request.camera in cameras:
                request.done.set()
                del self._waiting[number]

    def lost(self) -> None:
        """The worker is gone: nobody waits any longer."""
        for request_pending in self._waiting.values():
            request_pending.done.set()
        self._waiting.clear()


class OfferLimit:
    """One offer a camera in OFFER_EVERY_NS, whatever becomes of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_ns: dict[CameraId, int] = {}

    def draw(self, camera: CameraId) -> bool:
        """Whether an offer may be asked for now."""
        now_ns = self._clock.monotonic_ns()
        if now_ns < self._next_ns.get(camera, now_ns):
            return False
        self._next_ns[camera] = now_ns + OFFER_EVERY_NS
        return True
