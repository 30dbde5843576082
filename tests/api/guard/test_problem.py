"""What a refused request is told."""

from __future__ import annotations

import pytest
from tests.api.world import World

from privet.core.errors import StoreError

pytestmark = pytest.mark.anyio


async def test_every_error_is_a_problem(unchanged: World) -> None:
    async with unchanged.client(unchanged.administrator) as client:
        for method, path, status in (
            ("GET", "/none", 404),
            ("DELETE", "/api/cameras", 405),
            ("POST", "/api/cameras/gate", 405),
            ("GET", "/api/cameras/gate/timeline", 422),
        ):
            answer = await client.request(method, path)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
            body = answer.json()
            assert set(body) == {"type", "title", "status", "detail", "errors"}
            assert body["status"] == status


async def test_nothing_of_a_request_reaches_a_header(unchanged: World) -> None:
    evil = "x%0d%0aSet-Cookie:%20a=b"
    async with unchanged.client(unchanged.administrator, Accept="text/html") as client:
        for path in (f"/{evil}", f"/api/cameras/{evil}", f"/api/cameras/gate/export.mp4?from_ms={evil}&to_ms=1", f"/login?{evil}"):
            answer = await client.get(f"http://localhost:8420{path}")
            assert "set-cookie" not in answer.headers
            assert all("\r" not in value and "\n" not in value for value in answer.headers.values())


async def test_errors_of_ours_say_nothing_of_the_machine(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async with world.client(world.administrator) as client:
        for error, status in ((RuntimeError("secret /path"), 500), (StoreError("/path/index is broken"), 503)):
            world.scenes.fails = error
            answer = await client.get("/api/cameras/gate/scene?from_ms=0&to_ms=1000")
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
            assert "path" not in answer.text
            assert "Traceback" not in answer.text
    assert "secret /path" in caplog.text
