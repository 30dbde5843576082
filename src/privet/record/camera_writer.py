"""One camera's way to the disk: which file is open, what waits to be written, what to do when writing fails.

Belongs here: the order of steps of docs/ref/recordings.md ("The life of a recording"). Does not belong here: threads and queues
(`recorder`). A writer is driven by one thread; `written` and the counters may be read by any.

When the disk fails (full, read-only, gone) the writer keeps the bytes that were to be written next, drops and counts what
comes, follows what is in force, and tries again once a second. Once it succeeds, what is in force and was missed is written first.
"""

from __future__ import annotations

import errno
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from privet.core.clock import NS_PER_MS, NS_PER_S, Clock
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.record import rotation
from privet.record.block_index import BlockIndexWriter
from privet.record.container import Container
from privet.record.disk import Disk, OutFile, failure_words
from privet.record.recording import OpenRecording, RecordingInfo, block_index_path, recording_path, summary_path
from privet.record.stream_state import StreamState, head_of
from privet.record.summary import Summariser, encode_summary

_log = logging.getLogger(__name__)

BUSY_CHUNK_NS = 700 * NS_PER_MS
QUIET_CHUNK_NS = 10 * NS_PER_S
MAX_CHUNK_BYTES = 1024 * 1024
RETRY_NS = NS_PER_S
GIVE_UP_AFTER = 5
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Announcements:
    """What a writer has to tell; the recorder passes it on."""

    def __init__(
        self,
        opened: Callable[[RecordingInfo], None],
        summarised: Callable[[CameraId, pb.Summary], None],
        closed: Callable[[RecordingInfo], None],
    ) -> None:
        self.opened = opened
        self.summarised = summarised
        self.closed = closed


@dataclass(slots=True)
class WriterCounters:
    """Since the recorder started."""

    messages: int = 0
    covers_dropped: int = 0
    others_dropped: int = 0
    bytes_written: int = 0
    chunks: int = 0
    write_errors: int = 0
    longest_write_ns: int = 0


class _Tail:
    """The end of a file: what is to be appended, and how to begin again after an append that failed half-way."""

    def __init__(self, file: OutFile) -> None:
        self._file = file
        self._dirty = False
        self.pending = b""
        self.size_bytes = 0

    def push(self, data: bytes) -> None:
        self.pending += data

    def drain(self, sync: bool) -> int:
        """Append what waits; return how many bytes that was. Raises OSError; then everything still waits."""
        if not self.pending:
            return 0
        if self._dirty:
            self._file.truncate(self.size_bytes)
        self._dirty = True
        self._file.append(self.pending)
        if sync:
            self._file.sync()
        self._dirty = False
        count = len(self.pending)
        self.size_bytes += count
        self.pending = b""
        return count

    def sync(self) -> None:
        self._file.sync()

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:  # everything that counts was synced before
            _log.warning("a recording did not close: %s", error)


@dataclass(slots=True)
class _Open:
    path: str
    span: rotation.Span
    container: Container
    recording: _Tail
    summaries: _Tail
    known: StreamState
    """What a reader of the file knows."""
    finishing: bool = False
    missed: bool = False
    due_ns: int | None = None
    block_index: BlockIndexWriter = field(default_factory=BlockIndexWriter)


class CameraWriter:
    """Writes one camera's recordings."""

    def __init__(self, camera: CameraId, directory: Path, disk: Disk, clock: Clock, announce: Announcements) -> None:
        self._camera = camera
        self._directory = directory
        self._disk = disk
        self._clock = clock
        self._announce = announce
        self._stream_state = StreamState()
        self._summariser = Summariser()
        self._open: _Open | None = None
        self._planned = ""
        self._retry_ns: int | None = None
        self._attempts = 0
        self._condition: tuple[int, int] | None = None
        self.counters = WriterCounters()
        self.error = ""
        self.failing_since_wall_ns = 0
        self.written: tuple[RecordingInfo, Container, int] | None = None

    @property
    def due_ns(self) -> int | None:
        """Monotonic time at which `tick` has something to do; None: nothing is known of."""
        if self._retry_ns is not None:
            return self._retry_ns
        return None if self._open is None else self._open.due_ns

    def open_recording(self) -> OpenRecording | None:
        """Return the open file as far as it is written."""
        written = self.written
        if written is None:
            return None
        info, container, index_bytes = written
        return OpenRecording(info, lambda: container.chunk_indexes[:index_bytes])

    def take(self, message: pb.SceneMessage) -> None:
        """Record one message, or drop and count it while the disk fails."""
        head = head_of(message)
        if head is None:
            return
        if not self._ready(message, head):
            self._stream_state.take(message)
            self.drop(message)
            return
        assert self._open is not None
        self._put(self._open, message, head)

    def drop(self, message: pb.SceneMessage) -> None:
        """Count a message that is not recorded."""
        if message.WhichOneof("kind") == "cover":
            self.counters.covers_dropped += 1
        else:
            self.counters.others_dropped += 1

    def tick(self) -> None:
        """Write what is due; close a recording whose hour is over."""
        now_ns = self._clock.monotonic_ns()
        if self._retry_ns is not None:
            self._resume(now_ns)
            return
        if self._open is None:
            return
        if rotation.is_over(self._open.span, self._clock.wall_ns(), now_ns):
            self._finish(self._open)
        elif self._open.due_ns is not None and now_ns >= self._open.due_ns:
            self._flush(self._open)

    def close(self) -> None:
        """Finish the open recording. If the disk still fails it stays as it is: check mends it."""
        if self._retry_ns is not None:
            self._retry_ns = self._clock.monotonic_ns()
            self._resume(self._retry_ns)
        if self._open is not None and self._retry_ns is None:
            self._finish(self._open)
        if self._open is not None:
            _log.error("%s: recording %s could not be finished: %s", self._camera, self._open.path, self.error)
            self._abandon(self._open)

    def _ready(self, message: pb.SceneMessage, head: pb.Head) -> bool:
        """Return whether there is a file to write into, once everything was tried."""
        now_ns = self._clock.monotonic_ns()
        if self._retry_ns is not None and not self._resume(now_ns):
            return False
        heartbeat = message.WhichOneof("kind") == "state"
        if self._open is not None and rotation.must_rotate(self._open.span, head.wall_ns, now_ns, heartbeat=heartbeat):
            self._finish(self._open)
            if self._retry_ns is not None:
                return False
        if self._open is None:
            return self._begin(head, now_ns)
        if self._open.missed:
            self._open.missed = False
            self._repeat(self._open, head)
        return True

    def _begin(self, head: pb.Head, now_ns: int) -> bool:
        """Steps 1 to 3: announce, create, write what is in force."""
        if not self._planned:
            self._planned = recording_path(self._camera, head.wall_ns, secrets.token_hex(4))
            self._announce.opened(RecordingInfo(self._camera, self._planned, head.wall_ns, head.wall_ns, 0, 0, 0))
        path = self._directory / self._planned
        started_ns = self._clock.monotonic_ns()
        try:
            recording = self._disk.create(path)
            try:
                summaries = self._disk.create(self._directory / summary_path(self._planned))
            except OSError:
                recording.close()
                self._disk.remove(path)
                raise
        except OSError as error:
            self._failed(error)
            return False
        self._open = opened = _Open(
            self._planned,
            rotation.begin(self._camera, head.wall_ns, now_ns),
            Container(self._camera),
            _Tail(recording),
            _Tail(summaries),
            StreamState(),
        )
        self._planned = ""
        opened.recording.push(opened.container.opening())
        if head.session == self._stream_state.session:
            self._repeat(opened, head)
        opened.recording.push(opened.container.finish_chunk())
        return self._drain(opened, started_ns)

    def _repeat(self, opened: _Open, head: pb.Head) -> None:
        """Put in what is in force and the file does not say yet. Its log time is now: when it holds, not when it began to."""
        for message in self._stream_state.messages():
            if opened.known.take(message):
                self._summariser.prime(message)
                self._add(opened, message, head.wall_ns)

    def _put(self, opened: _Open, message: pb.SceneMessage, head: pb.Head) -> None:
        """Step 4."""
        self._add(opened, message, head.wall_ns)
        opened.known.take(message)
        self._stream_state.take(message)
        if message.WhichOneof("kind") == "state":
            opened.span = rotation.heard(opened.span, head.wall_ns)
        self.counters.messages += 1
        for summary in self._summariser.take(message):
            self._summarise(opened, summary)
        due_ns = self._clock.monotonic_ns() + (QUIET_CHUNK_NS if self._is_heartbeat(message) else BUSY_CHUNK_NS)
        opened.due_ns = due_ns if opened.due_ns is None else min(opened.due_ns, due_ns)
        if opened.container.waiting_bytes >= MAX_CHUNK_BYTES:
            self._flush(opened)

    def _is_heartbeat(self, message: pb.SceneMessage) -> bool:
        """Return whether losing this message would lose nothing that the next state does not say again."""
        if message.WhichOneof("kind") != "state":
            return False
        condition = (int(message.state.condition), int(message.state.reason))
        known, self._condition = self._condition, condition
        return condition == known

    def _add(self, opened: _Open, message: pb.SceneMessage, log_ns: int) -> None:
        head = head_of(message)
        topic = message.WhichOneof("kind")
        assert head is not None
        assert topic is not None
        opened.container.add(topic, head.sequence, log_ns, self._clock.wall_ns(), message.SerializeToString(deterministic=True))

    def _summarise(self, opened: _Open, summary: pb.Summary) -> None:
        """Step 5. The row is rebuilt from the recording if it is lost, so it is not synced before the end."""
        opened.block_index.add(summary)
        opened.summaries.push(encode_summary(summary))
        try:
            self.counters.bytes_written += opened.summaries.drain(sync=False)
        except OSError as error:
            self.counters.write_errors += 1
            _log.warning("%s: summaries of %s: %s", self._camera, opened.path, error)
        self._announce.summarised(self._camera, summary)

    def _flush(self, opened: _Open) -> bool:
        opened.due_ns = None
        opened.recording.push(opened.container.finish_chunk())
        return self._drain(opened, self._clock.monotonic_ns())

    def _finish(self, opened: _Open) -> None:
        """Steps 6 to 8: the file's end, synced; its block index; then, and only then, it is announced."""
        for summary in self._summariser.finish():
            self._summarise(opened, summary)
        opened.recording.push(opened.container.finish_chunk() + opened.container.closing())
        opened.finishing = True
        if self._drain(opened, self._clock.monotonic_ns()):
            self._finished(opened)

    def _finished(self, opened: _Open) -> None:
        opened.recording.close()
        opened.summaries.close()
        self._write_block_index(opened)
        self._open = None
        self.written = None
        self._announce.closed(self._info(opened))

    def _write_block_index(self, opened: _Open) -> None:
        """The end of step 6. Not synced, and not tried again: who does not find the file in order reads the summaries."""
        path = self._directory / block_index_path(opened.path)
        data = opened.block_index.encode(opened.summaries.size_bytes)
        try:
            file = self._disk.create(path)
            try:
                file.append(data)
            finally:
                file.close()
            self.counters.bytes_written += len(data)
        except OSError as error:
            _log.warning("%s: block index of %s: %s", self._camera, opened.path, error)

    def _drain(self, opened: _Open, started_ns: int) -> bool:
        try:
            self.counters.bytes_written += opened.recording.drain(sync=True)
            if opened.finishing:
                self.counters.bytes_written += opened.summaries.drain(sync=False)
                opened.summaries.sync()
        except OSError as error:
            self._failed(error)
            return False
        self.counters.chunks += 1
        self.counters.longest_write_ns = max(self.counters.longest_write_ns, self._clock.monotonic_ns() - started_ns)
        self.written = (self._info(opened), opened.container, opened.container.chunk_index_bytes)
        if self.error:
            _log.warning("%s: recording goes on", self._camera)
        self.error, self.failing_since_wall_ns, self._retry_ns, self._attempts = "", 0, None, 0
        return True

    def _failed(self, error: OSError) -> None:
        self.counters.write_errors += 1
        self._attempts += 1
        if not self.error:
            self.failing_since_wall_ns = self._clock.wall_ns()
            what = failure_words(error)
            _log.error("%s: cannot record: %s (%s); nothing is recorded until the disk works again", self._camera, what, error)
        self.error = failure_words(error)
        self._retry_ns = self._clock.monotonic_ns() + RETRY_NS
        if self._open is not None and error.errno not in _FULL and self._attempts >= GIVE_UP_AFTER:
            # Not for want of space: the file itself is out of order. A new one may do.
            _log.error("%s: recording %s is given up, check mends it: %s", self._camera, self._open.path, error)
            self._abandon(self._open)

    def _resume(self, now_ns: int) -> bool:
        """Try again what failed, if it is time; return whether the writer is in order."""
        if self._retry_ns is None:
            return True
        if now_ns < self._retry_ns:
            return False
        if self._open is None:
            self._retry_ns = None  # the next message tries to begin a file
            return True
        opened = self._open
        if not self._drain(opened, now_ns):
            return False
        if opened.finishing:
            self._finished(opened)
        else:
            opened.missed = True
        return True

    def _abandon(self, opened: _Open) -> None:
        self._attempts = 0
        opened.recording.close()
        opened.summaries.close()
        self._open = None
        self.written = None

    def _info(self, opened: _Open) -> RecordingInfo:
        container = opened.container
        return RecordingInfo(
            self._camera,
            opened.path,
            container.first_ns or opened.span.latest_wall_ns,
            container.last_ns + 1 if container.last_ns else opened.span.latest_wall_ns,
            opened.recording.size_bytes,
            opened.summaries.size_bytes,
            container.messages,
        )
