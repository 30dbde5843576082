"""Tokens become sessions, sessions end, and wrong tries are counted."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.api.world import World, make_world

from privet.api.auth.cookie import COOKIE, TLS_COOKIE
from privet.api.auth.sessions import FIRST_NAME, TOKEN_PREFIX, create_first_token, hash_secret
from privet.api.guard.listen import ListenSettings
from privet.core.clock import NS_PER_S

pytestmark = pytest.mark.anyio


ORIGIN = {"Origin": "http://localhost:8420"}


async def log_in(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/login", data={"token": token}, headers=ORIGIN)


async def test_a_token_becomes_a_session(world: World) -> None:
    async with world.client() as client:
        answer = await log_in(client, world.administrator)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=")
        assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        secret = client.cookies[COOKIE]
        assert len(secret) >= 43
        assert secret not in repr(world.accounts)
        assert list(world.accounts.sessions) == [hash_secret(secret)]
        session = (await client.get("/api/session")).json()
        assert session == {
            "name": "ada",
            "role": "administrator",
            "permissions": ["view", "export", "commission", "admin"],
            "expires_ms": (world.fake_clock.wall_ns() + world.session_ns) // 1_000_000,
        }
        assert (await client.get("/login")).status_code == 303
        world.fake_clock.advance(world.session_ns - 1)
        assert (await client.get("/api/session")).status_code == 200
        world.fake_clock.advance(1)
        assert (await client.get("/api/session")).status_code == 401
        assert world.accounts.sessions == {}


async def test_cookies_of_other_programs_on_this_host_do_no_harm(world: World) -> None:
    async with world.client() as client:
        await log_in(client, world.viewer)
        secret = client.cookies[COOKIE]
        client.cookies.clear()
        for others in ('a[b]={"x": 1, "y": [2]}', "=;;=", "ü=ü", 'open="', "privet_sessio=x"):
            cookie = f"{others}; {COOKIE}={secret}; z=\x7f"
            answer = await client.get("/api/session", headers=[(b"Cookie", cookie.encode())])
            assert answer.status_code == 200, others


async def test_with_tls_the_cookie_is_secure_and_bound_to_the_host(tmp_path: Path) -> None:
    listen = ListenSettings("192.0.2.1", 8420, frozenset({"192.0.2.1"}), Path("c.pem"), Path("k.pem"))
    world = make_world(tmp_path, listen=listen)
    async with world.client() as client:
        answer = await client.post("/login", data={"token": world.viewer}, headers={"Origin": "https://localhost:8420"})
        assert answer.headers["set-cookie"].startswith(f"{TLS_COOKIE}=")
        assert "Secure" in answer.headers["set-cookie"]
        # The cookie that a neighbour on the same name could set in the clear is not looked at.
        secret = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
        client.cookies.clear()
        assert (await client.get("/api/session", headers={"Cookie": f"{COOKIE}={secret}"})).status_code == 401
        assert (await client.get("/api/session", headers={"Cookie": f"{TLS_COOKIE}={secret}"})).status_code == 200


async def test_logging_out_ends_the_session(world: World) -> None:
    async with world.client() as client:
        await log_in(client, world.viewer)
        answer = await client.post("/logout", headers=ORIGIN)
        assert answer.status_code == 204
        assert world.accounts.sessions == {}
        assert 'privet_session="";' in answer.headers["set-cookie"]
        await log_in(client, world.viewer)
        answer = await client.post("/logout", headers=ORIGIN | {"Accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")


async def test_a_wrong_token_is_refused_in_words(world: World) -> None:
    async with world.client() as client:
        for wrong in ("", "x", world.viewer[:-1], world.viewer + "x", "x" * 129, "' OR 1=1 --", "\x00", "ü"):
            answer = await log_in(client, wrong)
            assert answer.status_code == 401
            assert 'role="alert"' in answer.text
            assert "set-cookie" not in answer.headers
            world.fake_clock.advance(60 * NS_PER_S)


async def test_the_form_is_read_with_care(world: World) -> None:
    async with world.client() as client:
        assert (await client.post("/login", content=b"token=" + b"x" * 5000)).status_code == 413
        assert (await client.post("/login", content="token=ü".encode())).status_code == 400
        assert (await client.post("/login", content=b"&".join(b"a=1" for _ in range(50)))).status_code == 400


async def test_trying_is_limited_by_address(world: World) -> None:
    async with world.client() as client:
        statuses = [(await log_in(client, "wrong")).status_code for _ in range(7)]
        assert statuses == [401] * 5 + [429] * 2
        answer = await log_in(client, "wrong")
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "12"
        assert "12 seconds" in answer.text
        world.fake_clock.advance(12 * NS_PER_S)
        assert (await log_in(client, "wrong")).status_code == 401
    async with world.client("wrong") as client:
        assert (await client.get("/api/site")).status_code == 429


async def test_a_right_token_never_waits_for_wrong_ones(world: World) -> None:
    """Not of its own address, and not when everybody's tries are used up: 256 bits are not guessed, so nobody need be locked out."""
    async with world.client() as client:
        for number in range(60):
            world.authentication.count_attempt(f"192.0.2.{number}")
        assert [(await log_in(client, "wrong")).status_code for _ in range(200)] == [429] * 200
        assert (await log_in(client, world.viewer)).status_code == 303


async def test_a_right_bearer_is_never_limited_and_a_wrong_one_is(world: World) -> None:
    async with world.client("wrong") as client:
        assert [(await client.get("/api/site")).status_code for _ in range(7)] == [401] * 5 + [429] * 2
    async with world.client(world.viewer) as client:
        assert [(await client.get("/api/site")).status_code for _ in range(7)] == [200] * 7


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Basic YWRhOmFkYQ==", "Bearer \xff", "bearer null", "Token x"])
async def test_other_authorization_is_nobody(world: World, authorization: str) -> None:
    async with world.client() as client:
        answer = await client.get("/api/site", headers=[(b"Authorization", authorization.encode("latin-1"))])
    assert answer.status_code == 401


def test_the_first_token_is_made_once_and_kept_nowhere(world: World) -> None:
    accounts = type(world.accounts)()
    token = create_first_token(accounts, world.fake_clock)
    assert token is not None
    assert token.startswith(TOKEN_PREFIX)
    assert token not in repr(accounts)
    assert accounts.tokens[hash_secret(token)].name == FIRST_NAME
    assert create_first_token(accounts, world.fake_clock) is None


async def test_a_role_of_another_version_is_nobody(world: World) -> None:
    for secret_hash, found in list(world.accounts.tokens.items()):
        world.accounts.tokens[secret_hash] = type(found)(found.secret_hash, found.name, "root", found.created_wall_ns)
    async with world.client(world.administrator) as client:
        assert (await client.get("/api/site")).status_code == 401
