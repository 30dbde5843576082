"""When the throughput bench takes cameras for settled, and that what it starts ends with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from bench.privacy.tables import Json
from bench.throughput.process import say_figures
from bench.throughput.settling import SETTLED_FOR_S, SETTLED_LOOKS, Settling


def test_cameras_settle_once_nothing_more_is_proven_and_looks_are_rare() -> None:
    settling = Settling(2)
    assert not settling.settled(0.0, 0, 0.0)
    assert not settling.settled(0.0, 0, 100.0)          # nothing is proven: looks have not begun
    assert not settling.settled(0.5, 10, 110.0)
    assert not settling.settled(0.515, 10, 139.0)       # of two cameras, less than a hundredth each
    assert settling.settled(0.515, 11, 110.0 + SETTLED_FOR_S)
    assert not settling.settled(0.6, 11, 171.0)
    assert not settling.settled(0.6, 11, 200.0)
    settling.begin_anew()
    assert not settling.settled(0.6, 11, 310.0)
    assert settling.settled(0.6, 11, 310.0 + SETTLED_FOR_S)


def test_cameras_that_look_have_not_settled() -> None:
    settling, looks = Settling(1), 0
    for at_s in range(100):
        looks += 1
        assert not settling.settled(0.5, looks, float(at_s))
    rarely = SETTLED_LOOKS / 2
    assert any(settling.settled(0.5, looks + round(rarely * after_s), 100.0 + after_s) for after_s in range(round(3 * SETTLED_FOR_S)))


def test_what_was_started_ends_with_the_bench() -> None:
    """A part that started something is ended by SIGTERM, and its own `finally` runs; so it goes on downwards."""
    part = (
        "import sys, time\nfrom bench.throughput.process import end_in_order\nend_in_order()\n"
        "try:\n    print('begun', file=sys.stderr, flush=True)\n    time.sleep(60)\n"
        "finally:\n    print('part ended in order', file=sys.stderr, flush=True)\n"
    )
    whole = (
        "import subprocess, sys\nfrom bench.throughput import process\nprocess.end_in_order()\nstart = subprocess.Popen\n"
        f"subprocess.Popen = lambda _, **options: start([sys.executable, '-c', {part!r}], **options)\nprocess.answer_of('anything')\n"
    )
    running = subprocess.Popen([sys.executable, "-c", whole], stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert running.stderr is not None
        assert running.stderr.readline() == "begun\n"
        os.kill(running.pid, signal.SIGTERM)
        assert running.stderr.readline() == "part ended in order\n"
        assert running.wait(20) == 128 + signal.SIGTERM
    finally:
        running.kill()
        running.wait()
        if running.stderr is not None:
            running.stderr.close()


@pytest.fixture
def signals_as_before() -> Iterator[None]:
    """What a bench does to this process' signals is undone: else one that is to end pytest fails a test and is ignored from then on."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals_as_before")
def test_figures_are_said_for_people_and_for_machines_and_what_cannot_be_measured_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert say_figures("bench.some", lambda: {"a": 1.5, "b": {"c": 2}}, as_json=False) == 0
    assert capsys.readouterr().out.splitlines() == ["a 1.5", "b {'c': 2}"]
    assert say_figures("bench.some", lambda: {"a": 1.5}, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {"a": 1.5}

    def missing() -> Json:
        raise ValueError("there is no footage")

    assert say_figures("bench.some", missing, as_json=True, cannot=(ValueError,)) == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "bench.some: there is no footage\n")
