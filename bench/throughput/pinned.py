"""What looks cost workers of one machine that look at once: wall milliseconds a look, left to itself and bound to a core by the runtime.

    python -m bench.throughput.pinned          two processes at once
    python -m bench.throughput.pinned --json

Belongs here: two processes, each with a look after the other. Does not belong here: the model (batches), what a look is asked for.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time

from bench.privacy.tables import Json
from bench.throughput.batches import MODELS, Batched
from bench.throughput.process import say_figures

LOOKS = 60
WARM_UP = 5
TURNS = 3
PROCESSES = 2
WAYS = ("left to itself", "bound")


def look(*, pinning: bool) -> None:
    """In a process of its own: say that it is ready, wait for a line, then say how long a look took, in milliseconds."""
    batched = Batched(*MODELS[0][1:], batch=1, pinning=pinning)
    for _ in range(WARM_UP):
        batched.look()
    print("ready", flush=True)
    sys.stdin.readline()
    begun_ns = time.monotonic_ns()
    for _ in range(LOOKS):
        batched.look()
    print((time.monotonic_ns() - begun_ns) / 1e6 / LOOKS, flush=True)


def together(how: str) -> float:
    """Wall milliseconds a look, of the slowest of the processes; they begin at the same moment.

    Raises:
        RuntimeError: one of them ended before it had looked.
    """
    command = [sys.executable, "-m", "bench.throughput.pinned", "--look", how]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
    try:
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise RuntimeError("a process that was to look ended")
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        said = [process.communicate()[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    if not all(said):
        raise RuntimeError("a process ended while it looked")
    return max(float(each) for each in said)


def pinned_figures() -> Json:
    """How it is bound -> ms a look, medians; in turns, so that both share what else the machine does.

    Raises:
        RuntimeError: the machine has one core only, or a process ended.
    """
    if len(os.sched_getaffinity(0)) < PROCESSES:
        raise RuntimeError("one core only: nothing can look at once")
    took: dict[str, list[float]] = {how: [] for how in WAYS}
    for _ in range(TURNS):
        for how in WAYS:
            took[how].append(together(how))
    return {how: round(statistics.median(each), 1) for how, each in took.items()}


def main() -> int:
    """Measure; exit status 0, or 2 if it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.throughput.pinned", description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    parser.add_argument("--look", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.look:
        look(pinning=options.look == "bound")
        return 0
    return say_figures("bench.throughput.pinned", pinned_figures, as_json=options.json, cannot=(RuntimeError,))


if __name__ == "__main__":
    sys.exit(main())
