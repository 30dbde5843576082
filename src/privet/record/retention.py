"""Which recordings are removed: a pure plan from what there is, the time and the bounds; and its execution.

By age first, then by quota, the oldest first. A recording that is being written is never removed.

The clock may have stepped. A recording that seems to lie in the future (it was made while the clock was ahead) would never be old
enough; it is removed with the first one that was begun after it and is too old.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from privet.core.ids import CameraId
from privet.record.recording import block_index_path, summary_path

_log = logging.getLogger(__name__)


class Kept(Protocol):
    """A recording as the index knows it: its RecordingRow fits. to_wall_ns: None while it is being written."""

    @property
    def id(self) -> int: ...

    @property
    def camera(self) -> CameraId: ...

    @property
    def path(self) -> str: ...

    @property
    def from_wall_ns(self) -> int: ...

    @property
    def to_wall_ns(self) -> int | None: ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def summary_bytes(self) -> int: ...


class Why(Enum):
    """Why a recording is removed."""

    AGE = "age"
    QUOTA = "quota"
    CLOCK = "clock"
    """It seems to lie in the future, but was begun before one that is too old."""


@dataclass(frozen=True, slots=True)
class Removal:
    """One recording to be removed."""

    camera: CameraId
    path: str
    to_wall_ns: int
    size_bytes: int
    why: Why


class Removes(Protocol):
    """Where the files are: a `store.Store` fits."""

    def remove(self, paths: Iterable[str]) -> None: ...


class Forgets(Protocol):
    """What removal tells the index: Index fits."""

    def recording_forgotten(self, path: str) -> None: ...

    def forget_density(self, camera: CameraId, before_wall_ns: int) -> None: ...


def plan_retention(
    recordings: Iterable[Kept], now_wall_ns: int, retention_ns: int, quota_bytes: int
) -> tuple[Removal, ...]:
    """Return what is to be removed, oldest first.

    A recording is too old when its last message is retention_ns old or more. quota_bytes: upper bound for all recordings together,
    those being written included (with the size they are given with); 0: none.
    """
    rows = list(recordings)
    closed = [(row, row.to_wall_ns) for row in rows if row.to_wall_ns is not None]
    old = {row.id for row, to_ns in closed if to_ns <= now_wall_ns - retention_ns}
    last_old: dict[CameraId, int] = {}
    for row, _ in closed:
        if row.id in old:
            last_old[row.camera] = max(last_old.get(row.camera, 0), row.id)
    ahead = {row.id for row, to_ns in closed if to_ns > now_wall_ns and row.id < last_old.get(row.camera, 0)}
    removals = [_removal(row, to_ns, Why.AGE) for row, to_ns in sorted(closed, key=_age) if row.id in old]
    removals += [_removal(row, to_ns, Why.CLOCK) for row, to_ns in sorted(closed, key=_age) if row.id in ahead]
    old |= ahead
    if quota_bytes > 0:
        total = sum(row.size_bytes + row.summary_bytes for row in rows if row.id not in old)
        for row, to_ns in sorted(closed, key=_age):
            if total <= quota_bytes:
                break
            if row.id not in old:
                total -= row.size_bytes + row.summary_bytes
                removals.append(_removal(row, to_ns, Why.QUOTA))
    return tuple(removals)


def remove(store: Removes, index: Forgets, removals: Sequence[Removal]) -> tuple[Removal, ...]:
    """Remove files, then rows; return what was removed. What cannot be removed is logged and stays for the next time.

    A crash in between leaves a row without a file, never a file that nothing knows of.

    Raises:
        StoreError: the index cannot be written.
    """
    removed: list[Removal] = []
    for removal in removals:
        path = removal.path
        try:
            store.remove((path, summary_path(path), block_index_path(path)))
        except OSError as error:
            _log.error("recording %s cannot be removed: %s", path, error.strerror)
            continue
        index.recording_forgotten(removal.path)
        removed.append(removal)
    # With the recordings goes what the timeline knew of them.
    ends_ns: dict[CameraId, int] = {}
    for removal in removed:
        if removal.why is not Why.CLOCK:
            ends_ns[removal.camera] = max(ends_ns.get(removal.camera, 0), removal.to_wall_ns)
    for camera, end_ns in ends_ns.items():
        index.forget_density(camera, end_ns)
    return tuple(removed)


def _removal(row: Kept, to_wall_ns: int, why: Why) -> Removal:
    return Removal(row.camera, row.path, to_wall_ns, row.size_bytes + row.summary_bytes, why)


def _age(item: tuple[Kept, int]) -> tuple[int, int]:
    row, to_ns = item
    return (to_ns, row.id)
