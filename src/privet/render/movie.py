"""A span of scenes as an MP4 file: H.264, constant frame rate, BT.709, ready to be streamed.

Belongs here: encoding of painted frames. Does not belong here: painting (`painter`), finding recordings (cli/export). Loads PyAV,
which the main process must not: import it from the command line or a process of its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction
from pathlib import Path

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from privet.core.clock import NS_PER_S
from privet.core.errors import StoreError
from privet.core.scene import Scene
from privet.render.caption import NOTICE, time_words
from privet.render.painter import Painter, Span

Progress = Callable[[int, int], None]
"""Called after each frame with (frames done, frames in all)."""

COMMENT = f"{NOTICE}: painted by Privet from a proven background; no live picture is in it"


@dataclass(frozen=True, slots=True)
class MovieSettings:
    """How a span becomes a film. speed: seconds of the place per second of film. zone: None for a film that was masked, whose times
    count from its beginning."""

    fps: Fraction = Fraction(5)
    speed: Fraction = Fraction(1)
    crf: int = 20
    camera: str = ""
    zone: tzinfo | None = UTC

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 60 or not 0 < self.speed <= 100_000:
            raise ValueError(f"{self.fps} frames/s at {self.speed} times the speed: take up to 60 and 100000")

    @property
    def step_ns(self) -> int:
        return max(1, round(NS_PER_S * self.speed / self.fps))


@dataclass(frozen=True, slots=True)
class Movie:
    """What was written."""

    frames: int
    width_px: int
    height_px: int
    duration_s: Fraction
    size_bytes: int


def export_mp4(
    scenes: Iterable[Scene],
    from_wall_ns: int,
    to_wall_ns: int,
    path: Path,
    settings: MovieSettings,
    progress: Progress | None = None,
) -> Movie:
    """Paint [from, to) and write it to `path`, which appears only when it is whole; an existing file is replaced.

    scenes: first what is in force at `from`, then what was said in the span, in the stream's order.

    Raises:
        NotFoundError: the scenes tell of no picture.
        StoreError: the file cannot be written.
    """
    span = Span(from_wall_ns, to_wall_ns, settings.step_ns)
    painter = Painter(scenes, span, camera=settings.camera, zone=settings.zone)
    partial = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        _encode(painter, partial, from_wall_ns, to_wall_ns, settings, progress)
        size_bytes = partial.stat().st_size
        partial.replace(path)
    except (OSError, av.FFmpegError) as error:
        raise StoreError(f"{path} cannot be written: {error}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return Movie(painter.frames, *painter.size_px, painter.frames / settings.fps, size_bytes)


def _encode(
    painter: Painter, path: Path, from_wall_ns: int, to_wall_ns: int, settings: MovieSettings, progress: Progress | None
) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        container.metadata.update(_metadata(from_wall_ns, to_wall_ns, settings))
        keyframe_every = max(1, round(settings.fps * 10))
        stream = container.add_stream(
            "libx264", rate=settings.fps, options={"preset": "veryfast", "crf": str(settings.crf), "g": str(keyframe_every)}
        )
        stream.width, stream.height = painter.size_px
        stream.pix_fmt = "yuv420p"
        stream.time_base = 1 / settings.fps
        codec = stream.codec_context
        codec.time_base = 1 / settings.fps
        codec.color_range = ColorRange.MPEG
        codec.colorspace = Colorspace.ITU709
        codec.color_primaries = ColorPrimaries.BT709
        codec.color_trc = ColorTrc.BT709
        frame: av.VideoFrame | None = None
        for number, (picture, changed) in enumerate(painter.paint()):
            if changed or frame is None:
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
                    format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
                )
            frame.pts = number
            frame.time_base = 1 / settings.fps
            container.mux(stream.encode(frame))
            if progress is not None:
                progress(number + 1, painter.frames)
        container.mux(stream.encode(None))


def _metadata(from_wall_ns: int, to_wall_ns: int, settings: MovieSettings) -> dict[str, str]:
    title = f"{time_words(from_wall_ns, settings.zone)} to {time_words(to_wall_ns, settings.zone)}, {NOTICE}"
    began = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=from_wall_ns // 1000)
    said = {"title": f"{settings.camera}, {title}" if settings.camera else title, "comment": COMMENT}
    if settings.zone is not None:
        said["creation_time"] = began.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return said
