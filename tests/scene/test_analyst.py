"""One camera's scene, told as stories on synthetic pictures: proven, entered, left, dimmed, covered, moved, restarted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.scene.pictures import Spotter, brightened, frame_of, full, noisy, place, with_box, with_person
from tests.scene.proof.test_promote import per_pixel

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.errors import DetectorError
from privet.core.frame import Matrix
from privet.core.frame_demand import SceneDemand
from privet.core.geometry import AS_STORED, Geometry
from privet.core.grid import BoolGrid, Grid
from privet.core.scene import Condition, Reason
from privet.ingest.synthetic import Picture
from privet.scene.analyst import Analyst
from privet.scene.cover.blind import blind_blocks
from privet.scene.demand import is_due
from privet.scene.observation import Observation
from privet.scene.proof.looks import Detector
from privet.scene.proof.promote import FLAT_CHROMA, FLAT_Y, ProvenBackground
from privet.scene.proof.step import Circumstances
from privet.scene.settings import AnalystSettings
from privet.scene.state_format import StoredScene, from_bytes, to_bytes
from privet.scene.substream.state import begin_sub, come

FPS, GOP = 5, 5
SETTINGS = AnalystSettings(
    prove_ns=6 * NS_PER_S, prove_keyframes=5, commissioning="automatic", person_height_px=80, looks_per_second=50.0
)
PLACE = place()
UPSIDE_DOWN = place(seed=77)
ELSEWHERE_PLACE: Picture = (235 - UPSIDE_DOWN[0][::-1], UPSIDE_DOWN[2][::-1], UPSIDE_DOWN[1][::-1])
GRID = Grid(320, 240)
SOMEBODY_PX = (120, 80, 152, 160)
SOMEBODY = np.zeros(GRID.shape, np.bool_)
SOMEBODY[10:20, 15:19] = True
ELSEWHERE = np.ones(GRID.shape, np.bool_)
ELSEWHERE[5:25, 10:24] = False


def detectors() -> tuple[Spotter, Spotter]:
    return Spotter((200, 200)), Spotter((220, 220))


@dataclass
class Camera:
    """An analyst and the time; shows it pictures and keeps what it said."""

    analyst: Analyst
    now_ns: int = NS_PER_S
    number: int = 0
    said: list[Observation] = field(default_factory=list)

    def show(
        self, picture: Picture, seconds: float, *, fps: int = FPS, gop: int = GOP, sigma: float = 0.8, intact: bool = True,
        matrix: Matrix = Matrix.BT601, stored: Geometry = AS_STORED, shed: bool = False,
    ) -> Sequence[Observation]:
        """A picture for so long, with sensor noise; returns what was said of it."""
        first = len(self.said)
        for _ in range(round(seconds * fps)):
            frame = frame_of(
                noisy(picture, sigma, self.number), self.now_ns, keyframe=self.number % gop == 0, intact=intact, matrix=matrix,
                stored=stored,
            )
            if is_due(self.analyst.demand.main, frame):
                self.said.append(self.analyst.observe(frame, Circumstances(shed=shed)))
            self.number += 1
            self.now_ns += NS_PER_S // fps
        return self.said[first:]

    @property
    def background(self) -> ProvenBackground:
        background = self.analyst.background
        assert background is not None
        return background

    def pixels(self) -> list[np.ndarray]:
        return [np.array(plane) for plane in self.background.planes]


def new_camera(
    changed: AnalystSettings = SETTINGS, found: Sequence[Detector] | None = None, stored: StoredScene | None = None,
    *, distrust: bool = False,
) -> Camera:
    return Camera(Analyst(changed, detectors() if found is None else found, stored, distrust=distrust))


@cache
def proven_scene() -> bytes:
    camera = new_camera()
    camera.show(PLACE, 14)
    scene = camera.analyst.snapshot()
    assert scene is not None
    assert scene.proven.all()
    return to_bytes(scene)


def proven_camera(changed: AnalystSettings = SETTINGS) -> Camera:
    """A camera whose place is proven, after a restart and a few seconds to settle."""
    camera = new_camera(changed, stored=from_bytes(proven_scene()))
    said = camera.show(PLACE, 5)
    assert said[-1].condition is Condition.AWAKE
    assert not said[-1].cover.any()
    return camera


def conditions(said: Sequence[Observation]) -> list[tuple[Condition, Reason]]:
    return [(each.condition, each.reason) for each in said]


def promoted_by(said: Sequence[Observation]) -> int:
    return sum(0 if each.promoted is None else int(each.promoted.sum()) for each in said)


def outside_is_flat(background: ProvenBackground) -> bool:
    luma, chroma = per_pixel(~background.proven, background.grid)
    y, u, v = background.planes
    return bool((y[luma] == FLAT_Y).all() and (u[chroma] == FLAT_CHROMA).all() and (v[chroma] == FLAT_CHROMA).all())


# -- commissioning


def test_a_place_is_proven_block_by_block() -> None:
    camera = new_camera()
    early = camera.show(PLACE, 5.8)
    assert promoted_by(early) == 0
    assert early[0].new_grid
    assert not any(each.new_grid for each in early[1:])
    assert outside_is_flat(camera.background)
    late = camera.show(PLACE, 8)
    assert promoted_by(late) == GRID.blocks
    assert camera.background.proven.all()
    error = camera.background.planes[0].astype(int) - PLACE[0]
    assert np.abs(error).mean() < 0.7
    assert not late[-1].cover.any()
    times = camera.background.proven_wall_ns
    assert set(np.unique(times)) <= {each.wall_ns for each in late if each.promoted is not None}


def test_with_a_signature_asked_for_nothing_is_promoted() -> None:
    camera = new_camera(replace(SETTINGS, commissioning="signature"))
    said = camera.show(PLACE, 14)
    assert promoted_by(said) == 0
    assert not camera.background.proven.any()
    assert said[-1].candidates == GRID.blocks
    assert outside_is_flat(camera.background)


@pytest.mark.parametrize("found", [(), (Spotter((200, 200)),)], ids=["none", "one"])
def test_fewer_than_two_detectors_promote_nothing(found: tuple[Spotter, ...]) -> None:
    camera = new_camera(found=found)
    said = camera.show(PLACE, 14)
    assert promoted_by(said) == 0
    assert said[-1].candidates == 0


def test_somebody_who_stands_there_from_the_first_frame_is_never_shown() -> None:
    """Motionless, but a detector sees them: they stay flat however long it takes, and the rest is proven around them."""
    camera = new_camera()
    camera.show(with_person(PLACE, SOMEBODY_PX), 25)
    assert not camera.background.proven[SOMEBODY].any()
    assert camera.background.proven[ELSEWHERE].mean() > 0.9
    assert camera.analyst.counters.looks_with_hit > 0
    assert outside_is_flat(camera.background)


def test_evidence_from_before_the_proof_began_does_not_count() -> None:
    """Between the end of one proof and the keyframe that begins the next, an empty place is looked at, and then somebody comes."""
    camera = new_camera(replace(SETTINGS, looks_per_second=5.0))
    camera.show(PLACE, 0.2, gop=1000)
    camera.show(with_box(PLACE, SOMEBODY_PX), 0.2, gop=1000)
    camera.show(PLACE, 4, gop=1000)
    assert camera.analyst.counters.looks >= 10, "elsewhere, proofs go on"
    camera.show(with_person(PLACE, SOMEBODY_PX), 0.4, gop=1000)
    camera.show(with_person(PLACE, SOMEBODY_PX), 12)
    assert camera.analyst.counters.looks_with_hit > 0
    assert not camera.background.proven[12:18, 16:18].any()


def test_evidence_does_not_outlive_a_proof_that_ends_and_begins_in_the_same_keyframe() -> None:
    """An empty place has been looked at enough; then, with a keyframe, somebody stands there, and stays."""
    camera = new_camera()
    camera.show(PLACE, 4)
    counters = camera.analyst.counters
    assert (counters.looks, counters.looks_with_hit) == (12, 0), "one more would tell of nobody who is not told of by then"
    assert camera.number % GOP == 0
    camera.show(with_person(PLACE, SOMEBODY_PX), 25)
    assert camera.analyst.counters.looks_with_hit > 0, "whoever came is looked for"
    assert not camera.background.proven[12:18, 16:18].any()
    assert outside_is_flat(camera.background)


def test_where_proofs_break_off_only_what_has_come_half_way_is_looked_at() -> None:
    """Looks taken before would go with the proof. In a place where none has broken off yet they are taken from the first."""
    camera = Camera(Analyst(SETTINGS, detectors()))
    camera.show(PLACE, 2)
    assert camera.analyst.counters.looks > 0
    looks = []
    for _ in range(4):
        camera.show(ELSEWHERE_PLACE, 2)
        camera.show(PLACE, 2)
        looks.append(camera.analyst.counters.looks)
    assert looks[1:] == [looks[1]] * 3, "every proof ends after two seconds, of six"
    camera.show(PLACE, 0.8)
    assert camera.analyst.counters.looks == looks[-1]
    camera.show(PLACE, 4)
    assert camera.analyst.counters.looks > looks[-1]
    camera.show(PLACE, 2)
    assert camera.background.proven.mean() > 0.9, "and as soon as it has been still for long enough, it is proven"


def test_of_a_place_where_nearly_all_proofs_break_off_the_rest_is_looked_at_once_it_has_been_still_for_long_enough() -> None:
    moved: Picture = (np.roll(PLACE[0], 16, 1), np.roll(PLACE[1], 8, 1), np.roll(PLACE[2], 8, 1))
    beside: Picture = (moved[0].copy(), moved[1].copy(), moved[2].copy())
    for plane, same, side in zip(beside, PLACE, (64, 32, 32), strict=True):
        plane[:side, :side] = same[:side, :side]
    camera = Camera(Analyst(SETTINGS, detectors()))
    camera.show(moved, 2)
    looks = [camera.analyst.counters.looks]
    for _ in range(6):
        camera.show(beside, 2)
        camera.show(PLACE, 2)
        looks.append(camera.analyst.counters.looks)
    assert looks[1] == looks[0], "half way is not enough for a few blocks"
    assert looks[2] > looks[1]
    proven = camera.background.proven
    assert 0 < np.count_nonzero(proven) < proven.size // 100
    assert proven[0, 0]


def test_while_proofs_are_shed_nothing_is_proven_nor_looked_at_the_camera_may_sleep_and_all_is_proven_later() -> None:
    spotters = detectors()
    camera = new_camera(found=spotters)
    camera.show(PLACE, 4)
    assert camera.analyst.demand.main.proving
    looks = camera.analyst.counters.looks
    said = camera.show(PLACE, 20, shed=True)
    assert camera.analyst.counters.looks == looks
    assert not any(each.promoted is not None for each in said)
    assert not camera.background.proven.any()
    assert (camera.analyst.demand.main.proving, camera.analyst.demand.main.quiet) == (False, True)
    walker = camera.show(with_person(PLACE, SOMEBODY_PX), 0.4, shed=True)
    assert walker[0].cover[SOMEBODY].any(), "what moves is covered all the same"
    camera.show(PLACE, 3, shed=True)
    before_ns = camera.now_ns
    said = camera.show(PLACE, 14)
    assert camera.background.proven.all()
    assert camera.background.proven_wall_ns.min() >= before_ns + SETTINGS.prove_ns, "no proof is older than the pause"
    assert camera.analyst.counters.looks > looks


def test_blind_zones_are_never_proven_nor_shown() -> None:
    zone = ((0.25, 0.25), (0.6, 0.25), (0.6, 0.7), (0.25, 0.7))
    camera = new_camera(replace(SETTINGS, blind=(zone,)))
    camera.show(PLACE, 14)
    blind = blind_blocks(GRID, (zone,))
    assert camera.analyst.counters.blind_blocks == blind.sum()
    assert blind[8:20, 11:23].all()
    assert np.array_equal(camera.background.proven, ~blind)
    said = camera.show(with_box(PLACE, (60, 40, 220, 200)), 3)
    assert not any((each.cover & blind).any() for each in said if each.condition is Condition.AWAKE)
    assert said[-1].cover.any()
    assert outside_is_flat(camera.background)
    taken_up = new_camera(replace(SETTINGS, blind=(zone,)), stored=from_bytes(proven_scene()))
    taken_up.show(PLACE, 2)
    assert not taken_up.background.proven[blind].any(), "a zone drawn later blinds what an earlier run had proven"
    assert outside_is_flat(taken_up.background)


def test_damaged_frames_prove_nothing() -> None:
    camera = new_camera()
    said = camera.show(PLACE, 14, intact=False)
    assert promoted_by(said) == 0
    assert set(conditions(said)) == {(Condition.BLIND, Reason.DAMAGED)}
    assert all(each.cover.all() for each in said)
    camera.show(PLACE, 5)
    camera.show(PLACE, 0.2, intact=False)
    assert promoted_by(camera.show(PLACE, 5)) == 0, "and what was still before them counts no more"
    assert promoted_by(camera.show(PLACE, 6)) == GRID.blocks


def test_what_moves_where_nothing_is_proven_yet_shows_as_cover() -> None:
    camera = new_camera()
    camera.show(PLACE, 3)
    said = camera.show(with_box(PLACE, SOMEBODY_PX), 0.4)
    assert any(each.cover[SOMEBODY].mean() > 0.8 for each in said)


def test_a_failing_detector_is_an_error_and_proves_nothing() -> None:
    class Failing(Spotter):
        def find(self, pictures: np.ndarray) -> list[np.ndarray]:
            raise DetectorError("lost")

    camera = new_camera(found=(Spotter((200, 200)), Failing((220, 220))))
    for _ in range(60):
        try:
            camera.show(PLACE, 0.2)
        except DetectorError:
            camera.number += 1
            camera.now_ns += NS_PER_S // FPS
    assert not camera.background.proven.any()


# -- life in a proven place


def test_somebody_walks_through() -> None:
    camera = proven_camera()
    before = camera.pixels()
    for step in range(0, 240, 12):
        box = (20 + step, 80, 52 + step, 160)
        said = camera.show(with_box(PLACE, box), 0.2)
        shown = np.zeros(GRID.shape, np.bool_)
        shown[10:20, (20 + step) // 8 : (52 + step) // 8] = True
        assert said[-1].cover[shown].mean() > 0.9
        assert said[-1].cover.mean() < 0.25
    said = camera.show(PLACE, 3)
    assert not said[-1].cover.any()
    assert all(np.array_equal(one, other) for one, other in zip(before, camera.pixels(), strict=True))


@pytest.mark.parametrize("seen_by_detectors", [True, False])
def test_somebody_comes_and_stays_for_hours(seen_by_detectors: bool) -> None:
    """No arrival becomes background, whatever the detectors say: covered in the first minute and after three hours."""
    camera = proven_camera()
    before = camera.pixels()
    somebody = (with_person if seen_by_detectors else with_box)(PLACE, SOMEBODY_PX)
    said = list(camera.show(somebody, 60))
    camera.now_ns += NS_PER_S
    for _ in range(60):
        said += camera.show(somebody, 1)
        camera.now_ns += 179 * NS_PER_S
    assert all(each.cover[SOMEBODY].mean() > 0.95 for each in said)
    assert promoted_by(said) == 0
    assert all(np.array_equal(one, other) for one, other in zip(before, camera.pixels(), strict=True))
    assert conditions(said[-1:]) == [(Condition.AWAKE, Reason.NONE)]
    gone = camera.show(PLACE, 3)
    assert not gone[-1].cover.any()


def test_a_cover_is_held_for_a_while() -> None:
    camera = proven_camera(replace(SETTINGS, hold_ns=600 * NS_PER_MS))
    camera.show(with_box(PLACE, SOMEBODY_PX), 1)
    last_seen_ns = camera.said[-1].wall_ns
    for each in camera.show(PLACE, 2):
        if each.wall_ns - last_seen_ns <= 600 * NS_PER_MS:
            assert each.cover[SOMEBODY].mean() > 0.9
        else:
            assert not each.cover.any()


def test_a_tall_figure_is_coarse() -> None:
    camera = proven_camera()
    said = camera.show(with_box(PLACE, (120, 40, 170, 230)), 1)
    cover = said[-1].cover
    rows = np.flatnonzero(cover.any(axis=1))
    factor = 1
    while rows[-1] // factor - rows[0] // factor + 1 > 12:
        factor += 1
    assert factor >= 2
    cells = cover[: 30 // factor * factor, : 40 // factor * factor].reshape(30 // factor, factor, 40 // factor, factor)
    assert np.isin(cells.sum(axis=(1, 3)), (0, factor**2)).all()


@pytest.mark.parametrize("gain", [0.7, 1.3])
def test_a_light_step_is_light(gain: float) -> None:
    """Within five seconds, and without covering more than a small share on the way."""
    camera = proven_camera()
    said = camera.show(brightened(PLACE, gain), 5)
    assert all(each.condition is Condition.AWAKE for each in said)
    assert max(each.cover.mean() for each in said) < 0.1
    assert said[-1].cover.mean() < 0.01
    lights = [each.light for each in said if each.light is not None]
    assert lights
    coded = 2.0 ** ((lights[-1][0].astype(float) - 128) / 32)
    assert np.abs(coded / gain - 1).max() < 0.06
    times = [each.wall_ns for each in camera.said if each.light is not None]
    assert all(later - earlier >= NS_PER_S for earlier, later in pairwise(times)), "at most once a second"


def test_somebody_in_another_light_is_still_covered() -> None:
    camera = proven_camera()
    dusk = brightened(PLACE, 0.6)
    camera.show(dusk, 3)
    said = camera.show(with_box(dusk, SOMEBODY_PX, luma=110), 2)
    assert said[-1].cover[SOMEBODY].mean() > 0.9
    assert said[-1].cover[ELSEWHERE].mean() < 0.05


def test_one_damaged_frame_at_dusk_does_not_blind_the_camera() -> None:
    """After blindness the light is found anew, whatever it is by then."""
    camera = proven_camera()
    dusk = brightened(PLACE, 0.5)
    camera.show(dusk, 3)
    camera.show(dusk, 0.2, intact=False)
    said = camera.show(dusk, 3)
    assert said[-1].condition is Condition.AWAKE
    assert said[-1].cover.mean() < 0.01


# -- a camera that is tampered with


@pytest.mark.parametrize("level", [16, 20, 128])
def test_a_covered_lens(level: int) -> None:
    camera = proven_camera()
    before = camera.pixels()
    lid = (full((240, 320), level), full((120, 160)), full((120, 160)))
    said = camera.show(lid, 4, sigma=0.0)
    assert conditions(said[-1:]) == [(Condition.BLIND, Reason.OBSCURED)]
    assert said[-1].cover.all()
    assert promoted_by(said) == 0
    back = camera.show(brightened(PLACE, 0.7), 4)
    assert back[-1].condition is Condition.AWAKE
    assert back[-1].cover.mean() < 0.02
    assert all(np.array_equal(one, other) for one, other in zip(before, camera.pixels(), strict=True))


def half_proven_camera() -> Camera:
    """Half of the place is proven, the other half still waits."""
    scene = from_bytes(proven_scene())
    proven = scene.proven.copy()
    proven[:, 20:] = False
    planes = [plane.copy() for plane in scene.planes]
    planes[0][:, 160:] = FLAT_Y
    planes[1][:, 80:] = planes[2][:, 80:] = FLAT_CHROMA
    less = replace(scene, proven=proven, planes=(planes[0], planes[1], planes[2]), proven_wall_ns=np.where(proven, 1, 0))
    return new_camera(stored=less)


def test_a_moved_camera_is_an_arrival_as_a_whole_until_it_is_back() -> None:
    camera = half_proven_camera()
    camera.show(PLACE, 3)
    before = camera.pixels()
    elsewhere = ELSEWHERE_PLACE
    said = camera.show(elsewhere, 1.4)
    assert said[-1].condition is Condition.BLIND
    said = camera.show(elsewhere, 30)
    assert set(conditions(said)) == {(Condition.BLIND, Reason.MOVED)}
    assert all(each.cover.all() for each in said)
    assert promoted_by(said) == 0
    assert all(np.array_equal(one, other) for one, other in zip(before, camera.pixels(), strict=True))
    back = camera.show(PLACE, 3)
    assert back[-1].condition is Condition.AWAKE
    assert not back[-1].cover[:, :18].any()
    assert promoted_by(camera.show(PLACE, 12)) == 600, "and the rest of the place goes on being proven"


def test_another_size_is_a_new_epoch() -> None:
    camera = proven_camera()
    epoch = camera.background.grid.epoch
    smaller = place(180, 200)
    said = camera.show(smaller, 2)
    assert said[0].new_grid
    assert camera.background.grid == Grid(200, 180, 8, epoch + 1)
    assert not camera.background.proven.any()
    assert outside_is_flat(camera.background)
    said = camera.show(smaller, 2, matrix=Matrix.BT709)
    assert said[0].new_grid, "and so is another coding of colour"
    assert camera.background.grid.epoch == epoch + 2


@pytest.mark.parametrize("stored", [Geometry(mirrored=True), Geometry(mirrored=True, flipped=True), Geometry(Fraction(4, 3))], ids=str)
def test_another_rotation_or_aspect_is_a_new_epoch_even_of_the_same_size(stored: Geometry) -> None:
    camera = proven_camera()
    epoch = camera.background.grid.epoch
    assert not any(said.new_grid for said in camera.show(PLACE, 1))
    frame = frame_of(noisy(PLACE, 0.8, 1), camera.now_ns, stored=stored)
    assert camera.analyst.differs(frame)
    said = camera.show(PLACE, 1, stored=stored)
    assert [each.new_grid for each in said] == [True] + [False] * (len(said) - 1)
    assert camera.background.grid.epoch == epoch + 1
    assert not camera.background.proven.any()
    assert outside_is_flat(camera.background)


def test_a_sub_stream_in_another_geometry_is_compared_anew() -> None:
    grid, small = Grid(320, 240, 8), place(120, 160)
    sub = begin_sub(grid.shape)
    seen = [
        come(sub, grid, frame_of(small, at_s * NS_PER_S, stored=stored))
        for at_s, stored in enumerate((AS_STORED, AS_STORED, Geometry(mirrored=True)))
    ]
    assert seen[0] is seen[1]
    assert seen[2] is not seen[1]


# -- a restart


def test_what_was_proven_is_shown_at_once_if_it_fits() -> None:
    camera = new_camera(stored=from_bytes(proven_scene()))
    assert camera.background.proven.all()
    said = camera.show(PLACE, 0.2)
    assert conditions(said) == [(Condition.AWAKE, Reason.NONE)]
    assert not said[0].cover.any()
    assert not said[0].new_grid


def test_what_was_proven_fits_at_dusk_too() -> None:
    camera = new_camera(stored=from_bytes(proven_scene()))
    said = camera.show(brightened(PLACE, 0.6), 0.2)
    assert said[0].condition is Condition.AWAKE
    assert said[0].cover.mean() < 0.05


@pytest.mark.parametrize("proven_columns", [40, 20, 1])
def test_a_start_that_does_not_fit_is_an_arrival(proven_columns: int) -> None:
    """However little was proven: nothing of another picture is promoted, and all of it is covered."""
    scene = from_bytes(proven_scene())
    proven = scene.proven.copy()
    proven[:, proven_columns:] = False
    camera = new_camera(stored=replace(scene, proven=proven))
    said = camera.show(ELSEWHERE_PLACE, 20)
    assert set(conditions(said)) == {(Condition.BLIND, Reason.MOVED)}
    assert all(each.cover.all() for each in said)
    assert promoted_by(said) == 0
    assert outside_is_flat(camera.background)
    back = camera.show(PLACE, 14)
    assert back[-1].condition is Condition.AWAKE
    assert camera.background.proven.all()


def test_somebody_who_sat_down_before_the_restart_is_still_covered() -> None:
    camera = new_camera(stored=from_bytes(proven_scene()))
    said = camera.show(with_box(PLACE, SOMEBODY_PX), 20)
    assert all(each.cover[SOMEBODY].mean() > 0.9 for each in said)
    assert promoted_by(said) == 0


def test_what_cannot_be_read_is_not_taken_for_nothing() -> None:
    camera = new_camera(distrust=True)
    said = camera.show(PLACE, 20)
    assert promoted_by(said) == 0
    assert said[-1].candidates == GRID.blocks, "a signature would do"


def test_where_nothing_was_proven_before_there_is_nothing_to_fit() -> None:
    scene = from_bytes(proven_scene())
    camera = new_camera(stored=replace(scene, proven=np.zeros_like(scene.proven)))
    assert set(conditions(camera.show(PLACE, 1))) == {(Condition.AWAKE, Reason.NONE)}
    camera.show(PLACE, 14)
    assert camera.background.proven.all()


def test_distrust_outlives_a_restart_before_anything_was_proven() -> None:
    camera = new_camera(distrust=True)
    camera.show(PLACE, 2)
    scene = camera.analyst.snapshot()
    assert scene is not None
    again = new_camera(stored=from_bytes(to_bytes(scene)))
    assert promoted_by(again.show(PLACE, 20)) == 0


@dataclass
class Curious(Spotter):
    """Asks in the middle of an observation what is asked of the decoders; threads that receive and decode do so at any moment."""

    ask: Callable[[], object] = object
    told: list[object] = field(default_factory=list)

    def find(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        self.told.append(self.ask())
        return super().find(pictures)


def test_whoever_asks_while_a_frame_is_taken_in_is_told_what_was_published_after_the_last_one() -> None:
    curious = Curious((200, 200))
    camera = new_camera(found=(curious, Curious((220, 220))))
    curious.ask = lambda: camera.analyst.demand
    assert camera.analyst.demand == SceneDemand()
    asked = 0
    for number in range(12):
        before, curious.told = camera.analyst.demand, []
        camera.show(PLACE if number < 8 else place(96, 130), 0.2)
        asked += len(curious.told)
        assert all(each is before for each in curious.told)
        assert camera.analyst.demand is not before
    assert asked > 4


def test_another_block_size_begins_anew() -> None:
    camera = new_camera(replace(SETTINGS, block_px=16), stored=from_bytes(proven_scene()))
    assert not camera.background.proven.any()
    assert camera.background.grid == Grid(320, 240, 16, GRID.epoch + 1)


# -- rates and invariants


@pytest.mark.parametrize("fps", [Fraction(10), Fraction(25, 2), Fraction(15), Fraction(25), Fraction(30), Fraction(30000, 1001)])
@pytest.mark.parametrize("covers_per_second", [2.0, 5.0])
@pytest.mark.parametrize("all_proven", [True, False])
def test_covers_keep_their_rate(fps: Fraction, covers_per_second: float, all_proven: bool) -> None:
    scene = from_bytes(proven_scene()) if all_proven else None
    camera = new_camera(replace(SETTINGS, covers_per_second=covers_per_second), found=(), stored=scene)
    draw = np.random.default_rng(2)
    analysed, said = 0, 1
    cover = np.zeros(GRID.shape, np.bool_)
    seconds = 12
    for number in range(int(seconds * fps)):
        now_ns = NS_PER_S + int(number * NS_PER_S / fps) + int(draw.uniform(0, 4 * NS_PER_MS))
        box = (8 * (number % 30), 80, 8 * (number % 30) + 48, 160)  # so that every cover differs from the last
        frame = frame_of(with_box(PLACE, box), now_ns, keyframe=number % round(2 * fps) == 0)
        if is_due(camera.analyst.demand.main, frame):
            analysed += 1
            seen = camera.analyst.observe(frame).cover
            said += not np.array_equal(seen, cover)
            cover = seen
    assert abs(analysed / seconds / covers_per_second - 1) < (0.1 if all_proven else 0.35)
    assert said <= seconds * covers_per_second * 1.1, "frames that are analysed for proving only change no cover"


def test_a_camera_of_keyframes_only_is_not_analysed_more_often() -> None:
    camera = new_camera(found=())
    due = 0
    for number in range(300):
        frame = frame_of(PLACE, NS_PER_S + number * NS_PER_S // 30)
        if is_due(camera.analyst.demand.main, frame):
            due += 1
            camera.analyst.observe(frame)
    assert 45 <= due <= 55


moments = st.sampled_from(["place", "dim", "person", "box", "elsewhere", "black", "damaged", "gap", "smaller", "noise"])


@settings(max_examples=8)
@given(st.lists(st.tuples(moments, st.floats(0.2, 9)), min_size=1, max_size=6), st.booleans(), st.booleans())
def test_whatever_happens_the_background_holds_only_what_was_promoted(
    story: list[tuple[str, float]], stored: bool, automatic: bool
) -> None:
    """Outside proven blocks the planes are flat, proven pixels never change, and nothing is proven that was not promoted."""
    changed = replace(SETTINGS, prove_ns=2 * NS_PER_S, prove_keyframes=2, commissioning="automatic" if automatic else "signature")
    camera = new_camera(changed, stored=from_bytes(proven_scene()) if stored else None)
    pictures: dict[str, Picture] = {
        "place": PLACE, "dim": brightened(PLACE, 0.5), "person": with_person(PLACE, SOMEBODY_PX), "box": with_box(PLACE, SOMEBODY_PX),
        "elsewhere": ELSEWHERE_PLACE, "black": brightened(PLACE, 0.0), "damaged": PLACE, "gap": PLACE, "smaller": place(96, 130),
        "noise": PLACE,
    }
    was: tuple[int, BoolGrid, list[np.ndarray]] | None = None
    for what, seconds in story:
        camera.now_ns += 20 * NS_PER_S if what == "gap" else 0
        for _ in range(round(seconds * FPS)):
            said = camera.show(pictures[what], 0.2, intact=what != "damaged", sigma=30.0 if what == "noise" else 0.8)
            background = camera.background
            assert outside_is_flat(background)
            proven = np.array(background.proven)
            if was is not None and was[0] == background.grid.epoch:
                new = proven & ~was[1]
                assert not (was[1] & ~proven).any()
                luma, _ = per_pixel(was[1], background.grid)
                assert np.array_equal(background.planes[0][luma], was[2][0][luma])
                promoted = [each.promoted for each in said if each.promoted is not None]
                assert np.array_equal(new, np.any(promoted, axis=0) if promoted else np.zeros_like(new))
                assert automatic or not new.any()
            was = (background.grid.epoch, proven, camera.pixels())
