"""Answers that stream: what they read from is closed however it ends.

A generator that was never begun runs no `finally`, and a client may go away before the first byte: so the answer itself closes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

import anyio
import anyio.to_thread
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from privet.core.errors import StoreError

CHUNK_BYTES = 256 * 1024


class Sent(Protocol):
    """An open file that is sent: the store's `StoredFile` fits. `read_at` is called from worker threads."""

    def read_at(self, offset_bytes: int, length_bytes: int) -> bytes: ...

    def close(self) -> None: ...


class RangedFileResponse(StreamingResponse):
    """`length` bytes of an open file from `first` on. Takes the file over."""

    def __init__(
        self,
        file: Sent,
        first: int,
        length: int,
        threads: anyio.CapacityLimiter,
        *,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        self._file = file
        own_headers = {**(headers or {}), "Content-Length": str(length)}
        super().__init__(_read(file, first, length, threads), status_code, own_headers, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


async def _read(file: Sent, first: int, length: int, threads: anyio.CapacityLimiter) -> AsyncGenerator[bytes]:
    at, left = first, length
    while left > 0:
        data = await anyio.to_thread.run_sync(file.read_at, at, min(CHUNK_BYTES, left), limiter=threads)
        if not data:
            raise StoreError("a file became shorter while it was sent")
        at, left = at + len(data), left - len(data)
        yield data


class StreamResponse(StreamingResponse):
    """`first`, then whatever `rest` yields. Closes `rest`."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes], media_type: str) -> None:
        self._rest = rest
        super().__init__(_chain(first, rest), media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._rest.aclose()


async def _chain(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    if first:
        yield first
    async for data in rest:
        yield data
