"""The port: accepts connections, as many as there is room for, and stands in front of uvicorn's reading of HTTP.

Belongs here: sockets, and the bounds on what comes before a request is whole. Does not belong here: the numbers and rules
(request_limits), who may ask (api.guard). uvicorn reads with h11 or httptools, whichever is installed; neither bounds time, httptools
nothing at all, and asyncio's own accepting takes descriptors until there are none, then logs a traceback a turn.

A connection: accepted, counted, TLS, a head, a body, each within its time, answered, and so on; once it is a WebSocket, websockets' own
bounds hold. uvicorn's protocol object sees a transport of ours, so that becoming a WebSocket changes what is behind this one and not
what stands in front.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol, cast

import anyio
import anyio.abc

from privet.api.client import client_address
from privet.api.guard.problem import problem
from privet.api.guard.response_headers import add_security_headers
from privet.core.clock import NS_PER_S, Clock
from privet.main.request_limits import (
    BODY_TOO_SLOW,
    HEAD_TOO_SLOW,
    LIVE_BYTES_A_MINUTE,
    NO_ROOM,
    PIPELINED,
    TIMES,
    Bounds,
    Excess,
    Held,
    Measure,
    Phase,
    Times,
    given_up,
)

log = logging.getLogger(__name__)

PIECE_BYTES = 16 * 1024
ACCEPTED_AT_ONCE = 16
ACCEPT_AGAIN_S = 1.0
SAY_EVERY_S = 60


class Cycle(Protocol):
    """What uvicorn knows of a request once its head is whole."""

    response_started: bool
    response_complete: bool
    more_body: bool


class HttpProtocol(Protocol):
    """uvicorn's protocol objects for HTTP, as far as this module looks into them."""

    cycle: Cycle | None


class _Transport:
    """The transport as uvicorn sees it: writes nothing after a refusal, and tells when it is closed or handed to a WebSocket."""

    def __init__(self, real: asyncio.Transport, connection: Connection) -> None:
        self._real = real
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def write(self, data: bytes) -> None:
        if not self._connection.refused:
            self._real.write(data)

    def close(self) -> None:
        self._real.close()
        self._connection.leave()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._connection.become_live(cast(asyncio.Protocol, protocol))


class Connection(asyncio.Protocol):
    """One connection, from its acceptance to its end."""

    def __init__(self, number: int, address: str, accepted: socket.socket, inner: asyncio.Protocol, port: Port) -> None:
        self.refused = False
        self.address = address
        self.number = number
        self._accepted = accepted
        self._inner = inner
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._measure = Measure()
        self._cycle: Cycle | None = None
        self._behind = 0
        self._live = False
        self._live_bytes = 0
        self._live_since_ns = 0
        self._since_ns = port.clock.monotonic_ns()
        self._waits_for: Excess | None = None
        self._timer: asyncio.TimerHandle | None = None

    def held(self) -> Held:
        """What it is doing."""
        return Held(self._phase(), self._since_ns, self.number, self.address)

    def _phase(self) -> Phase:
        if self._transport is None or self.refused or self._transport.is_closing():
            return Phase.WAITING
        if self._live:
            return Phase.WAITING if getattr(self._inner, "close_sent", False) else Phase.BUSY
        cycle = self._current()
        if cycle is None:
            return Phase.WAITING
        if not cycle.response_complete:
            return Phase.WAITING if cycle.more_body else Phase.BUSY
        return Phase.WAITING if self._measure.head_bytes else Phase.IDLE

    def give_up(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()
            return
        with contextlib.suppress(OSError):  # in the middle of TLS: it ends as if the other side had gone
            self._accepted.shutdown(socket.SHUT_RDWR)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._inner.connection_made(cast(asyncio.Transport, _Transport(self._transport, self)))
        self._follow()

    def data_received(self, data: bytes) -> None:
        start = 0
        while start < len(data):
            if self._live:
                self._hear_viewer(data[start:])
                return
            if self.refused or self._transport is None or self._transport.is_closing():
                return
            piece = data[start : start + PIECE_BYTES]
            if self._reads_body():
                self._measure.body(len(piece))
            else:
                if self._measure.head_bytes == 0:
                    self._since_ns = self._port.clock.monotonic_ns()
                piece = piece[: self._measure.head(piece)]
            excess = self._measure.excess()
            if excess is not None:
                self._port.too_large += 1
                self._refuse(excess)
                return
            start += len(piece)
            self._inner.data_received(piece)
            self._follow()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_timer()
        self._port.release(self)
        self._inner.connection_lost(exc)

    def become_live(self, inner: asyncio.Protocol) -> None:
        """From here on it is a WebSocket."""
        self._inner = inner
        self._live = True
        if self._waits_for is not None:
            self._forget_timer()

    def leave(self) -> None:
        """It was closed: what is still to be sent has its time too."""
        self._forget_timer()
        self._timer = asyncio.get_running_loop().call_later(self._port.times.leave_s, self.give_up)

    def _hear_viewer(self, data: bytes) -> None:
        now_ns = self._port.clock.monotonic_ns()
        if now_ns - self._live_since_ns >= 60 * NS_PER_S:
            self._live_since_ns, self._live_bytes = now_ns, 0
        self._live_bytes += len(data)
        if self._live_bytes > LIVE_BYTES_A_MINUTE:
            self._port.too_large += 1
            self.give_up()
            return
        self._inner.data_received(data)

    def _current(self) -> Cycle | None:
        return cast(HttpProtocol, self._inner).cycle

    def _reads_body(self) -> bool:
        cycle = self._current()
        return cycle is not None and cycle.more_body and not cycle.response_complete

    def _follow(self) -> None:
        """Take note of what uvicorn made of it, and set the time for what is to come next."""
        if self._live or self.refused or self._transport is None or self._transport.is_closing():
            return
        cycle = self._current()
        if cycle is not self._cycle:
            unanswered = self._cycle is not None and not self._cycle.response_complete
            self._behind = self._behind + 1 if unanswered else 0
            self._cycle = cycle
            self._measure.begin()
            self._since_ns = self._port.clock.monotonic_ns()
            if self._behind > PIPELINED:
                self._port.too_large += 1
                self.give_up()
                return
        waits_for: Excess | None = None
        if self._reads_body():
            waits_for = BODY_TOO_SLOW
        elif cycle is None or self._measure.head_bytes:
            waits_for = HEAD_TOO_SLOW
        if waits_for is not self._waits_for:
            self._forget_timer()
            self._wait_for(waits_for)

    def _wait_for(self, what: Excess | None) -> None:
        self._waits_for = what
        if what is not None:
            within_s = self._port.times.body_s if what is BODY_TOO_SLOW else self._port.times.head_s
            self._timer = asyncio.get_running_loop().call_later(within_s, self._waited)

    def _waited(self) -> None:
        waited_for = self._waits_for
        self._follow()  # what was read ahead may have become a request without anything new having come
        if self._waits_for is not waited_for or waited_for is None:
            return
        cycle = self._current()
        if waited_for is HEAD_TOO_SLOW and cycle is not None and not cycle.response_complete:
            self._wait_for(waited_for)  # the next head is held back by an answer of ours
            return
        self._port.too_slow += 1
        self._refuse(waited_for)

    def _refuse(self, excess: Excess) -> None:
        """Answer what is too much, unless an answer is under way, and close."""
        assert self._transport is not None
        cycle = self._current()
        answering = cycle is not None and (cycle.more_body or not cycle.response_complete) and cycle.response_started
        self.refused = True
        if not answering:
            self._transport.write(refusal(excess))
        self._transport.close()
        self.leave()

    def _forget_timer(self) -> None:
        self._waits_for = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Port:
    """Accepts on a listening socket. make: gives uvicorn's protocol object for one connection."""

    def __init__(
        self,
        listening: socket.socket,
        make: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None,
        bounds: Bounds,
        clock: Clock,
        times: Times = TIMES,
    ) -> None:
        self.clock = clock
        self.times = times
        self.too_large = 0
        self.too_slow = 0
        self._listening = listening
        self._make = make
        self._tls = tls
        self._bounds = bounds
        self._held: dict[int, Connection] = {}
        self._of_address: Counter[str] = Counter()
        self._accepted = 0
        self._turned_away = 0
        self._said_ns: int | None = None

    async def serve(self) -> None:
        """Accept until it is cancelled."""
        self._listening.setblocking(False)
        async with anyio.create_task_group() as group:
            while True:
                await anyio.wait_readable(self._listening)
                for _ in range(ACCEPTED_AT_ONCE):
                    try:
                        accepted, address = self._listening.accept()
                    except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                        break
                    except OSError as error:
                        log.warning("no connection can be accepted: %s", error.strerror)
                        await anyio.sleep(ACCEPT_AGAIN_S)
                        break
                    self._take(group, accepted, client_address({"client": address}))

    def limit(self, bounds: Bounds) -> None:
        """Hold other bounds from now on. Idle and waiting connections that are too many are given up; none that is being answered is."""
        self._bounds = bounds
        while len(self._held) > bounds.connections:
            held = min((one.held() for one in self._held.values()), key=lambda each: (each.phase, each.since_ns))
            if held.phase is Phase.BUSY:
                return
            connection = self._held[held.number]
            self.release(connection)
            connection.give_up()

    def release(self, connection: Connection) -> None:
        """It is gone, or as good as gone."""
        if self._held.pop(connection.number, None) is not None:
            self._of_address[connection.address] -= 1
            if not self._of_address[connection.address]:
                del self._of_address[connection.address]

    def _take(self, group: anyio.abc.TaskGroup, accepted: socket.socket, address: str) -> None:
        accepted.setblocking(False)
        if self._bounds.full(len(self._held), self._of_address[address]) and not self._make_room(address):
            self._turn_away(accepted)
            return
        self._accepted += 1
        connection = Connection(self._accepted, address, accepted, self._make(), self)
        self._held[connection.number] = connection
        self._of_address[address] += 1
        group.start_soon(self._connect, accepted, connection)

    async def _connect(self, accepted: socket.socket, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        waits = {"ssl_handshake_timeout": self.times.handshake_s, "ssl_shutdown_timeout": self.times.leave_s}
        waits = {} if self._tls is None else waits
        connected = False
        try:
            with contextlib.suppress(OSError):  # TLS that failed or took too long is one, too
                await loop.connect_accepted_socket(lambda: connection, accepted, ssl=self._tls, **waits)
                connected = True
        finally:
            if not connected:
                self.release(connection)
                accepted.close()

    def _make_room(self, address: str) -> bool:
        """Give up connections for one of `address`; False if none can be."""
        numbers = given_up((one.held() for one in self._held.values()), address, self._bounds, self._of_address[address])
        for number in numbers:
            connection = self._held[number]
            self.release(connection)
            connection.give_up()
        self._turned_away += len(numbers) or 1
        self._say(address)
        return bool(numbers)

    def _turn_away(self, accepted: socket.socket) -> None:
        with contextlib.closing(accepted), contextlib.suppress(OSError):
            if self._tls is None:
                accepted.send(refusal(NO_ROOM))

    def _say(self, address: str) -> None:
        now_ns = self.clock.monotonic_ns()
        if self._said_ns is not None and now_ns - self._said_ns < SAY_EVERY_S * NS_PER_S:
            return
        log.warning(
            "all connections are taken (%d, %d of them by %s): since it was last said %d were closed or refused, "
            "and requests too large %d, too slow %d",
            len(self._held), self._of_address[address], address, self._turned_away, self.too_large, self.too_slow,
        )  # fmt: skip
        self._said_ns = now_ns
        self._turned_away = self.too_large = self.too_slow = 0


@functools.cache
def refusal(excess: Excess) -> bytes:
    """The answer, as bytes, that closes a connection before anything is read of it."""
    answer = problem(excess.status, excess.detail, headers={"Connection": "close"})
    add_security_headers(answer.headers)
    lines = [f"HTTP/1.1 {excess.status} {HTTPStatus(excess.status).phrase}".encode()]
    lines += [name + b": " + value for name, value in answer.raw_headers]
    return b"\r\n".join([*lines, b"", b""]) + bytes(answer.body)
