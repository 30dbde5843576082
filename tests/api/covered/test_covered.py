"""When something was in a polygon."""

from __future__ import annotations

import numpy as np
import pytest
from tests.api.names import FROM_MS, GATE, SPAN
from tests.api.world import World

from privet.api.covered.routes import joined_to_fit
from privet.core.clock import NS_PER_S
from privet.core.intervals import Intervals
from privet.core.polygon import Polygon
from privet.record.covered import NOTHING, SOMETHING, UNKNOWN

pytestmark = pytest.mark.anyio


WHERE = "polygon=0.1,0.1,0.9,0.1,0.9,0.9"


async def test_covered(world: World) -> None:
    world.covers.kinds[GATE] = [NOTHING, SOMETHING, NOTHING, SOMETHING, UNKNOWN]
    async with world.client(world.viewer) as client:
        answer = (await client.get(f"/api/cameras/gate/covered?{SPAN}&{WHERE}")).json()
        joined = (await client.get(f"/api/cameras/gate/covered?{SPAN}&{WHERE}&join_ms=10001")).json()
        future = f"from_ms={FROM_MS + 10 * 3_600_000}&to_ms={FROM_MS + 11 * 3_600_000}"
        ahead = (await client.get(f"/api/cameras/gate/covered?{future}&{WHERE}")).json()
        reaching = f"from_ms={FROM_MS + 3_590_000}&to_ms={FROM_MS + 3_610_000}"
        across = (await client.get(f"/api/cameras/gate/covered?{reaching}&{WHERE}")).json()
    assert world.covers.polygons[0] == Polygon(((0.1, 0.1), (0.9, 0.1), (0.9, 0.9)))
    assert [(s["from_ms"] - FROM_MS, s["to_ms"] - FROM_MS, s["kind"]) for s in answer["spans"]] == [
        (0, 10_000, "nothing"),
        (10_000, 20_000, "something"),
        (20_000, 30_000, "nothing"),
        (30_000, 40_000, "something"),
        (40_000, 60_000, "unknown"),
    ]
    assert [(s["from_ms"] - FROM_MS, s["kind"]) for s in joined["spans"]] == [(0, "nothing"), (10_000, "something"), (40_000, "unknown")]
    assert (joined["join_ms"], joined["something_ms"], joined["unknown_ms"]) == (10_001, 20_000, 20_000)
    assert answer["proven_share"] == 0.75
    assert [s["kind"] for s in ahead["spans"]] == ["unknown"]
    assert ahead["proven_share"] is None
    # What is yet to come is not known, whatever was a moment ago.
    assert across["spans"][-1]["kind"] == "unknown"
    assert across["spans"][-1]["to_ms"] == FROM_MS + 3_610_000


@pytest.mark.parametrize(
    "polygon",
    ["", "1", "0,0,1,1", "0,0,1,0,1", "0,0,1,0,1,2", "0,0,1,0,nan,1", "0,0,1,0,x,1", ",".join(["0,1"] * 65), "0," * 2000 + "0"],
)
async def test_what_is_no_polygon_is_refused(unchanged: World, polygon: str) -> None:
    async with unchanged.client(unchanged.viewer) as client:
        answer = await client.get(f"/api/cameras/gate/covered?{SPAN}&polygon={polygon}")
    assert answer.status_code == 422
    assert "polygon" in answer.json()["detail"]
    assert len(answer.content) < 2000
    assert not unchanged.covers.polygons


def test_very_many_pieces_are_joined_until_they_fit() -> None:
    kinds = np.tile(np.array([SOMETHING, NOTHING, SOMETHING, UNKNOWN], np.uint8), 5000)
    intervals = Intervals(np.arange(len(kinds) + 1) * 10 * NS_PER_S, kinds)
    found, join_ns = joined_to_fit(intervals, 0, 8000)
    assert (found.kinds.tolist(), join_ns) == ([SOMETHING, UNKNOWN], 20 * NS_PER_S)
    assert joined_to_fit(intervals, 0, len(kinds))[1] == 0
