"""Strategies for scene values: what a worker may say, and streams of it."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from privet.core.grid import Grid
from privet.core.scene import (
    Background,
    Condition,
    Cover,
    Head,
    ImageFormat,
    Light,
    Patch,
    Reason,
    Scene,
    State,
)

T0 = 1_700_000_000_000_000_000
WALL_NS = st.integers(0, 2**63 - 1)
EPOCHS = st.integers(0, 2**32 - 1)
GRIDS = st.builds(Grid, st.integers(1, 100), st.integers(1, 100), st.sampled_from((8, 16, 32)), EPOCHS)
MAYBE_GRIDS = st.none() | GRIDS
HEADS = st.builds(Head, st.integers(1, 2**64 - 1), st.integers(1, 2**64 - 1), WALL_NS)


@st.composite
def backgrounds(draw: st.DrawFn, heads: st.SearchStrategy[Head] = HEADS, grids: st.SearchStrategy[Grid] = GRIDS) -> Background:
    grid = draw(grids)
    proven = draw(hnp.arrays(np.bool_, grid.shape))
    if not proven.any():
        return Background(draw(heads), grid, proven, ImageFormat.WEBP, b"", 0, 0)
    oldest, newest = sorted((draw(st.integers(1, 2**63 - 1)), draw(st.integers(1, 2**63 - 1))))
    image = draw(st.binary(min_size=1, max_size=20))
    return Background(draw(heads), grid, proven, draw(st.sampled_from(ImageFormat)), image, oldest, newest)


@st.composite
def patches(draw: st.DrawFn, grid: Grid, heads: st.SearchStrategy[Head] = HEADS) -> Patch:
    column, row = draw(st.integers(0, grid.columns - 1)), draw(st.integers(0, grid.rows - 1))
    shape = (draw(st.integers(1, grid.rows - row)), draw(st.integers(1, grid.columns - column)))
    promoted = draw(hnp.arrays(np.bool_, shape))
    promoted[draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))] = True
    image = draw(st.binary(min_size=1, max_size=20))
    return Patch(draw(heads), grid.epoch, column, row, promoted, draw(st.sampled_from(ImageFormat)), image)


@st.composite
def covers(draw: st.DrawFn, grid: Grid, heads: st.SearchStrategy[Head] = HEADS) -> Cover:
    duration_ns = draw(st.integers(1, 10_000_000_000))
    return Cover(draw(heads), grid.epoch, duration_ns, draw(hnp.arrays(np.bool_, grid.shape)))


@st.composite
def lights(draw: st.DrawFn, grid: Grid, heads: st.SearchStrategy[Head] = HEADS) -> Light:
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=20))
    gain, offset = draw(hnp.arrays(np.uint8, shape)), draw(hnp.arrays(np.uint8, shape))
    return Light(draw(heads), grid.epoch, gain, offset)


@st.composite
def states(
    draw: st.DrawFn, heads: st.SearchStrategy[Head] = HEADS, grids: st.SearchStrategy[Grid | None] = MAYBE_GRIDS
) -> State:
    grid = draw(grids)
    blocks = 0 if grid is None else grid.blocks
    return State(
        draw(heads), draw(st.sampled_from(Condition)), draw(st.sampled_from(Reason)), draw(WALL_NS), grid,
        draw(st.integers(0, blocks)), draw(st.integers(0, blocks)),
    )


@st.composite
def messages(draw: st.DrawFn) -> tuple[Grid, Scene]:
    """A grid in force and one scene that fits it."""
    grid = draw(GRIDS)
    return grid, draw(st.one_of(backgrounds(), patches(grid), covers(grid), lights(grid), states()))


@st.composite
def streams(draw: st.DrawFn, longest: int = 30) -> list[Scene]:
    """What a worker may send: sequences grow by one, epochs count up, grids come with a background or a state; new sessions."""
    sent: list[Scene] = []
    session, sequence = 1, 0
    grid: Grid | None = None
    known = [Grid(16, 16, 8, 0), Grid(16, 16, 8, 1), Grid(24, 9, 8, 2)]
    for _ in range(draw(st.integers(0, longest))):
        if sequence and draw(st.integers(0, 15)) == 0:
            session, sequence, grid = session + 1, 0, None
        sequence += 1
        head = st.just(Head(session, sequence, T0 + draw(st.integers(0, 10**10))))
        kinds = ["background", "state"] if grid is None else ["background", "state", "patch", "cover", "cover", "light", "light"]
        match draw(st.sampled_from(kinds)):
            case "background":
                later = [one for one in known if grid is None or one.epoch >= grid.epoch]
                grid = draw(st.sampled_from(later)) if draw(st.integers(0, 3)) == 0 else later[0]
                sent.append(draw(backgrounds(head, st.just(grid))))
            case "state":
                later = [one for one in known if grid is None or one.epoch >= grid.epoch]
                said = draw(st.sampled_from((None, *later))) if draw(st.integers(0, 3)) == 0 else grid
                grid = said or grid
                sent.append(draw(states(head, st.just(said))))
            case "patch":
                assert grid is not None
                sent.append(draw(patches(grid, head)))
            case "cover":
                assert grid is not None
                sent.append(draw(covers(grid, head)))
            case _:
                assert grid is not None
                sent.append(draw(lights(grid, head)))
    return sent
