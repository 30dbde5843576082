"""What is in force at a point of a scene stream: background, patches since, light, cover, state, as undecoded messages.

The rules are those of `core.reader.follow`; a recorder copies pictures and bitmaps, it does not unpack them, so this one looks
at heads, epochs and grids only. tests/record holds the two equal.
"""

from __future__ import annotations

from privet.core.pb import scene_pb2 as pb
from privet.core.reader import MAX_PATCHES

GridKey = tuple[int, int, int, int]
"""(width_px, height_px, block_px, epoch)"""


class StreamState:
    """What a reader knows after the messages it was given."""

    __slots__ = ("background", "cover", "grid", "light", "patches", "session", "state")

    session: int
    grid: GridKey | None
    background: pb.SceneMessage | None
    patches: list[pb.SceneMessage]
    light: pb.SceneMessage | None
    cover: pb.SceneMessage | None
    state: pb.SceneMessage | None

    def __init__(self) -> None:
        self.session = 0
        self._forget()

    def take(self, message: pb.SceneMessage) -> bool:
        """Follow one message; return whether it acted: one that does not may as well not have been sent."""
        head = head_of(message)
        if head is None:
            return False
        if head.session != self.session:
            self.session = head.session
            self._forget()
        match message.WhichOneof("kind"):
            case "cover":
                if not self._fits(message.cover.epoch) or not _newer(head, self.cover):
                    return False
                self.cover = message
            case "state":
                return self._state(head, message)
            case "light":
                if not self._fits(message.light.epoch) or not _newer(head, self.light):
                    return False
                self.light = message
            case "patch":
                last = self.patches[-1] if self.patches else self.background
                full = len(self.patches) >= MAX_PATCHES
                if last is None or full or not self._fits(message.patch.epoch) or not _newer(head, last):
                    return False
                self.patches.append(message)
            case _:
                return self._background(head, message)
        return True

    def messages(self) -> tuple[pb.SceneMessage, ...]:
        """Return the messages that lead a new reader here, in the order it takes them: who brings the grid comes first."""
        order: tuple[pb.SceneMessage | None, ...]
        if self.background is not None:
            order = (self.background, *self.patches, self.light, self.cover, self.state)
        elif self.state is not None and self.state.state.HasField("grid"):
            order = (self.state, self.light, self.cover)
        else:  # without a grid nobody could read the light or the cover
            order = (self.state,)
        return tuple(message for message in order if message is not None)

    def _forget(self) -> None:
        self.grid = None
        self.state = None
        self._forget_pictures()

    def _forget_pictures(self) -> None:
        self.background = None
        self.patches = []
        self.light = None
        self.cover = None

    def _background(self, head: pb.Head, message: pb.SceneMessage) -> bool:
        if not _newer(head, self.background):
            return False
        grid = grid_key(message.background.grid)
        if grid != self.grid:
            if self.grid is not None and self.background is None and not _newer(head, self.state):
                return False
            self._forget_pictures()
        self.grid, self.background, self.patches = grid, message, []
        return True

    def _state(self, head: pb.Head, message: pb.SceneMessage) -> bool:
        if not _newer(head, self.state):
            return False
        self.state = message
        if message.state.HasField("grid") and grid_key(message.state.grid) != self.grid and _newer(head, self.background):
            self._forget_pictures()
            self.grid = grid_key(message.state.grid)
        return True

    def _fits(self, epoch: int) -> bool:
        return self.grid is not None and self.grid[3] == epoch


def head_of(message: pb.SceneMessage) -> pb.Head | None:
    """Return a message's head; None for a kind that this version does not know."""
    match message.WhichOneof("kind"):
        case "cover":
            return message.cover.head
        case "state":
            return message.state.head
        case "light":
            return message.light.head
        case "patch":
            return message.patch.head
        case "background":
            return message.background.head
        case _:
            return None


def grid_key(grid: pb.Grid) -> GridKey:
    """Return a grid as a comparable value."""
    return (grid.width_px, grid.height_px, grid.block_px, grid.epoch)


def _newer(head: pb.Head, than: pb.SceneMessage | None) -> bool:
    if than is None:
        return True
    other = head_of(than)
    return other is None or head.sequence > other.sequence
