"""How bright the bench's place is over a simulated day: a pure function of the time of day.

Belongs here: the model, and pictures under its light. Does not belong here: what comes of it.

The camera's own exposure flattens the day, so levels are half as bright at night as by day and no darker. Sunrise and sunset take two
hours, noon is a little brighter. From 8 to 19 o'clock clouds come, each taking 5 to 25 % of the light within 5 to 30 s, for three minutes
or so, the next after four; their edges take four seconds to cross the view. What is left out: noise that grows at night, lamps
and headlights, shadows that move, a camera that turns to infrared.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from privet.core.frame import Plane

COLUMNS = 64                    # strips of the picture, each lit evenly
NIGHT, NOON = 0.5, 1.05         # of the levels in the morning and the afternoon
SUNRISE_S, SUNSET_S = (5.5 * 3600, 7.5 * 3600), (19.5 * 3600, 21.5 * 3600)
CLOUDS_S = (8 * 3600, 19 * 3600)
CLOUD_S, CLEAR_S = 180.0, 240.0
DEPTH, EDGE_S, CROSSING_S = (0.05, 0.25), (5.0, 30.0), 4.0


@dataclass(frozen=True, slots=True)
class Cloud:
    """It comes from `from_s` on within `edge_s`, and goes so, too, until `to_s`; depth: of the light, what it takes."""

    from_s: float
    to_s: float
    edge_s: float
    depth: float


@cache
def clouds() -> tuple[Cloud, ...]:
    """The day's, the same every time."""
    draw = random.Random(3)
    found, at_s = [], CLOUDS_S[0] + draw.expovariate(1 / CLEAR_S)
    while at_s < CLOUDS_S[1]:
        edge_s = draw.uniform(*EDGE_S)
        to_s = at_s + 2 * edge_s + draw.expovariate(1 / CLOUD_S)
        found.append(Cloud(at_s, to_s, edge_s, draw.uniform(*DEPTH)))
        at_s = to_s + CROSSING_S + draw.expovariate(1 / CLEAR_S)
    return tuple(found)


def gains(at_s: float) -> NDArray[np.float32]:
    """What the levels above black are multiplied with, for each strip from left to right. at_s: since midnight. float32 (COLUMNS,)"""
    day = _smooth(at_s, *SUNRISE_S) * (1 - _smooth(at_s, *SUNSET_S))
    noon = _smooth(at_s, SUNRISE_S[1], 13 * 3600) * (1 - _smooth(at_s, 13 * 3600, SUNSET_S[0]))
    level = NIGHT + (1 - NIGHT) * day + (NOON - 1) * noon
    out = np.full(COLUMNS, level, np.float32)
    cloud = next((each for each in clouds() if each.from_s <= at_s <= each.to_s + CROSSING_S), None)
    if cloud is not None:
        here_s = at_s - CROSSING_S * np.arange(COLUMNS) / COLUMNS
        came = np.clip((here_s - cloud.from_s) / cloud.edge_s, 0, 1) * np.clip((cloud.to_s - here_s) / cloud.edge_s, 0, 1)
        out *= (1 - cloud.depth * came).astype(np.float32)
    return out


def _smooth(at_s: float, from_s: float, to_s: float) -> float:
    """0 before `from_s`, 1 after `to_s`, without a corner."""
    share = min(max((at_s - from_s) / (to_s - from_s), 0.0), 1.0)
    return share * share * (3 - 2 * share)


def lit_plane(plane: Plane, by: NDArray[np.float32], black: int) -> Plane:
    """A plane under that light. black: the level that stays what it is, 16 of luma, 128 of chroma."""
    levels = np.arange(256, dtype=np.float32) - black
    tables = np.clip(np.rint(levels * by[:, np.newaxis] + black), 0, 255).astype(np.uint8)
    return _looked_up(plane, tables, np.arange(plane.shape[1]) * by.size // plane.shape[1])


@njit(cache=True, nogil=True)
def _looked_up(plane: Plane, tables: NDArray[np.uint8], of_column: NDArray[np.int64]) -> Plane:
    out = np.empty_like(plane)
    rows, columns = plane.shape
    for row in range(rows):
        for column in range(columns):
            out[row, column] = tables[of_column[column], plane[row, column]]
    return out
