"""All workers of this machine: each is kept alive, and cameras come to them and go while they run.

Belongs here: the set of workers and what is asked of all of them. Does not belong here: one worker's life (worker_life), which worker
hosts which camera (assignment). The supervisor never sees a live pixel and takes every worker to be hostile.

What a worker answers to a signer never reaches the `Listener`: it is handed to whoever asked. An answer that nobody asked for breaks
the rules.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import anyio
import anyio.abc
import anyio.to_thread

from privet.core.clock import Clock
from privet.core.declared import said
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.main.assignment import Hosted
from privet.main.inspector import SAVED_FOR_S, Allowances
from privet.main.pending_requests import OfferLimit
from privet.main.worker_life import Launch, Listener, Patience, WorkerLife
from privet.pipe.allowance import Allowance
from privet.pipe.settings import WorkerSettings
from privet.pipe.signing import CommissionAnswer, CommissionRequest, no_picture

DECISIONS_PER_SECOND = next(each.per_second for each in said() if each.kind == "commissioned")

_jitter = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class WorkerStatistics:
    """One worker as the metrics show it. pid: 0 while it is down."""

    number: int
    cameras: tuple[CameraId, ...]
    pid: int
    restarts: int


class Supervisor:
    """The workers, by number. Everything happens in the event loop's thread."""

    def __init__(
        self,
        workers: Mapping[int, WorkerSettings],
        launch: Launch,
        listener: Listener,
        clock: Clock,
        draw: Callable[[], float] = _jitter.random,
        patience: Patience | None = None,
        clear_away: Callable[[int], None] = lambda _number: None,
    ) -> None:
        """draw: uniform in [0, 1), for the jitter; tests give their own. clear_away: removes what a worker that is not named any more left
        on the disk; called in a thread.
        """
        self._launch = launch
        self._listener = listener
        self._clock = clock
        self._draw = draw
        self._patience = Patience() if patience is None else patience
        self._allowances = Allowances(clock)
        self._workers = {number: self._life(number, settings) for number, settings in workers.items()}
        self._ended: dict[int, anyio.Event] = {}
        self._clear_away = clear_away
        self._offers = OfferLimit(clock)
        self._decisions: dict[CameraId, Allowance] = {}
        self._stopping = anyio.Event()
        self._group: anyio.abc.TaskGroup | None = None
        self._changing = anyio.Lock()

    async def run(self) -> None:
        """Keep every worker running until `stop`; on return every worker is gone, on cancellation they are killed."""
        async with anyio.create_task_group() as group:
            self._group = group
            for worker in self._workers.values():
                self._begin(group, worker)
            await self._stopping.wait()

    async def stop(self) -> None:
        """Tell every worker to stop; `run` returns when they have, killing those that take too long."""
        self._stopping.set()
        for worker in tuple(self._workers.values()):
            await worker.stop()

    async def reconfigure(self, plan: Callable[[Mapping[int, Hosted]], Mapping[int, WorkerSettings]]) -> None:
        """Have exactly these workers from now on. plan: from what each worker hosts now, and was started with, to what it is to host.

        Who gives cameras up does so before anybody takes them over, since two workers must not write one camera's state. Workers that are
        told the same go on untouched; those that are not named any more end. After `stop` nothing is changed.
        """
        async with self._changing:
            if self._stopping.is_set() or self._group is None:
                return
            wanted = plan(self.hosted())
            before = dict(self._workers)
            async with anyio.create_task_group() as group:
                for number, worker in before.items():
                    if number not in wanted:
                        group.start_soon(self._end, worker)
                    elif worker.settings != wanted[number]:
                        group.start_soon(worker.reconfigure, wanted[number])
            for number in sorted(wanted.keys() - before.keys()):
                if not self._stopping.is_set():
                    self._workers[number] = worker = self._life(number, wanted[number])
                    self._begin(self._group, worker)

    def hosted(self) -> dict[int, Hosted]:
        """What each worker hosts now, and what it was started with."""
        return {number: Hosted(worker.started, worker.settings) for number, worker in self._workers.items()}

    async def resend(self, camera: CameraId) -> None:
        """Ask a camera's worker for the whole background and light again."""
        worker = self._host_of(camera)
        if worker is not None:
            await worker.send(pipe_pb2.SupervisorMessage(resend=pipe_pb2.Resend(camera=camera)))

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

    def forget(self, camera: CameraId) -> None:
        """The camera is gone: if it comes again, it may say and be asked what a new one may."""
        self._allowances.forget(camera)
        self._decisions.pop(camera, None)

    def statistics(self) -> tuple[WorkerStatistics, ...]:
        """Every worker, running or not."""
        return tuple(
            WorkerStatistics(number, worker.settings.camera_ids(), worker.pid, worker.restarts)
            for number, worker in sorted(self._workers.items())
        )

    def _may_decide(self, camera: CameraId) -> bool:
        """Whether a decision may be handed on now: each is answered, and answers count among what can leave."""
        now_ns = self._clock.monotonic_ns()
        if camera not in self._decisions:
            self._decisions[camera] = Allowance(DECISIONS_PER_SECOND, DECISIONS_PER_SECOND * SAVED_FOR_S, now_ns)
        return self._decisions[camera].take(now_ns)

    async def _ask(self, camera: CameraId, request: CommissionRequest) -> CommissionAnswer | None:
        worker = self._host_of(camera)
        return no_picture(request) if worker is None else await worker.ask(camera, request)

    def _host_of(self, camera: CameraId) -> WorkerLife | None:
        return next((worker for worker in self._workers.values() if camera in worker.settings.camera_ids()), None)

    def _life(self, number: int, settings: WorkerSettings) -> WorkerLife:
        return WorkerLife(number, settings, self._launch, self._listener, self._clock, self._draw, self._patience, self._allowances)

    def _begin(self, group: anyio.abc.TaskGroup, worker: WorkerLife) -> None:
        self._ended[worker.number] = anyio.Event()
        group.start_soon(self._keep, worker, self._ended[worker.number])

    async def _keep(self, worker: WorkerLife, ended: anyio.Event) -> None:
        try:
            await worker.keep()
        finally:
            ended.set()

    async def _end(self, worker: WorkerLife) -> None:
        """End a worker that hosts nothing any more, and forget it."""
        await worker.stop()
        await self._ended[worker.number].wait()
        del self._workers[worker.number], self._ended[worker.number]
        await anyio.to_thread.run_sync(self._clear_away, worker.number)
