"""How many requests may wait for blocking work at once, by what they wait for. Resources that read the same store share its threads."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio


@dataclass(frozen=True, slots=True)
class Threads:
    """accounts: tokens, sessions and the record of signing. archive: recordings and the index. render: pictures."""

    accounts: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(4))
    archive: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(4))
    render: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(2))
