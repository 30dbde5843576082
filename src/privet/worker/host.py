"""Hosts several cameras in one worker: a thread each, started again alone when it crashes.

Belongs here: threads, restarts, the heartbeat of every second. Does not belong here: what a pipeline does (camera), the process and its
pipe (worker.process, worker.send_queue). A supervisor in the sense of the style guide: it catches whatever a pipeline raises, says so and
goes on.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from privet.core.backoff import Losses
from privet.core.clock import NS_PER_S, Clock
from privet.core.ids import CameraId
from privet.core.machine import own_memory_bytes
from privet.core.pb import pipe_pb2
from privet.core.scene import Condition, Reason
from privet.pipe.crash_code import crash_code_of
from privet.pipe.placeholder import Placeholder
from privet.pipe.settings import CameraSettings
from privet.pipe.signing import CommissionRequest, no_picture
from privet.worker.send_queue import Emit, MessageSender, SendQueue, SendQueueClosedError

ERROR, WARNING, INFO = 40, 30, 20
MEMORY_EVERY_NS = 30 * NS_PER_S
"""Asking the kernel for a worker's memory takes it some ten milliseconds."""
WAIT_FOR_BUSY_NS = NS_PER_S // 4
"""For how long a heartbeat waits for cameras that are just saying something: for all of them together."""


class Pipeline(Protocol):
    """What a camera's thread runs (worker.camera.pipeline)."""

    @property
    def saving(self) -> Callable[[], bool]:
        """Tells, also after its end, whether a save of the camera's state is under way; holds no picture."""
        ...

    def run(self) -> None:
        """Block until `stop`, or until something went wrong that a new pipeline may cure."""
        ...

    def stop(self) -> None:
        """From another thread: `run` returns soon."""
        ...

    def resend(self) -> None:
        """From another thread: say background and light again."""
        ...

    def commission(self, request: CommissionRequest) -> None:
        """From another thread: carry out a signer's request, and answer it."""
        ...

    def heartbeat(self, wait_s: float) -> bool:
        """From another thread, once a second: say how the camera is. False: it was busy for all of wait_s, and nothing was said."""
        ...


MakePipeline = Callable[[CameraSettings, Emit], Pipeline]


class Host:
    """The cameras of one worker. They may change while it runs: each has a thread of its own, and no other camera's is touched."""

    def __init__(
        self, cameras: Sequence[CameraSettings], make: MakePipeline, send_queue: SendQueue, clock: Clock,
        memory_bytes: Callable[[], int] = own_memory_bytes,
    ) -> None:
        """memory_bytes: of this process."""
        self._ask_memory_bytes = memory_bytes
        self._make = make
        self._send_queue = send_queue
        self._clock = clock
        self._seats = {each.camera: self._seat(each) for each in cameras}  # replaced whole: the thread of heartbeats reads it
        self._memory_bytes = 0                  # the worker's, which every camera says
        self._memory_due_ns = clock.monotonic_ns()

    def start(self) -> None:
        """Start every camera's thread."""
        for seat in self._seats.values():
            seat.thread.start()

    def reconfigure(self, cameras: Sequence[CameraSettings]) -> None:
        """Host exactly these from now on. Cameras whose settings are the same go on untouched. Called from one thread."""
        before = self._seats
        wanted = {each.camera: each for each in cameras}
        began = {camera: self._seat(each) for camera, each in wanted.items() if camera not in before}
        self._seats = {camera: began[camera] if camera in began else before[camera] for camera in wanted}
        for camera, seat in before.items():
            if camera in wanted:
                seat.change(wanted[camera])
            else:
                seat.leave()
        for seat in began.values():
            seat.thread.start()

    def _seat(self, settings: CameraSettings) -> _Seat:
        return _Seat(settings, self._make, self._send_queue, self._clock)

    def resend(self, camera: str) -> None:
        """Let a camera say its background and light again; unknown cameras are ignored."""
        seat = self._seats.get(CameraId(camera))
        if seat is not None:
            seat.resend()

    def commission(self, request: CommissionRequest) -> None:
        """Hand a signer's request to its camera; it is answered in any case. Those of unknown cameras are ignored."""
        seat = self._seats.get(CameraId(request.camera))
        if seat is not None:
            seat.commission(request)

    def heartbeat(self) -> None:
        """Say how every camera is, and its counters; once a second. Errors as `SendQueue.put`.

        One thread says it of all: where the machine is full, sixteen that woke at once waited for each other for a second and more. One
        that is just encoding a background does not hold up the others: it is asked after them.
        """
        seats = tuple(self._seats.values())
        busy = [seat for seat in seats if not seat.heartbeat(0.0)]
        ends_ns = self._clock.monotonic_ns() + WAIT_FOR_BUSY_NS
        for seat in busy:
            seat.heartbeat(max(ends_ns - self._clock.monotonic_ns(), 0) / NS_PER_S)
        if (now_ns := self._clock.monotonic_ns()) >= self._memory_due_ns:
            self._memory_bytes = self._ask_memory_bytes()
            self._memory_due_ns = now_ns + MEMORY_EVERY_NS
        for seat in seats:
            seat.sender.report(self._memory_bytes)

    def stop(self, within_s: float) -> bool:
        """Stop every camera. Returns whether all threads ended in time."""
        for seat in self._seats.values():
            seat.stop()
        for seat in self._seats.values():
            seat.thread.join(within_s)
        return not any(seat.thread.is_alive() for seat in self._seats.values())


class _Seat:
    """One camera's place in the host: its thread and the pipeline that is in it now."""

    def __init__(self, settings: CameraSettings, make: MakePipeline, send_queue: SendQueue, clock: Clock) -> None:
        self.thread = threading.Thread(target=self._run, name=f"camera-{settings.camera}", daemon=True)
        self.sender: MessageSender = send_queue.sender(settings.camera)
        self._settings = settings
        self._make = make
        self._send_queue = send_queue
        self._clock = clock
        self._stopping = threading.Event()
        self._woken = threading.Event()             # stopped, or told otherwise since the last pipeline was made
        self._leaving = False                       # taken from this worker, which goes on
        self._saving: Callable[[], bool] = lambda: False    # of the last pipeline
        self._lock = threading.Lock()
        self._pipeline: Pipeline | None = None
        self._made_of: CameraSettings | None = None  # what the pipeline was made with
        self._number = 0                            # where a heartbeat crashed

    def change(self, settings: CameraSettings) -> None:
        """Begin anew with other settings; the same ones change nothing."""
        with self._lock:
            if settings == self._settings:
                return
            self._settings = settings
            self._woken.set()
            if self._pipeline is not None:
                self._pipeline.stop()

    def leave(self) -> None:
        """End. The last word is that it did, unless the disk does not answer: then something may still be written, and nobody else may
        take the camera until this process is gone."""
        self._leaving = True
        self.stop()

    def resend(self) -> None:
        with self._lock:
            if self._pipeline is not None:
                self._pipeline.resend()

    def commission(self, request: CommissionRequest) -> None:
        with self._lock:
            if self._pipeline is not None:
                self._pipeline.commission(request)
                return
        self.sender(no_picture(request))

    def heartbeat(self, wait_s: float) -> bool:
        with self._lock:                            # no pipeline speaks any more when the next one begins
            if self._pipeline is None:
                return True
            try:
                return self._pipeline.heartbeat(wait_s)
            except SendQueueClosedError:
                raise
            except Exception as error:  # noqa: BLE001 (a supervisor: one camera's crash is not another's)
                self._number = crash_code_of(error)
                self._pipeline.stop()
                return True

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()
        with self._lock:
            if self._pipeline is not None:
                self._pipeline.stop()

    def _run(self) -> None:
        try:
            self._live()
            if self._leaving and not self._saving():
                self.sender(pipe_pb2.Log(level=INFO, code=pipe_pb2.LOG_CODE_CAMERA_ENDED, number=0))
        except SendQueueClosedError:
            return

    def _live(self) -> None:
        losses = Losses()
        while not self._stopping.is_set():
            began_ns = self._clock.monotonic_ns()
            lost = self._run_once()
            if self._stopping.is_set():
                return
            if lost:
                losses = losses.lost(self._clock.monotonic_ns() - began_ns)
                self._wait(losses.wait_ns(random.random()))  # noqa: S311 (spreads restarts, keeps no secret)
                if self._woken.is_set():            # with other settings it has not failed yet
                    losses = Losses()
            self.sender = self._send_queue.sender(self._settings.camera)

    def _run_once(self) -> bool:
        """One pipeline from start to end. Returns whether it ended although nobody asked it to."""
        try:
            with self._lock:
                self._made_of = self._settings
                self._woken.clear()
            pipeline = self._make(self._made_of, self.sender)
            with self._lock:
                self._pipeline, self._number, self._saving = pipeline, 0, pipeline.saving
                changed = self._settings is not self._made_of
            if changed or self._stopping.is_set():  # asked for before there was a pipeline to stop
                return False
            pipeline.run()
            number = self._number
        except SendQueueClosedError:
            raise
        except Exception as error:  # noqa: BLE001 (a supervisor: one camera's crash is not another's)
            number = crash_code_of(error)
        finally:
            with self._lock:
                self._pipeline = None
                changed = self._settings is not self._made_of
        if (changed and number == 0) or self._stopping.is_set():
            return False
        self.sender(pipe_pb2.Log(level=ERROR, code=pipe_pb2.LOG_CODE_CAMERA_CRASHED, number=number))
        return True

    def _wait(self, duration_ns: int) -> None:
        """Wait before the next start, unless woken; say once a second that the camera is offline for now."""
        placeholder = Placeholder()
        ends_ns = self._clock.monotonic_ns() + duration_ns
        while (left_ns := ends_ns - self._clock.monotonic_ns()) > 0:
            self.sender(placeholder.say(Condition.OFFLINE, Reason.WORKER, self._clock.wall_ns()))
            if self._woken.wait(min(left_ns, NS_PER_S) / NS_PER_S):
                return
