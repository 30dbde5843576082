"""The parts of the scene stream as values: what a worker says about a place, with arrays instead of packed bytes.

`core.wire` turns them into messages and back; `core.reader` follows a stream of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from privet.core.grid import BoolGrid, Grid

LIGHT_COLUMNS, LIGHT_ROWS = 16, 9
"""The cells that a worker tells the light in. A reader takes any number up to 64 each way."""

MOST_LAYERS = 3
"""How many earlier pictures of a block are kept at most."""


class Condition(IntEnum):
    """What a camera is doing. Values as in scene.proto."""

    STARTING = 1
    AWAKE = 2
    ASLEEP = 3
    BLIND = 4
    OFFLINE = 5


class Reason(IntEnum):
    """Why a camera is in its condition. Values as in scene.proto."""

    NONE = 1
    UNREACHABLE = 2
    REFUSED = 3
    NOT_FOUND = 4
    NO_VIDEO = 5
    CODEC = 6
    STALLED = 7
    ENDED = 8
    DAMAGED = 9
    MOVED = 10
    OBSCURED = 11
    WORKER = 12
    NO_DETECTOR = 13
    PROTOCOL = 14
    OVERLOADED = 15
    UNSAVED = 16


def looked_at_seldom(condition: int, reason: int) -> bool:
    """Whether keyframes alone are looked at, because the machine is behind: who passes between two of them may not be seen."""
    return condition == Condition.AWAKE and reason == Reason.OVERLOADED


class ImageFormat(IntEnum):
    """How a background's picture is encoded. Values as in scene.proto."""

    WEBP = 1
    PNG = 2


@dataclass(frozen=True, slots=True)
class Head:
    """Order is (session, sequence); the wall clock is an attribute and may step."""

    session: int
    sequence: int
    wall_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """The whole proven background. image: encoded sRGB picture of the grid's size, b'' while nothing is proven."""

    head: Head
    grid: Grid
    proven: BoolGrid
    format: ImageFormat
    image: bytes
    oldest_wall_ns: int
    newest_wall_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Blocks promoted since the last message. promoted: bool (rows, columns) over the rectangle that begins at (row, column)."""

    head: Head
    epoch: int
    column: int
    row: int
    promoted: BoolGrid
    format: ImageFormat
    image: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """Where something is that is not background, during [wall_ns, wall_ns + duration_ns). covered: bool (rows, columns)."""

    head: Head
    epoch: int
    duration_ns: int
    covered: BoolGrid


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """shown = background * gain + offset, sRGB. gain, offset: uint8 (rows, columns), per cell, coded as in scene.proto."""

    head: Head
    epoch: int
    gain: NDArray[np.uint8]
    offset: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class State:
    """The heartbeat. cover_until_wall_ns: the last cover holds unchanged until then; 0 if it ended when it said."""

    head: Head
    condition: Condition
    reason: Reason
    cover_until_wall_ns: int
    grid: Grid | None
    proven_blocks: int
    blind_blocks: int


Scene = Background | Patch | Cover | Light | State
