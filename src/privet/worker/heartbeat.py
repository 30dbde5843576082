"""When a worker's cameras speak once a second: together. Pure.

Belongs here: the moment. Does not belong here: what is said (camera), the thread that says it (worker).

Sixteen cameras that wake a thread each at sixteen moments of a second, and the main process as often, run cold code every time; what is
said together costs less. Workers speak at different moments, so that a hundred cameras do not hold up everything else at once.
"""

from __future__ import annotations

from privet.core.clock import NS_PER_MS

SPREAD_NS = 127 * NS_PER_MS
"""By so much do the beats of workers that were started one after another lie apart."""


def until_heartbeat_ns(now_ns: int, every_ns: int, worker: int) -> int:
    """Return how long to wait for the next heartbeat: between a two-hundredth of `every_ns` and 201.

    So that no heartbeat is told twice, one that is nearer is left out; and no other, for one that came late must not cost the next one.
    now_ns: monotonic, one clock for all of a machine. worker: its process' id.
    """
    wait_ns = -(now_ns - worker * SPREAD_NS) % every_ns
    return wait_ns if 200 * wait_ns >= every_ns else wait_ns + every_ns
