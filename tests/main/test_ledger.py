"""The thread that writes rows: nothing that the index does ends it."""

from __future__ import annotations

import logging
import threading

import pytest

from privet.core.errors import StoreError
from privet.main.publisher import Ledger

WITHIN_S = 10.0


def test_what_the_index_does_not_take_waits_is_said_once_and_is_written_in_order(caplog: pytest.LogCaptureFixture) -> None:
    full, tried, done = threading.Event(), threading.Semaphore(0), threading.Event()
    full.set()
    written: list[int] = []

    def row(number: int) -> None:
        if full.is_set():
            tried.release()
            raise StoreError("database or disk is full")
        written.append(number)
        if number == 2:
            done.set()

    ledger = Ledger(retry_after_s=0.01)
    with caplog.at_level(logging.WARNING):
        for number in range(3):
            ledger.write(lambda number=number: row(number))  # type: ignore[misc]
        for _ in range(4):
            assert tried.acquire(timeout=WITHIN_S)
        assert ledger.error == "database or disk is full"
        assert ledger.waiting == 3
        full.clear()
        assert done.wait(WITHIN_S)
        ledger.close()
    assert written == [0, 1, 2]
    assert (ledger.error, ledger.dropped) == ("", 0)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_a_row_that_is_out_of_order_is_dropped_and_the_next_are_written() -> None:
    written = threading.Event()

    def defective() -> None:
        raise ZeroDivisionError

    ledger = Ledger()
    ledger.write(defective)
    ledger.write(written.set)
    assert written.wait(WITHIN_S)
    ledger.close()
    assert ledger.dropped == 1
