"""How many cameras a machine holds, from what some cost: pure.

Belongs here: the extrapolation, and what is left free in it. Does not belong here: measuring (bench), words (cli/bench).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from statistics import mean
from typing import Literal

from privet.core.machine import Machine

CPU_FREE = 0.30
"""Left free: recording, index, page and exports are not measured, people come to many cameras at once, and proofs begin anew."""
MEMORY_FREE = 0.25
MAIN_PROCESS_BYTES = 500_000_000
NETWORK_FREE = 0.30

Limit = Literal["CPU", "memory", "network"]


@dataclass(frozen=True, slots=True)
class Cost:
    """One camera in one state. windows_cpu: CPU seconds a second of stream, each a window's."""

    windows_cpu: tuple[float, ...]
    memory_bytes: int           # beyond what a worker without cameras holds
    bits_per_second: int        # received; 0 for clips

    @property
    def cpu(self) -> float:
        return mean(self.windows_cpu)


@dataclass(frozen=True, slots=True)
class Holds:
    """cameras: about so many, mixed as they were measured. least, most: by the dearest and the cheapest window. limit: what ends it."""

    cameras: int
    least: int
    most: int
    limit: Limit


def holds(costs: Sequence[Cost], machine: Machine, worker_bytes: int, cameras_per_worker: int) -> Holds:
    """Return how many cameras like these the machine holds. costs: at least one. worker_bytes: of a worker without cameras."""
    memory = mean(cost.memory_bytes for cost in costs) + worker_bytes / cameras_per_worker
    bits = mean(cost.bits_per_second for cost in costs)
    spare_bytes = machine.memory_bytes * (1 - MEMORY_FREE) - MAIN_PROCESS_BYTES
    others: dict[Limit, int] = {"memory": max(0, floor(spare_bytes / max(memory, 1)))}
    if bits and machine.network_bits_per_second:
        others["network"] = floor(machine.network_bits_per_second * (1 - NETWORK_FREE) / bits)
    windows = [mean(window) for window in zip(*(cost.windows_cpu for cost in costs), strict=True)]

    def by_cpu(cost: float) -> int:
        return floor(machine.cores * (1 - CPU_FREE) / max(cost, 1e-4))

    counts: dict[Limit, int] = {"CPU": by_cpu(mean(windows)), **others}
    limit = min(counts, key=lambda name: counts[name])
    most_others = min(others.values())
    return Holds(counts[limit], min(by_cpu(max(windows)), most_others), min(by_cpu(min(windows)), most_others), limit)


def evenly(count: int, most: int) -> tuple[int, ...]:
    """Indices of at most `most` of `count`, spread evenly."""
    if count <= most:
        return tuple(range(count))
    return tuple(ceil(number * count / most) for number in range(most))
