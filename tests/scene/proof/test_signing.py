"""Commissioning: what a person signs is what was shown, and only while nobody has come."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.scene.pictures import Failing, Spotter, frame_of, noisy, random_planes, with_box, with_person
from tests.scene.proof.test_promote import per_pixel
from tests.scene.test_analyst import GOP, GRID, PLACE, SETTINGS, SOMEBODY, SOMEBODY_PX, Camera, new_camera

from privet.core.clock import NS_PER_S
from privet.core.errors import DetectorError
from privet.core.frame import Matrix
from privet.core.grid import BoolGrid, Grid
from privet.core.offer import OFFER_EVERY_NS, OFFER_NS
from privet.core.scene import ImageFormat
from privet.ingest.synthetic import Picture
from privet.render.picture import decode_image
from privet.scene.analyst import Analyst
from privet.scene.proof.promote import FLAT_CHROMA, FLAT_Y
from privet.scene.proof.signing import (
    NoOffer,
    Offer,
    OpenOffer,
    Signing,
    began,
    kept_planes,
    unbroken,
)

SIGNED = replace(SETTINGS, commissioning="signature")
ARRIVES_PX = (200, 40, 232, 120)
"""Somebody else, far from `SOMEBODY_PX`."""
ARRIVED: BoolGrid = np.zeros(GRID.shape, np.bool_)
ARRIVED[5:15, 25:29] = True


def luma_of(blocks: BoolGrid) -> BoolGrid:
    return per_pixel(blocks, GRID)[0]


def offer_now(camera: Camera, picture: Picture = PLACE) -> Offer | NoOffer:
    """Show one more frame and ask for an offer right after it, as the pipeline does."""
    frame = frame_of(noisy(picture, 0.8, camera.number), camera.now_ns, keyframe=camera.number % GOP == 0)
    camera.said.append(camera.analyst.observe(frame))
    camera.number += 1
    camera.now_ns += NS_PER_S // 5
    return camera.analyst.signing.offer(frame)


def offered(camera: Camera) -> Offer:
    found = offer_now(camera)
    assert isinstance(found, Offer)
    return found


@cache
def _waiting() -> Camera:
    camera = new_camera(SIGNED)
    camera.show(PLACE, 20)
    return camera


def waiting_camera() -> Camera:
    """A camera whose whole place waits for a signature."""
    return deepcopy(_waiting())


def differing_blocks(before: list[np.ndarray], after: list[np.ndarray]) -> BoolGrid:
    found = np.zeros(GRID.shape, np.bool_)
    for old, new, unit in zip(before, after, (8, 4, 4), strict=True):
        rows, columns = np.nonzero(old != new)
        found[rows // unit, columns // unit] = True
    return found


def test_nothing_is_written_without_a_signature_and_the_offer_holds_the_place() -> None:
    camera = waiting_camera()
    offer = offered(camera)
    assert not camera.background.proven.any()
    assert offer.blocks.mean() > 0.9
    shown = luma_of(offer.blocks)
    assert np.abs(offer.planes[0].astype(int) - PLACE[0])[shown].mean() < 1.0
    assert (offer.planes[0][~shown] == FLAT_Y).all()
    assert not any(plane.flags.writeable for plane in offer.planes)


def test_a_signature_writes_exactly_what_was_offered_and_is_said_once() -> None:
    camera = waiting_camera()
    offer = offered(camera)
    signing = camera.analyst.signing.sign(offer.id, None, camera.now_ns)
    assert signing is not None
    assert (signing.signed, signing.lapsed) == (int(offer.blocks.sum()), 0)
    assert np.array_equal(camera.background.proven, offer.blocks)
    for written, shown in zip(camera.pixels(), offer.planes, strict=True):
        assert np.array_equal(written, shown)
    assert set(np.unique(camera.background.proven_wall_ns[offer.blocks])) == {offer.wall_ns}
    said = [each for each in camera.show(PLACE, 3) if each.promoted is not None]
    assert len(said) == 1
    assert said[0].by_signature
    assert said[0].promoted is not None
    assert np.array_equal(said[0].promoted, offer.blocks)
    assert not any(each.by_signature for each in camera.show(PLACE, 3))


def test_what_was_signed_is_guarded_like_what_was_proven_by_policy() -> None:
    camera = waiting_camera()
    offer = offered(camera)
    camera.analyst.signing.sign(offer.id, None, camera.now_ns)
    camera.show(PLACE, 2)
    assert camera.said[-1].cover.mean() < 0.02
    camera.show(with_box(PLACE, SOMEBODY_PX), 2)
    assert camera.said[-1].cover[SOMEBODY].mean() > 0.9


def test_somebody_who_comes_between_offer_and_signature_is_not_signed() -> None:
    camera = waiting_camera()
    offer = offered(camera)
    camera.show(with_box(PLACE, ARRIVES_PX), 1)
    signing = camera.analyst.signing.sign(offer.id, None, camera.now_ns)
    assert signing is not None
    assert signing.lapsed > int(ARRIVED.sum())
    assert not (camera.background.proven & ARRIVED).any()
    assert signing.signed + signing.lapsed == int(offer.blocks.sum())
    # Elsewhere the signature counts, and what is written is what was offered, not what is there now.
    assert signing.signed == int(camera.background.proven.sum()) > 0
    inside = luma_of(np.array(camera.background.proven))
    assert np.array_equal(camera.pixels()[0][inside], offer.planes[0][inside])


def test_somebody_who_came_and_left_lapses_too() -> None:
    camera = waiting_camera()
    offer = offered(camera)
    camera.show(with_box(PLACE, ARRIVES_PX), 1)
    camera.show(PLACE, 20)  # proven still again, in a new proof
    signing = camera.analyst.signing.sign(offer.id, None, camera.now_ns)
    assert signing is not None
    assert signing.lapsed > 0
    assert not (camera.background.proven & ARRIVED).any()


@dataclass
class Dozer(Spotter):
    """A detector that finds nobody until it wakes up."""

    awake: bool = False

    def find(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        return super().find(pictures) if self.awake else [np.zeros((0, 4), np.float32) for _ in pictures]


@pytest.mark.parametrize("awake", [False, True])
def test_a_person_whom_only_the_look_of_the_offer_finds_is_flat_in_it(awake: bool) -> None:
    dozers = (Dozer((200, 200)), Dozer((220, 220)))
    camera = new_camera(SIGNED, dozers)
    place = with_person(PLACE, SOMEBODY_PX)
    camera.show(place, 20)  # motionless, and overlooked all the time
    for dozer in dozers[1:]:
        dozer.awake = awake
    offer = offer_now(camera, place)
    assert isinstance(offer, Offer)
    assert bool(offer.blocks[SOMEBODY].any()) is not awake  # asleep, nothing else holds them back: so it is this look that does
    assert offer.blocks.mean() > 0.5
    if awake:
        assert (offer.planes[0][luma_of(SOMEBODY)] == FLAT_Y).all()


@pytest.mark.parametrize("after", ["refusal", "expiry", "another offer", "a first signature", "a new size", "blindness"])
def test_an_offer_that_is_over_writes_nothing(after: str) -> None:
    camera = waiting_camera()
    offer = offered(camera)
    match after:
        case "refusal":
            assert camera.analyst.signing.refuse(offer.id, camera.now_ns)
        case "expiry":
            camera.now_ns += OFFER_NS
        case "another offer":
            camera.show(PLACE, OFFER_EVERY_NS / NS_PER_S)
            offered(camera)
        case "a first signature":
            nothing = np.zeros(GRID.shape, np.bool_)
            assert camera.analyst.signing.sign(offer.id, nothing, camera.now_ns) is not None
        case "a new size":
            camera.show((PLACE[0][:120], PLACE[1][:60], PLACE[2][:60]), 1)
        case _:
            camera.show(PLACE, 1, intact=False)
            signing = camera.analyst.signing.sign(offer.id, None, camera.now_ns)  # it is open, and all of it has lapsed
            assert signing == Signing(0, int(offer.blocks.sum()))
    assert camera.analyst.signing.sign(offer.id, None, camera.now_ns) is None
    assert not camera.background.proven.any()


def test_a_refusal_begins_the_proofs_anew() -> None:
    camera = waiting_camera()
    offer = offered(camera)
    assert camera.analyst.signing.refuse(offer.id, camera.now_ns)
    camera.now_ns += NS_PER_S // 5
    camera.show(PLACE, 3)
    assert camera.said[-1].candidates == 0
    assert not camera.analyst.signing.refuse(offer.id, camera.now_ns)


def test_offers_are_made_at_most_every_ten_seconds_and_need_candidates() -> None:
    camera = new_camera(SIGNED)
    assert offer_now(camera) is NoOffer.NO_CANDIDATES
    camera.show(PLACE, 20)
    offered(camera)
    assert offer_now(camera) is NoOffer.TOO_SOON
    camera.show(PLACE, 9)
    assert offer_now(camera) is NoOffer.TOO_SOON
    camera.show(PLACE, 1)
    assert isinstance(offer_now(camera), Offer)


def test_without_detectors_or_picture_there_is_no_offer() -> None:
    camera = waiting_camera()
    frame = frame_of(PLACE, camera.now_ns, intact=False)
    camera.analyst.observe(frame)
    assert camera.analyst.signing.offer(frame) is NoOffer.NO_PICTURE
    failing = Failing((200, 200)), Failing((220, 220))
    camera = new_camera(SIGNED, failing)
    camera.show(PLACE, 20)
    failing[1].failed = True
    with pytest.raises(DetectorError, match="gone"):
        offer_now(camera)
    failing[1].failed = False
    camera.show(PLACE, OFFER_EVERY_NS // NS_PER_S)
    assert offer_now(camera) is NoOffer.NO_PICTURE, "a detector that failed is not asked again"
    assert Analyst(SIGNED, ()).signing.offer(frame) is NoOffer.NO_PICTURE


def test_a_camera_that_fell_silent_lapses_as_a_whole() -> None:
    camera = waiting_camera()
    offer = offered(camera)
    signing = camera.analyst.signing.sign(offer.id, None, camera.now_ns + 6 * NS_PER_S)
    assert signing is not None
    assert signing.signed == 0
    assert not camera.background.proven.any()


def test_an_arrival_is_promoted_by_a_signature_even_where_the_policy_is_automatic() -> None:
    camera = new_camera(SETTINGS, distrust=True)
    camera.show(PLACE, 20)
    assert not camera.background.proven.any()
    offer = offered(camera)
    signing = camera.analyst.signing.sign(offer.id, None, camera.now_ns)
    assert signing is not None
    assert camera.background.proven.any()


@cache
def a_waiting_place() -> tuple[Offer, bytes]:
    """An offer as the property tests vary it: its camera is made anew each time, for it is used up."""
    offer = offered(waiting_camera())
    return offer, offer.webp()


def test_the_picture_shows_the_candidates() -> None:
    offer, image = a_waiting_place()
    picture = decode_image(image, ImageFormat.WEBP, GRID.width_px, GRID.height_px)
    shown = luma_of(offer.blocks)
    assert picture[shown].std() > 10


@settings(max_examples=6, deadline=None)
@given(st.data())
def test_nothing_outside_the_offer_and_the_signers_choice_is_ever_written(data: st.DataObject) -> None:
    camera = waiting_camera()
    box = data.draw(st.sampled_from([None, SOMEBODY_PX, ARRIVES_PX]))
    offer = offered(camera)
    chosen = np.random.default_rng(data.draw(st.integers(0, 999))).random(GRID.shape) < data.draw(st.floats(0, 1))
    if box is not None:
        camera.show(with_box(PLACE, box), data.draw(st.sampled_from([0.2, 1.0])))
    before = camera.pixels()
    signing = camera.analyst.signing.sign(offer.id, chosen, camera.now_ns)
    assert signing is not None
    proven = camera.background.proven
    assert not (proven & ~(chosen & offer.blocks)).any()
    if box is not None:
        left, top, right, bottom = (side // 8 for side in box)
        assert not proven[top:bottom, left:right].any()
    assert signing.signed == int(proven.sum())
    assert signing.signed + signing.lapsed == int((chosen & offer.blocks).sum())
    assert not (differing_blocks(before, camera.pixels()) & ~proven).any()
    inside = luma_of(np.array(proven))
    assert np.array_equal(camera.pixels()[0][inside], offer.planes[0][inside])


# ---- the parts


@given(st.sampled_from([(24, 40), (17, 33), (9, 64)]), st.integers(0, 99))
def test_kept_planes_hold_the_blocks_and_nothing_else(size: tuple[int, int], seed: int) -> None:
    picture = random_planes(*size, seed)
    grid = Grid(size[1], size[0], 8)
    blocks: BoolGrid = np.random.default_rng(seed).random(grid.shape) < 0.5
    kept = kept_planes(picture, blocks, 8)
    for plane, source, unit, flat in zip(kept, picture, (8, 4, 4), (FLAT_Y, FLAT_CHROMA, FLAT_CHROMA), strict=True):
        for row in range(plane.shape[0]):
            for column in range(plane.shape[1]):
                wanted = source[row, column] if blocks[row // unit, column // unit] else flat
                assert plane[row, column] == wanted


def small_offer(open_offer: OpenOffer, now_ns: int) -> Offer:
    grid = Grid(16, 16, 8)
    return open_offer.put(
        grid, Matrix.BT601, np.ones(grid.shape, np.bool_), random_planes(16, 16, 1), np.array([[5, 6], [7, -1]]), now_ns, 3
    )


def test_proofs_that_are_the_same_are_told_from_those_that_began_anew() -> None:
    offer = small_offer(OpenOffer(), 10)
    assert unbroken(offer, np.array([[5, 9], [-1, -1]])).tolist() == [[True, False], [False, False]]
    assert not unbroken(offer, np.zeros((3, 3), np.int64)).any()
    assert began(np.array([0, 4]), 10).tolist() == [-1, 6]


@given(st.integers(0, 2 * OFFER_NS))
def test_an_offer_is_good_until_its_time_is_over(later_ns: int) -> None:
    open_offer = OpenOffer()
    offer = small_offer(open_offer, 10)
    assert open_offer.take(b"another", 10) is None
    taken = open_offer.take(offer.id, 10 + later_ns)
    assert (taken is offer) == (later_ns < OFFER_NS)
    assert open_offer.take(offer.id, 10) is None


def test_ids_are_not_guessed_from_each_other() -> None:
    ids = {small_offer(OpenOffer(), 10).id for _ in range(50)}
    assert len(ids) == 50
    assert {len(each) for each in ids} == {16}
