"""The attacks on made-up people: they find who can be found, and nobody where nothing is."""

from __future__ import annotations

import numpy as np
import pytest
from bench.privacy.attack.crops import CROP_PX, Crops, Pixels
from bench.privacy.attack.reconstruct import reconstruct, ridge, shrunk
from bench.privacy.attack.reidentify import FEATURES, best_of, interval, reidentify
from bench.privacy.attack.silhouettes import SIZE_PX, aligned, majority, tell_apart
from hypothesis import given
from hypothesis import strategies as st

TRACKS, EACH = 6, 20


def people(shown_is_live: bool, tracks: int = TRACKS, each: int = EACH) -> Crops:
    """Everybody in clothes of their own before noise; shown: live, or flat."""
    random = np.random.default_rng(3)
    height, width = CROP_PX
    track = np.repeat(np.arange(tracks), each)
    clothes = random.integers(20, 236, (tracks, height // 8, width // 8, 3)).repeat(8, 1).repeat(8, 2)
    live = (clothes[track] + random.normal(0, 8, (len(track), height, width, 3))).clip(0, 255).astype(np.uint8)
    plate: Pixels = random.integers(90, 110, live.shape).astype(np.uint8)
    shown = live if shown_is_live else np.full_like(live, 128)
    hidden = np.full(live.shape[:3], 0.0 if shown_is_live else 1.0, np.float32)
    return Crops(track, np.tile(np.arange(each), tracks), live, shown, plate, hidden, np.ones(len(track), np.float32))


def test_who_is_shown_is_matched() -> None:
    matched, tracks = reidentify(people(shown_is_live=True))
    assert tracks == TRACKS
    for each in matched.values():
        assert each.live == 1.0
        assert each.shown == 1.0
        assert each.low > 0


def test_who_is_flat_is_not() -> None:
    matched, _ = reidentify(people(shown_is_live=False))
    for each in matched.values():
        assert each.live == 1.0
        assert each.contains_zero


def test_too_few_tracks_are_refused() -> None:
    crops = people(shown_is_live=False)
    one = Crops(*(value[crops.track == 0] for value in (getattr(crops, name) for name in Crops.__dataclass_fields__)))
    with pytest.raises(ValueError, match="tracks"):
        reidentify(one)


@pytest.mark.parametrize("name", sorted(FEATURES))
def test_features_are_of_length_one(name: str) -> None:
    length = np.linalg.norm(FEATURES[name](people(shown_is_live=True).live), axis=1)
    assert np.allclose(length, 1, atol=1e-4)


def test_interval_holds_the_mean() -> None:
    low, high = interval(np.random.default_rng(1).normal(3, 1, 200), 0)
    assert low < 3.1
    assert high > 2.9
    assert high - low < 0.4


def test_the_adversary_takes_what_suits_them_best() -> None:
    assert best_of(np.array([[0.2, 0.2, 0.2], [0.0, 0.9, 0.0], [0.1, 0.1, 0.1]])).tolist() == [0.0, 0.9, 0.0]
    # Where no way is better than another the first is taken: the empty place alone.
    assert best_of(np.array([[0.2, 0.1, 0.3], [0.3, 0.1, 0.2]])).tolist() == [0.2, 0.1, 0.3]


def test_what_is_shown_is_reconstructed_and_what_is_flat_is_not() -> None:
    assert reconstruct(people(True, 500, 1)).gain_db > 3
    flat = reconstruct(people(False, 500, 1))
    assert flat.gain_db <= 0.1
    assert flat.sanity_gain_db > flat.gain_db + 0.2


def test_ridge_finds_a_line() -> None:
    x = np.random.default_rng(2).normal(0, 1, (500, 3))
    y = x @ np.array([[1.0], [-2.0], [0.5]]) + 7
    assert np.allclose(ridge(x, y, x[:5], (1e-6,))[0], y[:5], atol=1e-3)


def test_shrunk_are_means() -> None:
    assert shrunk(np.arange(64, dtype=np.uint8).reshape(1, 8, 8)).tolist() == [[13.5, 17.5, 45.5, 49.5]]


@given(left=st.integers(0, 40), top=st.integers(0, 30), scale=st.integers(1, 3))
def test_alignment_takes_place_and_size_away(left: int, top: int, scale: int) -> None:
    body = np.zeros((16, 8), np.bool_)
    body[:, 3:5] = True
    body[6:9] = True
    picture = np.zeros((120, 120), np.bool_)
    grown = body.repeat(scale, 0).repeat(scale, 1)
    picture[top : top + grown.shape[0], left : left + grown.shape[1]] = grown
    middle = np.zeros((48, 64), np.bool_)
    middle[10:26, 20:28] = body
    assert np.abs(aligned(picture) - aligned(middle)).mean() < 0.02


def test_nobody_aligns_to_nothing() -> None:
    assert aligned(np.zeros((5, 4), np.bool_)).tolist() == np.zeros(SIZE_PX).tolist()


def test_majority_drops_specks_and_closes_gaps() -> None:
    mask = np.zeros((20, 20), np.bool_)
    mask[5:15, 5:15] = True
    mask[9, 9] = False
    mask[1, 1] = True
    out = majority(mask)
    assert out[9, 9]
    assert not out[1, 1]


def test_walkers_of_different_build_are_told_apart_and_equal_ones_are_not() -> None:
    random = np.random.default_rng(5)

    def walk(width: int) -> list[tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
        frames = []
        for number in range(80):
            body = np.zeros(SIZE_PX, np.float32)
            body[:, 16 - width : 16 + width] = 1
            frames.append((number, (body + random.normal(0, 0.1, SIZE_PX)).astype(np.float32)))
        return frames

    assert tell_apart({n: walk(2 + 2 * n) for n in range(5)}, 10.0, 4.0).rank1 > 0.95
    assert tell_apart({n: walk(6) for n in range(5)}, 10.0, None).rank1 < 0.5
