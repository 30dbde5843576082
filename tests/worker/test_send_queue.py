"""The worker's way out: order, what is dropped, who waits, what is counted."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pipe.messages import background, cover, state

from privet.core.clock import NS_PER_MS, FakeClock
from privet.core.pb import pipe_pb2, scene_pb2
from privet.pipe import framing
from privet.pipe.latency import LATENCY_BOUNDS_US, latency_bucket
from privet.worker.send_queue import (
    PIPE_BYTES,
    SendQueue,
    SendQueueClosedError,
)

COVER_BYTES = len(framing.framed(pipe_pb2.WorkerMessage(camera="gate", scene=cover(1))))


class Sink:
    """Collects what the send queue writes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def __call__(self, data: bytes) -> None:
        self.written.append(data)

    def messages(self) -> list[pipe_pb2.WorkerMessage]:
        return [framing.parse_worker_message(body) for body in framing.read_bodies(io.BytesIO(b"".join(self.written)))]

    def health(self) -> list[pipe_pb2.Health]:
        return [message.health for message in self.messages() if message.WhichOneof("kind") == "health"]

    def sequences(self) -> list[int]:
        found = []
        for message in self.messages():
            kind = message.scene.WhichOneof("kind")
            assert kind is not None
            found.append(getattr(message.scene, kind).head.sequence)
        return found


def drained(send_queue: SendQueue) -> None:
    send_queue.close()
    send_queue.run()


def test_messages_leave_in_order_with_the_camera_named() -> None:
    sink = Sink()
    send_queue = SendQueue(sink, FakeClock())
    line = send_queue.sender("gate")
    line(background(1))
    line(cover(2))
    line(pipe_pb2.Log(level=20, code=pipe_pb2.LOG_CODE_CONNECTED, number=1))
    line(pipe_pb2.Promotion(blocks=1))
    drained(send_queue)
    assert [message.WhichOneof("kind") for message in sink.messages()] == ["scene", "scene", "log", "promotion"]
    assert {message.camera for message in sink.messages()} == {"gate"}


def test_oldest_covers_go_first_and_are_counted() -> None:
    sink = Sink()
    send_queue = SendQueue(sink, FakeClock(), limit_bytes=3 * COVER_BYTES)
    line = send_queue.sender("gate")
    for sequence in range(1, 6):
        line(cover(sequence))
    assert send_queue.statistics().covers_dropped == 2
    drained(send_queue)
    assert sink.sequences() == [3, 4, 5]


def test_what_is_never_dropped_pushes_covers_out() -> None:
    sink = Sink()
    send_queue = SendQueue(sink, FakeClock(), limit_bytes=3 * COVER_BYTES)
    line = send_queue.sender("gate")
    for sequence in range(1, 4):
        line(cover(sequence))
    line(state(4))
    drained(send_queue)
    assert sink.sequences()[-1] == 4
    assert send_queue.statistics().covers_dropped >= 1


def test_who_says_what_is_never_dropped_waits_until_there_is_room() -> None:
    gate = threading.Event()
    written: list[bytes] = []

    def write(data: bytes) -> None:
        gate.wait(10)
        written.append(data)

    send_queue = SendQueue(write, FakeClock(), limit_bytes=COVER_BYTES)
    line = send_queue.sender("gate")
    line(state(1))
    said = threading.Event()

    def say() -> None:
        line(state(2))
        said.set()

    speaker = threading.Thread(target=say)
    speaker.start()
    assert not said.wait(0.2)  # the queue holds one state and no cover that could go
    line(cover(3))            # a cover does not wait: it is dropped
    assert send_queue.statistics().covers_dropped == 1
    sender = threading.Thread(target=send_queue.run)
    sender.start()
    gate.set()
    assert said.wait(10)
    send_queue.close()
    sender.join(10)
    speaker.join(10)
    assert len(written) == 2


def test_a_message_longer_than_the_bound_goes_alone() -> None:
    sink = Sink()
    send_queue = SendQueue(sink, FakeClock(), limit_bytes=1)
    send_queue.sender("gate")(background(1))
    drained(send_queue)
    assert sink.sequences() == [1]


def test_what_is_queued_goes_out_together_as_far_as_a_pipe_holds_it() -> None:
    sink = Sink()
    send_queue = SendQueue(sink, FakeClock())
    line = send_queue.sender("gate")
    sequence = 0
    while send_queue.statistics().queued_bytes <= PIPE_BYTES + COVER_BYTES:
        sequence += 1
        line(cover(sequence))
    drained(send_queue)
    assert len(sink.written) == 2
    assert len(sink.written[0]) <= PIPE_BYTES
    assert sink.sequences() == list(range(1, sequence + 1))
    assert send_queue.statistics().queued_bytes == 0


def test_nothing_is_taken_after_closing_and_waiting_ends() -> None:
    send_queue = SendQueue(Sink(), FakeClock(), limit_bytes=1)
    line = send_queue.sender("gate")
    line(state(1))
    refused = threading.Event()

    def say() -> None:
        with pytest.raises(SendQueueClosedError):
            line(state(2))
        refused.set()

    speaker = threading.Thread(target=say)
    speaker.start()
    send_queue.close()
    assert refused.wait(10)
    speaker.join(10)
    with pytest.raises(SendQueueClosedError):
        line(state(3))


def test_health_is_kept_and_completed_once_reported() -> None:
    clock = FakeClock()
    sink = Sink()
    then: list[Callable[[], None]] = []

    def write(data: bytes) -> None:
        sink(data)
        then.pop(0)()

    send_queue = SendQueue(write, clock)
    line = send_queue.sender("gate")
    then += [lambda: line(state(2)), lambda: line.report(7), send_queue.close]      # with the report the cover is counted, and no state yet
    line(pipe_pb2.Health(packets=9, frames_decoded=8, covers_sent=999))
    arrived_ns = 1
    line(cover(1), arrived_ns)
    clock.advance(7 * NS_PER_MS)
    send_queue.run()
    (health,) = sink.health()
    assert (health.packets, health.frames_decoded, health.covers_sent, health.covers_dropped) == (9, 8, 1, 0)
    assert health.bytes_sent == COVER_BYTES
    assert health.latency_sum_us == 6_999
    assert sum(health.latency_bucket_counts) == 1
    assert health.latency_bucket_counts[LATENCY_BOUNDS_US.index(10_000)] == 1
    assert health.memory_bytes == 7


def test_report_sends_the_newest_health_only() -> None:
    sink = Sink()
    send_queue = SendQueue(sink, FakeClock())
    line = send_queue.sender("gate")
    line(pipe_pb2.Health(packets=1))
    line(pipe_pb2.Health(packets=2))
    line.report(0)
    drained(send_queue)
    assert [message.health.packets for message in sink.messages()] == [2]


def test_a_new_line_counts_from_zero() -> None:
    sink = Sink()
    send_queue = SendQueue(sink, FakeClock(), limit_bytes=3 * COVER_BYTES)
    first = send_queue.sender("gate")
    for sequence in range(1, 5):
        first(cover(sequence))
    assert send_queue.statistics().covers_dropped == 1
    sender = threading.Thread(target=send_queue.run)
    sender.start()
    first.report(0)
    send_queue.sender("gate").report(0)
    send_queue.close()
    sender.join(10)
    old, new = sink.health()
    assert old.covers_dropped >= 1
    assert (new.covers_dropped, new.covers_sent, new.bytes_sent) == (0, 0, 0)


@given(st.integers(0, 10_000_000))
def test_latency_falls_into_the_bucket_whose_bound_is_first_not_below(latency_us: int) -> None:
    index = latency_bucket(latency_us)
    assert index == len(LATENCY_BOUNDS_US) or latency_us <= LATENCY_BOUNDS_US[index]
    assert index == 0 or latency_us > LATENCY_BOUNDS_US[index - 1]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["cover", "state"]), max_size=30), st.integers(1, 20))
def test_only_covers_are_lost_and_order_is_kept(kinds: list[str], room: int) -> None:
    sink = Sink()
    send_queue = SendQueue(sink, FakeClock(), limit_bytes=room * COVER_BYTES)
    line = send_queue.sender("gate")
    sender = threading.Thread(target=send_queue.run)
    sender.start()
    for sequence, kind in enumerate(kinds, 1):
        message: scene_pb2.SceneMessage = cover(sequence) if kind == "cover" else state(sequence)
        line(message)
    send_queue.close()
    sender.join(10)
    found = sink.sequences()
    assert found == sorted(found)
    assert {sequence for sequence, kind in enumerate(kinds, 1) if kind == "state"} <= set(found)
    assert len(found) + send_queue.statistics().covers_dropped == len(kinds)
    assert send_queue.statistics().queued_bytes == 0
