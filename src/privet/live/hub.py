"""The hub: one publisher per camera, any number of viewers, all in one event loop.

Belongs here: what is in force, who listens, and what happens to a listener that does not keep up. Does not belong here: sockets.

A subscriber has one bounded queue. When it is full, covers go first: of each camera only the newest stays. Where that does
not free half of it, the whole queue is dropped and the subscriber is *behind* on every camera: nothing more is queued for it, and
when it reads again it is sent what is in force then, less what it has (a resynchronisation, counted). So a viewer that stands
still costs one bounded queue and nothing per message, and one that joins is simply behind on everything.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from privet.core.clock import Clock
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.reader import STALE_AFTER_NS, SceneView, follow
from privet.core.scene import Condition, Cover, Reason, Scene, State
from privet.core.wire import from_message, to_message
from privet.live.latency import ByteRate, LatencyHistogram, LatencyStatistics
from privet.live.resync import in_force


@dataclass(frozen=True, slots=True)
class HubLimits:
    """What one subscriber may hold back."""

    queue_messages: int = 256
    queue_bytes: int = 4 * 1024 * 1024

    def __post_init__(self) -> None:
        if self.queue_messages < 2 or self.queue_bytes < 1:
            raise ValueError(f"queue of {self.queue_messages} messages and {self.queue_bytes} bytes: take at least 2 and 1")


@dataclass(frozen=True, slots=True)
class HubStatistics:
    """Since the hub was made; `queue_depths` is of now, one entry a subscriber."""

    subscribers: int
    resyncs: int                  # a subscriber lost its queue
    covers_dropped: int           # left out of a queue because a newer one was there
    messages_published: int
    bytes_published: int          # as CameraMessage, before fan-out
    messages_skipped: int         # of no use to a reader: not newer, another epoch, a kind this version does not know
    queue_depths: tuple[int, ...]
    latency: LatencyStatistics    # from the frame's wall time to publishing


@dataclass(frozen=True, slots=True)
class Heard:
    """What the hub knows of one camera besides its view. Times are 0 before the first message."""

    heard_wall_ns: int
    condition: Condition
    reason: Reason
    since_wall_ns: int
    stale: bool
    sent_bits_per_second: int


@dataclass(slots=True)
class _Topic:
    view: SceneView = field(default_factory=SceneView)
    grid_state: State | None = None
    heard_wall_ns: int = 0
    heard_monotonic_ns: int | None = None
    since_wall_ns: int = 0
    rate: ByteRate = field(default_factory=ByteRate)
    subscriptions: dict[Subscription, None] = field(default_factory=dict)  # ordered, so that runs repeat


class Hub:
    """Publishing, views and subscriptions. Not thread-safe: everything happens in the event loop's thread."""

    def __init__(self, clock: Clock, limits: HubLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits if limits is not None else HubLimits()
        self._topics: dict[CameraId, _Topic] = {}
        self._subscriptions: dict[Subscription, None] = {}
        self._latency = LatencyHistogram()
        self._resyncs = 0
        self._covers_dropped = 0
        self._messages = 0
        self._bytes = 0
        self._skipped = 0

    def publish(self, camera: CameraId, message: pb.SceneMessage) -> None:
        """Follow `message` and queue it for whoever listens; never waits.

        Raises:
            WireError: the message breaks the specification; nothing was changed.
        """
        topic = self._topic(camera)
        scene = from_message(message, topic.view.grid)
        now_wall_ns, now_ns = self._clock.wall_ns(), self._clock.monotonic_ns()
        topic.heard_wall_ns, topic.heard_monotonic_ns = now_wall_ns, now_ns
        view = topic.view if scene is None else follow(topic.view, scene)
        if scene is None or view is topic.view:
            self._skipped += 1
            return
        self._latency.note(now_wall_ns - scene.head.wall_ns)
        self._note_state(topic, scene, now_wall_ns)
        topic.view = view
        data = _camera_message(camera, message)
        topic.rate.note(now_ns, len(data))
        self._messages += 1
        self._bytes += len(data)
        for subscription in topic.subscriptions:
            subscription._offer(camera, isinstance(scene, Cover), view, data)

    def view(self, camera: CameraId) -> SceneView:
        """What is in force; empty for a camera nothing was heard of."""
        topic = self._topics.get(camera)
        return SceneView() if topic is None else topic.view

    def heard(self, camera: CameraId) -> Heard:
        """What is known of `camera` now. Stale: nothing was heard for STALE_AFTER_NS, by the monotonic clock."""
        topic = self._topics.get(camera, _NOTHING)
        now_ns = self._clock.monotonic_ns()
        state = topic.view.state
        return Heard(
            heard_wall_ns=topic.heard_wall_ns,
            condition=Condition.STARTING if state is None else state.condition,
            reason=Reason.NONE if state is None else state.reason,
            since_wall_ns=topic.since_wall_ns,
            stale=topic.heard_monotonic_ns is None or now_ns - topic.heard_monotonic_ns > STALE_AFTER_NS,
            sent_bits_per_second=topic.rate.bits_per_second(now_ns),
        )

    def subscribe(self, cameras: Collection[CameraId]) -> Subscription:
        """Listen to `cameras`, from what is in force on."""
        subscription = Subscription(self, tuple(dict.fromkeys(cameras)), self._limits)
        self._subscriptions[subscription] = None
        for camera in subscription.cameras:
            self._subscribe(subscription, camera)
        return subscription

    def forget(self, camera: CameraId) -> None:
        """The camera is gone: nothing is in force any more. Who listens to it hears nothing, until it comes again."""
        topic = self._topics.pop(camera, None)
        if topic is not None and topic.subscriptions:
            self._topics[camera] = _Topic(subscriptions=topic.subscriptions)

    def statistics(self) -> HubStatistics:
        return HubStatistics(
            subscribers=len(self._subscriptions),
            resyncs=self._resyncs,
            covers_dropped=self._covers_dropped,
            messages_published=self._messages,
            bytes_published=self._bytes,
            messages_skipped=self._skipped,
            queue_depths=tuple(subscription.depth for subscription in self._subscriptions),
            latency=self._latency.statistics(),
        )

    def _topic(self, camera: CameraId) -> _Topic:
        return self._topics.setdefault(camera, _Topic())

    def _note_state(self, topic: _Topic, scene: Scene, now_wall_ns: int) -> None:
        if topic.view.head is None or topic.view.head.session != scene.head.session:
            topic.grid_state = None
        if not isinstance(scene, State):
            return
        if scene.grid is not None:
            topic.grid_state = scene
        last = topic.view.state
        if last is None or topic.since_wall_ns == 0 or (last.condition, last.reason) != (scene.condition, scene.reason):
            topic.since_wall_ns = now_wall_ns

    def _leave(self, subscription: Subscription) -> None:
        if self._subscriptions.pop(subscription, subscription) is None:
            for camera in subscription.cameras:
                self._unsubscribe(subscription, camera)

    def _subscribe(self, subscription: Subscription, camera: CameraId) -> None:
        self._topic(camera).subscriptions[subscription] = None

    def _unsubscribe(self, subscription: Subscription, camera: CameraId) -> None:
        topic = self._topics.get(camera)
        if topic is not None:
            topic.subscriptions.pop(subscription, None)

    def _missing(self, camera: CameraId, known: SceneView) -> tuple[Scene, ...]:
        topic = self._topic(camera)
        return in_force(topic.view, topic.grid_state, known)

    def _count(self, *, resyncs: int = 0, covers_dropped: int = 0) -> None:
        self._resyncs += resyncs
        self._covers_dropped += covers_dropped


_NOTHING = _Topic()


@dataclass(frozen=True, slots=True)
class _Queued:
    camera: CameraId
    cover: bool
    view: SceneView   # the hub's, after this message
    data: bytes


class Subscription:
    """One viewer's messages: an async iterator of `CameraMessage` bytes, for one reader at a time.

    Full: covers go first, then the whole queue (see the module). Iteration ends when `close` is called.
    """

    def __init__(self, hub: Hub, cameras: tuple[CameraId, ...], limits: HubLimits) -> None:
        self.cameras = cameras
        self._hub = hub
        self._limits = limits
        self._queue: deque[_Queued] = deque()
        self._queue_bytes = 0
        self._behind: dict[CameraId, None] = dict.fromkeys(cameras)
        self._known: dict[CameraId, SceneView] = {camera: SceneView() for camera in cameras}
        self._catching_up: deque[tuple[CameraId, Scene]] = deque()
        self._wake = asyncio.Event()
        self._wake.set()
        self._closed = False

    def follow(self, cameras: Collection[CameraId]) -> None:
        """Listen to exactly these from now on: to new ones from what is in force on, to others as before."""
        wanted = tuple(dict.fromkeys(cameras))
        new = [camera for camera in wanted if camera not in self.cameras]
        gone = [camera for camera in self.cameras if camera not in wanted]
        if not new and not gone:
            return
        self.cameras = wanted
        for camera in gone:
            self._hub._unsubscribe(self, camera)
            self._behind.pop(camera, None)
            self._known.pop(camera, None)
        self._queue = deque(queued for queued in self._queue if queued.camera in wanted)
        self._queue_bytes = sum(len(queued.data) for queued in self._queue)
        self._catching_up = deque(each for each in self._catching_up if each[0] in wanted)
        for camera in new:
            self._known[camera] = SceneView()
            self._behind[camera] = None
            self._hub._subscribe(self, camera)
        self._wake.set()

    @property
    def depth(self) -> int:
        """Messages queued."""
        return len(self._queue)

    def close(self) -> None:
        """Stop listening; a waiting reader's iteration ends."""
        self._closed = True
        self._hub._leave(self)
        self._queue.clear()
        self._catching_up.clear()
        self._wake.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while True:
            if self._closed:
                raise StopAsyncIteration
            data = self.take()
            if data is not None:
                return data
            self._wake.clear()
            await self._wake.wait()

    def take(self) -> bytes | None:
        """The next message if there is one now."""
        if not self._catching_up and self._behind:
            # Before the queue: what is queued of other cameras was published later or has no order with this one's.
            self._catching_up.extend(self._catch_up())
        if self._catching_up:
            camera, scene = self._catching_up.popleft()
            self._known[camera] = follow(self._known[camera], scene)
            return _camera_message(camera, to_message(scene))
        if not self._queue:
            return None
        queued = self._queue.popleft()
        self._queue_bytes -= len(queued.data)
        # A reader that is not behind is where the hub was, but for covers that were left out, and after those a newer one is queued.
        self._known[queued.camera] = queued.view
        return queued.data

    def _catch_up(self) -> Iterator[tuple[CameraId, Scene]]:
        while self._behind:
            camera = next(iter(self._behind))
            del self._behind[camera]
            missing = self._hub._missing(camera, self._known[camera])
            if missing:
                yield from ((camera, scene) for scene in missing)
                return

    def _offer(self, camera: CameraId, cover: bool, view: SceneView, data: bytes) -> None:
        self._wake.set()
        if camera in self._behind:
            return
        if len(self._queue) >= self._limits.queue_messages or self._queue_bytes + len(data) > self._limits.queue_bytes:
            self._make_room(len(data))
            if camera in self._behind:
                return
        self._queue.append(_Queued(camera, cover, view, data))
        self._queue_bytes += len(data)

    def _make_room(self, needed_bytes: int) -> None:
        newest = {queued.camera: queued for queued in self._queue if queued.cover}
        kept = deque(q for q in self._queue if not q.cover or newest[q.camera] is q)
        kept_bytes = sum(len(queued.data) for queued in kept)
        # Half must be free, or a viewer that stands still would have its queue combed with every message.
        half_free = len(kept) * 2 <= self._limits.queue_messages and kept_bytes * 2 <= self._limits.queue_bytes
        if half_free and kept_bytes + needed_bytes <= self._limits.queue_bytes:
            self._hub._count(covers_dropped=len(self._queue) - len(kept))
            self._queue, self._queue_bytes = kept, kept_bytes
            return
        self._queue.clear()
        self._queue_bytes = 0
        self._catching_up.clear()
        self._behind = dict.fromkeys(self.cameras)
        self._hub._count(resyncs=1)


def _camera_message(camera: CameraId, message: pb.SceneMessage) -> bytes:
    return pb.CameraMessage(camera=camera, scene=message).SerializeToString(deterministic=True)
