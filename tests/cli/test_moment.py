from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.cli.moment import parse_moment

S = 1_000_000_000
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> int:
    """An ISO time with offset to ns, by the standard library."""
    return int(datetime.fromisoformat(text).timestamp()) * S


NOW = at("2026-05-04T10:00:00+02:00")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("NOW", NOW),
        ("-10m", NOW - 600 * S),
        ("now-10m", NOW - 600 * S),
        ("-1.5h", NOW - 5400 * S),
        ("-0.000000001s", NOW - 1),
        ("-2d", NOW - 2 * 86400 * S),
        ("now+5s", NOW + 5 * S),
        ("09:30", at("2026-05-04T09:30:00+02:00")),
        ("9:30:15", at("2026-05-04T09:30:15+02:00")),
        ("10:00", NOW),
        ("14:30", at("2026-05-03T14:30:00+02:00")),
        ("2026-05-04", at("2026-05-04T00:00:00+02:00")),
        ("2026-05-04T09:00", at("2026-05-04T09:00:00+02:00")),
        ("2026-05-04 09:00:30", at("2026-05-04T09:00:30+02:00")),
        ("2026-05-04T07:00:00Z", at("2026-05-04T09:00:00+02:00")),
        ("2026-05-04T07:00:00.250Z", at("2026-05-04T09:00:00+02:00") + 250_000_000),
        ("2026-05-04T07:00:00.123456789Z", at("2026-05-04T09:00:00+02:00") + 123_456_789),
        ("2026-05-04T07:00:00,5Z", at("2026-05-04T09:00:00+02:00") + S // 2),
        ("2026-05-04T12:30:00+05:30", at("2026-05-04T09:00:00+02:00")),
        ("2026-05-04T02:00:00-0500", at("2026-05-04T09:00:00+02:00")),
        ("2026-01-04T09:00", at("2026-01-04T09:00:00+01:00")),
    ],
)
def test_moments(text: str, moment: int) -> None:
    assert parse_moment(text, NOW, BERLIN) == moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("+30s", at("2026-05-03T23:50:30+02:00")),
        ("00:10", at("2026-05-04T00:10:00+02:00")),
        ("23:50", at("2026-05-04T23:50:00+02:00")),
        ("-5m", NOW - 300 * S),
    ],
)
def test_the_end_counts_from_the_beginning(text: str, moment: int) -> None:
    assert parse_moment(text, NOW, BERLIN, at("2026-05-03T23:50:00+02:00")) == moment


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "10", "10m", "-10", "-10y", "25:00", "10:60", "2026-13-01", "2026-02-30T10:00", "2026-05-04T24:01",
     "2026-05-04T10:00+99:00", "+30s", "-99999d", "--10m", "1969-12-31T00:00Z", "14:30Z", "2026-05-04T10", "٢٠٢٦-٠٥-٠٤x"],
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError):
        parse_moment(text, NOW, BERLIN)


def test_an_hour_that_does_not_exist_and_one_that_comes_twice() -> None:
    with pytest.raises(ValueError, match="put forward"):
        parse_moment("2026-03-29T02:30", NOW, BERLIN)
    assert parse_moment("2025-10-26T02:30", NOW, BERLIN) == at("2025-10-26T02:30:00+02:00")  # the first of the two
    # Today's 02:30 was left out: yesterday's is the last.
    noon = at("2026-03-29T12:00:00+02:00")
    assert parse_moment("02:30", noon, BERLIN) == at("2026-03-28T02:30:00+01:00")


@given(st.integers(0, 2**61))
def test_what_the_api_writes_is_read_to_the_microsecond(wall_ns: int) -> None:
    whole = datetime.fromtimestamp(wall_ns // S, UTC).replace(microsecond=wall_ns % S // 1000)
    text = whole.isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert parse_moment(text, NOW, BERLIN) == wall_ns // 1000 * 1000


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    try:
        moment = parse_moment(text, NOW, BERLIN)
    except ValueError:
        return
    assert moment >= 0


@given(st.integers(0, 23), st.integers(0, 59), st.integers(NOW, NOW + 400 * 86400 * S))
def test_a_time_of_day_is_the_last_before_now_and_the_first_after_the_beginning(hour: int, minute: int, now_ns: int) -> None:
    text = f"{hour:02}:{minute:02}"
    last = parse_moment(text, now_ns, BERLIN)
    first = parse_moment(text, now_ns, BERLIN, now_ns)
    day = 25 * 3600 * S
    assert last <= now_ns < first
    assert now_ns - last <= 2 * day
    assert first - now_ns <= 2 * day
