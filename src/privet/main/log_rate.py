"""How many lines of one kind are logged a minute. Pure.

Belongs here: the count. Does not belong here: handlers and clocks (logs). A kind is what the code that logs wrote, without its
numbers: a line with another address or camera in it is of the same kind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from privet.core.clock import NS_PER_S

MINUTE_NS = 60 * NS_PER_S
MOST_KINDS = 256
KIND_CHARACTERS = 120
OTHER = "everything else"

_NUMBER = re.compile(r"0x[0-9a-fA-F]+|[0-9]+")


def kind_of(template: str) -> str:
    """A line's kind, from what it is made of before its arguments are put in."""
    return _NUMBER.sub("#", template[:4 * KIND_CHARACTERS])[:KIND_CHARACTERS].strip()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Lines that were not logged."""

    kind: str
    count: int


class LogRate:
    """A minute's lines. in_all: of all kinds together, so that many kinds are no way around the bound of each."""

    def __init__(self, in_all: int) -> None:
        self._in_all = in_all
        self._count = 0
        self._since_ns: int | None = None
        self._seen: dict[str, int] = {}
        self._left_out: dict[str, int] = {}

    def turn(self, now_ns: int) -> list[LeftOut]:
        """Begin another minute if this one is over. Returns what was left out in it."""
        if self._since_ns is not None and now_ns - self._since_ns < MINUTE_NS:
            return []
        self._since_ns = now_ns
        return self.close()

    def close(self) -> list[LeftOut]:
        """End the minute. Returns what was left out in it."""
        left_out = [LeftOut(kind, count) for kind, count in self._left_out.items()]
        self._count = 0
        self._seen.clear()
        self._left_out.clear()
        return left_out

    def take(self, kind: str, most: int) -> bool:
        """Whether a line of `kind` is logged, of which there may be `most` a minute."""
        if kind not in self._seen and len(self._seen) >= MOST_KINDS:
            kind = OTHER
        seen = self._seen.get(kind, 0)
        self._seen[kind] = seen + 1
        if seen < most and self._count < self._in_all:
            self._count += 1
            return True
        self._left_out[kind] = self._left_out.get(kind, 0) + 1
        return False
