"""Footage -> clips, encoded the way cameras do: two seconds a GOP, no B-frames, no scene-cut keyframes, one reference, steady bit rate.

    encode_clip(source, destination, VIEWS["gate"])      frame i of the clip is frame i of the source
    cached_clip(source, "gate")                          the same, kept by content below .cache/
    clip_frames(clip)                                    the clip's frames as ingest decodes them
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from demo.clip import AccessUnit, Clip, Codec, partial_of, read_clip, write_index
from privet.core.clock import NS_PER_S
from privet.core.frame import Frame
from privet.ingest.decode import FrameDecoder, Ticket, make_decoder

PROJECT = Path(__file__).resolve().parent.parent
CACHE = PROJECT / ".cache" / "footage"
RECIPE = 1
"""Part of every cache key: raise it when the way of encoding changes."""

FOOTAGE_DIRECTORIES = (
    Path("/usr/share/doc/opencv-doc/examples/data"),
    Path("/usr/share/opencv4/samples/data"),
    Path("/usr/share/opencv/samples/data"),
)


@dataclass(frozen=True, slots=True)
class View:
    """What a camera sees of the footage: a rectangle of it in fractions, maybe mirrored, scaled to a size (None: the rectangle's)."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0
    mirrored: bool = False
    width_px: int | None = None
    height_px: int | None = None


VIEWS = {
    "gate": View(),
    "yard": View(top=1 / 3, right=2 / 3, width_px=768, height_px=576),
    "dock": View(mirrored=True),
    "dock-sub": View(mirrored=True, width_px=480, height_px=360),
}

BITS_PER_SECOND = {"gate": 1_500_000, "yard": 1_500_000, "dock": 1_500_000, "dock-sub": 384_000}


class FootageMissingError(Exception):
    """The footage is not on this machine."""


def find_footage(name: str = "vtest.avi", directories: Sequence[Path] = FOOTAGE_DIRECTORIES, cache: Path = CACHE) -> Path:
    """Path of Debian's `opencv-doc` footage; unpacked into the cache where the package ships it compressed.

    Raises:
        FootageMissingError: the package is not installed.
    """
    for directory in directories:
        plain, packed = directory / name, directory / f"{name}.gz"
        if plain.is_file():
            return plain
        if packed.is_file():
            cache.mkdir(parents=True, exist_ok=True)
            unpacked = cache / name
            if not unpacked.is_file():
                partial = partial_of(unpacked)
                with gzip.open(packed) as source, partial.open("wb") as destination:
                    shutil.copyfileobj(source, destination)
                partial.rename(unpacked)
            return unpacked
    raise FootageMissingError(f"{name} is not here: install Debian's package opencv-doc")


def encode_clip(
    source: Path,
    destination: Path,
    view: View = VIEWS["gate"],
    codec: Codec = "h264",
    bits_per_second: int = 1_500_000,
    gop_seconds: int = 2,
    count: int | None = None,
) -> Clip:
    """Encode what `view` shows of a video file; frame i of the clip is frame i of the file.

    count: only so many frames of it.
    """
    with av.open(str(source)) as container:
        stream = container.streams.video[0]
        fps = stream.average_rate
        if fps is None:
            raise ValueError(f"{source} does not tell its frame rate")
        pictures = (look(picture, view) for picture in container.decode(stream))
        return encode_pictures(_first(pictures, count), destination, fps, codec, bits_per_second, gop_seconds)


def _first(pictures: Iterable[av.VideoFrame], count: int | None) -> Iterator[av.VideoFrame]:
    for number, picture in enumerate(pictures):
        if count is not None and number >= count:
            return
        yield picture


def look(picture: av.VideoFrame, view: View) -> av.VideoFrame:
    """What `view` shows of a picture, as yuv420p with even sides."""
    planar = picture if picture.format.name == "yuv420p" else picture.reformat(format="yuv420p")
    width_px, height_px = planar.width, planar.height
    left, right = _even(view.left * width_px), _even(view.right * width_px)
    top, bottom = _even(view.top * height_px), _even(view.bottom * height_px)
    stacked = np.asarray(planar.to_ndarray(), np.uint8)
    chroma_bytes = width_px * height_px // 4
    flat = stacked.reshape(-1)
    luma = flat[: width_px * height_px].reshape(height_px, width_px)
    u = flat[luma.size : luma.size + chroma_bytes].reshape(height_px // 2, width_px // 2)
    v = flat[luma.size + chroma_bytes :].reshape(height_px // 2, width_px // 2)
    cut = [
        luma[top:bottom, left:right],
        u[top // 2 : bottom // 2, left // 2 : right // 2],
        v[top // 2 : bottom // 2, left // 2 : right // 2],
    ]
    if view.mirrored:
        cut = [plane[:, ::-1] for plane in cut]
    shown = yuv_picture(*cut)
    if view.width_px is None or view.height_px is None:
        return shown
    return shown.reformat(width=view.width_px, height=view.height_px, interpolation="BICUBIC")


def _even(value: float) -> int:
    return int(value) // 2 * 2


def yuv_picture(y: NDArray[np.uint8], u: NDArray[np.uint8], v: NDArray[np.uint8]) -> av.VideoFrame:
    """A yuv420p picture from its planes; sides must be even."""
    stacked = np.concatenate([y.reshape(-1), u.reshape(-1), v.reshape(-1)]).reshape(y.shape[0] * 3 // 2, y.shape[1])
    return av.VideoFrame.from_ndarray(stacked, format="yuv420p")


def encode_pictures(
    pictures: Iterable[av.VideoFrame],
    destination: Path,
    fps: Fraction,
    codec: Codec = "h264",
    bits_per_second: int = 1_500_000,
    gop_seconds: int = 2,
    pixel_format: str = "yuv420p",
    quality: int | None = None,
) -> Clip:
    """Encode pictures of one size as a camera does; `destination` gets the access units, its index comes beside it.

    quality: a constant rate factor instead of a mean bit rate, as cameras with a variable bit rate have; peaks are capped as ever.

    Raises:
        ValueError: there are no pictures.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_of(destination)
    units: list[AccessUnit] = []
    encoder: av.VideoCodecContext | None = None
    with partial.open("wb") as file:
        for number, picture in enumerate(pictures):
            if encoder is None:
                encoder = _encoder(picture.width, picture.height, fps, codec, bits_per_second, gop_seconds, pixel_format, quality)
            picture.pts = number
            picture.time_base = 1 / fps
            picture.pict_type = 0
            _append(encoder.encode(picture), file, units)
        if encoder is None:
            raise ValueError(f"no pictures to encode for {destination}")
        _append(encoder.encode(None), file, units)
    partial.rename(destination)
    clip = Clip(destination, codec, encoder.width, encoder.height, fps, tuple(units))
    write_index(clip)
    return clip


def _encoder(
    width_px: int, height_px: int, fps: Fraction, codec: Codec, bits_per_second: int, gop_seconds: int, pixel_format: str,
    quality: int | None = None,
) -> av.VideoCodecContext:
    gop = max(1, int(gop_seconds * fps))
    kilobits = bits_per_second // 1000
    common = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:rc-lookahead=0:repeat-headers=1:annexb=1:ref=1"
    rate = f"vbv-maxrate={kilobits * 3 // 2}:vbv-bufsize={kilobits * 2}"
    name = "libx264" if codec == "h264" else "libx265"
    encoder = av.CodecContext.create(name, "w")
    if not isinstance(encoder, av.VideoCodecContext):
        raise TypeError(f"{name} is no video encoder")
    encoder.width = width_px
    encoder.height = height_px
    encoder.pix_fmt = pixel_format
    encoder.time_base = 1 / fps
    encoder.framerate = fps
    if quality is None:
        encoder.bit_rate = bits_per_second
    else:
        rate = f"crf={quality}:{rate}"
    encoder.thread_count = 1
    if codec == "h264":
        encoder.options = {"preset": "veryfast", "x264-params": f"{common}:{rate}:sync-lookahead=0:force-cfr=1"}
    else:
        quiet = "open-gop=0:log-level=none:pools=none:frame-threads=1:b-adapt=0"
        encoder.options = {"preset": "ultrafast", "x265-params": f"{common}:{rate}:{quiet}"}
    return encoder


def _append(packets: Iterable[av.Packet[av.VideoStream]], file: BinaryIO, units: list[AccessUnit]) -> None:
    for packet in packets:
        if packet.pts is None:
            raise ValueError("the encoder gave out a picture without a time")
        data = bytes(packet)
        units.append(AccessUnit(file.tell(), len(data), packet.is_keyframe, packet.pts))
        file.write(data)


def cached_clip(source: Path, view_name: str, codec: Codec = "h264", count: int | None = None, cache: Path = CACHE) -> Clip:
    """The clip of a view of `VIEWS`, encoded once and kept in `cache` by what it was made from."""
    view = VIEWS[view_name]
    key = hashlib.sha256(source.read_bytes())
    key.update(repr((RECIPE, view, codec, BITS_PER_SECOND[view_name], count)).encode())
    destination = cache / f"{view_name}-{codec}-{key.hexdigest()[:16]}.annexb"
    try:
        return read_clip(destination)
    except FileNotFoundError:
        return encode_clip(source, destination, view, codec, BITS_PER_SECOND[view_name], count=count)


def clip_frames(clip: Clip, start_wall_ns: int = 0, start_monotonic_ns: int = 0) -> Iterator[Frame]:
    """The clip's frames in order, exactly i / fps after the start; frame i is frame i of the original.

    As everywhere, a frame's planes are valid until the next one is asked for.
    """
    decoder = FrameDecoder(make_decoder("h264" if clip.codec == "h264" else "hevc"))
    data = clip.path.read_bytes()
    for unit in clip.units:
        packet = av.Packet(data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes])
        offset_ns = int(unit.pts * NS_PER_S / clip.fps)
        yield from decoder.decode(packet, Ticket(start_wall_ns + offset_ns, start_monotonic_ns + offset_ns))
    yield from decoder.flush()
