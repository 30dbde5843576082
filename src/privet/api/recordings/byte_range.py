"""The Range header (RFC 9110, section 14), pure: what part of a file was asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]{0,20})-([0-9]{0,20})[ \t]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes [first, last], both included, of a file of `size`; `whole` if none were asked for."""

    first: int
    last: int
    size: int
    whole: bool

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    @property
    def content_range(self) -> str:
        return f"bytes {self.first}-{self.last}/{self.size}"


def parse_range(header: str | None, size: int, *, applies: bool = True) -> ByteRange | None:
    """Return what to send of a file of `size` bytes; None if the range cannot be satisfied (416).

    applies: whether If-Range lets the header count. What is not one well-formed byte range (another unit, several ranges, last
    before first) is ignored, as the standard allows, and the whole file sent: several ranges are a way to ask for much with little.
    """
    whole = ByteRange(0, size - 1, size, True)
    found = _ONE_RANGE.fullmatch(header) if header is not None and applies else None
    if found is None or (not found[1] and not found[2]):
        return whole
    if not found[1]:
        suffix = int(found[2])
        return None if suffix == 0 or size == 0 else ByteRange(max(0, size - suffix), size - 1, size, False)
    first, last = int(found[1]), int(found[2]) if found[2] else size - 1
    if found[2] and last < first:
        return whole
    return None if first >= size else ByteRange(first, min(last, size - 1), size, False)
