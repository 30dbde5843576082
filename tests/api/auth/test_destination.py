"""Where somebody goes on to after logging in: this server and nowhere else."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.auth.test_login import ORIGIN
from tests.api.world import World

from privet.api.auth.destination import destination, login_path

pytestmark = pytest.mark.anyio


async def test_somebody_looking_is_sent_to_the_login_page(unchanged: World) -> None:
    async with unchanged.client(Accept="text/html,*/*") as client:
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
