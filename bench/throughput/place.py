"""What the bench's cameras know of their place when they start.

Belongs here: proving the place where nobody is, once for each size. Does not belong here: what the cameras show afterwards.

Both clips show one place. Its proof is taken from the quiet one, as cameras are commissioned before people come, or at night; where people
are everywhere all the time, next to nothing is ever proven, and *settled* would be of a camera that cannot settle. A camera of H.265 begins
with what was proven in H.264, as one does whose codec was changed.
"""

from __future__ import annotations

from bench.throughput.clips import clip
from bench.throughput.core import two_cores
from bench.throughput.keep import kept
from bench.throughput.site import PROVES_WITHIN_S, cameras_on, prove


def known_place(height_px: int) -> bytes:
    """What one camera keeps of the place for its next start, as privet.worker.state_store takes it. What it has learned of its sub-stream
    is not kept, so it is the same for cameras that have one.

    Raises:
        DemoError: Privet does not start, or proves nothing.
    """
    quiet = clip("quiet", height_px)

    def proven() -> bytes:
        measured, other = two_cores()
        with cameras_on(other, quiet) as (url, sub_url):
            return prove(url, sub_url, measured, PROVES_WITHIN_S * max(1.0, height_px**2 / 1080**2))

    return kept(f"place-{quiet.path.stem}", quiet.path.name.encode(), proven)
