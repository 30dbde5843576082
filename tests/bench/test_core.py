"""CPU time and memory as the kernel counts them."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from bench.throughput.core import cpu_s, family, memory_mb, pinned, two_cores

BUSY = "import time; t = time.process_time()\nwhile time.process_time() - t < {seconds}: pass"


def test_the_time_of_children_counts_while_they_live_and_after() -> None:
    inner = (
        f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {BUSY.format(seconds=0.3)!r}])\n"
        "print('done', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", inner], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert cpu_s(family(process.pid)) >= 0.3
        assert memory_mb(family(process.pid)) > 1
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    assert cpu_s(frozenset({process.pid})) == 0


def test_a_family_has_its_grandchildren() -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(60)'])"
    with subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        members = family(process.pid)
        assert len(members) == 2
        for pid in members - {process.pid}:
            os.kill(pid, 9)
        deadline = time.monotonic() + 10
        while len(family(process.pid)) > 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert family(process.pid) == {process.pid}
        process.kill()


def test_pinning_is_inherited_and_undone() -> None:
    before = os.sched_getaffinity(0)
    core = two_cores()[1]
    with pinned(core):
        ask = [sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"]
        assert subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip() == f"{{{core}}}"
    assert os.sched_getaffinity(0) == before
    with pytest.raises(ValueError, match="core 4095 is not among"), pinned(4095):
        pass
