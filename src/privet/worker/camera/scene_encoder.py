"""Puts what the analyst saw into scene messages: numbering, what is said again and when, what is left out.

Belongs here: the order and rate of scene messages, as pure as an object with a counter can be. Does not belong here: live frames (an
`Observation` holds none), threads, the pipe. Whatever leaves a camera as a picture is encoded here, from the proven background alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.grid import BoolGrid, Grid
from privet.core.scene import Background, Condition, Cover, Head, ImageFormat, Light, Patch, Reason, Scene, State
from privet.pipe.allowance import Allowance
from privet.scene.background_image import bounding_rectangle, encode_webp, to_rgb
from privet.scene.proof.promote import ProvenBackground

SAY_COVER_AGAIN_NS = 5 * NS_PER_S
CHANGES_AT_ONCE = 10        # of the condition; one that comes too soon is said with the next frame or heartbeat
COVERS_AT_ONCE = 2          # of two slots, at the end of one and at the beginning of the next
QUIET_BEFORE_WHOLE_NS = 10 * NS_PER_S
WHOLE_AT_LEAST_EVERY_NS = 600 * NS_PER_S
PATCHED_SHARE_FOR_WHOLE = 0.25
MOST_PATCHES = 1000  # a reader keeps no more than core.reader.MAX_PATCHES


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is to be said of one frame; the part of an `Observation` that goes out. Arrays are bool (rows, columns)."""

    wall_ns: int
    monotonic_ns: int
    condition: Condition
    reason: Reason
    cover: BoolGrid
    light: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None
    promoted: BoolGrid | None
    new_grid: bool


class SceneEncoder:
    """The scene messages of one session. A function of what it is told: no clock, no randomness of its own."""

    def __init__(self, session: int, slot_ns: int) -> None:
        """session: not 0. slot_ns: how long a cover is good for."""
        self._session = session
        self._slot_ns = slot_ns
        self._sequence = 0
        self._condition = Condition.STARTING
        self._reason = Reason.NONE
        self._condition_said = (self._condition, self._reason)
        self._changes: Allowance | None = None
        self._cover: BoolGrid | None = None
        self._covers: Allowance | None = None
        self._cover_said_ns = 0
        self._cover_until_wall_ns = 0
        self._light: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None
        self._patched_blocks = 0
        self._patches = 0
        self._last_patch_ns = 0
        self._whole_said_ns = 0

    @property
    def condition(self) -> tuple[Condition, Reason]:
        return self._condition, self._reason

    def _head(self, wall_ns: int) -> Head:
        self._sequence += 1
        return Head(self._session, self._sequence, wall_ns)

    def begin(self, background: ProvenBackground | None, blind: int, wall_ns: int, monotonic_ns: int) -> list[Scene]:
        """The session's first messages: the state, and the background where one is known from before."""
        said: list[Scene] = [self.heartbeat(background, blind, wall_ns)]
        if background is not None:
            said.append(self.whole(background, wall_ns, monotonic_ns))
        return said

    def tell(self, seen: Seen, background: ProvenBackground, blind: int) -> list[Scene]:
        """The messages for one analysed frame, in the order in which a reader wants them."""
        said: list[Scene] = []
        if seen.new_grid:
            self._cover, self._light = None, None
            said.append(self.heartbeat(background, blind, seen.wall_ns))
            said.append(self.whole(background, seen.wall_ns, seen.monotonic_ns))
        if (seen.condition, seen.reason) != (self._condition, self._reason):
            self._condition, self._reason = seen.condition, seen.reason
        if self._condition_is_due(seen.monotonic_ns):
            said.append(self.heartbeat(background, blind, seen.wall_ns))
        if seen.promoted is not None and self._patches < MOST_PATCHES:
            said.append(self._patch(background, seen.promoted, seen.wall_ns, seen.monotonic_ns))
        elif seen.promoted is not None or self._whole_is_due(background, seen.monotonic_ns):
            said.append(self.whole(background, seen.wall_ns, seen.monotonic_ns))
        if seen.light is not None:
            self._light = seen.light
            said.append(Light(self._head(seen.wall_ns), background.grid.epoch, *seen.light))
        if self._cover_is_due(seen):
            self._cover = seen.cover.copy()
            self._cover_said_ns = seen.monotonic_ns
            said.append(Cover(self._head(seen.wall_ns), background.grid.epoch, self._slot_ns, self._cover))
        if self._cover is not None and np.array_equal(self._cover, seen.cover):
            self._cover_until_wall_ns = seen.wall_ns + self._slot_ns
        return said

    def _condition_is_due(self, monotonic_ns: int) -> bool:
        """A condition that is not the one said last, unless it changed about as often as covers may: a camera makes it change at will."""
        if (self._condition, self._reason) == self._condition_said:
            return False
        if self._changes is None:
            self._changes = Allowance(NS_PER_S / self._slot_ns, CHANGES_AT_ONCE, monotonic_ns)
        return self._changes.take(monotonic_ns)

    def _cover_is_due(self, seen: Seen) -> bool:
        """A cover that changed, or has not been said for a while. More than one a slot is not said: its number is what can leave most."""
        unchanged = self._cover is not None and np.array_equal(self._cover, seen.cover)
        if unchanged and seen.monotonic_ns - self._cover_said_ns < SAY_COVER_AGAIN_NS:
            return False
        if self._covers is None:
            self._covers = Allowance(NS_PER_S / self._slot_ns, COVERS_AT_ONCE, seen.monotonic_ns)
        return self._covers.take(seen.monotonic_ns)

    def offline(self, condition: Condition, reason: Reason) -> None:
        """The camera is not delivering; said with the next heartbeat."""
        self._condition, self._reason = condition, reason
        self._cover_until_wall_ns = 0

    def heartbeat(self, background: ProvenBackground | None, blind: int, wall_ns: int) -> State:
        """What is said once a second, and whenever the condition changes. The last cover holds until its frame's slot is over."""
        self._condition_said = (self._condition, self._reason)
        grid: Grid | None = None if background is None else background.grid
        proven = 0 if background is None else int(np.count_nonzero(background.proven))
        # Asleep, what was seen last holds until something else is said, be it said late: then it is about a time before this one.
        until_ns = max(self._cover_until_wall_ns, wall_ns) if self._condition is Condition.ASLEEP else self._cover_until_wall_ns
        return State(self._head(wall_ns), self._condition, self._reason, until_ns, grid, proven, blind)

    def whole(self, background: ProvenBackground, wall_ns: int, monotonic_ns: int) -> Background:
        """The background as one picture."""
        self._patched_blocks = 0
        self._patches = 0
        self._whole_said_ns = monotonic_ns
        grid, proven = background.grid, background.proven
        image = b""
        times = background.proven_wall_ns[proven]
        if times.size:
            image = encode_webp(to_rgb(background, proven, (0, 0, grid.rows, grid.columns)))
        oldest, newest = (int(times.min()), int(times.max())) if times.size else (0, 0)
        return Background(self._head(wall_ns), grid, proven.copy(), ImageFormat.WEBP, image, oldest, newest)

    def light_again(self, epoch: int, wall_ns: int) -> list[Scene]:
        """The light in force, for a reader that lost the thread."""
        return [] if self._light is None else [Light(self._head(wall_ns), epoch, *self._light)]

    def _patch(self, background: ProvenBackground, promoted: BoolGrid, wall_ns: int, monotonic_ns: int) -> Patch:
        self._patched_blocks += int(promoted.sum())
        self._patches += 1
        self._last_patch_ns = monotonic_ns
        row, column, rows, columns = rectangle = bounding_rectangle(promoted)
        image = encode_webp(to_rgb(background, promoted, rectangle))
        inside = promoted[row : row + rows, column : column + columns].copy()
        return Patch(self._head(wall_ns), background.grid.epoch, column, row, inside, ImageFormat.WEBP, image)

    def _whole_is_due(self, background: ProvenBackground, monotonic_ns: int) -> bool:
        """A background in one picture is smaller and has no seams: said when many blocks are new and no more come, or after a while."""
        if not self._patched_blocks or monotonic_ns - self._last_patch_ns < QUIET_BEFORE_WHOLE_NS:
            return False
        many = self._patched_blocks >= PATCHED_SHARE_FOR_WHOLE * int(background.proven.sum())
        return many or monotonic_ns - self._whole_said_ns >= WHOLE_AT_LEAST_EVERY_NS
