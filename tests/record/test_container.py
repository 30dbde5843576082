"""Recordings are MCAP files that MCAP's own reader takes, with every checksum, and whose messages any reader can decode."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st
from mcap.reader import make_reader
from mcap.records import ChunkIndex, Statistics
from mcap.stream_reader import StreamReader
from tests.record.memory_store import MemoryFile
from tests.record.streams import CAMERA, NOON, Bench, Camera

from privet.core.errors import WireError
from privet.core.pb import scene_pb2 as pb
from privet.record import scan
from privet.record.container import Container
from privet.record.recording import TOPICS

Chunks = list[list[tuple[str, int, bytes]]]


def built(chunks: Chunks) -> bytes:
    container = Container(CAMERA)
    data = container.opening()
    for chunk in chunks:
        for number, (topic, log_ns, payload) in enumerate(chunk):
            container.add(topic, number, log_ns, log_ns + 1, payload)
        data += container.finish_chunk()
        assert container.size_bytes == len(data)
    return data + container.closing()


messages = st.tuples(st.sampled_from(TOPICS), st.integers(0, 2**63 - 1), st.binary(max_size=200))
chunked = st.lists(st.lists(messages, max_size=6), max_size=6)


@given(chunked)
def test_the_container_s_own_reader_reads_it_with_every_checksum(chunks: Chunks) -> None:
    data = built(chunks)
    reader = make_reader(io.BytesIO(data), validate_crcs=True)
    expected = [message for chunk in chunks for message in chunk]
    read = [(channel.topic, m.log_time, m.data) for _, channel, m in reader.iter_messages(log_time_order=False)]
    assert read == expected
    by_time = [m.log_time for _, _, m in make_reader(io.BytesIO(data)).iter_messages(log_time_order=True)]
    assert by_time == sorted(m[1] for m in expected)
    records = list(StreamReader(io.BytesIO(data), validate_crcs=True).records)
    statistics = next(record for record in records if isinstance(record, Statistics))
    assert statistics.message_count == len(expected)
    assert statistics.chunk_count == sum(1 for chunk in chunks if chunk)
    assert len([record for record in records if isinstance(record, ChunkIndex)]) == statistics.chunk_count
    summary = reader.get_summary()
    assert summary is not None
    assert {channel.topic for channel in summary.channels.values()} == set(TOPICS)
    if expected:
        assert statistics.message_start_time == min(m[1] for m in expected)
        assert statistics.message_end_time == max(m[1] for m in expected)


@given(chunked)
def test_the_index_and_the_scan_of_the_file_say_the_same(chunks: Chunks) -> None:
    file = MemoryFile(built(chunks))
    found = scan.scan(file)
    assert found.complete
    assert found.intact_bytes == len(file.data)
    assert list(found.chunks) == scan.read_index(file)
    read = [(scan.CHANNELS[e.topic.bit_length() - 1], e.log_ns, e.data)
            for chunk in found.chunks for e in scan.entries(scan.read_chunk(file, chunk))]
    assert read == [message for chunk in chunks for message in chunk]


@given(chunked, st.data())
def test_a_changed_byte_in_a_chunk_is_seen(chunks: Chunks, data: st.DataObject) -> None:
    file = built(chunks)
    found = scan.scan(MemoryFile(file))
    if not found.chunks:
        return
    chunk = data.draw(st.sampled_from(found.chunks))
    at = data.draw(st.integers(chunk.offset_bytes + 9 + 24, chunk.offset_bytes + chunk.length_bytes - 1))
    changed = bytearray(file)
    changed[at] ^= 1 << data.draw(st.integers(0, 7))
    damaged = MemoryFile(bytes(changed))
    # The size of the chunk lies before its checksum and is not covered by it; everything after must be. Zstandard's frame header has a
    # bit that its decoders ignore: then what is read is what was written, to the byte.
    if scan.scan(damaged).complete:
        assert list(scan.entries(scan.read_chunk(damaged, chunk))) == list(scan.entries(scan.read_chunk(MemoryFile(file), chunk)))
        return
    with pytest.raises(WireError):
        list(scan.entries(scan.read_chunk(damaged, chunk)))


def test_a_foreign_mcap_file_is_not_taken_for_a_recording() -> None:
    data = built([[("cover", 1, b"x")]]).replace(b"background", b"foreground")
    with pytest.raises(WireError, match="not a recording"):
        scan.scan(MemoryFile(data))


def test_any_reader_can_decode_the_messages_from_the_file_alone(tmp_path: Path) -> None:
    bench, camera = Bench(tmp_path), Camera()
    played = bench.play(camera.busy(NOON, 3))
    bench.core.close()
    with (tmp_path / bench.heard.opened_paths[0]).open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        read = []
        for schema, channel, message in reader.iter_messages(log_time_order=False):
            assert schema is not None
            assert (schema.encoding, channel.message_encoding, channel.metadata) == ("protobuf", "protobuf", {"camera": CAMERA})
            files = descriptor_pb2.FileDescriptorSet.FromString(schema.data)
            pool = descriptor_pool.DescriptorPool()
            for description in files.file:
                pool.Add(description)
            kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(schema.name))
            decoded = kind.FromString(message.data)
            assert decoded.WhichOneof("kind") == channel.topic
            read.append(pb.SceneMessage.FromString(decoded.SerializeToString()))
            assert message.sequence == read[-1].__getattribute__(channel.topic).head.sequence
    assert read == played
