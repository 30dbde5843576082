"""What a request may ask for."""

from __future__ import annotations

import pytest
from tests.api.names import SPAN
from tests.api.world import World

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "name",
    ["none", "<script>", "gate'--", "gate%00", "..", "%2e%2e", "gate%2f..%2fdock", "GATE", "gate%20", "x" * 65, "1%20OR%201=1", "ü"],
)
async def test_a_name_that_is_none_is_not_found(unchanged: World, name: str) -> None:
    async with unchanged.client(unchanged.administrator) as client:
        asked = f"/covered?{SPAN}&polygon=0,0,1,0,1,1"
        for path in ("", f"/timeline?{SPAN}", asked, f"/scene?{SPAN}", "/snapshot.jpg", f"/export.mp4?{SPAN}"):
            answer = await client.get(f"http://localhost:8420/api/cameras/{name}{path}")
            assert answer.status_code == 404, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert "<" not in answer.text
        answer = await client.get(f"http://localhost:8420/api/recordings?camera={name}&{SPAN}")
        assert answer.status_code in {404, 422}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "from_ms"),
        ("from_ms=0", "to_ms"),
        ("from_ms=x&to_ms=1", "from_ms"),
        ("from_ms=-1&to_ms=1", "from_ms"),
        ("from_ms=1.5&to_ms=9", "from_ms"),
        ("from_ms=nan&to_ms=9", "from_ms"),
        (f"from_ms=0&to_ms={10**30}", "to_ms"),
        (f"from_ms=0&to_ms={'9' * 4400}", "to_ms"),
        ("from_ms=0&to_ms=1&bins=0", "bins"),
        ("from_ms=0&to_ms=1&bins=4001", "bins"),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_named(unchanged: World, query: str, parameter: str) -> None:
    async with unchanged.client(unchanged.viewer) as client:
        answer = await client.get(f"/api/cameras/gate/timeline?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert parameter in [error["parameter"] for error in body["errors"]]
    assert parameter in body["detail"]
    assert len(answer.content) < 2000


@pytest.mark.parametrize(
    "path",
    [
        "/api/cameras/gate/timeline?from_ms=5&to_ms=5",
        "/api/cameras/gate/timeline?from_ms=6&to_ms=5",
        "/api/cameras/gate/timeline?from_ms=0&to_ms=253402300799999",
        "/api/cameras/gate/covered?polygon=0,0,1,0,1,1&from_ms=0&to_ms=86400000000",
        "/api/cameras/gate/scene?from_ms=0&to_ms=86400000000",
        "/api/cameras/gate/scene?from_ms=0&to_ms=86400000",
        "/api/cameras/gate/scene?from_ms=0&to_ms=86400000&step_ms=100",
        "/api/cameras/gate/export.mp4?from_ms=0&to_ms=86400000",
    ],
)
async def test_too_much_is_refused_with_what_would_do(unchanged: World, path: str) -> None:
    async with unchanged.client(unchanged.administrator) as client:
        answer = await client.get(path)
    assert answer.status_code == 422
    assert answer.json()["detail"]
