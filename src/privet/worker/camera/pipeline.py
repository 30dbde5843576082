"""One camera's pipeline inside a worker: source -> analyst -> narrator -> pipe, with what must outlive it sealed to disk.

Belongs here: the order of things and the locks between the camera's thread and whoever beats. Does not belong here: decoding (ingest),
judgement (scene), numbering (narrator), queues (outlet). Live frames are seen in `_take` and nowhere else; what it hands on is `Seen`.
"""

from __future__ import annotations

import random
import secrets
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from privet.core.clock import NS_PER_MS, NS_PER_S, Clock
from privet.core.errors import DetectorError, StoreError
from privet.core.frame import Frame
from privet.core.grid import BoolGrid, Grid, pack_bits
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Condition, Reason, Scene
from privet.core.wire import to_message
from privet.ingest.frame_demand import Attention
from privet.ingest.on_demand import LONGEST_GOP_NS
from privet.ingest.reconnect import Link, LinkState, Reconnector
from privet.ingest.source import Source, SourceStatistics
from privet.pipe.crash_code import crash_code_of
from privet.pipe.settings import CameraSettings
from privet.pipe.signing import CommissionRequest
from privet.scene.analyst import Analyst, AnalystSettings, Observation
from privet.scene.proof.looks import Detector
from privet.scene.proof.promote import ProvenBackground
from privet.scene.proof.signing import NoOffer, Offer, Signing
from privet.scene.state_format import StoredScene, from_bytes, to_bytes
from privet.worker.camera.decoding_log import DecodingLog
from privet.worker.camera.frame_demand import Vigil, Watched
from privet.worker.camera.load_shedding import PROOFS, LoadShedding
from privet.worker.camera.overload import NO_LOOKS_ABOVE_NS, covers_apart_ns
from privet.worker.camera.scene_encoder import SceneEncoder, Seen
from privet.worker.camera.state_saving import StateSaving, StateStore
from privet.worker.camera.sub_stream import SubFeed
from privet.worker.send_queue import Emit
from privet.worker.signing_queue import SigningQueue

SUB_ENDS_WITHIN_S = 1.0
SILENT_AFTER_NS = 2 * NS_PER_S
SPARSE_SILENT_AFTER_NS = LONGEST_GOP_NS + SILENT_AFTER_NS      # where keyframes alone are decoded, of which the next may come so late
OVERLOADED_FOR_NS = 5 * NS_PER_S        # after packets were thrown away, a camera of which no picture comes is not to blame
SAVE_EVERY_NS = 20 * NS_PER_S
"""Saving takes as much as decoding half a second or more of 1080p. What a crash costs is the proofs of so long."""
SIGNED_WAITS_S = 1.0
"""For so long a signer, and the camera, wait for the disk. A heartbeat says that covers are late after two."""
LAST_SAVE_WITHIN_S = 3.0
ERROR, WARNING, INFO = 40, 30, 20
DELIVERING = (Condition.AWAKE, Condition.ASLEEP, Condition.BLIND)

OpenSource = Callable[[Attention], Source]


class Observer(Watched, Protocol):
    """What the pipeline asks of an analyst; a test may give one that judges as it was told to."""

    @property
    def background(self) -> ProvenBackground | None: ...

    @property
    def blind(self) -> BoolGrid: ...

    @property
    def looks(self) -> tuple[int, int]: ...

    @property
    def proofs_restarted(self) -> int: ...

    @property
    def looks_starved(self) -> int: ...

    @property
    def sub_refused(self) -> bool: ...

    def sub_due(self, frame: Frame) -> bool: ...

    def observe_sub(self, frame: Frame, *, asleep: bool = False) -> Observation | None: ...

    def due(self, frame: Frame) -> bool: ...

    def observe(self, frame: Frame, *, hurried: bool = False, asleep: bool = False) -> Observation: ...

    def put_off(self, *, off: bool) -> None: ...

    def lose_detectors(self) -> None: ...

    def offer(self, frame: Frame) -> Offer | NoOffer: ...

    def sign(self, offer_id: bytes, blocks: BoolGrid | None, now_ns: int) -> Signing | None: ...

    def refuse(self, offer_id: bytes, now_ns: int) -> bool: ...

    def expire_offer(self, now_ns: int) -> None: ...

    def snapshot(self) -> StoredScene | None: ...


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
        self._emit = emit
        self._detectors_ready = detectors_ready
        self._clock = clock
        self._made_ns = clock.monotonic_ns()
        self._saving = store if isinstance(store, StateSaving) else StateSaving(store, clock)
        self._saves_failed_before = self._saving.failed
        self._lock = threading.Lock()
        self._runs = False                  # from the first thing said to the last; guarded by the lock
        self._resend = False
        self._decoding = DecodingLog()
        self._signing = SigningQueue(emit, clock, self._keep_signed)
        stored, distrust = self._load()
        self._observer = make_observer(analyst_settings(settings), detectors, stored, distrust=distrust, may_look=may_look)
        self._looking = threading.Lock()    # main and sub-stream are looked at in turns
        self._sub = None if open_sub is None else SubFeed(self._observer, open_sub, clock, self._take_sub)
        self._vigil = vigil = Vigil(self._observer, clock, self._sub_comes, self._signing.waits)
        self._delivers = False
        there = pipe_pb2.SUB_STREAM_NOT_WATCHED
        self._sub_said: pipe_pb2.SubStream.ValueType = pipe_pb2.SUB_STREAM_UNSPECIFIED if open_sub is None else there
        # Spreads retries; keeps no secret.
        self._link = Reconnector(lambda: open_source(vigil), clock, random.random, self._on_link)
        self._has_detectors = bool(detectors)
        self._load_shedding = LoadShedding(PROOFS, random.random)
        # The session's number tells runs apart and must not be 0.
        self._encoder = SceneEncoder(session or secrets.randbits(63) + 1, round(NS_PER_S / settings.scene.covers_per_second))
        self._analysed = 0
        self._promoted_blocks = 0
        self._candidates = 0
        self._sharpness = 0.0
        self._sparse = False                # keyframes alone are looked at, for the machine is behind
        self._last_frame_ns = -1
        self._packets, self._packet_ns = 0, 0
        self._dropped, self._dropped_ns = 0, 0
        self._analysed_ns = -NS_PER_S
        self._unsaved = False
        self._saved_ns = 0

    # -- called from other threads

    def stop(self) -> None:
        """`run` returns within about a second."""
        self._link.close()
        if self._sub is not None:
            self._sub.stop()

    def resend(self) -> None:
        """Say background and light again with the next heartbeat."""
        self._resend = True

    def commission(self, request: CommissionRequest) -> None:
        """Carry out a signer's request with the next frame that is looked at; answered within seconds in any case."""
        self._signing.put(request)

    def beat(self, wait_s: float) -> bool:
        """Say how the camera is, whatever it does: silence must never look like an empty place. Once a second; nothing while it does not
        run.

        wait_s: for so long at most is it waited for where the camera itself is just saying something. Returns whether it was not in vain.
        """
        if not self._lock.acquire(timeout=wait_s):
            return False
        try:
            if not self._runs:
                return True
            received = self._send_heartbeat()
        finally:
            self._lock.release()
        self._signing.give_up()
        self._saving.tick()
        if (saving := self._saving.note()) is not None:
            self._emit(saving)
        self._emit(self._health(received))
        return True

    def _send_heartbeat(self) -> SourceStatistics:
        main = self._link.statistics()
        received = main if self._sub is None else main + self._sub.statistics()
        overloaded = self._overloaded(received.packets_dropped)
        condition, _ = self._encoder.condition
        if condition in DELIVERING and self._silent(received.packets):
            self._encoder.offline(Condition.OFFLINE, Reason.OVERLOADED if overloaded or self._sparse else Reason.STALLED)
        self._say([self._heartbeat()])
        if self._resend:
            self._resend = False
            self._say_all_again()
        decoding = self._decoding.note(main.decoding)
        if decoding is not None:
            self._emit(decoding)
        return received

    # -- the camera's thread

    def run(self) -> None:
        """Connect, watch, reconnect, until stopped. What it raises is a defect, and a new pipeline takes over."""
        now_ns, wall_ns = self._clock.monotonic_ns(), self._clock.wall_ns()
        # Encoding a whole background takes a while, and nobody else speaks yet.
        self._say(self._encoder.begin(self._observer.background, self._blind_blocks(), wall_ns, now_ns))
        with self._lock:
            self._runs = True
        if self._sub is not None:
            self._sub.start()
        try:
            for frame in self._link.frames():
                self._take(frame)
        finally:
            with self._lock:
                self._runs = False
            if self._sub is not None:
                self._sub.stop()
                self._sub.join(SUB_ENDS_WITHIN_S)
            self._signing.give_up(everything=True)
            self._unsaved = True                # what looks did not help is known by now
            self._save(force=True)
            self._saving.flush(LAST_SAVE_WITHIN_S)
            if (saving := self._saving.note()) is not None:
                self._emit(saving)

    def _on_link(self, link: Link) -> None:
        match link.state:
            case LinkState.CONNECTED:
                self._delivers = True
                self._emit(pipe_pb2.Log(level=INFO, code=pipe_pb2.LOG_CODE_CONNECTED, number=link.connects))
            case LinkState.WAITING:
                self._delivers = False
                with self._lock:
                    self._encoder.offline(Condition.OFFLINE, link.reason)
                    self._say([self._heartbeat()])
                self._emit(pipe_pb2.Log(level=WARNING, code=pipe_pb2.LOG_CODE_DISCONNECTED, number=int(link.reason)))
            case LinkState.CONNECTING:
                self._vigil.begin()
            case LinkState.CLOSED:
                pass

    def _take(self, frame: Frame) -> None:
        """Look at one frame; what is said of it holds no pixel but those of promoted blocks."""
        self._sub_comes()               # raises what ended its thread
        with self._looking:
            self._look_at(frame)

    def _take_sub(self, frame: Frame) -> None:
        """Look at one frame of the sub-stream. While the main stream does not come, nothing is said: it is what the camera is."""
        assert self._sub is not None
        with self._looking:
            vigil = self._sub.vigil
            if not self._delivers or not (self._observer.sub_due(frame) or self._falls_asleep(vigil)):
                return
            now_ns = self._clock.monotonic_ns()
            behind_ns = vigil.behind_ns(frame, now_ns)
            vigil.note(now_ns, behind_ns)
            if now_ns - self._analysed_ns < covers_apart_ns(behind_ns) and not (frame.keyframe and vigil.leaves_out):
                return
            self._observer.put_off(off=self._load_shedding.off(now_ns))
            seen = self._observer.observe_sub(frame, asleep=vigil.look() or vigil.asleep)
            self._say_sub()
            if seen is None:
                return
            self._last_frame_ns = self._analysed_ns = now_ns
            self._analysed += 1
            self._tell(seen, frame.monotonic_ns, vigil)

    def _falls_asleep(self, vigil: Vigil) -> bool:
        """Whether the camera sleeps and is not said to. Then this keyframe is looked at whether a cover is due or not: the next one comes a
        GOP later, and until then it would be said to be awake while nobody looked. Where all is quiet no cover changes too soon.
        """
        return vigil.asleep and self._encoder.condition[0] is Condition.AWAKE

    def _say_sub(self) -> None:
        """Which stream is watched, whenever that changes."""
        now: pipe_pb2.SubStream.ValueType
        if self._observer.sub_suffices:
            now = pipe_pb2.SUB_STREAM_WATCHED
        elif not self._vigil.skips:
            now = pipe_pb2.SUB_STREAM_NO_KEYFRAMES
        elif self._observer.sub_refused:
            now = pipe_pb2.SUB_STREAM_OTHER_PICTURE
        else:
            now = pipe_pb2.SUB_STREAM_NOT_WATCHED
        if now != self._sub_said:
            self._sub_said = now
            bad = now in (pipe_pb2.SUB_STREAM_OTHER_PICTURE, pipe_pb2.SUB_STREAM_NO_KEYFRAMES)
            self._emit(pipe_pb2.Log(level=WARNING if bad else INFO, code=pipe_pb2.LOG_CODE_SUB_STREAM, number=now))

    def _sub_comes(self) -> bool:
        return self._sub is not None and self._sub.comes()

    def _look_at(self, frame: Frame) -> None:
        self._last_frame_ns = now_ns = self._clock.monotonic_ns()
        if not self._observer.due(frame) and not self._falls_asleep(self._vigil):
            return
        behind_ns = self._vigil.behind_ns(frame, now_ns)
        self._vigil.note(now_ns, behind_ns)
        if now_ns - self._analysed_ns < covers_apart_ns(behind_ns) and not frame.keyframe:
            return
        self._analysed_ns = now_ns
        sparse = self._vigil.look()
        behind = behind_ns > NO_LOOKS_ABOVE_NS or self._watching().sparse
        # What waits for a signature has been proven, and a person may be about to sign: that is not left be, as long as all is looked at.
        proving = self._observer.proving and self._candidates == 0
        self._observer.put_off(off=self._load_shedding.note(now_ns, doing=proving, hurried=behind))
        try:
            hurried = self._vigil.late or behind or not self._detectors_ready()
            seen = self._observer.observe(frame, hurried=hurried, asleep=self._vigil.asleep or sparse)
        except DetectorError as error:
            self._lose_detectors(error)
            return
        self._analysed += 1
        self._candidates = seen.candidates
        self._sharpness = seen.sharpness
        self._tell(seen, frame.monotonic_ns, self._watching())
        self._commission(frame)
        self._save(force=False)

    def _watching(self) -> Vigil:
        """Of the stream that covers are taken from now."""
        return self._sub.vigil if self._sub is not None and self._observer.sub_suffices else self._vigil

    def _tell(self, seen: Observation, monotonic_ns: int, watching: Vigil) -> None:
        """watching: of the stream that covers are taken from."""
        background = self._observer.background
        assert background is not None
        reason = seen.reason
        if not self._has_detectors and reason is Reason.NONE and not background.proven.all():
            reason = Reason.NO_DETECTOR
        condition = Condition.ASLEEP if watching.asleep and seen.condition is Condition.AWAKE else seen.condition
        self._sparse = watching.sparse
        if self._sparse and condition is Condition.AWAKE and reason is Reason.NONE:
            reason = Reason.OVERLOADED
        if reason is Reason.NONE and self._saving.unsaved_ns:
            reason = Reason.UNSAVED
        if condition is Condition.ASLEEP and self._encoder.condition[0] is not Condition.ASLEEP:
            self._unsaved = True                # what looks did not help is known by now, and need not be tried again after a restart
        outgoing = Seen(
            seen.wall_ns, monotonic_ns, condition, reason, seen.cover, seen.light, seen.painted, seen.new_grid
        )
        with self._lock:
            self._say(self._encoder.tell(outgoing, background, self._blind_blocks()), monotonic_ns)
        if seen.new_grid:
            self._emit(pipe_pb2.Log(level=INFO, code=pipe_pb2.LOG_CODE_EPOCH, number=background.grid.epoch))
        if seen.promoted is not None:
            self._promoted_blocks += int(seen.promoted.sum())
        for message in promotion_messages(seen, background.grid):
            self._emit(message)
            self._unsaved = True

    def _commission(self, frame: Frame) -> None:
        """What signers asked for, with the frame that was just judged: whoever came into view with it has restarted a proof."""
        try:
            self._signing.serve(self._observer, frame)
        except DetectorError as error:
            self._lose_detectors(error)

    def _keep_signed(self) -> bool:
        """Save what a person just signed, which is not to be asked for again. Returns whether it is on the disk."""
        self._unsaved = True
        self._save(force=True)
        return self._saving.flush(SIGNED_WAITS_S)

    def _lose_detectors(self, error: DetectorError) -> None:
        self._observer.lose_detectors()
        self._has_detectors = False
        self._emit(pipe_pb2.Log(level=ERROR, code=pipe_pb2.LOG_CODE_DETECTOR_FAILED, number=crash_code_of(error)))

    # -- state

    def _load(self) -> tuple[StoredScene | None, bool]:
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

    def _save(self, *, force: bool) -> None:
        now_ns = self._clock.monotonic_ns()
        if not self._unsaved or (not force and now_ns - self._saved_ns < SAVE_EVERY_NS):
            return
        snapshot = self._observer.snapshot()
        if snapshot is not None:
            self._saving.put(to_bytes(snapshot))
        self._saved_ns = now_ns
        self._unsaved = False

    # -- saying

    def _overloaded(self, dropped: int) -> bool:
        """Whether packets were thrown away lately: then it is the machine that is slow, not the camera. dropped: so far."""
        now_ns = self._clock.monotonic_ns()
        if dropped != self._dropped:
            self._dropped, self._dropped_ns = dropped, now_ns
        return self._dropped > 0 and now_ns - self._dropped_ns <= OVERLOADED_FOR_NS

    def _silent(self, packets: int) -> bool:
        """Whether nothing has come for too long. packets: so far. Of a camera that sleeps, pictures are left undecoded; of one of which
        keyframes alone are decoded, most are.
        """
        now_ns = self._clock.monotonic_ns()
        if packets != self._packets:
            self._packets, self._packet_ns = packets, now_ns
        asleep = self._encoder.condition[0] is Condition.ASLEEP
        pictures_ns = SPARSE_SILENT_AFTER_NS if self._sparse else SILENT_AFTER_NS
        no_picture = not asleep and now_ns - self._last_frame_ns > pictures_ns
        no_packet = (asleep or self._sparse) and now_ns - self._packet_ns > SILENT_AFTER_NS
        return no_picture or no_packet

    def _heartbeat(self) -> Scene:
        return self._encoder.heartbeat(self._observer.background, self._blind_blocks(), self._clock.wall_ns())

    def _say_all_again(self) -> None:
        background = self._observer.background
        if background is not None:
            wall_ns = self._clock.wall_ns()
            self._say([self._encoder.whole(background, wall_ns, self._clock.monotonic_ns())])
            self._say(self._encoder.light_again(background.grid.epoch, wall_ns))

    def _say(self, scenes: Sequence[Scene], arrived_monotonic_ns: int = 0) -> None:
        for scene in scenes:
            self._emit(to_message(scene), arrived_monotonic_ns)

    def _blind_blocks(self) -> int:
        return 0 if self._observer.background is None else int(np.count_nonzero(self._observer.blind))

    def _health(self, received: SourceStatistics) -> pipe_pb2.Health:
        """The second's counters. received: of both streams."""
        looked, hits = self._observer.looks
        return pipe_pb2.Health(
            packets=received.packets,
            bytes_received=received.bytes_received,
            frames_decoded=received.frames_decoded,
            frames_analysed=self._analysed,
            frames_damaged=received.frames_damaged,
            connects=self._link.connects,
            looks=looked,
            looks_with_hit=hits,
            promoted_blocks=self._promoted_blocks,
            proofs_restarted=self._observer.proofs_restarted,
            looks_starved=self._observer.looks_starved,
            proofs_put_off=self._load_shedding.times,
            pictures_put_off=self._vigil.times_sparse + (0 if self._sub is None else self._sub.vigil.times_sparse),
            packets_dropped=received.packets_dropped,
            frames_left_out=received.frames_left_out,
            frames_hardware=received.frames_hardware,
            decoding=int(received.decoding),
            taken_after_ms=(self._clock.monotonic_ns() - self._made_ns) // NS_PER_MS,
            candidate_blocks=self._candidates,
            sub_stream=self._sub_said,
            sharpness_milli=round(self._sharpness * 1000),
            saves_failed=self._saving.failed - self._saves_failed_before,
            state_unsaved_seconds=-(-self._saving.unsaved_ns // NS_PER_S),
        )


def promotion_messages(seen: Observation, grid: Grid) -> list[pipe_pb2.Promotion]:
    """What the index and the audit keep of each change of the background; the pixels travel in a patch."""
    made = []
    if seen.promoted is not None:
        by = pipe_pb2.COMMISSIONING_SIGNATURE if seen.by_signature else pipe_pb2.COMMISSIONING_AUTOMATIC
        made.append(_promotion(seen.wall_ns, grid, seen.promoted, by))
    made += [_promotion(seen.wall_ns, grid, blocks, pipe_pb2.COMMISSIONING_LAYER, layer) for layer, blocks in seen.returned]
    return made


def _promotion(
    wall_ns: int, grid: Grid, blocks: BoolGrid, by: pipe_pb2.Commissioning.ValueType, layer: int = 0
) -> pipe_pb2.Promotion:
    return pipe_pb2.Promotion(
        wall_ns=wall_ns,
        epoch=grid.epoch,
        blocks=int(np.count_nonzero(blocks)),
        promoted=pack_bits(blocks),
        grid=scene_pb2.Grid(width_px=grid.width_px, height_px=grid.height_px, block_px=grid.block_px, epoch=grid.epoch),
        layer=layer,
        by=by,
    )
