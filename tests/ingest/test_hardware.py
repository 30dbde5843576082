"""Decoding on a GPU. There is none where this runs: devices that are missing are real, decoders that fail are software that was told to."""

from __future__ import annotations

import av
import numpy as np
import pytest
from tests.cameras import small_clip
from tests.ingest.test_decode import units_of

from privet.core.clock import NS_PER_S
from privet.core.decoding import Decoding
from privet.core.frame import Frame
from privet.ingest.decode import FrameDecoder, Ticket, make_decoder, planes
from privet.ingest.hardware import (
    FIRST_REST_NS,
    KINDS,
    LONGEST_REST_NS,
    SILENT_PACKETS,
    Accelerator,
    HardwareError,
    Kind,
    Rest,
    make_context,
    try_device,
)

PICTURES, GOP = 60, 10


class Pretended:
    """Makes "hardware" that is software until packet `fails_at`, from when on it raises, is silent, or gives pictures of another size."""

    def __init__(self, fails_at: int | None = None, how: str = "error", why: Decoding | None = None) -> None:
        self.made: list[tuple[str, Kind, str]] = []
        self._fails_at, self._how, self._why = fails_at, how, why

    def __call__(self, codec: str, kind: Kind, device: str) -> av.VideoCodecContext:
        self.made.append((codec, kind, device))
        if self._why is not None:
            raise HardwareError(self._why)
        return Faulty(make_decoder(codec), self._fails_at, self._how)  # type: ignore[return-value]


class Faulty:
    """A decoder's context that stops working."""

    _inner: av.VideoCodecContext
    _left: int | None
    _how: str

    def __init__(self, context: av.VideoCodecContext, fails_at: int | None, how: str) -> None:
        self.__dict__["_inner"] = context
        self.__dict__["_left"] = fails_at
        self.__dict__["_how"] = how

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._inner, name, value)

    def decode(self, packet: av.Packet[av.VideoStream] | None) -> list[av.VideoFrame]:
        if packet is not None and self._left is not None:
            self.__dict__["_left"] = left = self._left - 1
            if left < 0:
                if self._how == "error":
                    raise av.ExternalError(-1, "the device is gone")
                if self._how == "silent":
                    return []
                return [self._as_told(picture) for picture in self._inner.decode(packet)]
        pictures: list[av.VideoFrame] = self._inner.decode(packet)
        return pictures

    def _as_told(self, picture: av.VideoFrame) -> av.VideoFrame:
        if self._how == "size":
            return picture.reformat(width=picture.width * 2, height=picture.height * 2)
        picture.opaque = None
        return picture


def run(accelerator: Accelerator, lean_from: int = 0, lean_to: int = PICTURES, units: list[bytes] | None = None) -> list[Frame]:
    decoder = FrameDecoder(make_decoder("h264"), accelerator)
    frames: list[Frame] = []
    for number, unit in enumerate(units or units_of(small_clip(count=PICTURES))):
        decoder.lean = lean_from <= number < lean_to
        packet = av.Packet(unit)
        packet.is_keyframe = number % GOP == 0
        frames += [kept(frame) for frame in decoder.decode(packet, Ticket(0, number * NS_PER_S // 15))]
    return frames + [kept(frame) for frame in decoder.flush()]


def kept(frame: Frame) -> Frame:
    return Frame(
        frame.y.copy(), frame.u.copy(), frame.v.copy(), frame.wall_ns, frame.monotonic_ns, frame.keyframe, frame.intact, frame.matrix
    )


def numbers(frames: list[Frame]) -> list[int]:
    return [round(frame.monotonic_ns * 15 / NS_PER_S) for frame in frames]


# ---- the real thing, as far as it goes without a GPU


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_device_that_is_not_here_is_said_to_be_missing(kind: Kind, codec: str) -> None:
    if try_device(kind) is Decoding.HARDWARE:
        pytest.skip("this machine has one")
    missing = "99" if kind == "cuda" else "/dev/dri/renderD999"
    with pytest.raises(HardwareError) as caught:
        make_context(codec, kind, missing)
    assert caught.value.why in {Decoding.NO_DEVICE, Decoding.UNSUPPORTED}


@pytest.mark.parametrize("hardware", ["cuda", "vaapi", "auto"])
def test_without_a_device_every_picture_comes_out_of_software(hardware: str) -> None:
    if any(try_device(kind) is Decoding.HARDWARE for kind in KINDS):
        pytest.skip("this machine has one")
    accelerator = Accelerator(hardware)  # type: ignore[arg-type]
    frames = run(accelerator)
    assert numbers(frames) == list(range(PICTURES))
    assert all(frame.intact for frame in frames)
    assert accelerator.decoding in {Decoding.NO_DEVICE, Decoding.UNSUPPORTED}
    assert accelerator.frames == 0
    assert not accelerator.due(10**18), "a device that is not there was tried again"


# ---- what came out, judged


def test_hardware_decodes_what_is_not_proven_and_nothing_else() -> None:
    make = Pretended()
    accelerator = Accelerator("vaapi", "/dev/dri/renderD128", make)
    seen: list[Decoding] = []
    decoder = FrameDecoder(make_decoder("h264"), accelerator)
    for number, unit in enumerate(units_of(small_clip(count=PICTURES))):
        decoder.lean = 15 <= number < 35
        packet = av.Packet(unit)
        packet.is_keyframe = number % GOP == 0
        list(decoder.decode(packet, Ticket(0, number)))
        seen.append(accelerator.decoding)
    assert seen == [Decoding.WAITING] * 20 + [Decoding.HARDWARE] * 20 + [Decoding.WAITING] * 20
    assert accelerator.frames == 20
    assert make.made == [("h264", "vaapi", "/dev/dri/renderD128")]


def test_the_pictures_are_those_of_software() -> None:
    software, hardware = run(Accelerator(), lean_to=0), run(Accelerator("cuda", make=Pretended()), lean_from=10)
    assert numbers(software) == numbers(hardware)
    for one, other in zip(software, hardware, strict=True):
        assert np.array_equal(one.y, other.y)
        assert np.array_equal(one.u, other.u)


@pytest.mark.parametrize("how", ["error", "size", "nameless"])
def test_first_pictures_that_fail_cost_nothing(how: str) -> None:
    accelerator = Accelerator("cuda", make=Pretended(0, how))
    frames = run(accelerator, lean_from=10)
    assert numbers(frames) == list(range(PICTURES))
    assert all(frame.intact for frame in frames)
    assert accelerator.decoding is Decoding.FAILED


@pytest.mark.parametrize("how", ["error", "size", "nameless"])
def test_a_failure_between_keyframes_costs_the_rest_of_the_gop(how: str) -> None:
    accelerator = Accelerator("cuda", make=Pretended(4, how))   # packets 10 to 13 are decoded
    frames = run(accelerator, lean_from=10)
    assert numbers(frames) == [*range(14), *range(20, PICTURES)]
    assert all(frame.intact for frame in frames), "a broken device is not a damaged picture"
    assert accelerator.decoding is Decoding.FAILED
    assert accelerator.frames == 4


def test_silence_is_given_up_within_so_many_packets() -> None:
    accelerator = Accelerator("cuda", make=Pretended(0, "silent"))
    frames = run(accelerator, lean_from=10)
    assert accelerator.decoding is Decoding.FAILED
    given_up = 10 + SILENT_PACKETS
    assert numbers(frames) == [*range(10), *range(-(-given_up // GOP) * GOP, PICTURES)]


def test_a_lost_packet_is_not_the_devices_fault() -> None:
    units = units_of(small_clip(count=PICTURES))
    working = Accelerator("cuda", make=Pretended())
    decoder = FrameDecoder(make_decoder("h264"), working)
    for number, unit in enumerate(units):
        decoder.lean = True
        packet = av.Packet(unit if number != 25 else unit[:20])
        packet.is_keyframe = number % GOP == 0
        list(decoder.decode(packet, Ticket(0, number, damaged=number == 25)))
    assert working.decoding is Decoding.HARDWARE


def test_it_is_tried_again_after_a_rest_that_doubles() -> None:
    make = Pretended(0)
    accelerator = Accelerator("cuda", make=make)
    now_ns = 0
    for rest_ns in (FIRST_REST_NS, 2 * FIRST_REST_NS, 4 * FIRST_REST_NS):
        assert accelerator.open("h264", (320, 240), now_ns) is not None
        assert not accelerator.good([], failed=True, now_ns=now_ns)
        assert not accelerator.due(now_ns + rest_ns - 1)
        now_ns += rest_ns
        assert accelerator.due(now_ns)
    rest = Rest()
    for _ in range(20):
        rest.failed(0)
    assert rest.until_ns == LONGEST_REST_NS


def test_a_new_connection_begins_in_software_and_keeps_what_was_learned() -> None:
    found: list[Decoding] = []
    for make in (Pretended(), Pretended(0)):
        accelerator = Accelerator("cuda", make=make)
        run(accelerator)
        found.append(accelerator.decoding)
        FrameDecoder(make_decoder("h264"), accelerator)
        found.append(accelerator.decoding)
    assert found == [Decoding.HARDWARE, Decoding.WAITING, Decoding.FAILED, Decoding.FAILED]


def test_auto_takes_the_kind_that_is_there_and_says_what_the_usable_one_lacked() -> None:
    class Second(Pretended):
        def __call__(self, codec: str, kind: Kind, device: str) -> av.VideoCodecContext:
            if kind == KINDS[0]:
                raise HardwareError(Decoding.NO_DEVICE)
            return super().__call__(codec, kind, device)

    there = Accelerator("auto", make=Second())
    assert there.open("h264", (320, 240), 0) is not None
    assert there.decoding is Decoding.HARDWARE
    neither = Accelerator("auto", make=Second(why=Decoding.UNSUPPORTED))
    assert neither.open("h264", (320, 240), 0) is None
    assert neither.decoding is Decoding.NO_DEVICE


def test_nobody_who_did_not_ask_has_hardware() -> None:
    make = Pretended()
    accelerator = Accelerator("none", make=make)
    run(accelerator)
    assert make.made == []
    assert accelerator.decoding is Decoding.SOFTWARE


# ---- what a GPU's memory holds, as planes


def texture(format_name: str) -> av.VideoFrame:
    random = np.random.default_rng(5)
    rows, columns = np.mgrid[0:64, 0:96]
    luma = (90 + 60 * np.sin(columns / 7) * np.cos(rows / 5)).astype(np.uint8)
    chroma = random.integers(64, 192, (2, 32, 48), np.uint8)
    stacked = np.concatenate([luma.reshape(-1), chroma.reshape(-1)]).reshape(96, 96)
    return av.VideoFrame.from_ndarray(stacked, format="yuv420p").reformat(
        format=format_name, src_color_range="MPEG", dst_color_range="MPEG"
    )


def test_nv12_becomes_exactly_the_planes_of_software() -> None:
    for ours, theirs in zip(planes(texture("nv12")), planes(texture("yuv420p")), strict=True):
        assert ours.shape == theirs.shape
        assert np.array_equal(ours, theirs)


def test_ten_bits_become_the_planes_that_ten_bits_in_software_become() -> None:
    for ours, theirs in zip(planes(texture("p010le")), planes(texture("yuv420p10le")), strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours.astype(int) - theirs).max() <= 1     # swscale rounds the two differently


def test_full_range_is_told_by_the_picture() -> None:
    picture = texture("nv12")
    picture.color_range = 2
    luma, _, _ = planes(picture)
    plain, _, _ = planes(texture("nv12"))
    expected = np.rint(plain * (219 / 255) + 16)
    assert np.abs(luma - expected).max() <= 1


def test_the_trial_is_decoded_whole_by_a_decoder_that_works() -> None:
    assert try_device("cuda", make=Pretended()) is Decoding.HARDWARE
    assert try_device("cuda", make=Pretended(0)) is Decoding.FAILED
    assert try_device("cuda", make=Pretended(0, "size")) is Decoding.FAILED
    assert try_device("vaapi", make=Pretended(why=Decoding.UNSUPPORTED)) is Decoding.UNSUPPORTED
