"""Where a worker's checked messages go: recorder, hub, index, figures, log.

Belongs here: the fan-out, and what is worth a row. Does not belong here: checking (inspector) and any of the receivers. Called in the
event loop and never blocks: rows for the index are written by one thread behind a bounded queue (Ledger).
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from privet.core.decoding import Decoding
from privet.core.errors import StoreError
from privet.core.geometry import Tag, Unusable
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Condition, Reason
from privet.main.metrics import HealthBook
from privet.pipe.crash_code import describe

log = logging.getLogger("privet.camera")

DECODING_WORDS: dict[int, str] = {
    Decoding.HARDWARE: "decoded by hardware while nothing is being proven",
    Decoding.NO_DEVICE: "decoded in software: the device of decode.hardware is not there or may not be opened; run `privet doctor`",
    Decoding.UNSUPPORTED: "decoded in software: this build of FFmpeg has no such decoder as decode.hardware asks for; run `privet doctor`",
    Decoding.FAILED: "decoded in software: the hardware decoder failed, and is tried again in ten minutes or later",
}

LEDGER_ROWS = 10_000
RETRY_AFTER_S = 1.0
MOST_ERRNO = 4095
"""Linux has no greater one; a worker may say anything."""


class SceneSink(Protocol):
    """Who takes every scene message without blocking: the recorder's `put`, the hub's `publish`."""

    def __call__(self, camera: CameraId, message: scene_pb2.SceneMessage) -> None: ...


class Rows(Protocol):
    """What is asked of the index. Called from the ledger's thread; may raise StoreError, then asked again."""

    def add_promotion(self, camera: CameraId, promotion: pipe_pb2.Promotion) -> None: ...

    def add_state(self, camera: CameraId, wall_ns: int, condition: Condition, reason: Reason) -> None: ...


class Ledger:
    """A thread that writes rows, in order, for as long as the main process lives. What the index does not take is tried again once a
    second, and said once; a full queue drops the newest row, says so once and counts.
    """

    def __init__(self, capacity: int = LEDGER_ROWS, retry_after_s: float = RETRY_AFTER_S) -> None:
        self._retry_after_s = retry_after_s
        self._rows: queue.Queue[Callable[[], None] | None] = queue.Queue(capacity)
        self._stopping = threading.Event()
        self._dropped = 0
        self._error = ""
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        return self._dropped

    @property
    def waiting(self) -> int:
        """Rows that are not written yet."""
        return self._rows.qsize() + bool(self._error)

    @property
    def error(self) -> str:
        """Why the index takes no row at present; empty while it does."""
        return self._error

    def write(self, row: Callable[[], None]) -> None:
        """Have `row` called in the thread; never blocks."""
        try:
            self._rows.put_nowait(row)
        except queue.Full:
            if self._dropped == 0:
                log.error("the index is too slow or does not answer: rows are lost and counted in privet_index_rows_dropped")
            self._dropped += 1

    def close(self, within_s: float = 10.0) -> None:
        """Write what waits, then end."""
        self._stopping.set()
        threading.Thread(target=self._rows.put, args=(None,), daemon=True).start()
        self._thread.join(within_s)

    def _run(self) -> None:
        while (row := self._rows.get()) is not None:
            while not self._written(row):
                if self._stopping.wait(self._retry_after_s):
                    self._dropped += 1
                    break

    def _written(self, row: Callable[[], None]) -> bool:
        """Whether `row` needs no further try."""
        try:
            row()
        except StoreError as error:
            if not self._error:
                log.error("the index does not take rows, which wait and are tried again: %s", error)
            self._error = str(error)
            return False
        except Exception:  # the supervisor of the rows: one that is out of order is not the others' end
            self._dropped += 1
            log.exception("a row could not be written and is dropped")
        if self._error:
            log.warning("the index takes rows again")
        self._error = ""
        return True


class Publisher:
    """Implements worker_life.Listener."""

    def __init__(self, record: SceneSink, show: SceneSink, rows: Rows, ledger: Ledger, book: HealthBook) -> None:
        self._record = record
        self._show = show
        self._rows = rows
        self._ledger = ledger
        self._book = book
        self._said: dict[CameraId, tuple[Condition, Reason]] = {}

    def scene(self, camera: CameraId, message: scene_pb2.SceneMessage) -> None:
        self._show(camera, message)
        self._record(camera, message)
        if message.WhichOneof("kind") == "state":
            self._state(camera, message.state)

    def promotion(self, camera: CameraId, promotion: pipe_pb2.Promotion) -> None:
        if promotion.by == pipe_pb2.COMMISSIONING_LAYER:
            log.info("%s: %d blocks look again as they did before (layer %d)", camera, promotion.blocks, promotion.layer)
        else:
            log.info("%s: %d blocks became background", camera, promotion.blocks)
        self._ledger.write(lambda: self._rows.add_promotion(camera, promotion))

    def health(self, camera: CameraId, health: pipe_pb2.Health) -> None:
        self._book.note(camera, health)

    def logged(self, camera: str, entry: pipe_pb2.Log) -> None:
        # A camera that is away is tried again and again; what is said once is that its state changed.
        level = logging.DEBUG if entry.code == pipe_pb2.LOG_CODE_DISCONNECTED else entry.level
        log.log(level, "%s: %s", camera or "worker", log_words(entry.code, entry.number))

    def worker_lost(self, cameras: Sequence[CameraId]) -> None:
        for camera in cameras:
            self._book.end(camera)

    def forget(self, camera: CameraId) -> None:
        """The camera is gone: if it comes again, all is said of it anew."""
        self._said.pop(camera, None)
        self._book.forget(camera)

    def _state(self, camera: CameraId, state: scene_pb2.State) -> None:
        condition, reason = Condition(state.condition), Reason(state.reason)
        if self._said.get(camera) == (condition, reason):
            return
        self._said[camera] = (condition, reason)
        wall_ns = state.head.wall_ns
        why = "" if reason is Reason.NONE else f" ({reason.name.lower().replace('_', ' ')})"
        level = logging.WARNING if condition in {Condition.OFFLINE, Condition.BLIND} else logging.INFO
        log.log(level, "%s is %s%s", camera, condition.name.lower(), why)
        self._ledger.write(lambda: self._rows.add_state(camera, wall_ns, condition, reason))


_SUB_STREAM: dict[int, str] = {
    pipe_pb2.SUB_STREAM_NOT_WATCHED: "its main stream is watched",
    pipe_pb2.SUB_STREAM_WATCHED: "its sub-stream is watched between the main stream's keyframes",
    pipe_pb2.SUB_STREAM_OTHER_PICTURE: "its main stream is watched: the sub-stream shows another picture; set both to the same view",
    pipe_pb2.SUB_STREAM_NO_KEYFRAMES: "its main stream is watched: keyframes are too rare or do not stand alone; set a GOP of 2 s",
}


def log_words(code: int, number: int) -> str:
    """Return the words for a log line of a worker, which says codes and numbers only."""
    match code:
        case pipe_pb2.LOG_CODE_STARTED:
            return f"started with {number} cameras"
        case pipe_pb2.LOG_CODE_CONNECTED:
            return f"connected (time {number})"
        case pipe_pb2.LOG_CODE_DISCONNECTED:
            known = number in set(Reason)
            return f"disconnected: {Reason(number).name.lower().replace('_', ' ') if known else number}"
        case pipe_pb2.LOG_CODE_EPOCH:
            return f"the picture's size or coding is new: everything is to be proven again (epoch {number})"
        case pipe_pb2.LOG_CODE_BACKGROUND_RESTORED:
            return f"the stored background was taken up: {number} blocks"
        case pipe_pb2.LOG_CODE_STATE_UNREADABLE:
            return "the stored state does not open or is damaged; nothing is proven until somebody signs"
        case pipe_pb2.LOG_CODE_DETECTOR_FAILED:
            return f"a detector does not load, nothing can be proven: {describe(number)}; run `privet doctor`"
        case pipe_pb2.LOG_CODE_CAMERA_CRASHED:
            return f"its thread ended and is started again: {describe(number) if number else 'it returned'}"
        case pipe_pb2.LOG_CODE_SANDBOX:
            if number == 0:
                return "this kernel has no Landlock: the worker is not confined to its directories"
            return f"confined by Landlock ABI {number}" if number < 100 else f"cannot be confined: {describe(number)}"
        case pipe_pb2.LOG_CODE_SUB_STREAM:
            return _SUB_STREAM.get(number, f"its sub-stream: {number}")
        case pipe_pb2.LOG_CODE_ROTATION:
            return f"the film {Unusable(Tag.ROTATION, number).words()}"
        case pipe_pb2.LOG_CODE_ASPECT:
            return f"the film {Unusable(Tag.ASPECT, number).words()}"
        case pipe_pb2.LOG_CODE_CAMERA_ENDED:
            return "it is not watched any more"
        case pipe_pb2.LOG_CODE_STOPPED:
            return "stopped"
        case pipe_pb2.LOG_CODE_DECODING:
            return DECODING_WORDS.get(number, f"decoding {number}")
        case pipe_pb2.LOG_CODE_STATE_UNSAVED:
            why = os.strerror(number) if 0 < number <= MOST_ERRNO else "the disk does not answer"
            return f"what was proven cannot be saved: {why}. It is tried again, and lost if the worker ends before it succeeds"
        case pipe_pb2.LOG_CODE_STATE_SAVED:
            return f"what was proven is saved again ({number} tries have failed)"
        case _:
            return f"code {code}, number {number}"
