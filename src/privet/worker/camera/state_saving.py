"""A camera's state on its way to the disk: a disk that is full, read-only or slow costs no cover and no heartbeat.

Belongs here: what is taken up and when it is saved, when a save is tried again, and how long the disk has lacked what it should hold. Does
not belong here: what the state is (scene.state_format), sealing and files (state_store).

Each try is a thread of its own, one at a time. A try that fails is repeated with the newest state, as core.backoff says: at once, after
half a second, and more and more seldom up to every thirty seconds. What is not on the disk is kept in memory, and a pipeline that is
started again in the same worker takes it from there.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Protocol

from privet.core.backoff import Losses
from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import StoreError
from privet.core.pb import pipe_pb2
from privet.scene.state_format import StoredScene, from_bytes, to_bytes
from privet.worker.send_queue import Emit

SAVE_EVERY_NS = 20 * NS_PER_S
"""Saving takes as much as decoding half a second or more of 1080p. What a crash costs is the proofs of so long."""
SIGNED_WAITS_S = 1.0
"""For so long a signer, and the camera, wait for the disk. A heartbeat says that covers are late after two."""
LAST_SAVE_WITHIN_S = 3.0
SLOW_NS = 5 * NS_PER_S
"""A save that takes longer is said to fail: nobody knows whether the disk will ever answer."""
WARNING, INFO = 30, 20


class StateStore(Protocol):
    """Where the sealed scene lies between two lives."""

    def load(self) -> bytes | None: ...

    def save(self, state: bytes) -> None: ...


class StateSaving:
    """One camera's state, for all lives of its pipeline. Safe from several threads."""

    def __init__(self, store: StateStore, clock: Clock, draw: Callable[[], float] = random.random) -> None:
        """draw: uniform in [0, 1), spreads the tries of cameras whose disk filled up at once."""
        self._store = store
        self._clock = clock
        self._draw = draw
        self._changed = threading.Condition()
        self._held: bytes | None = None             # the newest state, until it is on the disk
        self._held_since_ns = 0                     # monotonic: since when the disk has lacked what it should hold
        self._writing = False
        self._losses = Losses()
        self._retry_ns = 0
        self._failed = 0
        self._error_number = 0
        self._defect: Exception | None = None
        self._said = False

    @property
    def failed(self) -> int:
        """How many tries have failed, since the worker started."""
        return self._failed

    @property
    def unsaved_ns(self) -> int:
        """For how long the disk has lacked what it should hold; 0 while it takes it."""
        with self._changed:
            return self._unsaved_ns()

    @property
    def writing(self) -> bool:
        """Whether a try is under way: the disk may still take what it was given."""
        with self._changed:
            return self._writing

    def load(self) -> bytes | None:
        """Return the newest state: the one in memory that could not be saved, or else the stored one.

        Raises:
            StoreError: there is one and it cannot be used.
        """
        with self._changed:
            if self._held is not None:
                return self._held
        return self._store.load()

    def put(self, state: bytes) -> None:
        """Have `state` saved; never waits for the disk. An older one that is not saved yet is forgotten."""
        with self._changed:
            if self._held is None:
                self._held_since_ns = self._clock.monotonic_ns()
            self._held = state
        self.tick()

    def tick(self) -> None:
        """Try again, if it is time. Raises whatever ended a try and was no StoreError: a defect."""
        with self._changed:
            if self._defect is not None:
                defect, self._defect = self._defect, None
                raise defect
            if self._clock.monotonic_ns() >= self._retry_ns:
                self._try()

    def flush(self, within_s: float) -> bool:
        """Try now, whatever the back-off says; return whether all that was put is on the disk. Waits so long at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._writing, within_s / 2)
            self._try()
        self.settle(within_s / 2)
        with self._changed:
            return self._held is None

    def settle(self, within_s: float) -> None:
        """Wait for the answer of a try under way, so long at most."""
        with self._changed:
            self._changed.wait_for(lambda: not self._writing, within_s)

    def note(self) -> pipe_pb2.Log | None:
        """What is to be said, once: that the state cannot be saved, or that it can again."""
        with self._changed:
            unsaved = self._unsaved_ns() > 0
            if unsaved == self._said:
                return None
            self._said = unsaved
            if unsaved:
                return pipe_pb2.Log(level=WARNING, code=pipe_pb2.LOG_CODE_STATE_UNSAVED, number=self._error_number)
            return pipe_pb2.Log(level=INFO, code=pipe_pb2.LOG_CODE_STATE_SAVED, number=self._failed)

    def _unsaved_ns(self) -> int:
        if self._held is None:
            return 0
        held_ns = self._clock.monotonic_ns() - self._held_since_ns
        return max(held_ns, 1) if self._losses.in_a_row or held_ns > SLOW_NS else 0

    def _try(self) -> None:
        if self._held is None or self._writing:
            return
        threading.Thread(target=self._write, args=(self._held,), name="state", daemon=True).start()
        self._writing = True

    def _write(self, state: bytes) -> None:
        error: StoreError | None = None
        try:
            self._store.save(state)
        except StoreError as failed:
            error = failed
        except Exception as defect:  # noqa: BLE001 (handed to the camera's thread, which ends by it)
            with self._changed:
                self._defect = defect
            error = StoreError("a defect")
        with self._changed:
            self._writing = False
            now_ns = self._clock.monotonic_ns()
            if error is None:
                self._losses, self._retry_ns, self._error_number = Losses(), now_ns, 0
                if self._held is state:
                    self._held = None
                self._held_since_ns = now_ns
            else:
                self._failed += 1
                self._error_number = error_number(error)
                self._losses = self._losses.lost(0)
                self._retry_ns = now_ns + self._losses.wait_ns(self._draw())
            self._changed.notify_all()


class SceneSaving:
    """What of a camera's scene outlives its pipeline, for one life of it. unsaved: something changed since it was saved."""

    def __init__(self, store: StateStore | StateSaving, clock: Clock, emit: Emit) -> None:
        """store: a StateSaving outlives this life, and with it what could not be saved."""
        self._saving = store if isinstance(store, StateSaving) else StateSaving(store, clock)
        self._failed_before = self._saving.failed
        self._clock = clock
        self._emit = emit
        self._saved_ns = 0
        self.unsaved = False

    @property
    def failed(self) -> int:
        """How many tries have failed in this life."""
        return self._saving.failed - self._failed_before

    @property
    def unsaved_ns(self) -> int:
        """As `StateSaving.unsaved_ns`."""
        return self._saving.unsaved_ns

    def writing(self) -> bool:
        """As `StateSaving.writing`; may be asked after this life."""
        return self._saving.writing

    def load(self) -> tuple[StoredScene | None, bool]:
        """What an earlier life left; (None, True) if it left something that cannot be read, which is then not trusted to be nothing."""
        try:
            data = self._saving.load()
            stored = None if data is None else from_bytes(data)
        except StoreError:
            self._emit(pipe_pb2.Log(level=WARNING, code=pipe_pb2.LOG_CODE_STATE_UNREADABLE, number=0))
            return None, True
        if stored is not None:
            number = int(stored.proven.sum())
            self._emit(pipe_pb2.Log(level=INFO, code=pipe_pb2.LOG_CODE_BACKGROUND_RESTORED, number=number))
        return stored, False

    def save(self, snapshot: Callable[[], StoredScene | None], *, force: bool) -> None:
        """Save what changed, if it was saved long enough ago; force: in any case. Never waits for the disk."""
        now_ns = self._clock.monotonic_ns()
        if not self.unsaved or (not force and now_ns - self._saved_ns < SAVE_EVERY_NS):
            return
        scene = snapshot()
        if scene is not None:
            self._saving.put(to_bytes(scene))
        self._saved_ns = now_ns
        self.unsaved = False

    def save_signed(self, snapshot: Callable[[], StoredScene | None]) -> bool:
        """Save what a person just signed, which is not to be asked for again. Returns whether it is on the disk."""
        self.unsaved = True
        self.save(snapshot, force=True)
        return self._saving.flush(SIGNED_WAITS_S)

    def save_last(self, snapshot: Callable[[], StoredScene | None]) -> None:
        """This life ends: save what it knows, and wait for the disk a little."""
        self.unsaved = True                     # what looks did not help is known by now
        self.save(snapshot, force=True)
        self._saving.flush(LAST_SAVE_WITHIN_S)
        self._say()

    def heartbeat(self) -> None:
        """Try again, if it is time, and say whether it could be saved. Raises as `StateSaving.tick`."""
        self._saving.tick()
        self._say()

    def _say(self) -> None:
        if (note := self._saving.note()) is not None:
            self._emit(note)


def error_number(error: BaseException) -> int:
    """Return the operating system's number for what went wrong, `errno`; 0 if it has none. Pure."""
    cause = error if isinstance(error, OSError) else error.__cause__
    return cause.errno or 0 if isinstance(cause, OSError) else 0
