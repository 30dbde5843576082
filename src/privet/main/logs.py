"""Log lines of the main process: for people by default, one JSON object a line on request. To standard error.

What others can make happen, they can make happen a thousand times a second. So every kind of line has a rate, whoever logs it; how many
were left out is said when the minute is over, with the next line or at the end. A line is cut at LINE_CHARACTERS.

Belongs here: how a line looks and which ones are left out. Does not belong here: what is logged. Workers write no lines: their codes
become words in publisher.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal, TextIO

from privet.core.clock import Clock, SystemClock
from privet.main.log_rate import LeftOut, LogRate, kind_of

LogFormat = Literal["human", "json"]

OWN_A_MINUTE = 240
"""Of one kind of ours: one a camera, where there are many."""
OTHERS_A_MINUTE = 10
"""Of one kind of a library's, or with a traceback, which is as long as fifty lines."""
ALL_A_MINUTE = 1000
LINE_CHARACTERS = 4000
TRACEBACK_CHARACTERS = 8000

NOISY = ("uvicorn.error", "alembic", "sqlalchemy", "asyncio", "websockets")


class HumanFormatter(logging.Formatter):
    """`2026-05-01 12:00:00  warning  gate is offline (refused)`, in the machine's zone."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).astimezone()
        line = f"{when:%Y-%m-%d %H:%M:%S}  {record.levelname.lower():7}  {_one_line(_words(record))}"
        return line if record.exc_info is None else f"{line}\n{_traceback(self, record)}"


class JsonFormatter(logging.Formatter):
    """One object a line: `time` (RFC 3339, UTC), `level`, `logger`, `message`, and `exception` if there was one."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _words(record),
        }
        if record.exc_info is not None:
            entry["exception"] = _traceback(self, record)
        return json.dumps(entry, ensure_ascii=False)


class RatedHandler(logging.StreamHandler[TextIO]):
    """Writes lines to a stream, at most so many of a kind a minute."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        super().__init__(stream)
        self._clock = clock
        self._rate = LogRate(ALL_A_MINUTE)

    def emit(self, record: logging.LogRecord) -> None:
        # Called with the handler's lock held, as all that touches the rate is.
        self._say(self._rate.turn(self._clock.monotonic_ns()))
        own = record.name.partition(".")[0] == "privet" and not record.exc_info
        if self._rate.take(f"{record.name}: {kind_of(str(record.msg))}", OWN_A_MINUTE if own else OTHERS_A_MINUTE):
            super().emit(record)

    def close(self) -> None:
        """Say what was left out last. The stream stays open."""
        with self.lock or contextlib.nullcontext():
            self._say(self._rate.close())
        super().close()

    def _say(self, left_out: Iterable[LeftOut]) -> None:
        for one in left_out:
            text = f"{one.count} more lines like this one were left out: {one.kind}"
            super().emit(logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, None, None))


def configure(log_format: LogFormat, level: int = logging.INFO, stream: TextIO | None = None, clock: Clock | None = None) -> None:
    """Set up logging for this process."""
    handler = RatedHandler(stream or sys.stderr, clock or SystemClock())
    handler.setFormatter(JsonFormatter() if log_format == "json" else HumanFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _words(record: logging.LogRecord) -> str:
    return _cut(record.getMessage(), LINE_CHARACTERS)


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    assert record.exc_info is not None
    assert not isinstance(record.exc_info, bool)
    return _cut(formatter.formatException(record.exc_info), TRACEBACK_CHARACTERS)


def _cut(text: str, most: int) -> str:
    # The end says what went wrong, the beginning where.
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-most // 2 :]}"


def _one_line(text: str) -> str:
    # A camera's name or an error text must not be able to forge a line of its own.
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
