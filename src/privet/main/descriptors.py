"""How many files and sockets this process may have open at once."""

from __future__ import annotations

import resource

from privet.main.request_limits import MOST_DESCRIPTORS


def raise_descriptor_limit() -> int:
    """Raise the limit on open file descriptors as far as this process may. Returns what it is then."""
    soft, hard = (
        MOST_DESCRIPTORS if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    wanted = min(hard, MOST_DESCRIPTORS)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return max(soft, wanted)
