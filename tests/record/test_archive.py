"""The archive against a plain reference: read every message of every file, keep what the words of its docstring say."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from tests.record.memory_store import MemoryDisk, MemoryStore
from tests.record.streams import CAMERA, MS, NOON, Bench, Camera, wall_of

from privet.core.clock import NS_PER_S
from privet.core.errors import StoreError
from privet.core.pb import scene_pb2 as pb
from privet.core.wire import decode_all
from privet.record.archive import Archive, recording_files
from privet.record.recording import BLOCK_INDEX_SUFFIX, SUMMARY_SUFFIX, RecordingFile
from privet.record.store import DirectoryStore, ReadStore
from privet.record.stream_state import StreamState

PICTURES = ("background", "patch")

def reference(
    store: ReadStore, files: Sequence[RecordingFile], from_ns: int, to_ns: int, step_ns: int = 0
) -> list[pb.SceneMessage]:
    """As `Archive.scenes`, slowly, with MCAP's own reader, for closed files whose times grow."""
    known, sent = StreamState(), []
    before: StreamState | None = None
    due: dict[str, int] = {}
    for file in sorted(files, key=lambda file: file.order):
        stream = io.BytesIO(store.read(file.path))
        messages = [
            (message.log_time, pb.SceneMessage.FromString(message.data))
            for _, _, message in make_reader(stream).iter_messages(log_time_order=False)
        ]
        inside = [number for number, (log_ns, _) in enumerate(messages) if from_ns <= log_ns < to_ns]
        head = messages[: inside[0]] if inside else [m for m in messages if m[0] < from_ns]
        state = StreamState()
        for _, message in head:
            state.take(message)
        if head:
            before = state
        for log_ns, message in messages[inside[0] : inside[-1] + 1] if inside else ():
            kind = message.WhichOneof("kind")
            assert kind is not None
            if not (from_ns <= log_ns < to_ns or kind in PICTURES):
                continue
            if before is not None:
                sent += [held for held in before.messages() if known.take(held)]
                before = None
            thinned = step_ns > 0 and kind not in PICTURES
            if thinned and kind in due and due[kind] - step_ns <= log_ns < due[kind]:
                continue
            if known.take(message):
                sent.append(message)
                due[kind] = from_ns + ((log_ns - from_ns) // step_ns + 1) * step_ns if thinned else 0
    if before is not None:
        sent += [held for held in before.messages() if known.take(held)]
    return sent


def files_of(bench: Bench) -> tuple[RecordingFile, ...]:
    return tuple(RecordingFile(path, number, None) for number, path in enumerate(bench.heard.opened_paths, 1))


@dataclass(frozen=True)
class Recorded:
    store: ReadStore
    archive: Archive
    files: tuple[RecordingFile, ...]


@pytest.fixture(scope="module", params=["directory", "memory"])
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Three hours' ends: a file, one after an hour's change, one after the clock stepped back into the first.

    Once in a directory, once in a store that is none.
    """
    store: ReadStore
    if request.param == "memory":
        store = memory = MemoryStore()
        bench = Bench(Path(), disk=MemoryDisk(memory))
    else:
        bench = Bench(tmp_path_factory.mktemp("recorded"))
        store = DirectoryStore(bench.directory)
    camera = Camera(columns=16, rows=9, seed=4)
    begin_ns = NOON + 3570 * NS_PER_S
    bench.clock.advance(begin_ns - bench.clock.wall)
    bench.play(camera.busy(begin_ns, 90))
    bench.clock.step_wall(-60 * NS_PER_S)
    bench.play([camera.state(bench.clock.wall + NS_PER_S), camera.background(bench.clock.wall + NS_PER_S + 1, 50)])
    for n in range(60):
        at_ns = bench.clock.wall + 200 * MS
        bench.play([camera.cover(at_ns, {n}), camera.state(at_ns + 1)])
    camera.session, camera.sequence = 8, 0
    bench.clock.advance(20 * NS_PER_S)
    bench.play(camera.busy(bench.clock.wall, 15))
    bench.core.close()
    files = files_of(bench)
    assert len(files) == 3
    return Recorded(store, Archive(store), files)


times = st.integers(-10_000, 130_000).map(lambda ms: NOON + 3570 * NS_PER_S + ms * MS)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times, times, st.sampled_from([0, 0, 300 * MS, NS_PER_S, 7 * NS_PER_S]))
def test_it_yields_what_the_reference_does(
    recorded: Recorded, first_ns: int, second_ns: int, step_ns: int
) -> None:
    from_ns, to_ns = sorted((first_ns, second_ns + 1))
    expected = reference(recorded.store, recorded.files, from_ns, to_ns, step_ns)
    assert list(recorded.archive.scenes(recorded.files, from_ns, to_ns, step_ns)) == expected


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times, times)
def test_a_reader_finds_no_fault_with_it(recorded: Recorded, first_ns: int, second_ns: int) -> None:
    from_ns, to_ns = sorted((first_ns, second_ns + 1))
    messages = list(recorded.archive.scenes(recorded.files, from_ns, to_ns))
    assert len(list(decode_all(messages))) == len(messages)
    assert all(list(recorded.archive.scenes(recorded.files, from_ns, to_ns)).count(m) == 1 for m in messages[:20])


def test_a_span_over_two_files_sends_nothing_twice(tmp_path: Path) -> None:
    archive = Archive(DirectoryStore(tmp_path))
    bench, camera = Bench(tmp_path), Camera(columns=16, rows=9)
    played = bench.play(camera.busy(NOON, 20))
    bench.clock.advance(3650 * NS_PER_S)
    more = bench.play([camera.cover(bench.clock.wall + n * 200 * MS) for n in range(20)])
    bench.core.close()
    files = files_of(bench)
    assert len(files) == 2
    assert list(archive.scenes(files, 0, 2**62)) == played + more
    # In the second hour alone: what is in force, then the rest.
    from_ns = wall_of(more[5])
    inside = list(archive.scenes(files, from_ns, 2**62))
    state = StreamState()
    for message in played + more[:5]:
        state.take(message)
    assert inside == [*state.messages(), *more[5:]]


def test_before_everything_there_is_nothing_and_after_it_what_is_in_force(tmp_path: Path) -> None:
    archive = Archive(DirectoryStore(tmp_path))
    bench, camera = Bench(tmp_path), Camera(columns=16, rows=9)
    played = bench.play(camera.busy(NOON, 5))
    bench.core.close()
    files = files_of(bench)
    assert list(archive.scenes(files, 0, NOON)) == []
    assert list(archive.scenes((), 0, NOON)) == []
    state = StreamState()
    for message in played:
        state.take(message)
    assert list(archive.scenes(files, NOON + 100 * NS_PER_S, NOON + 101 * NS_PER_S)) == list(state.messages())


def test_the_open_file_is_read_like_a_closed_one(tmp_path: Path) -> None:
    archive = Archive(DirectoryStore(tmp_path))
    bench, camera = Bench(tmp_path), Camera(columns=16, rows=9)
    bench.play(camera.busy(NOON, 20))
    bench.clock.advance(NS_PER_S)
    bench.core.tick()
    opened = bench.core.writers[CAMERA].open_recording()
    assert opened is not None

    @dataclass(frozen=True)
    class Row:
        id: int
        path: str

    by_offsets = recording_files([Row(1, opened.info.path)], [opened])
    assert by_offsets[0].chunk_indexes
    by_scan = tuple(replace(file, chunk_indexes=None) for file in by_offsets)
    now = list(archive.scenes(by_offsets, NOON + 3 * NS_PER_S, NOON + 9 * NS_PER_S))
    assert now == list(archive.scenes(by_scan, NOON + 3 * NS_PER_S, NOON + 9 * NS_PER_S))
    bench.core.close()
    closed = tuple(replace(file, chunk_indexes=None) for file in by_offsets)
    assert now == list(archive.scenes(closed, NOON + 3 * NS_PER_S, NOON + 9 * NS_PER_S))
    assert len(now) > 30


def test_a_picture_that_came_while_the_clock_was_ahead_is_not_missed(tmp_path: Path) -> None:
    archive = Archive(DirectoryStore(tmp_path))
    bench, camera = Bench(tmp_path), Camera(columns=16, rows=9)
    bench.play(camera.busy(NOON, 2))
    ahead = camera.background(bench.clock.wall + 100 * NS_PER_S, 50)
    bench.core.take(CAMERA, ahead)  # within the ten seconds that a file lasts at least
    after = bench.play([camera.cover(bench.clock.wall + n * MS) for n in range(1, 20)])
    bench.core.close()
    files = files_of(bench)
    assert len(files) == 1
    messages = list(archive.scenes(files, NOON, NOON + 50 * NS_PER_S))
    assert messages[-len(after) :] == after
    assert messages.index(ahead) < messages.index(after[0])


def test_files_that_are_gone_or_damaged_are_left_out(tmp_path: Path) -> None:
    archive = Archive(DirectoryStore(tmp_path))
    bench, camera = Bench(tmp_path), Camera(columns=16, rows=9)
    played = bench.play(camera.busy(NOON, 20))
    bench.core.close()
    (file,) = files_of(bench)
    gone = RecordingFile("gone.mcap", 0)
    assert list(archive.scenes((gone, file), 0, 2**62)) == played
    data = bytearray((tmp_path / file.path).read_bytes())
    data[len(data) // 3] ^= 0xFF
    (tmp_path / file.path).write_bytes(data)
    left = list(Archive(DirectoryStore(tmp_path)).scenes((file,), 0, 2**62))
    assert 0 < len(left) < len(played)
    assert all(message in played for message in left)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    archive = Archive(DirectoryStore(tmp_path))
    (tmp_path / "a.mcap").mkdir()
    with pytest.raises(StoreError, match=r"a\.mcap"):
        list(archive.scenes((RecordingFile("a.mcap", 1),), 0, 1))


def test_summaries_of_a_span(tmp_path: Path) -> None:
    archive = Archive(DirectoryStore(tmp_path))
    bench, camera = Bench(tmp_path), Camera(columns=16, rows=9)
    bench.play(camera.busy(NOON, 60))
    bench.core.close()
    files = files_of(bench)
    assert archive.summaries(files, 0, 2**62) == bench.heard.summaries
    some = archive.summaries(files, NOON + 15 * NS_PER_S, NOON + 30 * NS_PER_S)
    assert [s.from_wall_ns for s in some] == [NOON + 10 * NS_PER_S, NOON + 20 * NS_PER_S]
    assert all(path.suffix in (".mcap", SUMMARY_SUFFIX, BLOCK_INDEX_SUFFIX) for path in tmp_path.rglob("12-*"))


def test_many_threads_read_at_once(recorded: Recorded) -> None:
    expected = list(recorded.archive.scenes(recorded.files, 0, 2**62))
    results: list[list[pb.SceneMessage]] = []
    threads = [threading.Thread(target=lambda: results.append(list(recorded.archive.scenes(recorded.files, 0, 2**62)))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 6


@pytest.mark.slow
def test_an_hour_in_ten_second_steps_takes_less_than_a_fifth_of_a_second(tmp_path: Path) -> None:
    bench, camera = Bench(tmp_path), Camera()
    bench.play(camera.busy(NOON, 3590))
    bench.core.close()
    files = files_of(bench)
    took_s = []
    for _ in range(3):
        start = time.perf_counter()
        messages = list(Archive(DirectoryStore(tmp_path)).scenes(files, NOON, NOON + 3600 * NS_PER_S, 10 * NS_PER_S))
        took_s.append(time.perf_counter() - start)
        assert sum(m.WhichOneof("kind") == "cover" for m in messages) == 359
    assert min(took_s) < 0.2


