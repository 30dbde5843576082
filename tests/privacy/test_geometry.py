"""Somebody who stands still in a film that lies on its side, is mirrored or squeezed, as phones and old recorders store them.

One picture of the footage as a still film with light noise, so that nothing but the detectors keeps its people out of the result. What
`privet mask` proves of it must be what it proves of the same pictures stored upright.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from demo.encode import FootageMissingError, find_footage
from tests.films import EIGHT, ON_ITS_SIDE, UPRIGHT, RgbPicture, Stored, squeezed, write_film

from privet.core.grid import BoolGrid
from privet.core.pb import pipe_pb2
from privet.core.reader import SceneView, follow
from privet.core.scene import Background
from privet.core.wire import from_message
from privet.pipe.jobs import MaskSettings
from privet.worker.jobs.mask_passes import mask

PICTURE_NUMBER = 50
WINDOW_PX = (384, 144, 768, 432)                # left, top, right, bottom of the footage
SOMEBODY = np.s_[14:29, 36:42]                  # blocks of the window that a man in a dark coat takes up
SECONDS, FPS = 12, 10
ALIKE = 0.8
"""Of the blocks; the others lie at the edges of what a detector found, which noise moves."""


@cache
def still() -> RgbPicture:
    try:
        footage = find_footage()
    except FootageMissingError as error:
        pytest.skip(str(error))
    left, top, right, bottom = WINDOW_PX
    with av.open(str(footage)) as container:
        frame = next(frame for number, frame in enumerate(container.decode(video=0)) if number == PICTURE_NUMBER)
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)[top:bottom, left:right]


def masked(path: Path) -> tuple[tuple[int, int], BoolGrid]:
    """Size of the result, and what of it is proven at its end."""
    view, background = SceneView(), None

    def hear(message: pipe_pb2.WorkerMessage) -> None:
        nonlocal view, background
        if message.WhichOneof("kind") == "scene" and (scene := from_message(message.scene, view.grid)) is not None:
            view = follow(view, scene)
            background = scene if isinstance(scene, Background) else background

    mask(MaskSettings(path=path, directory=path.parent, warmed_cache_directory=path.parent), hear)
    assert background is not None
    return (background.grid.width_px, background.grid.height_px), background.proven


def film(path: Path, stored: Stored, matrix: Sequence[int] | None, aspect: Fraction | None = None) -> Path:
    """The picture for a while, with the noise of a sensor that stores it so."""
    turned = stored.stored(still())
    shown = (turned if aspect is None else squeezed(turned, aspect)).astype(np.int16)
    draw = np.random.default_rng(1)
    noisy = [np.clip(shown + draw.integers(-2, 3, shown.shape), 0, 255).astype(np.uint8) for _ in range(SECONDS * FPS)]
    return write_film(path, noisy, matrix, aspect, FPS)


@pytest.fixture(scope="module")
def upright(tmp_path_factory: pytest.TempPathFactory) -> BoolGrid:
    size_px, proven = masked(film(tmp_path_factory.mktemp("upright") / "upright.mp4", UPRIGHT, None))
    assert size_px == (384, 288)
    assert not proven[SOMEBODY].any()
    assert proven.mean() > 0.3
    return proven


def shows_what_the_upright_one_shows(path: Path, upright: BoolGrid) -> None:
    size_px, proven = masked(path)
    assert size_px == (384, 288)
    assert not proven[SOMEBODY].any(), "somebody who stands still is in the result"
    assert (proven == upright).mean() > ALIKE


def test_on_its_side(tmp_path: Path, upright: BoolGrid) -> None:
    shows_what_the_upright_one_shows(film(tmp_path / "a.mp4", ON_ITS_SIDE, ON_ITS_SIDE.matrix), upright)


def test_squeezed_to_half_its_height(tmp_path: Path, upright: BoolGrid) -> None:
    shows_what_the_upright_one_shows(film(tmp_path / "a.mp4", UPRIGHT, None, Fraction(1, 2)), upright)


@pytest.mark.slow
@pytest.mark.parametrize("stored", [each for each in EIGHT if each not in (UPRIGHT, ON_ITS_SIDE)], ids=lambda each: f"exif{each.exif}")
def test_every_orientation(tmp_path: Path, upright: BoolGrid, stored: Stored) -> None:
    shows_what_the_upright_one_shows(film(tmp_path / "a.mp4", stored, stored.matrix), upright)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stored", "aspect"), [(UPRIGHT, Fraction(4, 3)), (UPRIGHT, Fraction(2)), (ON_ITS_SIDE, Fraction(4, 3))],
    ids=["upright-4:3", "upright-2:1", "side-4:3"],
)
def test_squeezed(tmp_path: Path, upright: BoolGrid, stored: Stored, aspect: Fraction) -> None:
    """On its side, it is the stored picture's pixels that are wide."""
    matrix = None if stored is UPRIGHT else stored.matrix
    shows_what_the_upright_one_shows(film(tmp_path / "a.mp4", stored, matrix, aspect), upright)
