"""The web application's files."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.api.world import World, make_world

pytestmark = pytest.mark.anyio


async def test_the_web_application_is_served_from_a_list(tmp_path: Path) -> None:
    static, data = tmp_path / "static", tmp_path / "data"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html>page")
    (static / "assets" / "app-1a2b.js").write_text("code")
    (static / "assets" / "app-1a2b.js.map").write_text("map")
    (static / ".hidden.js").write_text("hidden")
    (tmp_path / "secret.txt").write_text("secret")
    (static / "link.txt").symlink_to(tmp_path / "secret.txt")
    world = make_world(data, static=static)
    async with world.client(world.viewer) as client:
        script = await client.get("/assets/app-1a2b.js")
        assert (script.text, script.headers["content-type"]) == ("code", "text/javascript; charset=utf-8")
        assert "immutable" in script.headers["cache-control"]
        for address in ("/", "/camera/gate?at=5", "/index.html"):
            page = await client.get(address, headers={"Accept": "text/html"})
            assert page.text == "<!doctype html>page"
            assert page.headers["cache-control"] == "private, no-cache"
        for address in (
            "/link.txt", "/.hidden.js", "/assets/app-1a2b.js.map", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt",
            "/assets/..%2f..%2fsecret.txt", "//secret.txt", "/assets%00.js", "/assets/", "/\\..\\secret.txt", "/api/none",
            f"/{tmp_path}/secret.txt",
        ):  # fmt: skip
            answer = await client.get(f"http://localhost:8420{address}")
            assert answer.status_code == 404, address
            assert "secret" not in answer.text
        assert (await client.get("/api/none", headers={"Accept": "text/html"})).status_code == 404
    async with world.client() as client:
        assert (await client.get("/assets/app-1a2b.js")).status_code == 401


async def test_without_a_build_the_page_says_so(unchanged: World) -> None:
    async with unchanged.client(unchanged.viewer, Accept="text/html") as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "not built" in answer.text
