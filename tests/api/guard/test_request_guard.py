"""The request guard: nothing passes that is not asked of us, by our own pages, by somebody known."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from tests.api.auth.test_login import ORIGIN, log_in
from tests.api.routes import all_routes
from tests.api.world import World

from privet.api.client import client_address
from privet.api.guard.request_guard import host_name, same_origin

pytestmark = pytest.mark.anyio


async def test_only_health_and_login_answer_without_authentication(unchanged: World, routes_alone: FastAPI) -> None:
    async with unchanged.client() as client:
        assert (await client.get("/health")).json() == {"status": "ok"}
        assert (await client.get("/login")).status_code == 200
        paths = {route.path for route in all_routes(routes_alone.routes) if isinstance(route, APIRoute)} - {"/health", "/login"}
        assert len(paths) >= 16
        for path in paths | {"/nothing", "/docs", "/redoc", "/openapi.json", "/api", "//health", "/health/", "/LOGIN", "/login/x"}:
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "MADEUP"):
                answer = await client.request(method, f"http://localhost:8420{path.replace('{path:path}', 'index.html')}")
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8420", 200),
        ("LOCALHOST:1", 200),
        ("127.0.0.1:8420", 200),
        ("[::1]:8420", 200),
        ("evil.example", 421),
        ("localhost.evil.example:8420", 421),
        ("evil.example#localhost", 400),
        ("localhost@evil.example", 400),
        ("local host", 400),
        ("localhost:8420:8420", 400),
        ("localhost/../x", 400),
        ("", 400),
        ("a" * 300, 400),
    ],
)
async def test_only_our_own_names_are_answered(unchanged: World, host: str, status: int) -> None:
    async with unchanged.client() as client:
        answer = await client.get("/health", headers={"Host": host})
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_two_host_headers_are_refused(unchanged: World) -> None:
    async with unchanged.client() as client:
        request = client.build_request("GET", "/health", headers=[("Host", "localhost"), ("Host", "evil.example")])
        assert (await client.send(request)).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (ORIGIN, 204),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://localhost:8420"}, 403),
        ({"Origin": "http://localhost:9999"}, 403),
        ({"Origin": "http://localhost:8420.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
        (ORIGIN | {"Sec-Fetch-Site": "cross-site"}, 403),
        (ORIGIN | {"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 204),
    ],
)
async def test_what_changes_something_comes_from_our_own_pages(world: World, headers: dict[str, str], status: int) -> None:
    async with world.client() as client:
        await log_in(client, world.viewer)
        assert (await client.post("/logout", headers=headers)).status_code == status
        assert len(world.accounts.sessions) == (0 if status == 204 else 1)


async def test_another_site_cannot_log_somebody_in(unchanged: World) -> None:
    async with unchanged.client() as client:
        answer = await client.post("/login", data={"token": unchanged.viewer}, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert unchanged.accounts.sessions == {}


def test_a_token_needs_no_origin() -> None:
    assert same_origin(Headers({"host": "localhost"}), tls=False, by_cookie=False)
    assert not same_origin(Headers({"host": "localhost"}), tls=False, by_cookie=True)


@given(st.text(max_size=300))
def test_a_host_name_is_one_or_none(host: str) -> None:
    name = host_name(host)
    assert name is None or (name == name.lower() and not set(name) & set("/@#? []"))


@pytest.mark.parametrize(
    ("peer", "address"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::9", "2001:db8:1:2::/64"), ("2001:db8:1:2::1", "2001:db8:1:2::/64"), ("x", "x")],
)
def test_an_ipv6_subscriber_is_one_address(peer: str, address: str) -> None:
    assert client_address({"type": "http", "client": (peer, 1)}) == address


async def test_every_answer_carries_the_security_headers(world: World) -> None:
    world.scenes.fails = RuntimeError("secret /path")
    async with world.client(world.administrator) as client, world.client() as stranger:
        answers = [
            await stranger.get("/health"),
            await stranger.get("/login"),
            await stranger.get("/api/cameras"),
            await stranger.get("/health", headers={"Host": "evil.example"}),
            await client.get("/api/cameras"),
            await client.get("/api/none"),
            await client.post("/api/cameras"),
            await client.get("/api/cameras/gate/timeline"),
            await client.get("/api/cameras/gate/scene?from_ms=0&to_ms=1000"),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 401, 421, 200, 404, 405, 422, 500]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] in {"no-referrer", "same-origin"}
        assert answer.headers["cache-control"] == "no-store"


async def test_long_addresses_are_refused(unchanged: World) -> None:
    async with unchanged.client(unchanged.administrator) as client:
        assert (await client.get("/api/cameras?x=" + "y" * 9000)).status_code == 414
