"""check finds what a crash leaves and mends it; whole chunks are never lost; a second look finds nothing."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from mcap.stream_reader import StreamReader
from tests.record.memory_store import MemoryFile
from tests.record.streams import CAMERA, MS, NOON, Bench, Camera, Heard

from privet.cli.check import check as check_command
from privet.core.clock import NS_PER_S
from privet.core.errors import ConfigError, StoreError
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Condition, Reason
from privet.index.index import Index, index_url
from privet.record import scan
from privet.record.check import Wrong, check
from privet.record.lock import hold_data_directory
from privet.record.mend import mend, recover
from privet.record.recording import RecordingInfo, summary_path
from privet.record.store import DirectoryStore
from privet.record.stream_state import head_of
from privet.record.summary import decode_summaries


class Tells(Heard):
    """Announcements to an index, as main passes them on."""

    def __init__(self, index: Index) -> None:
        super().__init__()
        self.index = index

    def opened(self, recording: RecordingInfo) -> None:
        self.index.recording_opened(recording)

    def summarised(self, camera: CameraId, summary: pb.Summary) -> None:
        self.index.add_summary(camera, summary)

    def closed(self, recording: RecordingInfo) -> None:
        self.index.recording_closed(recording)


class Site:
    """A data directory with an index and one recording; killed: the process ended without closing it."""

    def __init__(self, directory: Path, killed: bool = False, seconds: int = 25) -> None:
        self.directory = directory
        self.store = DirectoryStore(directory)
        self.index = Index.open(index_url(directory))
        self.bench = Bench(directory, heard=Tells(self.index))
        self.played = self.bench.play(Camera(columns=16, rows=9, seed=2).busy(NOON, seconds))
        if not killed:
            self.bench.core.close()
        (row,) = self.index.recordings()
        self.relative = row.path
        self.path = directory / row.path
        self.summary_path = directory / summary_path(row.path)

    def look(self, deep: bool = True) -> list[Wrong]:
        return [finding.wrong for finding in check(self.store, self.index, deep)]

    def mend_all(self) -> list[str]:
        return [mend(self.store, self.index, finding) for finding in check(self.store, self.index)]

    def recorded(self) -> list[pb.SceneMessage]:
        with self.path.open("rb") as file:
            assert list(StreamReader(file, validate_crcs=True).records)
        with self.path.open("rb") as file:
            messages = make_reader(file, validate_crcs=True).iter_messages(log_time_order=False)
            return [pb.SceneMessage.FromString(message.data) for _, _, message in messages]

    def in_order(self) -> None:
        assert self.look() == []
        (row,) = self.index.recordings()
        assert row.path == self.relative
        assert row.size_bytes == self.path.stat().st_size
        assert row.messages == len(self.recorded())
        data = self.summary_path.read_bytes()
        assert row.summary_bytes == len(data) == decode_summaries(data)[1]


@contextmanager
def site(killed: bool = False, seconds: int = 25) -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as directory:
        made = Site(Path(directory), killed, seconds)
        try:
            yield made
        finally:
            made.index.close()


def whole_chunks(data: bytes, chunks: list[scan.ChunkRef]) -> list[pb.SceneMessage]:
    """The messages of the chunks that lie wholly in `data`."""
    file = MemoryFile(data)
    return [
        pb.SceneMessage.FromString(entry.data)
        for chunk in chunks
        if chunk.offset_bytes + chunk.length_bytes <= len(data)
        for entry in scan.entries(scan.read_chunk(file, chunk))
    ]


def test_a_clean_stop_is_in_order() -> None:
    with site() as made:
        assert made.recorded() == made.played
        made.in_order()


@pytest.mark.parametrize("killed", [True, False])
def test_cut_at_any_byte_every_whole_chunk_is_kept(killed: bool) -> None:
    """The power goes: the file ends anywhere, the row says open (killed) or closed (a disk that lied about its sync)."""
    with site(killed) as made:
        original = made.path.read_bytes()
        with closing(made.store.open(made.relative)) as file:
            chunks = list(scan.scan(file).chunks)

        @settings(max_examples=60, deadline=None, database=None)
        @given(st.integers(0, len(original)), st.binary(max_size=40), st.booleans())
        def cut(at: int, rubbish: bytes, zeros: bool) -> None:
            tail = bytes(len(rubbish)) if zeros else rubbish
            if at == len(original):
                tail = b""
            made.path.parent.mkdir(parents=True, exist_ok=True)
            made.path.write_bytes(original[:at] + tail)
            made.index.recording_forgotten(made.relative)
            info = RecordingInfo(CAMERA, made.relative, NOON, NOON + 1, len(original), 1, 1)
            made.index.recording_opened(info)
            if not killed:
                made.index.recording_closed(info)
            expected = whole_chunks(original[:at], chunks)
            made.mend_all()
            assert made.look() == []
            if expected:
                assert made.recorded()[: len(expected)] == expected
                made.in_order()
            else:
                assert not made.path.exists()
                assert not made.summary_path.exists()
                assert made.index.recordings() == ()

        cut()


def test_cut_at_every_byte_of_a_chunk_and_of_the_end() -> None:
    with site(seconds=3) as made:
        original = made.path.read_bytes()
        with closing(made.store.open(made.relative)) as file:
            chunks = list(scan.scan(file).chunks)
        end = chunks[-1].offset_bytes + chunks[-1].length_bytes
        positions = [*range(chunks[1].offset_bytes, chunks[2].offset_bytes), *range(end, len(original))]
        for at in positions:
            cut = MemoryFile(original[:at])
            assert scan.read_index(cut) is None
            found = scan.scan(cut)
            assert not found.complete
            assert list(found.chunks) == [chunk for chunk in chunks if chunk.offset_bytes + chunk.length_bytes <= at]
        for at in positions[::150]:
            made.path.write_bytes(original[:at])
            made.mend_all()
            assert made.recorded() == whole_chunks(original[:at], chunks)
            assert made.look(deep=False) == []


def test_a_damaged_chunk_costs_itself_only() -> None:
    with site() as made:
        data = bytearray(made.path.read_bytes())
        with closing(made.store.open(made.relative)) as file:
            chunks = list(scan.scan(file).chunks)
        data[chunks[5].offset_bytes + 60] ^= 0x55
        made.path.write_bytes(data)
        assert made.look(deep=False) == []  # the ends are in order
        (finding,) = check(made.store, made.index, deep=True)
        assert finding.wrong is Wrong.TORN
        assert "1 chunks lost" in mend(made.store, made.index, finding)
        kept = whole_chunks(bytes(data), chunks[:5] + chunks[6:])
        assert made.recorded() == kept
        made.in_order()


def test_loose_messages_are_kept() -> None:
    with site(killed=True) as made:
        with closing(made.store.open(made.relative)) as file:
            kept = whole_chunks(made.path.read_bytes(), list(scan.scan(file).chunks))
        loose = Camera(session=9).state(NOON + 60 * NS_PER_S)
        data = loose.SerializeToString()
        record = struct.pack("<BQHIQQ", 5, 22 + len(data), 5, 1, NOON + 60 * NS_PER_S, NOON) + data
        with made.path.open("ab") as out:
            out.write(record + b"\x06half a chunk")
        made.mend_all()
        assert made.recorded() == [*kept, loose]
        made.in_order()


def test_mended_summaries_are_those_of_the_recorder() -> None:
    with site(seconds=60) as made:
        path = made.summary_path
        written = path.read_bytes()
        for left in (None, b"", written[:-3], written + b"\x05abc", written[: len(written) // 2]):
            if left is None:
                path.unlink()
            else:
                path.write_bytes(left)
            assert made.look() == [Wrong.SUMMARY]
            made.mend_all()
            assert decode_summaries(path.read_bytes())[0] == decode_summaries(written)[0]
            made.in_order()


def test_what_a_file_repeats_at_its_head_is_not_summarised_again() -> None:
    with site(seconds=20) as made:
        bench, camera = made.bench, Camera(columns=16, rows=9, seed=3)
        bench.play(camera.busy(NOON + 100 * NS_PER_S, 10))
        bench.clock.advance(3700 * NS_PER_S)
        begin_ns = bench.clock.wall
        for n in range(100):
            bench.play([camera.cover(begin_ns + n * 200 * MS, {n})])
            if n % 5 == 0:
                bench.play([camera.state(begin_ns + n * 200 * MS)])
        bench.core.close()
        path = made.directory / summary_path(made.index.recordings()[-1].path)
        written = path.read_bytes()
        path.unlink()
        made.mend_all()
        rebuilt = decode_summaries(path.read_bytes())[0]
        assert rebuilt == decode_summaries(written)[0]
        assert len(rebuilt) == 3
        assert made.look() == []


def test_a_file_that_was_killed_with_nothing_but_what_it_repeats_is_mended_for_good() -> None:
    """It has no summary, and needs none: looked at again, it is in order."""
    with site() as made:
        made.bench.clock.advance(3700 * NS_PER_S)
        made.bench.play([Camera(columns=16, rows=9, seed=2).state(made.bench.clock.wall)])
        assert [row.to_wall_ns is None for row in made.index.recordings()] == [False, True]
        assert made.look() == [Wrong.TORN]
        made.mend_all()
        path = made.index.recordings()[-1].path
        with closing(made.store.open(path)) as file:
            kept = [entry for chunk in scan.scan(file).chunks for entry in scan.entries(scan.read_chunk(file, chunk))]
        heads = [head_of(pb.SceneMessage.FromString(entry.data)) for entry in kept]
        assert heads
        assert all(head is not None and head.wall_ns < entry.log_ns for head, entry in zip(heads, kept, strict=True))
        assert (made.directory / summary_path(path)).read_bytes() == b""
        assert made.look() == []
        (made.directory / summary_path(path)).unlink()
        assert made.look() == [Wrong.SUMMARY]
        made.mend_all()
        assert made.look() == []


def test_every_crash_point_of_the_life_of_a_recording() -> None:
    """The numbered steps of docs/ref/recordings.md: what each leaves, what check calls it, and that it mends it."""
    with site() as made:  # 1: the row is there, the file is not
        made.index.recording_opened(RecordingInfo(CAMERA, made.relative.replace("/12-", "/13-"), NOON, NOON, 0, 0, 0))
        assert made.look() == [Wrong.ROW_WITHOUT_FILE]
        made.mend_all()
        made.in_order()
    for size in (0, 5, 300):  # 2, 3: the file is there, nothing in it is whole
        with site(killed=True) as made:
            made.path.write_bytes(made.path.read_bytes()[:size])
            assert made.look() == [Wrong.EMPTY]
            made.mend_all()
            assert made.look() == []
            assert not made.path.parent.exists()
    with site(killed=True) as made:  # 4, 5: it has no end, the last summary is not there
        assert made.look() == [Wrong.TORN]
        made.mend_all()
        made.in_order()
    with site() as made:  # 7: the file is whole, the row says that it is being written
        made.index.recording_forgotten(made.relative)
        made.index.recording_opened(RecordingInfo(CAMERA, made.relative, NOON, NOON, 0, 0, 0))
        assert made.look() == [Wrong.LEFT_OPEN]
        made.mend_all()
        made.in_order()
    with site() as made:  # the index was lost
        made.index.recording_forgotten(made.relative)
        assert made.look() == [Wrong.FILE_WITHOUT_ROW]
        made.mend_all()
        made.in_order()
    with site() as made:  # removal: the file is gone, the row is not; or the summaries are left
        made.path.unlink()
        assert made.look() == [Wrong.LEFTOVER, Wrong.LEFTOVER, Wrong.ROW_WITHOUT_FILE]
        made.mend_all()
        assert made.look() == []
        assert not made.path.parent.exists()
    with site() as made:  # mending itself was interrupted
        (made.path.parent / (made.path.name + ".mend")).write_bytes(b"half")
        assert made.look() == [Wrong.LEFTOVER]
        made.mend_all()
        made.in_order()


def test_a_row_that_says_something_else_is_corrected() -> None:
    with site() as made:
        (row,) = made.index.recordings()
        wrong = RecordingInfo(CAMERA, made.relative, NOON + 5, NOON + 6, 3, row.summary_bytes, 2)
        made.index.recording_closed(wrong)
        assert made.look() == [Wrong.ROW_DIFFERS]
        made.mend_all()
        assert made.index.recordings() == (row,)


def test_a_camera_that_was_not_said_to_be_offline() -> None:
    with site() as made:
        made.index.add_state(CAMERA, NOON, Condition.AWAKE, Reason.NONE)
        assert made.look() == [Wrong.STATE]
        made.mend_all()
        state = made.index.last_state(CAMERA)
        assert state is not None
        assert (state.condition, state.reason) == (Condition.OFFLINE, Reason.WORKER)
        assert state.wall_ns == made.index.recordings()[0].to_wall_ns
        made.in_order()


def test_what_cannot_be_mended_is_said() -> None:
    with site() as made:
        made.path.write_bytes(made.path.read_bytes().replace(b"background", b"foreground"))
        findings = check(made.store, made.index, deep=True)
        assert [finding.wrong for finding in findings] == [Wrong.UNREADABLE]
        with pytest.raises(StoreError, match="not a recording of Privet"):
            mend(made.store, made.index, findings[0])


def test_files_of_somebody_else_are_left_alone() -> None:
    with site() as made:
        foreign = made.path.parent / "notes.txt"
        foreign.write_text("bought milk")
        made.in_order()
        assert foreign.read_text() == "bought milk"


def test_recover_mends_what_was_left_open_and_nothing_else() -> None:
    with site(killed=True, seconds=60) as made:
        other = made.path.parent / "13-00000000.mcap"
        other.write_bytes(b"torn, but nobody says that it was being written")
        done = recover(made.store, made.index)
        assert [finding.wrong for finding, _ in done] == [Wrong.TORN]
        assert made.index.recordings()[0].closed
        assert recover(made.store, made.index) == ()
        known = made.index.density(CAMERA, NOON, NOON + 60 * NS_PER_S, 6)
        assert None not in known
        other.unlink()
        made.in_order()


# ---- the lock and the command


def test_one_process_holds_a_data_directory(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    held = hold_data_directory(directory)
    with held:  # noqa: SIM117 - one inside the other is the point
        with pytest.raises(StoreError, match=f"another Privet .process {os.getpid()}"), hold_data_directory(directory):
            pass
    with hold_data_directory(directory):
        pass


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom privet.record.lock import hold_data_directory\n"
        "with hold_data_directory(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=f"process {process.pid}"), hold_data_directory(tmp_path):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with hold_data_directory(tmp_path):
        pass


def run(directory: Path, *options: str) -> tuple[int, str]:
    config = directory.parent / "privet.toml"
    config.write_text(f'[storage]\ndirectory = "{directory.name}"\n')
    result = CliRunner().invoke(check_command, ["--config", str(config), *options])
    return result.exit_code, result.output


def test_the_command(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    status, output = run(directory)
    assert (status, "does not exist" in output) == (2, True)
    directory.mkdir()
    made = Site(directory, killed=True)
    before = made.path.read_bytes()
    status, output = run(directory, "--dry-run")
    assert status == 1
    assert f"{made.relative}: torn" in output
    assert made.path.read_bytes() == before
    status, output = run(directory)
    assert status == 0
    assert "messages kept" in output
    assert output.endswith("1 recordings, 1 things put in order\n")
    assert run(directory, "--deep") == (0, "1 recordings, all in order\n")
    made.in_order()
    with hold_data_directory(directory):
        status, output = run(directory)
        assert status == 2
        assert "in use by another Privet" in output
    made.path.write_bytes(made.path.read_bytes().replace(b"background", b"foreground"))
    status, output = run(directory, "--deep")
    assert status == 1
    assert "not mended" in output
    assert output.endswith("1 recordings, 1 things wrong\n")
    made.index.close()


def test_a_dry_run_makes_no_index(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    bench = Bench(directory)
    bench.play(Camera(columns=16, rows=9).busy(NOON, 3))
    bench.core.close()
    status, output = run(directory, "--dry-run")
    assert status == 1
    assert "file without row" in output
    assert not (directory / "index.sqlite").exists()


def test_without_a_configuration_it_cannot_begin(tmp_path: Path) -> None:
    result = CliRunner().invoke(check_command, ["--config", str(tmp_path / "privet.toml")])
    assert isinstance(result.exception, ConfigError)  # the group makes one sentence and exit status 2 of it
