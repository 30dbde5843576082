"""The gate: nothing passes that is not asked of us, by our own pages, by somebody known."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from tests.api.auth.test_permissions import all_routes
from tests.api.fakes import World, make_world

from privet.api.auth.destination import destination, login_path
from privet.api.auth.routes import choose_language, login_page
from privet.api.auth.sessions import FIRST_NAME, TOKEN_PREFIX, create_first_token, hash_secret
from privet.api.guard.listen import ListenSettings
from privet.api.guard.request_guard import COOKIE, TLS_COOKIE, client_address, host_name, same_origin
from privet.core.clock import NS_PER_S
from privet.core.errors import StoreError

pytestmark = pytest.mark.anyio

ORIGIN = {"Origin": "http://localhost:8420"}


async def log_in(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/login", data={"token": token}, headers=ORIGIN)


async def test_only_health_and_login_answer_without_authentication(world: World, routes_alone: FastAPI) -> None:
    async with world.client() as client:
        assert (await client.get("/health")).json() == {"status": "ok"}
        assert (await client.get("/login")).status_code == 200
        paths = {route.path for route in all_routes(routes_alone.routes) if isinstance(route, APIRoute)} - {"/health", "/login"}
        assert len(paths) >= 16
        for path in paths | {"/nothing", "/docs", "/redoc", "/openapi.json", "/api", "//health", "/health/", "/LOGIN", "/login/x"}:
            for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "MADEUP"):
                answer = await client.request(method, f"http://localhost:8420{path.replace('{path:path}', 'index.html')}")
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_somebody_looking_is_sent_to_the_login_page(world: World) -> None:
    async with world.client(Accept="text/html,*/*") as client:
        answer = await client.get("/camera/gate?at=1700000000000&span=60000")
        home = await client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/camera/gate%3Fat%3D1700000000000%26span%3D60000")
    assert (home.status_code, home.headers["location"]) == (303, "/login")


async def test_after_logging_in_one_goes_on_to_where_one_wanted(world: World) -> None:
    wanted = "/camera/gate?at=1700000000000&span=60000"
    async with world.client(Accept="text/html,*/*") as client:
        page = await client.get((await client.get(wanted)).headers["location"])
        (kept,) = re.findall('name="next" value="([^"]*)"', page.text)
        assert html.unescape(kept) == wanted
        again = await client.post("/login", data={"token": "wrong", "next": html.unescape(kept)}, headers=ORIGIN)
        assert again.status_code == 401
        assert kept in again.text
        answer = await client.post("/login", data={"token": world.viewer, "next": wanted}, headers=ORIGIN)
        assert (answer.status_code, answer.headers["location"]) == (303, wanted)
        there = await client.get("/login", params={"next": wanted})
        assert (there.status_code, there.headers["location"]) == (303, wanted)


HOSTILE = [
    "", "camera/gate", "//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example", "/camera\\..\\x", "https://evil.example/",
    "http:evil.example", "javascript:alert(1)", "data:text/html,x", "/\t/evil.example", "\t//evil.example", " /camera", "/camera gate",
    "/camera/gate\r\nSet-Cookie: a=b", "/x\x00", "/x\x7f", "/ü", "/x\u2028", "/%zz", "/..//evil.example", "/.//evil.example",
    "/%2e%2e//evil.example", "/../x", "/a/../../x", "/a/%2E./x", "/a//b", "/?a=\\", "/?<script>", '/?"onclick=', "/#//evil.example",
    "/login", "/login?next=/login", "/login/x", "/" + "a" * 3000, "@evil.example", "/@evil.example\n",
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_nobody_is_sent_to_another_site(world: World, hostile: str) -> None:
    assert destination(hostile) == "/"
    async with world.client() as client:
        page = await client.get("/login", params={"next": hostile})
        assert (page.status_code, 'name="next"' in page.text) == (200, False)
        answer = await client.post("/login", data={"token": world.viewer, "next": hostile}, headers=ORIGIN)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert (await client.get("/login", params={"next": hostile})).headers["location"] == "/"


@given(st.one_of(st.text(max_size=60), st.text("/\\.%2eE?#:@a\t\n", max_size=30).map("/".__add__)))
def test_a_destination_is_on_this_server_however_a_browser_reads_it(wanted: str) -> None:
    found = destination(wanted)
    assert found in {wanted, "/"}
    # As a browser does: no tabs and line ends, backslashes are slashes, dots move up.
    read = urljoin("http://privet.example/login", re.sub(r"[\t\r\n]", "", found).replace("\\", "/"))
    assert urlsplit(read).netloc == "privet.example"
    assert not urlsplit(read).path.startswith("//")
    assert destination(found) == found


@pytest.mark.parametrize("wanted", ["/", "/system", "/camera/gate", "/camera/g%C3%A4te?at=1", "/api/cameras/gate/snapshot.jpg?at_ms=5"])
def test_pages_are_gone_on_to(wanted: str) -> None:
    assert destination(wanted) == wanted


@given(st.text(max_size=40), st.binary(max_size=40))
def test_the_login_address_of_any_request_names_a_destination(path: str, query: bytes) -> None:
    address = login_path({"path": f"/{path}", "query_string": query})
    assert address.isascii()
    assert not re.search(r"[\x00-\x20\x7f]", address)
    wanted = parse_qs(urlsplit(address).query).get("next", ["/"])[0]
    assert destination(wanted) == wanted


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
            "expires_ms": (world.fake_clock.wall_ns() + world.deps.session_ns) // 1_000_000,
        }
        assert (await client.get("/login")).status_code == 303
        world.fake_clock.advance(world.deps.session_ns - 1)
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
            world.app.state.room.attempts.draw(f"192.0.2.{number}", world.fake_clock.monotonic_ns())
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
async def test_only_our_own_names_are_answered(world: World, host: str, status: int) -> None:
    async with world.client() as client:
        answer = await client.get("/health", headers={"Host": host})
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_two_host_headers_are_refused(world: World) -> None:
    async with world.client() as client:
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


async def test_another_site_cannot_log_somebody_in(world: World) -> None:
    async with world.client() as client:
        answer = await client.post("/login", data={"token": world.viewer}, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert world.accounts.sessions == {}


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
    world.past.fails = RuntimeError("secret /path")
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


async def test_the_login_page_has_no_script_and_speaks_arabic(world: World) -> None:
    async with world.client() as client:
        english = await client.get("/login", headers={"Accept-Language": "de,en;q=0.5"})
        arabic = await client.get("/login", headers={"Accept-Language": "ar-EG,en;q=0.5"})
    assert '<html lang="en" dir="ltr">' in english.text
    assert '<html lang="ar" dir="rtl">' in arabic.text
    assert arabic.headers["content-language"] == "ar"
    for page in (english.text, arabic.text):
        assert "<script" not in page
        assert "Harbour &lt;b&gt;" in page
        assert "Harbour <b>" not in page
        assert '<label for="token">' in page
    assert "default-src 'none'" in english.headers["content-security-policy"]
    assert "sha256-" in english.headers["content-security-policy"]


@given(st.text(max_size=200))
def test_any_accept_language_is_a_language(header: str) -> None:
    assert choose_language(header) in {"en", "ar"}


def test_language_by_quality() -> None:
    assert choose_language("en;q=0.4, ar;q=0.9") == "ar"
    assert choose_language("ar;q=0, en") == "en"
    assert choose_language("ar;q=nan") == "en"
    assert choose_language("") == "en"


def test_an_error_is_escaped_and_announced() -> None:
    page = login_page("en", "Site", "<b>")
    assert '<p class="error" role="alert" id="error">&lt;b&gt;</p>' in page
    assert 'aria-invalid="true"' in page


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


async def test_errors_of_ours_say_nothing_of_the_machine(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async with world.client(world.administrator) as client:
        for error, status in ((RuntimeError("secret /path"), 500), (StoreError("/path/index is broken"), 503)):
            world.past.fails = error
            answer = await client.get("/api/cameras/gate/scene?from_ms=0&to_ms=1000")
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
            assert "path" not in answer.text
            assert "Traceback" not in answer.text
    assert "secret /path" in caplog.text


async def test_long_addresses_are_refused(world: World) -> None:
    async with world.client(world.administrator) as client:
        assert (await client.get("/api/cameras?x=" + "y" * 9000)).status_code == 414
