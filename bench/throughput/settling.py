"""When cameras count as settled: no more is being proven, and what cannot be proven has been given up.

Belongs here: that judgement, a function of what it is told. Does not belong here: asking the cameras, clocks.
"""

from __future__ import annotations

SETTLED_FOR_S = 60.0        # without another hundredth of the picture proven; in the first half of it nobody may have looked yet
SETTLED_LOOKS = 0.25        # a second and camera: what cannot be proven has been given up


class Settling:
    """Told now and then how things are, of all cameras together; begins when it is first told."""

    def __init__(self, cameras: int) -> None:
        self._cameras = cameras
        self._since_s = -1.0
        self._share = -1.0
        self._looks = 0

    def begin_anew(self) -> None:
        """Not every camera gives pictures."""
        self._since_s = -1.0

    def settled(self, share: float, looks: int, now_s: float) -> bool:
        """share, looks: sums over the cameras, of what is proven and of the looks so far. With nothing proven, looks have not begun."""
        for_s = now_s - self._since_s
        more = share > self._share + 0.01 * self._cameras
        looked = looks - self._looks > SETTLED_LOOKS * self._cameras * max(for_s, SETTLED_FOR_S)
        if self._since_s < 0 or share <= 0 or more or looked:
            self._share, self._looks, self._since_s = share, looks, now_s
            return False
        return for_s >= SETTLED_FOR_S
