"""Moments as people write them on a command line, to nanoseconds UTC. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from privet.core.clock import LAST_NAMEABLE_NS, NS_PER_S

FORMS = "a time like 2026-05-04T14:30:00, 14:30, now, -10m (ago) or, for the end, +30s (later); units s, m, h, d"

_STEP = re.compile(r"(?:now)?([+-])(\d{1,9}(?:\.\d{1,9})?)([smhd])")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_ISO = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<clock>\d{2}:\d{2}(?::\d{2})?)(?:[.,](?P<fraction>\d{1,9}))?"
    r"\s?(?P<offset>Z|z|[+-]\d{2}:?\d{2})?)?"
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_moment(text: str, now_wall_ns: int, zone: tzinfo, after_wall_ns: int | None = None) -> int:
    """Return the moment in ns UTC. Times without an offset are in `zone`.

    after_wall_ns: for the end of a span, where it begins: `+30s` counts from it, and `14:30` is the first such time after it.
        Without it `14:30` is the last such time before now.

    Raises:
        ValueError: it is not a moment; the message says why.
    """
    text = text.strip()
    if text.lower() == "now":
        return now_wall_ns
    if match := _STEP.fullmatch(text):
        return _step(match, text, now_wall_ns, after_wall_ns)
    if match := _CLOCK.fullmatch(text):
        return _clock(match, text, now_wall_ns, zone, after_wall_ns)
    if match := _ISO.fullmatch(text):
        return _iso(match, text, zone)
    raise ValueError(f"{text!r} is no moment: take {FORMS}")


def _step(match: re.Match[str], text: str, now_wall_ns: int, after_wall_ns: int | None) -> int:
    whole, _, fraction = match[2].partition(".")
    unit_ns = _SECONDS[match[3]] * NS_PER_S
    length_ns = int(whole) * unit_ns + int(fraction or "0") * unit_ns // 10 ** len(fraction)
    if match[1] == "-":
        return _within(text, now_wall_ns - length_ns)
    if text.startswith("now"):
        return _within(text, now_wall_ns + length_ns)
    if after_wall_ns is None:
        raise ValueError(f"{text!r} counts from the beginning: it can only be the end")
    return _within(text, after_wall_ns + length_ns)


def _clock(match: re.Match[str], text: str, now_wall_ns: int, zone: tzinfo, after_wall_ns: int | None) -> int:
    try:
        wanted = time(int(match[1]), int(match[2]), int(match[3] or 0))
    except ValueError as error:
        raise ValueError(f"{text!r} is no time of day: {error}") from error
    reference_ns = now_wall_ns if after_wall_ns is None else after_wall_ns
    today = (_EPOCH + timedelta(seconds=reference_ns // NS_PER_S)).astimezone(zone).date()
    found: list[int] = []
    for days in (-1, 0, 1):
        try:
            found.append(_local_ns(text, today + timedelta(days=days), wanted, zone))
        except ValueError:
            continue  # the clocks were put forward over it on that day
    if after_wall_ns is None:
        return max(moment for moment in found if moment <= now_wall_ns)
    return min(moment for moment in found if moment > after_wall_ns)


def _iso(match: re.Match[str], text: str, zone: tzinfo) -> int:
    try:
        day = date.fromisoformat(match["day"])
        wanted = time.fromisoformat(match["clock"] or "00:00")
        fraction_ns = int((match["fraction"] or "0").ljust(9, "0"))
        offset = match["offset"]
        if offset is None:
            return _local_ns(text, day, wanted, zone) + fraction_ns
        plain = datetime.combine(day, wanted, UTC)
        if offset not in "Zz":
            plain = datetime.fromisoformat(f"{plain:%Y-%m-%dT%H:%M:%S}{offset}")
    except ValueError as error:
        raise ValueError(f"{text!r} is no moment: {error}") from error
    return _within(text, _whole_ns(plain)) + fraction_ns


def _local_ns(text: str, day: date, wanted: time, zone: tzinfo) -> int:
    local = datetime.combine(day, wanted, zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(f"{text!r} does not exist on {day} in {zone}: the clocks were put forward over it")
    return _within(text, _whole_ns(moment))


def _whole_ns(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1) * NS_PER_S


def _within(text: str, wall_ns: int) -> int:
    if not 0 <= wall_ns <= LAST_NAMEABLE_NS:
        raise ValueError(f"{text!r} lies outside the years 1970 to 9999")
    return wall_ns
