from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import av.logging
import numpy as np
import pytest
from demo.clip import Clip
from demo.encode import clip_frames, encode_pictures
from tests.cameras import moving_picture, picture_number, small_clip

from privet.core.frame import Frame, Matrix
from privet.ingest.decode import FrameDecoder, Ticket, begins_anew, complains, listen_to_ffmpeg, make_decoder, matrix_of, planes


def units_of(clip: Clip) -> list[bytes]:
    data = clip.path.read_bytes()
    return [data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes] for unit in clip.units]


def decode(units: Sequence[bytes], codec: str = "h264", damaged: frozenset[int] = frozenset()) -> list[tuple[int, bool, bool]]:
    """(number, keyframe, intact) of every frame; the number travels as the time."""
    decoder = FrameDecoder(make_decoder(codec))
    frames = []
    for number, unit in enumerate(units):
        frames += [
            (frame.monotonic_ns, frame.keyframe, frame.intact)
            for frame in decoder.decode(av.Packet(unit), Ticket(0, number, number in damaged))
        ]
    return frames + [(frame.monotonic_ns, frame.keyframe, frame.intact) for frame in decoder.flush()]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_whole_clip_is_intact_and_in_order(codec: str) -> None:
    clip = small_clip("h264" if codec == "h264" else "h265", count=30)
    assert decode(units_of(clip), codec) == [(number, number % 10 == 0, True) for number in range(30)]


def test_frame_i_of_the_clip_is_frame_i_of_the_original() -> None:
    clip = small_clip(count=60)
    seen = [(picture_number(frame.y), frame.wall_ns) for frame in clip_frames(clip, start_wall_ns=5)]
    assert len(seen) == 60
    for number, (shown, wall_ns) in enumerate(seen):
        assert abs(shown - number) <= 2
        assert wall_ns == 5 + number * 100_000_000


def test_nothing_before_the_first_keyframe() -> None:
    units = units_of(small_clip(count=30))
    assert decode(units[3:])[0] == (7, True, True)  # number 10 of the clip


def test_a_lost_packet_taints_all_up_to_the_next_keyframe() -> None:
    intact = [intact for _, _, intact in decode(units_of(small_clip(count=30)), damaged=frozenset({14}))]
    assert intact == [not 14 <= number < 20 for number in range(30)]


def test_a_damaged_keyframe_taints_its_gop() -> None:
    intact = [intact for _, _, intact in decode(units_of(small_clip(count=30)), damaged=frozenset({10}))]
    assert intact == [not 10 <= number < 20 for number in range(30)]


@pytest.mark.parametrize("victim", [10, 13])
@pytest.mark.parametrize(("kept", "filling"), [(0.3, "noise"), (0.3, "nothing"), (0.7, "nothing"), (0.95, "nothing")])
def test_damage_that_the_decoder_conceals_is_noticed(victim: int, kept: float, filling: str) -> None:
    """The end of one H.264 access unit is noise or missing. No transport said so; a picture comes out; it is not intact.

    (Little noise at the very end may happen to be good syntax. That is what the checksums of TCP and UDP are for.)
    """
    units = units_of(small_clip(count=30))
    whole = units[victim]
    beginning = whole[: int(len(whole) * kept)]
    noise = np.random.default_rng(1).integers(4, 256, len(whole) - len(beginning), np.uint8).tobytes()
    units[victim] = beginning + (noise if filling == "noise" else b"")
    frames = decode(units)
    assert len(frames) == 30
    assert [number for number, _, intact in frames if not intact] == list(range(victim, 20))


@pytest.mark.parametrize("victim", [10, 13])
def test_h265_shows_nothing_intact_after_a_missing_access_unit(victim: int) -> None:
    units = units_of(small_clip("h265", count=30))
    units[victim] = b""
    decoder = FrameDecoder(make_decoder("hevc"))
    intact = set()
    for number, unit in enumerate(units):
        if unit:
            intact |= {frame.monotonic_ns for frame in decoder.decode(av.Packet(unit), Ticket(0, number)) if frame.intact}
    assert intact == {*range(victim), *range(20, 30)}


def test_a_hopeless_packet_is_counted_not_raised() -> None:
    decoder = FrameDecoder(make_decoder("h264"))
    assert list(decoder.decode(av.Packet(b"\x00\x00\x01\x65" + b"\xff" * 40), Ticket(0, 0))) == []
    assert decoder.counts.refused == 1
    units = units_of(small_clip(count=10))
    frames = [frame for unit in units for frame in decoder.decode(av.Packet(unit), Ticket(0, 0))]
    assert len(frames) == 10
    assert frames[0].intact


def test_size_changes_are_passed_on() -> None:
    small, large = small_clip(count=10), small_clip(count=10, size_px=(400, 304))
    decoder = FrameDecoder(make_decoder("h264"))
    sizes = [
        (frame.width_px, frame.height_px, frame.intact)
        for unit in units_of(small) + units_of(large) + units_of(small)
        for frame in decoder.decode(av.Packet(unit), Ticket(0, 0))
    ]
    assert sizes == [(320, 240, True)] * 10 + [(400, 304, True)] * 10 + [(320, 240, True)] * 10


def test_planes_of_what_needs_no_conversion_are_the_decoders_memory() -> None:
    picture = moving_picture(0)
    for plane, view in zip(picture.planes, planes(picture), strict=True):
        assert view.__array_interface__["data"][0] == plane.buffer_ptr
        assert view.shape == (plane.height, plane.width)


def filled(name: str, width_px: int, height_px: int, levels: Sequence[int], full_range: bool = False) -> av.VideoFrame:
    """A picture of one colour; levels are those of each plane's samples."""
    picture = av.VideoFrame(width_px, height_px, name)
    if full_range:
        picture.color_range = 2
    for plane, level in zip(picture.planes, levels, strict=True):
        wide = "10le" in name
        plane.update(np.full(plane.buffer_size // (2 if wide else 1), level, "<u2" if wide else np.uint8).tobytes())
    return picture


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (filled("yuvj420p", 64, 48, (255, 128, 128)), (235, 128, 128)),
        (filled("yuvj420p", 63, 47, (0, 0, 255)), (16, 16, 240)),
        (filled("yuv420p", 64, 48, (255, 0, 255), full_range=True), (235, 16, 240)),
        (filled("yuvj422p", 64, 48, (0, 128, 128)), (16, 128, 128)),
        (filled("yuv422p", 64, 48, (100, 90, 200)), (100, 90, 200)),
        (filled("yuv444p", 63, 47, (100, 90, 200)), (100, 90, 200)),
        (filled("yuv420p10le", 64, 48, (400, 512, 600)), (100, 128, 150)),
        (filled("gray", 63, 47, (77,)), (77, 128, 128)),
        (filled("gray10le", 64, 48, (308,)), (77, 128, 128)),
        (filled("gray", 64, 48, (255,), full_range=True), (235, 128, 128)),
        (filled("yuv420p", 63, 47, (50, 60, 70)), (50, 60, 70)),
        (filled("yuv420p", 1, 1, (50, 60, 70)), (50, 60, 70)),
    ],
    ids=lambda value: value.format.name if isinstance(value, av.VideoFrame) else "",
)
def test_other_formats_are_converted(picture: av.VideoFrame, expected: tuple[int, int, int]) -> None:
    y, u, v = planes(picture)
    assert y.shape == (picture.height, picture.width)
    assert u.shape == v.shape == (-(-picture.height // 2), -(-picture.width // 2))
    for plane, level in zip((y, u, v), expected, strict=True):
        assert plane.dtype == np.uint8
        assert np.abs(plane.astype(int) - level).max() <= 1


def test_a_camera_in_422_comes_out_as_420(tmp_path: Path) -> None:
    pictures = [moving_picture(number).reformat(format="yuv422p") for number in range(5)]
    clip = encode_pictures(pictures, tmp_path / "odd.annexb", Fraction(10), pixel_format="yuv422p")
    frames = [(frame.u.shape, picture_number(frame.y)) for frame in clip_frames(clip)]
    assert [shape for shape, _ in frames] == [(120, 160)] * 5
    assert all(abs(shown - number) <= 2 for number, (_, shown) in enumerate(frames))


@pytest.mark.parametrize(
    ("colorspace", "height_px", "matrix"),
    [(1, 100, Matrix.BT709), (6, 2160, Matrix.BT601), (5, 576, Matrix.BT601), (2, 719, Matrix.BT601), (2, 720, Matrix.BT709)],
)
def test_matrix(colorspace: int, height_px: int, matrix: Matrix) -> None:
    assert matrix_of(colorspace, height_px) is matrix


def test_ffmpegs_log_does_not_reach_pythons(caplog: pytest.LogCaptureFixture) -> None:
    listen_to_ffmpeg()
    with caplog.at_level(logging.DEBUG):
        av.logging.log(av.logging.ERROR, "rtsp", "rtsp://operator:hunter2@cam/ failed")
        with av.logging.Capture() as lines:
            av.logging.log(av.logging.ERROR, "rtsp", "RTP: missed 1 packets")
            av.logging.log(av.logging.ERROR, "rtsp", "RTP: missed 1 packets")
    assert not caplog.records
    assert len(lines) == 2      # the second loss is told too
    assert all(complains(line) for line in lines)
    assert not complains((av.logging.INFO, "h264", "Reinit context to 320x240"))


def test_a_frame_is_what_core_says() -> None:
    frame = next(iter(clip_frames(small_clip(count=10))))
    assert isinstance(frame, Frame)
    assert {field.name for field in dataclasses.fields(frame)} >= {"y", "u", "v", "wall_ns", "monotonic_ns", "keyframe", "intact", "matrix"}
    assert frame.matrix is Matrix.BT601


def test_a_ticket_that_went_in_twice_costs_no_later_picture() -> None:
    """As on waking, when a GOP is decoded anew while its pictures are still looked at. PyAV goes by addresses, and they come again."""
    unit = units_of(small_clip(count=1))[0]
    decoder = FrameDecoder(make_decoder("h264"))

    def decoded(ticket: Ticket) -> list[Frame]:
        packet = av.Packet(unit)
        packet.is_keyframe = True
        return list(decoder.decode(packet, ticket))

    ticket = Ticket(0, 1)
    looked_at = decoded(ticket)
    assert [frame.monotonic_ns for frame in decoded(ticket)] == [1]
    address = id(ticket)
    del ticket, looked_at
    later = next((each for each in [Ticket(0, 2) for _ in range(1000)] if id(each) == address), Ticket(0, 2))
    assert [frame.monotonic_ns for frame in decoded(later)] == [2]


@pytest.mark.parametrize(
    ("codec", "access_unit", "anew"),
    [
        ("h264", b"\0\0\0\1\x67\x42\0\0\1\x68\x01\0\0\1\x06\x05\0\0\1\x65\x88", True),         # SPS, PPS, SEI, IDR slice
        ("h264", b"\0\0\0\1\x67\x42\0\0\1\x06\x06\0\0\1\x61\x88", False),                     # a recovery point, and a slice that is none
        ("h264", b"\0\0\0\1\x41\x88\0\0\1\x65\x88", False),                                   # the first slice says it
        ("hevc", b"\0\0\0\1\x40\x01\0\0\1\x42\x01\0\0\1\x26\x01\xaf", True),                  # VPS, SPS, IDR_W_RADL
        ("hevc", b"\0\0\1\x28\x01\xaf", True),                                                # IDR_N_LP
        ("hevc", b"\0\0\1\x2a\x01\xaf", False),                                               # CRA
        ("hevc", b"\0\0\1\x02\x01\xaf", False),                                               # TRAIL_R
        ("h264", b"", False),
        ("mjpeg", b"\0\0\1\x65", False),
    ],
)
def test_an_idr_picture_begins_anew(codec: str, access_unit: bytes, anew: bool) -> None:
    assert begins_anew(codec, access_unit) is anew
