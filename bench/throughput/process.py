"""The bench's own processes: ended in order, whatever ends the bench.

Belongs here: signals, and a part of the bench that runs as a process of its own. Does not belong here: Privet and the cameras (site),
CPU time (core).
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from types import FrameType

from bench.privacy.tables import Json

ENDS_WITHIN_S = 90.0        # it stops its own processes first


def end_in_order() -> None:
    """From now on SIGTERM and SIGHUP end this process as an exception does: whoever started something stops it on the way out."""

    def leave(number: int, _: FrameType | None) -> None:
        for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)     # once is enough: what follows must not be broken off
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def say_figures(module: str, figures: Callable[[], Json], *, as_json: bool, cannot: tuple[type[Exception], ...] = ()) -> int:
    """Measure and say the figures, for machines or a line each; returns the exit status: 0, or 2 after one of `cannot`, which is said."""
    end_in_order()
    try:
        found = figures()
    except cannot as error:
        print(f"{module}: {error}", file=sys.stderr)
        return 2
    if as_json:
        json.dump(found, sys.stdout, indent=2)
        print()
    else:
        for name, figure in found.items():
            print(name, figure)
    return 0


def answer_of(module: str, *arguments: str) -> Json:
    """What `python -m MODULE` says in JSON. It is ended with this process, and then ends what it has started.

    Raises:
        RuntimeError: it could not be measured; it has said why.
    """
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        said, _ = process.communicate()
    except BaseException:
        process.terminate()
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    if process.returncode:
        raise RuntimeError(f"{module} ended with status {process.returncode}")
    found: Json = json.loads(said)
    return found
