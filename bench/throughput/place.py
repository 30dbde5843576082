"""What the bench's cameras know of their place when they start.

Belongs here: proving the place where nobody is, once for each size and codec. Does not belong here: what the cameras show afterwards.

Both clips show one place. Its proof is taken from the quiet one, as cameras are commissioned before people come, or at night; where people
are everywhere all the time, next to nothing is ever proven, and *settled* would be of a camera that cannot settle.
"""

from __future__ import annotations

from functools import cache

from demo.clip import Codec

from bench.throughput.clips import SUB_HEIGHT_PX, clip
from bench.throughput.core import two_cores
from bench.throughput.site import cameras_on, prove


@cache
def known_place(height_px: int, codec: Codec = "h264", *, with_sub: bool = False) -> bytes:
    """What one camera keeps of the place for its next start, as privet.runtime.state_store takes it. with_sub: it has a sub-stream, too.

    Raises:
        DemoError: Privet does not start, or proves nothing.
    """
    measured, other = two_cores()
    sub = clip("quiet", SUB_HEIGHT_PX, codec) if with_sub else None
    with cameras_on(other, clip("quiet", height_px, codec), sub) as (url, sub_url):
        return prove(url, sub_url, measured)
