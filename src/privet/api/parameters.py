"""Parameters that several resources take: spans of time, bounded so that nobody can ask for more than an answer may hold.

Belongs here: their types and the one check that a span runs forwards. Does not belong here: a resource's own limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Query
from starlette.exceptions import HTTPException

from privet.core.clock import NS_PER_MS

MAX_MS = 253_402_300_799_999
"""The last millisecond of the year 9999."""

Milliseconds = Annotated[int, Query(ge=0, le=MAX_MS, description="Milliseconds since 1970, UTC.")]
CameraName = Annotated[str, Path(alias="id", max_length=64, description="The camera's id.")]


@dataclass(frozen=True, slots=True)
class Span:
    """[from_ns, to_ns), not empty, wall time in ns UTC."""

    from_ns: int
    to_ns: int

    @property
    def duration_ns(self) -> int:
        return self.to_ns - self.from_ns

    def at_most(self, limit_ns: int) -> Span:
        """The span itself, or a refusal that says how long it may be."""
        if self.duration_ns > limit_ns:
            raise HTTPException(422, f"the span is too long: ask for at most {limit_ns // NS_PER_MS} ms at a time")
        return self


def span(from_ms: Milliseconds, to_ms: Milliseconds) -> Span:
    """Dependency: the span asked for."""
    if to_ms <= from_ms:
        raise HTTPException(422, "to_ms must be greater than from_ms")
    return Span(from_ms * NS_PER_MS, to_ms * NS_PER_MS)


TheSpan = Annotated[Span, Depends(span)]
