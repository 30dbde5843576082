"""Previews: small backgrounds, for viewers that look at many places: made once for each background, however many ask.

Belongs here: when one is made, and how long it is kept. Does not belong here: pixels (`render.preview`), sockets (`live`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import anyio
import anyio.to_thread

from privet.api.backgrounds.ports import LiveScenes
from privet.core.errors import WireError
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Background, ImageFormat
from privet.core.wire import from_message, to_message
from privet.render.preview import smaller

_log = logging.getLogger(__name__)

LEAST_BYTES = 16 * 1024
"""What is smaller than this is sent as it is."""

KEEP_EVERY_S = 10.0

Shrink = Callable[[Background], bytes]


@dataclass(slots=True)
class _Camera:
    lock: anyio.Lock = field(default_factory=anyio.Lock)
    of: tuple[int, int] = (0, 0)
    """Session and sequence of the background that `image` was made of."""
    image: bytes = b""


class Previews:
    """Of each camera the last that was asked for. In the event loop; pictures are made in `threads`."""

    def __init__(self, threads: anyio.CapacityLimiter, shrink: Shrink = smaller) -> None:
        self._threads = threads
        self._shrink = shrink
        self._cameras: dict[CameraId, _Camera] = {}

    async def keep(self, live: LiveScenes, cameras: Callable[[], Iterable[CameraId]], every_s: float = KEEP_EVERY_S) -> None:
        """Have those in force made, on and on: one a camera in some minutes, so that nobody who opens a wall waits for a hundred."""
        while True:
            known = tuple(cameras())
            for gone in self._cameras.keys() - set(known):
                del self._cameras[gone]
            await self.prepare(live, known)
            await anyio.sleep(every_s)

    async def prepare(self, live: LiveScenes, cameras: Iterable[CameraId]) -> None:
        """Make those in force, so that they are there when it is their turn to be sent."""
        for camera in cameras:
            background = live.view(camera).background
            if background is not None and len(background.image) >= LEAST_BYTES:
                await self._made(camera, background)

    async def message(self, data: bytes) -> bytes:
        """Return a `CameraMessage` with its background made small; any other as it is."""
        if len(data) < LEAST_BYTES:
            return data
        message = pb.CameraMessage.FromString(data)
        if message.scene.WhichOneof("kind") != "background":
            return data
        background = from_message(message.scene, None)
        assert isinstance(background, Background)
        image = await self._made(CameraId(message.camera), background)
        if image is background.image:
            return data
        small = replace(background, format=ImageFormat.WEBP, image=image)
        return pb.CameraMessage(camera=message.camera, scene=to_message(small)).SerializeToString(deterministic=True)

    async def _made(self, camera: CameraId, background: Background) -> bytes:
        known = self._cameras.setdefault(camera, _Camera())
        of = (background.head.session, background.head.sequence)
        async with known.lock:
            if known.of != of:
                try:
                    image = await anyio.to_thread.run_sync(self._shrink, background, limiter=self._threads)
                except WireError as error:
                    _log.warning("%s: a background is sent as it came: %s", camera, error)
                    return background.image
                if image is background.image:
                    return image
                known.of, known.image = of, image
            return known.image
