"""Which sizes of packets tell that something moves."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from privet.ingest.size_motion import EPISODES, FEWEST_QUIET, RUN, Calm, PacketSizes, distance

GOP = 30
LEARNED_GOPS = 2 * FEWEST_QUIET


def a_gop(sizes: PacketSizes, about: int, *, busy: bool, chance: random.Random, jitter: float = 0.1, keyframe: int = 100_000) -> None:
    """One GOP is decoded; pictures right after the keyframe are a third as large as later ones."""
    sizes.saw_keyframe(keyframe)
    for position in range(1, GOP):
        usual = about * min(0.2 + 0.1 * position, 1.0)
        sizes.learn(round(usual * chance.uniform(1 - jitter, 1 + jitter)), busy=busy, quiet=not busy)


def learned(quiet: int, busy: int = 0, jitter: float = 0.1, gops: int = LEARNED_GOPS) -> PacketSizes:
    """What is known of a camera whose quiet and busy pictures take about so many bytes."""
    sizes, chance = PacketSizes(), random.Random(1)
    for _ in range(gops):
        a_gop(sizes, quiet, busy=False, chance=chance, jitter=jitter)
    sizes.tells()
    if busy:
        for _ in range(4):
            a_gop(sizes, busy, busy=True, chance=chance, jitter=jitter)
            a_gop(sizes, quiet, busy=False, chance=chance, jitter=jitter)
    sizes.saw_keyframe(100_000)
    return sizes


def test_pictures_are_alike_that_are_about_as_far_from_their_keyframe() -> None:
    assert [distance(position) for position in (1, 2, 3, 4, 5, 8, 9, 16, 17, 29)] == [0, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_nothing_is_told_before_it_was_learned() -> None:
    assert not learned(360, gops=FEWEST_QUIET - 1).tells()
    assert learned(360, gops=FEWEST_QUIET).tells()


def test_a_large_packet_wakes_and_a_quiet_one_does_not() -> None:
    sizes = learned(360, 6300)
    assert sizes.tells()
    assert not any(sizes.wakes(size) for size in (108, 144, 180, 216, 252))
    assert sizes.wakes(1300)


def test_a_packet_that_is_large_so_soon_after_the_keyframe_wakes() -> None:
    sizes = learned(10_000, 60_000)
    assert sizes.tells()
    assert sizes.wakes(8_000)


def test_a_run_of_slightly_larger_packets_wakes() -> None:
    sizes = learned(1000, 6000)
    assert sizes.tells()
    assert not any(sizes.wakes(round(1000 * min(0.2 + 0.1 * position, 1.0))) for position in range(1, 17))
    assert not sizes.wakes(1350)
    assert any(sizes.wakes(1350) for _ in range(3))


def test_a_keyframe_ends_a_run() -> None:
    sizes = learned(1000, 6000)
    assert sizes.tells()
    for _ in range(5):
        sizes.saw_keyframe(100_000)
        assert not any(sizes.wakes(size) for size in (300, 400, 500))


def test_where_quiet_pictures_are_as_large_as_busy_ones_sizes_tell_nothing() -> None:
    assert not learned(18_000, 18_100).tells()


def test_what_is_told_most_of_the_time_only_is_not_enough() -> None:
    sizes, chance = learned(360, 6300), random.Random(2)
    for _ in range(EPISODES // 3):      # somebody far away
        a_gop(sizes, 370, busy=True, chance=chance)
        a_gop(sizes, 360, busy=False, chance=chance)
    assert not sizes.tells()


def test_where_nothing_was_seen_yet_padding_is_suspected() -> None:
    assert not learned(18_000, jitter=0.02).tells()
    assert learned(2_900, jitter=0.02).tells()


def test_what_a_quiet_picture_takes_is_learned_on_while_asleep() -> None:
    sizes, chance = learned(1000, 6000), random.Random(3)
    assert sizes.tells()
    about = 1000.0
    for _ in range(120):                # dusk, and more noise
        about *= 1.006
        sizes.saw_keyframe(100_000)
        for position in range(1, GOP):
            assert not sizes.wakes(round(about * min(0.2 + 0.1 * position, 1.0) * chance.uniform(0.9, 1.1)))
        sizes.confirm()
        sizes.tells()
    assert about > 2000


def test_of_a_position_that_was_never_seen_nothing_is_known() -> None:
    sizes = learned(360)
    assert sizes.tells()
    for position in range(1, GOP):
        assert not sizes.wakes(round(360 * min(0.2 + 0.1 * position, 1.0)))
    assert any(sizes.wakes(360) for _ in range(GOP, 2 * GOP))


@given(st.lists(st.lists(st.integers(0, 2500), max_size=2 * GOP), max_size=5))
def test_a_packet_that_is_said_to_be_unable_to_wake_does_not(gops: list[list[int]]) -> None:
    """Whatever comes, in GOPs that may be longer than any that was learned."""
    sizes, calm = learned(1000, 6000), Calm()
    assert sizes.tells()
    for gop in gops:
        sizes.saw_keyframe(100_000)
        calm.keyframe()
        for size in gop:
            cannot = calm.cannot_wake(size, sizes.calm_bytes())
            assert not (sizes.wakes(size) and cannot)


def test_most_quiet_packets_cannot_wake() -> None:
    sizes, calm, chance = learned(1000, 6000), Calm(), random.Random(3)
    assert sizes.tells()
    told = [
        calm.cannot_wake(round(1000 * min(0.2 + 0.1 * position, 1.0) * chance.uniform(0.9, 1.1)), sizes.calm_bytes())
        for position in range(1, GOP)
    ]
    assert sum(told) >= 0.8 * len(told)


def test_who_may_make_a_run_is_not_calm() -> None:
    sizes, calm = learned(1000, 6000), Calm()
    assert sizes.tells()
    limits = sizes.calm_bytes()
    assert calm.cannot_wake(limits[0], limits)
    assert not calm.cannot_wake(limits[1] + 1, limits)
    assert [calm.cannot_wake(0, limits) for _ in range(RUN)] == [False] * (RUN - 1) + [True]


def test_while_nothing_is_known_every_packet_counts() -> None:
    assert PacketSizes().calm_bytes() == ()
    assert not Calm().cannot_wake(0, ())
