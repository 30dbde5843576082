"""The worker's way out: one bounded queue that every camera's thread puts into, and one thread that writes the pipe.

Belongs here: what is dropped, what waits, and the counters of both. Does not belong here: framing (pipe), what is said (camera).

When the queue is full: the oldest covers are dropped first and counted; nothing else is dropped: the caller waits until there is room. A
pipeline's health is kept, not queued, until the report that goes out once a second. What is queued by the time that the pipe takes more
goes out together, as far as the pipe holds it: whoever reads is woken once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from privet.core.clock import Clock
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.wake_up import WakeUp
from privet.core.wire import MAX_MESSAGE_BYTES
from privet.pipe.framing import framed
from privet.pipe.latency import LATENCY_BOUNDS_US, latency_bucket

Outgoing = (
    scene_pb2.SceneMessage | pipe_pb2.Promotion | pipe_pb2.Health | pipe_pb2.Log | pipe_pb2.Candidate | pipe_pb2.Commissioned
)
"""What a pipeline may say: one of the kinds of `WorkerMessage`."""


DEFAULT_LIMIT_BYTES = 2 * MAX_MESSAGE_BYTES
PIPE_BYTES = 64 * 1024
"""What a pipe holds: as much is written at once, if not a single message is longer."""


class Emit(Protocol):
    """How a pipeline says something. Safe from several threads; may block while the queue is full of what is never dropped.

    A `Health` is not sent as it is: its counters are kept, completed with the send queue's own and sent once a second.
    """

    def __call__(self, message: Outgoing, arrived_monotonic_ns: int = 0) -> None:
        """arrived_monotonic_ns: when the frame arrived that the message is about, for the latency; 0: not about a frame."""
        ...


class SendQueueClosedError(Exception):
    """Something was said after the worker began to stop."""


@dataclass(frozen=True, slots=True)
class SendQueueStatistics:
    """Depth and drops since the send queue was opened."""

    queued_messages: int
    queued_bytes: int
    covers_dropped: int


@dataclass(slots=True)
class _Counters:
    """What the send queue adds to a camera's health. Guarded by the send queue's lock."""

    covers_sent: int = 0
    covers_dropped: int = 0
    bytes_sent: int = 0
    latency_sum_us: int = 0
    latency_counts: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS_US) + 1))


@dataclass(slots=True)
class _Entry:
    data: bytes
    counters: _Counters
    is_cover: bool
    arrived_monotonic_ns: int


class SendQueue:
    """Queue of framed messages. `run` is the one thread that writes."""

    def __init__(self, write: Callable[[bytes], None], clock: Clock, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        """write: sends whole frames, blocking; raises OSError when the other side is gone."""
        self._write = write
        self._clock = clock
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)    # for who waits until there is room
        self._filled = WakeUp()                             # for the thread that writes
        self._entries: OrderedDict[int, _Entry] = OrderedDict()
        self._covers: OrderedDict[int, None] = OrderedDict()  # keys of the entries that may be dropped, oldest first
        self._next_key = 0
        self._queued_bytes = 0
        self._covers_dropped = 0
        self._closed = False

    def sender(self, camera: str) -> MessageSender:
        """Return a new sender for a camera's pipeline, its counters at zero; '' for the worker as a whole."""
        return MessageSender(self, camera)

    def put(self, message: pipe_pb2.WorkerMessage, counters: _Counters, arrived_monotonic_ns: int) -> None:
        """Queue a message.

        Raises:
            SendQueueClosedError: the send queue was closed.
            WireError: the message is too long for the pipe.
        """
        data = framed(message)
        is_cover = message.WhichOneof("kind") == "scene" and message.scene.WhichOneof("kind") == "cover"
        with self._lock:
            while True:
                if self._closed:
                    raise SendQueueClosedError
                self._drop_covers_for(len(data))
                if self._fits(len(data)):
                    break
                if is_cover:
                    counters.covers_dropped += 1
                    self._covers_dropped += 1
                    return
                self._room.wait()
            key = self._next_key
            self._next_key += 1
            self._entries[key] = _Entry(data, counters, is_cover, arrived_monotonic_ns)
            if is_cover:
                self._covers[key] = None
            self._queued_bytes += len(data)
            self._filled.notify()

    def run(self) -> None:
        """Write what is queued, in order, until closed and empty.

        Raises:
            OSError: the other side is gone.
        """
        while entries := self._next():
            # The entries' bytes still count as queued while they are written: the bound holds for what is in flight, too.
            self._write(b"".join([entry.data for entry in entries]))
            with self._lock:
                for entry in entries:
                    self._queued_bytes -= len(entry.data)
                    self._note_sent(entry)
                self._room.notify_all()

    def _next(self) -> list[_Entry]:
        """What to write now; waits for it. Empty: closed, and all is written."""
        while True:
            with self._lock:
                taken, size_bytes = list[_Entry](), 0
                for entry in self._entries.values():
                    size_bytes += len(entry.data)
                    if taken and size_bytes > PIPE_BYTES:
                        break
                    taken.append(entry)
                for _ in taken:
                    key, _ = self._entries.popitem(last=False)
                    self._covers.pop(key, None)
                if taken or self._closed:
                    return taken
                self._filled.listen()
            self._filled.wait()

    def close(self) -> None:
        """Take nothing more; `run` returns when everything queued is written."""
        with self._lock:
            self._closed = True
            self._room.notify_all()
            self._filled.notify()

    def statistics(self) -> SendQueueStatistics:
        """Depth and drops."""
        with self._lock:
            return SendQueueStatistics(len(self._entries), self._queued_bytes, self._covers_dropped)

    def complete(self, health: pipe_pb2.Health, counters: _Counters, memory_bytes: int) -> pipe_pb2.Health:
        """Put the send queue's counters and the process' memory into a pipeline's health; returns it."""
        with self._lock:
            health.covers_sent = counters.covers_sent
            health.covers_dropped = counters.covers_dropped
            health.bytes_sent = counters.bytes_sent
            health.latency_sum_us = counters.latency_sum_us
            health.latency_bucket_counts[:] = counters.latency_counts
        health.memory_bytes = memory_bytes
        return health

    def _fits(self, size: int) -> bool:
        # A message longer than the bound itself still goes, alone.
        return self._queued_bytes + size <= self._limit_bytes or self._queued_bytes == 0

    def _drop_covers_for(self, size: int) -> None:
        while self._covers and not self._fits(size):
            key, _ = self._covers.popitem(last=False)
            entry = self._entries.pop(key)
            self._queued_bytes -= len(entry.data)
            entry.counters.covers_dropped += 1
            self._covers_dropped += 1

    def _note_sent(self, entry: _Entry) -> None:
        counters = entry.counters
        counters.bytes_sent += len(entry.data)
        counters.covers_sent += entry.is_cover
        if entry.arrived_monotonic_ns:
            latency_us = max(0, self._clock.monotonic_ns() - entry.arrived_monotonic_ns) // 1000
            counters.latency_sum_us += latency_us
            counters.latency_counts[latency_bucket(latency_us)] += 1


class MessageSender:
    """One pipeline's `Emit`: names the camera, keeps its counters."""

    def __init__(self, send_queue: SendQueue, camera: str) -> None:
        self._send_queue = send_queue
        self._camera = camera
        self._counters = _Counters()
        self._health = pipe_pb2.Health()

    def __call__(self, message: Outgoing, arrived_monotonic_ns: int = 0) -> None:
        """Queue a message; keep a health report, which is the sender's from now on, for the next `report`. Errors as `SendQueue.put`."""
        match message:
            case scene_pb2.SceneMessage():
                outgoing = pipe_pb2.WorkerMessage(camera=self._camera, scene=message)
            case pipe_pb2.Promotion():
                outgoing = pipe_pb2.WorkerMessage(camera=self._camera, promotion=message)
            case pipe_pb2.Log():
                outgoing = pipe_pb2.WorkerMessage(camera=self._camera, log=message)
            case pipe_pb2.Candidate():
                outgoing = pipe_pb2.WorkerMessage(camera=self._camera, candidate=message)
            case pipe_pb2.Commissioned():
                outgoing = pipe_pb2.WorkerMessage(camera=self._camera, commissioned=message)
            case pipe_pb2.Health():
                self._health = message
                return
        self._send_queue.put(outgoing, self._counters, arrived_monotonic_ns)

    def report(self, memory_bytes: int) -> None:
        """Queue the newest health, completed. Called once a second. memory_bytes: of the process. Errors as `SendQueue.put`."""
        health = self._send_queue.complete(self._health, self._counters, memory_bytes)
        self._send_queue.put(pipe_pb2.WorkerMessage(camera=self._camera, health=health), self._counters, 0)
