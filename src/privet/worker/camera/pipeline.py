"""One camera inside a worker: its threads, from the first connection to the last thing said.

A live frame's way, a file a step: `ingest` gives it out as `frame_demand` asks, here it is received, `take` looks at it unless
`load_shedding` says otherwise, `scene.analyst` observes it, `scene_sender` and `scene_encoder` put what was seen into messages, and
`worker.send_queue` writes them to the pipe.

Belongs here: putting those together, starting and ending them, and the heartbeat. Does not belong here: what any of them does.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from typing import Protocol

from privet.core.clock import NS_PER_MS, NS_PER_S, Clock
from privet.core.frame import Frame
from privet.core.pb import pipe_pb2
from privet.ingest.frame_demand import FrameConsumer
from privet.ingest.reconnect import Link, LinkState, Reconnector
from privet.ingest.source import Source
from privet.pipe.settings import CameraSettings
from privet.pipe.signing import CommissionRequest
from privet.scene.analyst import Analyst
from privet.scene.proof.looks import Detector
from privet.scene.settings import AnalystSettings
from privet.scene.state_format import StoredScene
from privet.worker.camera.decoding_log import DecodingLog
from privet.worker.camera.frame_demand import MainDemand
from privet.worker.camera.health import Reception, health_message
from privet.worker.camera.log_limit import LogLimit
from privet.worker.camera.scene_encoder import SceneEncoder
from privet.worker.camera.scene_sender import SceneSender
from privet.worker.camera.state_saving import SceneSaving, StateSaving, StateStore
from privet.worker.camera.steady_source import FormChanges, SteadySource
from privet.worker.camera.sub_stream import SubFeed
from privet.worker.camera.take import FrameTaker, Observer
from privet.worker.send_queue import Emit
from privet.worker.signing_queue import SigningQueue

SUB_ENDS_WITHIN_S = 1.0
WARNING, INFO = 30, 20

OpenSource = Callable[[FrameConsumer], Source]


class MakeObserver(Protocol):
    """How an observer is made: the class `Analyst` is one way."""

    def __call__(
        self, settings: AnalystSettings, detectors: Sequence[Detector], stored: StoredScene | None, *, distrust: bool,
        may_look: Callable[[], bool],
    ) -> Observer: ...


def analyst_settings(settings: CameraSettings) -> AnalystSettings:
    """The scene room's values out of the camera's."""
    scene, promotion = settings.scene, settings.promotion
    return AnalystSettings(
        block_px=scene.block_px,
        covers_per_second=scene.covers_per_second,
        hold_ns=scene.hold_ms * NS_PER_MS,
        tallest_blocks=scene.tallest_blocks,
        prove_ns=round(promotion.prove_seconds * NS_PER_S),
        prove_keyframes=promotion.prove_keyframes,
        commissioning=promotion.commissioning,
        person_height_px=promotion.person_height_px,
        looks_per_second=settings.detect.looks_per_second,
        blind=settings.blind,
    )


def _steadily(open_source: OpenSource, clock: Clock) -> OpenSource:
    """The same stream; where its pictures change their form again and again, it fails."""
    changes = FormChanges(clock)
    return lambda consumer: SteadySource(open_source(consumer), changes)


class CameraPipeline:
    """Runs one camera until stopped. Started anew after every crash; what was proven is taken up from the store."""

    def __init__(
        self,
        settings: CameraSettings,
        emit: Emit,
        detectors: Sequence[Detector],
        store: StateStore | StateSaving,
        clock: Clock,
        open_source: OpenSource,
        make_observer: MakeObserver = Analyst,
        session: int = 0,
        detectors_ready: Callable[[], bool] = lambda: True,
        may_look: Callable[[], bool] = lambda: True,
        open_sub: OpenSource | None = None,
    ) -> None:
        """detectors: without any nothing is proven. detectors_ready: until it says so, no looks are taken. session: 0 for a random one.

        store: a StateSaving outlives this pipeline, and with it what could not be saved. may_look: asked before every look. open_sub:
        the sub-stream, where there is one.
        """
        self._emit = emit = LogLimit(emit, clock)
        self._clock = clock
        self._made_ns = clock.monotonic_ns()
        self._signing = SigningQueue(emit, clock, self._keep_signed)
        self._state = SceneSaving(store, clock, emit)
        stored, distrust = self._state.load()
        self._observer = observer = make_observer(
            analyst_settings(settings), detectors, stored, distrust=distrust, may_look=may_look
        )
        self._sub = None if open_sub is None else SubFeed(observer, _steadily(open_sub, clock), clock, self._take_sub)
        self._demand = demand = MainDemand(observer, clock, self._sub_comes, self._signing.waits)
        open_main = _steadily(open_source, clock)
        # Spreads retries; keeps no secret.
        self._reconnector = Reconnector(lambda: open_main(demand), clock, random.random, self._on_link)
        # The session's number tells runs apart and must not be 0.
        encoder = SceneEncoder(session or secrets.randbits(63) + 1, round(NS_PER_S / settings.scene.covers_per_second))
        self._sender = SceneSender(encoder, emit, clock, observer)
        self._taker = FrameTaker(
            observer, demand, None if self._sub is None else self._sub.demand, self._sender, self._signing, self._state, emit, clock,
            has_detectors=bool(detectors), detectors_ready=detectors_ready,
        )
        self._reception = Reception(clock)
        self._decoding = DecodingLog()

    # -- called from other threads

    @property
    def saving(self) -> Callable[[], bool]:
        """Tells, also after the end, whether a save of the camera's state is under way."""
        return self._state.writing

    def stop(self) -> None:
        """`run` returns within about a second."""
        self._reconnector.close()
        if self._sub is not None:
            self._sub.stop()

    def resend(self) -> None:
        """Say background and light again with the next heartbeat."""
        self._sender.resend()

    def commission(self, request: CommissionRequest) -> None:
        """Carry out a signer's request with the next frame that is looked at; answered within seconds in any case."""
        self._signing.put(request)

    def heartbeat(self, wait_s: float) -> bool:
        """Say how the camera is, whatever it does: silence must never look like an empty place. Once a second; nothing while it does not
        run.

        wait_s: how long to wait while the camera's own thread is sending. Returns False if it was still sending then, and nothing was said.
        """
        sender = self._sender
        if not sender.lock.acquire(timeout=wait_s):
            return False
        try:
            if not sender.runs:
                return True
            main = self._reconnector.statistics()
            received = main if self._sub is None else main + self._sub.statistics()
            sender.heartbeat(offline=self._reception.offline(received, sender.condition, self._taker))
            sender.say_again_if_asked()
            decoding = self._decoding.note(main.decoding)
            if decoding is not None:
                self._emit(decoding)
        finally:
            sender.lock.release()
        self._signing.give_up()
        self._state.heartbeat()
        self._emit(
            health_message(
                received, self._observer.counters, self._taker, connects=self._reconnector.connects, promoted_blocks=sender.promoted_blocks,
                made_for_ns=self._clock.monotonic_ns() - self._made_ns, saves_failed=self._state.failed, unsaved_ns=self._state.unsaved_ns,
            )
        )
        return True

    # -- the camera's thread

    def run(self) -> None:
        """Connect, watch, reconnect, until stopped. What it raises is a defect, and a new pipeline takes over."""
        self._sender.begin()
        if self._sub is not None:
            self._sub.start()
        try:
            for frame in self._reconnector.frames():
                self._sub_comes()               # raises what ended its thread
                self._taker.take(frame)
        finally:
            self._sender.end()
            if self._sub is not None:
                self._sub.stop()
                self._sub.join(SUB_ENDS_WITHIN_S)
            self._signing.give_up(everything=True)
            self._state.save_last(self._observer.snapshot)

    def _keep_signed(self) -> bool:
        return self._state.save_signed(self._observer.snapshot)

    def _on_link(self, link: Link) -> None:
        match link.state:
            case LinkState.CONNECTED:
                self._taker.delivers = True
                self._emit(pipe_pb2.Log(level=INFO, code=pipe_pb2.LOG_CODE_CONNECTED, number=link.connects))
            case LinkState.WAITING:
                self._taker.delivers = False
                self._sender.offline(link.reason)
                self._emit(pipe_pb2.Log(level=WARNING, code=pipe_pb2.LOG_CODE_DISCONNECTED, number=int(link.reason)))
            case LinkState.CONNECTING:
                self._demand.begin()
            case LinkState.CLOSED:
                pass

    # -- the sub-stream's thread

    def _take_sub(self, frame: Frame) -> None:
        self._taker.take_sub(frame)

    def _sub_comes(self) -> bool:
        return self._sub is not None and self._sub.comes()
