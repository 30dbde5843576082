"""Compares what is stored with what the index says (docs/ref/recordings.md, "Invariants").

Belongs here: the invariants, each with its finding. Does not belong here: putting a finding in order (`mend`), the lock (`lock`), the
words of the command (`cli.check`). Reading is `scan`'s, which shares no code with the writer; with `deep` the container's own library
reads too.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from google.protobuf.message import DecodeError
from mcap.exceptions import McapError
from mcap.records import Message
from mcap.stream_reader import StreamReader

from privet.core.errors import WireError
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Condition, Reason
from privet.record import scan
from privet.record.recording import (
    BLOCK_INDEX_SUFFIX,
    MEND_SUFFIX,
    SUFFIX,
    SUMMARY_SUFFIX,
    RecordingInfo,
    camera_of,
    summary_path,
)
from privet.record.scan import ChunkRef
from privet.record.store import Store, StoredFile
from privet.record.stream_state import head_of
from privet.record.summary import Summariser, decode_summaries

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Wrong(Enum):
    """What can be wrong."""

    ROW_WITHOUT_FILE = "row without file"
    FILE_WITHOUT_ROW = "file without row"
    LEFT_OPEN = "left open"
    TORN = "torn"
    EMPTY = "empty"
    ROW_DIFFERS = "row differs from file"
    SUMMARY = "summaries missing or torn"
    LEFTOVER = "leftover"
    STATE = "camera not said to be offline"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. path: relative to the data directory; '' for a state. detail: a few words for a person."""

    wrong: Wrong
    path: str
    camera: CameraId | None
    detail: str


class KnownRow(Protocol):
    """A recording as the index knows it: its RecordingRow fits."""

    @property
    def path(self) -> str: ...

    @property
    def camera(self) -> CameraId: ...

    @property
    def from_wall_ns(self) -> int: ...

    @property
    def to_wall_ns(self) -> int | None: ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def summary_bytes(self) -> int: ...


class KnownCamera(Protocol):
    """A camera as the index knows it: its CameraRow fits."""

    @property
    def id(self) -> CameraId: ...


class KnownState(Protocol):
    """What was last said of a camera: the index's StateRow fits."""

    @property
    def wall_ns(self) -> int: ...

    @property
    def condition(self) -> Condition: ...


class Rows(Protocol):
    """What is asked of the index, and told: Index fits. Every method may raise StoreError."""

    def recordings(self) -> Sequence[KnownRow]: ...

    def recording_closed(self, recording: RecordingInfo) -> None: ...

    def recording_forgotten(self, path: str) -> None: ...

    def add_summaries(self, camera: CameraId, summaries: Sequence[pb.Summary]) -> None: ...

    def cameras(self) -> Sequence[KnownCamera]: ...

    def last_state(self, camera: CameraId) -> KnownState | None: ...

    def add_state(self, camera: CameraId, wall_ns: int, condition: Condition, reason: Reason) -> None: ...


def check(store: Store, rows: Rows, deep: bool = False) -> tuple[Finding, ...]:
    """Return everything that is wrong in a store that no recorder works on.

    deep: read every byte of every recording, twice, instead of the ends of those that are closed.

    Raises:
        StoreError: the index cannot be read.
    """
    known = {row.path: row for row in rows.recordings()}
    findings: list[Finding] = []
    present = sorted(store.paths())
    recordings = {path for path in present if path.endswith(SUFFIX) and camera_of(path) is not None}
    for path in present:
        if path.endswith(MEND_SUFFIX):
            findings.append(Finding(Wrong.LEFTOVER, path, None, "of a mending that was interrupted"))
        elif path.endswith(SUMMARY_SUFFIX) and path.removesuffix(SUMMARY_SUFFIX) + SUFFIX not in recordings:
            findings.append(Finding(Wrong.LEFTOVER, path, None, "summaries of a recording that is not there"))
        elif path.endswith(BLOCK_INDEX_SUFFIX) and path.removesuffix(BLOCK_INDEX_SUFFIX) + SUFFIX not in recordings:
            findings.append(Finding(Wrong.LEFTOVER, path, None, "block index of a recording that is not there"))
    for path in sorted({*recordings, *known}):
        findings += check_recording(store, path, known.get(path), deep)
    findings += check_states(rows)
    return tuple(findings)


def check_recording(store: Store, path: str, row: KnownRow | None, deep: bool) -> Iterator[Finding]:
    """Look at one recording that a file or a row speaks of; at most one finding, the one whose mending covers the others."""
    camera = camera_of(path)
    missing = Finding(Wrong.ROW_WITHOUT_FILE, path, camera, "the index names it, the disk does not have it")
    if camera is None:
        yield missing
        return
    try:
        with closing(store.open(path)) as file:
            yield from _check_file(store, file, path, camera, row, deep)
    except FileNotFoundError:
        yield missing
    except OSError as error:
        yield Finding(Wrong.UNREADABLE, path, camera, error.strerror or str(error))
    except WireError as error:
        yield Finding(Wrong.UNREADABLE, path, camera, str(error))


def _check_file(store: Store, file: StoredFile, path: str, camera: CameraId, row: KnownRow | None, deep: bool) -> Iterator[Finding]:
    """Raises OSError, WireError."""
    chunks = scan.read_index(file)
    if chunks is None or deep or not chunks:
        wrong = _check_whole(file, path, camera, deep)
        if wrong is not None:
            yield wrong
            return
    if row is None:
        yield Finding(Wrong.FILE_WITHOUT_ROW, path, camera, "the disk has it, the index does not")
        return
    if row.to_wall_ns is None:
        yield Finding(Wrong.LEFT_OPEN, path, camera, "it is complete, the index says that it is being written")
        return
    assert chunks is not None
    summary_bytes, whole_bytes = _summary_bytes(store, path)
    wrong_size = summary_bytes != whole_bytes or summary_bytes != row.summary_bytes
    # No summaries is fine only if the file holds nothing but the repeated start.
    if wrong_size or (summary_bytes == 0 and summaries_of(file, chunks)[1]):
        detail = f"{max(summary_bytes, 0)} bytes, {row.summary_bytes} expected, {whole_bytes} in order"
        yield Finding(Wrong.SUMMARY, path, camera, detail)
        return
    span = (min(chunk.first_ns for chunk in chunks), max(chunk.last_ns for chunk in chunks) + 1)
    if (row.from_wall_ns, row.to_wall_ns, row.size_bytes) != (*span, file.size_bytes):
        yield Finding(Wrong.ROW_DIFFERS, path, camera, f"size {row.size_bytes}, found {file.size_bytes}; or its times")


def _check_whole(file: StoredFile, path: str, camera: CameraId, deep: bool) -> Finding | None:
    found = scan.scan(file)
    if not found.messages and not found.loose:
        return Finding(Wrong.EMPTY, path, camera, "no message in it is intact")
    if not found.complete:
        size = file.size_bytes
        detail = f"{size - found.intact_bytes} of {size} bytes at its end are not in order, {found.damaged_chunks} chunks damaged"
        return Finding(Wrong.TORN, path, camera, detail)
    if deep:
        stream = io.BufferedReader(_Stream(file))
        try:
            count = sum(isinstance(record, Message) for record in StreamReader(stream, validate_crcs=True).records)
        except (McapError, ValueError) as error:
            return Finding(Wrong.TORN, path, camera, f"the container's own reader refuses it: {error}")
        if count != found.messages:
            return Finding(Wrong.TORN, path, camera, f"{count} messages, {found.messages} expected")
    return None


class _Stream(io.RawIOBase):
    """A stored file as the container's own library wants it."""

    def __init__(self, file: StoredFile) -> None:
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._file.read_at(self._position, len(view))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


def _summary_bytes(store: Store, path: str) -> tuple[int, int]:
    """Return (size, bytes in order) of the summaries beside a recording; (-1, 0) without them."""
    try:
        data = store.read(summary_path(path))
    except FileNotFoundError:
        return -1, 0
    return len(data), decode_summaries(data)[1]


def check_states(rows: Rows) -> Iterator[Finding]:
    """Look at what was last said of each camera: nobody records them now."""
    for camera in rows.cameras():
        state = rows.last_state(camera.id)
        if state is not None and state.condition is not Condition.OFFLINE:
            yield Finding(Wrong.STATE, "", camera.id, f"{camera.id}: {state.condition.name.lower()} when Privet ended")


def summaries_of(file: StoredFile, chunks: Sequence[ChunkRef]) -> tuple[int, list[pb.Summary]]:
    """Return how many messages a file has, and the summaries that they come to.

    Raises:
        OSError: it cannot be read.
        WireError: a chunk is damaged.
    """
    summariser = Summariser()
    summaries: list[pb.Summary] = []
    count = 0
    for chunk in chunks:
        for entry in scan.entries(scan.read_chunk(file, chunk)):
            count += 1
            try:
                message = pb.SceneMessage.FromString(entry.data)
            except DecodeError:
                continue
            head = head_of(message)
            if head is not None and max(head.wall_ns, 0) != entry.log_ns:
                summariser.prime(message)  # repeated: it says what is in force, not what happened
            else:
                summaries += summariser.take(message)
    return count, summaries + summariser.finish()
