"""What a camera leaves out, in which order, when its machine is behind: by how long after its arrival a picture is looked at.

First the detectors' looks (proofs take longer, and then wait: load_shedding). Then covers: two a second, then one. Then pictures between
keyframes are not even decoded (camera_vigil), which the state says. Recording goes on in any case, and nothing live is shown.

Belongs here: that order. Does not belong here: when packets are thrown away because even that is too much (ingest.queue).
"""

from __future__ import annotations

from privet.core.clock import NS_PER_MS, NS_PER_S

NO_LOOKS_ABOVE_NS = 300 * NS_PER_MS
FEWER_COVERS = ((NS_PER_S, NS_PER_S), (400 * NS_PER_MS, 500 * NS_PER_MS))
"""Behind by more than the first of a pair, pictures are looked at so far apart at least: whoever is behind by a second has one left before
packets are thrown away, so the first step comes earlier."""
KEYFRAMES_ABOVE_NS = 400 * NS_PER_MS
"""For a second on end: packets are thrown away at two seconds, and until the next keyframe, two seconds more or so, everything is decoded.
A machine that keeps up is behind by a tenth of a second or less."""


def covers_apart_ns(behind_ns: int) -> int:
    """For how long at least no other picture is looked at, on a machine that is so far behind; 0: for no longer than covers are apart."""
    return next((apart_ns for above_ns, apart_ns in FEWER_COVERS if behind_ns > above_ns), 0)
