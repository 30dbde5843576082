"""What the bench of a day tells the recorder: looped, under the day's light, with every heartbeat."""

from __future__ import annotations

import itertools

import numpy as np
from bench.throughput.day import HOUR_NS, brightened, hourly, looped, record, told_by_encoder, under_daylight
from bench.throughput.daylight import CLOUDS_S, COLUMNS, NIGHT, NOON, clouds, gains, lit_plane
from bench.throughput.track import Told, Track, from_file, to_file

from privet.core.clock import NS_PER_S
from privet.core.frame import Matrix
from privet.core.grid import Grid
from privet.core.scene import Background, Condition, Cover, Light, Patch, Reason, State
from privet.scene.state_format import StoredScene

GRID = Grid(256, 144, 8)
SLOT_NS = NS_PER_S // 5
AGAIN_FROM_NS = 2 * NS_PER_S


def known() -> StoredScene:
    noise = np.random.default_rng(1).integers(60, 200, (144, 256), dtype=np.uint8)
    planes = (noise, noise[::2, ::2].copy(), noise[::2, ::2].copy())
    proven = np.ones(GRID.shape, np.bool_)
    times = np.full(GRID.shape, 1_700_000_000 * NS_PER_S, np.int64)
    return StoredScene(GRID, Matrix.BT601, planes, proven, times, ~proven)


def track() -> Track:
    """Four seconds, of which the last two may be told again; somebody walks, and once a block is promoted."""
    frames = []
    for number in range(20):
        cover = np.zeros(GRID.shape, np.bool_)
        cover[4:10, number : number + 4] = True
        painted = np.zeros(GRID.shape, np.bool_)
        painted[0, number] = True
        light = (np.full((9, 16), 128 + number % 2, np.uint8), np.full((9, 16), 128, np.uint8))
        lit, new = light if number % 5 == 0 else None, painted if number in (3, 13) else None
        frames.append(Told(number * SLOT_NS, Condition.AWAKE, Reason.NONE, cover, lit, new))
    return Track(frames, known(), AGAIN_FROM_NS + 2 * NS_PER_S)


def test_a_track_is_kept_as_it_is() -> None:
    was, again = track(), from_file(to_file(track()))
    assert again.duration_ns == was.duration_ns
    assert np.array_equal(again.known.planes[0], was.known.planes[0])
    for one, other in zip(was.frames, again.frames, strict=True):
        assert (one.at_ns, one.condition, one.reason) == (other.at_ns, other.condition, other.reason)
        assert np.array_equal(one.cover, other.cover)
        assert (one.light is None) == (other.light is None)
        if one.painted is None or other.painted is None:
            assert one.painted is other.painted
        else:
            assert np.array_equal(one.painted, other.painted)


def test_only_the_end_is_told_again_and_what_is_proven_is_not_promoted_again() -> None:
    told = list(looped(track(), AGAIN_FROM_NS, 0, 9 * NS_PER_S))
    assert [each.at_ns for each in told] == [number * SLOT_NS for number in range(45)]
    assert [number for number, each in enumerate(told) if each.painted is not None] == [3, 13]
    assert np.array_equal(told[44].cover, told[14].cover)
    later = list(looped(track(), AGAIN_FROM_NS, 5 * NS_PER_S, 9 * NS_PER_S))
    assert [each.at_ns for each in later] == [number * SLOT_NS for number in range(25, 45)]
    assert np.array_equal(later[0].cover, told[25].cover)


def test_of_an_hour_its_beginning_is_told_until_it_is_over() -> None:
    slice_ns = 4 * NS_PER_S
    told = list(hourly(track(), slice_ns, 0, HOUR_NS + 20 * NS_PER_S))          # of the second hour there is nothing
    assert [each.at_ns for each in told] == [number * SLOT_NS for number in range(HOUR_NS // SLOT_NS)]
    assert [number for number, each in enumerate(told) if each.painted is not None] == [3, 13]
    assert np.array_equal(told[4 * 17 * 5 + 7].cover, told[7].cover)
    last_second = [each.at_ns for each in hourly(track(), slice_ns, HOUR_NS - NS_PER_S, HOUR_NS)]
    assert last_second == [HOUR_NS - number * SLOT_NS for number in range(5, 0, -1)]


def test_every_heartbeat_is_said_and_promotions_are_patches_of_what_is_known() -> None:
    frames = looped(track(), AGAIN_FROM_NS, 0, 9 * NS_PER_S)
    said = [scene for _, scenes in told_by_encoder(frames, track(), 0, 9 * NS_PER_S) for scene in scenes]
    assert [scene.head.sequence for scene in said] == list(range(1, len(said) + 1))
    # One at the beginning, one with the first frame, for the camera is awake then, and one a second.
    assert sum(isinstance(scene, State) for scene in said) == 2 + 9
    assert sum(isinstance(scene, Cover) for scene in said) == 45
    backgrounds = [scene for scene in said if isinstance(scene, Background)]
    assert [int((~each.proven).sum()) for each in backgrounds] == [2]
    assert sum(isinstance(scene, Patch) for scene in said) == 2
    assert max(scene.proven_blocks for scene in said if isinstance(scene, State)) == GRID.blocks


def test_a_day_is_recorded_as_it_is_told() -> None:
    all_of_it = record(looped(track(), AGAIN_FROM_NS, 0, 60 * NS_PER_S), track(), 0, 60 * NS_PER_S)
    assert all_of_it.messages["state"] == 62
    assert all_of_it.messages["cover"] == 300
    assert all_of_it.backgrounds == 1                           # patches are few: the next whole one comes after ten minutes
    assert all(size > 0 for size in all_of_it.files.values())
    without = record(looped(track(), AGAIN_FROM_NS, 0, 60 * NS_PER_S), track(), 0, 60 * NS_PER_S, "cover")
    assert without.size_bytes < all_of_it.size_bytes


def test_light_is_said_once_a_second_and_only_if_it_is_another() -> None:
    night = list(under_daylight(looped(track(), AGAIN_FROM_NS, 0, 60 * NS_PER_S)))
    said = [(each.at_ns, each.light) for each in night if each.light is not None]
    assert len(said) > 20
    for (at_ns, light), (later_ns, later) in itertools.pairwise(said):
        assert later_ns - at_ns >= NS_PER_S
        assert not np.array_equal(later[0], light[0])
    light = (np.full((9, 16), 128, np.uint8), np.full((9, 16), 120, np.uint8))
    half = brightened(light, np.full(COLUMNS, 0.5, np.float32))
    assert (half[0] == 96).all()
    assert (half[1] == 120).all()
    assert any(isinstance(scene, Light) for _, scenes in told_by_encoder(night, track(), 0, 60 * NS_PER_S) for scene in scenes)


def test_a_day_has_night_noon_and_clouds() -> None:
    assert gains(0.0).tolist() == [NIGHT] * COLUMNS
    assert (gains(23 * 3600.0) == np.float32(NIGHT)).all()
    clear = max(float(gains(12.9 * 3600 + minute * 60).max()) for minute in range(20))
    assert abs(clear - NOON) < 0.01
    assert 30 < len(clouds()) < 150
    assert all(CLOUDS_S[0] <= each.from_s < CLOUDS_S[1] for each in clouds())
    coming = gains(clouds()[0].from_s + 2.0)
    assert coming[0] < coming[-1]                               # it comes from the left
    steps = [float(np.abs(gains(at_s + 0.2) / gains(at_s) - 1).max()) for at_s in np.arange(6 * 3600, 20 * 3600, 7.3)]
    assert max(steps) < 0.02


def test_a_lit_plane_keeps_its_black() -> None:
    plane = np.full((4, 128), 116, np.uint8)
    plane[0] = 16
    lit = lit_plane(plane, np.linspace(0.5, 1.5, COLUMNS).astype(np.float32), 16)
    assert (lit[0] == 16).all()
    assert lit[1, 0] == 66
    assert lit[1, -1] == 166
