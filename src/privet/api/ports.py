"""What the API needs of other rooms, as values and protocols. `store` adapts index, record and render; tests have fakes.

Belongs here: the smallest interfaces the slices use. Does not belong here: an implementation.
`Accounts`, `Past` and `Snapshots` are called from worker threads and may block; the others are called in the event loop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.intervals import Intervals
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.polygon import Polygon
from privet.core.reader import SceneView
from privet.index.rows import RecordingRow, SessionRow, StoredRow, TokenRow
from privet.record.covered import Answer
from privet.record.store import StoredFile


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """A camera as people know it. Nothing of how it is reached: no address, no credentials."""

    id: CameraId
    name: str
    place: str
    purpose: str
    controller: str


class Accounts(Protocol):
    """Tokens and sessions, by hash (SHA-256, 64 hexadecimal digits). `index.Index` is one."""

    def has_tokens(self) -> bool: ...

    def add_token(self, token: TokenRow) -> None: ...

    def token_by_hash(self, secret_hash: str) -> TokenRow | None: ...

    def add_session(self, session: SessionRow) -> None: ...

    def session_by_hash(self, secret_hash: str) -> SessionRow | None: ...

    def drop_session(self, secret_hash: str) -> None: ...


class Past(Protocol):
    """What is recorded."""

    def recordings(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Sequence[RecordingRow]:
        """Those that overlap [from, to), oldest first; one that is being written with the size it has so far."""
        ...

    def recording(self, recording_id: int) -> RecordingRow | None: ...

    def stored(self) -> Sequence[StoredRow]:
        """What is stored of each camera that anything is stored of, what is being written included."""
        ...

    def spans(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Intervals:
        """What the camera was doing in [from, to); kinds are indexes into SPAN_KINDS. Not empty, and not asked beyond now."""
        ...

    def density(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, bins: int) -> Sequence[float | None]:
        """Share of the picture covered at all, per equal bin; None where nothing is known."""
        ...

    def covered(self, camera: CameraId, polygon: Polygon, from_wall_ns: int, to_wall_ns: int) -> Answer:
        """When something was in `polygon`, when nothing, when nobody knows. Not asked beyond now."""
        ...

    def scenes(
        self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, step_ns: int
    ) -> Iterator[scene_pb2.SceneMessage]:
        """What was in force at `from`, then all messages in [from, to); with step_ns at most one cover a step."""
        ...

    def open(self, path: str) -> StoredFile:
        """A recording's file, by the path of its row; whoever calls closes it. Raises OSError, FileNotFoundError if it is gone."""
        ...


class Snapshots(Protocol):
    """Draws a view; the words "reconstruction, not video" stand in the picture."""

    def thumbnail(self, view: SceneView, width_px: int, camera: str, at_wall_ns: int) -> bytes:
        """JPEG, `width_px` wide if the picture is. camera: its name, for the caption. at_wall_ns: the moment it is to show.

        Raises:
            NotFoundError: no picture has come from this camera yet.
        """
        ...


class Exporter(Protocol):
    """Writes a span as MP4, somewhere else than in this process."""

    async def export(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, path: Path) -> None:
        """Write `path`. Cancelling stops the work within seconds.

        Raises:
            NotFoundError: nothing is recorded in the span.
            StoreError: it could not be written in time.
        """
        ...


class Disk(Protocol):
    """What is to be kept and cannot be written now."""

    def recording_error(self, camera: CameraId) -> str:
        """Why nothing is recorded of a camera, in the operating system's words; empty while all is well."""
        ...

    def index_fails(self) -> bool:
        """Whether the index takes no rows; the log says why."""
        ...


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


class Counters(Protocol):
    """What workers say of themselves."""

    def health(self, camera: CameraId) -> pipe_pb2.Health | None:
        """The camera's last health message; None before the first."""
        ...


class Capacity(Protocol):
    """The most that can leave a worker, from the running configuration."""

    def __call__(self, grid: Grid) -> int:
        """Bits a second of one camera with this grid: the sum of docs/ref/what-leaves.md, a bound and no mean."""
        ...


class Metrics(Protocol):
    """The text for Prometheus."""

    def exposition(self) -> bytes:
        """Prometheus text format 0.0.4, UTF-8."""
        ...
