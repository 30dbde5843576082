"""Layers in the analyst: what came to stay is written by signature alone, and what was there before comes back by itself."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from tests.scene.pictures import frame_of, with_box
from tests.scene.test_analyst import GRID, PLACE, SETTINGS, detectors, new_camera, proven_scene

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.scene import Condition
from privet.scene.demand import is_due
from privet.scene.epoch import take_up
from privet.scene.main_stream import observe_main
from privet.scene.observation import Observation
from privet.scene.proof.rules import ALL_RULES
from privet.scene.proof.signing import NoOffer, Offer
from privet.scene.proof.step import AS_USUAL, Means
from privet.scene.state_format import from_bytes, to_bytes
from privet.scene.statistics import block_statistics

BOX = (80, 80, 144, 160)
"""Left, top, right, bottom of what comes to stay, in pixels."""


def inside() -> np.ndarray:
    blocks = np.zeros(GRID.shape, np.bool_)
    blocks[BOX[1] // 8 : BOX[3] // 8, BOX[0] // 8 : BOX[2] // 8] = True
    return blocks


class Film:
    """A camera over a place that was proven before, ten frames a second, a keyframe a second."""

    def __init__(self) -> None:
        self.camera = new_camera(replace(SETTINGS, commissioning="automatic"), stored=from_bytes(proven_scene()))
        self.draw = np.random.default_rng(5)
        self.number = 0
        self.seen: list[Observation] = []

    def show(self, occupied: bool, seconds: float) -> list[Observation]:
        first = len(self.seen)
        for _ in range(round(seconds * 10)):
            picture = with_box(PLACE, BOX) if occupied else PLACE
            now_ns = NS_PER_S + self.number * 100 * NS_PER_MS
            frame = frame_of(picture, now_ns, keyframe=self.number % 10 == 0)
            self.number += 1
            if is_due(self.camera.analyst.demand.main, frame):
                self.seen.append(self.camera.analyst.observe(frame))
                self.last = frame
        return self.seen[first:]


def test_what_came_to_stay_is_covered_for_good_and_never_promoted_by_itself() -> None:
    film = Film()
    film.show(False, 3)
    seen = film.show(True, 5 * SETTINGS.prove_ns / NS_PER_S + 20)
    late = seen[len(seen) // 3 :]
    assert all(each.promoted is None for each in seen)
    assert all((each.cover & inside()).sum() >= 0.9 * inside().sum() for each in late)
    assert late[-1].candidates > 0, "a person may be asked"


@pytest.fixture
def signed() -> Film:
    film = Film()
    film.show(False, 3)
    film.show(True, 5 * SETTINGS.prove_ns / NS_PER_S + 20)
    offer = film.camera.analyst.signing.offer(film.last)
    assert isinstance(offer, Offer), offer
    assert not (offer.blocks & ~np.asarray(film.seen[-1].cover)).any(), "only what is covered is asked about"
    result = film.camera.analyst.signing.sign(offer.id, None, film.last.monotonic_ns)
    assert result is not None
    assert result.signed == int(offer.blocks.sum())
    return film


def test_signed_for_it_is_background_and_uncovered(signed: Film) -> None:
    seen = signed.show(True, 4)
    assert any(each.promoted is not None and each.by_signature for each in seen)
    assert not (seen[-1].cover & inside()).any()
    assert seen[-1].condition is Condition.AWAKE


def test_what_was_there_before_comes_back_within_a_second_or_two(signed: Film) -> None:
    signed.show(True, 4)
    seen = signed.show(False, 2.5)
    assert any(each.recalled is not None for each in seen)
    assert not seen[-1].cover.any()
    background = signed.camera.analyst.background
    assert background is not None
    rows, columns = slice(BOX[1], BOX[3]), slice(BOX[0], BOX[2])
    stored = from_bytes(proven_scene())
    assert np.array_equal(background.planes[0][rows, columns], stored.planes[0][rows, columns])
    back = signed.show(True, 2.5)
    assert any(each.recalled is not None for each in back), "and there again, at once"


def test_what_comes_back_was_covered_and_so_is_not_drawn_towards_another_layer(signed: Film) -> None:
    """The model of what comes back begins anew at the background's statistics, and the same frame does not move it."""
    signed.show(True, 4)
    stored = signed.camera.analyst.snapshot()
    assert stored is not None
    means = Means(SETTINGS, ALL_RULES, tuple(detectors()), lambda: True)
    epoch = take_up(stored, means, distrust=False)
    back = 0
    for number in range(90):
        occupied = number < 40 or number >= 65
        picture = with_box(PLACE, BOX) if occupied else PLACE
        frame = frame_of(picture, signed.last.monotonic_ns + (number + 1) * 100 * NS_PER_MS, keyframe=number % 10 == 0)
        seen = observe_main(epoch, means, frame, AS_USUAL, new_grid=False)
        if seen.recalled is not None:
            back += 1
            expected = block_statistics(*epoch.background.planes, GRID.block_px)
            assert np.array_equal(epoch.model.mean[:, seen.recalled], expected[:, seen.recalled])
    assert back >= 2, "gone, and there again"


def test_layers_outlive_the_worker(signed: Film) -> None:
    signed.show(True, 4)
    snapshot = signed.camera.analyst.snapshot()
    assert snapshot is not None
    again = from_bytes(to_bytes(snapshot))
    assert len(again.layers) == 1
    assert np.array_equal(again.layers[0].blocks, snapshot.layers[0].blocks)
    assert np.array_equal(again.layers[0].planes[0], snapshot.layers[0].planes[0])


def test_nothing_is_asked_while_somebody_moves() -> None:
    film = Film()
    film.show(False, 3)
    for turn in range(40):
        film.show(turn % 2 == 0, 0.5)
    assert film.camera.analyst.signing.offer(film.last) is NoOffer.NO_CANDIDATES


def test_patches_are_no_more_than_one_a_second_when_layers_come_and_go(signed: Film) -> None:
    """Which blocks came back and when is part of what leaves: its rate is bounded like that of promotions."""
    signed.show(True, 4)
    first = len(signed.seen)
    for turn in range(12):
        signed.show(turn % 2 == 0, 0.8)
    times = [each.wall_ns for each in signed.seen[first:] if each.painted is not None]
    assert len(times) >= 2
    assert all(later - earlier >= NS_PER_S for earlier, later in itertools.pairwise(times))
