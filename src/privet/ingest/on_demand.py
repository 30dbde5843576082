"""Decoding no more than is needed: of a quiet camera its keyframes alone, until something moves.

Asleep, the packets of the current GOP are kept. When one of them is larger than when all is quiet, they are decoded from where the decoder
stands, which is the keyframe; when a keyframe shows something that was not there, the GOP before it is decoded from its beginning. So
whatever moved is seen from its first picture on, at most a GOP late, and nothing is left out.

Awake, a picture is looked at a few times a second. Packets between two such pictures are decoded together, just before the second, which
is cheaper than one at a time. They are skipped if a keyframe comes first.

A camera sleeps only where this works: its keyframes come out of the decoder at once and clean although what lies between them was left
out, they come often enough, and the sizes of its packets tell whether something moves (size_motion).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.frame import Frame
from privet.core.frame_demand import Wanted
from privet.ingest.decode import FrameDecoder, Ticket
from privet.ingest.frame_demand import DecoderState, FrameConsumer
from privet.ingest.size_motion import PacketSizes

if TYPE_CHECKING:
    from privet.ingest.decode import AnyPacket

LONGEST_BEHIND_NS = 250 * NS_PER_MS
"""What is held back for longer makes the next picture late."""
LONGEST_GOP_NS = 5 * NS_PER_S
MOST_HELD_BYTES = 16 * 1024 * 1024
SELDOM_NS = 60 * NS_PER_S
_ANY_SIZE = (sys.maxsize,) * 64
"""`calm_bytes` while no packet between keyframes is looked at."""


@dataclass(slots=True)
class OnDemandCounts:
    """How often it slept, and how many pictures were never decoded."""

    slept: int = 0
    left_out: int = 0


@dataclass(slots=True)
class _Held:
    packets: list[tuple[AnyPacket, Ticket]] = field(default_factory=list)
    size_bytes: int = 0

    def put(self, packet: AnyPacket, ticket: Ticket) -> None:
        self.packets.append((packet, ticket))
        self.size_bytes += packet.size


class OnDemandDecoder:
    """A `FrameDecoder` that sleeps when it may. Not thread-safe."""

    def __init__(self, decoder: FrameDecoder, consumer: FrameConsumer, sizes: PacketSizes | None = None) -> None:
        """sizes: which packets are large enough to wake it; the stream's own unless given."""
        self._decoder = decoder
        self._consumer = consumer
        self._sizes = sizes or PacketSizes()
        self._held: _Held | None = None         # asleep: the GOP so far, beginning with its keyframe, which is decoded
        self._behind: list[tuple[AnyPacket, Ticket]] = []   # awake: what the next picture that is due needs
        self._between = 0                       # packets since the last keyframe
        self._gop_pictures = self._gop_ns = 0   # of the last GOP; ns only if it was as long as the one before
        self._interval_ns = 0
        self._prompt = False                    # pictures come out of the decoder with the packet that they came in
        self._able = True
        self._skipping = False                  # keyframes alone are decoded, for nobody wants more
        self._stands_alone = True
        self._began: Ticket | None = None       # the last keyframe's
        self._lost = False                      # of what came since then, something was thrown away or did not come
        self._far_apart = False                 # keyframes are further apart than is slept through
        self._decoded_ns = -1                   # arrival of the last keyframe that was decoded
        self._calm_bytes: tuple[int, ...] = ()
        self.counts = OnDemandCounts()

    @property
    def asleep(self) -> bool:
        """Whether keyframes alone, or fewer, are decoded now."""
        return self._held is not None or self._skipping

    @property
    def calm_bytes(self) -> tuple[int, ...]:
        """Packets between keyframes that nothing would be decoded for now, up to these sizes, see `size_motion.Calm`. From any thread."""
        if self._skipping:
            return _ANY_SIZE
        return () if self._held is None else self._calm_bytes

    @property
    def due_ns(self) -> int:
        """Awake, the arrival (monotonic) before which nothing between keyframes is decoded. From any thread.

        The picture that is due is not to wait until all before it are decoded: that is done with the last of them. Unless a keyframe is
        expected first, if GOPs are equally long.
        """
        if not self._prompt or self.asleep or self._interval_ns == 0:
            return 0
        due_ns, began = self._consumer.demand.due_ns, self._began
        if self._gop_ns and began is not None and due_ns > began.monotonic_ns + self._gop_ns - self._interval_ns // 2:
            return due_ns
        return due_ns - self._interval_ns * 3 // 2

    def decode(self, packet: AnyPacket, ticket: Ticket) -> Iterator[Frame]:
        """Frames that come out when `packet` goes in; asleep, those of keyframes only, and on waking all that were held back."""
        self._decoder.lean = not self._consumer.demand.proving
        self._consumer.took(ticket.monotonic_ns)
        self._count(packet, ticket)
        if self._skips(packet, ticket):
            return self._skip(packet, ticket)
        if packet.is_keyframe:
            self._sizes.saw_keyframe(packet.size)
            return self._keyframe(packet, ticket)
        if self._held is not None:
            return self._hold_back(self._held, packet, ticket)
        return self._awake(packet, ticket)

    def lose(self) -> None:
        """Packets that came before the next one were thrown away."""
        self._lost = True

    def _count(self, packet: AnyPacket, ticket: Ticket) -> None:
        """Follow how far apart pictures and keyframes are; where something is missing between them, that says nothing of the camera."""
        self._between += 1
        self._lost = self._lost or ticket.damaged
        if packet.is_keyframe:
            apart_ns = -1 if self._lost or self._began is None else ticket.after_ns(self._began)
            pictures, self._between = self._between, 0
            self._interval_ns = max(apart_ns, 0) // pictures
            self._gop_ns = max(apart_ns, 0) if pictures == self._gop_pictures else 0
            self._gop_pictures = pictures
            if apart_ns >= 0:
                self._far_apart = apart_ns > LONGEST_GOP_NS
            self._began, self._lost = ticket, False

    def _skips(self, packet: AnyPacket, ticket: Ticket) -> bool:
        """Whether pictures between keyframes are not wanted. It begins and ends with a keyframe, and never with a stream's first."""
        if packet.is_keyframe:
            before, self._skipping = self._skipping, self._consumer.wants() is not Wanted.ALL and self._stands_alone
            if self._skipping and (self._decoded_ns < 0 or self._far_apart):
                if self._decoded_ns >= 0:
                    self._give_up_skipping()
                self._skipping = False
            if self._skipping:
                self._leave_behind()
            if self._skipping and self._held is not None:
                self.counts.left_out += len(self._held.packets) - 1
                self._held = None
                self._sizes.forget()
                self._consumer.note_decoder(DecoderState.CATCHING_UP)
                self._consumer.note_decoder(DecoderState.AWAKE)
            elif before and not self._skipping:
                self._decoder.reset()
            if not self._skipping:
                self._decoded_ns = ticket.monotonic_ns
            if self._skipping or before:
                self._consumer.skipping(on=self._skipping)
        return self._skipping

    def _skip(self, packet: AnyPacket, ticket: Ticket) -> Iterator[Frame]:
        if self._began is not None and ticket.after_ns(self._began) > LONGEST_GOP_NS and not self._lost and self._stands_alone:
            self._give_up_skipping()            # the next one is decoded whole, and nobody waits for it in vain again
        soon = ticket.monotonic_ns - self._decoded_ns < SELDOM_NS
        if not packet.is_keyframe or (soon and self._consumer.wants() is Wanted.SELDOM):
            self.counts.left_out += 1
            return
        self._decoded_ns = ticket.monotonic_ns
        self._decoder.reset()
        frames = list(self._decoder.alone(packet, ticket))
        if not ticket.damaged and (len(frames) != 1 or not frames[0].intact):
            self._give_up_skipping()
        yield from frames

    def _give_up_skipping(self) -> None:
        self._stands_alone = False
        self._consumer.cannot_skip()

    def _awake(self, packet: AnyPacket, ticket: Ticket) -> Iterator[Frame]:
        self._sizes.learn(packet.size, busy=self._consumer.demand.covered, quiet=self._consumer.demand.quiet)
        if ticket.monotonic_ns < self.due_ns and not ticket.damaged:
            self._behind.append((packet, ticket))
            if ticket.monotonic_ns - self._behind[0][1].monotonic_ns >= LONGEST_BEHIND_NS:
                yield from self._catch_up()
            return
        yield from self._catch_up()
        frames = list(self._decoder.decode(packet, ticket))
        self._prompt = bool(frames) and frames[-1].monotonic_ns == ticket.monotonic_ns
        yield from frames

    def _catch_up(self) -> Iterator[Frame]:
        behind, self._behind = self._behind, []
        for earlier, its in behind:
            yield from self._decoder.decode(earlier, its)

    def _leave_behind(self) -> None:
        self.counts.left_out += len(self._behind)
        self._behind = []

    def _keyframe(self, packet: AnyPacket, ticket: Ticket) -> Iterator[Frame]:
        held = self._held
        if held is None:
            if self._behind and self._decoder.begins_anew(packet):
                self._leave_behind()
            yield from self._catch_up()
            frames = list(self._decoder.decode(packet, ticket))
            if self._able and self._consumer.demand.quiet and self._sizes.tells():
                self._fall_asleep(packet, ticket, frames)
            yield from frames
            return
        lost = ticket.damaged
        frames = list(self._decoder.decode(packet, ticket))
        if lost:
            pass                                # who knows what was in it
        elif len(frames) != 1 or not frames[0].intact:
            self._able = False                  # this camera's keyframes need what was left out
        elif self._consumer.demand.quiet and not self._consumer.differs(frames[0]):
            self.counts.left_out += len(held.packets) - 1
            self._sizes.confirm()
            self._sizes.tells()                 # what a quiet picture takes drifts with the light
            self._hold(packet, ticket)
            yield frames[0]
            return
        self._held = None
        self._sizes.forget()
        self._consumer.note_decoder(DecoderState.CATCHING_UP)
        self._decoder.reset()
        for number, (earlier, its) in enumerate(held.packets):
            for frame in self._decoder.decode(earlier, its):
                if number > 0:                  # the keyframe was given out before
                    yield frame
        yield from self._decoder.decode(packet, Ticket(ticket.wall_ns, ticket.monotonic_ns, lost))
        self._consumer.note_decoder(DecoderState.AWAKE)

    def _fall_asleep(self, packet: AnyPacket, ticket: Ticket, frames: list[Frame]) -> None:
        if len(frames) != 1 or not frames[0].keyframe or not frames[0].intact or frames[0].monotonic_ns != ticket.monotonic_ns:
            return                              # pictures come out late: whoever slept would not know what it sees
        self._hold(packet, ticket)
        self.counts.slept += 1
        self._consumer.note_decoder(DecoderState.ASLEEP)

    def _hold(self, packet: AnyPacket, ticket: Ticket) -> None:
        """Keep a GOP from its keyframe on."""
        self._calm_bytes = self._sizes.calm_bytes()
        self._held = _Held()
        self._held.put(packet, ticket)

    def _hold_back(self, held: _Held, packet: AnyPacket, ticket: Ticket) -> Iterator[Frame]:
        held.put(packet, ticket)
        if ticket.after_ns(held.packets[0][1]) > LONGEST_GOP_NS or held.size_bytes > MOST_HELD_BYTES:
            self._able = self._able and self._lost      # too long between keyframes: an alarm would be late
        elif self._consumer.demand.quiet and not ticket.damaged and not self._sizes.wakes(packet.size):
            return
        self._held = None
        self._sizes.forget()
        self._consumer.note_decoder(DecoderState.CATCHING_UP)
        for earlier, its in held.packets[1:]:
            yield from self._decoder.decode(earlier, its)
        self._consumer.note_decoder(DecoderState.AWAKE)
