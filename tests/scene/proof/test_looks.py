"""Looks: geometry, what counts as evidence and what does not, and that the evidence can be had at all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scene.pictures import Spotter, brightened, frame_of, full, place, with_person

from privet.core.grid import BoolGrid, Grid
from privet.ingest.synthetic import Picture
from privet.scene.proof.looks import (
    ABOVE_AND_BELOW,
    ASIDE,
    LEAST_PERSON_PX,
    TRANSFORMS,
    Look,
    Looks,
    blocks_hit,
    blocks_seen,
    blocks_seen_reference,
    levels,
    mean_around,
    tiles,
)
from privet.scene.proof.promote import VIEWS_WITHOUT_A_HIT
from privet.scene.proof.views import Transform, apply, input_to_picture, invert
from privet.scene.statistics import Statistics, block_statistics

grids = st.builds(Grid, st.integers(8, 400), st.integers(8, 300), st.sampled_from([8, 16, 32]))
inputs = st.tuples(st.integers(32, 400), st.integers(32, 400))


@st.composite
def views(draw: st.DrawFn) -> tuple[Grid, np.ndarray[tuple[int, int], np.dtype[np.float64]], tuple[int, int]]:
    grid, out = draw(grids), draw(inputs)
    tile = draw(st.sampled_from(tiles(grid.width_px, grid.height_px, draw(st.integers(1, 4)), 30, grid.block_px)))
    turned = draw(st.sampled_from(TRANSFORMS) | st.builds(Transform, st.booleans(), st.floats(-12, 12), st.floats(0.8, 1.1)))
    return grid, input_to_picture(tile, turned, *out), out


@settings(max_examples=60)
@given(views(), st.floats(5, 200))
def test_blocks_seen(view: tuple[Grid, np.ndarray, tuple[int, int]], person_px: float) -> None:
    grid, affine, out = view
    assert np.array_equal(blocks_seen(grid, affine, out, person_px), blocks_seen_reference(grid, affine, out, person_px))


@given(views(), st.floats(5, 200))
def test_a_block_is_not_seen_if_its_surroundings_are_cut_off(view: tuple[Grid, np.ndarray, tuple[int, int]], person_px: float) -> None:
    """Every point of the surroundings that lies in the picture, edges and inside, is in the view."""
    grid, affine, out = view
    seen = blocks_seen(grid, affine, out, person_px)
    across, down = np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 1, 5))
    for row, column in np.argwhere(seen)[:: max(1, int(seen.sum()) // 40)]:
        left, right = column * grid.block_px - ASIDE * person_px, (column + 1) * grid.block_px + ASIDE * person_px
        top, bottom = row * grid.block_px - ABOVE_AND_BELOW * person_px, (row + 1) * grid.block_px + ABOVE_AND_BELOW * person_px
        x, y = left + across * (right - left), top + down * (bottom - top)
        points = np.stack([np.clip(x, 0, grid.width_px).ravel(), np.clip(y, 0, grid.height_px).ravel()], axis=1)
        mapped = apply(invert(affine), points)
        assert (mapped >= -0.51).all()
        assert (mapped <= [out[1] + 0.51, out[0] + 0.51]).all()


@settings(max_examples=60)
@given(views(), st.data())
def test_a_detection_hits_the_blocks_it_lies_on(view: tuple[Grid, np.ndarray, tuple[int, int]], data: st.DataObject) -> None:
    """Block -> input -> block: a box drawn around a block in the view hits that block, and its neighbours, wherever the view lies."""
    grid, affine, (height, width) = view
    row, column = data.draw(st.integers(0, grid.rows - 1)), data.draw(st.integers(0, grid.columns - 1))
    side = grid.block_px
    corners = np.array([[column, row], [column + 1, row], [column, row + 1], [column + 1, row + 1]], float) * side
    mapped = apply(invert(affine), corners) / [width, height]
    box = np.array([[*mapped.min(axis=0), *mapped.max(axis=0)]], np.float32)
    hit = blocks_hit(grid, affine, box, (height, width))
    assert hit[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].all()
    if affine[0, 1] or affine[1, 0]:
        return  # a turned block's box in the view is larger than the block
    far = np.ones(grid.shape, np.bool_)
    far[max(row - 4, 0) : row + 5, max(column - 4, 0) : column + 5] = False
    assert not (hit & far).any()


def test_boxes_that_reach_beyond_the_view_hit_what_is_there() -> None:
    """A face at the bottom of a view: the body is in the next one, and is hit all the same."""
    grid = Grid(320, 240)
    affine = input_to_picture(tiles(320, 240, 2, 30, 8)[0], Transform(), 100, 100)
    hit = blocks_hit(grid, affine, np.array([[0.4, 0.9, 0.6, 1.6]], np.float32), (100, 100))
    assert hit[29].any()
    assert not blocks_hit(grid, affine, np.zeros((0, 4), np.float32), (100, 100)).any()
    assert not blocks_hit(grid, affine, np.array([[-3, -3, -2, -2]], np.float32), (100, 100)).any()


@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 6), st.floats(1, 400))
def test_tiles_cover_the_picture(width: int, height: int, across: int, person_px: float) -> None:
    found = tiles(width, height, across, person_px, 8)
    assert len(found) >= across**2
    lefts, tops = sorted({tile.left for tile in found}), sorted({tile.top for tile in found})
    assert len(lefts) * len(tops) == len(found)
    for starts, tile_px, side in ((lefts, found[0].width, width), (tops, found[0].height, height)):
        assert starts[0] == 0
        assert abs(starts[-1] + tile_px - side) < 1e-6
        assert all(one + tile_px >= other - 1e-6 for one, other in pairwise(starts))


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 5), st.integers(0, 5), st.integers(0, 99))
def test_mean_around(rows: int, columns: int, up: int, aside: int, seed: int) -> None:
    values = np.random.default_rng(seed).uniform(0, 255, (rows, columns)).astype(np.float32)
    got = mean_around(values, up, aside)
    for row, column in np.ndindex(values.shape):
        window = values[max(row - up, 0) : row + up + 1, max(column - aside, 0) : column + aside + 1]
        assert abs(got[row, column] - float(window.astype(np.float64).mean())) < 1e-6


def looking(looks: Looks, frame_picture: Picture, waiting: BoolGrid, most: int) -> Iterator[tuple[Look, BoolGrid]]:
    """Look until no look would help, or `most` times."""
    frame = frame_of(frame_picture)
    seen = block_statistics(*frame_picture, 8)
    for _ in range(most):
        look = looks.next_look(waiting)
        if look is None:
            return
        yield look, looks.look(look, frame, seen)


@pytest.mark.parametrize(
    ("width", "height", "person_px"),
    [(320, 240, 30), (320, 240, 60), (768, 576, 72), (1920, 1080, 135), (1080, 1920, 240), (1080, 1920, 135), (1920, 1080, 60),
     (640, 480, 24), (352, 288, 180), (3840, 2160, 270), (2560, 1440, 90), (33, 17, 12), (1280, 720, 50), (1281, 719, 50)],
)
@pytest.mark.parametrize("input_px", [(300, 300), (320, 320)])
def test_every_block_can_be_seen_often_enough(width: int, height: int, person_px: int, input_px: tuple[int, int]) -> None:
    """At every level, every block has its surroundings whole in views of at least five different transforms."""
    grid = Grid(width, height)
    for across in levels(height, person_px, input_px[0]):
        counts = np.zeros(grid.shape, np.int64)
        for transform in TRANSFORMS:
            seen = np.zeros(grid.shape, np.bool_)
            for tile in tiles(width, height, across, person_px, 8):
                seen |= blocks_seen(grid, input_to_picture(tile, transform, *input_px), input_px, person_px)
            counts += seen
        assert counts.min() >= VIEWS_WITHOUT_A_HIT


@pytest.mark.parametrize(
    ("width", "height", "person_px"), [(320, 240, 30), (320, 240, 60), (180, 320, 50), (33, 17, 12), (352, 288, 180)]
)
def test_evidence_comes_after_a_bounded_number_of_looks(width: int, height: int, person_px: int) -> None:
    """If nothing hits, every block of a lit, sharp picture has its views from every detector, and none is taken twice."""
    grid = Grid(width, height)
    detectors = (Spotter((300, 300)), Spotter((320, 320)))
    looks = Looks(grid, detectors, person_px)
    waiting = np.ones(grid.shape, np.bool_)
    picture = np.zeros((4, *grid.shape), np.float32)
    picture[0], picture[3] = 100, 10
    half = full((-(-height // 2), -(-width // 2)))
    frame = frame_of((full((height, width), 100), half, half))
    views = len(TRANSFORMS) * sum(
        len(tiles(width, height, across, person_px, 8))
        for detector in detectors
        for across in levels(height, person_px, detector.input_px[0])
    )
    count = 0
    while (look := looks.next_look(waiting)) is not None:
        count += 1
        assert count <= views, "no view is taken twice"
        looks.look(look, frame, picture)
    assert (looks.clear_views() >= VIEWS_WITHOUT_A_HIT).all()
    assert count < views
    assert looks.looked == count


def test_what_is_begun_is_finished_first() -> None:
    """Where proofs break off, views lose their worth with time: a tenth of a picture has its own long before half of them are taken."""
    grid = Grid(768, 576)
    looks = Looks(grid, (Spotter((300, 300)), Spotter((320, 320))), 72)
    picture = np.zeros((4, *grid.shape), np.float32)
    picture[0], picture[3] = 100, 10
    half = full((288, 384))
    frame = frame_of((full((576, 768), 100), half, half))
    done = []
    while (look := looks.next_look(np.ones(grid.shape, np.bool_))) is not None:
        looks.look(look, frame, picture)
        done.append(float((looks.clear_views() >= VIEWS_WITHOUT_A_HIT).all(axis=0).mean()))
    assert done[-1] == 1
    assert next(taken for taken, share in enumerate(done) if share >= 0.1) < 0.4 * len(done)


def test_of_one_picture_no_tile_is_looked_at_twice_by_a_detector() -> None:
    looks = Looks(Grid(768, 576), (Spotter((300, 300)), Spotter((320, 320))), 72)
    waiting = np.ones((72, 96), np.bool_)
    taken: list[Look] = []
    while (look := looks.next_look(waiting, taken)) is not None:
        taken.append(look)
    assert len({(look.detector, look.level, look.tile) for look in taken}) == len(taken)
    assert {(look.detector, look.level) for look in taken} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert len(taken) == sum(len(tiles(768, 576, across, 72, 8)) for side in (300, 320) for across in levels(576, 72, side))


@pytest.mark.parametrize(("width", "height", "person_px"), [(1920, 1080, 135), (1920, 1080, 40), (3840, 2160, 270), (3840, 2160, 60)])
def test_looks_are_cheap_to_choose(width: int, height: int, person_px: int) -> None:
    """Seconds for a 4K camera once; now well below what a frame may take."""
    grid = Grid(width, height)
    waiting = np.ones(grid.shape, np.bool_)
    Looks(Grid(64, 64), (Spotter(),), 16).next_look(np.ones((8, 8), np.bool_))  # compiled
    began = perf_counter()
    looks = Looks(grid, (Spotter((300, 300)), Spotter((320, 320))), person_px)
    built = perf_counter() - began
    times = []
    for _ in range(9):
        began = perf_counter()
        assert looks.next_look(waiting) is not None
        times.append(perf_counter() - began)
    assert built < 0.5
    assert min(times) < 0.02


PLACE = place(240, 320)
EVERY = np.ones((30, 40), np.bool_)


def two_spotters() -> tuple[Spotter, Spotter]:
    return Spotter((200, 200)), Spotter((220, 220))


def test_an_empty_place_gives_evidence() -> None:
    looks = Looks(Grid(320, 240), two_spotters(), 80)
    assert all(not hit.any() for _, hit in looking(looks, PLACE, EVERY, 500))
    assert (looks.clear_views() >= VIEWS_WITHOUT_A_HIT).all()
    assert looks.hits == 0


def test_somebody_hits_where_they_are_and_gives_evidence_elsewhere() -> None:
    looks = Looks(Grid(320, 240), two_spotters(), 80)
    picture = with_person(PLACE, (100, 60, 140, 140))
    somebody = np.zeros((30, 40), np.bool_)
    somebody[8:17, 13:17] = True
    for _, hit in looking(looks, picture, EVERY, 300):
        if hit.any():
            assert hit[9:16, 14:16].any()
    assert looks.hits > 10
    views = looks.clear_views()
    assert not views[:, somebody].any() or views[:, somebody].max() < VIEWS_WITHOUT_A_HIT, "never cleared where somebody stands"
    assert (views[:, :, 30:] >= VIEWS_WITHOUT_A_HIT).all()


def test_one_detector_that_never_finds_anybody_does_not_clear() -> None:
    """Each detector must have looked for itself."""
    seeing, blindfolded = Spotter((200, 200)), Spotter((220, 220), smallest_px=9999)
    looks = Looks(Grid(320, 240), (seeing, blindfolded), 80)
    for _ in looking(looks, with_person(PLACE, (100, 60, 140, 140)), EVERY, 300):
        pass
    views = looks.clear_views()
    assert views[1, 12, 15] >= VIEWS_WITHOUT_A_HIT
    assert views[0, 12, 15] < VIEWS_WITHOUT_A_HIT


def test_what_is_forgotten_is_gone_and_is_looked_for_again() -> None:
    looks = Looks(Grid(320, 240), two_spotters(), 80)
    for _ in looking(looks, PLACE, EVERY, 500):
        pass
    assert looks.next_look(EVERY) is None
    lost = np.zeros((30, 40), np.bool_)
    lost[3, 4] = True
    looks.forget(lost)
    assert not looks.clear_views()[:, 3, 4].any()
    assert (looks.clear_views()[:, ~lost] >= VIEWS_WITHOUT_A_HIT).all()
    assert looks.next_look(~lost) is None
    assert sum(1 for _ in looking(looks, PLACE, lost, 500)) <= 2 * 2 * len(TRANSFORMS)
    assert (looks.clear_views() >= VIEWS_WITHOUT_A_HIT).all()


def test_nobody_waiting_is_not_looked_at() -> None:
    assert Looks(Grid(320, 240), two_spotters(), 80).next_look(~EVERY) is None
    assert Looks(Grid(320, 240), (), 80).next_look(EVERY) is None
    assert Looks(Grid(320, 240), (), 80).clear_views().shape == (0, 30, 40)


def evidence(picture: Picture, person_px: float = 80, seen: Statistics | None = None) -> np.ndarray:
    looks = Looks(Grid(320, 240), two_spotters(), person_px)
    frame = frame_of(picture)
    for _ in range(200):
        look = looks.next_look(EVERY)
        if look is None:
            break
        looks.look(look, frame, block_statistics(*picture, 8) if seen is None else seen)
    return looks.clear_views()


def test_a_dark_picture_gives_no_evidence() -> None:
    assert not evidence(brightened(PLACE, 0.08)).any()


def test_a_dark_corner_of_a_bright_picture_gives_none() -> None:
    y, u, v = (plane.copy() for plane in PLACE)
    y[120:, :160] = 18 + y[120:, :160] // 32
    views = evidence((y, u, v))
    assert not views[:, 23:, :12].any()
    assert (views[:, :8, 30:] >= VIEWS_WITHOUT_A_HIT).all()


def test_a_blurred_picture_gives_no_evidence() -> None:
    y = PLACE[0].astype(np.float64)
    for axis in (0, 1):
        sums = np.cumsum(np.pad(y, [(24, 24) if each == axis else (0, 0) for each in (0, 1)], mode="edge"), axis=axis)
        y = (np.take(sums, range(48, sums.shape[axis]), axis) - np.take(sums, range(sums.shape[axis] - 48), axis)) / 48
    blurred = (np.rint(y).astype(np.uint8), *PLACE[1:])
    assert not evidence(blurred).any()


@settings(max_examples=25)
@given(st.floats(1, 200))
def test_somebody_too_small_to_be_found_is_no_evidence(person_px: float) -> None:
    """Asked of the geometry: how tall would a person be in the closest view of all?"""
    grid, detector = Grid(320, 240), Spotter((120, 120))
    looks = Looks(grid, (detector, detector), person_px)
    looks_at = levels(240, person_px, 120)
    closest = tiles(320, 240, looks_at[-1], person_px, 8)[0]
    tall_px = min(transform.zoom for transform in TRANSFORMS) * person_px * 120 / closest.height
    frame, seen = frame_of(PLACE), block_statistics(*PLACE, 8)
    for _ in range(6):
        look = looks.next_look(EVERY)
        assert look is not None
        looks.look(look, frame, seen)
    if tall_px < LEAST_PERSON_PX:
        assert not looks.clear_views().any()


def test_a_person_that_small_never_clears_anything() -> None:
    assert not evidence(PLACE, person_px=8).any()
    assert (evidence(PLACE, person_px=80) >= VIEWS_WITHOUT_A_HIT).all()
