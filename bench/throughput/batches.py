"""What batching looks would save: milliseconds of CPU a picture, asked one at a time and several together, on one thread.

    python -m bench.throughput.batches          a line a model
    python -m bench.throughput.batches --json

Belongs here: the models that Privet brings, compiled as a worker compiles them. Does not belong here: what is made of their answers.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import numpy as np
import openvino

from bench.privacy.tables import Json
from bench.throughput.process import say_figures
from privet.detect.openvino import FaceDetector, NanoDetector, PedestrianDetector
from privet.detect.weights import CENTERFACE, NANODET, PEDESTRIAN, Weights, locate

BATCHES = (1, 2, 4, 8)
WARM_UP = 2
TIMES = 15
MODELS: tuple[tuple[str, Weights, tuple[int, ...], type[np.generic]], ...] = (
    (PedestrianDetector.name, PEDESTRIAN, (*PedestrianDetector.input_px, 3), np.uint8),
    (NanoDetector.name, NANODET, (3, *NanoDetector.input_px), np.float32),
    (FaceDetector.name, CENTERFACE, (3, *FaceDetector.input_px), np.float32),
)


class Batched:
    """One model, compiled for so many pictures at once. pinning: whoever looks is bound to a core, as by default."""

    def __init__(
        self, weights: Weights, shape: tuple[int, ...], kind: type[np.generic], batch: int, *, pinning: bool = True
    ) -> None:
        core = openvino.Core()
        model = core.read_model(locate(weights))
        model.reshape([batch, *shape])
        options = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": "YES" if pinning else "NO"}
        compiled = core.compile_model(model, "CPU", options)
        self._request = compiled.create_infer_request()
        self._pictures = np.random.default_rng(batch).integers(0, 256, (batch, *shape)).astype(kind)
        self._batch = batch

    def look(self) -> None:
        """At all pictures, once."""
        self._request.infer({0: self._pictures})

    def milliseconds(self) -> float:
        """Of the whole process, a picture."""
        begun_ns = time.process_time_ns()
        self.look()
        return (time.process_time_ns() - begun_ns) / 1e6 / self._batch


def batch_figures() -> Json:
    """Model -> pictures at once -> ms a picture, medians; all sizes in turns, so that they share what else the machine does."""
    return {name: _of_model(weights, shape, kind) for name, weights, shape, kind in MODELS}


def _of_model(weights: Weights, shape: tuple[int, ...], kind: type[np.generic]) -> Json:
    sizes = {batch: Batched(weights, shape, kind, batch) for batch in BATCHES}
    took: dict[int, list[float]] = {batch: [] for batch in BATCHES}
    for turn in range(WARM_UP + TIMES):
        for batch, batched in sizes.items():
            spent = batched.milliseconds()
            if turn >= WARM_UP:
                took[batch].append(spent)
    return {str(batch): round(statistics.median(each), 2) for batch, each in took.items()}


def main() -> int:
    """Measure; exit status 0, or 2 if it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.throughput.batches", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    options = parser.parse_args()
    return say_figures("bench.throughput.batches", batch_figures, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
