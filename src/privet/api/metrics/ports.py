"""The figures; they are main's."""

from __future__ import annotations

from typing import Protocol


class Metrics(Protocol):
    """The text for Prometheus."""

    def exposition(self) -> bytes:
        """Prometheus text format 0.0.4, UTF-8."""
        ...
