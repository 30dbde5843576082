"""Detectors that load while the cameras connect: a worker that was lost is back seconds sooner.

Belongs here: the site's own model as its configuration says it, the thread that loads, and what stands in until it is done. Does not belong
here: what detectors are (detect), or what it means that there are none yet (camera takes no looks, so nothing is promoted).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from privet.config.models import Detect
from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import DetectorError
from privet.detect.own import OwnModel
from privet.scene.proof.looks import Detector


class LateDetectors:
    """Detectors, now or soon."""

    def __init__(self, inputs_px: Sequence[tuple[int, int]], load: Callable[[], Sequence[Detector]]) -> None:
        """inputs_px: (height, width) of each detector's input, known before it is loaded. load: called once, in a thread of its own."""
        self._load = load
        self._loaded: Sequence[Detector] = ()
        self._failure: DetectorError | None = None
        self._done = threading.Event()
        self.detectors: tuple[Detector, ...] = tuple(_Late(self, number, size) for number, size in enumerate(inputs_px))
        threading.Thread(target=self._run, name="detectors", daemon=True).start()

    def ready(self) -> bool:
        """Whether asking them answers at once, be it with an error."""
        return self._done.is_set()

    def loaded(self, number: int) -> Detector:
        """The real detector; waits for it.

        Raises:
            DetectorError: it did not load.
        """
        self._done.wait()
        if self._failure is not None:
            raise self._failure
        return self._loaded[number]

    def _run(self) -> None:
        try:
            loaded = tuple(self._load())
            if [each.input_px for each in loaded] != [each.input_px for each in self.detectors]:
                raise DetectorError("the detectors that were loaded are not the ones that were announced")
            self._loaded = loaded
        except DetectorError as error:
            self._failure = error
        finally:
            if not self._loaded and self._failure is None:
                self._failure = DetectorError("the detectors did not load")
            self._done.set()


class _Late:
    """Stands in for one detector."""

    def __init__(self, late: LateDetectors, number: int, input_px: tuple[int, int]) -> None:
        self._late = late
        self._number = number
        self._input_px = input_px

    @property
    def input_px(self) -> tuple[int, int]:
        return self._input_px

    def find(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        return self._late.loaded(self._number).find(pictures)


class LookBudget:
    """Looks that a worker's cameras may take together. What was not used is saved up for a second at most.

    Where they ask for more than there are, who has waited longest comes first: otherwise one camera that asks often would take them all.
    """

    def __init__(self, looks_per_second: float, clock: Clock) -> None:
        self._rate = looks_per_second
        self._clock = clock
        self._most = max(looks_per_second, 1.0)
        self._left = self._most
        self._counted_ns = clock.monotonic_ns()
        self._asked_ns: dict[str, int] = {}
        self._took_ns: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, camera: str) -> bool:
        """Whether a camera may take a look now; if so, it counts. From any thread."""
        with self._lock:
            now_ns = self._clock.monotonic_ns()
            self._left = min(self._left + self._rate * (now_ns - self._counted_ns) / NS_PER_S, self._most)
            self._counted_ns = now_ns
            self._asked_ns[camera] = now_ns
            mine_ns = self._took_ns.get(camera, -1)
            longer = sum(
                now_ns - asked_ns <= NS_PER_S and self._took_ns.get(other, -1) < mine_ns
                for other, asked_ns in self._asked_ns.items() if other != camera
            )
            if self._left < 1.0 + longer:       # one for each of those is left to them
                return False
            self._left -= 1.0
            self._took_ns[camera] = now_ns
            return True


def own_model(detect: Detect) -> OwnModel | None:
    """The site's own model, if it has one."""
    if detect.own_model is None:
        return None
    size = (detect.own_model_height_px, detect.own_model_width_px)
    return OwnModel(detect.own_model, size, detect.own_model_classes, detect.own_model_scale, detect.own_model_boxes)


def refusal(detect: Detect) -> str | None:
    """Why the site's own model is not taken; None if it is, or if there is none. Nobody is looked at with it: any process may ask."""
    from privet.detect.openvino import OwnDetector  # noqa: PLC0415 (a worker loads in a thread of its own)

    own = own_model(detect)
    try:
        if own is not None:
            OwnDetector(own, detect.device, detect.threshold)
    except DetectorError as error:
        return str(error)
    return None
