"""A crash's place as a number, and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privet.core.errors import WireError
from privet.core.wire import decode
from privet.pipe.crash_code import EXCEPTIONS, crash_code_of, describe


def test_the_innermost_line_within_privet_is_named() -> None:
    try:
        decode(b"\xff\xff", None)
    except WireError as error:
        number = crash_code_of(error)
    words = describe(number)
    assert words.startswith("WireError at privet/core/wire.py:")
    assert int(words.rsplit(":", 1)[1]) > 0


def test_a_subclass_is_known_by_its_nearest_known_parent() -> None:
    assert describe(crash_code_of(ConnectionResetError())).startswith("OSError at outside Privet")
    assert describe(crash_code_of(KeyboardInterrupt())) == "nowhere"


def test_the_list_is_closed_sorted_and_without_repeats() -> None:
    assert list(EXCEPTIONS) == sorted(set(EXCEPTIONS))


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_number_has_words(number: int) -> None:
    assert describe(number)


@given(st.text())
def test_a_message_cannot_change_the_number(text: str) -> None:
    assert crash_code_of(ValueError(text)) == crash_code_of(ValueError())
