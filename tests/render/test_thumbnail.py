from __future__ import annotations

import io
from functools import reduce

import numpy as np
import pytest
from PIL import Image
from tests.render.places import T0, S, background, block, cover, state, texture

from privet.core.errors import NotFoundError
from privet.core.grid import Grid
from privet.core.reader import SceneView, follow
from privet.core.scene import Scene
from privet.render.caption import NOTICE
from privet.render.paint import COVER
from privet.render.thumbnail import thumbnail

GRID = Grid(320, 240)
PLACE = texture(320, 240)


def view_of(*scenes: Scene) -> SceneView:
    return reduce(follow, scenes, SceneView())


def opened(data: bytes) -> tuple[np.ndarray[tuple[int, int, int], np.dtype[np.uint8]], dict[str, object]]:
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG"
        return np.asarray(image), {str(key): value for key, value in image.info.items()}


def shown() -> SceneView:
    blocks = block(GRID, *((column, row) for column in range(10, 20) for row in range(10, 20)))
    return view_of(background(1, GRID, PLACE), cover(2, GRID, blocks), state(3, GRID))


def test_the_place_above_its_caption() -> None:
    picture, info = opened(thumbnail(shown(), 320))
    assert picture.shape[1] == 320
    assert picture.shape[0] > 240
    assert info["comment"] == NOTICE.encode()
    assert np.abs(picture[:60].astype(int) - PLACE[:60]).mean() < 4
    assert np.abs(picture[100:140, 100:140].astype(int) - COVER).max() < 12
    assert picture[242:].max() > 150


def test_scaled_but_never_up() -> None:
    small, _ = opened(thumbnail(shown(), 160))
    assert small.shape[1] == 160
    assert np.abs(small[40:80, 45:75].astype(int) - COVER).mean() < 12
    assert opened(thumbnail(shown(), 10_000))[0].shape[1] == 320
    assert opened(thumbnail(shown(), 1))[0].shape[1] == 64


def test_a_tiny_picture() -> None:
    grid = Grid(9, 5)
    picture, _ = opened(thumbnail(view_of(background(1, grid, texture(9, 5)), state(2, grid)), 400))
    assert picture.shape[1] == 9


def test_what_is_stale_is_dim() -> None:
    bright, _ = opened(thumbnail(shown(), 320, at_wall_ns=T0 + S))
    dim, _ = opened(thumbnail(shown(), 320, at_wall_ns=T0 + 60 * S))
    assert dim[:60].mean() < 0.6 * bright[:60].mean()


def test_no_picture_has_come() -> None:
    with pytest.raises(NotFoundError):
        thumbnail(view_of(state(1, None)), 320)
