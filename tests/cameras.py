"""Cameras for tests: the RTSP server of the demo as a context manager, small footage to put on it, and raw sockets that misbehave.

    with serve_cameras([Camera("/gate", clip=small_clip())]) as site:
        open_source(SourceSettings(site.url("/gate")), SystemClock())

Belongs here: what several rooms' tests need of cameras. Does not belong here: assertions, pytest.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from demo.clip import Clip, Codec, read_clip
from demo.encode import CACHE, encode_pictures, yuv_picture
from demo.server import SYSTEM_PYTHON, Authentication, RtspServer


@functools.cache
def rtsp_server_missing() -> str:
    """Why the RTSP server cannot run here; empty if it can."""
    if shutil.which(SYSTEM_PYTHON) is None:
        return f"{SYSTEM_PYTHON} is missing"
    probe = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; Gst.init(None);"
        "missing = [n for n in ('appsrc', 'rtph264pay', 'rtph265pay') if not Gst.ElementFactory.find(n)];"
        "raise SystemExit(' '.join(missing) or 0)"
    )
    result = subprocess.run([SYSTEM_PYTHON, "-c", probe], capture_output=True, text=True, check=False)
    return "" if result.returncode == 0 else f"GStreamer's RTSP server is not whole: {result.stderr.strip()[-200:]}"


def moving_picture(number: int, width_px: int = 320, height_px: int = 240) -> av.VideoFrame:
    """Picture `number` of a made-up place: a still texture, and a bright square that crosses it every 40 pictures.

    The luma of the top left 8 x 8 pixels is 40 + number % 160, so that a reader can tell which picture it sees.
    """
    rows, columns = np.mgrid[0:height_px, 0:width_px]
    luma = (96 + 24 * np.sin(columns / 9) + 16 * np.cos(rows / 7)).astype(np.uint8)
    left = (number % 40) * (width_px - 48) // 40
    luma[height_px // 2 : height_px // 2 + 48, left : left + 48] = 210
    luma[:8, :8] = 40 + number % 160
    chroma = np.full((height_px // 2, width_px // 2), 128, np.uint8)
    return yuv_picture(luma, chroma, chroma)


def picture_number(luma: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> int:
    """Which of `moving_picture`'s first 160 pictures this is, within one or so."""
    return round(float(luma[1:7, 1:7].mean())) - 40


def small_clip(
    codec: Codec = "h264",
    count: int = 60,
    fps: int = 10,
    gop_seconds: int = 1,
    size_px: tuple[int, int] = (320, 240),
    pixel_format: str = "yuv420p",
) -> Clip:
    """A clip of `moving_picture`s, encoded once and kept below .cache/."""
    key = repr((1, codec, count, fps, gop_seconds, size_px, pixel_format))
    path = CACHE / f"small-{codec}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.annexb"
    try:
        return read_clip(path)
    except FileNotFoundError:
        pictures = (moving_picture(number, *size_px).reformat(format=pixel_format) for number in range(count))
        return encode_pictures(pictures, path, Fraction(fps), codec, 400_000, gop_seconds, pixel_format)


@dataclass(frozen=True)
class Camera:
    """One stream of the RTSP server; see demo/rtsp_server.py."""

    path: str
    clip: Clip | None = None
    codec: Literal["h264", "h265", "mjpeg", "audio"] | None = None     # the clip's if left out
    start_seconds: float = 0.0
    free_running: bool = False
    username: str | None = None
    password: str | None = None
    transports: tuple[str, ...] = ("tcp", "udp")
    audio: bool = False
    stall_after_seconds: float | None = None
    end_after_seconds: float | None = None
    garbage_after_seconds: float | None = None
    damage: float = 0.0
    fps: float | None = None

    def settings(self) -> dict[str, object]:
        """As the server reads it."""
        codec = self.codec or (self.clip.codec if self.clip else "audio")
        settings: dict[str, object] = {
            "path": self.path,
            "codec": codec,
            "start_seconds": self.start_seconds,
            "free_running": self.free_running,
            "transports": list(self.transports),
            "audio": self.audio,
            "damage": self.damage,
        }
        optional = {
            "file": str(self.clip.path) if self.clip else None,
            "username": self.username,
            "password": self.password,
            "stall_after_seconds": self.stall_after_seconds,
            "end_after_seconds": self.end_after_seconds,
            "garbage_after_seconds": self.garbage_after_seconds,
            "fps": self.fps,
        }
        return settings | {key: value for key, value in optional.items() if value is not None}


CameraSite = RtspServer
"""A running RTSP server. It can be killed and started again on the same ports."""


@contextmanager
def serve_cameras(cameras: Sequence[Camera], authentication: Authentication = "digest") -> Iterator[CameraSite]:
    """A running RTSP server with these streams, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="privet-cameras-") as directory:
        site = CameraSite([camera.settings() for camera in cameras], Path(directory), authentication)
        site.start()
        try:
            yield site
        finally:
            site.stop()


Conversation = Callable[[socket.socket], None]
"""What a misbehaving camera does with one connection; it is closed when this returns."""


@contextmanager
def serve_raw(conversation: Conversation) -> Iterator[int]:
    """A TCP server on the loopback that treats every connection so; gives its port.

    Errors of the socket end a conversation, as does the end of the context: sockets have a time-out of 0.2 s.
    """
    over = threading.Event()
    threads: list[threading.Thread] = []

    def hold(connection: socket.socket) -> None:
        with connection:
            try:
                conversation(connection)
            except OSError:
                return

    def accept(listener: socket.socket) -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(0.2)
            thread = threading.Thread(target=hold, args=(connection,), daemon=True)
            thread.start()
            threads.append(thread)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        acceptor = threading.Thread(target=accept, args=(listener,), daemon=True)
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            acceptor.join()
            for thread in threads:
                thread.join(timeout=5)
