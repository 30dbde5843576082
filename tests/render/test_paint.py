from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from tests.render.places import everything, head, light, nothing, texture
from vectors import make

from privet.core import wire
from privet.core.errors import WireError
from privet.core.grid import BoolGrid, Grid
from privet.core.reader import SceneView, follow
from privet.core.scene import Light
from privet.render.paint import COVER, COVER_UNPROVEN, UNPROVEN, Picture, render, render_reference
from privet.render.picture import Pictures

VECTORS = Path(make.__file__).parent / "render"
GRIDS = st.builds(Grid, st.integers(1, 70), st.integers(1, 70), st.sampled_from((8, 16, 32)))


@st.composite
def lights(draw: st.DrawFn) -> Light:
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))
    return Light(head(1), 0, draw(hnp.arrays(np.uint8, shape)), draw(hnp.arrays(np.uint8, shape)))


@st.composite
def places(draw: st.DrawFn) -> tuple[Grid, Picture, BoolGrid, BoolGrid | None, Light | None]:
    grid = draw(GRIDS)
    seed = draw(st.integers(0, 2**32 - 1))
    picture = np.random.default_rng(seed).integers(0, 256, (grid.height_px, grid.width_px, 3), dtype=np.uint8)
    proven = draw(hnp.arrays(np.bool_, grid.shape))
    return grid, picture, proven, draw(st.none() | hnp.arrays(np.bool_, grid.shape)), draw(st.none() | lights())


@given(places())
def test_the_kernel_draws_as_the_reference(place: tuple[Grid, Picture, BoolGrid, BoolGrid | None, Light | None]) -> None:
    grid, picture, proven, cover, said = place
    before = picture.copy()
    shown = render(picture, proven, cover, said, grid)
    assert shown.dtype == np.uint8
    assert np.array_equal(shown, render_reference(picture, proven, cover, said, grid))
    assert np.array_equal(picture, before)


@given(places(), st.integers(0, 2**32 - 1))
def test_pixels_of_unproven_and_covered_blocks_are_never_seen(
    place: tuple[Grid, Picture, BoolGrid, BoolGrid | None, Light | None], seed: int
) -> None:
    grid, picture, proven, cover, said = place
    hidden = ~proven if cover is None else ~proven | cover
    pixels = np.repeat(np.repeat(hidden, grid.block_px, 0), grid.block_px, 1)[: grid.height_px, : grid.width_px]
    other = picture.copy()
    other[pixels] = np.random.default_rng(seed).integers(0, 256, (int(pixels.sum()), 3), dtype=np.uint8)
    shown = render(picture, proven, cover, said, grid)
    assert np.array_equal(shown, render(other, proven, cover, said, grid))
    colours = {tuple(int(level) for level in pixel) for pixel in shown[pixels]}
    assert colours <= {UNPROVEN, COVER, COVER_UNPROVEN}


@given(GRIDS)
def test_level_light_changes_nothing(grid: Grid) -> None:
    picture = texture(grid.width_px, grid.height_px)
    level = light(1, grid, [[128, 128]], [[128, 128]])
    assert np.array_equal(render(picture, everything(grid), None, level, grid), picture)


def test_a_strided_and_a_read_only_picture() -> None:
    grid = Grid(20, 12)
    wide = texture(40, 12)
    picture = wide[:, ::2]
    shown = render(picture, everything(grid), None, light(1, grid, [[140]], [[120]]), grid)
    sealed = np.ascontiguousarray(picture)
    sealed.flags.writeable = False
    assert np.array_equal(shown, render(sealed, everything(grid), None, light(1, grid, [[140]], [[120]]), grid))
    assert np.array_equal(render(sealed, everything(grid), nothing(grid), None, grid), sealed)


@pytest.mark.parametrize("wrong", ["picture", "proven", "cover"])
def test_shapes_that_do_not_fit_are_refused(wrong: str) -> None:
    grid = Grid(20, 12)
    picture = texture(20, 13 if wrong == "picture" else 12)
    small = np.ones((1, 3), np.bool_)
    with pytest.raises(ValueError, match="grid"):
        render(
            picture, small if wrong == "proven" else everything(grid), small if wrong == "cover" else None, None, grid
        )


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / name).read_text())["cases"]
    return found


def by_name(case: dict[str, Any]) -> str:
    return str(case["name"])


def followed(case: dict[str, Any]) -> SceneView:
    view = SceneView()
    for message in case["messages"]:
        scene = wire.decode(bytes.fromhex(message), view.grid)
        assert scene is not None
        view = follow(view, scene)
    return view


@pytest.mark.parametrize("case", cases("cases.json"), ids=by_name)
def test_vector(case: dict[str, Any]) -> None:
    view = followed(case)
    painted = Pictures().decode_view(view)
    shown = render(painted.picture, painted.proven, None if view.cover is None else view.cover.covered, view.light, painted.grid)
    with Image.open(io.BytesIO((VECTORS / case["picture"]).read_bytes())) as image:
        expected = np.asarray(image)
    assert shown.shape == (case["height_px"], case["width_px"], 3)
    difference = np.abs(shown.astype(int) - expected.astype(int))
    # The vectors are drawn in double precision: where a level lies on the edge between two, single precision may fall to the other.
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.001


@pytest.mark.parametrize("case", cases("bad.json"), ids=by_name)
def test_bad_vector(case: dict[str, Any]) -> None:
    with pytest.raises(WireError, match="image"):
        Pictures().decode_view(followed(case))
