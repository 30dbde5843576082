"""Messages into the bytes of an MCAP file. No I/O: who writes the bytes, and again after a failure, is the recorder's affair.

MCAP's own Python writer closes chunks by size alone and does not say where they lie; this one closes them when told to. The
container is specified at https://mcap.dev/spec; what is put into it in docs/ref/recordings.md. `scan` reads it and shares no
code with this.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import zstandard
from google.protobuf import descriptor_pb2

from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.record.recording import TOPICS

MAGIC = b"\x89MCAP0\r\n"
PROFILE = ""
LIBRARY = "privet"
SCHEMA_NAME = "privet.v1.SceneMessage"
SCHEMA_ID = 1
ZSTD_LEVEL = 3

_HEADER, _FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _MESSAGE_INDEX, _CHUNK_INDEX = 1, 2, 3, 4, 5, 6, 7, 8
_STATISTICS, _SUMMARY_OFFSET, _DATA_END = 11, 14, 15

_MESSAGE_HEAD = struct.Struct("<BQHIQQ")
_CHUNK_HEAD = struct.Struct("<BQQQQI")


def schema_data() -> bytes:
    """Return the FileDescriptorSet of scene.proto: with it any MCAP reader can decode the messages."""
    files = descriptor_pb2.FileDescriptorSet()
    pb.DESCRIPTOR.CopyToProto(files.file.add())
    return files.SerializeToString(deterministic=True)


@dataclass(slots=True)
class _Waiting:
    """The chunk that is being filled."""

    records: bytearray = field(default_factory=bytearray)
    entries: dict[int, list[tuple[int, int]]] = field(default_factory=dict)


class Container:
    """One file, from its first byte to its last. Every byte string it returns must be appended to the file, in order."""

    def __init__(self, camera: CameraId) -> None:
        self._camera = camera
        self._size_bytes = 0
        self._crc = 0
        self._waiting = _Waiting()
        self._compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
        self._chunk_indexes = bytearray()
        self._chunks = 0
        self._counts: dict[int, int] = {}
        self._first_ns: int | None = None
        self._last_ns = 0

    @property
    def size_bytes(self) -> int:
        """How long the file is with all that was returned so far."""
        return self._size_bytes

    @property
    def waiting_bytes(self) -> int:
        """How much the unfinished chunk holds, uncompressed."""
        return len(self._waiting.records)

    @property
    def messages(self) -> int:
        """How many messages are in finished chunks."""
        return sum(self._counts.values())

    @property
    def first_ns(self) -> int:
        """The smallest log time in finished chunks; 0 without one."""
        return self._first_ns or 0

    @property
    def last_ns(self) -> int:
        """The greatest log time in finished chunks; 0 without one."""
        return self._last_ns

    @property
    def chunk_indexes(self) -> bytes:
        """A ChunkIndex record for every finished chunk."""
        return bytes(self._chunk_indexes)

    @property
    def chunk_index_bytes(self) -> int:
        """How long `chunk_indexes` is; they only grow."""
        return len(self._chunk_indexes)

    def opening(self) -> bytes:
        """Return the file's beginning: magic, header, schema, channels."""
        metadata = _string("camera") + _string(self._camera)
        return self._returned(
            MAGIC
            + _record(_HEADER, _string(PROFILE) + _string(LIBRARY))
            + _schema_record()
            + b"".join(_channel_record(index + 1, topic, metadata) for index, topic in enumerate(TOPICS))
        )

    def add(self, topic: str, sequence: int, log_ns: int, publish_ns: int, data: bytes) -> None:
        """Put one message into the unfinished chunk. Times before 1970 become 0: MCAP has none."""
        channel = TOPICS.index(topic) + 1
        log_ns, publish_ns = max(log_ns, 0), max(publish_ns, 0)
        records = self._waiting.records
        self._waiting.entries.setdefault(channel, []).append((log_ns, len(records)))
        records += _MESSAGE_HEAD.pack(_MESSAGE, 22 + len(data), channel, sequence & 0xFFFFFFFF, log_ns, publish_ns)
        records += data

    def finish_chunk(self) -> bytes:
        """Return the chunk with its message indexes; b'' if it is empty."""
        if not self._waiting.entries:
            return b""
        records, entries = bytes(self._waiting.records), self._waiting.entries
        self._waiting = _Waiting()
        return self._chunk(records, self._compressor.compress(records), entries)

    def closing(self) -> bytes:
        """Return the file's end: data end, summary with chunk indexes, footer, magic. Nothing can follow."""
        data_end = self._returned(_record(_DATA_END, struct.pack("<I", self._crc)))
        start = self._size_bytes
        channels = b"".join(
            _channel_record(index + 1, topic, _string("camera") + _string(self._camera)) for index, topic in enumerate(TOPICS)
        )
        groups = (
            (_SCHEMA, _schema_record()),
            (_CHANNEL, channels),
            (_STATISTICS, self._statistics_record()),
            (_CHUNK_INDEX, bytes(self._chunk_indexes)),
        )
        body, offsets = b"", b""
        for opcode, group in groups:
            if group:
                offsets += _record(_SUMMARY_OFFSET, struct.pack("<BQQ", opcode, start + len(body), len(group)))
                body += group
        summary = body + offsets
        footer = struct.pack("<BQQQ", _FOOTER, 20, start, start + len(body))
        crc = zlib.crc32(footer, zlib.crc32(summary))
        return data_end + self._returned(summary + footer + struct.pack("<I", crc) + MAGIC)

    def _chunk(self, records: bytes, compressed: bytes, entries: dict[int, list[tuple[int, int]]]) -> bytes:
        times = [log_ns for indexed in entries.values() for log_ns, _ in indexed]
        first_ns, last_ns = min(times), max(times)
        compression = _string("zstd")
        length = 8 + 8 + 8 + 4 + len(compression) + 8 + len(compressed)
        chunk = (
            _CHUNK_HEAD.pack(_CHUNK, length, first_ns, last_ns, len(records), zlib.crc32(records))
            + compression
            + struct.pack("<Q", len(compressed))
            + compressed
        )
        offset = self._size_bytes
        indexes, index_offsets = b"", b""
        for channel, indexed in sorted(entries.items()):
            index_offsets += struct.pack("<HQ", channel, offset + len(chunk) + len(indexes))
            indexes += _record(
                _MESSAGE_INDEX,
                struct.pack("<HI", channel, 16 * len(indexed)) + b"".join(struct.pack("<QQ", *entry) for entry in indexed),
            )
            self._counts[channel] = self._counts.get(channel, 0) + len(indexed)
        self._chunk_indexes += _record(
            _CHUNK_INDEX,
            struct.pack("<QQQQI", first_ns, last_ns, offset, len(chunk), len(index_offsets))
            + index_offsets
            + struct.pack("<Q", len(indexes))
            + compression
            + struct.pack("<QQ", len(compressed), len(records)),
        )
        self._chunks += 1
        self._first_ns = first_ns if self._first_ns is None else min(self._first_ns, first_ns)
        self._last_ns = max(self._last_ns, last_ns)
        return self._returned(chunk + indexes)

    def _statistics_record(self) -> bytes:
        counts = b"".join(struct.pack("<HQ", channel, count) for channel, count in sorted(self._counts.items()))
        return _record(
            _STATISTICS,
            struct.pack("<QHIIII", self.messages, 1, len(TOPICS), 0, 0, self._chunks)
            + struct.pack("<QQI", self.first_ns, self.last_ns, len(counts))
            + counts,
        )

    def _returned(self, data: bytes) -> bytes:
        self._size_bytes += len(data)
        self._crc = zlib.crc32(data, self._crc)
        return data


def _record(opcode: int, content: bytes) -> bytes:
    return struct.pack("<BQ", opcode, len(content)) + content


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def _schema_record() -> bytes:
    data = schema_data()
    content = struct.pack("<H", SCHEMA_ID) + _string(SCHEMA_NAME) + _string("protobuf") + struct.pack("<I", len(data)) + data
    return _record(_SCHEMA, content)


def _channel_record(channel: int, topic: str, metadata: bytes) -> bytes:
    content = struct.pack("<HH", channel, SCHEMA_ID) + _string(topic) + _string("protobuf")
    return _record(_CHANNEL, content + struct.pack("<I", len(metadata)) + metadata)
