"""Framing: what goes in comes out, however it is cut; what breaks the rules is refused."""

from __future__ import annotations

import asyncio
import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.core.errors import WireError
from privet.core.pb import pipe_pb2
from privet.core.wire import MAX_MESSAGE_BYTES
from privet.pipe import framing

bodies = st.lists(st.binary(max_size=300), max_size=8)


def framed(parts: list[bytes]) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


async def receive_all(data: bytes, cut: int) -> list[bytes]:
    reader = asyncio.StreamReader()
    reader.feed_data(data[:cut])
    reader.feed_data(data[cut:])
    reader.feed_eof()
    found = []
    while (body := await framing.receive_body(reader)) is not None:
        found.append(body)
    return found


@given(bodies, st.integers(0, 3000))
def test_both_readers_return_what_was_framed(parts: list[bytes], cut: int) -> None:
    assert list(framing.read_bodies(io.BytesIO(framed(parts)))) == parts
    assert asyncio.run(receive_all(framed(parts), cut)) == parts


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=4), st.data())
def test_a_stream_that_ends_inside_a_frame_is_refused_by_both(parts: list[bytes], data: st.DataObject) -> None:
    whole = framed(parts)
    boundaries = {len(framed(parts[:count])) for count in range(len(parts) + 1)}
    end = data.draw(st.integers(1, len(whole) - 1).filter(lambda place: place not in boundaries))
    with pytest.raises(WireError):
        list(framing.read_bodies(io.BytesIO(whole[:end])))
    with pytest.raises(WireError):
        asyncio.run(receive_all(whole[:end], 0))


def test_an_announced_frame_beyond_the_bound_is_refused_before_it_is_read() -> None:
    header = (MAX_MESSAGE_BYTES + 1).to_bytes(4, "big")
    stream = io.BytesIO(header + b"x" * 10)
    with pytest.raises(WireError, match="announced"):
        list(framing.read_bodies(stream))
    assert stream.tell() == 4
    with pytest.raises(WireError, match="announced"):
        asyncio.run(receive_all(header, 0))


def test_a_message_beyond_the_bound_is_not_framed() -> None:
    message = pipe_pb2.SupervisorMessage(start=pipe_pb2.Start(settings=bytes(MAX_MESSAGE_BYTES)))
    with pytest.raises(WireError, match="at most"):
        framing.framed(message)


def test_messages_survive_a_real_pipe_longer_than_its_buffer() -> None:
    inward, outward = os.pipe()
    message = pipe_pb2.SupervisorMessage(start=pipe_pb2.Start(settings=os.urandom(40_000)))
    framing.write_all(outward, framing.framed(message))
    os.close(outward)
    with os.fdopen(inward, "rb") as stream:
        (body,) = framing.read_bodies(stream)
    assert framing.parse_supervisor_message(body) == message


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(body: bytes) -> None:
    for parse in (framing.parse_worker_message, framing.parse_supervisor_message):
        try:
            message = parse(body)
        except WireError:
            continue
        assert isinstance(message, pipe_pb2.WorkerMessage | pipe_pb2.SupervisorMessage)
