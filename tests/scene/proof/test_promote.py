"""promote(): each rule alone forbids, and nothing but promoted blocks is written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from tests.scene.pictures import random_planes

from privet.core.frame import Matrix
from privet.core.grid import BoolGrid, Grid
from privet.core.scene import MOST_LAYERS
from privet.scene.proof.promote import (
    FLAT_CHROMA,
    FLAT_Y,
    VIEWS_WITHOUT_A_HIT,
    Evidence,
    Policy,
    ProvenBackground,
    promote,
    recall,
    restore,
)

PROVE_NS, PROVE_KEYFRAMES = 60_000_000_000, 30
AUTOMATIC = Policy(PROVE_NS, PROVE_KEYFRAMES, "automatic", 2)
SIGNATURE = Policy(PROVE_NS, PROVE_KEYFRAMES, "signature", 2)

grids = st.builds(Grid, st.integers(1, 60), st.integers(1, 60), st.sampled_from([8, 16]))


def flawless(grid: Grid, seed: int = 0) -> Evidence:
    """Evidence under which everything is promoted automatically, just so."""
    return Evidence(
        still_ns=np.full(grid.shape, PROVE_NS, np.int64),
        keyframes=np.full(grid.shape, PROVE_KEYFRAMES, np.int32),
        clear_views=np.full((2, *grid.shape), VIEWS_WITHOUT_A_HIT, np.int32),
        closed=np.zeros(grid.shape, np.bool_),
        arrival=np.zeros(grid.shape, np.bool_),
        signed=np.zeros(grid.shape, np.bool_),
        picture=random_planes(grid.height_px, grid.width_px, seed),
    )


@st.composite
def evidence(draw: st.DrawFn, grid: Grid, detectors: int = 2) -> Evidence:
    """Every block just so or just not so in every respect."""

    def bits() -> BoolGrid:
        return draw(arrays(np.bool_, grid.shape))

    views = [np.where(bits(), VIEWS_WITHOUT_A_HIT, draw(st.integers(0, VIEWS_WITHOUT_A_HIT - 1))) for _ in range(detectors)]
    return Evidence(
        still_ns=np.where(bits(), PROVE_NS, PROVE_NS - 1).astype(np.int64),
        keyframes=np.where(bits(), PROVE_KEYFRAMES, PROVE_KEYFRAMES - 1).astype(np.int32),
        clear_views=np.array(views, np.int32).reshape(detectors, *grid.shape),
        closed=bits(),
        arrival=bits(),
        signed=bits(),
        picture=random_planes(grid.height_px, grid.width_px, draw(st.integers(0, 99))),
    )


def may_become_background(given: Evidence, rules: Policy, block: tuple[int, int]) -> bool:
    """The rules of the design, one block at a time."""
    still = given.still_ns[block] >= rules.prove_ns and given.keyframes[block] >= rules.prove_keyframes
    enough_detectors = rules.detectors >= 2 and given.clear_views.shape[0] == rules.detectors
    nobody = enough_detectors and all(views[block] >= 5 for views in given.clear_views)
    if not still or not nobody or given.closed[block]:
        return False
    if given.signed[block]:
        return True
    return rules.commissioning == "automatic" and not given.arrival[block]


def state(background: ProvenBackground) -> list[np.ndarray]:
    return [np.array(array) for array in (*background.planes, background.proven, background.proven_wall_ns)]


def per_pixel(blocks: BoolGrid, grid: Grid) -> tuple[BoolGrid, BoolGrid]:
    """Blocks as luma and as chroma pixels."""
    side = grid.block_px
    luma = blocks.repeat(side, 0).repeat(side, 1)[: grid.height_px, : grid.width_px]
    chroma = blocks.repeat(side // 2, 0).repeat(side // 2, 1)[: -(-grid.height_px // 2), : -(-grid.width_px // 2)]
    return luma, chroma


@given(st.data(), grids, st.sampled_from(["automatic", "signature"]), st.integers(0, 3))
def test_the_rules_and_nothing_else(data: st.DataObject, grid: Grid, commissioning: str, detectors: int) -> None:
    rules = replace(AUTOMATIC if commissioning == "automatic" else SIGNATURE, detectors=data.draw(st.sampled_from([detectors, 2])))
    given = data.draw(evidence(grid, detectors))
    background = ProvenBackground(grid, Matrix.BT709)
    promoted, candidates = promote(background, given, rules, 5)
    for block in np.ndindex(grid.shape):
        assert promoted[block] == may_become_background(given, rules, block)
        as_if_signed = replace(given, signed=np.ones(grid.shape, np.bool_))
        waits = may_become_background(as_if_signed, rules, block)
        assert candidates[block] == (waits and not promoted[block])


@settings(max_examples=40)
@given(st.data(), grids)
def test_only_promoted_blocks_are_written(data: st.DataObject, grid: Grid) -> None:
    """Over several calls: every other pixel, flag and time stays what it was, bit for bit, and a proven block is written again by
    signature alone.
    """
    background = ProvenBackground(grid, Matrix.BT709)
    for wall_ns in range(1, 5):
        before = state(background)
        given = data.draw(evidence(grid))
        promoted, _ = promote(background, given, AUTOMATIC, wall_ns)
        after = state(background)
        assert not (promoted & before[3] & ~given.signed).any(), "proven once, replaced by signature alone"
        luma, chroma = per_pixel(promoted, grid)
        for index, pixels in enumerate((luma, chroma, chroma)):
            assert np.array_equal(after[index][~pixels], before[index][~pixels])
            assert np.array_equal(after[index][pixels], given.picture[index][pixels])
        assert np.array_equal(after[3], before[3] | promoted)
        assert np.array_equal(after[4], np.where(promoted, wall_ns, before[4]))
        flat_luma, flat_chroma = per_pixel(~after[3], grid)
        assert (after[0][flat_luma] == FLAT_Y).all()
        assert (after[1][flat_chroma] == FLAT_CHROMA).all()
        assert (after[2][flat_chroma] == FLAT_CHROMA).all()


GRID = Grid(33, 17)


def test_flawless_evidence_is_enough() -> None:
    background = ProvenBackground(GRID, Matrix.BT709)
    promoted, candidates = promote(background, flawless(GRID), AUTOMATIC, 9)
    assert promoted.all()
    assert not candidates.any()
    assert background.proven.all()
    assert (background.proven_wall_ns == 9).all()


FLAWLESS = flawless(GRID)


def views(*clear: int) -> NDArray[np.int32]:
    """So many clear views of every block by each detector."""
    return np.array(clear, np.int32).reshape(-1, 1, 1) * np.ones(GRID.shape, np.int32)


ONE_THING_WRONG = {
    "not still for long enough": replace(FLAWLESS, still_ns=FLAWLESS.still_ns - 1),
    "over too few keyframes": replace(FLAWLESS, keyframes=FLAWLESS.keyframes - 1),
    "the first detector has four views": replace(FLAWLESS, clear_views=views(4, 99)),
    "the second has none": replace(FLAWLESS, clear_views=views(99, 0)),
    "only one has answered": replace(FLAWLESS, clear_views=views(99)),
    "none has answered": replace(FLAWLESS, clear_views=views()),
    "a blind zone": replace(FLAWLESS, closed=~FLAWLESS.closed),
    "an arrival": replace(FLAWLESS, arrival=~FLAWLESS.arrival),
}


@pytest.mark.parametrize("given", ONE_THING_WRONG.values(), ids=ONE_THING_WRONG.keys())
def test_each_rule_alone_forbids(given: Evidence) -> None:
    background = ProvenBackground(GRID, Matrix.BT709)
    before = state(background)
    promoted, _ = promote(background, given, AUTOMATIC, 9)
    assert not promoted.any()
    assert all(np.array_equal(one, other) for one, other in zip(before, state(background), strict=True))


@pytest.mark.parametrize("wrong", list(ONE_THING_WRONG)[:-1])
def test_a_signature_does_not_stand_in_for_stillness_or_looks(wrong: str) -> None:
    given = replace(ONE_THING_WRONG[wrong], signed=np.ones(GRID.shape, np.bool_))
    for rules in (AUTOMATIC, SIGNATURE):
        promoted, candidates = promote(ProvenBackground(GRID, Matrix.BT709), given, rules, 9)
        assert not promoted.any()
        assert not candidates.any()


@pytest.mark.parametrize("rules", [AUTOMATIC, SIGNATURE])
def test_only_a_signature_promotes_an_arrival(rules: Policy) -> None:
    arrival = replace(flawless(GRID), arrival=np.ones(GRID.shape, np.bool_))
    promoted, candidates = promote(ProvenBackground(GRID, Matrix.BT709), arrival, rules, 9)
    assert not promoted.any()
    assert candidates.all()
    promoted, _ = promote(ProvenBackground(GRID, Matrix.BT709), replace(arrival, signed=~arrival.signed), rules, 9)
    assert promoted.all()


def test_without_a_signature_nothing_is_promoted_where_one_is_asked_for() -> None:
    promoted, candidates = promote(ProvenBackground(GRID, Matrix.BT709), flawless(GRID), SIGNATURE, 9)
    assert not promoted.any()
    assert candidates.all()


@pytest.mark.parametrize("detectors", [0, 1, 3])
def test_the_number_of_detectors_must_be_that_of_the_answers_and_at_least_two(detectors: int) -> None:
    rules = replace(AUTOMATIC, detectors=detectors)
    for answers in (0, 1, 2):
        given = replace(flawless(GRID), clear_views=np.full((answers, *GRID.shape), 99, np.int32))
        assert not promote(ProvenBackground(GRID, Matrix.BT709), given, rules, 9)[0].any()


def test_what_is_given_out_is_not_shared() -> None:
    """Neither the evidence's planes nor its signatures are kept or changed, and what was handed out shows later promotions."""
    background = ProvenBackground(GRID, Matrix.BT709)
    given = flawless(GRID)
    planes = background.planes
    promoted, _ = promote(background, given, AUTOMATIC, 9)
    assert not given.signed.any()
    assert np.array_equal(planes[0], given.picture[0])
    given.picture[0][:] = 0
    promoted[:] = False
    assert background.proven.all()
    assert planes[0].any()
    for array in (*background.planes, background.proven, background.proven_wall_ns):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


@settings(max_examples=40)
@given(st.data(), grids)
def test_restoring_puts_back_what_was_proven(data: st.DataObject, grid: Grid) -> None:
    background = ProvenBackground(grid, Matrix.BT601)
    promote(background, data.draw(evidence(grid)), AUTOMATIC, 7)
    again = ProvenBackground(grid, Matrix.BT601)
    restore(again, background.planes, background.proven, background.proven_wall_ns)
    assert all(np.array_equal(one, other) for one, other in zip(state(background), state(again), strict=True))
    some = data.draw(arrays(np.bool_, grid.shape))
    less = ProvenBackground(grid, Matrix.BT601)
    restore(less, random_planes(grid.height_px, grid.width_px, 1), some, np.ones(grid.shape, np.int64))
    flat, _ = per_pixel(~some, grid)
    assert (less.planes[0][flat] == FLAT_Y).all()
    assert not less.proven_wall_ns[~some].any()


def test_restoring_refuses_what_does_not_fit() -> None:
    background = ProvenBackground(GRID, Matrix.BT601)
    planes, proven, times = random_planes(17, 33, 0), np.ones(GRID.shape, np.bool_), np.ones(GRID.shape, np.int64)
    for wrong in (
        (random_planes(18, 33, 0), proven, times),
        ((planes[0], planes[2], planes[1][:-1]), proven, times),
        (planes, proven.T, times),
        (planes, proven[:-1], times),
        (planes, proven, times[:, :-1]),
    ):
        with pytest.raises(ValueError, match="does not fit"):
            restore(background, *wrong)
    assert not background.proven.any()
    assert (background.planes[0] == FLAT_Y).all()


@settings(max_examples=40)
@given(st.data(), grids)
def test_what_is_replaced_becomes_a_layer_and_comes_back_as_it_was(data: st.DataObject, grid: Grid) -> None:
    background = ProvenBackground(grid, Matrix.BT709)
    promote(background, flawless(grid, 1), AUTOMATIC, 1)
    first = state(background)
    signed = data.draw(arrays(np.bool_, grid.shape))
    promoted, _ = promote(background, replace(flawless(grid, 2), signed=signed), AUTOMATIC, 2)
    assert np.array_equal(promoted, signed)
    assert len(background.layers) == int(signed.any())
    if not signed.any():
        return
    assert np.array_equal(background.layers[0].blocks, signed)
    second = state(background)
    asked = data.draw(arrays(np.bool_, grid.shape))
    back = recall(background, asked, 0)
    assert np.array_equal(back, asked & signed)
    for index, pixels in enumerate([*per_pixel(back, grid), per_pixel(back, grid)[1]]):
        assert np.array_equal(state(background)[index], np.where(pixels, first[index], second[index]))
    recall(background, asked, 0)
    for now, then in zip(state(background), second, strict=True):
        assert np.array_equal(now, then), "there and back again"


def test_there_are_only_so_many_layers_and_the_oldest_goes() -> None:
    grid = Grid(32, 16)
    background = ProvenBackground(grid, Matrix.BT709)
    everything = np.ones(grid.shape, np.bool_)
    for wall_ns in range(1, MOST_LAYERS + 4):
        promote(background, replace(flawless(grid, wall_ns), signed=everything), SIGNATURE, wall_ns)
    assert len(background.layers) == MOST_LAYERS
    kept = sorted(int(layer.proven_wall_ns[0, 0]) for layer in background.layers)
    assert kept == [3, 4, 5]
    assert background.proven_wall_ns[0, 0] == MOST_LAYERS + 3


def test_layers_are_restored() -> None:
    grid = Grid(40, 24)
    background = ProvenBackground(grid, Matrix.BT709)
    promote(background, flawless(grid, 1), AUTOMATIC, 1)
    promote(background, replace(flawless(grid, 2), signed=np.ones(grid.shape, np.bool_)), AUTOMATIC, 2)
    again = ProvenBackground(grid, Matrix.BT709)
    restore(again, background.planes, background.proven, background.proven_wall_ns, background.layers)
    assert recall(again, np.ones(grid.shape, np.bool_), 0).all()
    assert np.array_equal(again.planes[0], flawless(grid, 1).picture[0])
