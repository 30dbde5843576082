"""The site's policy for one camera, as the scene room takes it.

Belongs here: the values, as they come from privet.toml. The defaults stand here and in config.models: change both, a test holds them equal.
Does not belong here: switches of the rules themselves (proof.rules), which only a bench sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from privet.core.clock import NS_PER_MS, NS_PER_S


@dataclass(frozen=True, slots=True)
class AnalystSettings:
    """The site's policy for one camera. person_height_px 0: an eighth of the picture."""

    block_px: int = 8
    covers_per_second: float = 5.0
    hold_ns: int = 600 * NS_PER_MS
    tallest_blocks: int = 12
    prove_ns: int = 60 * NS_PER_S
    prove_keyframes: int = 30
    commissioning: Literal["signature", "automatic"] = "signature"
    person_height_px: int = 0
    looks_per_second: float = 2.0
    blind: tuple[tuple[tuple[float, float], ...], ...] = ()

    @property
    def slot_ns(self) -> int:
        """From one cover to the next."""
        return round(NS_PER_S / self.covers_per_second)

    @property
    def look_period_ns(self) -> int:
        """From one look to the next."""
        return round(NS_PER_S / self.looks_per_second)
