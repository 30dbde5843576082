"""Starts the workers, hears them, starts again what was lost. It never sees a live pixel and takes every worker to be hostile.

Belongs here: a worker's life from outside, and what is said of its cameras while it is down. Does not belong here: the process
itself (launch), the checks (inspection), and where messages go (the `Listener`).

A worker's life: started, told its settings, heard; every message is checked. It is ended when it says something that breaks the
rules or says nothing for `Patience.hung_after_s` (`first_word_within_s` from its start). Lost once, it is started again at once; lost again
and again, after a jittered wait that grows to 30 s. From the loss to a camera's next word a stand-in says once a second why.

What a worker answers to a signer (commissioning) never reaches the `Listener`: it is handed to whoever asked. An answer that nobody
asked for breaks the rules.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import anyio
import anyio.abc

from privet.core.backoff import Losses
from privet.core.clock import NS_PER_S, Clock
from privet.core.declared import said
from privet.core.errors import WireError
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Condition, Reason
from privet.main.allowance import Allowance
from privet.main.inspector import SAVED_FOR_S, Inspector
from privet.main.pending_requests import ANSWER_WITHIN_S, OfferLimit, PendingRequests
from privet.pipe.placeholder import Placeholder
from privet.pipe.settings import WorkerSettings
from privet.pipe.signing import CommissionAnswer, CommissionRequest, no_picture, to_worker

log = logging.getLogger("privet.supervisor")

DECISIONS_PER_SECOND = next(each.per_second for each in said() if each.kind == "commissioned")

_jitter = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long a worker may say nothing (before its first report, and after), and take to stop; how often it is spoken for."""

    first_word_within_s: float = 60.0
    hung_after_s: float = 10.0
    stop_within_s: float = 10.0
    standin_every_s: float = 1.0


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


def plan_workers(cameras: Sequence[CameraId], cameras_per_worker: int) -> tuple[tuple[CameraId, ...], ...]:
    """Return which cameras share a worker: ceil(n / cameras_per_worker) workers, dealt like cards. Pure.

    Cameras that stand together in a register look at one square or one corridor: they are busy together, so one process would get all of
    them (and one interpreter's lock), and blind together if it were lost.
    """
    if cameras_per_worker < 1:
        raise ValueError(f"{cameras_per_worker} cameras per worker: at least 1")
    workers = -(-len(cameras) // cameras_per_worker)
    return tuple(tuple(cameras[first::workers]) for first in range(workers))


@dataclass(slots=True)
class _Worker:
    """One worker's place: its settings and what is known of the process in it now."""

    number: int
    settings: WorkerSettings
    process: WorkerProcess | None = None
    pending: PendingRequests = field(default_factory=PendingRequests)
    restarts: int = 0
    losses: Losses = field(default_factory=Losses)
    placeholders: dict[CameraId, Placeholder] = field(default_factory=dict)  # of the cameras that have not spoken yet
    reason: Reason = Reason.NONE                                     # what they say


@dataclass(slots=True)
class _Silence:
    """Since when a worker has said nothing (anyio's clock), and for how long it may. A time-out for every message costs more than that."""

    since_s: float
    patience_s: float

    def left_s(self) -> float:
        return self.since_s + self.patience_s - anyio.current_time()


@dataclass(frozen=True, slots=True)
class WorkerStatistics:
    """One worker as the metrics show it. pid: 0 while it is down."""

    number: int
    cameras: tuple[CameraId, ...]
    pid: int
    restarts: int


class Supervisor:
    """All workers of this machine."""

    def __init__(
        self,
        workers: Sequence[WorkerSettings],
        launch: Launch,
        listener: Listener,
        clock: Clock,
        draw: Callable[[], float] = _jitter.random,
        patience: Patience | None = None,
    ) -> None:
        """draw: uniform in [0, 1), for the jitter; tests give their own."""
        self._workers = [_Worker(number, settings) for number, settings in enumerate(workers)]
        self._launch = launch
        self._listener = listener
        self._clock = clock
        self._draw = draw
        self._patience = patience or Patience()
        self._offers = OfferLimit(clock)
        self._decisions: dict[CameraId, Allowance] = {}
        self._stopping = anyio.Event()

    async def run(self) -> None:
        """Keep every worker running until `stop`; on return every worker is gone, on cancellation they are killed."""
        async with anyio.create_task_group() as group:
            for worker in self._workers:
                group.start_soon(self._keep, worker)

    async def stop(self) -> None:
        """Tell every worker to stop; `run` returns when they have, killing those that do not within `Patience.stop_within_s`."""
        self._stopping.set()
        for worker in self._workers:
            if worker.process is not None:
                await worker.process.send(pipe_pb2.SupervisorMessage(stop=pipe_pb2.Stop()))

    async def resend(self, camera: CameraId) -> None:
        """Ask a camera's worker for the whole background and light again."""
        for worker in self._workers:
            if camera in worker.settings.camera_ids() and worker.process is not None:
                await worker.process.send(pipe_pb2.SupervisorMessage(resend=pipe_pb2.Resend(camera=camera)))

    async def offer(self, camera: CameraId) -> pipe_pb2.Candidate:
        """Ask a camera's worker for what is to be signed; at most one in OFFER_EVERY_NS. The answer is the caller's alone."""
        request = pipe_pb2.CommissionOffer(camera=camera)
        if not self._offers.draw(camera):
            return pipe_pb2.Candidate(answer=pipe_pb2.OFFER_ANSWER_TOO_SOON)
        answer = await self._ask(camera, request)
        return answer if isinstance(answer, pipe_pb2.Candidate) else pipe_pb2.Candidate(answer=pipe_pb2.OFFER_ANSWER_NO_PICTURE)

    async def sign(self, camera: CameraId, offer: bytes, blocks: bytes) -> pipe_pb2.Commissioned:
        """Tell a camera's worker that a person signed. blocks: bitmap of the offer's grid, empty for all of it.

        The answer is UNSPECIFIED if the worker was lost, or said nothing: then nobody knows whether it was carried out.
        """
        if not self._may_decide(camera):
            return pipe_pb2.Commissioned(answer=pipe_pb2.SIGNING_ANSWER_NO_PICTURE)
        answer = await self._ask(camera, pipe_pb2.CommissionSign(camera=camera, offer=offer, blocks=blocks))
        return answer if isinstance(answer, pipe_pb2.Commissioned) else pipe_pb2.Commissioned()

    async def refuse(self, camera: CameraId, offer: bytes) -> pipe_pb2.Commissioned:
        """Tell a camera's worker that a person refused. The answer as of `sign`."""
        if not self._may_decide(camera):
            return pipe_pb2.Commissioned(answer=pipe_pb2.SIGNING_ANSWER_NO_PICTURE)
        answer = await self._ask(camera, pipe_pb2.CommissionRefuse(camera=camera, offer=offer))
        return answer if isinstance(answer, pipe_pb2.Commissioned) else pipe_pb2.Commissioned()

    def _may_decide(self, camera: CameraId) -> bool:
        """Whether a decision may be handed on now: each is answered, and answers count among what can leave."""
        now_ns = self._clock.monotonic_ns()
        if camera not in self._decisions:
            self._decisions[camera] = Allowance(DECISIONS_PER_SECOND, DECISIONS_PER_SECOND * SAVED_FOR_S, now_ns)
        return self._decisions[camera].take(now_ns)

    async def _ask(self, camera: CameraId, request: CommissionRequest) -> CommissionAnswer | None:
        """Send a numbered request and wait for its answer; None if none came in time."""
        worker = next((each for each in self._workers if camera in each.settings.camera_ids()), None)
        if worker is None or worker.process is None:
            return no_picture(request)
        begun = worker.pending.begin(camera, offers=isinstance(request, pipe_pb2.CommissionOffer))
        if begun is None:
            return no_picture(request)
        request.request, request_pending = begun
        await worker.process.send(to_worker(request))
        with anyio.move_on_after(ANSWER_WITHIN_S):
            await request_pending.done.wait()
        return request_pending.answer

    def statistics(self) -> tuple[WorkerStatistics, ...]:
        """Every worker, running or not."""
        return tuple(
            WorkerStatistics(
                worker.number, worker.settings.camera_ids(), 0 if worker.process is None else worker.process.pid, worker.restarts
            )
            for worker in self._workers
        )

    async def _keep(self, worker: _Worker) -> None:
        worker.placeholders = {camera: Placeholder() for camera in worker.settings.camera_ids()}
        async with anyio.create_task_group() as group:
            group.start_soon(self._say_placeholders, worker)
            while not self._stopping.is_set():
                began_ns = self._clock.monotonic_ns()
                await self._live_once(worker)
                if self._stopping.is_set():
                    break
                worker.restarts += 1
                worker.losses = worker.losses.lost(self._clock.monotonic_ns() - began_ns)
                worker.reason = Reason.WORKER
                worker.placeholders = {camera: Placeholder() for camera in worker.settings.camera_ids()}
                self._say_for_silent(worker)
                self._listener.worker_lost(worker.settings.camera_ids())
                delay_ns = worker.losses.wait_ns(self._draw())
                log.warning(
                    "worker %d was lost and is started again in %.1f s; cameras: %s",
                    worker.number, delay_ns / NS_PER_S, ", ".join(worker.settings.camera_ids()),
                )
                with anyio.move_on_after(delay_ns / NS_PER_S):
                    await self._stopping.wait()
            group.cancel_scope.cancel()

    async def _live_once(self, worker: _Worker) -> None:
        """One process from start to end, whatever ends it."""
        try:
            process = await self._launch()
        except OSError as error:
            log.error("worker %d cannot be started: %s", worker.number, error.strerror)
            return
        worker.process = process
        worker.pending = PendingRequests()
        try:
            start = pipe_pb2.Start(settings=worker.settings.model_dump_json().encode())
            await process.send(pipe_pb2.SupervisorMessage(start=start))
            if self._stopping.is_set():
                await process.send(pipe_pb2.SupervisorMessage(stop=pipe_pb2.Stop()))
            async with anyio.create_task_group() as group:
                silence = _Silence(anyio.current_time(), self._patience.first_word_within_s)
                group.start_soon(self._limit_stop, group.cancel_scope)
                group.start_soon(self._limit_silence, worker.number, silence, group.cancel_scope)
                await self._hear(worker, process, silence)
                group.cancel_scope.cancel()
        finally:
            worker.process = None
            worker.pending.lost()
            with anyio.CancelScope(shield=True):
                status = await process.end()
            if not self._stopping.is_set():
                log.warning("worker %d (process %d) ended with status %d", worker.number, process.pid, status)

    async def _limit_stop(self, scope: anyio.CancelScope) -> None:
        await self._stopping.wait()
        await anyio.sleep(self._patience.stop_within_s)
        scope.cancel()

    async def _limit_silence(self, number: int, silence: _Silence, scope: anyio.CancelScope) -> None:
        """End a worker's life once it has said nothing for too long."""
        while (left_s := silence.left_s()) > 0:
            await anyio.sleep(min(left_s, self._patience.hung_after_s))
        log.error("worker %d said nothing for %.0f s and is ended", number, silence.patience_s)
        scope.cancel()

    async def _hear(self, worker: _Worker, process: WorkerProcess, silence: _Silence) -> None:
        """Hand on what a worker says, until it ends or breaks the rules."""
        inspector = Inspector(worker.settings.camera_ids(), self._clock, worker.settings.covers_per_second)
        while True:
            try:
                body = await process.receive()
                if body is None:
                    return
                silence.since_s = anyio.current_time()
                message = inspector.inspect(body)
                self._hand_on(worker, message)
            except WireError as error:
                log.error("worker %d broke the rules of its pipe and is ended: %s", worker.number, error)
                return
            if message.WhichOneof("kind") == "health":
                silence.patience_s = self._patience.hung_after_s  # reports come once a second from the first one on

    def _hand_on(self, worker: _Worker, message: pipe_pb2.WorkerMessage) -> None:
        camera = CameraId(message.camera)
        match message.WhichOneof("kind"):
            case "scene":
                worker.placeholders.pop(camera, None)
                self._listener.scene(camera, message.scene)
            case "promotion":
                self._listener.promotion(camera, message.promotion)
            case "health":
                self._listener.health(camera, message.health)
            case "candidate":
                worker.pending.answered(camera, message.candidate)
            case "commissioned":
                worker.pending.answered(camera, message.commissioned)
            case _:
                self._listener.logged(message.camera, message.log)

    async def _say_placeholders(self, worker: _Worker) -> None:
        """Speak once a second for the cameras that have not spoken since the worker was (re)started."""
        while True:
            self._say_for_silent(worker)
            await anyio.sleep(self._patience.standin_every_s)

    def _say_for_silent(self, worker: _Worker) -> None:
        condition = Condition.STARTING if worker.reason is Reason.NONE else Condition.OFFLINE
        for camera, placeholder in worker.placeholders.items():
            self._listener.scene(camera, placeholder.say(condition, worker.reason, self._clock.wall_ns()))
