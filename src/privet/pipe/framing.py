"""Framing of the one pipe between a worker and its supervisor: 4 bytes big endian length, then one protobuf message.

Belongs here: bytes to messages and back, on both sides. Does not belong here: what a worker may say (main.inspector), when
(worker.send_queue). The supervisor takes a worker to be hostile: a frame that is too long, cut short or no message is a `WireError`, and
who gets one ends the worker.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import IO, Protocol

from google.protobuf.message import DecodeError

from privet.core.errors import WireError
from privet.core.pb import pipe_pb2
from privet.core.wire import MAX_MESSAGE_BYTES

MAX_COMMAND_BYTES = 4 * 1024 * 1024
"""The longest message a worker takes: settings of many cameras, or a bitmap."""

_LENGTH = struct.Struct(">I")


class ByteReader(Protocol):
    """The half of asyncio's StreamReader that the supervisor reads with."""

    async def readexactly(self, n: int) -> bytes:
        """Return n bytes; raises EOFError (asyncio.IncompleteReadError) with what there was, in `partial`, at the end."""
        ...


def framed(message: pipe_pb2.WorkerMessage | pipe_pb2.SupervisorMessage) -> bytes:
    """Return a message as it goes through the pipe.

    Raises:
        WireError: it is longer than MAX_MESSAGE_BYTES.
    """
    body = message.SerializeToString()
    if len(body) > MAX_MESSAGE_BYTES:
        raise WireError(f"pipe message of {len(body)} bytes: at most {MAX_MESSAGE_BYTES} are taken")
    return _LENGTH.pack(len(body)) + body


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data` to a blocking descriptor.

    Raises:
        OSError: the other side is gone.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def read_bodies(stream: IO[bytes], limit_bytes: int = MAX_MESSAGE_BYTES) -> Iterator[bytes]:
    """Yield message bodies until the stream ends between two frames.

    Raises:
        WireError: a frame is too long, or the stream ends inside one.
    """
    while header := _read_up_to(stream, _LENGTH.size):
        if len(header) < _LENGTH.size:
            raise WireError(f"the pipe ended after {len(header)} bytes of a frame's length")
        length = _checked_length(header, limit_bytes)
        body = _read_up_to(stream, length)
        if len(body) < length:
            raise WireError(f"the pipe ended after {len(body)} of a frame's {length} bytes")
        yield body


async def receive_body(stream: ByteReader) -> bytes | None:
    """Return the next message's body; None if the stream ended between two frames.

    Raises:
        WireError: the frame is too long, or the stream ends inside it.
    """
    try:
        header = await stream.readexactly(_LENGTH.size)
    except EOFError as error:
        if getattr(error, "partial", b""):
            raise WireError("the pipe ended inside a frame's length") from error
        return None
    length = _checked_length(header)
    try:
        return await stream.readexactly(length)
    except EOFError as error:
        raise WireError(f"the pipe ended inside a frame of {length} bytes") from error


def parse_worker_message(body: bytes) -> pipe_pb2.WorkerMessage:
    """Read what a worker sent.

    Raises:
        WireError: it is no `WorkerMessage`.
    """
    try:
        return pipe_pb2.WorkerMessage.FromString(body)
    except DecodeError as error:
        raise WireError(f"{len(body)} bytes are not a worker's message") from error


def parse_supervisor_message(body: bytes) -> pipe_pb2.SupervisorMessage:
    """Read what the supervisor sent.

    Raises:
        WireError: it is no `SupervisorMessage`.
    """
    try:
        return pipe_pb2.SupervisorMessage.FromString(body)
    except DecodeError as error:
        raise WireError(f"{len(body)} bytes are not a supervisor's message") from error


def _checked_length(header: bytes, limit_bytes: int = MAX_MESSAGE_BYTES) -> int:
    length = int(_LENGTH.unpack(header)[0])
    if length > limit_bytes:
        raise WireError(f"a frame of {length} bytes was announced: at most {limit_bytes} are taken")
    return length


def _read_up_to(stream: IO[bytes], size: int) -> bytes:
    parts: list[bytes] = []
    missing = size
    while missing:
        part = stream.read(min(missing, 1 << 20))
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
