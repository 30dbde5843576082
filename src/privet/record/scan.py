"""Reads recordings: the index at a file's end, or, where there is none, the file from its beginning as far as it is intact.

Belongs here: bytes to values, for the archive and for check. It shares no code with `container`, which writes. Does not belong
here: what the messages mean.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import zstandard

from privet.core.errors import WireError

_MAGIC = bytes((0x89, 0x4D, 0x43, 0x41, 0x50, 0x30, 0x0D, 0x0A))
_FOOTER, _CHANNEL, _MESSAGE, _CHUNK, _CHUNK_INDEX = 0x02, 0x04, 0x05, 0x06, 0x08
_FOOTER_BYTES = 9 + 20
_MAX_RECORD_BYTES = 256 * 1024 * 1024
_MAX_CHUNK_BYTES = 256 * 1024 * 1024

_PREFIX = struct.Struct("<BQ")
_U16 = struct.Struct("<H")
_INDEX_HEAD = struct.Struct("<QQQQI")
_CHUNK_HEAD = struct.Struct("<QQQII")
_MESSAGE_HEAD = struct.Struct("<HIQQ")

_WINDOW_BYTES = 256 * 1024

BACKGROUND, PATCH, COVER, LIGHT, STATE = (1 << channel for channel in range(5))
"""Bits of `ChunkRef.topics`: bit n is channel n + 1."""
CHANNELS = ("background", "patch", "cover", "light", "state")


class Bytes(Protocol):
    """A file that is read: `store.StoredFile` fits."""

    @property
    def size_bytes(self) -> int: ...

    def read_at(self, offset_bytes: int, length_bytes: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class ChunkRef:
    """Where a chunk lies and what it holds. last_ns is inclusive; topics: bits BACKGROUND to STATE."""

    offset_bytes: int
    length_bytes: int
    first_ns: int
    last_ns: int
    topics: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as it lies in a chunk. topic: one of the bits; sequence: modulo 2^32."""

    topic: int
    sequence: int
    log_ns: int
    publish_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Scan:
    """A file read from its beginning.

    chunks: the intact ones. loose: messages outside chunks. intact_bytes: up to where the file is in order; complete: it has a
    footer, is in order to its last byte, and its index names exactly these chunks. A file that does not begin as MCAP has 0.
    """

    chunks: tuple[ChunkRef, ...]
    loose: tuple[Entry, ...]
    messages: int
    damaged_chunks: int
    intact_bytes: int
    complete: bool


def parse_chunk_indexes(data: bytes) -> list[ChunkRef]:
    """Read ChunkIndex records, one after another; records of other kinds are skipped.

    Raises:
        WireError: they do not fit into one another.
    """
    chunks: list[ChunkRef] = []
    position = 0
    try:
        while position < len(data):
            opcode, length = _PREFIX.unpack_from(data, position)
            position += 9
            if position + length > len(data):
                raise WireError(f"chunk index: a record of {length} bytes does not fit in")
            if opcode == _CHUNK_INDEX:
                first_ns, last_ns, offset, size, map_bytes = _INDEX_HEAD.unpack_from(data, position)
                topics = 0
                start = position + _INDEX_HEAD.size
                for at in range(start, start + map_bytes, 10):
                    topics |= 1 << (_U16.unpack_from(data, at)[0] - 1)
                chunks.append(ChunkRef(offset, size, first_ns, last_ns, topics))
            position += length
    except (struct.error, ValueError) as error:
        raise WireError(f"chunk index: {error}") from error
    return chunks


def read_index(file: Bytes) -> list[ChunkRef] | None:
    """Return the chunks by the index at the end of a closed recording; None if it has no end that is in order."""
    size = file.size_bytes
    if size < 2 * len(_MAGIC) + _FOOTER_BYTES:
        return None
    end = file.read_at(size - _FOOTER_BYTES - len(_MAGIC), _FOOTER_BYTES + len(_MAGIC))
    if len(end) < _FOOTER_BYTES + len(_MAGIC):
        return None
    opcode, length = _PREFIX.unpack_from(end)
    if opcode != _FOOTER or length != 20 or not end.endswith(_MAGIC):
        return None
    summary_start, _, crc = struct.unpack_from("<QQI", end, 9)
    summary_end = size - len(end)
    if not len(_MAGIC) <= summary_start <= summary_end:
        return None
    summary = file.read_at(summary_start, summary_end - summary_start)
    if crc and zlib.crc32(end[: 9 + 16], zlib.crc32(summary)) != crc:
        return None
    try:
        chunks = parse_chunk_indexes(summary)
    except WireError:
        return None
    in_order = all(len(_MAGIC) <= chunk.offset_bytes <= summary_start - chunk.length_bytes for chunk in chunks)
    return chunks if in_order else None


def read_chunk(file: Bytes, chunk: ChunkRef) -> bytes:
    """Return a chunk's records, uncompressed.

    Raises:
        WireError: it is damaged or not where it should be.
    """
    data = file.read_at(chunk.offset_bytes, chunk.length_bytes)
    if len(data) != chunk.length_bytes or data[:1] != bytes((_CHUNK,)):
        raise WireError(f"no chunk of {chunk.length_bytes} bytes at {chunk.offset_bytes}")
    return _unpack_chunk(memoryview(data)[9:])[0]


def entries(records: bytes) -> Iterator[Entry]:
    """Read the messages of a chunk, in its order.

    Raises:
        WireError: the records do not fit into one another.
    """
    position, size = 0, len(records)
    while position < size:
        if position + 9 > size:
            raise WireError("chunk: a record's head does not fit in")
        opcode, length = _PREFIX.unpack_from(records, position)
        start = position + 9
        if start + length > size:
            raise WireError(f"chunk: a record of {length} bytes does not fit in")
        if opcode == _MESSAGE:
            yield _entry(records, start, length)
        position = start + length


def scan(file: Bytes) -> Scan:
    """Read a whole file from its beginning, checking every chunk.

    Raises:
        WireError: it is another kind of MCAP file than a recording.
    """
    size = file.size_bytes
    window = _Window(file)
    found = _Found()
    position = len(_MAGIC) if window.at(0, len(_MAGIC)) == _MAGIC else 0
    complete = False
    while position and position + 9 <= size:
        opcode, length = _PREFIX.unpack(window.at(position, 9))
        if opcode == 0 or length > _MAX_RECORD_BYTES or position + 9 + length > size:
            break
        if opcode == _FOOTER:
            complete = position + _FOOTER_BYTES + len(_MAGIC) == size and read_index(file) == found.chunks
            position = size if complete else position
            break
        if opcode in (_CHUNK, _MESSAGE, _CHANNEL):
            found.take(opcode, window.at(position + 9, length), position)
        position += 9 + length
    return Scan(
        tuple(found.chunks), tuple(found.loose), found.messages, found.damaged_chunks, position, complete and not found.damaged_chunks
    )


class _Window:
    """Reads on through a file in large steps."""

    def __init__(self, file: Bytes) -> None:
        self._file = file
        self._data = b""
        self._begin = 0

    def at(self, position: int, length: int) -> bytes:
        if position < self._begin or position + length > self._begin + len(self._data):
            self._begin, self._data = position, self._file.read_at(position, max(length, _WINDOW_BYTES))
        start = position - self._begin
        return self._data[start : start + length]


class _Found:
    """What a scan has found so far."""

    def __init__(self) -> None:
        self.chunks: list[ChunkRef] = []
        self.loose: list[Entry] = []
        self.messages = 0
        self.damaged_chunks = 0

    def take(self, opcode: int, content: bytes, position: int) -> None:
        if opcode == _CHANNEL:
            _check_channel(content)
        elif opcode == _MESSAGE:
            try:
                self.loose.append(_entry(content, 0, len(content)))
            except WireError:
                self.damaged_chunks += 1
        else:
            self._chunk(content, position)

    def _chunk(self, content: bytes, position: int) -> None:
        try:
            records, first_ns, last_ns = _unpack_chunk(memoryview(content))
            topics = count = 0
            for entry in entries(records):
                topics |= entry.topic
                count += 1
        except WireError:
            self.damaged_chunks += 1
            return
        self.messages += count
        self.chunks.append(ChunkRef(position, 9 + len(content), first_ns, last_ns, topics))


def _check_channel(content: bytes) -> None:
    try:
        channel, _, length = struct.unpack_from("<HHI", content)
        topic = content[8 : 8 + length].decode()
    except (struct.error, UnicodeDecodeError) as error:
        raise WireError(f"channel record: {error}") from error
    if not 1 <= channel <= len(CHANNELS) or topic != CHANNELS[channel - 1]:
        raise WireError(f"channel {channel} is {topic!r}: not a recording of Privet")


def _entry(records: bytes, start: int, length: int) -> Entry:
    if length < _MESSAGE_HEAD.size:
        raise WireError(f"message record of {length} bytes")
    channel, sequence, log_ns, publish_ns = _MESSAGE_HEAD.unpack_from(records, start)
    if not 1 <= channel <= len(CHANNELS):
        raise WireError(f"message of channel {channel}: there are {len(CHANNELS)}")
    return Entry(1 << (channel - 1), sequence, log_ns, publish_ns, records[start + _MESSAGE_HEAD.size : start + length])


def _unpack_chunk(content: memoryview) -> tuple[bytes, int, int]:
    """Return (records, first log time, last log time) of a Chunk record's content."""
    try:
        first_ns, last_ns, size, crc, name_bytes = _CHUNK_HEAD.unpack_from(content)
        start = _CHUNK_HEAD.size + name_bytes + 8
        compression = bytes(content[_CHUNK_HEAD.size : start - 8])
        (length,) = struct.unpack_from("<Q", content, start - 8)
    except struct.error as error:
        raise WireError(f"chunk: {error}") from error
    if size > _MAX_CHUNK_BYTES or start + length != len(content):
        raise WireError("chunk: its sizes do not fit")
    packed = content[start:]
    if compression == b"zstd":
        try:
            records = zstandard.ZstdDecompressor().decompress(packed, max_output_size=max(size, 1))
        except zstandard.ZstdError as error:
            raise WireError(f"chunk: {error}") from error
    elif compression == b"":
        records = bytes(packed)
    else:
        raise WireError(f"chunk: compressed with {compression!r}, zstd was expected")
    if len(records) != size or (crc and zlib.crc32(records) != crc):
        raise WireError("chunk: its checksum does not fit")
    return records, first_ns, last_ns
