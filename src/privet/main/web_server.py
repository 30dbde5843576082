"""The web server: uvicorn, set up, with the port in front of it.

Belongs here: uvicorn's settings and the listening socket. Does not belong here: what is accepted (connections), what is answered (api).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Literal, cast

import anyio
import uvicorn
from fastapi import FastAPI

from privet.api.guard.listen import ListenSettings
from privet.core.clock import Clock
from privet.core.errors import ConfigError
from privet.main.connections import PIECE_BYTES, Port
from privet.main.request_limits import HEAD_BYTES, TIMES, Bounds, Times

SERVER_STOPS_WITHIN_S = 5
UVICORN_TICKS = 10      # a second: by then the date in its answers is to be set anew

HttpReader = Literal["auto", "h11", "httptools"]


class WebServer(uvicorn.Server):
    """uvicorn with a port of ours in front. Leaves signals to the main process, which stops the parts in order."""

    def __init__(self, config: uvicorn.Config, bounds: Bounds, clock: Clock, times: Times = TIMES) -> None:
        super().__init__(config)
        self._bounds = bounds
        self._clock = clock
        self._times = times
        self._ports: list[Port] = []
        self._leaving = anyio.Event()

    def limit(self, bounds: Bounds) -> None:
        """Hold other bounds on connections from now on."""
        self._bounds = bounds
        for port in self._ports:
            port.limit(bounds)

    def leave(self) -> None:
        """`serve` returns as soon as what was asked for is answered."""
        self.should_exit = True
        self._leaving.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's without its accepting, which knows no bound: `sockets` are served by ports of ours."""
        await super().startup(sockets=[])
        make, tls = self._protocol, self.config.ssl
        self._ports = [Port(listening, make, tls, self._bounds, self._clock, self._times) for listening in sockets or []]

    def _protocol(self) -> asyncio.Protocol:
        make = cast(Callable[..., asyncio.Protocol], self.config.http_protocol_class)
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    async def main_loop(self) -> None:
        """uvicorn's, which looks ten times a second whether to leave: with eight cameras at rest, half of what woke the main process."""
        async with anyio.create_task_group() as accepting:
            for port in self._ports:
                accepting.start_soon(port.serve)
            ticks = 0
            while not await self.on_tick(ticks):
                with anyio.move_on_after(UVICORN_TICKS / 10):
                    await self._leaving.wait()
                ticks += UVICORN_TICKS
            accepting.cancel_scope.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_settings(app: FastAPI, listen: ListenSettings, http: HttpReader = "auto") -> uvicorn.Config:
    """How uvicorn is set up. http: what reads HTTP; by default httptools where it is installed, else h11."""
    return uvicorn.Config(
        app,
        http=http,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        h11_max_incomplete_event_size=HEAD_BYTES + PIECE_BYTES,  # the port's own bound comes first, whatever reads
        ws="websockets-sansio",
        ws_max_size=64 * 1024,  # viewers have nothing to say
        timeout_graceful_shutdown=SERVER_STOPS_WITHIN_S,
        ssl_certfile=None if listen.tls_certificate is None else str(listen.tls_certificate),
        ssl_keyfile=None if listen.tls_key is None else str(listen.tls_key),
    )


def listening_socket(listen: ListenSettings) -> socket.socket:
    """Return a socket that listens, so that an address in use is known before anything else happens."""
    try:
        found = socket.getaddrinfo(listen.host or None, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        listening = socket.create_server(address[:2], family=family, backlog=128)
        # asyncio sees to it only where the protocol is named. Without it, what follows on a kept connection waits 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        where = f"{listen.host} port {listen.port}"
        raise ConfigError(f"{where} cannot be listened on: {error.strerror}; set server.host or server.port") from error
