"""Saving a camera's state: never in the way, tried again ever more seldom, and said."""

from __future__ import annotations

import errno
import itertools
import threading
from dataclasses import dataclass, field
from math import nextafter

import pytest

from privet.core.clock import NS_PER_S, FakeClock
from privet.core.errors import StoreError
from privet.core.pb import pipe_pb2
from privet.worker.camera.state_saving import SLOW_NS, StateSaving, error_number

WITHIN_S = 5.0


@dataclass
class Disk:
    """A store that fails while it is full, and answers only when it may."""

    full: bool = False
    saved: list[bytes] = field(default_factory=list)
    tries: int = 0
    answers: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.answers.set()

    def load(self) -> bytes | None:
        return self.saved[-1] if self.saved else None

    def save(self, state: bytes) -> None:
        self.tries += 1
        assert self.answers.wait(WITHIN_S)
        if self.full:
            raise StoreError("cannot be written") from OSError(errno.ENOSPC, "No space left on device")
        self.saved.append(state)


def saving_to(disk: Disk) -> tuple[StateSaving, FakeClock]:
    clock = FakeClock()
    return StateSaving(disk, clock, draw=lambda: nextafter(1.0, 0.0)), clock


def tick(saving: StateSaving) -> None:
    """Let it try, if it is time, and wait for the answer of a try under way."""
    saving.tick()
    saving.settle(WITHIN_S)


def test_what_is_put_is_saved_and_nothing_is_said() -> None:
    saving, _ = saving_to(disk := Disk())
    saving.put(b"one")
    assert saving.flush(WITHIN_S)
    assert disk.saved == [b"one"]
    assert (saving.failed, saving.unsaved_ns, saving.note()) == (0, 0, None)


def test_a_full_disk_is_said_once_and_so_is_its_end() -> None:
    saving, clock = saving_to(disk := Disk(full=True))
    saving.put(b"one")
    saving.settle(WITHIN_S)
    assert saving.note() == pipe_pb2.Log(level=30, code=pipe_pb2.LOG_CODE_STATE_UNSAVED, number=errno.ENOSPC)
    clock.advance(7 * NS_PER_S)
    tick(saving)
    assert saving.note() is None
    assert saving.unsaved_ns == 7 * NS_PER_S
    disk.full = False
    clock.advance(NS_PER_S)
    tick(saving)
    assert saving.note() == pipe_pb2.Log(level=20, code=pipe_pb2.LOG_CODE_STATE_SAVED, number=2)
    assert (saving.note(), saving.unsaved_ns, disk.saved) == (None, 0, [b"one"])


def test_tries_come_ever_more_seldom_and_in_ten_minutes_are_few() -> None:
    saving, clock = saving_to(disk := Disk(full=True))
    saving.put(b"one")
    saving.settle(WITHIN_S)
    tried_s = []
    for second in range(600):
        before = disk.tries
        tick(saving)
        if disk.tries > before:
            tried_s.append(second)
        if second % 20 == 0:
            saving.put(b"newer")            # as a camera does that goes on proving
        clock.advance(NS_PER_S)
    gaps = [later - sooner for sooner, later in itertools.pairwise(tried_s)]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 30
    assert len(tried_s) < 30
    assert saving.failed == disk.tries


def test_the_newest_state_is_the_one_that_is_saved() -> None:
    saving, clock = saving_to(disk := Disk(full=True))
    for state in (b"one", b"two", b"three"):
        saving.put(state)
        saving.settle(WITHIN_S)
    disk.full = False
    clock.advance(60 * NS_PER_S)
    tick(saving)
    assert disk.saved == [b"three"]


def test_a_disk_that_does_not_answer_holds_nobody_up_and_is_said() -> None:
    saving, clock = saving_to(disk := Disk())
    disk.answers.clear()
    saving.put(b"one")                      # returns, though the disk does not
    saving.put(b"two")
    assert not saving.flush(0.01)
    assert saving.writing
    assert saving.note() is None
    clock.advance(SLOW_NS + 1)
    assert saving.unsaved_ns == SLOW_NS + 1
    said = saving.note()
    assert said is not None
    assert (said.code, said.number) == (pipe_pb2.LOG_CODE_STATE_UNSAVED, 0)
    assert disk.tries == 1, "one at a time: two would write one file"
    disk.answers.set()
    assert saving.flush(WITHIN_S)
    assert disk.saved == [b"one", b"two"]
    assert not saving.writing


def test_what_could_not_be_saved_is_there_for_the_next_pipeline() -> None:
    saving, _ = saving_to(disk := Disk(saved=[b"old"]))
    assert saving.load() == b"old"
    disk.full = True
    saving.put(b"new")
    saving.settle(WITHIN_S)
    assert saving.load() == b"new"
    disk.full = False
    assert saving.flush(WITHIN_S)
    assert saving.load() == b"new" == disk.saved[-1]


def test_a_defect_is_raised_where_the_camera_ends_by_it_and_is_tried_again() -> None:
    class Defective(Disk):
        def save(self, state: bytes) -> None:
            if not self.tries:
                self.tries += 1
                raise ZeroDivisionError
            super().save(state)

    saving, clock = saving_to(disk := Defective())
    saving.put(b"one")
    saving.settle(WITHIN_S)
    with pytest.raises(ZeroDivisionError):
        saving.tick()
    clock.advance(NS_PER_S)
    tick(saving)
    assert disk.saved == [b"one"]


def test_the_number_is_the_operating_systems() -> None:
    assert error_number(OSError(errno.EROFS, "Read-only file system")) == errno.EROFS
    assert error_number(StoreError("made up")) == 0
