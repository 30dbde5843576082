"""The base of everything the API answers with: frozen, closed, units in names, times in whole milliseconds UTC."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from privet.core.clock import NS_PER_MS


class Model(BaseModel):
    """An answer or a part of one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def to_ms(wall_ns: int) -> int:
    """Whole milliseconds, rounded down."""
    return wall_ns // NS_PER_MS


def known_ms(wall_ns: int) -> int | None:
    """As `to_ms`, with 0 standing for what is not known."""
    return to_ms(wall_ns) if wall_ns else None
