"""Log lines: no more of them than are declared, whatever a camera does."""

from __future__ import annotations

from privet.core.clock import NS_PER_S, FakeClock
from privet.core.pb import pipe_pb2
from privet.worker.camera.log_limit import LINES_AT_ONCE, LINES_PER_SECOND, LogLimit
from privet.worker.send_queue import Outgoing


def test_log_lines_that_come_too_often_are_left_out_and_nothing_else_is() -> None:
    clock, said = FakeClock(), list[Outgoing]()
    limit = LogLimit(lambda message, arrived_monotonic_ns=0: said.append(message), clock)
    line = pipe_pb2.Log(level=20, code=pipe_pb2.LOG_CODE_SUB_STREAM, number=pipe_pb2.SUB_STREAM_WATCHED)
    for _ in range(LINES_AT_ONCE + 5):
        limit(line)
    assert len(said) == LINES_AT_ONCE
    limit(pipe_pb2.Promotion())
    assert len(said) == LINES_AT_ONCE + 1
    clock.advance(round(NS_PER_S / LINES_PER_SECOND))
    limit(line)
    assert len(said) == LINES_AT_ONCE + 2
