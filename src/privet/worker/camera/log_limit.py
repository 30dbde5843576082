"""A camera's log lines, no more of them than are declared: what comes too often is not said.

Belongs here: the limit. Does not belong here: the lines, and the state, which says how the camera is whatever is left out here.
"""

from __future__ import annotations

import threading

from privet.core.clock import Clock
from privet.core.pb import pipe_pb2
from privet.pipe.allowance import Allowance
from privet.worker.send_queue import Emit, Outgoing

LINES_PER_SECOND = 0.5
LINES_AT_ONCE = 20


class LogLimit:
    """An `Emit` for one life of a pipeline: everything goes on but lines that come too often. Safe from several threads."""

    def __init__(self, emit: Emit, clock: Clock) -> None:
        self._emit = emit
        self._clock = clock
        self._lock = threading.Lock()
        self._allowance = Allowance(LINES_PER_SECOND, LINES_AT_ONCE, clock.monotonic_ns())

    def __call__(self, message: Outgoing, arrived_monotonic_ns: int = 0) -> None:
        """Errors as `Emit`."""
        if isinstance(message, pipe_pb2.Log) and not self._take():
            return
        self._emit(message, arrived_monotonic_ns)

    def _take(self) -> bool:
        with self._lock:
            return self._allowance.take(self._clock.monotonic_ns())
