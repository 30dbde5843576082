"""The recorder: nothing older than a second is lost, every file stands alone, and a disk that fails stops nothing for good."""

from __future__ import annotations

import errno
import threading
from contextlib import closing
from pathlib import Path

import pytest
from mcap.reader import make_reader
from mcap.stream_reader import StreamReader
from tests.record.streams import CAMERA, MS, NOON, Bench, Camera, FlakyDisk, Heard, file_of, wall_of

from privet.core.clock import NS_PER_S, SystemClock
from privet.core.errors import StoreError
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.record import scan
from privet.record.recorder import Recorder, RecordSettings
from privet.record.recording import RecordingInfo, block_index_path, camera_of, summary_path
from privet.record.stream_state import StreamState
from privet.record.summary import decode_summaries


def read(path: Path) -> list[pb.SceneMessage]:
    """Every message that a scan of the file finds, closed or not."""
    with closing(file_of(path)) as file:
        chunks = scan.scan(file).chunks
        return [pb.SceneMessage.FromString(e.data) for chunk in chunks for e in scan.entries(scan.read_chunk(file, chunk))]


def closed_in_order(directory: Path, heard: Heard) -> list[RecordingInfo]:
    """The closed recordings, once MCAP's own reader has found every one in order and the announcement right."""
    for info in heard.closed_recordings:
        path = directory / info.path
        with path.open("rb") as file:
            assert len(list(StreamReader(file, validate_crcs=True).records)) > 0
        with path.open("rb") as file:
            summary = make_reader(file, validate_crcs=True).get_summary()
        assert summary is not None
        assert summary.statistics is not None
        assert info.messages == summary.statistics.message_count
        assert (info.from_wall_ns, info.to_wall_ns) == (
            summary.statistics.message_start_time,
            summary.statistics.message_end_time + 1,
        )
        assert info.size_bytes == path.stat().st_size
        assert info.summary_bytes == (directory / summary_path(info.path)).stat().st_size
        assert camera_of(info.path) == info.camera
    return heard.closed_recordings


def followed(messages: list[pb.SceneMessage]) -> list[pb.SceneMessage]:
    state = StreamState()
    for message in messages:
        state.take(message)
    return list(state.messages())


def test_everything_is_recorded_in_order(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    played = bench.play(Camera().busy(NOON, 60))
    bench.core.close()
    (info,) = closed_in_order(tmp_path, bench.heard)
    assert read(tmp_path / info.path) == played
    assert bench.heard.opened_paths == [info.path]


def test_the_row_is_announced_before_the_file_is_there_and_the_end_after_it_is(tmp_path: Path) -> None:
    seen: list[tuple[str, bool, bool]] = []

    class Looks(Heard):
        def opened(self, recording: RecordingInfo) -> None:
            seen.append(("opened", (tmp_path / recording.path).exists(), False))

        def closed(self, recording: RecordingInfo) -> None:
            with closing(file_of(tmp_path / recording.path)) as file:
                seen.append(("closed", True, scan.scan(file).complete))

    bench = Bench(tmp_path, heard=Looks())
    bench.play(Camera().busy(NOON, 2))
    bench.core.close()
    assert seen == [("opened", False, False), ("closed", True, True)]


def test_a_kill_at_any_moment_loses_less_than_a_second_of_covers(tmp_path: Path) -> None:
    """What waits in a lane, and before that twice for as long as the recorder gathers."""
    bench, gathers_ns = Bench(tmp_path), RecordSettings().gather_ns
    worst_ns = 0
    played: list[pb.SceneMessage] = []
    for message in Camera().busy(NOON, 6):
        while bench.clock.wall < wall_of(message):
            # What a kill would leave is what is on the disk now.
            kept = read(tmp_path / bench.heard.opened_paths[0])
            lost = [m for m in played[len(kept) :] if m.WhichOneof("kind") != "state"]
            if lost:
                worst_ns = max(worst_ns, bench.clock.wall - wall_of(lost[0]))
            bench.clock.advance(gathers_ns)
            bench.core.tick()
        played += bench.play([message])
    assert 500 * MS < worst_ns < NS_PER_S - 2 * gathers_ns


def test_heartbeats_alone_are_written_every_ten_seconds_and_a_change_at_once(tmp_path: Path) -> None:
    bench, camera = Bench(tmp_path), Camera()
    bench.play([camera.state(NOON), camera.background(NOON)])
    chunks = []
    for second in range(1, 61):
        bench.play([camera.state(NOON + second * NS_PER_S, pb.CONDITION_AWAKE if second < 31 else pb.CONDITION_ASLEEP)])
        chunks.append(bench.core.writers[CAMERA].counters.chunks)
    assert chunks[29] - chunks[1] <= 3
    assert chunks[31] == chunks[29] + 1
    assert chunks[-1] - chunks[31] <= 3


def test_every_file_stands_alone(tmp_path: Path) -> None:
    bench, camera = Bench(tmp_path, ), Camera(seed=3)
    played = bench.play(camera.busy(NOON, 30))
    later_ns = NOON + 3600 * NS_PER_S + 40 * NS_PER_S
    bench.clock.advance(later_ns - bench.clock.wall)
    before = followed(played)
    assert sum(m.WhichOneof("kind") == "patch" for m in before) > 0
    rest = bench.play([camera.cover(later_ns + n * 200 * MS) for n in range(10)])
    bench.core.close()
    first, second = closed_in_order(tmp_path, bench.heard)
    assert read(tmp_path / first.path) == played
    assert read(tmp_path / second.path) == before + rest
    assert second.from_wall_ns == later_ns  # what is repeated counts from when the file begins


def test_an_hour_after_the_last_message_the_file_is_closed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.play(Camera().busy(NOON, 2))
    assert bench.heard.closed_recordings == []
    bench.clock.advance(3700 * NS_PER_S)
    bench.core.tick()
    assert len(closed_in_order(tmp_path, bench.heard)) == 1


@pytest.mark.parametrize("step_s", [-3600, -5, 4000, 86400])
def test_a_clock_step_begins_a_new_file_and_overwrites_nothing(tmp_path: Path, step_s: int) -> None:
    bench, camera = Bench(tmp_path), Camera()
    played = bench.play(camera.busy(NOON, 20))
    bench.clock.step_wall(step_s * NS_PER_S)
    now_ns = bench.clock.wall
    more = bench.play([camera.state(now_ns), *(camera.cover(now_ns + n * 200 * MS) for n in range(1, 50))])
    bench.core.close()
    first, second = closed_in_order(tmp_path, bench.heard)
    assert read(tmp_path / first.path) == played
    assert read(tmp_path / second.path)[-len(more) :] == more


def test_the_same_hour_twice_makes_two_files(tmp_path: Path) -> None:
    paths: list[str] = []
    for session in (1, 2):
        bench = Bench(tmp_path)
        bench.play(Camera(session=session).busy(NOON, 2))
        bench.core.close()
        paths += bench.heard.opened_paths
    assert len(set(paths)) == 2
    assert {path.rpartition("-")[0] for path in paths} == {"recordings/front/2024/05/01/12"}
    assert all((tmp_path / path).stat().st_size > 0 for path in paths)


def test_two_sessions_share_a_file(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    played = bench.play(Camera(session=1).busy(NOON, 5)) + bench.play(Camera(session=2).busy(NOON + 6 * NS_PER_S, 5))
    bench.core.close()
    (info,) = closed_in_order(tmp_path, bench.heard)
    assert read(tmp_path / info.path) == played


def test_a_full_disk_drops_covers_counts_them_and_goes_on_by_itself(tmp_path: Path) -> None:
    disk = FlakyDisk()
    bench, camera = Bench(tmp_path, disk=disk), Camera()
    played = bench.play(camera.busy(NOON, 10))
    disk.capacity_bytes = disk.used_bytes + 100
    background = camera.background(bench.clock.wall + 200 * MS)
    patch = camera.patch(bench.clock.wall + 250 * MS)
    full = bench.play([background, patch, *(camera.cover(bench.clock.wall + (n + 2) * 200 * MS) for n in range(100))])
    recorder_lane = bench.core.writers[CAMERA]
    assert recorder_lane.error == "the disk is full"
    assert recorder_lane.failing_since_wall_ns > 0
    assert recorder_lane.counters.covers_dropped > 90
    # The file never shows half a chunk as whole, and nothing that was written is gone.
    on_disk = read(tmp_path / bench.heard.opened_paths[0])
    assert on_disk == played[: len(on_disk)]

    disk.capacity_bytes = None
    after = bench.play([camera.cover(bench.clock.wall + n * 200 * MS) for n in range(1, 30)])
    assert recorder_lane.error == ""
    assert recorder_lane.failing_since_wall_ns == 0
    bench.core.close()
    (info,) = closed_in_order(tmp_path, bench.heard)
    recorded = read(tmp_path / info.path)
    dropped = recorder_lane.counters.covers_dropped + recorder_lane.counters.others_dropped
    everything = [*played, *full, *after]
    missing = [message for message in everything if message not in recorded]
    assert {message.WhichOneof("kind") for message in missing} == {"cover"}
    assert len(missing) <= dropped
    assert background in recorded
    assert patch in recorded
    assert followed(recorded) == followed(everything)


def test_a_background_that_comes_while_the_disk_is_full_is_there_when_it_is_not(tmp_path: Path) -> None:
    disk = FlakyDisk()
    bench, camera = Bench(tmp_path, disk=disk), Camera()
    played = bench.play(camera.busy(NOON, 3))
    disk.capacity_bytes = 0
    bench.play([camera.cover(bench.clock.wall + n * 200 * MS) for n in range(1, 10)])  # now the writer knows
    assert bench.core.writers[CAMERA].error
    lost = bench.play([camera.background(bench.clock.wall + 100 * MS), camera.patch(bench.clock.wall + 200 * MS)])
    disk.capacity_bytes = None
    after = bench.play([camera.cover(bench.clock.wall + n * 500 * MS) for n in range(1, 20)])
    bench.core.close()
    (info,) = closed_in_order(tmp_path, bench.heard)
    recorded = read(tmp_path / info.path)
    assert all(message in recorded for message in lost)
    assert followed(recorded) == followed([*played, *lost, *after])


def test_a_disk_that_is_full_from_the_start(tmp_path: Path) -> None:
    disk = FlakyDisk(capacity_bytes=0)
    bench, camera = Bench(tmp_path, disk=disk), Camera()
    played = bench.play(camera.busy(NOON, 5))
    assert bench.core.writers[CAMERA].error == "the disk is full"
    assert len(bench.heard.opened_paths) == 1  # it does not announce a file a second
    disk.capacity_bytes = None
    after = bench.play([camera.cover(bench.clock.wall + n * 500 * MS) for n in range(1, 10)])
    bench.core.close()
    (info,) = closed_in_order(tmp_path, bench.heard)
    recorded = read(tmp_path / info.path)
    assert followed(recorded) == followed([*played, *after])
    assert [info.path] == bench.heard.opened_paths


def test_a_file_that_cannot_be_written_for_another_reason_is_given_up_for_a_new_one(tmp_path: Path) -> None:
    disk = FlakyDisk(error_number=errno.EIO)
    bench, camera = Bench(tmp_path, disk=disk), Camera()
    bench.play(camera.busy(NOON, 3))
    disk.capacity_bytes = disk.used_bytes
    bench.play([camera.cover(bench.clock.wall + n * 500 * MS) for n in range(1, 20)])
    disk.capacity_bytes = None
    after = bench.play([camera.cover(bench.clock.wall + n * 500 * MS) for n in range(1, 10)])
    bench.core.close()
    assert len(bench.heard.opened_paths) == 2
    (info,) = closed_in_order(tmp_path, bench.heard)
    assert info.path == bench.heard.opened_paths[1]
    assert read(tmp_path / info.path)[-3:] == after[-3:]


def test_what_the_index_does_not_take_is_told_again_in_order(tmp_path: Path) -> None:
    class Refuses(Heard):
        refusing = True
        asked = 0

        def opened(self, recording: RecordingInfo) -> None:
            self.asked += 1
            if self.refusing:
                raise StoreError("the index is locked")
            super().opened(recording)

        def summarised(self, camera: CameraId, summary: pb.Summary) -> None:
            assert self.opened_paths
            super().summarised(camera, summary)

    heard = Refuses()
    bench = Bench(tmp_path, heard=heard)
    bench.play(Camera().busy(NOON, 35))
    assert heard.opened_paths == []
    assert bench.core.announcements_waiting() > 1
    assert bench.core.announcement_error() == "the index is locked"
    asked = heard.asked
    bench.core.tick()
    assert heard.asked == asked, "not at once"
    heard.refusing = False
    bench.clock.advance(NS_PER_S)
    bench.core.tick()
    assert len(heard.opened_paths) == 1
    assert len(heard.summaries) == 3
    bench.core.close()
    assert len(closed_in_order(tmp_path, heard)) == 1


def test_an_announcement_that_is_out_of_order_does_not_end_the_recorder(tmp_path: Path) -> None:
    class Defective(Heard):
        def opened(self, recording: RecordingInfo) -> None:
            raise ZeroDivisionError

    heard = Defective()
    bench = Bench(tmp_path, heard=heard)
    bench.play(Camera().busy(NOON, 35))
    bench.core.close()
    assert bench.core.writers_crashed == 0
    assert bench.core.announcements_waiting() == 0
    assert len(heard.summaries) > 2
    assert len(closed_in_order(tmp_path, heard)) == 1


def test_the_open_file_is_described_as_far_as_it_is_written(tmp_path: Path) -> None:
    disk = FlakyDisk()
    bench, camera = Bench(tmp_path, disk=disk), Camera()
    bench.play(camera.busy(NOON, 10))
    disk.capacity_bytes = disk.used_bytes
    bench.play([camera.cover(bench.clock.wall + n * 200 * MS) for n in range(20)])
    recording = bench.core.writers[CAMERA].open_recording()
    assert recording is not None
    with closing(file_of(tmp_path / recording.info.path)) as file:
        assert list(scan.scan(file).chunks) == scan.parse_chunk_indexes(recording.chunk_indexes)
    bench.core.close()


def test_summaries_are_written_beside_and_announced(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.play(Camera().busy(NOON, 60))
    bench.core.close()
    (info,) = closed_in_order(tmp_path, bench.heard)
    data = (tmp_path / summary_path(info.path)).read_bytes()
    summaries, intact = decode_summaries(data)
    assert intact == len(data)
    assert summaries == bench.heard.summaries
    assert [s.from_wall_ns for s in summaries] == [NOON + n * 10 * NS_PER_S for n in range(6)]
    assert all(s.covered for s in summaries)


# ---- with the thread


def test_a_hanging_disk_blocks_nobody_and_drops_covers_only(tmp_path: Path) -> None:
    hanging, let_go = threading.Event(), threading.Event()

    def before_append() -> None:
        hanging.set()
        let_go.wait(30)

    disk = FlakyDisk(before_append=before_append)
    heard = Heard()
    settings = RecordSettings(queue_messages=100)
    recorder = Recorder(tmp_path, heard, SystemClock(), settings, disk)
    camera = Camera()
    recorder.put(CAMERA, camera.state(NOON))
    assert hanging.wait(10)
    pictures = []
    for n in range(1000):
        recorder.put(CAMERA, camera.cover(NOON + n * MS))
        if n % 100 == 0:
            pictures.append(camera.background(NOON + n * MS))
            recorder.put(CAMERA, pictures[-1])
    statistics = recorder.statistics()
    assert statistics.covers_dropped >= 900
    assert statistics.others_dropped == 0
    assert statistics.queued_messages <= 125
    let_go.set()
    recorder.close()
    (info,) = closed_in_order(tmp_path, heard)
    recorded = read(tmp_path / info.path)
    assert [m for m in recorded if m.WhichOneof("kind") == "background"] == pictures
    assert recorder.statistics().open_recordings == 0


def test_a_flood_of_backgrounds_stays_bounded_and_the_newest_survives(tmp_path: Path) -> None:
    hanging, let_go = threading.Event(), threading.Event()

    def before_append() -> None:
        hanging.set()
        let_go.wait(30)

    heard = Heard()
    disk = FlakyDisk(before_append=before_append)
    recorder = Recorder(tmp_path, heard, SystemClock(), RecordSettings(queue_bytes=1_000_000), disk)
    camera = Camera()
    recorder.put(CAMERA, camera.state(NOON))
    assert hanging.wait(10)
    newest = [camera.background(NOON + n * MS, image_bytes=100_000) for n in range(50)]
    for message in newest:
        recorder.put(CAMERA, message)
    statistics = recorder.statistics()
    assert statistics.queued_bytes < 1_500_000
    assert statistics.backgrounds_superseded > 30
    let_go.set()
    recorder.close()
    (info,) = closed_in_order(tmp_path, heard)
    assert read(tmp_path / info.path)[-1] == newest[-1]


def test_several_cameras_through_the_thread(tmp_path: Path) -> None:
    heard = Heard()
    recorder = Recorder(tmp_path, heard, SystemClock())
    played = {CameraId(f"camera-{n}"): list(Camera(seed=n, session=n + 1).busy(NOON, 4)) for n in range(5)}

    def put(camera: CameraId) -> None:
        for message in played[camera]:
            recorder.put(camera, message)

    threads = [threading.Thread(target=put, args=(camera,)) for camera in played]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    recorder.put(CAMERA, Camera().state(NOON))  # too late: ignored
    infos = closed_in_order(tmp_path, heard)
    assert {info.camera: read(tmp_path / info.path) for info in infos} == played
    statistics = recorder.statistics()
    assert statistics.queued_messages == statistics.covers_dropped == statistics.writers_crashed == 0
    assert {camera.camera for camera in statistics.cameras} == set(played)
    block_index_bytes = sum((tmp_path / block_index_path(info.path)).stat().st_size for info in infos)
    assert sum(info.size_bytes + info.summary_bytes for info in infos) + block_index_bytes == statistics.bytes_written


def test_messages_are_gathered_until_a_quarter_of_the_queue_is_full(tmp_path: Path) -> None:
    """So that lanes are not asked what is due for each message alone."""
    begun, waiting = threading.Event(), list[int]()

    class Notes(Heard):
        def opened(self, recording: RecordingInfo) -> None:
            waiting.append(recorder.statistics().queued_messages)
            super().opened(recording)
            begun.set()

    heard = Notes()
    recorder = Recorder(tmp_path, heard, SystemClock(), RecordSettings(gather_ns=60 * NS_PER_S, queue_messages=40))
    camera = Camera()
    played = [camera.state(NOON + number * NS_PER_S) for number in range(10)]
    for message in played[:9]:
        recorder.put(CAMERA, message)
    assert not begun.wait(0.2), "they are gathered"
    assert recorder.statistics().queued_messages == 9
    recorder.put(CAMERA, played[9])
    assert begun.wait(10), "a quarter of the queue is enough"
    assert waiting == [0], "all are taken at once"
    recorder.close()
    (info,) = closed_in_order(tmp_path, heard)
    assert read(tmp_path / info.path) == played


def test_a_lane_that_breaks_takes_nobody_along(tmp_path: Path) -> None:
    def breaks() -> None:
        raise RuntimeError("a mistake of ours")

    disk = FlakyDisk()
    bench, camera, other = Bench(tmp_path, disk=disk), Camera(), CameraId("yard")
    bench.play(camera.busy(NOON, 2))
    played = bench.play(Camera(session=3).busy(bench.clock.wall, 1), camera=other)
    assert bench.core.writers_crashed == 0
    disk.before_append = breaks
    bench.play([camera.cover(bench.clock.wall + n * 350 * MS) for n in range(3)])
    disk.before_append = lambda: None
    assert bench.core.writers_crashed == 1
    more = bench.play(Camera(session=9).busy(bench.clock.wall + NS_PER_S, 2))
    bench.core.close()
    by_camera = {info.camera: read(tmp_path / info.path) for info in closed_in_order(tmp_path, bench.heard)}
    assert by_camera == {CAMERA: more, other: played}
