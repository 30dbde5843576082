from __future__ import annotations

import threading
from itertools import pairwise
from queue import SimpleQueue
from typing import Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.core.errors import SourceError
from privet.core.scene import Reason
from privet.ingest.queue import GATHER_NS, PacketQueue

AGE_NS = 100


def test_in_order_and_then_the_failure() -> None:
    queue: PacketQueue[int] = PacketQueue(10, 1000, AGE_NS)
    for item in range(3):
        assert queue.put(item, 1, item == 0, 0) == 0
    queue.finish(SourceError("gone", Reason.STALLED))
    queue.finish(None)  # the first counts
    assert [queue.get(), queue.get(), queue.get()] == [0, 1, 2]
    with pytest.raises(SourceError, match="gone"):
        queue.get()


def test_full_drops_up_to_the_next_keyframe_which_replaces_all() -> None:
    queue: PacketQueue[str] = PacketQueue(3, 1000, AGE_NS)
    assert [queue.put(name, 1, name.isupper(), 0) for name in "Kpppp"] == [0, 0, 0, 1, 1]
    assert queue.get() == "K"
    assert queue.put("q", 1, False, 0) == 1            # there is room, but what it refers to is gone
    assert queue.put("L", 1, True, 0) == 0
    assert queue.put("M", 1, True, 0) == 3
    assert [queue.get()] == ["M"]
    assert queue.statistics().dropped == 6
    assert queue.statistics().deepest == 3


def test_bytes_are_bounded_too_but_one_packet_always_fits() -> None:
    queue: PacketQueue[str] = PacketQueue(100, 10, AGE_NS)
    assert queue.put("K", 50, True, 0) == 0
    assert queue.put("p", 1, False, 0) == 1
    assert queue.get() == "K"
    assert queue.put("L", 5, True, 0) == 0


def test_what_waits_too_long_makes_room_for_the_next_keyframe() -> None:
    queue: PacketQueue[str] = PacketQueue(100, 1000, AGE_NS)
    assert queue.put("K", 1, True, 0) == 0
    assert queue.put("p", 1, False, AGE_NS) == 0
    assert queue.put("q", 1, False, AGE_NS + 1) == 1
    assert queue.put("L", 1, True, AGE_NS + 2) == 2
    assert queue.put("r", 1, False, AGE_NS + 3) == 0
    assert [queue.get(), queue.get()] == ["L", "r"]


def test_how_long_the_oldest_may_wait_is_said_with_each_packet() -> None:
    queue: PacketQueue[str] = PacketQueue(100, 1000, AGE_NS)
    assert queue.put("K", 1, True, 0) == 0
    assert queue.put("p", 1, False, 3 * AGE_NS, capacity_ns=3 * AGE_NS) == 0, "asleep"
    assert queue.put("L", 1, True, 3 * AGE_NS, capacity_ns=3 * AGE_NS) == 0
    assert queue.put("q", 1, False, 3 * AGE_NS) == 1, "awake"
    assert [queue.get(), queue.get(), queue.get()] == ["K", "p", "L"]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 40)), max_size=200))
def test_what_comes_out_can_be_decoded(steps: list[tuple[bool, bool, int]]) -> None:
    """Between two packets that come out and were not put one after another, the second is a keyframe; and it is bounded."""
    queue: PacketQueue[tuple[int, bool]] = PacketQueue(5, 100, AGE_NS)
    came: list[tuple[int, bool]] = []
    for number, (get, keyframe, size_bytes) in enumerate(steps):
        queue.put((number, keyframe), size_bytes, keyframe, number * AGE_NS // 4)
        assert queue.statistics().depth <= 5
        if get and (item := queue.get()) is not None:
            came.append(item)
    queue.finish(None)
    while (item := queue.get()) is not None:
        came.append(item)
    for (before, _), (after, keyframe) in pairwise(came):
        assert after == before + 1 or keyframe
    assert len(came) + queue.statistics().dropped == len(steps)


def test_abandon_wakes_the_one_who_waits() -> None:
    queue: PacketQueue[int] = PacketQueue(1, 1, AGE_NS)
    got: list[int | None] = []
    waiter = threading.Thread(target=lambda: got.append(queue.get()))
    waiter.start()
    queue.abandon()
    waiter.join(5)
    assert got == [None]
    assert queue.put(1, 1, True, 0) == 1
    assert queue.get() is None


def test_what_can_wait_is_told_with_the_first_that_cannot() -> None:
    queue: PacketQueue[str] = PacketQueue(10, 1000, 10 * GATHER_NS)
    with Waiter(queue) as waiter:
        queue.put("p", 1, False, 0, can_wait=True)
        queue.put("q", 1, False, GATHER_NS - 1, can_wait=True)
        assert not waiter.woken()
        queue.put("r", 1, False, GATHER_NS - 1)
        assert waiter.got() == "p"
    assert [queue.get(), queue.get()] == ["q", "r"]


def test_what_can_wait_does_not_wait_for_ever() -> None:
    queue: PacketQueue[str] = PacketQueue(10, 1000, 10 * GATHER_NS)
    with Waiter(queue) as waiter:
        queue.put("p", 1, False, 7, can_wait=True)
        assert not waiter.woken()
        queue.put("q", 1, False, 7 + GATHER_NS, can_wait=True)
        assert waiter.got() == "p"


def test_the_end_is_told_with_what_could_wait() -> None:
    queue: PacketQueue[str] = PacketQueue(10, 1000, 10 * GATHER_NS)
    with Waiter(queue) as waiter:
        queue.put("p", 1, False, 0, can_wait=True)
        queue.finish(None)
        assert waiter.got() == "p"
    assert queue.get() is None


class Waiter:
    """A thread that waits in `get`; entered once it does."""

    def __init__(self, queue: PacketQueue[str]) -> None:
        self._queue = queue
        self._got: SimpleQueue[str | None] = SimpleQueue()
        self._thread = threading.Thread(target=lambda: self._got.put(queue.get()))

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._queue.awaited:
            self._thread.join(0.001)
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(5)

    def woken(self) -> bool:
        return not self._queue.awaited

    def got(self) -> str | None:
        return self._got.get(timeout=5)
