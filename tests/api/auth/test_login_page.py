"""The login page: without script, in two languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.api.world import World

from privet.api.auth.login_page import choose_language, login_page

pytestmark = pytest.mark.anyio


async def test_the_login_page_has_no_script_and_speaks_arabic(unchanged: World) -> None:
    async with unchanged.client() as client:
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
