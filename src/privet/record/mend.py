"""Puts in order what a crash left, finding by finding.

Belongs here: the mending of each invariant of `check`. Does not belong here: the lock (`lock`), the words of the command (`cli.check`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from privet.core.errors import StoreError, WireError
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Condition, Reason
from privet.record import scan
from privet.record.block_index import BlockIndexWriter
from privet.record.check import Finding, Rows, Wrong, check_recording, check_states, summaries_of
from privet.record.container import Container
from privet.record.recording import RecordingInfo, block_index_path, camera_of, summary_path
from privet.record.scan import Entry
from privet.record.store import Store
from privet.record.summary import encode_summary


def recover(store: Store, rows: Rows) -> tuple[tuple[Finding, str], ...]:
    """Mend what the last process left open; return what was wrong and what was done. Called before the recorder starts.

    It looks only at recordings whose rows say that they are being written, so it is quick however much is kept.

    Raises:
        StoreError: the index cannot be read or written, or a recording cannot be mended.
    """
    findings = [
        finding
        for row in rows.recordings()
        if row.to_wall_ns is None
        for finding in check_recording(store, row.path, row, deep=False)
    ]
    findings += check_states(rows)
    return tuple((finding, mend(store, rows, finding)) for finding in findings)


def mend(store: Store, rows: Rows, finding: Finding) -> str:
    """Put one finding in order; return what was done. Doing it again does no harm.

    Raises:
        StoreError: it cannot be mended; the message says why.
    """
    path = finding.path
    try:
        match finding.wrong:
            case Wrong.ROW_WITHOUT_FILE:
                if finding.camera is not None:  # a row that names no recording names nothing that may be removed
                    store.remove((summary_path(path), block_index_path(path)))
                rows.recording_forgotten(path)
                return "row removed"
            case Wrong.LEFTOVER:
                store.remove((path,))
                return "removed"
            case Wrong.EMPTY:
                store.remove((path, summary_path(path), block_index_path(path)))
                rows.recording_forgotten(path)
                return "removed: nothing in it is intact"
            case Wrong.TORN:
                return _mend_torn(store, rows, path)
            case Wrong.FILE_WITHOUT_ROW | Wrong.LEFT_OPEN | Wrong.SUMMARY:
                return _enter(store, rows, path, rebuild=True)
            case Wrong.ROW_DIFFERS:
                return _enter(store, rows, path, rebuild=False)
            case Wrong.STATE:
                return _mend_state(rows, finding)
            case Wrong.UNREADABLE:
                raise StoreError(f"{path}: {finding.detail}: look at the disk and at who owns the file")
    except OSError as error:
        raise StoreError(f"{path} cannot be mended: {error.strerror}") from error
    except WireError as error:
        raise StoreError(f"{path} cannot be mended: {error}") from error


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


def _mend_torn(store: Store, rows: Rows, path: str) -> str:
    """Write what is intact into a file in order, and put it in the torn one's place in one step."""
    camera = _camera(path)
    with closing(store.open(path)) as file:
        found = scan.scan(file)
        container = Container(camera)
        parts = [container.opening()]
        for chunk in found.chunks:
            parts.append(_rewritten(container, list(scan.entries(scan.read_chunk(file, chunk)))))
        parts.append(_rewritten(container, list(found.loose)))
        parts.append(container.closing())
    store.replace(path, b"".join(parts))
    lost = f", {found.damaged_chunks} chunks lost" if found.damaged_chunks else ""
    return f"{container.messages} messages kept{lost}; {_enter(store, rows, path, rebuild=True)}"


def _rewritten(container: Container, entries: list[Entry]) -> bytes:
    for entry in entries:
        topic = scan.CHANNELS[entry.topic.bit_length() - 1]
        container.add(topic, entry.sequence, entry.log_ns, entry.publish_ns, entry.data)
    return container.finish_chunk()


def _enter(store: Store, rows: Rows, path: str, rebuild: bool) -> str:
    """Make row and summaries say what the file says."""
    camera = _camera(path)
    with closing(store.open(path)) as file:
        chunks = scan.read_index(file)
        if not chunks:
            raise WireError("it has no index")
        messages, summaries = summaries_of(file, chunks)
        size_bytes = file.size_bytes
    if rebuild:
        _write_summaries(store, path, summaries)
        rows.add_summaries(camera, summaries)
    info = RecordingInfo(
        camera,
        path,
        min(chunk.first_ns for chunk in chunks),
        max(chunk.last_ns for chunk in chunks) + 1,
        size_bytes,
        len(store.read(summary_path(path))),
        messages,
    )
    rows.recording_closed(info)
    return "row and summaries written anew" if rebuild else "row corrected"


def _write_summaries(store: Store, path: str, summaries: Sequence[pb.Summary]) -> None:
    block_index, data = BlockIndexWriter(), b""
    for summary in summaries:
        block_index.add(summary)
        data += encode_summary(summary)
    # An old block index could still match the new summaries' size, so it is removed first.
    store.remove((block_index_path(path),))
    store.replace(summary_path(path), data)
    store.replace(block_index_path(path), block_index.encode(len(data)))


def _camera(path: str) -> CameraId:
    camera = camera_of(path)
    if camera is None:
        raise WireError("it is not named as a recording is")
    return camera
