"""Figures that stand still."""

from __future__ import annotations


class FixedMetrics:
    """One line."""

    def exposition(self) -> bytes:
        return b"privet_up 1\n"
