"""Log lines of the main process: for people by default, one JSON object a line on request. To standard error.

Belongs here: how a line looks. Does not belong here: what is logged. Workers write no lines: their codes become words in publisher.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal, TextIO

LogFormat = Literal["human", "json"]

NOISY = ("uvicorn.error", "alembic", "sqlalchemy", "asyncio", "websockets")


class HumanFormatter(logging.Formatter):
    """`2026-05-01 12:00:00  warning  gate is offline (refused)`, in the machine's zone."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).astimezone()
        line = f"{when:%Y-%m-%d %H:%M:%S}  {record.levelname.lower():7}  {_one_line(record.getMessage())}"
        return line if record.exc_info is None else f"{line}\n{self.formatException(record.exc_info)}"


class JsonFormatter(logging.Formatter):
    """One object a line: `time` (RFC 3339, UTC), `level`, `logger`, `message`, and `exception` if there was one."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info is not None:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def configure(log_format: LogFormat, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Set up logging for this process."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else HumanFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _one_line(text: str) -> str:
    # A camera's name or an error text must not be able to forge a line of its own.
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
