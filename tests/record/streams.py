"""Scene streams for tests: a camera that says what a worker would, from a seed, on a fake clock."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from privet.core.clock import NS_PER_S, FakeClock
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.record.disk import Disk, LocalDisk, OutFile
from privet.record.recorder import RecorderCore, RecordSettings
from privet.record.recording import RecordingInfo
from privet.record.store import DirectoryFile

CAMERA = CameraId("front")
NOON = 1_714_564_800 * NS_PER_S  # 2024-05-01 12:00 UTC
MS = 1_000_000


@dataclass
class Camera:
    """Makes messages with heads in order."""

    seed: int = 0
    columns: int = 96
    rows: int = 72
    session: int = 7
    sequence: int = 0
    epoch: int = 0
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def head(self, wall_ns: int) -> pb.Head:
        self.sequence += 1
        return pb.Head(session=self.session, sequence=self.sequence, wall_ns=wall_ns)

    def grid(self) -> pb.Grid:
        return pb.Grid(width_px=self.columns * 8, height_px=self.rows * 8, block_px=8, epoch=self.epoch)

    def bitmap(self, blocks: Iterable[int]) -> bytes:
        bits = bytearray(-(-self.columns * self.rows // 8))
        for block in blocks:
            bits[block // 8] |= 0x80 >> block % 8
        return bytes(bits)

    def background(self, wall_ns: int, image_bytes: int = 2000, proven: Iterable[int] | None = None) -> pb.SceneMessage:
        """proven: all blocks unless said."""
        blocks = range(self.columns * self.rows) if proven is None else proven
        background = pb.Background(
            head=self.head(wall_ns), grid=self.grid(), proven=self.bitmap(blocks), format=pb.IMAGE_FORMAT_WEBP,
            image=self.random.randbytes(image_bytes), oldest_wall_ns=1, newest_wall_ns=wall_ns,
        )
        return pb.SceneMessage(background=background)

    def patch(self, wall_ns: int) -> pb.SceneMessage:
        patch = pb.Patch(
            head=self.head(wall_ns), epoch=self.epoch, column=self.random.randrange(self.columns), columns=1,
            row=self.random.randrange(self.rows), rows=1, promoted=b"\x80", format=pb.IMAGE_FORMAT_WEBP,
            image=self.random.randbytes(80),
        )
        return pb.SceneMessage(patch=patch)

    def light(self, wall_ns: int) -> pb.SceneMessage:
        gain = self.random.randbytes(144)
        light = pb.Light(head=self.head(wall_ns), epoch=self.epoch, columns=16, rows=9, gain=gain, offset=bytes(144))
        return pb.SceneMessage(light=light)

    def cover(self, wall_ns: int, blocks: set[int] | None = None, duration_ns: int = 200 * MS) -> pb.SceneMessage:
        bits = self.bitmap(blocks or ())
        cover = pb.Cover(head=self.head(wall_ns), epoch=self.epoch, duration_ns=duration_ns, bits=bits)
        return pb.SceneMessage(cover=cover)

    def state(
        self, wall_ns: int, condition: pb.Condition.ValueType = pb.CONDITION_AWAKE, until_ns: int = 0, grid: bool = True
    ) -> pb.SceneMessage:
        state = pb.State(
            head=self.head(wall_ns), condition=condition, reason=pb.REASON_NONE, cover_until_wall_ns=until_ns,
            grid=self.grid() if grid else None, proven_blocks=5,
        )
        return pb.SceneMessage(state=state)

    def quiet(self, from_ns: int, seconds: int) -> Iterator[pb.SceneMessage]:
        """A heartbeat a second."""
        return (self.state(from_ns + second * NS_PER_S) for second in range(seconds))

    def busy(self, from_ns: int, seconds: float, people: int = 3, patches: bool = True) -> Iterator[pb.SceneMessage]:
        """A background, then five covers, a state and a light a second, and a patch now and then; people walk."""
        yield self.state(from_ns)
        yield self.background(from_ns)
        yield self.light(from_ns)
        walkers = [
            [self.random.uniform(0, self.columns), self.random.uniform(10, self.rows - 10), self.random.uniform(-2, 2)]
            for _ in range(people)
        ]
        for tick in range(int(seconds * 5)):
            wall_ns = from_ns + tick * NS_PER_S // 5
            covered: set[int] = set()
            for walker in walkers:
                walker[0] = (walker[0] + walker[2] / 5) % self.columns
                walker[1] += self.random.uniform(-0.3, 0.3)
                for row in range(12):
                    half = 2 + (row * 7 + tick) % 3
                    for column in range(-half, half):
                        x, y = int(walker[0]) + column, int(walker[1]) + row - 6
                        if 0 <= x < self.columns and 0 <= y < self.rows:
                            covered.add(y * self.columns + x)
            yield self.cover(wall_ns, covered)
            if tick % 5 == 0:
                yield self.state(wall_ns)
                if self.random.random() < 0.3:
                    yield self.light(wall_ns)
                if patches and self.random.random() < 0.1:
                    yield self.patch(wall_ns)


def file_of(path: Path) -> DirectoryFile:
    """A file as a store opens it."""
    return DirectoryFile(os.open(path, os.O_RDONLY))


def wall_of(message: pb.SceneMessage) -> int:
    kind = message.WhichOneof("kind")
    assert kind is not None
    head = getattr(message, kind).head
    assert isinstance(head, pb.Head)
    return head.wall_ns


@dataclass
class Heard:
    """An announcement's receiver that remembers."""

    opened_paths: list[str] = field(default_factory=list)
    closed_recordings: list[RecordingInfo] = field(default_factory=list)
    summaries: list[pb.Summary] = field(default_factory=list)

    def opened(self, recording: RecordingInfo) -> None:
        self.opened_paths.append(recording.path)

    def summarised(self, camera: CameraId, summary: pb.Summary) -> None:
        self.summaries.append(summary)

    def closed(self, recording: RecordingInfo) -> None:
        self.closed_recordings.append(recording)


@dataclass
class Bench:
    """A recorder without a thread on a fake clock."""

    directory: Path
    clock: FakeClock = field(default_factory=lambda: FakeClock(wall=NOON))
    heard: Heard = field(default_factory=Heard)
    disk: Disk = field(default_factory=LocalDisk)
    core: RecorderCore = field(init=False)

    def __post_init__(self) -> None:
        self.core = RecorderCore(self.directory, self.heard, self.clock, RecordSettings(), self.disk)

    def play(
        self, messages: Iterator[pb.SceneMessage] | list[pb.SceneMessage], camera: CameraId = CAMERA,
        after: Callable[[], None] = lambda: None,
    ) -> list[pb.SceneMessage]:
        """Hand over each message when its time has come; the clocks move along. Returns them."""
        played = []
        for message in messages:
            step_ns = wall_of(message) - self.clock.wall
            if step_ns > 0:
                self.clock.advance(step_ns)
            self.core.take(camera, message)
            self.core.tick()
            after()
            played.append(message)
        return played


@dataclass
class FlakyDisk:
    """A disk that holds `capacity_bytes`; writing beyond fails half-way, as a full disk does, and so does `error_number`."""

    capacity_bytes: int | None = None
    error_number: int = 28
    used_bytes: int = 0
    inner: LocalDisk = field(default_factory=LocalDisk)
    before_append: Callable[[], None] = lambda: None

    def create(self, path: Path) -> OutFile:
        if self.capacity_bytes is not None and self.used_bytes >= self.capacity_bytes:
            raise OSError(self.error_number, "No space left on device")
        return FlakyFile(self, self.inner.create(path))

    def remove(self, path: Path) -> None:
        self.inner.remove(path)


@dataclass
class FlakyFile:
    disk: FlakyDisk
    inner: OutFile
    size_bytes: int = 0

    def append(self, data: bytes) -> None:
        self.disk.before_append()
        room = len(data) if self.disk.capacity_bytes is None else self.disk.capacity_bytes - self.disk.used_bytes
        part = data[: max(room, 0)]
        self.inner.append(part)
        self.disk.used_bytes += len(part)
        self.size_bytes += len(part)
        if len(part) < len(data):
            raise OSError(self.disk.error_number, "No space left on device")

    def sync(self) -> None:
        self.inner.sync()

    def truncate(self, size_bytes: int) -> None:
        self.inner.truncate(size_bytes)
        self.disk.used_bytes -= self.size_bytes - size_bytes
        self.size_bytes = size_bytes

    def close(self) -> None:
        self.inner.close()
