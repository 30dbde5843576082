"""A stream of scenes as frames of one size at a constant rate: one pass, the memory of a few pictures.

Belongs here: which moment a frame shows and how it is composed. Does not belong here: where scenes come from, how frames are
encoded (`movie`).

Frame k is about the moment from + k * step. It shows what had been said by then, and a block is covered if any cover since the
frame before had it: at sixty times the speed nobody slips between two frames. Order is the stream's; a message whose wall time
lies ahead waits for its moment, one whose wall time went back acts at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from itertools import chain, islice

import numpy as np
from PIL import Image

from privet.core.errors import NotFoundError, WireError
from privet.core.grid import BoolGrid
from privet.core.reader import SceneView, follow
from privet.core.scene import Background, Cover, Light, Scene, State
from privet.render.caption import Caption, caption, dimmed, strip
from privet.render.freshness import words
from privet.render.paint import Picture, render
from privet.render.picture import Painted, Pictures

_LOOK_AHEAD = 4096
"""How many messages may come before the first that tells the picture's size: an hour of heartbeats and more."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is painted: [from, to), a frame every step of the place's time."""

    from_wall_ns: int
    to_wall_ns: int
    step_ns: int

    def __post_init__(self) -> None:
        if self.step_ns <= 0 or self.to_wall_ns <= self.from_wall_ns:
            raise ValueError(f"span from {self.from_wall_ns} to {self.to_wall_ns} ns in steps of {self.step_ns}")

    @property
    def frames(self) -> int:
        return -(-(self.to_wall_ns - self.from_wall_ns) // self.step_ns)


class Painter:
    """Paints a span of one camera's scenes.

    Raises:
        NotFoundError: in the constructor: the scenes tell of no picture at all.
    """

    def __init__(self, scenes: Iterable[Scene], span: Span, *, camera: str = "", zone: tzinfo | None = UTC) -> None:
        self._span = span
        self._camera = camera
        self._zone = zone
        self._pictures = Pictures(limit_bytes=0)  # only the one in force
        self._picture_px, self._scenes = _picture_px(scenes)
        width, height = self._picture_px
        self._area_px = (width + width % 2, height + height % 2)
        strip_px = strip(caption(camera, 0, 0, zone), self._area_px[0]).shape[0]
        self._size_px = (self._area_px[0], self._area_px[1] + strip_px + strip_px % 2)

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of every frame: even, the caption's strip included."""
        return self._size_px

    @property
    def frames(self) -> int:
        return self._span.frames

    def __iter__(self) -> Iterator[Picture]:
        """Yield `frames` pictures: uint8 (height, width, 3), valid until the next is asked for."""
        return (picture for picture, _ in self.paint())

    def paint(self) -> Iterator[tuple[Picture, bool]]:
        """As iteration, and whether each picture differs from the one before: where nothing moves most do not."""
        view = SceneView()
        canvas = np.zeros((self._size_px[1], self._size_px[0], 3), np.uint8)
        last_place: _Place | None = None
        last_caption: Caption | None = None
        waiting = next(self._scenes, None)
        for number in range(self._span.frames):
            at_ns = self._span.from_wall_ns + number * self._span.step_ns
            swept: BoolGrid | None = None
            while waiting is not None and waiting.head.wall_ns <= at_ns:
                grid, view = view.grid, follow(view, waiting)
                if view.grid != grid:
                    swept = None
                if isinstance(waiting, Cover) and view.cover is waiting:
                    swept = waiting.covered if swept is None else swept | waiting.covered
                waiting = next(self._scenes, None)
            place = self._place(view, swept, at_ns)
            changed = last_place is None or not place.looks_like(last_place)
            if changed:
                self._draw(place, canvas[: self._area_px[1]])
                last_place = place
            said = caption(self._camera, at_ns, view.proven_since_wall_ns(), self._zone)
            if said != last_caption:
                line = strip(said, self._size_px[0])
                canvas[self._area_px[1] : self._area_px[1] + line.shape[0]] = line
                last_caption = said
                changed = True
            yield canvas, changed

    def _place(self, view: SceneView, swept: BoolGrid | None, at_ns: int) -> _Place:
        said = words(view, at_ns)
        if view.grid is None:
            return _Place(None, None, None, said)
        try:
            painted = self._pictures.decode_view(view)
        except WireError:
            # One damaged picture is no reason to withhold the covers: the place is drawn as unproven, and says so.
            painted = self._pictures.decode_view(replace(view, background=None, patches=()))
            said = "the background's picture is damaged"
        cover = None if view.cover is None else view.cover.covered
        if cover is not None and swept is not None:
            cover = swept
        return _Place(painted, cover, view.light, said)

    def _draw(self, place: _Place, area: Picture) -> None:
        """Draw the place into the film's area: padded with black to even sides, scaled if the picture's size has changed."""
        if place.painted is None:
            area[:] = dimmed(np.zeros_like(area), place.said)
            return
        painted = place.painted
        shown = render(painted.picture, painted.proven, place.cover, place.light, painted.grid)
        if (painted.grid.width_px, painted.grid.height_px) != self._picture_px:
            image = Image.fromarray(shown)
            image.thumbnail(self._picture_px, Image.Resampling.BOX)
            shown = np.asarray(image, np.uint8)
        if place.said:
            shown = dimmed(shown, place.said)
        height, width, _ = shown.shape
        area[:height, :width] = shown
        area[height:] = 0
        area[:height, width:] = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """What a frame's picture is made of."""

    painted: Painted | None
    cover: BoolGrid | None
    light: Light | None
    said: str

    def looks_like(self, other: _Place) -> bool:
        """True if it certainly draws the same."""
        same_cover = self.cover is other.cover or (
            self.cover is not None and other.cover is not None and np.array_equal(self.cover, other.cover)
        )
        return self.painted is other.painted and self.light is other.light and self.said == other.said and same_cover


def _picture_px(scenes: Iterable[Scene]) -> tuple[tuple[int, int], Iterator[Scene]]:
    """The size of the first picture that is told of, and all the scenes."""
    ahead: list[Scene] = []
    rest = iter(scenes)
    for scene in islice(rest, _LOOK_AHEAD):
        ahead.append(scene)
        if isinstance(scene, Background | State) and scene.grid is not None:
            return (scene.grid.width_px, scene.grid.height_px), chain(ahead, rest)
    raise NotFoundError("no picture was recorded in that span")
