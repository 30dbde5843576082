"""A quiet camera is decoded keyframe by keyframe, and nothing that moves is left out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import numpy as np
import pytest
from demo.clip import Clip, Codec, read_clip
from demo.encode import CACHE, encode_pictures, yuv_picture

from privet.core.clock import NS_PER_S, FakeClock
from privet.core.frame import Frame
from privet.core.frame_demand import FrameDemand, Wanted
from privet.ingest.decode import FrameDecoder, Ticket, make_decoder
from privet.ingest.frame_demand import DecoderState
from privet.ingest.on_demand import OnDemandDecoder
from privet.ingest.rtsp import RtspSource
from privet.ingest.size_motion import Calm, PacketSizes
from privet.ingest.source import SourceSettings

if TYPE_CHECKING:
    from privet.ingest.decode import AnyPacket

FPS, GOP, WIDTH, HEIGHT = 10, 10, 320, 240
QUIET = 150
BUSY = range(200, 226)          # pictures with something in them: it comes in the middle of a GOP and goes in the middle of one
COUNT = 260


def pictures() -> Iterator[av.VideoFrame]:
    """A still place; for a while a bright square crosses it."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    place = (96 + 24 * np.sin(columns / 9) + 16 * np.cos(rows / 7)).astype(np.uint8)
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    noise = np.random.default_rng(1)
    for number in range(COUNT):
        luma = place + noise.integers(0, 3, place.shape, np.uint8)
        if number in BUSY:
            left = 10 * (number - BUSY.start)
            luma[100:160, left : left + 40] = 220
        yield yuv_picture(luma, chroma, chroma)


def footage(codec: Codec) -> Clip:
    path = CACHE / f"lazy-{codec}-{hashlib.sha256(repr((1, FPS, GOP, QUIET, BUSY, COUNT)).encode()).hexdigest()[:16]}.annexb"
    try:
        return read_clip(path)
    except FileNotFoundError:
        return encode_pictures(pictures(), path, Fraction(FPS), codec, 400_000, GOP // FPS, quality=30)


class Watcher:
    """Sees a square where there is one. quiet_after: how many frames without any make a quiet place."""

    proving = False
    pictures = Wanted.ALL
    due_ns = 0

    def __init__(self, quiet_after: int = 20) -> None:
        self._quiet_after = quiet_after
        self.since = 0
        self.covered = False
        self.states: list[str] = []
        self.skipped: list[bool] = []
        self.idle = 0           # packets that nobody had to be told of at once

    @property
    def quiet(self) -> bool:
        return self.since >= self._quiet_after

    @property
    def demand(self) -> FrameDemand:
        return FrameDemand(proving=self.proving, quiet=self.quiet, covered=self.covered, due_ns=self.due_ns)

    def wants(self) -> Wanted:
        return self.pictures

    def see(self, frame: Frame) -> None:
        self.covered = self.differs(frame)
        self.since = 0 if self.covered else self.since + 1

    def differs(self, frame: Frame) -> bool:
        return bool((frame.y > 180).sum() > 100)

    def note_decoder(self, state: DecoderState) -> None:
        self.states.append({"asleep": "asleep", "catching_up": "awake", "awake": "caught up"}[state.value])

    def cannot_skip(self) -> None:
        self.states.append("cannot skip")

    def skipping(self, *, on: bool) -> None:
        self.skipped.append(on)

    def took(self, arrived_ns: int) -> None:
        self.taken_ns = arrived_ns


class Glancer(Watcher):
    """Looks at every third picture, and is never quiet."""

    def __init__(self) -> None:
        super().__init__(quiet_after=10_000)
        self.looked: list[int] = []

    def see(self, frame: Frame) -> None:
        super().see(frame)
        if frame.monotonic_ns >= self.due_ns:
            self.looked.append(frame.wall_ns)
            self.due_ns = frame.monotonic_ns + 3 * NS_PER_S // FPS - 1


def play(
    clip: Clip, watcher: Watcher, *, order: Sequence[int] | None = None, damaged: frozenset[int] = frozenset(), pad: int = 0
) -> tuple[list[tuple[int, bool]], OnDemandDecoder]:
    """(number, whether the square is seen) of every frame that came out, and the decoder. pad: bytes every small packet is filled to."""
    data = clip.path.read_bytes()
    on_demand = OnDemandDecoder(FrameDecoder(make_decoder("h264" if clip.codec == "h264" else "hevc")), watcher)
    calm = Calm()
    seen = []
    for number in order or range(len(clip.units)):
        unit = clip.units[number]
        bits = data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes]
        if pad and len(bits) < pad:     # a filler unit, as cameras with a constant bit rate send it
            bits += b"\0\0\0\1\x0c" + b"\xff" * (pad - len(bits) - 6) + b"\x80"
        packet = av.Packet(bits)
        packet.is_keyframe = unit.keyframe
        if unit.keyframe:
            calm.keyframe()
        idle = not unit.keyframe and calm.cannot_wake(packet.size, on_demand.calm_bytes) and number not in damaged
        for frame in on_demand.decode(packet, Ticket(number, number * NS_PER_S // FPS, number in damaged)):
            assert not idle         # the thread that decodes would not have been told of this packet at once
            watcher.see(frame)
            seen.append((frame.wall_ns, watcher.covered))
            assert frame.intact or damaged
        watcher.idle += idle
    return seen, on_demand


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_quiet_camera_sleeps_and_nothing_that_moves_is_left_out(codec: Codec) -> None:
    watcher = Watcher()
    seen, on_demand = play(footage(codec), watcher)
    numbers = [number for number, _ in seen]
    assert numbers == sorted(set(numbers)), "in order, none twice"
    assert [number for number, covered in seen if covered] == list(BUSY)
    assert on_demand.counts.slept >= 2
    assert on_demand.counts.left_out > 0.8 * (BUSY.start - QUIET - GOP), "before anything moved, and after it"
    assert watcher.states[:3] == ["asleep", "awake", "caught up"]
    assert watcher.idle > 0.5 * on_demand.counts.left_out, "nobody was woken for most of what was left out"


class NeverWakes(PacketSizes):
    """As if whatever moves came in small packets."""

    def wakes(self, size: int) -> bool:
        return False


def test_what_only_a_keyframe_shows_is_looked_for_in_the_gop_before() -> None:
    clip = footage("h264")
    watcher = Watcher()
    data = clip.path.read_bytes()
    on_demand = OnDemandDecoder(FrameDecoder(make_decoder("h264")), watcher, NeverWakes())
    numbers = []
    for number, unit in enumerate(clip.units):
        packet = av.Packet(data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes])
        packet.is_keyframe = unit.keyframe
        for frame in on_demand.decode(packet, Ticket(number, number * NS_PER_S // FPS)):
            watcher.see(frame)
            if watcher.covered:
                numbers.append(frame.wall_ns)
    assert numbers == list(BUSY)


def test_a_lost_packet_wakes() -> None:
    clip = footage("h264")
    awake = play(clip, Watcher())[1].counts.left_out
    watcher = Watcher()
    seen, on_demand = play(clip, watcher, damaged=frozenset({175}))
    assert on_demand.counts.left_out < awake
    assert 176 in [number for number, _ in seen]


def test_a_camera_that_pads_its_packets_does_not_sleep() -> None:
    seen, on_demand = play(footage("h264"), Watcher(), pad=12_000)
    assert on_demand.counts.slept == 0
    assert len(seen) == COUNT


def test_whoever_is_never_quiet_gets_every_frame() -> None:
    seen, on_demand = play(footage("h264"), Watcher(quiet_after=10_000))
    assert len(seen) == COUNT
    assert on_demand.counts.slept == 0


def test_waking_without_anything_to_be_seen_loses_nothing() -> None:
    watcher = Watcher()
    clip = footage("h264")
    data = clip.path.read_bytes()
    on_demand = OnDemandDecoder(FrameDecoder(make_decoder("h264")), watcher)
    numbers: list[int] = []
    for number, unit in enumerate(clip.units[:190]):
        if number == 185:
            assert on_demand.asleep
            watcher.since = 0       # somebody asks for something
        packet = av.Packet(data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes])
        packet.is_keyframe = unit.keyframe
        for frame in on_demand.decode(packet, Ticket(number, number * NS_PER_S // FPS)):
            watcher.see(frame)
            numbers.append(frame.wall_ns)
    assert numbers[-10:] == list(range(180, 190))


def test_what_lies_between_two_looks_is_decoded_with_the_second_and_before_a_keyframe_not_at_all() -> None:
    whole, glancer = Glancer(), Glancer()
    for number, picture in enumerate(everything(footage("h264"))):
        assert picture.wall_ns == number
        whole.see(picture)
    seen, on_demand = play(footage("h264"), glancer)
    assert glancer.looked == whole.looked
    numbers = [number for number, _ in seen]
    assert numbers == sorted(set(numbers)), "in order, none twice"
    assert 0 < on_demand.counts.left_out <= COUNT - len(seen) < on_demand.counts.left_out + 3, "the last still wait for a look"
    left_out = set(range(COUNT)) - set(numbers)
    assert all(GOP - number % GOP < 3 for number in left_out), "the last ones of their GOPs"
    assert len(left_out & set(BUSY)) > 0


def test_the_picture_that_is_due_does_not_wait_for_those_before_it() -> None:
    """They are decoded with the last of them, so that its own is all that is decoded when it comes."""
    glancer = Glancer()
    on_demand = OnDemandDecoder(FrameDecoder(make_decoder("h264")), glancer)
    together: dict[int, list[int]] = {}
    for packet, ticket in packets_of(footage("h264")):
        for picture in on_demand.decode(packet, ticket):
            glancer.see(picture)
            together.setdefault(ticket.wall_ns, []).append(picture.wall_ns)
    settled = [number for number in glancer.looked if number > 2 * GOP]
    assert len(settled) > 50
    assert all(together[number] == [number] for number in settled)
    assert any(len(pictures_) == 2 for pictures_ in together.values()), "put off, and decoded with the next"


def test_the_same_pictures_come_out_whether_packets_are_held_back_or_not() -> None:
    clip, glancer = footage("h265"), Glancer()
    pictures_of = {picture.wall_ns: picture.y.copy() for picture in everything(clip)}
    for picture in decoded(clip, glancer, OnDemandDecoder(FrameDecoder(make_decoder("hevc")), glancer)):
        assert np.array_equal(picture.y, pictures_of[picture.wall_ns])


def test_before_a_keyframe_that_refers_to_what_was_before_nothing_is_left_out() -> None:
    glancer = Glancer()
    decoder = FrameDecoder(make_decoder("h264"))
    decoder.begins_anew = lambda packet: False  # type: ignore[method-assign]  # as at a recovery point
    on_demand = OnDemandDecoder(decoder, glancer)
    clip = footage("h264")
    numbers = [picture.wall_ns for picture in decoded(clip, glancer, on_demand)]
    assert numbers == list(range(numbers[-1] + 1))
    assert numbers[-1] >= COUNT - 3
    assert on_demand.counts.left_out == 0


def test_what_was_lost_is_not_held_back() -> None:
    glancer = Glancer()
    lost = 25
    order = iter(decoded(footage("h264"), glancer, OnDemandDecoder(FrameDecoder(make_decoder("h264")), glancer), damaged=lost))
    whole = list(order)
    assert lost in [picture.wall_ns for picture in whole if not picture.intact]
    assert lost not in glancer.looked, "or it would be no evidence"


def test_a_decoder_that_keeps_pictures_back_is_given_every_packet_at_once() -> None:
    """With pictures out of order one comes out with a later packet: put off, it would be later still."""
    path = CACHE / f"lazy-reordered-{hashlib.sha256(repr((1, FPS, GOP, COUNT)).encode()).hexdigest()[:16]}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=FPS, options={"bf": "2", "b_strategy": "0", "g": str(GOP), "preset": "veryfast"})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for picture in pictures():
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
    glancer = Glancer()
    behind = 0
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        context = make_decoder("h264")
        context.extradata = video.codec_context.extradata
        on_demand = OnDemandDecoder(FrameDecoder(context), glancer)
        for number, packet in enumerate(container.demux(video)):
            if packet.size:
                for frame in on_demand.decode(packet, Ticket(number, number * NS_PER_S // FPS)):
                    glancer.see(frame)
                    behind += frame.wall_ns != number
                assert on_demand.due_ns == 0
    assert behind > COUNT // 2, "or it would be no evidence"
    assert on_demand.counts.left_out == 0


def everything(clip: Clip) -> list[Frame]:
    """All pictures, decoded as they come."""
    decoder = FrameDecoder(make_decoder("h264" if clip.codec == "h264" else "hevc"))
    decoder.lean = True
    return [frame for packet, ticket in packets_of(clip) for frame in decoder.decode(packet, ticket)]


def decoded(clip: Clip, watcher: Watcher, on_demand: OnDemandDecoder, damaged: int = -1) -> Iterator[Frame]:
    """Pictures as a watcher gets them; one packet came damaged."""
    for packet, ticket in packets_of(clip):
        ticket.damaged = ticket.wall_ns == damaged
        for frame in on_demand.decode(packet, ticket):
            watcher.see(frame)
            yield frame


def packets_of(clip: Clip) -> Iterator[tuple[AnyPacket, Ticket]]:
    data = clip.path.read_bytes()
    for number, unit in enumerate(clip.units):
        packet = av.Packet(data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes])
        packet.is_keyframe = unit.keyframe
        yield packet, Ticket(number, number * NS_PER_S // FPS)


class Choosy(Watcher):
    """Wants what it is told to want, from a number on."""

    def __init__(self, wanted: dict[int, Wanted]) -> None:
        super().__init__(quiet_after=10_000)
        self._wanted = wanted
        self.number = 0

    def wants(self) -> Wanted:
        return [wants for begins, wants in sorted(self._wanted.items()) if begins <= self.number][-1]


def chosen(wanted: dict[int, Wanted], damaged: frozenset[int] = frozenset()) -> tuple[list[int], OnDemandDecoder, Choosy]:
    clip, choosy = footage("h264"), Choosy(wanted)
    data = clip.path.read_bytes()
    on_demand = OnDemandDecoder(FrameDecoder(make_decoder("h264")), choosy)
    numbers = []
    for number, unit in enumerate(clip.units):
        choosy.number = number
        packet = av.Packet(data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes])
        packet.is_keyframe = unit.keyframe
        numbers += [frame.wall_ns for frame in on_demand.decode(packet, Ticket(number, number * NS_PER_S // FPS, number in damaged))]
    return numbers, on_demand, choosy


def test_where_keyframes_are_enough_nothing_else_is_decoded_and_then_everything_again() -> None:
    until = COUNT // GOP // 2 * GOP
    numbers, on_demand, choosy = chosen({0: Wanted.KEYFRAMES, until + 1: Wanted.ALL})
    again = until + GOP
    first = list(range(GOP))       # a stream begins with a whole GOP, so that it is known to give pictures
    assert numbers == first + list(range(GOP, again, GOP)) + list(range(again, COUNT))
    assert on_demand.counts.left_out == again - GOP - (again - GOP) // GOP
    assert choosy.states == []
    assert choosy.skipped == [True] * ((again - GOP) // GOP) + [False]
    assert choosy.taken_ns == (COUNT - 1) * NS_PER_S // FPS


def test_where_keyframes_are_seldom_wanted_few_are_decoded() -> None:
    numbers, on_demand, _ = chosen({0: Wanted.SELDOM})
    assert numbers == list(range(GOP))
    assert on_demand.asleep
    assert Calm().cannot_wake(10**9, on_demand.calm_bytes), "nor need anybody be told of packets between them"


def test_where_the_next_keyframe_takes_too_long_it_is_not_waited_for_twice() -> None:
    """A camera that makes its GOPs longer while nothing happens: how long they are is known only when one is over."""
    clip, choosy = footage("h264"), Choosy({0: Wanted.KEYFRAMES})
    data = clip.path.read_bytes()
    on_demand = OnDemandDecoder(FrameDecoder(make_decoder("h264")), choosy)
    numbers, given_up = [], -1
    for number, unit in enumerate(clip.units[: 5 * GOP]):
        gop, within = divmod(number, GOP)
        slower = 10 if gop >= 2 else 1          # a picture a second from the third GOP on, which is ten seconds long then
        at = min(number, 2 * GOP) + (max(number - 2 * GOP, 0)) * slower
        packet = av.Packet(data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes])
        packet.is_keyframe = within == 0
        numbers += [frame.wall_ns for frame in on_demand.decode(packet, Ticket(number, at * NS_PER_S // FPS))]
        if given_up < 0 and "cannot skip" in choosy.states:
            given_up = number
    assert 2 * GOP + 5 <= given_up <= 2 * GOP + 6, "five seconds after its keyframe"
    assert numbers == [*range(GOP), GOP, 2 * GOP, *range(3 * GOP, 5 * GOP)]
    assert choosy.states.count("cannot skip") == 1


def test_a_camera_whose_keyframes_are_too_far_apart_is_decoded_whole() -> None:
    clip, choosy = footage("h264"), Choosy({0: Wanted.KEYFRAMES})
    data = clip.path.read_bytes()
    on_demand = OnDemandDecoder(FrameDecoder(make_decoder("h264")), choosy)
    count = 0
    for number, unit in enumerate(clip.units):
        packet = av.Packet(data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes])
        packet.is_keyframe = unit.keyframe
        count += len(list(on_demand.decode(packet, Ticket(number, number * 6 * NS_PER_S // GOP))))
    assert choosy.states == ["cannot skip"]
    assert count == COUNT


def without(dropped: range, *, told: bool, late: int = 1) -> list[str]:
    """What a watcher that wants keyframes is told where some packets are missing, and others arrive so many times as late as sent."""
    clip, choosy = footage("h264"), Choosy({0: Wanted.KEYFRAMES})
    data = clip.path.read_bytes()
    on_demand = OnDemandDecoder(FrameDecoder(make_decoder("h264")), choosy)
    for number, unit in enumerate(clip.units):
        if number in dropped:
            continue
        if told and number == dropped.stop:
            on_demand.lose()
        packet = av.Packet(data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes])
        packet.is_keyframe = unit.keyframe
        sent_ns = number * NS_PER_S // FPS
        list(on_demand.decode(packet, Ticket(number, late * sent_ns, media_ns=sent_ns)))
    return choosy.states


def test_keyframes_that_were_thrown_away_here_do_not_make_a_camera_whose_keyframes_are_rare() -> None:
    dropped = range(GOP + 3, 8 * GOP)       # the next keyframe comes seven seconds after the one before
    assert without(dropped, told=True) == []
    assert without(dropped, told=False) == ["cannot skip"], "or it would be no evidence"


def test_a_machine_that_is_behind_does_not_make_a_camera_whose_keyframes_are_rare() -> None:
    assert without(range(0), told=False, late=6) == []
    assert without(range(0), told=False, late=1) == []


def test_asleep_a_machine_that_is_behind_does_not_end_sleep_for_good() -> None:
    clip, watcher = footage("h264"), Watcher()
    data = clip.path.read_bytes()
    on_demand = OnDemandDecoder(FrameDecoder(make_decoder("h264")), watcher)
    slept = 0
    for number, unit in enumerate(clip.units[: BUSY.start]):
        packet = av.Packet(data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes])
        packet.is_keyframe = unit.keyframe
        sent_ns = number * NS_PER_S // FPS
        behind_ns = 6 * NS_PER_S if number > 105 else 0     # it stops for six seconds between two packets
        for frame in on_demand.decode(packet, Ticket(number, sent_ns + behind_ns, media_ns=sent_ns)):
            watcher.see(frame)
        slept += on_demand.asleep and number > 150
    assert slept > 40


def test_what_its_own_queue_threw_away_says_nothing_of_how_rare_a_camera_s_keyframes_are() -> None:
    clip, choosy = footage("h264"), Choosy({0: Wanted.KEYFRAMES})
    source = RtspSource(SourceSettings("rtsp://127.0.0.1/none"), FakeClock(), choosy)
    source._context = make_decoder("h264")
    frames, got = source._decoded(), []
    until = 8 * GOP                         # nobody takes what comes between the second keyframe and here
    for packet, ticket in packets_of(clip):
        video = cast("av.Packet[av.VideoStream]", packet)
        source._queue.put((video, ticket), packet.size, packet.is_keyframe, ticket.monotonic_ns)
        if ticket.wall_ns <= GOP or ticket.wall_ns in (until, until + GOP):
            got.append(next(frames).wall_ns)
    assert got == [*range(GOP + 1), until - GOP, until], "six seconds between two"
    assert source.statistics().packets_dropped > 5 * GOP
    assert choosy.states == []
