"""What an analyst saw of a clip, kept so that it can be told again: no pixel is in it but those of the proven background.

Belongs here: looking at the bench's clips offline, and the files it is kept in. Does not belong here: telling and recording it (day).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from demo.clip import Clip
from demo.encode import clip_frames
from numpy.typing import NDArray

from bench.throughput import keep
from bench.throughput.clips import QUALITY, clip
from bench.throughput.daylight import gains, lit_plane
from privet.config.models import Promotion
from privet.core.clock import NS_PER_S
from privet.core.frame import Frame
from privet.core.grid import BoolGrid, pack_bits, unpack_bits
from privet.core.ids import CameraId
from privet.core.scene import Condition, Reason
from privet.detect.openvino import load_detectors
from privet.pipe.settings import CameraSettings
from privet.scene.analyst import Analyst
from privet.scene.demand import is_due
from privet.scene.observation import Observation
from privet.scene.proof.step import Circumstances
from privet.scene.settings import AnalystSettings
from privet.scene.state_format import StoredScene, from_bytes, to_bytes
from privet.worker.camera.pipeline import analyst_settings

HEIGHT_PX = 1080
HOURS, HOUR_S = 24, 3600
PROVES_FOR_S = 200              # of the quiet clip: what is not proven by then has been given up
SLICE_S = 720                   # of each hour of a quiet day is looked at; it is told until the hour is over
BUSY_TIMES = 4                  # the busy clip is played so often; the last time is what is told again and again
GOP_S = 2                       # a camera that sleeps looks at a keyframe each
LIGHT_WAKES = 0.01              # of the levels in a GOP: then packets are larger than in a quiet place
AWAKE_FOR_S = 10                # since something changed
STARTS_NS = 1_714_521_600 * NS_PER_S    # 2024-05-01 00:00 UTC


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What is said of one frame, `at_ns` after the beginning. painted: bool (rows, columns), None if nothing was promoted."""

    at_ns: int
    condition: Condition
    reason: Reason
    cover: BoolGrid
    light: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None
    painted: BoolGrid | None


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Frames in order, in [0, duration_ns). known: the scene at the end."""

    frames: Sequence[Told]
    known: StoredScene
    duration_ns: int


def to_file(track: Track) -> bytes:
    """A .npz archive: covers that repeat lie in it once."""
    grid = track.known.grid
    covers: dict[bytes, int] = {}
    which = [covers.setdefault(pack_bits(told.cover), len(covers)) for told in track.frames]
    lights = [(number, told.light) for number, told in enumerate(track.frames) if told.light is not None]
    painted = [(number, told.painted) for number, told in enumerate(track.frames) if told.painted is not None]
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        known=np.frombuffer(to_bytes(track.known), np.uint8),
        duration_ns=np.array(track.duration_ns, np.int64),
        frames=np.array([(told.at_ns, told.condition, told.reason) for told in track.frames], np.int64),
        cover=np.array(which, np.int64),
        covers=np.array([np.frombuffer(bits, np.uint8) for bits in covers], np.uint8).reshape(-1, grid.bitmap_bytes),
        lit=np.array([number for number, _ in lights], np.int64),
        lights=np.array([light for _, light in lights], np.uint8),
        painted=np.array([number for number, _ in painted], np.int64),
        paints=np.array([np.frombuffer(pack_bits(blocks), np.uint8) for _, blocks in painted], np.uint8).reshape(-1, grid.bitmap_bytes),
    )
    return buffer.getvalue()


def from_file(data: bytes) -> Track:
    """What `to_file` gave."""
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    known = from_bytes(arrays["known"].tobytes())
    shape = known.grid.shape
    covers = [unpack_bits(bits.tobytes(), *shape) for bits in arrays["covers"]]
    lights = {int(number): (gain, offset) for number, (gain, offset) in zip(arrays["lit"], arrays["lights"], strict=True)}
    painted = {
        int(number): unpack_bits(bits.tobytes(), *shape) for number, bits in zip(arrays["painted"], arrays["paints"], strict=True)
    }
    frames = [
        Told(int(at_ns), Condition(int(condition)), Reason(int(reason)), covers[cover], lights.get(number), painted.get(number))
        for number, ((at_ns, condition, reason), cover) in enumerate(zip(arrays["frames"], arrays["cover"], strict=True))
    ]
    return Track(frames, known, int(arrays["duration_ns"]))


def kept(name: str, make: Callable[[], Track]) -> Track:
    """What `make` gives, made once for this clip and these sources of what looks at it."""
    told = repr((PROVES_FOR_S, SLICE_S, BUSY_TIMES, GOP_S, LIGHT_WAKES, AWAKE_FOR_S, QUALITY)).encode()
    told += clip("quiet", HEIGHT_PX).path.name.encode() + clip("busy", HEIGHT_PX).path.name.encode()
    told += Path(__file__).read_bytes() + Path(__file__).with_name("daylight.py").read_bytes()
    return from_file(keep.kept(f"track-{name}", told, lambda: to_file(make()), ".npz"))


def settings() -> AnalystSettings:
    """The defaults, but that a proof takes ten seconds, as everywhere in this bench."""
    return analyst_settings(CameraSettings(
        camera=CameraId("c0"), url="rtsp://127.0.0.1/", state_directory=PurePosixPath("nonexistent"),
        promotion=Promotion(commissioning="automatic", prove_seconds=10, prove_keyframes=5),
    ))


def busy_track() -> Track:
    """The place is proven on the quiet clip, as at night; then people come, and what they leave of it is seen."""
    detectors = load_detectors("CPU", 0.15)
    prover = Analyst(settings(), detectors)
    for frame in _played(clip("quiet", HEIGHT_PX), PROVES_FOR_S * NS_PER_S):
        if is_due(prover.demand.main, frame):
            prover.observe(frame)
    busy = clip("busy", HEIGHT_PX)
    once_ns = round(busy.duration_s * NS_PER_S)
    analyst = Analyst(settings(), detectors, prover.snapshot())
    frames = [
        _told(frame.monotonic_ns, analyst.observe(frame))
        for frame in _played(busy, BUSY_TIMES * once_ns) if is_due(analyst.demand.main, frame)
    ]
    known = analyst.snapshot()
    assert known is not None
    return Track(frames, known, BUSY_TIMES * once_ns)


def quiet_track(known: StoredScene) -> Track:
    """The quiet clip's keyframes under a day's light, SLICE_S of each hour, by an analyst that knows the place and takes no looks.

    It sleeps, unless the light changes fast; then a frame a second is looked at, as often as a light is said.
    """
    pictures = [
        (np.array(frame.y), np.array(frame.u), np.array(frame.v), frame.matrix)
        for frame in clip_frames(clip("quiet", HEIGHT_PX)) if frame.keyframe
    ]
    analyst = Analyst(settings(), (), known)
    frames: list[Told] = []
    before, awake_until_s, looked_s = gains(0.0), 0, -GOP_S
    for at_s in (hour * HOUR_S + second for hour in range(HOURS) for second in range(SLICE_S)):
        now = gains(float(at_s))
        if at_s % HOUR_S and float(np.abs(now / before - 1).max()) > LIGHT_WAKES / GOP_S:
            awake_until_s = at_s + AWAKE_FOR_S
        before = now
        asleep = at_s >= awake_until_s
        if asleep and at_s - looked_s < GOP_S:
            continue
        looked_s = at_s
        y, u, v, matrix = pictures[at_s // GOP_S % len(pictures)]
        at_ns = at_s * NS_PER_S
        lit = (lit_plane(y, now, 16), lit_plane(u, now, 128), lit_plane(v, now, 128))
        seen = analyst.observe(Frame(*lit, STARTS_NS + at_ns, at_ns, True, True, matrix), Circumstances(gap=asleep))
        frames.append(_told(at_ns, seen, asleep=asleep))
    return Track(frames, known, HOURS * HOUR_S * NS_PER_S)


def _told(at_ns: int, seen: Observation, *, asleep: bool = False) -> Told:
    condition = Condition.ASLEEP if asleep and seen.condition is Condition.AWAKE else seen.condition
    return Told(at_ns, condition, seen.reason, seen.cover.copy(), seen.light, None if seen.painted is None else seen.painted.copy())


def _played(played: Clip, duration_ns: int) -> Iterator[Frame]:
    """A clip over and over, until so long is over."""
    once_ns, at_ns = round(played.duration_s * NS_PER_S), 0
    while True:
        for frame in clip_frames(played, STARTS_NS + at_ns, at_ns):
            if frame.monotonic_ns >= duration_ns:
                return
            yield frame
        at_ns += once_ns


