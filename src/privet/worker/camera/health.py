"""How a camera is received, and the second's counters: silence must never look like an empty place.

Belongs here: when a camera that said it delivers does not, whose fault that is, and the `Health` message. Does not belong here: who asks,
and when (pipeline).
"""

from __future__ import annotations

from privet.core.clock import NS_PER_MS, NS_PER_S, Clock
from privet.core.pb import pipe_pb2
from privet.core.scene import Condition, Reason
from privet.ingest.on_demand import LONGEST_GOP_NS
from privet.ingest.source import SourceStatistics
from privet.scene.analyst import Counters
from privet.worker.camera.take import FrameTaker

SILENT_AFTER_NS = 2 * NS_PER_S
SILENT_BETWEEN_KEYFRAMES_NS = LONGEST_GOP_NS + SILENT_AFTER_NS      # where keyframes alone are decoded, of which the next may come so late
OVERLOADED_FOR_NS = 5 * NS_PER_S        # after packets were thrown away, a camera of which no picture comes is not to blame
DELIVERING = (Condition.AWAKE, Condition.ASLEEP, Condition.BLIND)


class Reception:
    """Whether packets and pictures of one camera come."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._packets, self._packet_ns = 0, 0
        self._dropped, self._dropped_ns = 0, 0

    def offline(self, received: SourceStatistics, said: Condition, taker: FrameTaker) -> Reason | None:
        """Why the camera is offline, if it has become so. received: of both streams, so far. said: what is said of it."""
        overloaded = self._overloaded(received.packets_dropped)
        if said not in DELIVERING or not self.silent(received.packets, said, taker):
            return None
        return Reason.OVERLOADED if overloaded or taker.gaps else Reason.STALLED

    def silent(self, packets: int, said: Condition, taker: FrameTaker) -> bool:
        """Whether nothing has come for too long. packets: so far. Of a camera that sleeps, pictures are left undecoded; of one of which
        keyframes alone are decoded, most are.
        """
        now_ns = self._clock.monotonic_ns()
        if packets != self._packets:
            self._packets, self._packet_ns = packets, now_ns
        asleep = said is Condition.ASLEEP
        pictures_ns = SILENT_BETWEEN_KEYFRAMES_NS if taker.gaps else SILENT_AFTER_NS
        no_picture = not asleep and now_ns - taker.taken_ns > pictures_ns
        no_packet = (asleep or taker.gaps) and now_ns - self._packet_ns > SILENT_AFTER_NS
        return no_picture or no_packet

    def _overloaded(self, dropped: int) -> bool:
        """Whether packets were thrown away lately: then it is the machine that is slow, not the camera. dropped: so far."""
        now_ns = self._clock.monotonic_ns()
        if dropped != self._dropped:
            self._dropped, self._dropped_ns = dropped, now_ns
        return self._dropped > 0 and now_ns - self._dropped_ns <= OVERLOADED_FOR_NS


def health_message(
    received: SourceStatistics, counters: Counters, taker: FrameTaker, *, connects: int, promoted_blocks: int, made_for_ns: int,
    saves_failed: int, unsaved_ns: int,
) -> pipe_pb2.Health:
    """The second's counters. received: of both streams. made_for_ns: since the pipeline was made. unsaved_ns: for how long the disk has
    lacked what it should hold."""
    return pipe_pb2.Health(
        packets=received.packets,
        bytes_received=received.bytes_received,
        frames_decoded=received.frames_decoded,
        frames_analysed=taker.analysed,
        frames_damaged=received.frames_damaged,
        connects=connects,
        looks=counters.looks,
        looks_with_hit=counters.looks_with_hit,
        promoted_blocks=promoted_blocks,
        proofs_restarted=counters.proofs_restarted,
        looks_starved=counters.looks_starved,
        proofs_put_off=taker.times_proofs_shed,
        pictures_put_off=taker.times_pictures_shed,
        packets_dropped=received.packets_dropped,
        frames_left_out=received.frames_left_out,
        frames_hardware=received.frames_hardware,
        decoding=int(received.decoding),
        taken_after_ms=made_for_ns // NS_PER_MS,
        candidate_blocks=taker.candidates,
        sub_stream=taker.sub_stream,
        sharpness_milli=round(taker.sharpness * 1000),
        saves_failed=saves_failed,
        state_unsaved_seconds=-(-unsaved_ns // NS_PER_S),
    )
