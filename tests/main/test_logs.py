"""Log lines: each kind has a rate, what is left out is said, and none is endless."""

from __future__ import annotations

import io
import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given
from hypothesis import strategies as st

from privet.core.clock import NS_PER_S, FakeClock
from privet.main import logs
from privet.main.log_rate import MINUTE_NS, LogRate, kind_of


@contextmanager
def logged(log_format: logs.LogFormat = "human") -> Iterator[tuple[io.StringIO, FakeClock, logging.Handler]]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in logs.NOISY}
    stream, clock = io.StringIO(), FakeClock()
    logs.configure(log_format, stream=stream, clock=clock)
    try:
        yield stream, clock, root.handlers[0]
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for name, was in levels.items():
            logging.getLogger(name).setLevel(was)


def test_a_kind_of_line_is_left_out_beyond_its_rate_and_that_is_said_once() -> None:
    with logged() as (stream, clock, _):
        for number in range(5000):
            logging.getLogger("asyncio").error("socket.accept() out of system resource fd=%d", number)
        assert len(stream.getvalue().splitlines()) == logs.OTHERS_A_MINUTE
        logging.getLogger("privet.live").warning("gate is offline")
        assert stream.getvalue().endswith("gate is offline\n")
        clock.advance(MINUTE_NS)
        logging.getLogger("privet.live").warning("gate is back")
        *_, said, last = stream.getvalue().splitlines()
        assert f"{5000 - logs.OTHERS_A_MINUTE} more lines like this one were left out: asyncio: socket.accept() out of" in said
        assert "gate is back" in last
        assert "left out" not in last


def test_numbers_in_a_ready_made_text_are_no_way_around_it() -> None:
    with logged() as (stream, _, _handler):
        for number in range(500):
            logging.getLogger("uvicorn.error").error(f"transport <_SelectorSocketTransport fd={number} at {hex(number * 4096)}>\n" * 50)
        assert len(stream.getvalue().splitlines()) == logs.OTHERS_A_MINUTE


def test_a_line_of_each_of_many_cameras_is_logged() -> None:
    with logged() as (stream, _, _handler):
        for number in range(200):
            logging.getLogger("privet.main.publisher").warning("%s is offline (%s)", f"camera{number}", "refused")
        assert len(stream.getvalue().splitlines()) == 200


def test_tracebacks_of_our_own_are_as_rare_as_a_librarys() -> None:
    with logged() as (stream, _, _handler):
        for _number in range(100):
            logging.getLogger("privet.api.guard.problem").error("a request failed", exc_info=ValueError("no"))
        assert stream.getvalue().count("a request failed") == logs.OTHERS_A_MINUTE


def test_what_was_left_out_last_is_said_at_the_end() -> None:
    with logged("json") as (stream, _, handler):
        for _number in range(logs.OTHERS_A_MINUTE + 3):
            logging.getLogger("websockets").warning("no")
        handler.close()
        last = json.loads(stream.getvalue().splitlines()[-1])
        assert last["message"] == "3 more lines like this one were left out: websockets: no"


def test_bytes_are_bounded_whatever_is_logged() -> None:
    with logged() as (stream, clock, _):
        for number in range(20_000):
            try:
                raise ValueError("x" * 100_000)
            except ValueError:
                words = "".join(chr(ord("a") + int(digit)) for digit in str(number))
                logging.getLogger("privet").error(f"{words} {'y' * 50_000}", exc_info=number % 100 == 0)
            if number % 20 == 0:
                clock.advance(NS_PER_S // 1000)
        assert len(stream.getvalue()) < logs.ALL_A_MINUTE * (logs.LINE_CHARACTERS + logs.TRACEBACK_CHARACTERS + 200)
        assert len(stream.getvalue().splitlines()) < 20_000


@given(st.integers(1, 20), st.integers(1, 5), st.lists(st.tuples(st.integers(0, MINUTE_NS), st.sampled_from("abcd")), max_size=80))
def test_no_minute_has_more_and_every_line_is_logged_or_counted(in_all: int, most: int, lines: list[tuple[int, str]]) -> None:
    rate, now_ns = LogRate(in_all), 0
    written: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    this_minute: Counter[str] = Counter()
    turned_ns = 0
    for wait_ns, kind in lines:
        now_ns += wait_ns
        for one in rate.turn(now_ns):
            left_out[one.kind] += one.count
        if now_ns - turned_ns >= MINUTE_NS:
            this_minute.clear()
            turned_ns = now_ns
        if rate.take(kind, most):
            written[kind] += 1
            this_minute[kind] += 1
            assert this_minute[kind] <= most
            assert this_minute.total() <= in_all
    for one in rate.close():
        left_out[one.kind] += one.count
    assert written + left_out == Counter(kind for _, kind in lines)


def test_a_kind_is_short_and_has_no_numbers() -> None:
    assert kind_of("camera 12 at 0xffee, 3.5 s") == "camera # at #, #.# s"
    assert len(kind_of("x" * 10_000)) == 120
