"""Rule 1 on synthetic places: what is still is proven, what lives is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scene.pictures import brightened, frame_of, frames, noisy, place

from privet.core.clock import NS_PER_S
from privet.core.grid import BoolGrid, Grid
from privet.ingest.synthetic import Picture
from privet.scene.proof.stillness import Stillness, StillnessLimits, noise_by_texture
from privet.scene.statistics import block_statistics

GRID = Grid(320, 240)
EVERY = np.ones(GRID.shape, np.bool_)
PLACE = place()
RULES = StillnessLimits(neighbourhood_blocks=4)
PROVE_NS = 12 * NS_PER_S
PROVE_KEYFRAMES = 10
FPS, GOP = 5, 5


def watch(
    pictures: Callable[[int], Picture], count: int, waiting: BoolGrid = EVERY, *, gop: int = GOP, rules: StillnessLimits = RULES
) -> Stillness:
    """Follow `count` frames."""
    stillness = Stillness(GRID, rules)
    for _ in watching(stillness, pictures, count, waiting, gop=gop):
        pass
    return stillness


def watching(
    stillness: Stillness, pictures: Callable[[int], Picture], count: int, waiting: BoolGrid = EVERY, *, gop: int = GOP
) -> Iterator[tuple[int, BoolGrid, BoolGrid]]:
    """Frame by frame: (now_ns, moved, restarted)."""
    for frame in frames(pictures, count, fps=Fraction(FPS), gop=gop):
        moved, restarted = stillness.observe(frame, block_statistics(frame.y, frame.u, frame.v, 8), waiting, ~EVERY)
        yield frame.monotonic_ns, moved, restarted


def proven(stillness: Stillness, count: int) -> BoolGrid:
    """What rule 1 would let through after `count` frames."""
    now_ns = NS_PER_S + (count - 1) * NS_PER_S // FPS
    return (stillness.still_ns(now_ns) >= PROVE_NS) & (stillness.keyframes >= PROVE_KEYFRAMES)


def coded(picture: Callable[[int], Picture], gop: int = GOP) -> Callable[[int], Picture]:
    """As a codec at low rate does it: between keyframes the picture is the keyframe's, bit for bit."""
    return lambda number: picture(number // gop * gop)


@pytest.mark.parametrize("sigma", [0.0, 1.5])
def test_what_is_still_is_proven_after_time_and_keyframes(sigma: float) -> None:
    count = PROVE_NS // NS_PER_S * FPS + 1
    for frames_seen in (count - 1, count):
        stillness = watch(lambda number: noisy(PLACE, sigma, number), frames_seen)
        share = proven(stillness, frames_seen).mean()
        assert share == 0 if frames_seen < count else share > 0.97


def test_the_picture_is_the_mean_of_the_keyframes() -> None:
    stillness = watch(lambda number: noisy(PLACE, 2.0, number), 61)
    for mean, plane in zip(stillness.picture(), PLACE, strict=True):
        error = mean.astype(int) - plane
        assert np.abs(error).mean() < 0.9, "less noise than one frame has"
        assert abs(error.mean()) < 0.3


@pytest.mark.parametrize("gap", [0, 1, 40])
def test_time_is_watched_only_where_every_picture_was_looked_at(gap: int) -> None:
    """From a keyframe on, keyframes alone for a while, and then everything; somebody passes by in the middle of it."""
    stillness = Stillness(GRID, RULES)
    watched_frames = np.zeros(GRID.shape, np.int64)
    for number, frame in enumerate(frames(lambda number: sway(0.0) if number == 60 else PLACE, 121, fps=Fraction(FPS), gop=GOP)):
        whole = not 0 < number <= gap
        if not whole and not frame.keyframe:
            continue
        stillness.observe(frame, block_statistics(frame.y, frame.u, frame.v, 8), EVERY, ~EVERY, whole=whole)
        watched_frames = np.where(stillness.watched_ns() == 0, 0, watched_frames + whole)
        assert (stillness.watched_ns() <= stillness.still_ns(frame.monotonic_ns)).all()
        if not gap:
            assert np.array_equal(stillness.watched_ns(), stillness.still_ns(frame.monotonic_ns))
    undisturbed = np.zeros(GRID.shape, np.bool_)
    undisturbed[:, 26:] = True
    assert (stillness.watched_ns()[undisturbed] == (120 - gap // GOP * GOP) * NS_PER_S // FPS).all()
    assert (stillness.watched_ns()[SOMEBODY] < 60 * NS_PER_S // FPS).all()


def test_time_without_keyframes_proves_nothing() -> None:
    stillness = watch(lambda _: PLACE, 200, gop=1000)
    assert (stillness.keyframes == 1).all()
    assert (stillness.still_ns(100 * NS_PER_S) > PROVE_NS).all()


def sway(pixels: float, left: int = 100) -> Picture:
    """Somebody in front of the place: a soft, striped figure, 32 x 64 pixels, `pixels` aside of where they stand."""
    y, u, v = (plane.copy() for plane in PLACE)
    x = np.arange(32)
    stripes = 90 + 40 * np.sin((x[None, :] - pixels) / 2.5) + np.zeros((64, 1))
    y[80:144, left : left + 32] = np.rint(stripes).astype(np.uint8)
    return y, u, v


SOMEBODY = np.zeros(GRID.shape, np.bool_)
SOMEBODY[10:18, 13:16] = True


@pytest.mark.parametrize("sigma", [0.0, 0.7])
def test_half_a_pixel_of_sway_is_life(sigma: float) -> None:
    """Copied between keyframes, so that only they tell; and the neighbourhood is not proven either."""
    draw = np.random.default_rng(1)
    aside = draw.uniform(-0.5, 0.5, 100)
    stillness = watch(coded(lambda number: noisy(sway(float(aside[number // GOP])), sigma, number)), 101)
    found = proven(stillness, 101)
    assert not (found & SOMEBODY).any()
    around = np.zeros(GRID.shape, np.bool_)
    around[6:22, 9:20] = True
    assert not (found & around).any()
    assert found[:, 24:].mean() > 0.97, "elsewhere the place is proven"


def test_a_quarter_of_a_pixel_of_sway_is_life_under_noise() -> None:
    """By how much two keyframes differ does not tell it from noise; that it is a shift does."""
    draw = np.random.default_rng(1)
    aside = draw.uniform(-0.25, 0.25, 100)
    stillness = watch(coded(lambda number: noisy(sway(float(aside[number // GOP])), 1.0, number)), 101)
    found = proven(stillness, 101)
    assert not (found & SOMEBODY).any()
    assert found[:, 24:].mean() > 0.97, "elsewhere the place is proven"


def test_a_head_that_sways_keeps_the_body_from_being_proven() -> None:
    """Nothing but one block moves, by parts of a pixel."""
    draw = np.random.default_rng(2)
    aside = draw.uniform(-0.4, 0.4, 100)

    def picture(number: int) -> Picture:
        y, u, v = (plane.copy() for plane in PLACE)
        y[80:88, 104:112] = np.rint(90 + 40 * np.sin((np.arange(8) - aside[number // GOP]) / 2.5)).astype(np.uint8)
        return noisy((y, u, v), 0.7, number)

    found = proven(watch(coded(picture), 101), 101)
    assert not found[6:15, 9:18].any(), "half a body height to each side"
    assert found[:, 24:].mean() > 0.97


def test_the_same_figure_cut_in_stone_is_proven() -> None:
    """The counterpart: rule 1 alone does not tell a motionless figure from a thing. That is what the other rules are for."""
    stillness = watch(coded(lambda number: noisy(sway(0.0), 0.7, number)), 101)
    assert proven(stillness, 101)[SOMEBODY].all()


def test_a_keyframe_s_copies_are_no_evidence() -> None:
    """A minute of bit-identical frames behind one keyframe proves as little as the keyframe alone."""
    stillness = watch(coded(lambda _: PLACE, 300), 300, gop=300)
    assert not proven(stillness, 300).any()
    assert (stillness.keyframes <= 1).all()


def test_slow_creeping_is_caught_by_the_anchor() -> None:
    """Somebody who fades in over the whole proof, too slowly to be seen from one keyframe to the next."""
    count = 101

    def creeping(number: int) -> Picture:
        y, u, v = (plane.copy() for plane in PLACE)
        window = y[80:144, 100:132].astype(np.float64)
        y[80:144, 100:132] = np.rint(window + (60.0 - window) * number / count)
        return y, u, v

    stillness = watch(lambda number: noisy(creeping(number), 0.7, number), count)
    found = proven(stillness, count)
    core = np.zeros(GRID.shape, np.bool_)
    core[11:17, 13:16] = True
    contrast = np.abs(PLACE[0][88:136, 104:128].astype(float) - 60).reshape(6, 8, 3, 8).mean(axis=(1, 3))
    assert (contrast > 20).mean() > 0.5, "the figure differs from the place"
    assert not found[11:17, 13:16][contrast > 20].any()


def test_a_step_between_two_keyframes_is_motion() -> None:
    stillness = Stillness(GRID, RULES)
    moved_at = [
        number
        for number, (_, moved, _) in enumerate(watching(stillness, lambda number: sway(0.0, 100 if number < 32 else 108), 60))
        if moved.any()
    ]
    assert moved_at[0] == 32, "not only with the next keyframe"


def test_silence_restarts_everything() -> None:
    stillness = Stillness(GRID, RULES)
    seen = block_statistics(*PLACE, 8)
    for second in range(1, 14):
        stillness.observe(frame_of(PLACE, second * NS_PER_S), seen, EVERY, ~EVERY)
    assert (stillness.keyframes == 13).all()
    stillness.observe(frame_of(PLACE, (13 + 5) * NS_PER_S), seen, EVERY, ~EVERY)
    assert (stillness.keyframes == 14).all(), "five seconds are borne"
    _, restarted = stillness.observe(frame_of(PLACE, (18 + 5) * NS_PER_S + 1), seen, EVERY, ~EVERY)
    assert restarted.all()
    assert (stillness.keyframes == 1).all()
    assert not stillness.still_ns(23 * NS_PER_S + 1).any()
    _, restarted = stillness.observe(frame_of(PLACE, 22 * NS_PER_S), seen, EVERY, ~EVERY)
    assert restarted.all(), "a clock that goes back is a gap too"


@pytest.mark.parametrize("step", [-10.0, 6.0, 11.0])
@pytest.mark.parametrize("at", [30, 33])
def test_a_cloud_does_not_restart_proofs(step: float, at: int) -> None:
    """The whole picture a little brighter or darker, at a keyframe or between two."""
    stillness = watch(lambda number: noisy(brightened(PLACE, 1.0, step if number >= at else 0.0), 1.0, number), 61)
    assert proven(stillness, 61).mean() > 0.95


def test_a_cloud_hides_nobody() -> None:
    """A step of light does not loosen what counts as still: who sways meanwhile is noticed at that very keyframe."""
    def picture(number: int) -> Picture:
        return noisy(brightened(sway(0.0 if number < 30 else 0.5), 1.0, 0.0 if number < 30 else 8.0), 0.5, number)

    stillness = Stillness(GRID, RULES)
    moved = [moved for _, moved, _ in watching(stillness, coded(picture), 31)]
    assert moved[30][SOMEBODY].mean() > 0.6
    assert moved[30][:, 24:].mean() < 0.02


def test_where_only_somebody_is_left_to_prove_their_movement_is_not_taken_for_light() -> None:
    """All is proven but a few blocks, and somebody is in them: what they have in common is not the light of the place."""
    waiting = SOMEBODY

    def picture(number: int) -> Picture:
        y, u, v = (plane.copy() for plane in sway(0.0))
        y[80:144, 104:128] += np.uint8(8 if number // GOP % 2 else 0)
        return y, u, v

    stillness = watch(picture, 101, waiting)
    assert not proven(stillness, 101).any()
    assert stillness.restarts > 50


def test_noise_is_not_learned_from_what_moves() -> None:
    """A third of the picture moving hardly changes what counts as still elsewhere."""
    draw = np.random.default_rng(5)
    gradient = draw.uniform(0, 40, GRID.shape).astype(np.float32)
    still = draw.normal(2, 0.2, GRID.shape).astype(np.float32)
    moving = still.copy()
    third = draw.random(GRID.shape) < 1 / 3
    moving[third] += draw.uniform(5, 60, GRID.shape)[third].astype(np.float32)
    calm, busy = noise_by_texture(still, gradient, EVERY), noise_by_texture(moving, gradient, EVERY)
    assert (busy / calm).max() < 1.12


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 99), st.booleans())
@settings(max_examples=40)
def test_noise_of_any_grid(rows: int, columns: int, seed: int, usable: bool) -> None:
    draw = np.random.default_rng(seed)
    difference = draw.uniform(0, 9, (rows, columns)).astype(np.float32)
    gradient = draw.uniform(0, 60, (rows, columns)).astype(np.float32)
    noise = noise_by_texture(difference, gradient, np.full((rows, columns), usable))
    assert noise.shape == (rows, columns)
    assert np.isfinite(noise).all()
    assert (noise >= 0).all()
    assert noise.max(initial=0) <= 1.3 * difference.max(initial=0) * (1 + 1e-6) or not usable


def test_what_does_not_run_has_neither_time_nor_keyframes() -> None:
    stillness = watch(lambda _: PLACE, 61)
    assert proven(stillness, 61).all()
    half = EVERY.copy()
    half[:, 20:] = False
    assert stillness.restart(half).sum() == half.sum()
    now_ns = 13 * NS_PER_S
    assert not stillness.keyframes[half].any()
    assert not stillness.still_ns(now_ns)[half].any()
    assert stillness.keyframes[~half].all()
    assert not stillness.restart(half).any(), "what does not run cannot end"


def test_only_what_waits_is_followed() -> None:
    half = EVERY.copy()
    half[:, 20:] = False
    stillness = watch(lambda _: PLACE, 61, half)
    assert np.array_equal(stillness.running, half)
    assert np.array_equal(proven(stillness, 61), half)


def test_somebody_in_front_of_what_is_proven_holds_up_what_is_beside() -> None:
    """Cover counts as motion: they may reach into what waits."""
    stillness = Stillness(GRID, RULES)
    covered = ~EVERY
    covered[10:14, 20:22] = True
    waiting = EVERY.copy()
    waiting[:, 20:] = False
    for frame in frames(lambda _: PLACE, 61, fps=FPS, gop=GOP):
        stillness.observe(frame, block_statistics(frame.y, frame.u, frame.v, 8), waiting, covered)
    found = proven(stillness, 61)
    assert not found[8:16, 16:20].any()
    assert found[:, :14].all()
