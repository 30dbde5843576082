"""In which steps latency is counted, by the worker that counts it and by the main process that shows it. Pure."""

from __future__ import annotations

LATENCY_BOUNDS_US = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000)
"""Upper bounds of Health.latency_bucket_counts; the last bucket, beyond them, has none."""


def latency_bucket(latency_us: int) -> int:
    """Return the index of the first bound that is not below; one past the last if all are."""
    for index, bound_us in enumerate(LATENCY_BOUNDS_US):
        if latency_us <= bound_us:
            return index
    return len(LATENCY_BOUNDS_US)
