"""How long to wait before a camera is tried again. Pure."""

from __future__ import annotations

from privet.core.clock import NS_PER_S

FIRST_NS = NS_PER_S // 2
LONGEST_NS = 6 * NS_PER_S
"""A camera that is back is found within ten seconds, connecting included."""
REFUSED_LONGEST_NS = 60 * NS_PER_S
"""A wrong password is retried far more slowly: many cameras lock an account after a few wrong tries."""


def next_delay_ns(attempt: int, random: float, longest_ns: int = LONGEST_NS) -> int:
    """Nanoseconds to wait before retry number `attempt`.

    attempt: 0 for the first retry after a connection that worked, which is made at once; then 1, 2, ... while nothing works.
    random: in [0, 1); spreads the retries of many cameras that were lost together over the upper half of the interval.

    From retry 1 on the wait lies in [0.5 s, longest_ns] and its upper end doubles with every attempt.

    Raises:
        ValueError: a negative attempt, or a random number outside [0, 1).
    """
    if attempt < 0:
        raise ValueError(f"attempt {attempt}: counted from 0")
    if not 0.0 <= random < 1.0:
        raise ValueError(f"random number {random}: take one from 0 up to, not including, 1")
    if attempt == 0:
        return 0
    upper_ns = min(longest_ns, FIRST_NS << min(attempt, 10))
    return upper_ns // 2 + int(random * (upper_ns - upper_ns // 2))
