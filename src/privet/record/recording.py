"""The values of this room: what a recording is called, where it lies, what is known about it.

Belongs here: names, frozen values, the ports others fill in. Does not belong here: I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from privet.core.clock import LAST_NAMEABLE_NS, NS_PER_S
from privet.core.errors import ConfigError
from privet.core.ids import CameraId, parse_camera_id
from privet.core.pb import scene_pb2 as pb

RECORDINGS = "recordings"
SUFFIX = ".mcap"
SUMMARY_SUFFIX = ".summary"
BLOCK_INDEX_SUFFIX = ".places"
MEND_SUFFIX = ".mend"

TOPICS = ("background", "patch", "cover", "light", "state")
"""Topics by channel id: channel 1 is `TOPICS[0]`. The names are those of SceneMessage's kinds."""

_PATH = re.compile(r"recordings/([^/]+)/\d{4}/\d{2}/\d{2}/\d{2}-[0-9a-f]{8}\.mcap")


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """One recording.

    path: relative to the data directory, with `/`. It holds the messages with a log time in [from_wall_ns, to_wall_ns).
    """

    camera: CameraId
    path: str
    from_wall_ns: int
    to_wall_ns: int
    size_bytes: int
    summary_bytes: int
    messages: int


@dataclass(frozen=True, slots=True)
class OpenRecording:
    """A recording that is being written, as far as it is on the disk.

    read_chunk_indexes: copies half a megabyte towards the hour's end, so only who reads this recording calls it.
    """

    info: RecordingInfo
    read_chunk_indexes: Callable[[], bytes]

    @property
    def chunk_indexes(self) -> bytes:
        """MCAP ChunkIndex records, one a written chunk, in the file's order; they are what a closed file ends with."""
        return self.read_chunk_indexes()


@dataclass(frozen=True, slots=True)
class RecordingFile:
    """Where the archive reads. path: as in `RecordingInfo`.

    order: files are read by it, not by time, because the wall clock may step; the index's row id.
    chunk_indexes: as in `OpenRecording`; None: the file says itself (its index if it has one, else a scan).
    """

    path: str
    order: int
    chunk_indexes: bytes | None = None


class Announce(Protocol):
    """Who learns that recordings exist. Called from the recorder's thread, in order; may raise StoreError, then asked again."""

    def opened(self, recording: RecordingInfo) -> None:
        """The file is about to be created."""
        ...

    def summarised(self, camera: CameraId, summary: pb.Summary) -> None:
        """Ten seconds are over."""
        ...

    def closed(self, recording: RecordingInfo) -> None:
        """The file is complete and on the disk."""
        ...


def recording_path(camera: CameraId, wall_ns: int, unique: str) -> str:
    """Return `recordings/<camera>/<YYYY>/<MM>/<DD>/<HH>-<unique>.mcap` for the UTC hour of `wall_ns`. unique: 8 hex digits."""
    moment = datetime.fromtimestamp(min(max(wall_ns, 0), LAST_NAMEABLE_NS) // NS_PER_S, UTC)
    return f"{RECORDINGS}/{camera}/{moment.year:04d}/{moment.month:02d}/{moment.day:02d}/{moment.hour:02d}-{unique}{SUFFIX}"


def camera_of(path: str) -> CameraId | None:
    """Return the camera that a relative path belongs to; None if it is not named as a recording is."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    try:
        return parse_camera_id(match.group(1))
    except ConfigError:
        return None


def summary_path(path: str) -> str:
    """Return where the summaries beside a recording are."""
    return path.removesuffix(SUFFIX) + SUMMARY_SUFFIX


def block_index_path(path: str) -> str:
    """Return where the block index beside a recording is."""
    return path.removesuffix(SUFFIX) + BLOCK_INDEX_SUFFIX
