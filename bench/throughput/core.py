"""CPU time of processes on one core, read from the kernel.

Belongs here: pinning, and what a process and its children have used. Does not belong here: what runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Whatever is started meanwhile runs on one core, and so do its threads and children.

    Raises:
        ValueError: there is no such core for this process.
    """
    before = os.sched_getaffinity(0)
    if core not in before:
        raise ValueError(f"core {core} is not among those that may be used: {sorted(before)}")
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def two_cores() -> tuple[int, int]:
    """The core that is measured and the one for everything else; the same one where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def family(pid: int) -> frozenset[int]:
    """A process and all that descend from it, now."""
    parents = dict(_parents())
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return frozenset(found)


def cpu_s(pids: frozenset[int]) -> float:
    """User and system seconds of these processes, children that they have waited for included; those that are gone count nothing."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(ticks) for ticks in fields[11:15])
    return total / TICKS_PER_SECOND


def memory_mb(pids: frozenset[int]) -> float:
    """Proportional set size of these processes, megabytes: what they share is divided among them; those that are gone count nothing.

    Raises:
        RuntimeError: this user may not ask, for Privet's workers let nobody but root look into them.
    """
    total_kb = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except PermissionError:
            raise RuntimeError("the memory of Privet's workers is shown to root alone: run this as root") from None
        except OSError:
            continue
        total_kb += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total_kb / 1000


def _parents() -> Iterator[tuple[int, int]]:
    for directory in Path("/proc").iterdir():
        if not directory.name.isdigit():
            continue
        try:
            yield int(directory.name), int((directory / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
