"""`privet bench`: how many cameras this machine holds.

Belongs here: which streams are measured, and the words. Does not belong here: measuring (main.bench), extrapolating (main.bench_estimate).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from privet.cli.findings import ADVICE
from privet.cli.main import EXIT_FAILED
from privet.core.errors import NotFoundError, PrivetError, UserError
from privet.core.ids import CameraId

if TYPE_CHECKING:
    from privet.config.load import Loaded
    from privet.core.machine import Machine
    from privet.main.bench import Bench, Measured
    from privet.main.bench_estimate import Cost, Holds

AT_MOST = 8
SATURATED = 0.9
STILL_LOOKING = 0.25
DEFAULT_CONFIG = Path("privet.toml")


@click.command()
@click.option("--config", type=click.Path(dir_okay=False, path_type=Path), help="Configuration; privet.toml if there is one.")
@click.option("--camera", "only", metavar="ID", multiple=True, help="Measure only this camera; may be repeated.")
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Measure this clip (H.264, H.265).")
@click.option("--url", help="Measure this RTSP stream, one that asks for no password.")
@click.option("--sample", is_flag=True, help="Measure a clip made on the spot, even if there is a privet.toml.")
@click.option("--copies", type=click.IntRange(1, 16), default=2, show_default=True, help="How often a clip or URL is run at the same time.")
@click.option("--seconds", type=click.FloatRange(15, 3600), default=60.0, show_default=True, help="About how long it takes.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, and no progress.")
def bench(
    config: Path | None, only: tuple[str, ...], file: Path | None, url: str | None, *,
    sample: bool, copies: int, seconds: float, as_json: bool,
) -> int:
    """Measure how many of your cameras this machine holds.

    Runs the workers that would guard them, on their own streams, for about a minute. Without a configuration, and without --file or --url,
    on a clip of an empty place made on the spot. Nothing is recorded or shown, and a Privet that runs meanwhile is not disturbed,
    but for the CPU: measure while nothing else runs.

    Exit codes: 0 measured, 1 a camera gave no pictures, or none did, 2 the call or the configuration cannot be used.
    """
    if sum([file is not None, url is not None, sample]) > 1 or (only and (file or url or sample)):
        raise UserError("--file, --url, --sample and --camera exclude one another: say one of them")
    configured = config is not None or DEFAULT_CONFIG.is_file()
    if only and not configured:
        raise UserError(f"--camera {only[0]} is of a configuration, and there is no {DEFAULT_CONFIG} here: name one with --config")
    with tempfile.TemporaryDirectory(prefix="privet-bench-") as name:
        from privet.core.machine import this_machine
        from privet.main.bench import measure, write_sample
        from privet.main.bench_estimate import evenly

        directory = Path(name)
        if file is None and url is None and not sample and configured:
            loaded = _load(config or DEFAULT_CONFIG)
            chosen = _chosen(loaded, only)
            cameras = tuple(chosen[index] for index in evenly(len(chosen), AT_MOST))
            what, receives = f"{len(cameras)} of {len(chosen)} cameras of {loaded.path}", True
        else:
            if file is None and url is None:
                sample, file = True, directory / "sample.mp4"
                write_sample(file)
            loaded = _made_up(directory, url or _url_of(file), copies, config)
            cameras = loaded.config.camera_ids()
            what = "a clip of an empty place, 1080p at 15 frames/s" if sample else str(file or "the stream of --url")
            receives = url is not None
        machine = this_machine()
        found = measure(loaded, cameras, directory, seconds, machine.cores, (lambda _step: None) if as_json else _progress)
    report = Report(found, machine, loaded.config.worker.cameras_per_worker, what, receives=receives)
    if as_json:
        click.echo(json.dumps(report.as_json(), indent=2))
    else:
        for line in report.lines():
            click.echo(line)
    return EXIT_FAILED if report.failed else 0


class Report:
    """What was measured, in words and as JSON."""

    def __init__(self, found: Bench, machine: Machine, cameras_per_worker: int, what: str, *, receives: bool) -> None:
        """receives: the streams came over a network.

        Raises:
            PrivetError: no camera gave pictures.
        """
        from privet.main.bench_estimate import holds

        self._found, self._machine, self._what, self._receives = found, machine, what, receives
        self.failed = [each for each in (*found.proving, *found.settled) if each.cost is None]
        proving, settled = self._costs(found.proving), self._costs(settled_or_proving(found))
        if not proving or not settled:
            raise PrivetError("no camera gave pictures: " + "; ".join(dict.fromkeys(_why(each) for each in self.failed)))
        self.proving: Holds = holds(proving, machine, found.worker_bytes, cameras_per_worker)
        self.settled: Holds = holds(settled, machine, found.worker_bytes, cameras_per_worker)
        self.streams = len(settled)
        self._cameras_per_worker = cameras_per_worker

    def _costs(self, found: Sequence[Measured]) -> list[Cost]:
        base = self._found.worker_bytes
        return [replace(each.cost, memory_bytes=max(0, each.cost.memory_bytes - base)) for each in found if each.cost is not None]

    def as_json(self) -> dict[str, object]:
        """The same for machines."""
        return {
            "measured": self._what, "streams_at_once": self.streams, "receiving_included": self._receives,
            "machine": asdict(self._machine), "cameras_per_worker": self._cameras_per_worker, "worker_bytes": self._found.worker_bytes,
            "busy_share": round(self._found.busy_share, 3),
            "holds": asdict(self.settled), "holds_while_proving": asdict(self.proving),
            "cameras": [
                {"state": state, **asdict(each), "reason": each.reason.name.lower()}
                for state, group in (("proving", self._found.proving), ("settled", self._found.settled)) for each in group
            ],
            "cautions": list(self.cautions()),
        }

    def lines(self) -> Iterator[str]:
        """The same for people."""
        settled, proving = self.settled, self.proving
        yield f"This machine holds about {settled.cameras} of your cameras ({proving.cameras} while they are being proven)."
        yield (
            f"The limit is {settled.limit}{'' if settled.limit == proving.limit else f', and {proving.limit} while proving'}. "
            f"Range: {settled.least} to {settled.most} ({proving.least} to {proving.most} while proving), by the dearest and the cheapest "
            "window."
        )
        memory_gb = self._machine.memory_bytes / 1e9
        yield f"Machine: {self._machine.cores:g} cores, {memory_gb:.1f} GB of memory not in use{_network(self._machine)}."
        yield f"Measured: {self._what}; {self.streams} at once."
        yield ""
        yield "camera           stream            state    CPU s/s      asleep  looks/s  memory"
        for state, group in (("proving", self._found.proving), ("settled", self._found.settled)):
            for each in group:
                yield _row(each, state, self._found.worker_bytes)
        yield ""
        for caution in self.cautions():
            yield f"- {caution}"

    def cautions(self) -> Iterator[str]:
        """What was assumed, and what to doubt."""
        from privet.main.bench_estimate import CPU_FREE, MAIN_PROCESS_BYTES, MEMORY_FREE, NETWORK_FREE

        yield (
            f"{CPU_FREE:.0%} of the CPU, {MEMORY_FREE:.0%} of the memory and {MAIN_PROCESS_BYTES / 1e9:g} GB besides, and "
            f"{NETWORK_FREE:.0%} of the network are left free: recording, the page and exports were not measured, and people come to many "
            "cameras at the same time"
        )
        yield f"{self.streams} streams were measured, and the figure for more of them supposes that each costs as much as these"
        if self._machine.network_bits_per_second == 0 or not self._receives:
            yield "the network was not taken into account: its speed is not known here, or nothing came over it"
        if not self._receives:
            yield "a clip was read from a file: receiving is not in the figures, and takes a few thousandths of a core a camera"
        if self._found.busy_share > SATURATED:
            yield (
                f"the workers alone took {self._found.busy_share:.0%} of the machine, so streams were held up and the figures cannot be "
                "relied on: measure fewer, with --camera or --copies"
            )
        looking = [each.camera for each in self._found.settled if not has_settled(each)]
        if looking:
            yield (
                f"not settled in this time, and counted as if proving went on: {', '.join(looking)}; settled they cost less: "
                "measure longer, with --seconds 300"
            )
        awake = [each for each in self._found.settled if each.cost is not None and each.asleep_share < 1]
        if awake and not looking:
            yield "a place in which nothing moves sleeps after a while and costs a fraction; a minute is often too short for that"
        if len(awake) < self.streams:
            yield f"{self.streams - len(awake)} slept all the time: a place where people come and go costs more while they do"
        for each in self.failed:
            yield f"not measured: {_why(each)}"


def has_settled(each: Measured) -> bool:
    """Whether hardly a look is taken any more, or nothing was measured. Pure."""
    return each.cost is None or each.looks_per_second <= STILL_LOOKING


def settled_or_proving(found: Bench) -> list[Measured]:
    """Each camera settled; one that has not settled in the time as it is while being proven, which is dearer. Pure."""
    return [late if has_settled(late) else early for early, late in zip(found.proving, found.settled, strict=True)]


def _row(each: Measured, state: str, worker_bytes: int) -> str:
    if each.cost is None:
        return f"{each.camera:16} no pictures       {state}"
    stream = f"{each.size_px[0]}x{each.size_px[1]}@{each.fps:.0f}"
    spread = f"{each.cost.cpu:.3f} ({min(each.cost.windows_cpu):.2f}-{max(each.cost.windows_cpu):.2f})"
    memory_mb = max(0, each.cost.memory_bytes - worker_bytes) / 1e6
    return f"{each.camera:16} {stream:17} {state:8} {spread:18} {each.asleep_share:4.0%} {each.looks_per_second:6.2f}  {memory_mb:.0f} MB"


def _why(each: Measured) -> str:
    what, advice = ADVICE.get(each.reason, (f"no pictures ({each.reason.name.lower()})", "run `privet doctor`"))
    return f"camera {each.camera}: {what}; {advice}"


def _network(machine: Machine) -> str:
    return f", {machine.network_bits_per_second / 1e6:.0f} Mbit/s" if machine.network_bits_per_second else ""


def _progress(step: str) -> None:
    click.echo(f"{step} ...", err=True)


def _load(path: Path) -> Loaded:
    from privet.config.load import load

    return load(path)


def _url_of(file: Path | None) -> str:
    """The URL of a clip."""
    assert file is not None
    return file.resolve().as_uri()


def _made_up(directory: Path, url: str, copies: int, config: Path | None) -> Loaded:
    """The same stream several times, with the settings of a configuration if one is named.

    Raises:
        ConfigError: the configuration or the URL cannot be used.
    """
    from pydantic import ValidationError

    from privet.config.load import Loaded
    from privet.config.models import Camera, Config
    from privet.core.errors import ConfigError

    base = Config() if config is None else _load(config).config
    try:
        camera = Camera(place="bench", purpose="measuring", controller="nobody", url=url)
    except ValidationError as error:
        raise ConfigError(f"--url cannot be used: {error.errors()[0]['msg']}") from None
    cameras = {f"copy{number + 1}": camera for number in range(copies)}
    return Loaded(base.model_copy(update={"cameras": cameras}), {}, directory / "privet.toml")


def _chosen(loaded: Loaded, only: Sequence[str]) -> tuple[CameraId, ...]:
    known = loaded.config.camera_ids()
    if not known:
        raise UserError(f"{loaded.path} has no camera yet: add one, or measure a clip with --sample or --file")
    unknown = [camera for camera in only if camera not in known]
    if unknown:
        raise NotFoundError(f"camera {unknown[0]!r} is not in {loaded.path}, or not enabled; known: {', '.join(known)}")
    return tuple(camera for camera in known if not only or camera in only)
