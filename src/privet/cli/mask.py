"""`privet mask`: takes the people out of a video file. A confined process looks at it; this one paints what that process says."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import BinaryIO, cast

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from privet.config.directories import user_cache_directory
from privet.core.clock import NS_PER_S
from privet.core.errors import NotFoundError, PrivetError, UserError
from privet.core.geometry import Unusable
from privet.core.pb import pipe_pb2
from privet.core.reader import SceneView, follow
from privet.core.scene import Background, Cover, Reason, Scene
from privet.core.wire import from_message
from privet.main.launch import reduced_environment
from privet.pipe.compiled import compiled_directory, is_warm, warm_command
from privet.pipe.framing import parse_worker_message, read_bodies
from privet.pipe.jobs import GEOMETRY_CODES, MaskSettings

WHY = {
    Reason.NO_VIDEO: "it has no video track",
    Reason.CODEC: "its codec cannot be decoded here: convert it to H.264",
    Reason.DAMAGED: "it is no video that can be decoded: it may be cut off",
    Reason.NOT_FOUND: "it cannot be found",
    Reason.REFUSED: "this user may not read it",
}


@dataclass(frozen=True, slots=True)
class MaskReport:
    """What was done, for people and machines."""

    input: str
    output: str
    seconds: float
    frames_in: int
    frames_damaged: int
    width_px: int
    height_px: int
    proven_share: float
    covered_share: float
    looks: int
    looks_with_hit: int
    scene_bytes: int
    input_bytes: int
    output_bytes: int
    took_seconds: float


@click.command()
@click.argument("source", metavar="IN", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("destination", metavar="OUT.mp4", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--prove-seconds", type=click.FloatRange(1, 3600), help="How long a block must be still; a quarter of the film if not said.")
@click.option("--person-height", "person_height_px", type=click.IntRange(8, 4320), default=None, help="Height of a standing person, px.")
@click.option("--block", "block_px", type=click.Choice(["8", "16", "32"]), default="8", show_default=True, help="Side of a block, px.")
@click.option("--rate", type=click.FloatRange(0.5, 10), default=5.0, show_default=True, help="Covers, and frames of the result, a second.")
@click.option("--force", is_flag=True, help="Overwrite OUT.mp4.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, and no progress.")
def mask(
    source: Path, destination: Path, prove_seconds: float | None, person_height_px: int | None, block_px: str, rate: float, *,
    force: bool, as_json: bool,
) -> None:
    """Take the people out of a video file.

    The film is read twice: first the place behind the people is proven, block by block; then it is painted, with flat silhouettes where
    something is. What could not be proven stays flat. No sound, and no picture of the film itself, is in the result. The camera must
    stand still. A rotation tag and pixels that are not square are undone first.
    """
    if destination.suffix.lower() != ".mp4":
        raise UserError(f"{destination}: the result is an MP4 file; give it a name that ends in .mp4")
    if destination.exists() and destination.resolve() == source.resolve():
        raise UserError(f"{destination} is the film itself: name another file for the result")
    if destination.exists() and not force:
        raise UserError(f"{destination} exists: name another file, or say --force")
    if not destination.resolve().parent.is_dir():
        raise UserError(f"{destination.resolve().parent} does not exist: make it first")
    with tempfile.TemporaryDirectory(prefix="privet-mask-") as directory:
        settings = MaskSettings(
            path=source.resolve(),
            directory=Path(directory),
            warmed_cache_directory=_warmed_kernels(Path(directory)),
            block_px=int(block_px),
            covers_per_second=rate,
            prove_seconds=prove_seconds or 0.0,
            person_height_px=person_height_px or 0,
        )
        report = _mask(settings, source, destination, quiet=as_json)
    if as_json:
        click.echo(json.dumps(asdict(report), indent=2))
    else:
        click.echo(_sentences(report))


def _warmed_kernels(temporary: Path) -> Path:
    """The directory of this user's compiled kernels; they are compiled, by a process of their own, when they are not there yet."""
    cache = user_cache_directory(temporary / "cache")
    directory = compiled_directory(cache)
    if not is_warm(directory):
        click.echo("compiling the kernels, once; this takes a quarter of a minute or more", err=True)
        done = subprocess.run(
            warm_command(cache), env=reduced_environment(), capture_output=True, check=False
        )
        if done.returncode != 0:
            raise PrivetError(f"the kernels cannot be compiled into {directory}: run `privet doctor`")
    return directory


def _mask(settings: MaskSettings, source: Path, destination: Path, *, quiet: bool) -> MaskReport:
    from privet.render.movie import MovieSettings, export_mp4

    began = monotonic()
    size_bytes = source.stat().st_size
    child = subprocess.Popen(
        [sys.executable, "-P", "-m", "privet.worker.jobs.mask"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=reduced_environment(),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    try:
        child.stdin.write(settings.model_dump_json().encode())
        child.stdin.close()
        with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bar:
            teller = _Teller(cast(BinaryIO, child.stdout), source, bar, bar.add_task("proving", total=2 * size_bytes))
            scenes = list(teller.scenes())
        status = child.wait()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    if status != 0 or not scenes:
        raise PrivetError(f"{source}: the process that looked at it ended (status {status}) before it was done")
    duration_ns = scenes[-1].head.wall_ns + round(NS_PER_S / settings.covers_per_second)
    fps = Fraction(settings.covers_per_second).limit_denominator(100)
    movie = export_mp4(scenes, 1, duration_ns, destination, MovieSettings(fps=fps, camera=source.name, zone=None))
    proven, covered = _shares(scenes)
    health = teller.health
    return MaskReport(
        str(source), str(destination), round(duration_ns / NS_PER_S, 2), health.frames_decoded, health.frames_damaged, movie.width_px,
        movie.height_px, round(proven, 4), round(covered, 4), health.looks, health.looks_with_hit, teller.scene_bytes, size_bytes,
        movie.size_bytes, round(monotonic() - began, 1),
    )


class _Teller:
    """Reads what the confined process says."""

    def __init__(self, stream: BinaryIO, source: Path, bar: Progress, task: TaskID) -> None:
        self._stream = stream
        self._source = source
        self._bar = bar
        self._task = task
        self.health = pipe_pb2.Health()
        self.scene_bytes = 0

    def scenes(self) -> Iterator[Scene]:
        """Scene values in order.

        Raises:
            UserError: the file cannot be used. PrivetError: a detector is missing. WireError: nonsense was said.
        """
        view = SceneView()
        for body in read_bodies(self._stream):
            message = parse_worker_message(body)
            match message.WhichOneof("kind"):
                case "health":
                    self.health = message.health
                    before = 0 if message.health.connects == 1 else self._bar.tasks[0].total or 0
                    done = message.health.bytes_received + (before / 2)
                    self._bar.update(self._task, completed=done, description="proving" if message.health.connects == 1 else "masking")
                case "log":
                    self._raise(message.log)
                case "scene":
                    self.scene_bytes += len(body)
                    scene = from_message(message.scene, view.grid)
                    if scene is not None:
                        view = follow(view, scene)
                        yield scene

    def _raise(self, log: pipe_pb2.Log) -> None:
        for tag, code in GEOMETRY_CODES.items():
            if log.code == code:
                raise UserError(f"{self._source} {Unusable(tag, log.number).words()}")
        if log.code == pipe_pb2.LOG_CODE_DISCONNECTED:
            reason = Reason(log.number)
            raise NotFoundError(f"{self._source} cannot be masked: {WHY.get(reason, reason.name.lower().replace('_', ' '))}")
        if log.code == pipe_pb2.LOG_CODE_DETECTOR_FAILED:
            raise PrivetError("a detector does not load, so nothing can be proven: run `privet doctor`")
        raise PrivetError(f"{self._source} cannot be masked: the process that looked at it failed")


def _shares(scenes: list[Scene]) -> tuple[float, float]:
    """Share of blocks proven at the end, and mean share of blocks covered."""
    proven = 0.0
    covers: list[float] = []
    for scene in scenes:
        match scene:
            case Background():
                proven = float(scene.proven.mean())
            case Cover():
                covers.append(float(scene.covered.mean()))
    return proven, sum(covers) / len(covers) if covers else 0.0


def _sentences(report: MaskReport) -> str:
    lines = [
        f"{report.output}: {report.seconds:.0f} s, {report.width_px}x{report.height_px}, {report.output_bytes / 1e6:.1f} MB, "
        f"in {report.took_seconds:.0f} s",
        f"proven: {report.proven_share:.1%} of the picture; the rest is flat because it was never still and empty for long enough",
        f"covered: {report.covered_share:.1%} of the picture on average",
        f"looks: {report.looks}, of which {report.looks_with_hit} found somebody and began the proof anew there",
        f"as a scene stream: {report.scene_bytes / 1e3:.0f} KB; the film has {report.input_bytes / 1e6:.1f} MB",
    ]
    if report.proven_share < 0.05:
        lines.append(
            "hardly anything could be proven: the film is too short, too busy, or its camera moves; a longer film of the same view helps"
        )
    return "\n".join(lines)
