"""The cameras and times that the API's tests speak of."""

from __future__ import annotations

from tests.live.places import START_WALL_NS

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.ids import CameraId

GATE = CameraId("gate")
DOCK = CameraId("dock")
HOUR_NS = 3600 * NS_PER_S
FROM_MS = START_WALL_NS // NS_PER_MS
SPAN = f"from_ms={FROM_MS}&to_ms={FROM_MS + 60_000}"
