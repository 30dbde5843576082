"""`privet export`: a recorded span as MP4."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from privet.cli.main import Complaint
from privet.cli.moment import parse_moment

if TYPE_CHECKING:
    from privet.core.ids import CameraId
    from privet.core.pb import scene_pb2 as pb
    from privet.index.index import Index
    from privet.index.rows import RecordingRow
    from privet.render.movie import Progress

EXIT_NOTHING_RECORDED = 4
FASTEST_FPS = 25
SLOWEST_FPS = 2

_AGO = re.compile(r"-\d+(?:\.\d+)?[smhd]")


class _TakesAgo(click.Command):
    """`-10m` is a moment, not an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [f"now{arg}" if _AGO.fullmatch(arg) else arg for arg in args])


class NothingRecorded(Complaint):
    """The camera is known, the span is a good one, but there is nothing in it."""

    exit_code = EXIT_NOTHING_RECORDED


@dataclass(frozen=True, slots=True)
class Source:
    """Whose recordings are meant. configured: cameras of the configuration; those that the index knows count too. told_by: who says so."""

    data_directory: Path
    zone: ZoneInfo
    covers_per_second: float
    configured: tuple[str, ...]
    told_by: str


class _Zone(click.ParamType[ZoneInfo]):
    name = "zone"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> ZoneInfo:
        try:
            return ZoneInfo(str(value))
        except (ZoneInfoNotFoundError, ValueError):
            self.fail(f"{value!r} is no time zone: it is written like Europe/Berlin", param, ctx)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A span in ns UTC."""

    from_wall_ns: int
    to_wall_ns: int


@click.command(cls=_TakesAgo)
@click.argument("camera")
@click.argument("from_", metavar="FROM")
@click.argument("to", metavar="TO")
@click.argument("out", metavar="OUT.mp4", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--config", "config_path", type=click.Path(path_type=Path), default=Path("privet.toml"), show_default=True,
    help="The configuration whose recordings are meant.",
)
@click.option(
    "--speed", type=click.FloatRange(0.1, 100_000), default=1.0, show_default=True,
    help="How many times faster than it was.",
)
@click.option("--force", is_flag=True, help="Replace OUT.mp4 if it is there.")
@click.option("--data-directory", type=click.Path(path_type=Path), hidden=True)
@click.option("--timezone", "zone", type=_Zone(), hidden=True)
@click.option("--covers-per-second", type=click.FloatRange(0, min_open=True), hidden=True)
def export(
    camera: str, from_: str, to: str, out: Path, config_path: Path, *, speed: float, force: bool,
    data_directory: Path | None, zone: ZoneInfo | None, covers_per_second: float | None,
) -> None:
    """Write what was recorded of CAMERA between FROM and TO as an MP4 file: a reconstruction, not video.

    FROM and TO are times like 2026-05-04T14:30:00 (in the site's time zone unless an offset or Z follows), 14:30 (the last one; for TO
    the first after FROM), now, or -10m, which is ten minutes ago; TO may also be +30s, counted from FROM.
    Units are s, m, h and d.

    Exit codes: 0 written, 1 failed, 2 the call or the configuration is wrong, 4 nothing is recorded of the camera in that span.
    """
    # The hidden options are what a running Privet has in force: it tells them rather than have its privet.toml read once more.
    if data_directory is None or zone is None or covers_per_second is None:
        if any(told is not None for told in (data_directory, zone, covers_per_second)):
            raise click.UsageError("--data-directory, --timezone and --covers-per-second are given together or not at all")
        source = _configured(config_path)
    else:
        source = Source(data_directory, zone, covers_per_second, (), "the running Privet")
    _export(camera, span(from_, to, _now_ns(), source.zone), out, source, Fraction(speed).limit_denominator(1000), force=force)


def _configured(path: Path) -> Source:
    from privet.config.load import load

    loaded = load(path)
    config = loaded.config
    zone = ZoneInfo(config.site.timezone)
    return Source(loaded.data_directory, zone, config.scene.covers_per_second, tuple(config.cameras), str(path))


def _export(camera: str, wanted: Wanted, out: Path, source: Source, speed: Fraction, *, force: bool) -> None:
    from privet.core.errors import StoreError, UserError
    from privet.index.index import Index, index_url

    if out.exists() and not force:
        raise UserError(f"{out} is there already: take another name, or --force to replace it")
    if not out.absolute().parent.is_dir():
        raise UserError(f"{out.absolute().parent} is not a directory: make it first")
    if not source.data_directory.is_dir():
        raise StoreError(f"{source.data_directory} does not exist: nothing was ever recorded with {source.told_by}")
    index = Index.open(index_url(source.data_directory))
    try:
        known = _known_camera(camera, index, source.configured)
        rows = index.recordings(known, wanted.from_wall_ns, wanted.to_wall_ns)
        messages = _recorded(source.data_directory, rows, wanted)
        if messages is None:
            raise _nothing(known, wanted, index.recordings(known), source.zone)
    finally:
        index.close()
    rate = Fraction(source.covers_per_second).limit_denominator(1000)
    _write(known, messages, wanted, out, source.zone, rate, speed)


def span(from_: str, to: str, now_wall_ns: int, zone: ZoneInfo) -> Wanted:
    """Read FROM and TO; what lies ahead of now is cut off.

    Raises:
        click.BadParameter: one is no moment, or they enclose nothing.
    """
    try:
        begin_ns = parse_moment(from_, now_wall_ns, zone)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="FROM") from error
    try:
        end_ns = parse_moment(to, now_wall_ns, zone, begin_ns)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="TO") from error
    if begin_ns >= now_wall_ns:
        raise click.BadParameter(f"{from_!r} lies ahead", param_hint="FROM")
    if end_ns <= begin_ns:
        raise click.BadParameter(f"{to!r} is not after {from_!r}", param_hint="TO")
    return Wanted(begin_ns, min(end_ns, now_wall_ns))


def _now_ns() -> int:
    from privet.core.clock import SystemClock

    return SystemClock().wall_ns()


def _known_camera(camera: str, index: Index, configured: Sequence[str]) -> CameraId:
    """A camera that is configured, or was and has recordings still."""
    from privet.core.errors import NotFoundError
    from privet.core.ids import CameraId

    known = sorted({*configured, *(row.id for row in index.cameras())})
    if camera in known:
        return CameraId(camera)
    near = difflib.get_close_matches(camera, known, n=1, cutoff=0.4)
    advice = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
    raise NotFoundError(f"there is no camera {camera!r}: {advice}")


def _recorded(directory: Path, rows: Sequence[RecordingRow], wanted: Wanted) -> Iterator[pb.SceneMessage] | None:
    """What is recorded in the span, with what was in force when it began; None if nothing is.

    A row says where a recording begins and, once it is closed, ends; whether it says anything within the span only its messages
    tell.
    """
    from privet.record.archive import Archive, recording_files
    from privet.record.store import DirectoryStore

    messages = Archive(DirectoryStore(directory)).scenes(recording_files(rows), wanted.from_wall_ns, wanted.to_wall_ns)
    in_force: list[pb.SceneMessage] = []
    for message in messages:
        in_force.append(message)
        if _wall_ns(message) >= wanted.from_wall_ns:
            return chain(in_force, messages)
    return None


def _wall_ns(message: pb.SceneMessage) -> int:
    match message.WhichOneof("kind"):
        case "background":
            return message.background.head.wall_ns
        case "patch":
            return message.patch.head.wall_ns
        case "cover":
            return message.cover.head.wall_ns
        case "light":
            return message.light.head.wall_ns
        case "state":
            return message.state.head.wall_ns
        case _:
            return 0


def _nothing(camera: str, wanted: Wanted, rows: Sequence[RecordingRow], zone: ZoneInfo) -> click.ClickException:
    from privet.render.caption import time_words

    asked = f"{time_words(wanted.from_wall_ns, zone)} and {time_words(wanted.to_wall_ns, zone)}"
    message = f"nothing is recorded of {camera} between {asked}"
    if near := nearest(wanted, rows):
        until = "now" if near.to_wall_ns is None else time_words(near.to_wall_ns, zone)
        message += f"; the nearest recording goes from {time_words(near.from_wall_ns, zone)} to {until}"
    else:
        message += ", nor at any other time"
    return NothingRecorded(message)


def nearest(wanted: Wanted, rows: Sequence[RecordingRow]) -> RecordingRow | None:
    """The recording that lies least far from the span; of those it overlaps, the one that begins last."""

    def distance(row: RecordingRow) -> tuple[int, int]:
        end_ns = row.from_wall_ns if row.to_wall_ns is None else row.to_wall_ns
        return max(row.from_wall_ns - wanted.to_wall_ns, wanted.from_wall_ns - end_ns, 0), -row.from_wall_ns

    return min(rows, key=distance, default=None)


def film_fps(covers_per_second: Fraction, speed: Fraction) -> Fraction:
    """As many frames as there are covers, within what plays well."""
    return min(max(covers_per_second * max(speed, Fraction(1)), Fraction(SLOWEST_FPS)), Fraction(FASTEST_FPS))


def _write(
    camera: CameraId, messages: Iterator[pb.SceneMessage], wanted: Wanted, out: Path, zone: ZoneInfo, rate: Fraction, speed: Fraction
) -> None:
    from privet.core.errors import NotFoundError, WireError
    from privet.core.wire import decode_all
    from privet.render.movie import MovieSettings, export_mp4

    rejected: list[WireError] = []

    def reject(error: WireError) -> None:
        if not rejected:
            rejected.append(error)
            click.echo(f"privet: a recorded message is left out, and others like it: {error}", err=True)

    settings = MovieSettings(fps=film_fps(rate, speed), speed=speed, camera=camera, zone=zone)
    try:
        with _bar(camera) as progress:
            movie = export_mp4(
                decode_all(messages, reject), wanted.from_wall_ns, wanted.to_wall_ns, out, settings, progress
            )
    except NotFoundError as error:
        raise NothingRecorded(f"{camera}: {error}") from error
    click.echo(
        f"Wrote {out}: {movie.frames} frames of {movie.width_px}x{movie.height_px}, {float(movie.duration_s):.1f} s, "
        f"{movie.size_bytes / 1e6:.1f} MB. A reconstruction, not video."
    )


@contextmanager
def _bar(name: str) -> Iterator[Progress | None]:
    """A progress bar, on a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(name), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield progress
