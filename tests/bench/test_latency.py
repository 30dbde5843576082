"""How latency is read out of what was counted and seen."""

from __future__ import annotations

import pytest
from bench.throughput.latency import SPOTS, Change, Seen, appearances, buckets, matched, quantile, quantiles
from prometheus_client.parser import text_string_to_metric_families

METRICS = """\
# HELP privet_camera_latency_seconds From a frame's arrival to its message leaving the worker.
# TYPE privet_camera_latency_seconds histogram
privet_camera_latency_seconds_bucket{camera="c0",le="0.01"} 10.0
privet_camera_latency_seconds_bucket{camera="c0",le="0.02"} 30.0
privet_camera_latency_seconds_bucket{camera="c0",le="+Inf"} 40.0
privet_camera_latency_seconds_count{camera="c0"} 40.0
privet_camera_latency_seconds_sum{camera="c0"} 1.0
privet_camera_latency_seconds_bucket{camera="c1",le="0.01"} 0.0
privet_camera_latency_seconds_bucket{camera="c1",le="0.02"} 10.0
privet_camera_latency_seconds_bucket{camera="c1",le="+Inf"} 10.0
privet_live_latency_seconds_bucket{le="0.005"} 7.0
"""


def test_buckets_of_all_cameras_together() -> None:
    assert list(text_string_to_metric_families(METRICS))  # it is what Prometheus reads
    assert buckets(METRICS) == {10.0: 10.0, 20.0: 40.0, float("inf"): 50.0}
    assert buckets("") == {}


def test_quantiles_lie_within_their_bucket() -> None:
    counted = {10.0: 10.0, 20.0: 40.0, float("inf"): 50.0}
    assert quantile(counted, 0.1) == pytest.approx(5.0)
    assert quantile(counted, 0.5) == pytest.approx(15.0)
    assert quantile(counted, 0.8) == pytest.approx(20.0)
    assert quantiles(counted) == {"p50": 15.0, "p95": 20.0}  # beyond the last bound nobody knows how far
    for nothing in ({}, {10.0: 0.0, float("inf"): 0.0}):
        with pytest.raises(ValueError, match="no latency"):
            quantile(nothing, 0.5)


def test_a_square_is_known_by_its_frame() -> None:
    lines = [f"{number} {number * 1_000_000_000}" for number in (99, 100, 101, 122, 123, 144, 100 + 22 * 21)]
    first_square = 100  # and not counted: the camera may sleep
    assert appearances("\n".join(lines), first_square) == [(122_000.0, 1), (144_000.0, 2), (562_000.0, 1)]
    assert len(SPOTS) == 6


def test_how_late_a_square_is() -> None:
    def change(at_ms: float, spot: int, covered: bool = True) -> Change:
        return Change(atMs=at_ms, spot=spot, covered=covered)

    seen = Seen(
        changes=[change(1150, 0), change(1900, 0, False), change(2300, 2), change(2650, 1), change(9000, 3)],
        frames=600, fromMs=900.0, toMs=10_000.0, problems=[],
    )
    appeared = [(100.0, 5), (1000.0, 0), (2500.0, 1), (4000.0, 3), (5000.0, 4), (9500.0, 1)]
    # The first and the last were not looked at all the time; at 4 nothing was ever covered.
    assert matched(appeared, seen) == ([150.0, 150.0], 1)
