"""What Prometheus reads."""

from __future__ import annotations

import pytest
from tests.api.world import World

pytestmark = pytest.mark.anyio


async def test_metrics_are_text(unchanged: World) -> None:
    async with unchanged.client(unchanged.viewer) as client:
        metrics = await client.get("/metrics")
    assert metrics.text == "privet_up 1\n"
    assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
