"""When a place is quiet enough for keyframes to do, what a keyframe must show to end that, and that nothing is proven meanwhile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.scene.pictures import frame_of, noisy, with_person
from tests.scene.test_analyst import PLACE, SETTINGS, SOMEBODY_PX, Camera, detectors

from privet.core.clock import NS_PER_S
from privet.core.frame import Matrix
from privet.ingest.synthetic import Picture
from privet.scene.analyst import Analyst
from privet.scene.demand import is_due
from privet.scene.proof.step import Circumstances


def proven() -> Camera:
    """A camera whose place is proven, as far as it can be."""
    camera = Camera(Analyst(SETTINGS, detectors()))
    camera.show(PLACE, 30)
    assert camera.background.proven.mean() > 0.95
    return camera


def without_detectors(camera: Camera) -> Camera:
    """The same place, where nothing more can be proven."""
    return Camera(Analyst(SETTINGS, (), camera.analyst.snapshot()), camera.now_ns)


def test_while_anything_is_being_proven_a_place_is_not_quiet() -> None:
    camera = Camera(Analyst(SETTINGS, detectors()))
    assert camera.analyst.demand.main.proving
    assert not camera.analyst.demand.main.quiet
    camera.show(PLACE, 4)
    assert camera.analyst.demand.main.proving
    assert not camera.analyst.demand.main.quiet


def test_quiet_is_ten_seconds_without_anything() -> None:
    camera = without_detectors(proven())
    quiet = []
    for picture, seconds in ((PLACE, 9), (PLACE, 3), (with_person(PLACE, SOMEBODY_PX), 0.4)):
        camera.show(picture, seconds)
        quiet.append(camera.analyst.demand.main.quiet)
        assert not camera.analyst.demand.main.proving
    assert quiet == [False, True, False]
    assert camera.analyst.demand.main.covered


def told(camera: Camera, shown: list[tuple[Picture, bool]]) -> list[bool]:
    """Whether something is said to be there after each picture; bool: it came whole."""
    covered = []
    for picture, intact in shown:
        camera.analyst.observe(frame_of(noisy(picture, 0.8, 990), camera.now_ns, intact=intact))
        camera.now_ns += NS_PER_S // 5
        covered.append(camera.analyst.demand.main.covered)
    return covered


def test_what_moves_in_one_picture_alone_where_nothing_is_proven_is_nothing_to_learn_from() -> None:
    """It may be noise: no size of a packet tells of that, and a camera whose sizes tell nothing does not sleep."""
    camera = proven()
    known = camera.analyst.snapshot()
    assert known is not None
    left, _, right, _ = (at_px // known.grid.block_px for at_px in SOMEBODY_PX)
    given_up = np.zeros_like(known.proven)
    given_up[:, left - 2 : right + 3] = True
    camera = Camera(Analyst(SETTINGS, detectors(), replace(known, proven=known.proven & ~given_up, given_up=given_up)), camera.now_ns)
    camera.show(PLACE, 2)
    somebody = with_person(PLACE, SOMEBODY_PX)
    assert told(camera, [(somebody, True), (somebody, True), (PLACE, True), (somebody, True)]) == [False, False, False, True]


def test_what_differs_from_proven_background_is_there_at_once_but_not_in_what_was_lost() -> None:
    camera = without_detectors(proven())
    camera.show(PLACE, 12)
    somebody = with_person(PLACE, SOMEBODY_PX)
    assert told(camera, [(PLACE, True), (PLACE, False), (PLACE, False), (somebody, True)]) == [False, False, False, True]


def test_a_lost_picture_is_no_rest_and_does_not_begin_the_ten_seconds_anew() -> None:
    camera = without_detectors(proven())
    camera.show(PLACE, 12)
    quiet = []
    for intact in (True, False, True):
        frame = frame_of(noisy(PLACE, 0.8, 990), camera.now_ns, keyframe=True, intact=intact)
        camera.analyst.observe(frame)
        camera.now_ns += NS_PER_S // 5
        quiet.append(camera.analyst.demand.main.quiet)
    assert quiet == [True, False, True]
    camera.show(with_person(PLACE, SOMEBODY_PX), 0.4)
    assert not camera.analyst.demand.main.quiet


def test_a_keyframe_with_somebody_in_it_differs_and_the_same_place_does_not() -> None:
    camera = without_detectors(proven())
    camera.show(PLACE, 12)
    before = camera.analyst.snapshot()
    assert before is not None
    empty = frame_of(noisy(PLACE, 0.8, 991), camera.now_ns, keyframe=True)
    somebody = frame_of(noisy(with_person(PLACE, SOMEBODY_PX), 0.8, 992), camera.now_ns, keyframe=True)
    assert not camera.analyst.differs(empty)
    assert camera.analyst.differs(somebody)
    assert camera.analyst.differs(frame_of(PLACE, camera.now_ns, keyframe=True, intact=False))
    assert camera.analyst.demand.main.quiet, "asking changes nothing"


def test_somebody_where_nothing_is_proven_differs_too() -> None:
    camera = Camera(Analyst(SETTINGS, ()))
    camera.show(PLACE, 12)
    assert not camera.background.proven.any()
    assert camera.analyst.demand.main.quiet
    assert not camera.analyst.differs(frame_of(noisy(PLACE, 0.8, 993), camera.now_ns, keyframe=True))
    assert camera.analyst.differs(frame_of(noisy(with_person(PLACE, SOMEBODY_PX), 0.8, 994), camera.now_ns, keyframe=True))


def test_asleep_nothing_is_proven_however_long() -> None:
    camera = Camera(Analyst(replace(SETTINGS, prove_ns=2 * NS_PER_S, prove_keyframes=2), detectors()))
    for number in range(200):
        frame = frame_of(noisy(PLACE, 0.8, number), camera.now_ns, keyframe=True)
        if is_due(camera.analyst.demand.main, frame):
            camera.analyst.observe(frame, Circumstances(gap=True))
        camera.now_ns += NS_PER_S // 2
    assert not camera.background.proven.any()


def test_where_a_candidate_waits_for_a_signature_a_camera_stays_awake() -> None:
    camera = Camera(Analyst(replace(SETTINGS, commissioning="signature"), detectors()))
    said = camera.show(PLACE, 60)
    assert said[-1].candidates > 0
    assert camera.analyst.demand.main.proving
    assert not camera.analyst.demand.main.quiet


def test_what_was_given_up_before_a_restart_is_not_tried_again_at_once() -> None:
    """Part of the place is not proven. Looks are taken of it, but not where they had brought nothing."""
    stored = proven().analyst.snapshot()
    assert stored is not None
    stored = replace(stored, proven=stored.proven & (np.arange(stored.proven.shape[1]) > 5))
    proving = []
    for given_up in (None, ~stored.proven):
        camera = Camera(Analyst(SETTINGS, detectors(), replace(stored, given_up=given_up)))
        camera.show(PLACE, 2)
        proving.append(camera.analyst.demand.main.proving)
    assert proving == [True, False]
    camera.show(PLACE, 30)
    assert camera.analyst.counters.looks == 0, "a start is no disturbance that gives all another chance"
    assert not camera.analyst.demand.main.proving


def test_a_keyframe_that_was_asked_about_is_not_measured_again() -> None:
    """And says the same as if it had been."""
    one, other = (without_detectors(proven()) for _ in range(2))
    for camera in (one, other):
        camera.show(PLACE, 12)
    frame = frame_of(noisy(with_person(PLACE, SOMEBODY_PX), 0.8, 995), one.now_ns, keyframe=True)
    assert one.analyst.differs(frame)
    said, same = (camera.analyst.observe(frame, Circumstances(gap=True)) for camera in (one, other))
    assert np.array_equal(said.cover, same.cover)
    assert said.cover.any()


def test_what_was_asked_about_counts_for_its_own_grid_and_colours_alone() -> None:
    """A frame of another colour coding begins an epoch in which nothing is proven, so nothing can differ from it."""
    one, other = (without_detectors(proven()) for _ in range(2))
    frame = frame_of(noisy(with_person(PLACE, SOMEBODY_PX), 0.8, 996), one.now_ns, keyframe=True, matrix=Matrix.BT709)
    one.analyst.differs(frame)
    said, same = (camera.analyst.observe(frame) for camera in (one, other))
    assert said.new_grid
    assert np.array_equal(said.cover, same.cover)
