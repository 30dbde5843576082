"""How much could leave a worker at most: the raw capacity of every message, from the running configuration. Pure.

Belongs here: the sum of docs/ref/what-leaves.md, as code. Does not belong here: what really leaves (metrics): a compressed mean is
no bound. A message's capacity is the size of its fields as arrays of bits, whatever values they take in practice; pictures of
promoted blocks are left out, for they are what promotion lets out, and so is what is sent on a person's request and to that person alone
(`Candidate`, `Commissioned`): each request is recorded with who made it, and answered at most once in `commissioning.OFFER_EVERY_NS`
(offers) or once an offer (decisions).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from privet.core.grid import Grid
from privet.runtime.outlet import LATENCY_BOUNDS_US

WORD_BITS = 64
WALL_CLOCK_BITS = 64        # a time in ns; the sequence and the session follow from what was sent before
LIGHT_COLUMNS, LIGHT_ROWS = 16, 9
LIGHTS_PER_SECOND = 1.0
STATES_PER_SECOND = 2.0     # the heartbeat, and a change of condition between two
HEALTH_PER_SECOND = 1.0
PROMOTIONS_PER_SECOND = 1.0
LOGS_PER_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class Capacity:
    """Bits a second of one camera, at most."""

    covers: int             # the bitmaps
    cover_times: int        # when each was taken and how long it holds
    lights: int
    states: int
    promotions: int         # which blocks, not their pixels
    health: int
    logs: int

    @property
    def total(self) -> int:
        return self.covers + self.cover_times + self.lights + self.states + self.promotions + self.health + self.logs


def capacity(grid: Grid, covers_per_second: float, light_cells: int = LIGHT_COLUMNS * LIGHT_ROWS) -> Capacity:
    """Return what one camera's messages can carry.

    covers: a bit a block. light: two bytes a cell. state: condition and reason (a byte each), the cover's end, two counts, the
    grid. promotion: a bit a block twice (the promotion and its patch), time, epoch, count, layer, kind. health: a word a counter.
    log: level, code, number.
    """
    words_of_health = 20 + len(LATENCY_BOUNDS_US) + 1
    return Capacity(
        covers=ceil(grid.blocks * covers_per_second),
        cover_times=ceil((WALL_CLOCK_BITS + WORD_BITS) * covers_per_second),
        lights=ceil((light_cells * 16 + WALL_CLOCK_BITS) * LIGHTS_PER_SECOND),
        states=ceil((WALL_CLOCK_BITS + 2 * 8 + WORD_BITS + 2 * 32 + 4 * 32) * STATES_PER_SECOND),
        promotions=ceil((2 * grid.blocks + 2 * WALL_CLOCK_BITS + 4 * 32 + 4 * 32) * PROMOTIONS_PER_SECOND),
        health=ceil(words_of_health * WORD_BITS * HEALTH_PER_SECOND),
        logs=ceil((8 + 8 + WORD_BITS) * LOGS_PER_SECOND),
    )


def capacity_bits_per_second(grid: Grid, covers_per_second: float) -> int:
    """Return the sum: what a camera's worker can say in a second at most."""
    return capacity(grid, covers_per_second).total
