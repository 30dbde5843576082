"""How peers are run and judged, on made-up pictures."""

from __future__ import annotations

import numpy as np
from bench.privacy.peers import Masked, Mog2, Picture, blur_faces, judge, longest, masked
from bench.privacy.sequence import Plate, Sequence
from bench.truth import Box

from privet.core.frame import Frame

HEIGHT, WIDTH = 96, 128
PERSON = Box(1, 40.0, 20.0, 24.0, 56.0)


def sequence() -> Sequence:
    random = np.random.default_rng(1)
    empty = tuple(np.full(shape, level, np.uint8) for shape, level in (((96, 128), 100), ((48, 64), 128), ((48, 64), 128)))
    person = random.integers(140, 220, (56, 24)).astype(np.uint8)
    luma = empty[0].copy()
    luma[20:76, 40:64] = person
    frames = [Frame(luma, empty[1], empty[2], n, n, n == 0, True) for n in range(4)]
    plate = Plate((empty[0], empty[1], empty[2]), np.ones((HEIGHT, WIDTH), np.bool_))
    return Sequence("made up", lambda: iter(frames), dict.fromkeys(range(4), (PERSON,)), 4, 10.0, WIDTH, HEIGHT, lambda _: plate)


def nothing(picture: Picture) -> Masked:
    return picture, np.zeros(picture.shape[:2], np.bool_)


def everything(picture: Picture) -> Masked:
    return np.full_like(picture, 90), np.ones(picture.shape[:2], np.bool_)


def test_a_program_that_masks_nothing_leaks_everybody_by_both_measures() -> None:
    figures = judge(sequence(), masked(sequence(), nothing))
    assert (figures.person_frames, figures.leaked_person_frames, figures.leaked_person_frames_image) == (4, 4, 4)
    assert (figures.tracks_with_leak, figures.longest_leak_ms) == (1, 400)
    assert figures.covered_20 == 0.0
    assert figures.false_cover == 0.0
    assert figures.background_psnr_db is not None
    assert figures.background_psnr_db > 40


def test_a_program_that_masks_everything_leaks_nobody_and_shows_nothing() -> None:
    figures = judge(sequence(), masked(sequence(), everything))
    assert (figures.leaked_person_frames, figures.leaked_person_frames_image, figures.tracks_with_leak) == (0, 0, 0)
    assert figures.covered_50 == 1.0
    assert figures.false_cover == 1.0
    assert figures.background_psnr_db is None


def test_a_face_is_blurred_in_an_ellipse_and_no_further() -> None:
    picture = np.random.default_rng(2).integers(0, 255, (80, 80, 3)).astype(np.uint8)
    out, hidden = blur_faces(picture, np.array([[30, 30, 50, 50]], np.float32))
    assert hidden[40, 40]
    assert not hidden[25, 25]
    assert np.array_equal(out[~hidden], picture[~hidden])
    assert out[hidden].std() < picture[hidden].std() / 2


def test_mog2_hides_what_comes_into_a_still_picture() -> None:
    peer = Mog2()
    empty = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    for _ in range(30):
        peer(empty)
    with_person = empty.copy()
    with_person[20:76, 40:64] = 200
    _, hidden = peer(with_person)
    assert hidden[30:70, 45:60].all()
    assert not hidden[:, 80:].any()


def test_the_longest_run_closes_gaps_of_one() -> None:
    assert longest([]) == 0
    assert longest([1, 2, 4, 9]) == 4
