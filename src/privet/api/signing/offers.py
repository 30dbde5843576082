"""The offers that signers hold: one a camera, each for the session that asked and for nobody else, until its time is over.

Belongs here: who may still see and decide on which offer. Does not belong here: asking a worker (ports.Commissioning), routes.
The pictures are in memory alone and are dropped when they are decided on, replaced or too old.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from privet.core.errors import NotFoundError
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2


@dataclass(frozen=True, slots=True)
class HeldOffer:
    """One offer. holder: the hash of what the asker proved themselves with. expires_ns: monotonic."""

    camera: CameraId
    holder: str
    candidate: pipe_pb2.Candidate
    expires_ns: int

    @property
    def name(self) -> str:
        """Its id as it stands in addresses: 32 hexadecimal digits."""
        return self.candidate.offer.hex()

    @property
    def picture_sha256(self) -> str:
        return hashlib.sha256(self.candidate.image).hexdigest()


class Offers:
    """All of them. Used in the event loop only."""

    def __init__(self) -> None:
        self._held: dict[CameraId, HeldOffer] = {}

    def put(self, offer: HeldOffer) -> None:
        """Take an offer; it replaces the camera's last one, as it does in the worker."""
        self._held[offer.camera] = offer

    def get(self, camera: CameraId, name: str, holder: str, now_ns: int) -> HeldOffer:
        """Return an offer that is still open.

        Raises:
            NotFoundError: there is none, it is over, or it is somebody else's: these are not told apart.
        """
        self.expire(now_ns)
        offer = self._held.get(camera)
        theirs = offer is not None and hmac.compare_digest(offer.holder, holder)
        if offer is None or not theirs or not hmac.compare_digest(offer.name.encode(), name.encode()):
            raise NotFoundError("there is no such offer, or it is over: ask for a new one")
        return offer

    def take(self, camera: CameraId, name: str, holder: str, now_ns: int) -> HeldOffer:
        """As `get`; the offer is decided on and nobody can decide again."""
        offer = self.get(camera, name, holder, now_ns)
        del self._held[camera]
        return offer

    def expire(self, now_ns: int) -> None:
        """Drop what is too old."""
        for camera in [camera for camera, offer in self._held.items() if now_ns >= offer.expires_ns]:
            del self._held[camera]

    def void(self, camera: CameraId) -> None:
        """Drop a camera's offer: another one was asked for."""
        self._held.pop(camera, None)

    def __len__(self) -> int:
        return len(self._held)
