"""What the cameras of the wall say: scene streams as a worker tells them, without a worker.

Belongs here: places, who walks in them, and when which message is due. Does not belong here: where the messages go.

Every camera is 1920 x 1080 in blocks of 8 px. A busy one has people walking in it: five covers a second. A quiet one says its cover again
every five seconds, as `worker.camera.scene_encoder` does. Both say once a second that they are awake, and now and then that the
light has changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.grid import BoolGrid, Grid
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Background, Condition, Cover, Head, ImageFormat, Light, Reason, Scene, State
from privet.core.wire import to_message
from privet.scene.background_image import encode_webp

GRID = Grid(1920, 1080, 8, 0)
PLACES = 8                          # pictures; cameras share them, for each takes a while to encode
COVER_NS = 200_000_000
SAY_COVER_AGAIN_NS = 5 * NS_PER_S
LATE_NS = 300_000_000               # a frame is so old when its cover is told
LIGHT_BUSY_NS, LIGHT_QUIET_NS = 10 * NS_PER_S, 30 * NS_PER_S
LIGHT_CELLS = (9, 16)
UNPROVEN_SHARE = 0.03
TALLEST_BLOCKS = 12                 # no silhouette is drawn finer (DESIGN: a silhouette is a biometric too)


@cache
def picture(number: int) -> bytes:
    """A place as WebP: surfaces, edges and fine texture; as large as that of a real one."""
    random = np.random.default_rng(number)
    height, width = GRID.height_px, GRID.width_px
    luma = np.full((height, width), 110.0)
    for step, depth in ((270, 36.0), (60, 20.0), (15, 11.0), (4, 10.0)):
        coarse = random.normal(0, depth, (height // step + 2, width // step + 2))
        luma += np.kron(coarse, np.ones((step, step)))[:height, :width]
    luma += random.normal(0, 4.0, luma.shape)
    for _ in range(60):  # windows, doors, lines on the ground
        top, left = int(random.integers(0, height - 40)), int(random.integers(0, width - 40))
        luma[top : top + int(random.integers(6, 220)), left : left + int(random.integers(6, 160))] += random.normal(0, 35)
    tint = np.linspace(-12, 12, width)[None, :, None] * np.array([1.0, 0.2, -1.0])
    return encode_webp(np.clip(luma[:, :, None] + tint, 0, 255).astype(np.uint8))


def proven_blocks(number: int) -> BoolGrid:
    """All but a patch or two that something stood in."""
    random = np.random.default_rng(1000 + number)
    proven = np.ones(GRID.shape, np.bool_)
    side = round((UNPROVEN_SHARE * GRID.blocks / 2) ** 0.5)
    for _ in range(2):
        row, column = int(random.integers(0, GRID.rows - side)), int(random.integers(0, GRID.columns - side))
        proven[row : row + side, column : column + side] = False
    return proven


@dataclass
class Walker:
    """Somebody who crosses the picture: blocks, and blocks a second."""

    row: float
    column: float
    rows: int
    columns: int
    across: float
    phase: float

    def blocks(self, at_s: float) -> tuple[int, int, int, int]:
        """Where he is: top, left, rows, columns; out at one side, in at the other. Legs make him wider and narrower."""
        wide = self.columns + round(1.2 * abs(np.sin(self.phase + 4.0 * at_s)))
        left = (self.column + self.across * at_s) % (GRID.columns + 2 * wide) - wide
        return round(self.row + 0.5 * np.sin(self.phase + 8.0 * at_s)), round(left), self.rows, wide


@dataclass
class Camera:
    """One camera's stream: `due(now)` gives what a worker would have said since it was asked last."""

    number: int
    busy: bool
    session: int = 1
    sequence: int = 0
    began_ns: int = 0
    next_cover_ns: int = 0
    next_state_ns: int = 0
    next_light_ns: int = 0
    cover_until_ns: int = 0
    walkers: list[Walker] = field(default_factory=list)
    proven: BoolGrid = field(default_factory=lambda: np.ones(GRID.shape, np.bool_))

    def begin(self, now_ns: int) -> Iterator[pb.SceneMessage]:
        """The first messages. Cameras do not speak in step: each has its own phase."""
        random = np.random.default_rng(2000 + self.number)
        phase = float(random.random())
        self.began_ns = now_ns
        self.session = self.number + 1
        self.proven = proven_blocks(self.number)
        self.next_cover_ns = now_ns + round(phase * (COVER_NS if self.busy else SAY_COVER_AGAIN_NS))
        self.next_state_ns = now_ns + round(float(random.random()) * NS_PER_S)
        self.next_light_ns = now_ns + round(float(random.random()) * self._light_every_ns)
        if self.busy:
            self.walkers = [_walker(random) for _ in range(int(random.integers(1, 5)))]
        yield self._state(now_ns)
        image = picture(self.number % PLACES)
        proven_ns = now_ns - 3600 * NS_PER_S
        yield self._message(Background(self._head(now_ns), GRID, self.proven, ImageFormat.WEBP, image, proven_ns, now_ns))
        yield self._light(now_ns)
        yield self._cover(now_ns)
        yield self._state(now_ns)

    def due(self, now_ns: int) -> Iterator[pb.SceneMessage]:
        """What is due by now, in order."""
        while self.next_cover_ns <= now_ns:
            yield self._cover(self.next_cover_ns)
            self.next_cover_ns += COVER_NS if self.busy else SAY_COVER_AGAIN_NS
        while self.next_light_ns <= now_ns:
            yield self._light(self.next_light_ns)
            self.next_light_ns += self._light_every_ns
        while self.next_state_ns <= now_ns:
            yield self._state(self.next_state_ns)
            self.next_state_ns += NS_PER_S

    @property
    def _light_every_ns(self) -> int:
        return LIGHT_BUSY_NS if self.busy else LIGHT_QUIET_NS

    def _head(self, now_ns: int) -> Head:
        self.sequence += 1
        return Head(self.session, self.sequence, now_ns - LATE_NS)

    def _state(self, now_ns: int) -> pb.SceneMessage:
        # A quiet camera is watched all the while: its last cover holds until the frame that was seen last.
        until_ns = self.cover_until_ns if self.busy else now_ns - LATE_NS + COVER_NS
        proven = int(self.proven.sum())
        return self._message(State(self._head(now_ns), Condition.AWAKE, Reason.NONE, until_ns, GRID, proven, 0))

    def _light(self, now_ns: int) -> pb.SceneMessage:
        at_s = (now_ns - self.began_ns) / NS_PER_S
        down, across = np.mgrid[0 : LIGHT_CELLS[0], 0 : LIGHT_CELLS[1]]
        wave = np.sin(self.number + at_s / 20 + across / 5 + down / 4)
        gain, offset = (np.round(128 + size * wave).astype(np.uint8) for size in (6, 3))
        return self._message(Light(self._head(now_ns), GRID.epoch, gain, offset))

    def _cover(self, now_ns: int) -> pb.SceneMessage:
        self.cover_until_ns = now_ns - LATE_NS + COVER_NS
        covered = people(self.walkers, (now_ns - self.began_ns) / NS_PER_S)
        return self._message(Cover(self._head(now_ns), GRID.epoch, COVER_NS, covered))

    def _message(self, scene: Scene) -> pb.SceneMessage:
        return to_message(scene)


def people(walkers: list[Walker], at_s: float) -> BoolGrid:
    """The cover of these people: bool (rows, columns)."""
    covered = np.zeros(GRID.shape, np.bool_)
    for walker in walkers:
        top, left, rows, columns = walker.blocks(at_s)
        shape = _silhouette(rows, columns)
        first, begin = max(0, top), max(0, left)
        last, end = min(GRID.rows, top + rows), min(GRID.columns, left + columns)
        if last > first and end > begin:
            covered[first:last, begin:end] |= shape[first - top : last - top, begin - left : end - left]
    return covered


@cache
def _silhouette(rows: int, columns: int) -> NDArray[np.bool_]:
    """Upright, rounded at the corners."""
    down, across = np.mgrid[0:rows, 0:columns]
    shape: NDArray[np.bool_] = (np.abs((down + 0.5) / rows * 2 - 1) ** 3 + np.abs((across + 0.5) / columns * 2 - 1) ** 3) <= 1.05
    return shape


def _walker(random: np.random.Generator) -> Walker:
    rows = int(random.integers(8, TALLEST_BLOCKS + 1))
    return Walker(
        row=float(random.integers(20, GRID.rows - 20)),
        column=float(random.integers(0, GRID.columns)),
        rows=rows,
        columns=max(4, rows // 2),
        across=float(random.choice([-1, 1]) * random.uniform(4, 10)),
        phase=float(random.uniform(0, 6)),
    )


def cameras(count: int, busy_share: float) -> list[Camera]:
    """So many cameras; the busy ones are spread among the others."""
    return [Camera(number, int((number + 1) * busy_share) > int(number * busy_share)) for number in range(count)]
