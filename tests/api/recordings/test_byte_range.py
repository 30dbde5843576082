"""Range headers: whatever is asked, what is sent lies inside the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.api.recordings.byte_range import ByteRange, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, (0, 99, True)),
        ("bytes=0-0", (0, 0, False)),
        ("bytes=10-19", (10, 19, False)),
        ("bytes=10-", (10, 99, False)),
        ("bytes=-10", (90, 99, False)),
        ("bytes=-1000", (0, 99, False)),
        ("bytes=0-99999999999999999999", (0, 99, False)),
        ("Bytes=0-1", (0, 1, False)),
        ("bytes=100-", None),
        ("bytes=99999999999999999999-", None),
        ("bytes=-0", None),
        ("bytes=20-10", (0, 99, True)),
        ("bytes=0-1,5-6", (0, 99, True)),
        ("bytes=-", (0, 99, True)),
        ("bytes=a-b", (0, 99, True)),
        ("bytes=1-2 3", (0, 99, True)),
        ("bytes=+1-2", (0, 99, True)),
        ("bytes=٣-٤", (0, 99, True)),
        ("bytes=" + "9" * 5000 + "-", (0, 99, True)),
        ("lines=1-2", (0, 99, True)),
        ("bytes=" + ",".join(["0-"] * 10_000), (0, 99, True)),
    ],
)
def test_ranges(header: str | None, expected: tuple[int, int, bool] | None) -> None:
    found = parse_range(header, 100)
    assert found == (None if expected is None else ByteRange(expected[0], expected[1], 100, expected[2]))


def test_a_range_does_not_count_when_the_file_changed() -> None:
    assert parse_range("bytes=1-2", 100, applies=False) == ByteRange(0, 99, 100, True)


def test_an_empty_file_has_no_part() -> None:
    whole = parse_range(None, 0)
    assert whole is not None
    assert whole.length == 0
    assert parse_range("bytes=0-", 0) is None
    assert parse_range("bytes=-1", 0) is None


@given(st.integers(0, 300), st.one_of(st.none(), st.integers(0, 400)), st.one_of(st.none(), st.integers(0, 400)))
def test_what_is_sent_is_what_slicing_gives(size: int, first: int | None, last: int | None) -> None:
    found = parse_range(f"bytes={'' if first is None else first}-{'' if last is None else last}", size)
    data = bytes(n % 256 for n in range(size))
    if found is None:
        assert size == 0 or (first is not None and first >= size) or (first is None and last == 0)
        return
    sent = data[found.first : found.last + 1]
    assert len(sent) == found.length
    if found.whole:
        assert sent == data
    elif first is None:
        assert last is not None
        assert sent == data[-last:]
    else:
        assert sent == data[first : None if last is None else last + 1]


@given(st.text(max_size=60), st.integers(0, 100))
def test_no_header_leads_outside(header: str, size: int) -> None:
    found = parse_range(header, size)
    assert found is None or 0 <= found.first <= found.last + 1 <= size
