"""One worker from outside: its process is started, told its settings, heard, and started again when it was lost.

Belongs here: a worker's life and what is said of its cameras while it is down. Does not belong here: which worker hosts which camera
(assignment), the process itself (launch), the checks (inspector), and where messages go (the `Listener`).

A worker's life: started, told its settings, heard; every message is checked. It is ended when it says something that breaks the
rules or says nothing for `Patience.hung_after_s` (`first_word_within_s` from its start). Lost once, it is started again at once; lost again
and again, after a jittered wait that grows to 30 s. From the loss to a camera's next word a placeholder says once a second why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import anyio
import anyio.abc

from privet.core.backoff import Losses
from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import WireError
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Condition, Reason
from privet.main.inspector import Allowances, Inspector
from privet.main.pending_requests import ANSWER_WITHIN_S, PendingRequests
from privet.pipe.placeholder import Placeholder
from privet.pipe.settings import WorkerSettings
from privet.pipe.signing import CommissionAnswer, CommissionRequest, no_picture, to_worker

log = logging.getLogger("privet.supervisor")


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long a worker may say nothing (before its first report, and after), and take to stop; how often it is spoken for."""

    first_word_within_s: float = 60.0
    hung_after_s: float = 10.0
    stop_within_s: float = 10.0
    placeholder_every_s: float = 1.0


class WorkerProcess(Protocol):
    """A running worker, seen from outside."""

    @property
    def pid(self) -> int: ...

    async def send(self, message: pipe_pb2.SupervisorMessage) -> None:
        """Say something to it; a worker that is gone is not an error here: `receive` says so."""
        ...

    async def receive(self) -> bytes | None:
        """Return the next message's body; None when the worker has closed its side. Raises WireError."""
        ...

    async def end(self) -> int:
        """Kill it if it still lives; return how it ended (negative: by which signal)."""
        ...


class Launch(Protocol):
    """How a worker is started (main.launch starts a process)."""

    async def __call__(self) -> WorkerProcess:
        """Raises OSError when none can be started."""
        ...


class Listener(Protocol):
    """Where checked messages go. Called in the event loop; never blocks. A `WireError` ends the worker as the checks' own do."""

    def scene(self, camera: CameraId, message: scene_pb2.SceneMessage) -> None: ...

    def promotion(self, camera: CameraId, promotion: pipe_pb2.Promotion) -> None: ...

    def health(self, camera: CameraId, health: pipe_pb2.Health) -> None: ...

    def logged(self, camera: str, entry: pipe_pb2.Log) -> None: ...

    def worker_lost(self, cameras: Sequence[CameraId]) -> None: ...


@dataclass(slots=True)
class _Silence:
    """Since when a worker has said nothing (anyio's clock), and for how long it may. A time-out for every message costs more than that."""

    since_s: float
    patience_s: float

    def left_s(self) -> float:
        return self.since_s + self.patience_s - anyio.current_time()


class WorkerLife:
    """One worker: its settings, and what is known of the process in it now."""

    def __init__(
        self, number: int, settings: WorkerSettings, launch: Launch, listener: Listener, clock: Clock, draw: Callable[[], float],
        patience: Patience, allowances: Allowances,
    ) -> None:
        """draw: uniform in [0, 1), for the jitter of restarts. allowances: of all workers, kept from one process to the next."""
        self.number = number
        self.settings = settings
        self.started = settings             # what the process was started with, and is confined to
        self.restarts = 0
        self._launch = launch
        self._listener = listener
        self._clock = clock
        self._draw = draw
        self._patience = patience
        self._stopping = anyio.Event()
        self._process: WorkerProcess | None = None
        self._allowances = allowances
        self._inspector = Inspector((), allowances)
        self._pending = PendingRequests()
        self._leaving: dict[CameraId, anyio.Event] = {}
        self._placeholders: dict[CameraId, Placeholder] = {}    # of the cameras that have not spoken yet
        self._reason = Reason.NONE                              # what those say
        self._life: anyio.CancelScope | None = None
        self._spoken = anyio.Event()                            # the process in it has begun to speak
        self._gone = anyio.Event()                              # and is no more

    @property
    def pid(self) -> int:
        """The process' id; 0 while there is none."""
        return 0 if self._process is None else self._process.pid

    async def keep(self) -> None:
        """Keep the worker running until `stop`; on return its process is gone, on cancellation it is killed."""
        self._placeholders = {camera: Placeholder() for camera in self.settings.camera_ids()}
        losses = Losses()
        async with anyio.create_task_group() as group:
            group.start_soon(self._speak_for_silent)
            while not self._stopping.is_set():
                began_ns = self._clock.monotonic_ns()
                await self._live_once()
                if self._stopping.is_set():
                    break
                self.restarts += 1
                losses = losses.lost(self._clock.monotonic_ns() - began_ns)
                self._reason = Reason.WORKER
                self._placeholders = {camera: Placeholder() for camera in self.settings.camera_ids()}
                self._say_for_silent()
                self._listener.worker_lost(self.settings.camera_ids())
                delay_ns = losses.wait_ns(self._draw())
                log.warning(
                    "worker %d was lost and is started again in %.1f s; cameras: %s",
                    self.number, delay_ns / NS_PER_S, ", ".join(self.settings.camera_ids()),
                )
                with anyio.move_on_after(delay_ns / NS_PER_S):
                    await self._stopping.wait()
            group.cancel_scope.cancel()

    async def stop(self) -> None:
        """Tell the worker to end; `keep` returns when it has, and kills it if it takes too long."""
        self._stopping.set()
        await self.send(pipe_pb2.SupervisorMessage(stop=pipe_pb2.Stop()))

    async def send(self, message: pipe_pb2.SupervisorMessage) -> None:
        """Say something to the process, if there is one."""
        if self._process is not None:
            await self._process.send(message)

    async def reconfigure(self, settings: WorkerSettings) -> None:
        """Host other cameras, or the same ones otherwise. Returns when every camera that it gave up has said its last word.

        A worker that does not give a camera up in time is ended and started again without it.
        """
        gone = [camera for camera in self.settings.camera_ids() if camera not in settings.camera_ids()]
        new = [camera for camera in settings.camera_ids() if camera not in self.settings.camera_ids()]
        self.settings = settings
        for camera in gone:
            self._placeholders.pop(camera, None)
        self._placeholders |= {camera: Placeholder() for camera in new}
        if self._process is None:
            return              # the next process is started with these settings
        self._leaving = {camera: anyio.Event() for camera in gone}
        self._inspector.host(settings.camera_ids(), settings.covers_per_second)
        await self.send(pipe_pb2.SupervisorMessage(reconfigure=pipe_pb2.Reconfigure(settings=settings.model_dump_json().encode())))
        self._pending.leave(gone)
        if not await self._gave_up() and self._life is not None:
            log.error("worker %d did not give up %s in time and is ended", self.number, ", ".join(gone))
            self._life.cancel()
            await self._gone.wait()     # two processes must not write one camera's state

    async def _gave_up(self) -> bool:
        """Wait until all that leave have said their last word; a worker that is just starting is given the time for its first."""
        if not self._leaving:
            return True
        with anyio.move_on_after(self._patience.first_word_within_s):
            await self._spoken.wait()
        with anyio.move_on_after(self._patience.stop_within_s):
            for event in tuple(self._leaving.values()):
                await event.wait()
            return True
        return False

    async def ask(self, camera: CameraId, request: CommissionRequest) -> CommissionAnswer | None:
        """Send a signer's request, numbered, and wait for its answer; None if none came in time."""
        if self._process is None:
            return no_picture(request)
        begun = self._pending.begin(camera, offers=isinstance(request, pipe_pb2.CommissionOffer))
        if begun is None:
            return no_picture(request)
        request.request, pending = begun
        await self._process.send(to_worker(request))
        with anyio.move_on_after(ANSWER_WITHIN_S):
            await pending.done.wait()
        return pending.answer

    async def _live_once(self) -> None:
        """One process from start to end, whatever ends it."""
        try:
            process = await self._launch()
        except OSError as error:
            log.error("worker %d cannot be started: %s", self.number, error.strerror)
            return
        self._process, self.started = process, self.settings
        self._inspector = Inspector(
            self.settings.camera_ids(), self._allowances, self.settings.covers_per_second, f"worker {self.number}"
        )
        self._pending = PendingRequests()
        self._spoken, self._gone = anyio.Event(), anyio.Event()
        try:
            start = pipe_pb2.Start(settings=self.settings.model_dump_json().encode())
            await process.send(pipe_pb2.SupervisorMessage(start=start))
            if self._stopping.is_set():
                await process.send(pipe_pb2.SupervisorMessage(stop=pipe_pb2.Stop()))
            async with anyio.create_task_group() as group:
                self._life = group.cancel_scope
                silence = _Silence(anyio.current_time(), self._patience.first_word_within_s)
                group.start_soon(self._limit_stop, group.cancel_scope)
                group.start_soon(self._limit_silence, silence, group.cancel_scope)
                await self._hear(process, silence)
                group.cancel_scope.cancel()
        finally:
            self._process = self._life = None
            self._pending.lost()
            self._all_left()
            with anyio.CancelScope(shield=True):
                status = await process.end()
            self._spoken.set()
            self._gone.set()
            if not self._stopping.is_set():
                log.warning("worker %d (process %d) ended with status %d", self.number, process.pid, status)

    def _all_left(self) -> None:
        for event in self._leaving.values():
            event.set()
        self._leaving = {}

    async def _limit_stop(self, scope: anyio.CancelScope) -> None:
        await self._stopping.wait()
        await anyio.sleep(self._patience.stop_within_s)
        scope.cancel()

    async def _limit_silence(self, silence: _Silence, scope: anyio.CancelScope) -> None:
        """End a worker's life once it has said nothing for too long."""
        while (left_s := silence.left_s()) > 0:
            await anyio.sleep(min(left_s, self._patience.hung_after_s))
        log.error("worker %d said nothing for %.0f s and is ended", self.number, silence.patience_s)
        scope.cancel()

    async def _hear(self, process: WorkerProcess, silence: _Silence) -> None:
        """Hand on what a worker says, until it ends or breaks the rules."""
        while True:
            try:
                body = await process.receive()
                if body is None:
                    return
                silence.since_s = anyio.current_time()
                self._spoken.set()
                message = self._inspector.inspect(body)
                if self._inspector.hosts(message.camera):
                    self._hand_on(message)
                else:
                    self._last_words(message)
            except WireError as error:
                log.error("worker %d broke the rules of its pipe and is ended: %s", self.number, error)
                return
            if message.WhichOneof("kind") == "health":
                silence.patience_s = self._patience.hung_after_s  # reports come once a second from the first one on

    def _hand_on(self, message: pipe_pb2.WorkerMessage) -> None:
        camera = CameraId(message.camera)
        match message.WhichOneof("kind"):
            case "scene":
                self._placeholders.pop(camera, None)
                self._listener.scene(camera, message.scene)
            case "promotion":
                self._listener.promotion(camera, message.promotion)
            case "health":
                self._listener.health(camera, message.health)
            case "candidate":
                self._pending.answered(camera, message.candidate)
            case "commissioned":
                self._pending.answered(camera, message.commissioned)
            case _:
                self._listener.logged(message.camera, message.log)

    def _last_words(self, message: pipe_pb2.WorkerMessage) -> None:
        """What is still said of a camera that the worker hosts no more goes nowhere; that it ended is heard."""
        if message.log.code == pipe_pb2.LOG_CODE_CAMERA_ENDED and (event := self._leaving.pop(CameraId(message.camera), None)) is not None:
            event.set()

    async def _speak_for_silent(self) -> None:
        """Speak once a second for the cameras that have not spoken since the worker was (re)started."""
        while True:
            self._say_for_silent()
            await anyio.sleep(self._patience.placeholder_every_s)

    def _say_for_silent(self) -> None:
        condition = Condition.STARTING if self._reason is Reason.NONE else Condition.OFFLINE
        for camera, placeholder in self._placeholders.items():
            self._listener.scene(camera, placeholder.say(condition, self._reason, self._clock.wall_ns()))
