"""Privet's main process without workers: the real hub, API, index and web server, fed by the bench.

Belongs here: wiring it as `main.serve` does, feeding it, counting what it sends. Does not belong here: the browser.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench.wall.scenes import Camera
from privet.api.app import create_app
from privet.api.auth.cookie import cookie_name
from privet.api.auth.permission import Identity, Role
from privet.api.auth.sessions import check_token, create_token, open_session
from privet.api.cameras.register import register_of
from privet.api.guard.listen import listen_settings
from privet.config.load import load
from privet.core.clock import SystemClock
from privet.core.ids import CameraId
from privet.index.index import Index, index_url
from privet.main.announce import IndexAnnounce
from privet.main.application import application
from privet.main.publisher import Ledger
from privet.main.request_limits import MOST_CONNECTIONS, Bounds
from privet.main.web_server import WebServer, server_settings
from privet.main.wiring import Wiring
from privet.record.recorder import Recorder

FEED_EVERY_S = 0.01


@dataclass
class Counted:
    """Bytes that were sent, over all connections."""

    sent_bytes: int = 0


class Metered(socket.socket):
    """A socket that counts what is sent through it and through all that it accepts."""

    counted: Counted

    @classmethod
    def listening(cls, counted: Counted) -> Self:
        plain = socket.create_server(("127.0.0.1", 0), backlog=128)
        made = cls(plain.family, plain.type, plain.proto, fileno=plain.detach())
        made.counted = counted
        return made

    def accept(self) -> tuple[socket.socket, Any]:
        plain, address = super().accept()
        made = Metered(plain.family, plain.type, plain.proto, fileno=plain.detach())
        made.counted = self.counted
        return made, address

    def send(self, data: Any, flags: int = 0, /) -> int:
        sent = super().send(data, flags)
        self.counted.sent_bytes += sent
        return sent

    def sendmsg(self, buffers: Iterable[Any], *rest: Any) -> int:
        sent = super().sendmsg(buffers, *rest)
        self.counted.sent_bytes += sent
        return sent


@dataclass
class House:
    """A running server and what is known of it."""

    url: str
    cookie: tuple[str, str]
    counted: Counted
    index: Index
    cameras: tuple[CameraId, ...]
    fed_messages: int = 0
    latest_feed_s: float = 0.0
    made_small_s: float = 0.0
    """It has run for a while: backgrounds were made small as they came, not when somebody opens a wall."""
    parts: Wiring | None = None



def configuration(count: int, port: int) -> str:
    """privet.toml of so many cameras."""
    lines = ["[site]", 'name = "Wall"', 'controller = "Nobody"', "[server]", f"port = {port}"]
    for number in range(count):
        lines += [
            f"[cameras.c{number:03d}]", f'name = "Camera {number + 1}"', f'place = "Place {number + 1}"', 'purpose = "Measuring"',
            f'url = "rtsp://192.0.2.1/{number}"',
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


@asynccontextmanager
async def running(directory: Path, cameras: list[Camera]) -> AsyncIterator[House]:
    """A house below `directory` with these cameras, told of by `cameras`. Its clock is the machine's."""
    counted = Counted()
    listening = Metered.listening(counted)
    path = directory / "privet.toml"
    path.write_text(configuration(len(cameras), listening.getsockname()[1]), encoding="utf-8")
    loaded = load(path)
    loaded.data_directory.mkdir(exist_ok=True)
    clock = SystemClock()
    index = Index.open(index_url(loaded.data_directory))
    index.put_cameras(register_of(loaded.config))
    recorder = Recorder(loaded.data_directory, IndexAnnounce(index), clock)
    ledger = Ledger()
    try:
        parts = Wiring(loaded, clock, index, recorder, ledger)
        listen = listen_settings(loaded.config.server, loaded)
        made = application(parts, listen)
        identity = check_token(index, create_token(index, clock, "bench", Role.VIEWER))
        assert isinstance(identity, Identity)
        secret = open_session(index, clock, identity, made.authentication.session_ns)
        app = create_app(made)
        server = WebServer(server_settings(app, listen), Bounds(MOST_CONNECTIONS, MOST_CONNECTIONS), clock)
        house = House(listen.url.rstrip("/"), (cookie_name(tls=False), secret), counted, index, loaded.config.camera_ids(), parts=parts)
        for name, camera in zip(house.cameras, cameras, strict=True):
            for message in camera.begin(time.time_ns()):
                parts.hub.publish(name, message)
        begun_s = time.monotonic()
        await parts.previews.prepare(parts.hub, house.cameras)
        house.made_small_s = time.monotonic() - begun_s
        serving = asyncio.create_task(server.serve([listening]))
        feeding = asyncio.create_task(_feed(house, parts, cameras))
        try:
            yield house
        finally:
            feeding.cancel()
            server.force_exit = True
            server.leave()
            with suppress(asyncio.CancelledError):
                await feeding
            await serving
    finally:
        recorder.close()
        ledger.close()
        index.close()


async def _feed(house: House, parts: Wiring, cameras: list[Camera]) -> None:
    while True:
        now_ns = time.time_ns()
        for name, camera in zip(house.cameras, cameras, strict=True):
            for message in camera.due(now_ns):
                parts.hub.publish(name, message)
                house.fed_messages += 1
        house.latest_feed_s = max(house.latest_feed_s, (time.time_ns() - now_ns) / 1e9)
        await asyncio.sleep(FEED_EVERY_S)
