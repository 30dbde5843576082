"""What the bench of many cameras makes of what it counted, and what it finds missing in recordings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.throughput.gaps import Gaps, gaps_of, recorded
from bench.throughput.many import by_kind, dropped, grown, spread, total

from privet.core.clock import NS_PER_S, FakeClock
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.record.disk import LocalDisk
from privet.record.recorder import RecorderCore, RecordSettings
from privet.record.recording import RecordingInfo

FROM_NS = 1_000 * NS_PER_S
TO_NS = 1_020 * NS_PER_S
GRID = pb.Grid(width_px=64, height_px=48, block_px=8, epoch=1)


def state(sequence: int, at_s: float, condition: pb.Condition.ValueType = pb.CONDITION_AWAKE, session: int = 7) -> pb.SceneMessage:
    head = pb.Head(session=session, sequence=sequence, wall_ns=round(at_s * NS_PER_S))
    return pb.SceneMessage(state=pb.State(head=head, condition=condition, reason=pb.REASON_NONE, grid=GRID))


def cover(sequence: int, at_s: float, session: int = 7) -> pb.SceneMessage:
    head = pb.Head(session=session, sequence=sequence, wall_ns=round(at_s * NS_PER_S))
    return pb.SceneMessage(cover=pb.Cover(head=head, epoch=1, duration_ns=200_000_000, bits=bytes(6)))


def seconds(first: int = 1) -> Iterator[pb.SceneMessage]:
    """A state and a cover a second, from before the span until after it."""
    for number, at_s in enumerate(range(990, 1_030)):
        yield state(first + 2 * number, at_s)
        yield cover(first + 2 * number + 1, at_s + 0.5)


def test_nothing_is_missing_where_all_was_recorded() -> None:
    assert gaps_of(seconds(), FROM_NS, TO_NS) == Gaps(longest_silence_s=1.0)
    assert not any(gaps_of(seconds(), FROM_NS, TO_NS).counts().values())


def test_where_keyframes_alone_are_looked_at_nothing_is_missing_and_it_is_counted() -> None:
    messages = list(seconds())
    for message in messages[30:40]:         # five states, within the span
        if message.WhichOneof("kind") == "state":
            message.state.reason = pb.REASON_OVERLOADED
    found = gaps_of(messages, FROM_NS, TO_NS)
    assert not any(found.counts().values())
    assert (found.heartbeats, found.sparse) == (20, 5)
    assert ((found + found).heartbeats, (found + found).sparse) == (40, 10)


def test_what_a_file_says_again_is_no_gap() -> None:
    messages = list(seconds())
    again = [messages[0], messages[31], messages[30]]           # background, cover and state in force, as a file's head has them
    assert gaps_of([*messages[:32], *again, *messages[32:]], FROM_NS, TO_NS) == Gaps(longest_silence_s=1.0)
    assert gaps_of([*again, *messages[32:]], FROM_NS, TO_NS).longest_silence_s == 5.0      # the file before is gone


def test_what_was_lost_is_counted() -> None:
    messages = [each for each in seconds() if not (each.cover.head.sequence == 32 or 40 <= each.state.head.sequence <= 44)]
    assert gaps_of(messages, FROM_NS, TO_NS) == Gaps(missing=3, silences=1, longest_silence_s=3.0)
    before = [each for each in seconds() if not 3 <= each.state.head.sequence <= 19]
    assert not any(gaps_of(before, FROM_NS, TO_NS).counts().values())
    assert gaps_of([], FROM_NS, TO_NS) == Gaps(unrecorded=1, silences=1, longest_silence_s=20.0)
    assert gaps_of(list(seconds())[:50], FROM_NS, TO_NS).silences == 1      # it ended early


def test_conditions_and_pipelines_are_counted_by_how_often_they_came() -> None:
    messages = list(seconds())
    for number, condition in ((30, pb.CONDITION_BLIND), (32, pb.CONDITION_BLIND), (36, pb.CONDITION_OFFLINE), (40, pb.CONDITION_BLIND)):
        messages[number].state.condition = condition
    messages[44].state.condition = pb.CONDITION_ASLEEP
    assert gaps_of(messages, FROM_NS, TO_NS) == Gaps(blind=2, offline=1, longest_silence_s=1.0)
    anew = [*messages[:24], *(state(1 + number, 1_002 + number, session=8) for number in range(28))]
    assert gaps_of(anew, FROM_NS, TO_NS) == Gaps(sessions=1, longest_silence_s=1.0)
    assert Gaps(blind=2, longest_silence_s=3.0) + Gaps(blind=1, longest_silence_s=1.0) == Gaps(blind=3, longest_silence_s=3.0)


class _Paths:
    """Implements record.recording.Announce."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def opened(self, recording: RecordingInfo) -> None:
        self.paths.append(recording.path)

    def summarised(self, camera: CameraId, summary: pb.Summary) -> None:
        pass

    def closed(self, recording: RecordingInfo) -> None:
        pass


def test_recordings_are_read_as_the_recorder_writes_them(tmp_path: Path) -> None:
    clock, written = FakeClock(wall=990 * NS_PER_S), _Paths()
    core = RecorderCore(tmp_path, written, clock, RecordSettings(), LocalDisk())
    for message in seconds():
        clock.advance(NS_PER_S // 2)
        core.take(CameraId("c0"), message)
        core.tick()
    core.close()
    assert gaps_of(recorded([tmp_path / path for path in written.paths]), FROM_NS, TO_NS) == Gaps(longest_silence_s=1.0)


def test_cpu_is_told_apart_where_a_kind_has_a_worker_to_itself() -> None:
    assert by_kind([(0.15, 15, 0), (0.14, 14, 0), (0.5, 0, 10)]) == {"quiet": pytest.approx(0.01), "busy": pytest.approx(0.05)}
    assert by_kind([(0.13, 13, 0), (0.54, 4, 10)]) == {"quiet": pytest.approx(0.01), "busy": pytest.approx(0.05)}
    assert by_kind([(0.54, 4, 10), (0.5, 0, 10)]) == {"busy": pytest.approx(0.05), "quiet": pytest.approx(0.01)}
    assert by_kind([(0.3, 6, 2)]) == {}
    assert by_kind([]) == {}


def test_growth_is_the_slope_of_what_comes_later() -> None:
    samples = [(0.0, 100.0), *((120.0 + 10 * number, 400.0 + number) for number in range(49))]
    assert grown(samples, 120.0) == {"at_minute": 2.0, "then": 400.0, "end": 448.0, "slope_a_minute": 6.0, "grown_share": 0.12}
    assert grown([(0.0, 100.0), (5.0, 120.0)], 5.0)["slope_a_minute"] == 0.0
    assert grown([(120.0, 400.0), (130.0, 390.0), (140.0, 400.0)], 120.0)["grown_share"] == 0.0


def test_spread_and_totals() -> None:
    assert spread([float(each) for each in range(101)]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    metrics = 'privet_record_bytes_total{camera="c0"} 3.0\nprivet_record_bytes_total{camera="c1"} 4.0\nprivet_record_bytes_created 9\n'
    assert total(metrics + "privet_record_covers_dropped_total 2.0\n", "privet_record_bytes_total") == 7
    assert total(metrics + "privet_record_covers_dropped_total 2.0\n", "privet_record_covers_dropped_total") == 2
    assert total("", "privet_record_bytes_total") == 0


def test_packets_are_dropped_if_they_are_neither_decoded_nor_left_out() -> None:
    assert dropped({"packets": 1000, "frames_decoded": 500, "frames_left_out": 470}) == 0     # on their way
    assert dropped({"packets": 1000, "frames_decoded": 500, "frames_left_out": 200}) == 300
    assert dropped({"packets": 1000, "frames_decoded": 500, "frames_left_out": 470, "packets_dropped": 3}) == 3
