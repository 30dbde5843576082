"""A guard's visit in a real browser to a real site: what is drawn is the background and silhouettes, and the past can be scrubbed."""

from __future__ import annotations

import io
import itertools
import re
import time

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.e2e.browser import ARTEFACTS, Pixels, Visit
from tests.e2e.site import Site

from privet.render.paint import COVER, COVER_UNPROVEN, UNPROVEN

pytestmark = [pytest.mark.browser, pytest.mark.rtsp]

Mask = NDArray[np.bool_]

CELL_PX = 16
SHOWN_WITHIN_S = 60.0


def painted(picture: Pixels, colour: tuple[int, int, int], tolerance: int = 3) -> Mask:
    """Which pixels have a flat colour: bool (height, width)."""
    difference = np.abs(picture.astype(np.int16) - np.array(colour, np.int16))
    return np.asarray((difference <= tolerance).all(axis=2))


def flat(picture: Pixels, tolerance: int = 3) -> Mask:
    return painted(picture, COVER, tolerance) | painted(picture, UNPROVEN, tolerance) | painted(picture, COVER_UNPROVEN, tolerance)


def snapshot(site: Site, width_px: int, height_px: int, at_ms: int | None = None) -> Pixels:
    """The masked picture as the API draws it, at a canvas' size, without the caption below it.

    Now: once the place is drawn as it is. On a machine that is behind, a camera may be silent for a moment, and is dimmed then.
    """
    grid = site.states()["gate"].grid
    assert grid is not None
    query = {"width": width_px} if at_ms is None else {"width": width_px, "at_ms": at_ms}
    until_s = time.monotonic() + SHOWN_WITHIN_S
    with site.client() as client:
        answer = client.get("/api/cameras/gate/snapshot.jpg", params=query).raise_for_status()
        while (freshness := answer.headers["x-privet-freshness"]) != "shown" and at_ms is None:
            assert time.monotonic() < until_s, f"the camera is still {freshness}"
            time.sleep(0.5)
            answer = client.get("/api/cameras/gate/snapshot.jpg", params=query).raise_for_status()
    image = Image.open(io.BytesIO(answer.content)).convert("RGB")
    place = image.crop((0, 0, image.width, round(grid.height_px * image.width / grid.width_px)))
    return np.asarray(place.resize((width_px, height_px)))


def cells(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means over cells of CELL_PX: (rows, columns)."""
    rows, columns = picture.shape[0] // CELL_PX, picture.shape[1] // CELL_PX
    cut = picture[: rows * CELL_PX, : columns * CELL_PX]
    return np.asarray(cut.reshape(rows, CELL_PX, columns, CELL_PX).mean(axis=(1, 3)))


def difference_where_background(one: Pixels, other: Pixels) -> NDArray[np.float64]:
    """Mean absolute differences of the cells that neither picture paints flat: a vector."""
    both = np.abs(one.astype(np.float64) - other.astype(np.float64)).mean(axis=2)
    is_flat = (flat(one, 12) | flat(other, 12)).astype(np.float64)
    return cells(both)[cells(is_flat) < 0.05]


def test_nothing_went_wrong_in_the_browser(visit: Visit) -> None:
    assert visit.problems == []


def test_every_tile_is_named_and_says_what_it_shows(visit: Visit) -> None:
    assert len(visit.labels) == 3
    for name, label in zip(["Gate", "Yard", "Dock"], visit.labels, strict=True):
        assert name in label
        assert "econstruction, not video" in label


def test_the_wall_shows_silhouettes_that_move(visit: Visit) -> None:
    pictures = [shown.pixels() for shown in visit.wall]
    assert all(picture.shape[1] >= 320 for picture in pictures)
    covered = [painted(picture, COVER) | painted(picture, COVER_UNPROVEN) for picture in pictures]
    assert sum(mask.mean() > 0.002 for mask in covered) >= len(covered) // 2, "hardly any silhouette was drawn"
    assert max(painted(picture, COVER).mean() for picture in pictures) > 0.002, "none of them where the place is proven"
    moved = [np.count_nonzero(a != b) for a, b in itertools.pairwise(covered)]
    assert sum(count > 0 for count in moved) >= len(moved) // 2, "silhouettes stand still"


def test_elsewhere_the_wall_shows_the_background(site: Site, visit: Visit) -> None:
    picture = visit.wall[-1].pixels()
    assert flat(picture).mean() < 0.6, "the place has hardly appeared"
    height_px, width_px = picture.shape[:2]
    away = difference_where_background(picture, snapshot(site, width_px, height_px))
    assert away.size > cells(picture[:, :, 0].astype(np.float64)).size / 10, "hardly anything to compare"
    assert np.quantile(away, 0.95) < 12, f"95 % of cells within {np.quantile(away, 0.95):.1f} levels"


def test_the_past_is_drawn_as_the_reference_draws_it(site: Site, visit: Visit) -> None:
    for moment in visit.moments:
        picture = moment.pixels()
        height_px, width_px = picture.shape[:2]
        reference = snapshot(site, width_px, height_px, moment.atMs)
        for name, shown in (("browser", picture), ("reference", reference)):
            Image.fromarray(shown).save(ARTEFACTS / f"past-{moment.atMs}-{name}.png")
        away = difference_where_background(picture, reference)
        assert away.size > cells(picture[:, :, 0].astype(np.float64)).size / 10, "hardly anything to compare"
        assert np.quantile(away, 0.95) < 8, f"95 % of cells within {np.quantile(away, 0.95):.1f} levels"
        # The same blocks are covered: all but what lies at their edges, where scaling and JPEG blur.
        here, there = painted(picture, COVER, 8), painted(reference, COVER, 24)
        assert (here & ~there).mean() < 0.02
        assert (there & ~here).mean() < 0.02


def test_a_camera_is_opened_by_keyboard(visit: Visit) -> None:
    assert visit.opened.startswith("/camera/")
    assert "econstruction, not video" in visit.caption


def test_the_picture_follows_the_mouse(visit: Visit) -> None:
    times = [stand.at for stand in visit.mouse]
    assert times == sorted(times)
    assert times[-1] - times[0] >= 20, "half of a minute's timeline was dragged over"
    assert len({stand.picture for stand in visit.mouse}) >= 4, "the picture hardly changed"


def test_the_picture_follows_the_keys(visit: Visit) -> None:
    steps = [after.at - before.at for before, after in itertools.pairwise(visit.keyboard)]
    assert [stand.key for stand in visit.keyboard[1:]] == ["ArrowLeft"] * 3 + ["ArrowRight"]
    assert all(abs(step - wanted) <= 1 for step, wanted in zip(steps, [-5, -5, -5, 5], strict=True)), steps
    assert len({stand.picture for stand in visit.keyboard}) >= 3


def test_live_goes_on_by_itself(visit: Visit) -> None:
    assert len(set(visit.live)) >= 2


def test_the_system_page_names_every_camera(visit: Visit) -> None:
    for name in ["Gate", "Yard", "Dock"]:
        assert name in visit.system
    assert re.search(r"Storage\s+[0-9][0-9.,]* [kMG]?B", visit.system)


def test_arabic_is_mirrored_and_time_is_not(visit: Visit) -> None:
    assert visit.direction == "rtl"
    assert visit.arabic[1] > visit.arabic[0]


def test_a_telephone_is_wide_enough(visit: Visit) -> None:
    assert visit.overflow <= 0
