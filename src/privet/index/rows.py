"""What the index answers with: frozen values, one a kind of row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from privet.core.ids import CameraId
from privet.core.scene import Condition, Reason


@dataclass(frozen=True, slots=True)
class CameraRow:
    """A camera as people know it. configured: privet.toml still has it."""

    id: CameraId
    name: str
    place: str
    purpose: str
    controller: str
    configured: bool = True


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A recording. id grows in the order they were begun; to_wall_ns: None while it is being written."""

    id: int
    camera: CameraId
    path: str
    from_wall_ns: int
    to_wall_ns: int | None
    size_bytes: int
    summary_bytes: int
    messages: int

    @property
    def closed(self) -> bool:
        return self.to_wall_ns is not None


@dataclass(frozen=True, slots=True)
class StoredRow:
    """What is stored of a camera: recordings and their summaries. One that is being written counts with what it had when it was begun."""

    camera: CameraId
    recordings: int
    size_bytes: int
    oldest_wall_ns: int


class Recorded(Protocol):
    """What `record` says of a recording: its RecordingInfo fits."""

    @property
    def camera(self) -> CameraId: ...

    @property
    def path(self) -> str: ...

    @property
    def from_wall_ns(self) -> int: ...

    @property
    def to_wall_ns(self) -> int: ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def summary_bytes(self) -> int: ...

    @property
    def messages(self) -> int: ...


@dataclass(frozen=True, slots=True)
class PromotionRow:
    """Blocks that became background, or look again as they did before. promoted: bitmap over the grid; commissioned_by: Commissioning of
    pipe.proto; layer: which earlier layer is in force again, from 1; 0 for what is new.
    """

    wall_ns: int
    epoch: int
    blocks: int
    layer: int
    commissioned_by: int
    width_px: int
    height_px: int
    block_px: int
    promoted: bytes


@dataclass(frozen=True, slots=True)
class StateRow:
    """From wall_ns on the camera was in `condition`."""

    wall_ns: int
    condition: Condition
    reason: Reason


SpanKind = Literal["awake", "sparse", "asleep", "blind", "offline", "gap"]
"""What a camera was doing. sparse: awake, but looked at seldom. gap: nothing was recorded, and nobody knows why."""
SPAN_KINDS: tuple[SpanKind, ...] = get_args(SpanKind)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token that somebody holds. secret_hash: SHA-256, 64 hexadecimal digits."""

    secret_hash: str
    name: str
    role: str
    created_wall_ns: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A login. name, role: of the token it was opened with."""

    secret_hash: str
    name: str
    role: str
    created_wall_ns: int
    expires_wall_ns: int
