"""`privet doctor`: what is wrong with this machine and each camera, in one sentence with what to do.

Belongs here: the checks of this machine, and having each camera looked at. Does not belong here: words and advice for what was seen of a
camera (findings), and looking at one (worker.jobs.probe, a process of its own that answers in whole numbers: this one holds no picture).
"""

from __future__ import annotations

import ctypes
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click

from privet.cli.findings import Finding, Level, judge_camera, judge_sub, no_answer
from privet.core.decoding import Decoding

if TYPE_CHECKING:
    from privet.config.load import Loaded
    from privet.config.models import Decode
    from privet.pipe.directories import Directories
    from privet.pipe.jobs import Measured
    from privet.pipe.settings import WorkerSettings

PROBE_WITHIN_S = 60
AT_ONCE = 4
LEAST_FREE_BYTES = 2_000_000_000
LIBRARIES = ("av", "numba", "numpy", "openvino", "protobuf", "mcap", "sqlalchemy", "fastapi")
CLOCK_UNSYNCHRONISED = 5


DECODER_NAMES = {"cuda": "NVIDIA's decoder", "vaapi": "VA-API"}
DECODER_WORDS = {
    Decoding.HARDWARE: "works",
    Decoding.NO_DEVICE: "has no device here",
    Decoding.UNSUPPORTED: "is not in this build of FFmpeg",
    Decoding.FAILED: "is there and fails",
    Decoding.SOFTWARE: "was not tried",
    Decoding.WAITING: "was not tried",
}


@click.command()
@click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), default=Path("privet.toml"), show_default=True, help="Configuration."
)
@click.option("--camera", "only", metavar="ID", multiple=True, help="Try only this camera; may be repeated.")
@click.option("--no-cameras", is_flag=True, help="Check this machine only.")
def doctor(config: Path, only: tuple[str, ...], *, no_cameras: bool) -> int:
    """Check this machine and each camera, and say what to do.

    Looks for about ten seconds at each stream of each camera: reachable, size, frame rate, keyframe interval, and focus as a number
    (higher is sharper; the same camera's numbers can be compared, different cameras' cannot).

    Exit codes: 0 nothing is wrong, 1 something is, 2 the configuration cannot be used.
    """
    from privet.config.load import load

    loaded = load(config)
    wrong = 0
    for finding in examine(loaded, _chosen(loaded, only, none=no_cameras)):
        wrong += finding.level is Level.WRONG
        _print(finding)
    click.echo("Nothing is wrong." if not wrong else f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong.")
    return 1 if wrong else 0


def examine(loaded: Loaded, cameras: Sequence[str]) -> Iterator[Finding]:
    """Yield what is found, as it is found."""
    yield from _programs()
    yield _sandbox(loaded)
    yield from _storage(loaded)
    yield _clock()
    yield from _page(loaded)
    yield _detectors(loaded)
    yield from _decoders(loaded)
    if not loaded.config.camera_ids():
        yield Finding(Level.NOTE, "cameras", "none is configured", f"add one to {loaded.path}")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for found in pool.map(lambda camera: tuple(_camera(loaded, camera)), cameras):
            yield from found


def _chosen(loaded: Loaded, only: Sequence[str], *, none: bool) -> tuple[str, ...]:
    from privet.core.errors import NotFoundError

    known = loaded.config.camera_ids()
    unknown = [camera for camera in only if camera not in known]
    if unknown:
        raise NotFoundError(f"camera {unknown[0]!r} is not in {loaded.path} or not enabled; known: {', '.join(known) or 'none'}")
    return () if none else tuple(only) or tuple(known)


def _programs() -> Iterator[Finding]:
    from privet import __version__

    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            yield Finding(Level.WRONG, "programs", f"the library {name} is not installed", "install Privet again: `pip install privet`")
    yield Finding(Level.OK, "programs", f"Privet {__version__}, Python {platform.python_version()}, {', '.join(found)}")


def _sandbox(loaded: Loaded) -> Finding:
    from privet.core.landlock import landlock_abi

    abi = landlock_abi()
    if abi:
        return Finding(Level.OK, "sandbox", f"Landlock ABI {abi}: workers write their own directories only")
    advice = "run Linux 5.13 or later with Landlock switched on (lsm=landlock,... on the kernel's command line)"
    required = loaded.config.worker.lockdown == "required"
    return Finding(Level.WRONG if required else Level.NOTE, "sandbox", "this kernel has no Landlock: workers could write elsewhere", advice)


def _storage(loaded: Loaded) -> Iterator[Finding]:
    directory = loaded.data_directory
    place = next(path for path in (directory, *directory.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
        free_bytes = shutil.disk_usage(place).free
    except OSError as error:
        yield Finding(Level.WRONG, "storage", f"{place} cannot be written: {error.strerror}", "set storage.directory, or its permissions")
        return
    text = f"{directory}, {free_bytes / 1e9:.1f} GB free"
    if free_bytes < LEAST_FREE_BYTES:
        yield Finding(Level.WRONG, "storage", text, "make room, or set storage.quota_gb")
    else:
        yield Finding(Level.OK, "storage", text)


def _clock() -> Finding:
    state = clock_state()
    if state == CLOCK_UNSYNCHRONISED:
        return Finding(Level.NOTE, "clock", "it is not kept by a time server", "run chrony, ntpd or systemd-timesyncd: recordings go by it")
    return Finding(Level.OK, "clock", "kept by a time server" if state >= 0 else "its state is not known here")


def clock_state() -> int:
    """Return the kernel's opinion of its clock (ntp_adjtime(3)): 5: not synchronised; below 0: not known."""
    try:
        adjust = ctypes.CDLL(None).ntp_adjtime
    except (OSError, AttributeError):
        return -1
    # struct timex with modes = 0 (the first word): asks, changes nothing. 208 bytes on 64-bit Linux; more does no harm.
    return int(adjust(ctypes.create_string_buffer(512)))


def _page(loaded: Loaded) -> Iterator[Finding]:
    from privet.api.guard.listen import listen_settings
    from privet.config.directories import static_directory
    from privet.core.errors import ConfigError

    try:
        yield Finding(Level.OK, "page", listen_settings(loaded.config.server, loaded).url)
    except ConfigError as error:
        yield Finding(Level.WRONG, "page", str(error))
    if static_directory() is None:
        yield Finding(Level.WRONG, "page", "the web pages are not built: only the API answers", "run `make setup`, or install a release")


def _detectors(loaded: Loaded) -> Finding:
    found = _probe(loaded, ())
    device = loaded.config.detect.device
    own = _own_model(loaded)
    if own is not None:
        return own
    if found is None:
        return Finding(Level.WRONG, "detectors", "the process that tries them ended without an answer", "run `privet run` and see its log")
    if found.detectors == 0:
        return Finding(
            Level.WRONG, "detectors", f"one does not load on {device}: nothing can be proven",
            "install the models (`make setup` does), or set detect.device = \"CPU\"",
        )
    return Finding(
        Level.OK, "detectors", f"{found.detectors} load on {device} in {found.detectors_ms} ms, {found.look_us / 1000:.1f} ms a look of all"
    )


def _decoders(loaded: Loaded) -> Iterator[Finding]:
    from privet.config.models import Decode

    site = loaded.config.decode
    cameras = [camera for camera in loaded.config.cameras.values() if camera.enabled]
    wanted = {site.hardware if camera.hardware is None else camera.hardware for camera in cameras} or {site.hardware}
    found = _probe(loaded, (), Decode(hardware="auto"))
    if found is not None and site.device:       # what was tried first was the first device of its kind
        chosen = _probe(loaded, (), site)
        found = None if chosen is None else replace(found, **{site.hardware: getattr(chosen, site.hardware)})
    yield from judge_decoders(wanted, found)


def judge_decoders(wanted: Collection[str], found: Measured | None) -> Iterator[Finding]:
    """Return the words for which GPUs decode. wanted: what the cameras' settings ask for. Pure."""
    about = "hardware decoding"
    if found is None:
        level = Level.NOTE if set(wanted) <= {"none"} else Level.WRONG
        what = "the process that tries it ended without an answer: a driver may have ended it"
        yield Finding(level, about, what, "leave decode.hardware off")
        return
    ways = {"cuda": Decoding(found.cuda), "vaapi": Decoding(found.vaapi)}
    words = ", ".join(f"{DECODER_NAMES[kind]} {DECODER_WORDS[way]}" for kind, way in ways.items())
    working = {kind for kind, way in ways.items() if way is Decoding.HARDWARE}
    missing = sorted(kind for kind in wanted if kind != "none" and not (working if kind == "auto" else working & {kind}))
    if missing:
        yield Finding(
            Level.WRONG, about, f"{words}; {' and '.join(missing)} is asked for: software decodes instead",
            "see docs/guide/hardware-decoding.md, or set decode.hardware = \"none\"",
        )
    elif working and set(wanted) <= {"none"}:
        yield Finding(Level.NOTE, about, words, "it can be switched on with decode.hardware")
    else:
        yield Finding(Level.OK, about, words)


def _own_model(loaded: Loaded) -> Finding | None:
    """What is wrong with the site's own model, if it has one. Nothing is looked at with it, so it need not be a process of its own."""
    from privet.main.worker_settings import detect_settings
    from privet.worker.detectors import refusal

    why = refusal(detect_settings(loaded))
    if why is None:
        return None
    return Finding(Level.WRONG, "detectors", f"{why}: nothing can be proven", "see docs/ref/models.md, or take `own_model` out")


def _camera(loaded: Loaded, camera: str) -> Iterator[Finding]:
    """Its stream, and its sub-stream if it has one."""
    found = _probe(loaded, (camera,))
    if found is None:
        yield no_answer(camera, PROBE_WITHIN_S)
        return
    yield from judge_camera(camera, found)
    if loaded.config.cameras[camera].sub_url is not None:
        small = _probe(loaded, (camera,), sub=True)
        if small is None:
            yield no_answer(camera, PROBE_WITHIN_S, sub=True)
        else:
            yield from judge_sub(camera, found, small, loaded.config.scene.covers_per_second)


def _probe(loaded: Loaded, cameras: Sequence[str], decode: Decode | None = None, *, sub: bool = False) -> Measured | None:
    """Ask a process of its own; None if it gave no answer. decode: the GPUs to try, if it is about them. sub: of cameras that have one,
    look at the sub-stream."""
    from privet.config.models import Decode
    from privet.core.ids import CameraId
    from privet.main.worker_settings import worker_settings
    from privet.pipe.directories import Directories

    with tempfile.TemporaryDirectory(prefix="privet-doctor-") as temporary:
        settings = worker_settings(loaded, [CameraId(camera) for camera in cameras], PurePosixPath("probe"), bytes(32))
        cameras_told = tuple(
            each.model_copy(update={"url": each.sub_url if sub else each.url, "sub_url": None}) for each in settings.cameras
        )
        told = settings.model_copy(update={"decode": decode or Decode(), "cameras": cameras_told})
        # The camera's sealed state is none of the probe's business: its data directory is one to throw away.
        return _ask(told, Directories(Path(temporary)))


def _ask(settings: WorkerSettings, directories: Directories) -> Measured | None:
    from privet.main.launch import reduced_environment
    from privet.pipe.directories import arguments_of
    from privet.pipe.jobs import Measured

    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "privet.worker.jobs.probe", *arguments_of(directories)],
            input=settings.model_dump_json().encode(),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=PROBE_WITHIN_S, check=False, env=reduced_environment(),
        )
        answer: object = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return None
    if not isinstance(answer, dict) or not all(isinstance(value, int) for value in answer.values()):
        return None
    try:
        return Measured(**answer)
    except TypeError:
        return None


def _print(finding: Finding) -> None:
    colours = {Level.OK: "green", Level.NOTE: "yellow", Level.WRONG: "red"}
    mark = click.style(f"{finding.level.value:5}", fg=colours[finding.level])
    click.echo(f"{mark} {finding.about}: {finding.what}{f'. {_capital(finding.advice)}.' if finding.advice else ''}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
