"""What a source says of its geometry is undone before anything looks: every orientation, squeezed pixels, and what makes no sense."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from itertools import groupby
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from tests.films import EIGHT, FIXED, ON_ITS_SIDE, UNIT_W, UPRIGHT, RgbPicture, Stored, squeezed, write_film

from privet.core.clock import FakeClock
from privet.core.errors import SourceError
from privet.core.frame import Frame, Plane
from privet.core.geometry import AS_STORED, NO_TURN, UNREADABLE, Geometry, GeometryError, Tag
from privet.ingest.decode import FrameDecoder, Ticket, make_decoder
from privet.ingest.open import open_file_frames
from privet.ingest.upright import Upright, aspect_of, squared_px, turn_of, turned

WIDTH_PX, HEIGHT_PX = 160, 112


def picture(width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> RgbPicture:
    """Shades and colours that look like themselves in no other orientation."""
    rows, columns = np.mgrid[0:height_px, 0:width_px]
    red = 40 + 150 * columns / width_px
    green = 40 + 150 * rows / height_px
    blue = np.where((rows < height_px // 3) & (columns < width_px // 4), 220, 60)
    return np.stack([red, green, blue], axis=2).astype(np.uint8)


def analysed(path: Path) -> list[tuple[Plane, Plane, Plane, Geometry]]:
    return [(frame.y.copy(), frame.u.copy(), frame.v.copy(), frame.stored) for frame in open_file_frames(path, FakeClock())]


def distance(one: Sequence[Plane], other: Sequence[Plane]) -> float:
    """The largest of the planes' mean differences, in levels."""
    assert [plane.shape for plane in one] == [plane.shape for plane in other]
    return max(float(np.abs(a.astype(int) - b).mean()) for a, b in zip(one, other, strict=True))


def as_players_show(path: Path, size_px: tuple[int, int], filters: str = "null") -> tuple[Plane, Plane, Plane]:
    """Planes of the first picture as ffmpeg's own player-like decoding has it."""
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-frames:v", "1", "-vf", filters, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-"],
        capture_output=True, check=True,
    )
    width, height = size_px
    data = np.frombuffer(done.stdout, np.uint8)
    assert data.size == width * height * 3 // 2
    y, u, v = np.split(data, [width * height, width * height * 5 // 4])
    return y.reshape(height, width), u.reshape(height // 2, width // 2), v.reshape(height // 2, width // 2)


@pytest.mark.parametrize("stored", EIGHT, ids=lambda stored: f"exif{stored.exif}")
def test_every_orientation_is_analysed_upright(tmp_path: Path, stored: Stored) -> None:
    seen = picture()
    upright = analysed(write_film(tmp_path / "upright.mp4", [seen] * 12))
    path = write_film(tmp_path / "stored.mp4", [stored.stored(seen)] * 12, stored.matrix)
    frames = analysed(path)
    assert len(frames) == 12
    for frame, expected in zip(frames, upright, strict=True):
        assert distance(frame[:3], expected[:3]) < 1.5
        assert all(plane.flags.c_contiguous for plane in frame[:3]) or stored is UPRIGHT
    assert distance(frames[0][:3], as_players_show(path, (WIDTH_PX, HEIGHT_PX))) < 0.01
    assert frames[0][3].turned is (stored is not UPRIGHT)


@pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(1, 2), Fraction(2), Fraction(8, 9)], ids=str)
@pytest.mark.parametrize(
    ("stored", "suffix"), [(UPRIGHT, "mp4"), (UPRIGHT, "mkv"), (ON_ITS_SIDE, "mp4")], ids=["upright", "matroska", "side"]
)
def test_squeezed_pixels_are_made_square(tmp_path: Path, aspect: Fraction, stored: Stored, suffix: str) -> None:
    """Of a picture that is turned, too, it is the stored pixels that are squeezed."""
    seen = picture(144, 144)
    matrix = None if stored is UPRIGHT else stored.matrix
    path = write_film(tmp_path / f"a.{suffix}", [squeezed(stored.stored(seen), aspect)] * 3, matrix, aspect)
    for y, u, v, geometry in analysed(path):
        assert geometry.aspect == aspect
        upright = analysed(write_film(tmp_path / "upright.mp4", [seen]))[0]
        assert distance((y, u, v), upright[:3]) < 3


def test_what_the_container_says_of_pixels_counts_more_than_the_pictures(tmp_path: Path) -> None:
    plain = write_film(tmp_path / "plain.mp4", [picture()] * 3)
    path = tmp_path / "said.mp4"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(plain), "-c", "copy", "-aspect", f"{2 * WIDTH_PX}:{HEIGHT_PX}", str(path)], check=True
    )
    assert {(frame[0].shape, frame[3].aspect) for frame in analysed(path)} == {((HEIGHT_PX, 2 * WIDTH_PX), Fraction(2))}


@pytest.mark.parametrize("stored", EIGHT, ids=lambda stored: f"exif{stored.exif}")
@pytest.mark.parametrize("size_px", [(5, 7), (7, 4), (6, 5), (1, 1), (1, 3)], ids=str)
def test_odd_sides_keep_their_colours_in_place(stored: Stored, size_px: tuple[int, int]) -> None:
    """Luma and colour of each pixel are those of the stored one, where two share a sample of colour their mean."""
    width, height = size_px
    full = np.arange(width * height, dtype=np.uint8).reshape(height, width) * (200 // (width * height))
    flat = np.repeat(np.repeat(full[::2, ::2], 2, 0), 2, 1)[:height, :width]
    y, u, v = turned((full, full[::2, ::2].copy(), full[::2, ::2].copy()), turn_of(np.array(stored.matrix, "=i4").tobytes()))
    assert (stored.stored(y) == full).all()
    moved = stored.stored(np.repeat(np.repeat(u, 2, 0), 2, 1)[: y.shape[0], : y.shape[1]])
    # A block's own colour, or between it and its neighbour's.
    assert (np.abs(moved.astype(int) - flat) <= full.max() // 2 + 1).all()
    assert u.shape == v.shape == (-(-y.shape[0] // 2), -(-y.shape[1] // 2))


def test_a_mirrored_odd_row_of_colours() -> None:
    """Pixels a a b b c, mirrored, are c b b a a; in pairs: c with b, b with a, a."""
    colours = np.array([[10, 20, 40]], np.uint8)
    luma = np.array([[1, 2, 3, 4, 5]], np.uint8)
    y, u, _ = turned((luma, colours, colours), Geometry(mirrored=True))
    assert y.tolist() == [[5, 4, 3, 2, 1]]
    assert u.tolist() == [[30, 15, 10]]


# ---- what is in the pictures themselves, as cameras send it


def units_of(path: Path, bitstream_filter: str, codec: str) -> list[bytes]:
    out = path.with_suffix(f".{codec}")
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-i", str(path), "-c", "copy", "-bsf:v", bitstream_filter, "-f", codec, str(out)], check=True
    )
    with av.open(str(out), format=codec) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


def orientation_message(codec: str, turns: int, *, mirrored: bool = False) -> bytes:
    """An SEI NAL unit: display orientation, so many quarters anticlockwise, to hold until it is cancelled or a keyframe comes."""
    holds = "010" if codec == "h264" else "1"           # repetition period ue(1), or the persistence flag
    bits = "0" + ("1" if mirrored else "0") + "0" + f"{turns * 16384:016b}" + holds + ("0" if codec == "h264" else "")
    bits += "1" + "0" * (-(len(bits) + 1) % 8)
    payload = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\0\0\0", b"\0\0\3\0").replace(b"\0\0\1", b"\0\0\3\1")
    return b"\0\0\0\1" + (b"\x06" if codec == "h264" else b"\x4e\x01") + bytes([47, len(bits) // 8]) + payload + b"\x80"


def decoded(codec: str, units: Sequence[bytes], keyframes: Sequence[int]) -> list[Frame]:
    decoder = FrameDecoder(make_decoder(codec))
    frames = []
    for number, unit in enumerate(units):
        packet = av.Packet(unit)
        packet.is_keyframe = number in keyframes
        frames += list(decoder.decode(packet, Ticket(0, number)))
    return frames + list(decoder.flush())


@pytest.mark.parametrize(("codec", "encoder"), [("h264", "libx264"), ("hevc", "libx265")])
def test_a_cameras_rotation_beside_a_keyframe_holds_up_to_the_next_one(tmp_path: Path, codec: str, encoder: str) -> None:
    film = write_film(tmp_path / "a.mp4", [picture()] * 4, codec=encoder)
    units = units_of(film, f"{codec}_mp4toannexb", codec)
    turn, mirror = orientation_message(codec, 1), orientation_message(codec, 0, mirrored=True)
    # Each round begins with a keyframe; the message stands before its first slice, where parameter sets may stand, too.
    begun = [[turn + units[0], *units[1:]], units, [mirror + units[0], *units[1:]]]
    frames = decoded(codec, [unit for gop in begun for unit in gop], (0, 4, 8))
    found = [(geometry, len(list(those))) for geometry, those in groupby(frame.stored for frame in frames)]
    left = Geometry(transposed=True, flipped=True)
    begins = [(left, 4), (AS_STORED, 4)] if codec == "h264" else [(left, 8)]    # FFmpeg keeps H.265's
    assert found == [*begins, (Geometry(mirrored=True), 4)]
    assert frames[0].y.shape == (WIDTH_PX, HEIGHT_PX)
    assert frames[-1].y.shape == (HEIGHT_PX, WIDTH_PX)


def test_pixels_that_change_their_shape_do_so_with_the_picture_that_says_so(tmp_path: Path) -> None:
    """With pictures that come out of the decoder later than they went in."""
    units: list[bytes] = []
    for aspect in (Fraction(1), Fraction(4, 3), Fraction(1)):
        units += units_of(write_film(tmp_path / "a.mp4", [picture()] * 7, aspect=aspect), "h264_mp4toannexb", "h264")
    frames = decoded("h264", units, (0, 7, 14))
    assert [frame.stored.aspect for frame in frames] == [Fraction(1)] * 7 + [Fraction(4, 3)] * 7 + [Fraction(1)] * 7
    assert len({frame.y.shape for frame in frames}) == 2


# ---- what cannot be undone


def turned_by(degrees: float) -> list[int]:
    cosine, sine = (round(value * FIXED) for value in (math.cos(math.radians(degrees)), math.sin(math.radians(degrees))))
    return [cosine, sine, 0, -sine, cosine, 0, 0, 0, UNIT_W]


@pytest.mark.parametrize(
    ("matrix", "number"),
    [
        (turned_by(45), 45),
        (turned_by(100), 100),
        (turned_by(-2), 358),
        ([FIXED, 0, 0, FIXED, FIXED, 0, 0, 0, UNIT_W], NO_TURN),           # sheared
        ([FIXED, 0, 0, 0, 2 * FIXED, 0, 0, 0, UNIT_W], NO_TURN),           # stretched
        ([FIXED, 0, 9, 0, FIXED, 0, 0, 0, UNIT_W], NO_TURN),               # in perspective
        ([FIXED, 0, 0, FIXED, 0, 0, 0, 0, UNIT_W], NO_TURN),               # flat
        ([0] * 9, NO_TURN),
    ],
    ids=lambda value: "" if isinstance(value, list) else str(value),
)
def test_a_matrix_that_is_no_quarter_turn_is_refused(matrix: list[int], number: int) -> None:
    with pytest.raises(GeometryError) as failure:
        turn_of(np.array(matrix, "=i4").tobytes())
    assert (failure.value.found.tag, failure.value.found.number) == (Tag.ROTATION, number)


def test_a_matrix_that_scales_alike_and_moves_is_a_plain_turn() -> None:
    assert turn_of(np.array([0, 2 * FIXED, 0, -2 * FIXED, 0, 0, 99 * FIXED, 0, UNIT_W], "=i4").tobytes()) == Geometry(
        transposed=True, mirrored=True
    )


@pytest.mark.parametrize("stated", [None, Fraction(1), Fraction(101, 100), Fraction(1279, 1280)], ids=str)
def test_nearly_square_is_square(stated: Fraction | None) -> None:
    assert aspect_of(stated) == 1


@pytest.mark.parametrize("stated", [Fraction(5), Fraction(1, 100)], ids=str)
def test_absurd_pixels_are_refused(stated: Fraction) -> None:
    with pytest.raises(GeometryError, match="times as wide"):
        aspect_of(stated)


def test_a_picture_that_would_become_too_large_is_refused() -> None:
    assert squared_px(8000, 100, Fraction(2)) == (16000, 100)
    with pytest.raises(GeometryError, match="2 times as wide"):
        squared_px(8200, 100, Fraction(2))
    with pytest.raises(GeometryError):
        squared_px(8000, 6000, Fraction(1, 2))


def test_the_file_what_was_found_and_what_to_do_are_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"tilted\.mp4 has a rotation tag of 45 degrees.* convert it to an upright picture"):
        analysed(write_film(tmp_path / "tilted.mp4", [picture()] * 3, turned_by(45)))
    with pytest.raises(SourceError, match=r"thin\.mp4 says that its pixels are 0\.1 times as wide .*convert it to square pixels"):
        analysed(write_film(tmp_path / "thin.mp4", [picture()] * 3, aspect=Fraction(1, 10)))


def test_a_picture_whose_tags_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Orientation as photographs have it comes with data of a kind that PyAV does not know."""
    exif = Image.Exif()
    exif[0x112] = 4
    one = BytesIO()
    Image.fromarray(picture()).save(one, "JPEG", exif=exif)
    path = tmp_path / "photographs.mjpeg"
    path.write_bytes(one.getvalue() * 3)
    with pytest.raises(GeometryError, match="cannot be read here") as failure:
        analysed(path)
    assert failure.value.found.number == UNREADABLE


def test_without_tags_nothing_is_read_between_keyframes_and_nothing_converted() -> None:
    class Counted:
        """A picture without tags that counts how often its side data is asked for."""

        rotation = 0

        def __init__(self, *, key_frame: bool) -> None:
            self.key_frame = key_frame
            self.asked = 0

        @property
        def side_data(self) -> dict[str, object]:
            self.asked += 1
            return {}

    upright = Upright()
    pictures = [Counted(key_frame=number % 10 == 0) for number in range(30)]
    assert {upright.geometry(each, Fraction(1)) for each in pictures} == {AS_STORED}  # type: ignore[arg-type]
    assert sum(each.asked for each in pictures) == 3
