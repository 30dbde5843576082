"""What the port takes of whoever connects: how many connections, from whom, and how much of a request. Pure.

Belongs here: the numbers and the rules. Does not belong here: sockets and clocks (connections), what a request means (api).

Nobody has shown who they are before a whole request has come, so each of these bounds holds for everybody.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from privet.core.errors import ConfigError

HEAD_BYTES = 64 * 1024
HEAD_LINES = 100
BODY_BYTES = 256 * 1024
PIPELINED = 8
"""Requests that may wait behind one that is being answered."""
LIVE_BYTES_A_MINUTE = 64 * 1024
"""Of a WebSocket: viewers answer pings and have nothing else to say."""

MOST_CONNECTIONS = 768
FEWEST_CONNECTIONS = 64
MOST_DESCRIPTORS = 65536
DESCRIPTORS_RESERVED = 192
"""Index, log, the files that are read for answers, exports, and the connections of one turn that are closed and not yet gone."""
DESCRIPTORS_PER_WORKER = 8
DESCRIPTORS_PER_CAMERA = 4

_HEAD_ENDS = re.compile(rb"\n\r?\n")


@dataclass(frozen=True, slots=True)
class Times:
    """How long something may take that waits for the other side, in seconds."""

    handshake_s: float = 10.0
    head_s: float = 10.0
    body_s: float = 30.0
    leave_s: float = 5.0
    """For a connection that is closed: until what was answered is sent and, with TLS, the other side has said goodbye."""


TIMES = Times()


class Phase(IntEnum):
    """What a connection is doing, in the order in which connections are given up when there is no room."""

    IDLE = 0
    """Answered and kept open."""
    WAITING = 1
    """No whole request has come, or it is being closed."""
    BUSY = 2
    """A request is being answered, or it is a WebSocket: never given up for another one."""


@dataclass(frozen=True, slots=True)
class Held:
    """A connection, and since when it is in its phase."""

    phase: Phase
    since_ns: int
    number: int
    address: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections there may be, in all and of one address."""

    connections: int
    per_address: int

    def full(self, open_in_all: int, open_of_address: int) -> bool:
        """Whether a new connection needs another closed first."""
        return open_in_all >= self.connections or open_of_address >= self.per_address


def given_up(held: Iterable[Held], address: str, bounds: Bounds, open_of_address: int) -> list[int]:
    """The numbers of the connections that make room for one of `address`; none: it has to be refused.

    The idle ones first, then those without a whole request, the longest waiting first. An address that has all it may have makes
    room out of its own. Several at once, so that a flood is not answered by a look at every connection for each of its own.
    """
    own = open_of_address >= bounds.per_address
    of_whom = (one for one in held if one.phase < Phase.BUSY and (not own or one.address == address))
    at_once = max(1, (bounds.per_address if own else bounds.connections) // 32)
    return [one.number for one in heapq.nsmallest(at_once, of_whom, key=lambda one: (one.phase, one.since_ns, one.number))]


def connection_bounds(descriptors: int, cameras: int, workers: int) -> Bounds:
    """How many connections fit beside the cameras into the file descriptors that this process may open.

    Raises:
        ConfigError: too few are left to serve anybody.
    """
    kept = DESCRIPTORS_RESERVED + workers * DESCRIPTORS_PER_WORKER + cameras * DESCRIPTORS_PER_CAMERA
    connections = min(MOST_CONNECTIONS, descriptors - kept)
    if connections < FEWEST_CONNECTIONS:
        raise ConfigError(
            f"this process may open {descriptors} file descriptors, and {cameras} cameras with the page take "
            f"{kept + FEWEST_CONNECTIONS}: raise the limit (`ulimit -Hn`, or LimitNOFILE= of the systemd unit)"
        )
    return Bounds(connections, connections // 2)


@dataclass(frozen=True, slots=True)
class Excess:
    """A request that is too much: the answer's status and its words."""

    status: int
    detail: str


HEAD_TOO_LARGE = Excess(431, f"a request's headers may have {HEAD_BYTES} bytes and {HEAD_LINES} lines")
HEAD_TOO_SLOW = Excess(408, "a request's headers took too long to arrive")
BODY_TOO_LARGE = Excess(413, f"a request's body may have {BODY_BYTES} bytes")
BODY_TOO_SLOW = Excess(408, "a request's body took too long to arrive")
NO_ROOM = Excess(503, "too many connections are open: try again in a moment")


class Measure:
    """Counts what came of one request. Knows where a head ends, and nothing else of HTTP."""

    def __init__(self) -> None:
        self.head_bytes = 0
        self.head_lines = 0
        self.body_bytes = 0
        self._tail = b""

    def begin(self) -> None:
        """A request's head was whole: what comes is its body, or the next one's head."""
        self.head_bytes = self.head_lines = self.body_bytes = 0
        self._tail = b""

    def head(self, data: bytes) -> int:
        """Count `data` as part of a head. Returns how much of it that is: up to the empty line, or all of it."""
        found = _HEAD_ENDS.search(self._tail + data)
        taken = len(data) if found is None else found.end() - len(self._tail)
        self.head_bytes += taken
        self.head_lines += data.count(b"\n", 0, taken)
        self._tail = (self._tail + data[:taken])[-2:] if found is None else b""
        return taken

    def body(self, count: int) -> None:
        """Count bytes of a body."""
        self.body_bytes += count

    def excess(self) -> Excess | None:
        """What is too much; None while nothing is."""
        # Beside the headers a head has the request line and the empty one.
        if self.head_bytes > HEAD_BYTES or self.head_lines > HEAD_LINES + 2:
            return HEAD_TOO_LARGE
        return BODY_TOO_LARGE if self.body_bytes > BODY_BYTES else None
