from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.core.errors import ConfigError
from privet.core.ids import parse_camera_id

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?", fullmatch=True)


@given(NAMES)
def test_names_are_taken_as_they_are(name: str) -> None:
    assert parse_camera_id(name) == name


@given(st.text())
def test_what_is_taken_is_safe_in_a_path_and_a_url(text: str) -> None:
    try:
        name = parse_camera_id(text)
    except ConfigError:
        return
    assert 1 <= len(name) <= 64
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert name[0].isalnum()
    assert name[-1].isalnum()


@pytest.mark.parametrize(
    "text", ["", "-a", "a-", "_a", "A", "a b", "a/b", "..", "a.b", "a\n", "ä", "a" * 65, "a%2e", "a\0", "٣"]
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        parse_camera_id(text)
