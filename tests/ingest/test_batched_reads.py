"""Packets that can wait are read a few at a time, keyframes and the last of a few as they come."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.ingest.batched_reads import BATCH_NS, HELD_BYTES, BatchedReads

OFFSET_NS = 7 * NS_PER_S            # between the camera's clock and ours


def reading(count: int, fps: int, gop: int, size_bytes: int, jitter_ns: list[int] | None = None) -> list[tuple[int, int]]:
    """(when, which) of packets that are read with naps between; each is there `OFFSET_NS` after it was taken, and some of them later."""
    batched_reads, now_ns, read = BatchedReads(), 0, []
    for number in range(count):
        media_ns = number * NS_PER_S // fps
        late_ns = jitter_ns[number % len(jitter_ns)] if jitter_ns else 0
        now_ns = max(now_ns, media_ns + OFFSET_NS + late_ns)
        read.append((now_ns, number))
        batched_reads.read(media_ns, size_bytes, number % gop == 0)
        now_ns += batched_reads.wait_ns(OFFSET_NS, now_ns)
    return read


def late_ns(read: tuple[int, int], fps: int) -> int:
    return read[0] - read[1] * NS_PER_S // fps - OFFSET_NS


def wakings(read: list[tuple[int, int]]) -> int:
    """How often the thread had to be woken: packets that were not there yet when the one before had been read."""
    return sum(later[0] > earlier[0] for earlier, later in pairwise(read))


def test_packets_of_a_quiet_camera_are_read_a_few_at_a_time() -> None:
    read = reading(600, 15, 30, 800)
    assert max(late_ns(each, 15) for each in read) <= BATCH_NS
    settled = read[90:]
    # Each few take two wakings: shortly before the last of them is there, and when it is.
    assert wakings(settled) <= 0.75 * len(settled)
    assert wakings(reading(600, 30, 60, 800)[180:]) <= 0.35 * 420


def test_keyframes_and_the_last_of_a_few_are_read_as_they_come() -> None:
    read = reading(600, 15, 30, 800)
    assert all(late_ns(each, 15) == 0 for each in read if each[1] % 30 == 0)
    prompt = sum(late_ns(each, 15) == 0 for each in read[90:])
    assert prompt >= len(read[90:]) // 4


@given(
    fps=st.integers(1, 60), gop=st.integers(2, 300), size_bytes=st.integers(1, 100_000),
    jitter=st.lists(st.integers(0, 80 * NS_PER_MS), min_size=1, max_size=50),
)
def test_nothing_waits_for_longer_than_said_nor_fills_a_buffer(fps: int, gop: int, size_bytes: int, jitter: list[int]) -> None:
    for earlier, later in pairwise(reading(400, fps, gop, size_bytes, jitter)):
        assert late_ns(later, fps) <= BATCH_NS + max(jitter)
        woken = OFFSET_NS + late_ns(earlier, fps) + earlier[1] * NS_PER_S // fps
        assert (later[0] - woken) * fps * size_bytes <= (HELD_BYTES + size_bytes) * NS_PER_S + max(jitter) * fps * size_bytes


def test_what_is_behind_is_read_on() -> None:
    batched_reads = BatchedReads()
    for number in range(120):
        batched_reads.read(number * NS_PER_S // 15, 800, number % 30 == 0)
    assert batched_reads.wait_ns(OFFSET_NS, OFFSET_NS + 119 * NS_PER_S // 15) == 0, "the next one is a keyframe"
    batched_reads.read(8 * NS_PER_S, 100, True)
    assert batched_reads.wait_ns(OFFSET_NS, OFFSET_NS + 8 * NS_PER_S) > 0
    assert batched_reads.wait_ns(OFFSET_NS, OFFSET_NS + 8 * NS_PER_S + NS_PER_S // 30) == 0


def test_pictures_out_of_order_or_without_times_and_unknown_gops_are_listened_for() -> None:
    for order in ([0, 2, 1], [0, None, 1]):
        batched_reads = BatchedReads()
        naps = []
        for number in range(300):
            which = order[number % 3]
            media_ns = None if which is None else (number - number % 3 + which) * NS_PER_S // 15
            batched_reads.read(media_ns, 800, number % 30 == 0)
            naps.append(batched_reads.wait_ns(OFFSET_NS, OFFSET_NS + number * NS_PER_S // 15))
        assert not any(naps)
    batched_reads = BatchedReads()
    for number in range(200):
        batched_reads.read(number * NS_PER_S // 15, 800, number in (0, 7, 31, 100))
        assert batched_reads.wait_ns(OFFSET_NS, OFFSET_NS + number * NS_PER_S // 15) == 0
