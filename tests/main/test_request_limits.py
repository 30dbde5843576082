"""What the port takes: never more connections than there is room for, the least missed go first, and heads are counted to their end."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.core.errors import ConfigError
from privet.main.logs import ALL_A_MINUTE, OTHERS_A_MINUTE, OWN_A_MINUTE
from privet.main.request_limits import (
    BODY_BYTES,
    BODY_TOO_LARGE,
    DESCRIPTORS_PER_CAMERA,
    DESCRIPTORS_PER_WORKER,
    DESCRIPTORS_RESERVED,
    FEWEST_CONNECTIONS,
    HEAD_BYTES,
    HEAD_LINES,
    HEAD_TOO_LARGE,
    LIVE_BYTES_A_MINUTE,
    MOST_CONNECTIONS,
    PIPELINED,
    TIMES,
    Bounds,
    Held,
    Measure,
    Phase,
    connection_bounds,
    given_up,
)

ADDRESSES = st.sampled_from("abc")
STEP = st.tuples(st.sampled_from(["connect", "phase", "leave"]), ADDRESSES, st.integers(0, 99), st.sampled_from(Phase))
STEPS = st.lists(STEP, max_size=120)


@given(st.integers(1, 40), st.integers(1, 40), STEPS)
def test_never_too_many_and_nobody_busy_is_given_up(
    connections: int, per_address: int, steps: list[tuple[str, str, int, Phase]]
) -> None:
    bounds = Bounds(connections, min(connections, per_address))
    held: dict[int, Held] = {}
    for now_ns, (step, address, pick, phase) in enumerate(steps):
        chosen = list(held)[pick % len(held)] if held else None
        if step == "phase" and chosen is not None:
            held[chosen] = replace(held[chosen], phase=phase, since_ns=now_ns)
        elif step == "leave" and chosen is not None:
            del held[chosen]
        elif step == "connect":
            own = sum(one.address == address for one in held.values())
            admitted = not bounds.full(len(held), own)
            if not admitted:
                numbers = given_up(held.values(), address, bounds, own)
                left = [one for number, one in held.items() if number not in numbers]
                pool = [one for one in held.values() if own < bounds.per_address or one.address == address]
                for number in numbers:
                    assert held[number].phase < Phase.BUSY
                    assert held[number] in pool
                    waits = (held[number].phase, held[number].since_ns)
                    assert all(waits <= (one.phase, one.since_ns) for one in left if one in pool)
                # Refused is a newcomer only if all it could take the place of are busy.
                assert bool(numbers) == any(one.phase < Phase.BUSY for one in pool)
                for number in numbers:
                    del held[number]
                admitted = bool(numbers)
            if admitted:
                held[now_ns] = Held(Phase.WAITING, now_ns, now_ns, address)
        assert len(held) <= bounds.connections
        assert all(count <= bounds.per_address for count in Counter(one.address for one in held.values()).values())


def test_the_page_says_the_same() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "ref" / "api.md").read_text(encoding="utf-8")
    section = page.split("## The port\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", section, re.MULTILINE))
    assert rows["a request's headers"] == f"{HEAD_BYTES} bytes, {HEAD_LINES} lines, {TIMES.head_s:.0f} s"
    assert rows["a request's body"] == f"{BODY_BYTES} bytes, {TIMES.body_s:.0f} s"
    assert rows["TLS handshake"] == f"{TIMES.handshake_s:.0f} s"
    assert rows["requests that wait behind one that is being answered"] == f"{PIPELINED}"
    assert rows["what a WebSocket's client sends"] == f"{LIVE_BYTES_A_MINUTE} bytes a minute"
    assert rows["closing, until all is sent"] == f"{TIMES.leave_s:.0f} s"
    assert rows["connections in all"].startswith(f"{MOST_CONNECTIONS}, ")
    kept = (DESCRIPTORS_RESERVED, DESCRIPTORS_PER_WORKER, DESCRIPTORS_PER_CAMERA, FEWEST_CONNECTIONS)
    assert [int(number) for number in re.findall(r"\d+", section.split("At start")[1].split("\n\n")[0])] == [*kept]
    rates = (OWN_A_MINUTE, OTHERS_A_MINUTE, ALL_A_MINUTE)
    assert [int(number) for number in re.findall(r"\d+", section.split("Every kind of log line")[1])] == [*rates]


def test_descriptors_are_kept_for_cameras_and_too_few_are_named() -> None:
    assert connection_bounds(65536, 64, 4) == Bounds(MOST_CONNECTIONS, MOST_CONNECTIONS // 2)
    few, many = connection_bounds(800, 1, 1), connection_bounds(800, 100, 7)
    assert few.connections - many.connections == 99 * 4 + 6 * 8
    assert few.per_address == few.connections // 2
    with pytest.raises(ConfigError, match=r"may open 256 file descriptors, and 10 cameras with the page take 304: raise the limit"):
        connection_bounds(256, 10, 1)


@given(st.lists(st.sampled_from([b"GET / HTTP/1.1", b"a: b", b"x" * 50, b"\r", b"c:"]), max_size=8), st.binary(max_size=20), st.data())
def test_a_head_ends_where_it_does_however_it_is_cut(lines: list[bytes], rest: bytes, data: st.DataObject) -> None:
    ending = data.draw(st.sampled_from([b"\r\n", b"\n"]))
    head = ending.join([b"GET / HTTP/1.1", *(line for line in lines if line.strip()), b"", b""])
    whole = head + rest
    measure, start = Measure(), 0
    while start < len(head):
        piece = whole[start : start + data.draw(st.integers(1, 30))]
        start += measure.head(piece)
    assert start == len(head)
    assert measure.head_bytes == len(head)
    assert measure.head_lines == head.count(b"\n")
    assert measure.excess() is None


def test_what_is_too_much_is_said() -> None:
    measure = Measure()
    measure.head(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * HEAD_LINES + b"\r\n")
    assert measure.excess() is None
    measure.head(b"c: d\r\n")
    assert measure.excess() is HEAD_TOO_LARGE
    measure.begin()
    measure.head(b"x" * HEAD_BYTES)
    assert measure.excess() is None
    measure.head(b"x")
    assert measure.excess() is HEAD_TOO_LARGE
    measure.begin()
    measure.body(BODY_BYTES)
    assert measure.excess() is None
    measure.body(1)
    assert measure.excess() is BODY_TOO_LARGE
