"""What this machine lends to this process: cores, memory, network.

Belongs here: reading the kernel. Does not belong here: what it is enough for (main.bench_estimate).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Machine:
    """cores: by affinity and by quota, whichever is less. memory_bytes: not in use now. network: bits a second; 0: not known."""

    cores: float
    memory_bytes: int
    network_bits_per_second: int


def this_machine() -> Machine:
    """What may be used from here."""
    groups = list(own_groups(Path("/proc/self/cgroup"), CGROUPS))
    cores = min([float(len(os.sched_getaffinity(0))), *(quota for group in groups if (quota := cpu_quota(group)) is not None)])
    memory = min([available_bytes(Path("/proc/meminfo")), *(left for group in groups if (left := memory_left(group)) is not None)])
    return Machine(cores, memory, link_bits_per_second(Path("/sys/class/net")))


def own_groups(table: Path, root: Path) -> Iterator[Path]:
    """Directories of the control groups (version 2) that this process is in, from the innermost to the root."""
    try:
        line = next((each for each in table.read_text("ascii").splitlines() if each.startswith("0::/")), "0::/")
    except OSError:
        line = "0::/"
    inner = root / line.removeprefix("0::/")
    for group in (inner, *inner.parents):
        yield group
        if group == root:
            return


def cpu_quota(group: Path) -> float | None:
    """Cores that a control group may use; None: no limit."""
    try:
        quota, period = (group / "cpu.max").read_text("ascii").split()
        return None if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def memory_left(group: Path) -> int | None:
    """Bytes until a control group's limit; None: no limit."""
    try:
        limit = (group / "memory.max").read_text("ascii").strip()
        return None if limit == "max" else max(0, int(limit) - int((group / "memory.current").read_text("ascii")))
    except (OSError, ValueError):
        return None


def available_bytes(meminfo: Path) -> int:
    """Memory that programs may still take; 0 if the kernel does not say."""
    try:
        lines = meminfo.read_text("ascii").splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), 0)
    except (OSError, ValueError, IndexError):
        return 0


def link_bits_per_second(interfaces: Path) -> int:
    """Speed of the fastest wired link that is up; 0 if none says."""
    speeds = [0]
    for name in interfaces.iterdir() if interfaces.is_dir() else ():
        try:
            if (name / "operstate").read_text("ascii").strip() == "up" and (name / "device").exists():
                speeds.append(int((name / "speed").read_text("ascii")) * 1_000_000)
        except (OSError, ValueError):
            continue
    return max(speeds)


def cpu_ticks(pid: int) -> int:
    """User and system ticks of a process; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])
    except (OSError, ValueError, IndexError):
        return 0


def own_memory_bytes() -> int:
    """Proportional set size of this process: what it shares with others is divided among them; 0 if the kernel does not say.

    Only a process itself can ask: workers let nobody look into them (lockdown). It takes some milliseconds, the more the more is held.
    """
    try:
        lines = Path("/proc/self/smaps_rollup").read_text("ascii").splitlines()
        return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
    except (OSError, ValueError, IndexError):
        return 0


def resident_bytes(pid: int) -> int:
    """Memory that a process holds, what it shares with others included; 0 if it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
