"""The recorder: a bounded queue, a thread, and a writer for each camera.

`put` never blocks. When the disk cannot keep up and the queue is full, covers are dropped and counted first; then lights and states
(a heartbeat comes every second); backgrounds and patches always find a place, and when even they pile up, an older background
of the same camera gives way to a newer one, which says everything that it said.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from privet.core.clock import NS_PER_MS, NS_PER_S, Clock
from privet.core.errors import StoreError
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.record.camera_writer import Announcements, CameraWriter
from privet.record.disk import Disk, LocalDisk
from privet.record.recording import Announce, OpenRecording, RecordingInfo

_log = logging.getLogger(__name__)

RETRY_NS = NS_PER_S
"""The thread wakes forty times a second; an index that fails is asked again once a second."""


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """Bounds of the queue, how long `close` waits for a disk that hangs, and how long messages are gathered before they are written.

    gather_ns: every writer is asked what is due whenever the thread wakes. With hundreds of cameras that is too dear for each message. A
    crash costs at most twice this, beside what a chunk waits for (camera_writer): a second in all.
    """

    queue_messages: int = 20_000
    queue_bytes: int = 64 * 1024 * 1024
    close_timeout_ns: int = 20 * NS_PER_S
    announcements: int = 10_000
    gather_ns: int = 25 * NS_PER_MS


@dataclass(frozen=True, slots=True)
class CameraStatistics:
    """One camera, since the recorder started. error: why nothing is recorded at present; '' while all is well."""

    camera: CameraId
    messages: int
    bytes_written: int
    chunks: int
    covers_dropped: int
    others_dropped: int
    write_errors: int
    longest_write_ns: int
    error: str
    failing_since_wall_ns: int


@dataclass(frozen=True, slots=True)
class RecorderStatistics:
    """Since the recorder was made; queued_* are of now. covers_dropped and the like: in the queue and in the writers together."""

    queued_messages: int
    queued_bytes: int
    covers_dropped: int
    others_dropped: int
    backgrounds_superseded: int
    bytes_written: int
    write_errors: int
    writers_crashed: int
    announcements_waiting: int
    announcement_error: str
    summaries_unannounced: int
    open_recordings: int
    failing_cameras: int
    error: str
    cameras: tuple[CameraStatistics, ...]


@dataclass(slots=True)
class _Dropped:
    covers: int = 0
    others: int = 0
    superseded: int = 0


class _Queue:
    """Bounded, and choosy about what it drops. Guarded by the recorder's condition."""

    def __init__(self, settings: RecordSettings) -> None:
        self._settings = settings
        self._items: deque[tuple[CameraId, pb.SceneMessage, int]] = deque()
        self.size_bytes = 0
        self.dropped: dict[CameraId, _Dropped] = {}

    def __len__(self) -> int:
        return len(self._items)

    def put(self, camera: CameraId, message: pb.SceneMessage) -> None:
        kind = message.WhichOneof("kind")
        size = message.ByteSize()
        fill = max(len(self._items) / self._settings.queue_messages, (self.size_bytes + size) / self._settings.queue_bytes)
        if fill >= 1.0 and kind == "cover":
            self._dropped(camera).covers += 1
            return
        if fill >= 1.25 and kind in ("light", "state"):
            self._dropped(camera).others += 1
            return
        if fill >= 1.25:
            self._make_room(camera, kind == "background")
        self._items.append((camera, message, size))
        self.size_bytes += size

    def take_all(self) -> deque[tuple[CameraId, pb.SceneMessage, int]]:
        items, self._items, self.size_bytes = self._items, deque(), 0
        return items

    def _make_room(self, camera: CameraId, superseding: bool) -> None:
        """Drop all covers, and this camera's pictures if a whole background is coming."""
        kept: deque[tuple[CameraId, pb.SceneMessage, int]] = deque()
        for item in self._items:
            kind = item[1].WhichOneof("kind")
            if kind == "cover":
                self._dropped(item[0]).covers += 1
            elif superseding and item[0] == camera and kind in ("background", "patch"):
                self._dropped(camera).superseded += 1
            else:
                kept.append(item)
        self._items = kept
        self.size_bytes = sum(item[2] for item in kept)

    def _dropped(self, camera: CameraId) -> _Dropped:
        return self.dropped.setdefault(camera, _Dropped())


@dataclass(slots=True)
class _Messenger:
    """Passes announcements on in order; what cannot be passed on waits, summaries only as long as there is room."""

    announce: Announce
    capacity: int
    clock: Clock
    waiting: deque[Callable[[], None]] = field(default_factory=deque)
    summaries_lost: int = 0
    error: str = ""
    """Why nothing can be passed on at present."""
    retry_ns: int = 0
    """Monotonic: not before."""

    def opened(self, recording: RecordingInfo) -> None:
        self.waiting.append(lambda: self.announce.opened(recording))
        self.deliver()

    def closed(self, recording: RecordingInfo) -> None:
        self.waiting.append(lambda: self.announce.closed(recording))
        self.deliver()

    def summarised(self, camera: CameraId, summary: pb.Summary) -> None:
        if len(self.waiting) >= self.capacity:
            self.summaries_lost += 1  # it is in the file all the same
            return
        self.waiting.append(lambda: self.announce.summarised(camera, summary))
        self.deliver()

    def deliver(self, *, at_once: bool = False) -> None:
        """Pass on what waits; after a failure not before RETRY_NS, unless at_once."""
        if not at_once and self.clock.monotonic_ns() < self.retry_ns:
            return
        while self.waiting:
            try:
                self.waiting[0]()
            except StoreError as error:
                if not self.error:
                    _log.error("the index does not take announcements, which wait and are tried again: %s", error)
                self.error = str(error)
                self.retry_ns = self.clock.monotonic_ns() + RETRY_NS
                return
            except Exception:  # noqa: BLE001 (the supervisor of the announcements: check finds what one that is out of order was about)
                _log.exception("an announcement could not be made and is dropped: run `privet check` after the next stop")
            self.waiting.popleft()
            if self.error:
                _log.warning("the index takes announcements again")
            self.error = ""


class RecorderCore:
    """Everything but the queue and the thread: given messages and ticks, by one thread."""

    def __init__(self, directory: Path, announce: Announce, clock: Clock, settings: RecordSettings, disk: Disk) -> None:
        self._directory = directory
        self._clock = clock
        self._disk = disk
        self._messenger = _Messenger(announce, settings.announcements, clock)
        self.writers: dict[CameraId, CameraWriter] = {}
        self.writers_crashed = 0

    def take(self, camera: CameraId, message: pb.SceneMessage) -> None:
        """Record one message. A writer that breaks is replaced: its file is mended by check, the other cameras do not notice."""
        writer = self.writers.get(camera)
        if writer is None:
            writer = self.writers[camera] = CameraWriter(
                camera,
                self._directory,
                self._disk,
                self._clock,
                Announcements(self._messenger.opened, self._messenger.summarised, self._messenger.closed),
            )
        self._supervised(camera, lambda: writer.take(message))

    def tick(self) -> int:
        """Do what is due; return when to come again (monotonic, ns)."""
        for camera, writer in list(self.writers.items()):
            self._supervised(camera, writer.tick)
        self._messenger.deliver()
        latest_ns = self._clock.monotonic_ns() + NS_PER_S
        return min([latest_ns, *(writer.due_ns for writer in self.writers.values() if writer.due_ns is not None)])

    def close(self) -> None:
        """Finish every recording."""
        for camera, writer in list(self.writers.items()):
            self._supervised(camera, writer.close)
        self._messenger.deliver(at_once=True)

    def end(self, camera: CameraId) -> None:
        """Finish a camera's recording and forget the camera."""
        writer = self.writers.pop(camera, None)
        if writer is not None:
            self._supervised(camera, writer.close)

    def announcements_waiting(self) -> int:
        return len(self._messenger.waiting)

    def announcement_error(self) -> str:
        return self._messenger.error

    def summaries_unannounced(self) -> int:
        return self._messenger.summaries_lost

    def _supervised(self, camera: CameraId, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:  # noqa: BLE001 - the supervisor of the writers: one that breaks is replaced
            self.writers_crashed += 1
            self.writers.pop(camera, None)
            _log.exception("%s: its writer broke; a new recording is begun with the next message", camera)


class Recorder:
    """Records scene streams. Safe to be called from several threads."""

    def __init__(
        self,
        directory: Path,
        announce: Announce,
        clock: Clock,
        settings: RecordSettings | None = None,
        disk: Disk | None = None,
    ) -> None:
        """directory: the data directory; recordings go below `recordings/` in it. Starts the thread."""
        self._settings = settings or RecordSettings()
        self._clock = clock
        self._core = RecorderCore(directory, announce, clock, self._settings, disk or LocalDisk())
        self._queue = _Queue(self._settings)
        self._condition = threading.Condition()
        self._closing = False
        self._ending: set[CameraId] = set()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def put(self, camera: CameraId, message: pb.SceneMessage) -> None:
        """Hand over one message, which must not be changed afterwards. Never blocks on the disk; after `close` it is ignored."""
        with self._condition:
            if self._closing:
                return
            self._queue.put(camera, message)
            if len(self._queue) == 1 or self._crowded():
                self._condition.notify()

    def end(self, camera: CameraId) -> None:
        """Finish a camera's recording once what is queued is written: nothing more comes from it. Does not wait."""
        with self._condition:
            self._ending.add(camera)
            self._condition.notify()

    def close(self) -> None:
        """Write what is queued and finish every recording; gives up (saying so in the log) if the disk hangs for too long."""
        with self._condition:
            self._closing = True
            self._condition.notify()
        self._thread.join(self._settings.close_timeout_ns / NS_PER_S)
        if self._thread.is_alive():
            _log.error("the disk hangs: recordings are left open, check mends them")

    def statistics(self) -> RecorderStatistics:
        """Return the counters as they are now."""
        with self._condition:
            queued, queued_bytes = len(self._queue), self._queue.size_bytes
            dropped = {camera: (d.covers, d.others, d.superseded) for camera, d in self._queue.dropped.items()}
        writers = dict(self._core.writers)
        cameras = []
        for camera in sorted({*writers, *dropped}):
            covers, others, _ = dropped.get(camera, (0, 0, 0))
            cameras.append(_camera_statistics(camera, writers.get(camera), covers, others))
        failing = [camera for camera in cameras if camera.error]
        return RecorderStatistics(
            queued_messages=queued,
            queued_bytes=queued_bytes,
            covers_dropped=sum(camera.covers_dropped for camera in cameras),
            others_dropped=sum(camera.others_dropped for camera in cameras),
            backgrounds_superseded=sum(superseded for _, _, superseded in dropped.values()),
            bytes_written=sum(camera.bytes_written for camera in cameras),
            write_errors=sum(camera.write_errors for camera in cameras),
            writers_crashed=self._core.writers_crashed,
            announcements_waiting=self._core.announcements_waiting(),
            announcement_error=self._core.announcement_error(),
            summaries_unannounced=self._core.summaries_unannounced(),
            open_recordings=sum(writer.written is not None for writer in writers.values()),
            failing_cameras=len(failing),
            error=failing[0].error if failing else "",
            cameras=tuple(cameras),
        )

    def error(self, camera: CameraId) -> str:
        """Return why nothing is recorded of a camera at present; '' while all is well."""
        writer = self._core.writers.get(camera)
        return "" if writer is None else writer.error

    def open_recordings(self, camera: CameraId | None = None) -> tuple[OpenRecording, ...]:
        """Return the files being written, as far as they are on the disk; of one camera or of all."""
        writers = dict(self._core.writers)
        chosen = [writers[camera]] if camera in writers else [] if camera is not None else list(writers.values())
        return tuple(recording for writer in chosen if (recording := writer.open_recording()) is not None)

    def _crowded(self) -> bool:
        """Whether the queue is so full that nothing more should be gathered."""
        queue, settings = self._queue, self._settings
        return 4 * len(queue) >= settings.queue_messages or 4 * queue.size_bytes >= settings.queue_bytes

    def _run(self) -> None:
        wake_ns = self._clock.monotonic_ns()
        while True:
            with self._condition:
                while not len(self._queue) and not self._closing and not self._ending:
                    wait_ns = wake_ns - self._clock.monotonic_ns()
                    if wait_ns <= 0:
                        break
                    self._condition.wait(wait_ns / NS_PER_S)
                self._condition.wait_for(lambda: self._closing or self._crowded(), self._settings.gather_ns / NS_PER_S)
                items = self._queue.take_all()
                closing, ending, self._ending = self._closing, self._ending, set()
            for camera, message, _ in items:
                self._core.take(camera, message)
            for camera in ending:
                self._core.end(camera)
            wake_ns = self._core.tick()
            if closing:
                self._core.close()
                return


def _camera_statistics(camera: CameraId, writer: CameraWriter | None, covers: int, others: int) -> CameraStatistics:
    if writer is None:
        return CameraStatistics(camera, 0, 0, 0, covers, others, 0, 0, "", 0)
    counters = writer.counters
    return CameraStatistics(
        camera,
        counters.messages,
        counters.bytes_written,
        counters.chunks,
        counters.covers_dropped + covers,
        counters.others_dropped + others,
        counters.write_errors,
        counters.longest_write_ns,
        writer.error,
        writer.failing_since_wall_ns,
    )
