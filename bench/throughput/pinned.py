"""What looks cost workers of one machine that look at once: wall milliseconds a look, left to itself and bound to a core by the runtime.

    python -m bench.throughput.pinned          two processes at once
    python -m bench.throughput.pinned --json

Belongs here: as many processes as a machine has cores, each with a look after the other. Does not belong here: what a look is asked for.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

import numpy as np
import openvino

from bench.privacy.tables import Json
from bench.throughput.process import say_figures
from privet.detect.openvino import PedestrianDetector
from privet.detect.weights import PEDESTRIAN, locate

LOOKS = 60
WARM_UP = 5
TURNS = 3
PROCESSES = 2
PINNING = {"left to itself": "NO", "bound": "YES"}


def look(pinning: str) -> None:
    """In a process of its own: say that it is ready, wait for a line, then say how long a look took, in milliseconds."""
    core = openvino.Core()
    model = core.read_model(locate(PEDESTRIAN))
    options = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": pinning}
    request = core.compile_model(model, "CPU", options).create_infer_request()
    picture = np.random.default_rng(0).integers(0, 256, (1, *PedestrianDetector.input_px, 3)).astype(np.uint8)
    for _ in range(WARM_UP):
        request.infer({0: picture})
    print("ready", flush=True)
    sys.stdin.readline()
    begun_ns = time.monotonic_ns()
    for _ in range(LOOKS):
        request.infer({0: picture})
    print((time.monotonic_ns() - begun_ns) / 1e6 / LOOKS, flush=True)


def together(pinning: str) -> float:
    """Wall milliseconds a look, of the slowest of the processes; they begin at the same moment.

    Raises:
        RuntimeError: one of them ended before it had looked.
    """
    command = [sys.executable, "-m", "bench.throughput.pinned", "--look", pinning]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError("a process that was to look ended")
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        return max(float(process.communicate()[0]) for process in processes)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def pinned_figures() -> Json:
    """How it is bound -> ms a look, medians; in turns, so that both share what else the machine does.

    Raises:
        RuntimeError: the machine has one core only, or a process ended.
    """
    if len(os.sched_getaffinity(0)) < PROCESSES:
        raise RuntimeError("one core only: nothing can look at once")
    took: dict[str, list[float]] = {name: [] for name in PINNING}
    for _ in range(TURNS):
        for name, pinning in PINNING.items():
            took[name].append(together(pinning))
    return {name: round(statistics.median(each), 1) for name, each in took.items()}


def main() -> int:
    """Measure; exit status 0, or 2 if it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.throughput.pinned", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    parser.add_argument("--look", choices=tuple(PINNING.values()), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.look:
        look(options.look)
        return 0
    return say_figures("bench.throughput.pinned", pinned_figures, as_json=options.json, cannot=(RuntimeError,))


if __name__ == "__main__":
    sys.exit(main())
