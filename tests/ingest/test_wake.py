"""Which sizes of packets tell that something moves."""

from __future__ import annotations

import random

from privet.ingest.wake import FEWEST_BUSY, FEWEST_QUIET, PacketSizes


def learned(quiet: int, busy: int = 0, jitter: float = 0.1, count: int = 3 * FEWEST_QUIET, keyframe: int = 100_000) -> PacketSizes:
    """What is known of a camera whose quiet and busy pictures take about so many bytes."""
    sizes, chance = PacketSizes(), random.Random(1)
    sizes.saw_keyframe(keyframe)
    for _ in range(count):
        sizes.learn(round(quiet * chance.uniform(1 - jitter, 1 + jitter)), busy=False)
    for _ in range(FEWEST_BUSY if busy else 0):
        sizes.learn(round(busy * chance.uniform(1 - jitter, 1 + jitter)), busy=True)
    return sizes


def test_nothing_is_told_before_it_was_learned() -> None:
    assert not learned(360, count=FEWEST_QUIET - 1).tells()
    assert learned(360, count=FEWEST_QUIET).tells()


def test_a_large_packet_wakes_and_a_quiet_one_does_not() -> None:
    sizes = learned(360, 6300)
    assert sizes.tells()
    assert not any(sizes.wakes(size) for size in (330, 360, 390, 370, 345, 361))
    assert sizes.wakes(6300)


def test_a_run_of_slightly_larger_packets_wakes() -> None:
    sizes = learned(1000, 6000)
    assert sizes.tells()
    assert not sizes.wakes(1250)
    assert any(sizes.wakes(1250) for _ in range(3))


def test_a_keyframe_ends_a_run() -> None:
    sizes = learned(1000, 6000)
    assert sizes.tells()
    for _ in range(5):
        sizes.saw_keyframe(100_000)
        assert not any(sizes.wakes(1250) for _ in range(3))


def test_where_quiet_pictures_are_as_large_as_busy_ones_sizes_tell_nothing() -> None:
    assert not learned(18_000, 18_500).tells()


def test_where_no_busy_picture_was_seen_padding_is_suspected() -> None:
    assert not learned(18_000, jitter=0.02).tells()
    assert learned(2_900, jitter=0.02).tells()
