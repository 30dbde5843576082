"""Looks at one camera, or tries the detectors or the GPUs that decode, and says whole numbers, for `privet doctor`:
`python -P -m privet.worker.jobs.probe DATA`.

Belongs here: what is measured. Does not belong here: words and advice (cli/doctor), for no free text leaves a process that holds
live pixels. It is as locked down as a worker: settings come in over standard input, one JSON object of `Measured` goes out.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from privet.core.clock import NS_PER_MS, NS_PER_S, SystemClock
from privet.core.errors import DetectorError, SourceError
from privet.core.scene import Reason
from privet.pipe import framing
from privet.pipe.directories import directories_of
from privet.pipe.jobs import Measured
from privet.pipe.settings import WorkerSettings
from privet.worker import lockdown
from privet.worker.process import prepare, take_pipe

if TYPE_CHECKING:
    from privet.core.frame import Frame

WATCH_NS = 6 * NS_PER_S
WATCH_AT_MOST_NS = 20 * NS_PER_S
KEYFRAMES_WANTED = 2
LOOKS_TIMED = 5
EXIT_UNUSABLE = 4


def focus(luma: NDArray[np.uint8]) -> float:
    """Return the variance of the Laplacian of a luma plane, uint8 (height, width); 0.0 below 3 x 3.

    A sharp picture of a textured place has hundreds, a blurred one tens. After Pech-Pacheco et al., "Diatom autofocusing in
    brightfield microscopy: a comparative study" (2000).
    """
    if min(luma.shape) < 3:
        return 0.0
    plane = luma.astype(np.int32)
    inner = plane[1:-1, 1:-1]
    laplacian = plane[:-2, 1:-1] + plane[2:, 1:-1] + plane[1:-1, :-2] + plane[1:-1, 2:] - 4 * inner
    return float(laplacian.var())


def keyframe_interval_ns(keyframe_times_ns: Sequence[int]) -> int:
    """Return the median distance between keyframes; 0 with fewer than two."""
    distances = np.diff(np.array(keyframe_times_ns, np.int64))
    return int(np.median(distances)) if distances.size else 0


def frame_rate_milli(frames: int, first_ns: int, last_ns: int) -> int:
    """Return frames a second in thousandths, from the wall times of the first and last of `frames`; 0 if it cannot be known."""
    return round((frames - 1) * NS_PER_S * 1000 / (last_ns - first_ns)) if frames > 1 and last_ns > first_ns else 0


def measure_camera(settings: WorkerSettings) -> Measured:
    """Watch the first camera for some seconds."""
    from privet.ingest.open import open_source  # noqa: PLC0415 (not before the process is confined)
    from privet.worker.pipelines import source_settings  # noqa: PLC0415

    clock = SystemClock()
    seen = _Watch(clock.monotonic_ns())
    reason = Reason.NONE
    try:
        with open_source(source_settings(settings.cameras[0]), clock) as source:
            for frame in source.frames():
                seen.take(frame, clock.monotonic_ns())
                if seen.enough(clock.monotonic_ns()):
                    break
    except SourceError as error:
        reason = error.reason if seen.frames == 0 else Reason.NONE
    return seen.measured(reason)


def measure_hardware(settings: WorkerSettings) -> Measured:
    """Have each kind of GPU that the settings open decode something."""
    from privet.ingest.hardware import try_device  # noqa: PLC0415 (not before the process is confined)

    hardware, device = settings.decode.hardware, settings.decode.device
    return Measured(
        cuda=int(try_device("cuda", device)) if hardware in {"cuda", "auto"} else 0,
        vaapi=int(try_device("vaapi", device)) if hardware in {"vaapi", "auto"} else 0,
    )


class _Watch:
    """Collects numbers from frames; keeps no frame."""

    def __init__(self, began_ns: int) -> None:
        self._began_ns = began_ns
        self.frames = 0
        self._damaged = 0
        self._first_frame_ns = 0
        self._size_px = (0, 0)
        self._first_wall_ns = 0
        self._last_wall_ns = 0
        self._keyframes_ns: list[int] = []
        self._focus: list[float] = []
        self._brightness = 0

    def take(self, frame: Frame, now_ns: int) -> None:
        if self.frames == 0:
            self._first_frame_ns = now_ns - self._began_ns
            self._first_wall_ns = frame.wall_ns
        self.frames += 1
        self._damaged += not frame.intact
        self._last_wall_ns = frame.wall_ns
        self._size_px = (frame.width_px, frame.height_px)
        if frame.keyframe:
            self._keyframes_ns.append(frame.wall_ns)
            self._focus.append(focus(frame.y))
            self._brightness = int(frame.y.mean())

    def enough(self, now_ns: int) -> bool:
        watched_ns = now_ns - self._began_ns
        return watched_ns >= (WATCH_NS if len(self._keyframes_ns) >= KEYFRAMES_WANTED else WATCH_AT_MOST_NS)

    def measured(self, reason: Reason) -> Measured:
        return Measured(
            reason=int(reason),
            width_px=self._size_px[0],
            height_px=self._size_px[1],
            frames=self.frames,
            damaged=self._damaged,
            first_frame_ms=self._first_frame_ns // NS_PER_MS,
            fps_milli=frame_rate_milli(self.frames, self._first_wall_ns, self._last_wall_ns),
            keyframe_interval_ms=keyframe_interval_ns(self._keyframes_ns) // NS_PER_MS,
            focus_milli=round(float(np.median(self._focus)) * 1000) if self._focus else 0,
            brightness=self._brightness,
        )


def measure_detectors(settings: WorkerSettings) -> Measured:
    """Load the detectors and time them on noise."""
    from privet.detect.openvino import load_detectors  # noqa: PLC0415 (not before the process is confined)
    from privet.worker.detectors import own_model  # noqa: PLC0415

    own = own_model(settings.detect)
    began_ns = time.monotonic_ns()
    try:
        detectors = load_detectors(settings.detect.device, settings.detect.threshold, own=own)
    except DetectorError:
        return Measured(reason=int(Reason.NO_DETECTOR))
    loaded_ns = time.monotonic_ns() - began_ns
    took_ns = 0
    for detector in detectors:
        noise = np.random.default_rng(1).integers(0, 255, (1, *detector.input_px, 3), np.uint8)
        detector.find(noise)
        began_ns = time.monotonic_ns()
        for _ in range(LOOKS_TIMED):
            detector.find(noise)
        took_ns += (time.monotonic_ns() - began_ns) // LOOKS_TIMED
    return Measured(
        reason=int(Reason.NONE), detectors=len(detectors), detectors_ms=loaded_ns // NS_PER_MS, look_us=took_ns // 1000
    )


def main() -> None:
    """Measure what the settings ask for: the first camera; without one the GPUs if any decodes, else the detectors. Never returns."""
    lockdown.forbid_dumps()
    inward, outward = take_pipe()
    try:
        with os.fdopen(inward, "rb") as stream:
            settings = WorkerSettings.model_validate_json(stream.read())
        abi = prepare(settings, directories_of(sys.argv[1:]))
    except (ValidationError, ValueError, OSError, lockdown.LockdownError):
        os._exit(EXIT_UNUSABLE)
    if settings.cameras:
        found = measure_camera(settings)
    else:
        found = measure_detectors(settings) if settings.decode.hardware == "none" else measure_hardware(settings)
    framing.write_all(outward, json.dumps(asdict(found) | {"landlock_abi": abi}).encode())
    os._exit(0)


if __name__ == "__main__":
    main()
    sys.exit(EXIT_UNUSABLE)
