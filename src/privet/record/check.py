"""Compares what lies on the disk with what the index says, and mends what a crash left (docs/ref/recordings.md, "Invariants").

Belongs here: the invariants, each with its finding and its mending. Does not belong here: the lock (`lock`), the words of the
command (`cli.check`). Reading is `scan`'s, which shares no code with the writer; with `deep` the container's own library reads too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Protocol

from google.protobuf.message import DecodeError
from mcap.exceptions import McapError
from mcap.records import Message
from mcap.stream_reader import StreamReader

from privet.core.errors import StoreError, WireError
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Condition, Reason
from privet.record import scan
from privet.record.block_index import BlockIndexWriter
from privet.record.container import Container
from privet.record.disk import sync_directory
from privet.record.recording import (
    BLOCK_INDEX_SUFFIX,
    MEND_SUFFIX,
    RECORDINGS,
    SUFFIX,
    SUMMARY_SUFFIX,
    RecordingInfo,
    block_index_path,
    camera_of,
    relative_path,
    summary_path,
)
from privet.record.scan import ChunkRef, Entry
from privet.record.stream_state import head_of
from privet.record.summary import Summariser, decode_summaries, encode_summary


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


def check(directory: Path, rows: Rows, deep: bool = False) -> tuple[Finding, ...]:
    """Return everything that is wrong in a data directory that no recorder works on.

    deep: read every byte of every recording, twice, instead of the ends of those that are closed.

    Raises:
        StoreError: the index cannot be read.
    """
    known = {row.path: row for row in rows.recordings()}
    findings: list[Finding] = []
    present = sorted(_files(directory)) if (directory / RECORDINGS).is_dir() else []
    recordings = [path for path in present if path.endswith(SUFFIX) and camera_of(path) is not None]
    for path in present:
        if path.endswith(MEND_SUFFIX):
            findings.append(Finding(Wrong.LEFTOVER, path, None, "of a mending that was interrupted"))
        elif path.endswith(SUMMARY_SUFFIX) and path.removesuffix(SUMMARY_SUFFIX) + SUFFIX not in set(recordings):
            findings.append(Finding(Wrong.LEFTOVER, path, None, "summaries of a recording that is not there"))
        elif path.endswith(BLOCK_INDEX_SUFFIX) and path.removesuffix(BLOCK_INDEX_SUFFIX) + SUFFIX not in set(recordings):
            findings.append(Finding(Wrong.LEFTOVER, path, None, "block index of a recording that is not there"))
    for path in sorted({*recordings, *known}):
        findings += _check_recording(directory, path, known.get(path), deep)
    findings += _check_states(rows)
    return tuple(findings)


def recover(directory: Path, rows: Rows) -> tuple[tuple[Finding, str], ...]:
    """Mend what the last process left open; return what was wrong and what was done. Called before the recorder starts.

    It looks only at recordings whose rows say that they are being written, so it is quick however much is kept.

    Raises:
        StoreError: the index cannot be read or written, or a recording cannot be mended.
    """
    findings = [
        finding
        for row in rows.recordings()
        if row.to_wall_ns is None
        for finding in _check_recording(directory, row.path, row, deep=False)
    ]
    findings += _check_states(rows)
    return tuple((finding, mend(directory, rows, finding)) for finding in findings)


def mend(directory: Path, rows: Rows, finding: Finding) -> str:
    """Put one finding in order; return what was done. Doing it again does no harm.

    Raises:
        StoreError: it cannot be mended; the message says why.
    """
    path = directory / finding.path
    try:
        match finding.wrong:
            case Wrong.ROW_WITHOUT_FILE:
                summary_path(path).unlink(missing_ok=True)
                block_index_path(path).unlink(missing_ok=True)
                rows.recording_forgotten(finding.path)
                return "row removed"
            case Wrong.LEFTOVER:
                path.unlink(missing_ok=True)
                return "removed"
            case Wrong.EMPTY:
                path.unlink(missing_ok=True)
                summary_path(path).unlink(missing_ok=True)
                block_index_path(path).unlink(missing_ok=True)
                rows.recording_forgotten(finding.path)
                return "removed: nothing in it is intact"
            case Wrong.TORN:
                return _mend_torn(directory, rows, finding.path)
            case Wrong.FILE_WITHOUT_ROW | Wrong.LEFT_OPEN | Wrong.SUMMARY:
                return _enter(directory, rows, finding.path, rebuild=True)
            case Wrong.ROW_DIFFERS:
                return _enter(directory, rows, finding.path, rebuild=False)
            case Wrong.STATE:
                return _mend_state(rows, finding)
            case Wrong.UNREADABLE:
                raise StoreError(f"{finding.path}: {finding.detail}: look at the disk and at who owns the file")
    except OSError as error:
        raise StoreError(f"{finding.path} cannot be mended: {error.strerror}") from error
    except WireError as error:
        raise StoreError(f"{finding.path} cannot be mended: {error}") from error


def _files(directory: Path) -> Iterator[str]:
    for root, _, names in os.walk(directory / RECORDINGS):
        for name in names:
            yield relative_path(directory, Path(root) / name)


def _check_recording(directory: Path, path: str, row: KnownRow | None, deep: bool) -> Iterator[Finding]:
    """Look at one recording that a file or a row speaks of; at most one finding, the one whose mending covers the others."""
    camera = camera_of(path)
    file_path = directory / path
    if camera is None or not file_path.is_file():
        yield Finding(Wrong.ROW_WITHOUT_FILE, path, camera, "the index names it, the disk does not have it")
        return
    try:
        with file_path.open("rb") as file:
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
        summary_bytes, whole_bytes = _summary_bytes(file_path)
        wrong_size = summary_bytes != whole_bytes or summary_bytes != row.summary_bytes
        # None is in order only where nothing happened: a file that a kill ended with what it repeats at its head.
        if wrong_size or (summary_bytes == 0 and _has_summaries(file_path, chunks)):
            detail = f"{max(summary_bytes, 0)} bytes, {row.summary_bytes} expected, {whole_bytes} in order"
            yield Finding(Wrong.SUMMARY, path, camera, detail)
            return
        span = (min(chunk.first_ns for chunk in chunks), max(chunk.last_ns for chunk in chunks) + 1)
        size = file_path.stat().st_size
        if (row.from_wall_ns, row.to_wall_ns, row.size_bytes) != (*span, size):
            yield Finding(Wrong.ROW_DIFFERS, path, camera, f"size {row.size_bytes}, found {size}; or its times")
    except OSError as error:
        yield Finding(Wrong.UNREADABLE, path, camera, error.strerror or str(error))
    except WireError as error:
        yield Finding(Wrong.UNREADABLE, path, camera, str(error))


def _check_whole(file: BinaryIO, path: str, camera: CameraId, deep: bool) -> Finding | None:
    found = scan.scan(file)
    if not found.messages and not found.loose:
        return Finding(Wrong.EMPTY, path, camera, "no message in it is intact")
    size = file.seek(0, os.SEEK_END)
    if not found.complete:
        detail = f"{size - found.intact_bytes} of {size} bytes at its end are not in order, {found.damaged_chunks} chunks damaged"
        return Finding(Wrong.TORN, path, camera, detail)
    if deep:
        file.seek(0)
        try:
            count = sum(isinstance(record, Message) for record in StreamReader(file, validate_crcs=True).records)
        except (McapError, ValueError) as error:
            return Finding(Wrong.TORN, path, camera, f"the container's own reader refuses it: {error}")
        if count != found.messages:
            return Finding(Wrong.TORN, path, camera, f"{count} messages, {found.messages} expected")
    return None


def _summary_bytes(path: Path) -> tuple[int, int]:
    """Return (size, bytes in order) of the summaries beside a recording; (-1, 0) without them."""
    try:
        data = summary_path(path).read_bytes()
    except FileNotFoundError:
        return -1, 0
    return len(data), decode_summaries(data)[1]


def _has_summaries(path: Path, chunks: Sequence[ChunkRef]) -> bool:
    with path.open("rb") as file:
        return bool(_read_through(file, chunks)[1])


def _check_states(rows: Rows) -> Iterator[Finding]:
    for camera in rows.cameras():
        state = rows.last_state(camera.id)
        if state is not None and state.condition is not Condition.OFFLINE:
            yield Finding(Wrong.STATE, "", camera.id, f"{camera.id}: {state.condition.name.lower()} when Privet ended")


def _mend_state(rows: Rows, finding: Finding) -> str:
    """Nobody has seen the camera since the last thing recorded of it."""
    assert finding.camera is not None
    camera = finding.camera
    state = rows.last_state(camera)
    if state is None or state.condition is Condition.OFFLINE:
        return "nothing to do"
    ends = [row.to_wall_ns for row in rows.recordings() if row.camera == camera and row.to_wall_ns is not None]
    rows.add_state(camera, max([state.wall_ns, *ends]), Condition.OFFLINE, Reason.WORKER)
    return "said to be offline from then on"


def _mend_torn(directory: Path, rows: Rows, path: str) -> str:
    """Write what is intact into a file in order, and put it in the torn one's place in one step."""
    camera = _camera(path)
    file_path = directory / path
    with file_path.open("rb") as file:
        found = scan.scan(file)
        container = Container(camera)
        parts = [container.opening()]
        for chunk in found.chunks:
            parts.append(_rewritten(container, list(scan.entries(scan.read_chunk(file, chunk)))))
        parts.append(_rewritten(container, list(found.loose)))
        parts.append(container.closing())
    _replace(file_path, b"".join(parts))
    lost = f", {found.damaged_chunks} chunks lost" if found.damaged_chunks else ""
    return f"{container.messages} messages kept{lost}; {_enter(directory, rows, path, rebuild=True)}"


def _rewritten(container: Container, entries: list[Entry]) -> bytes:
    for entry in entries:
        topic = scan.CHANNELS[entry.topic.bit_length() - 1]
        container.add(topic, entry.sequence, entry.log_ns, entry.publish_ns, entry.data)
    return container.finish_chunk()


def _enter(directory: Path, rows: Rows, path: str, rebuild: bool) -> str:
    """Make row and summaries say what the file says."""
    camera = _camera(path)
    file_path = directory / path
    with file_path.open("rb") as file:
        chunks = scan.read_index(file)
        if not chunks:
            raise WireError("it has no index")
        messages, summaries = _read_through(file, chunks)
        size = file.seek(0, os.SEEK_END)
    if rebuild:
        _write_summaries(file_path, summaries)
        rows.add_summaries(camera, summaries)
    info = RecordingInfo(
        camera,
        path,
        min(chunk.first_ns for chunk in chunks),
        max(chunk.last_ns for chunk in chunks) + 1,
        size,
        summary_path(file_path).stat().st_size,
        messages,
    )
    rows.recording_closed(info)
    return "row and summaries written anew" if rebuild else "row corrected"


def _write_summaries(file_path: Path, summaries: Sequence[pb.Summary]) -> None:
    block_index, data = BlockIndexWriter(), b""
    for summary in summaries:
        block_index.add(summary)
        data += encode_summary(summary)
    # Of other summaries they would be passed over if the sizes differ, and might not: so they go first.
    block_index_path(file_path).unlink(missing_ok=True)
    _replace(summary_path(file_path), data)
    _replace(block_index_path(file_path), block_index.encode(len(data)))


def _read_through(file: BinaryIO, chunks: Sequence[ChunkRef]) -> tuple[int, list[pb.Summary]]:
    """Return how many messages a file has, and its summaries."""
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


def _camera(path: str) -> CameraId:
    camera = camera_of(path)
    if camera is None:
        raise WireError("it is not named as a recording is")
    return camera


def _replace(path: Path, data: bytes) -> None:
    """Put a file in place in one step: whoever reads finds the old one or the new one, whole."""
    beside = path.with_name(path.name + MEND_SUFFIX)
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_directory(path.parent)
