"""Who offers and signs (workers), and where each step is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2

CommissionAct = Literal["asked", "offered", "signing", "refusing", "signed", "unsaved", "refused", "void", "unknown"]
"""An offer was asked for, was made; somebody signs or refuses (written before it is done); it was done, what was signed is not on
the disk yet, it was refused, nothing was done, nobody knows."""


@dataclass(frozen=True, slots=True)
class CommissionEntry:
    """One step of commissioning, for the record. offer, picture_sha256: hexadecimal; empty before there is an offer."""

    at_wall_ns: int
    who: str
    role: str
    camera: CameraId
    act: CommissionAct
    offer: str
    picture_sha256: str
    blocks: int
    statement: str
    signed_blocks: int
    lapsed_blocks: int


class CommissionRecord(Protocol):
    """Where steps of commissioning are written. Called from worker threads."""

    def append(self, entry: CommissionEntry) -> None:
        """Return when the entry is safe. Raises StoreError."""
        ...


class Commissioning(Protocol):
    """The workers, as far as signers are concerned. `main.supervisor.Supervisor` is one."""

    async def offer(self, camera: CameraId) -> pipe_pb2.Candidate: ...

    async def sign(self, camera: CameraId, offer: bytes, blocks: bytes) -> pipe_pb2.Commissioned:
        """blocks: bitmap of the offer's grid, empty for all of it. The answer is UNSPECIFIED if nobody knows what was done."""
        ...

    async def refuse(self, camera: CameraId, offer: bytes) -> pipe_pb2.Commissioned: ...
