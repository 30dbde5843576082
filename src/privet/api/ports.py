"""What the API needs of other rooms, as values and protocols. `store` adapts index, record and render; tests have fakes.

Belongs here: the smallest interfaces the slices use. Does not belong here: an implementation.
All of them but the hub are called from worker threads and may block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.reader import SceneView
from privet.core.scene import Condition


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """A camera as people know it. Nothing of how it is reached: no address, no credentials."""

    id: CameraId
    name: str
    place: str
    purpose: str
    controller: str


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token somebody holds; only its hash is known here. secret_hash: SHA-256, 64 hexadecimal digits."""

    secret_hash: str
    name: str
    role: str
    created_wall_ns: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A login. secret_hash: SHA-256 of the cookie's value; name, role: of the token it was opened with."""

    secret_hash: str
    name: str
    role: str
    created_wall_ns: int
    expires_wall_ns: int


class Accounts(Protocol):
    """Tokens and sessions, by hash."""

    def has_tokens(self) -> bool: ...

    def add_token(self, token: TokenRow) -> None: ...

    def token_by_hash(self, secret_hash: str) -> TokenRow | None: ...

    def add_session(self, session: SessionRow) -> None: ...

    def session_by_hash(self, secret_hash: str) -> SessionRow | None: ...

    def drop_session(self, secret_hash: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Recording:
    """A file of the scene stream. path: relative to the data directory. to_wall_ns: of the last message; None: nothing yet."""

    id: int
    camera: CameraId
    path: Path
    from_wall_ns: int
    to_wall_ns: int | None
    size_bytes: int
    closed: bool


@dataclass(frozen=True, slots=True)
class StateChange:
    """From `wall_ns` on the camera was in `condition`."""

    wall_ns: int
    condition: Condition


class Past(Protocol):
    """What is recorded."""

    def recordings(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Sequence[Recording]:
        """Those that overlap [from, to), oldest first."""
        ...

    def recording(self, recording_id: int) -> Recording | None: ...

    def states(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Sequence[StateChange]:
        """The change in force at `from` if one is known, then those in [from, to), oldest first."""
        ...

    def density(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, bins: int) -> Sequence[float | None]:
        """Share of the picture covered at all, per equal bin; None where nothing is known."""
        ...

    def scenes(
        self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, step_ns: int
    ) -> Iterator[scene_pb2.SceneMessage]:
        """What was in force at `from`, then all messages in [from, to); with step_ns at most one cover a step."""
        ...


class Snapshots(Protocol):
    """Draws a view; the words "reconstruction, not video" stand in the picture."""

    def thumbnail(self, view: SceneView, width_px: int) -> bytes:
        """JPEG, `width_px` wide."""
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


class Counters(Protocol):
    """What workers say of themselves."""

    def health(self, camera: CameraId) -> pipe_pb2.Health | None:
        """The camera's last health message; None before the first."""
        ...


class Metrics(Protocol):
    """The text for Prometheus."""

    def exposition(self) -> bytes:
        """Prometheus text format 0.0.4, UTF-8."""
        ...
