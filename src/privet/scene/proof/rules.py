"""Which rules of promotion hold: all of them. A bench switches one off to show that it is needed.

Belongs here: the switches, as plain data. Does not belong here: the rules themselves (stillness, looks, promote), and for how long a proof
takes (config.models, `[promotion]`). Nothing in privet.toml, the register or the worker's settings reaches them, and tests/arch holds that
no module of the product makes a `Rules` of its own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """False: the rule is off.

    Rule 1. keyframe_noise: a block moved if it differs from its proof's first keyframe. small_shifts: it also moved if a shift by parts of
    a pixel explains the difference. motion: it also moved if it differs between keyframes. neighbourhood: what moves restarts a body
    height around it.
    Rule 2. varied_views: looks are scaled, shifted, mirrored and turned. clear_needs_light: a look without a hit counts only where a person
    could have been seen: lit and sharp.
    Rule 3. arrival: what came after the place was known is promoted by signature alone.
    """

    keyframe_noise: bool = True
    small_shifts: bool = True
    motion: bool = True
    neighbourhood: bool = True
    varied_views: bool = True
    clear_needs_light: bool = True
    arrival: bool = True


ALL_RULES = Rules()
