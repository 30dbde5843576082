"""One frame's way through a worker: taken or not, load shed or not, observed, told, and what waits for a signature served.

Belongs here: that order, for both streams. Live frames are seen here and in the scene room, and nowhere else; what goes on is an
`Observation`. Does not belong here: decoding (ingest), analysis (scene), how much is shed (load_shedding), the words (scene_sender).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Protocol

from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import DetectorError
from privet.core.frame import Frame
from privet.core.frame_demand import SceneDemand, Stream
from privet.core.pb import pipe_pb2
from privet.core.scene import Condition, Reason
from privet.ingest.frame_demand import DecoderState
from privet.pipe.crash_code import crash_code_of
from privet.scene.analyst import Counters
from privet.scene.observation import Observation
from privet.scene.proof.promote import ProvenBackground
from privet.scene.proof.step import Circumstances
from privet.scene.state_format import StoredScene
from privet.worker.camera.frame_demand import MainDemand, StreamDemand, SubDemand, SubDemander
from privet.worker.camera.load_shedding import NO_LOOKS_ABOVE_NS, PROOFS, LoadShedding, covers_apart_ns
from privet.worker.camera.scene_sender import SceneSender
from privet.worker.camera.state_saving import SceneSaving
from privet.worker.camera.sub_stream import SubStreamLog
from privet.worker.send_queue import Emit
from privet.worker.signing_queue import Signer, SigningQueue

ERROR = 40


class SubObserver(SubDemander, Protocol):
    """What is asked of the analysis of a sub-stream."""

    def observe(self, frame: Frame, how: Circumstances) -> Observation | None: ...


class Observer(Protocol):
    """What a worker asks of a camera's analysis: the port between worker and scene."""

    @property
    def demand(self) -> SceneDemand: ...

    @property
    def background(self) -> ProvenBackground | None: ...

    @property
    def counters(self) -> Counters: ...

    @property
    def signing(self) -> Signer: ...

    @property
    def sub(self) -> SubObserver: ...

    def differs(self, frame: Frame) -> bool: ...

    def observe(self, frame: Frame, how: Circumstances) -> Observation: ...

    def snapshot(self) -> StoredScene | None: ...


class FrameTaker:
    """Takes one camera's frames, of both streams in turns. taken_ns: when the last one came; analysed: how many were; gaps: because the
    machine is behind, keyframes alone are looked at. candidates, sharpness: as of the last observation. delivers: the main stream comes."""

    def __init__(
        self, observer: Observer, main: MainDemand, sub: SubDemand | None, sender: SceneSender, signing: SigningQueue, state: SceneSaving,
        emit: Emit, clock: Clock, *, has_detectors: bool, detectors_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        """main, sub: what of each stream is decoded. detectors_ready: until it says so, no looks are taken."""
        self._observer = observer
        self._main = main
        self._sub = sub
        self._sender = sender
        self._signing = signing
        self._state = state
        self._emit = emit
        self._clock = clock
        self._has_detectors = has_detectors
        self._detectors_ready = detectors_ready
        self._turn = threading.Lock()           # main and sub-stream are looked at in turns
        self._proofs = LoadShedding(PROOFS, random.random)      # spreads waits; keeps no secret
        self._sub_log = SubStreamLog(has_sub=sub is not None)
        self._analysed_ns = -NS_PER_S
        self.taken_ns = -1
        self.analysed = 0
        self.candidates = 0
        self.sharpness = 0.0
        self.gaps = False
        self.delivers = False

    @property
    def times_proofs_shed(self) -> int:
        """How often proofs were left be, because the machine was behind."""
        return self._proofs.times

    @property
    def times_pictures_shed(self) -> int:
        """How often pictures between keyframes were, of either stream."""
        return self._main.times_shed + (0 if self._sub is None else self._sub.times_shed)

    @property
    def sub_stream(self) -> pipe_pb2.SubStream.ValueType:
        """What is said of the sub-stream."""
        return self._sub_log.said

    # -- the main stream

    def take(self, frame: Frame) -> None:
        """Look at one frame; what is said of it holds no pixel but those of promoted blocks."""
        with self._turn:
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        main = self._main
        self.taken_ns = now_ns = self._clock.monotonic_ns()
        if not main.due(frame) and not self._falls_asleep(main):
            return
        behind_ns = main.behind_ns(frame, now_ns)
        main.note(now_ns, behind_ns)
        if now_ns - self._analysed_ns < covers_apart_ns(behind_ns) and not frame.keyframe:
            return
        self._analysed_ns = now_ns
        gap = main.take_gap()
        behind = behind_ns > NO_LOOKS_ABOVE_NS or self._watched().gap
        # What waits for a signature has been proven, and a person may be about to sign: that is not left be, as long as all is looked at.
        proving = main.demand.proving and self.candidates == 0
        how = Circumstances(
            hurried=main.state is DecoderState.CATCHING_UP or behind or not self._detectors_ready(),
            gap=main.asleep or gap,
            shed=self._proofs.note(now_ns, doing=proving, hurried=behind),
        )
        try:
            seen = self._observer.observe(frame, how)
        except DetectorError as error:
            self._lost_detectors(error)
            return
        self.analysed += 1
        self.candidates, self.sharpness = seen.candidates, seen.sharpness
        self._tell(seen, frame.monotonic_ns, self._watched())
        self._serve_signers(frame)
        self._state.save(self._observer.snapshot, force=False)

    def _serve_signers(self, frame: Frame) -> None:
        """What signers asked for, with the frame that was just observed: whoever came into view with it has restarted a proof."""
        try:
            self._signing.serve(self._observer.signing, self._observer.background, frame)
        except DetectorError as error:
            self._lost_detectors(error)

    def _lost_detectors(self, error: DetectorError) -> None:
        """The analysis proves nothing any more, and goes on."""
        self._has_detectors = False
        self._emit(pipe_pb2.Log(level=ERROR, code=pipe_pb2.LOG_CODE_DETECTOR_FAILED, number=crash_code_of(error)))

    # -- the sub-stream

    def take_sub(self, frame: Frame) -> None:
        """Look at one frame of the sub-stream. While the main stream does not come, nothing is said: it is what the camera is."""
        with self._turn:
            self._take_sub(frame)

    def _take_sub(self, frame: Frame) -> None:
        sub = self._sub
        assert sub is not None
        if not self.delivers or not (sub.due(frame) or self._falls_asleep(sub)):
            return
        now_ns = self._clock.monotonic_ns()
        behind_ns = sub.behind_ns(frame, now_ns)
        sub.note(now_ns, behind_ns)
        if now_ns - self._analysed_ns < covers_apart_ns(behind_ns) and not (frame.keyframe and sub.leaves_out):
            return
        how = Circumstances(gap=sub.take_gap() or sub.asleep, shed=self._proofs.off(now_ns))
        seen = self._observer.sub.observe(frame, how)
        demand = self._observer.demand
        if (line := self._sub_log.note(demand.watched, skips=self._main.skips, refused=demand.sub_refused)) is not None:
            self._emit(line)
        if seen is None:
            return
        self.taken_ns = self._analysed_ns = now_ns
        self.analysed += 1
        self._tell(seen, frame.monotonic_ns, sub)

    # -- both

    def _falls_asleep(self, demand: StreamDemand) -> bool:
        """Whether the decoder sleeps but viewers are still told that the camera is awake. Then this keyframe is looked at whether a cover
        is due or not, since the next one comes a GOP later. Where all is quiet no cover changes too soon.
        """
        return demand.asleep and self._sender.condition is Condition.AWAKE

    def _watched(self) -> StreamDemand:
        """The demand of the stream that covers come from now."""
        return self._sub if self._sub is not None and self._main.watched is Stream.SUB else self._main

    def _tell(self, seen: Observation, monotonic_ns: int, watched: StreamDemand) -> None:
        """watched: the demand of the stream that the cover came from."""
        background = self._observer.background
        assert background is not None
        reason = seen.reason
        if not self._has_detectors and reason is Reason.NONE and not background.proven.all():
            reason = Reason.NO_DETECTOR
        condition = Condition.ASLEEP if watched.asleep and seen.condition is Condition.AWAKE else seen.condition
        self.gaps = watched.gap
        if self.gaps and condition is Condition.AWAKE and reason is Reason.NONE:
            reason = Reason.OVERLOADED
        if reason is Reason.NONE and self._state.unsaved_ns:
            reason = Reason.UNSAVED
        if condition is Condition.ASLEEP and self._sender.condition is not Condition.ASLEEP:
            self._state.unsaved = True          # what looks did not help is known by now, and need not be tried again after a restart
        self._sender.tell(seen, monotonic_ns, condition, reason)
        if seen.painted is not None:
            self._state.unsaved = True
