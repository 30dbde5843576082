"""The exporter's processes: bounded, timed, and gone when nobody wants them any more."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from tests.api.names import GATE

from privet.api.export.directory import DIRECTORY, clear_leftovers
from privet.api.export.process_exporter import NOTHING_FOUND_STATUS, ProcessExporter, iso_time
from privet.cli.moment import parse_moment
from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.errors import NotFoundError, StoreError

pytestmark = pytest.mark.anyio

FROM_NS, TO_NS = 1_700_000_000_123 * NS_PER_MS, 1_700_000_060_000 * NS_PER_MS


def python(code: str) -> tuple[str, ...]:
    """A command that runs `code`; the exporter's arguments come in sys.argv[1:]."""
    return (sys.executable, "-c", code)


WRITE = "import sys, pathlib; pathlib.Path(sys.argv[4]).write_text(repr(sys.argv[1:]))"
LINGER = ("sh", "-c", 'echo $$ > "$4"; exec sleep 60', "sh")
"""Writes its process id where the film should be, then does nothing; quick to start."""


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_what_is_run(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    await ProcessExporter(python(WRITE), lambda: ("--timezone", "UTC")).export(GATE, FROM_NS, TO_NS, out)
    expected = ["gate", "2023-11-14T22:13:20.123000Z", "2023-11-14T22:14:20.000000Z", str(out), "--timezone", "UTC"]
    assert out.read_text() == repr(expected)


async def test_options_are_asked_for_with_each_film(tmp_path: Path) -> None:
    zone, out = "UTC", tmp_path / "out.mp4"
    exporter = ProcessExporter(python(WRITE), lambda: ("--timezone", zone))
    for zone in ("Europe/Berlin", "Asia/Tokyo"):
        await exporter.export(GATE, FROM_NS, TO_NS, out)
        assert zone in out.read_text()


async def test_no_file_where_the_main_process_stands_is_taken_for_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "click.py").write_text("import pathlib; pathlib.Path('fooled').touch()")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="status 2"):
        await ProcessExporter(options=lambda: ("--no-such-option",)).export(GATE, FROM_NS, TO_NS, tmp_path / "out.mp4")
    assert not (tmp_path / "fooled").exists()


async def test_failures_are_told_apart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    nothing = ProcessExporter(python(f"import sys; sys.exit({NOTHING_FOUND_STATUS})"))
    with pytest.raises(NotFoundError):
        await nothing.export(GATE, FROM_NS, TO_NS, tmp_path / "out.mp4")
    failing = ProcessExporter(python("import sys; sys.exit('disk on fire')"))
    with pytest.raises(StoreError, match="status 1"):
        await failing.export(GATE, FROM_NS, TO_NS, tmp_path / "out.mp4")
    assert "disk on fire" in caplog.text


async def test_out_of_time_the_child_is_killed(tmp_path: Path) -> None:
    out = tmp_path / "pid"
    exporter = ProcessExporter(LINGER, timeout_ns=NS_PER_S * 2)
    with pytest.raises(StoreError, match="not done after 2 s"):
        await exporter.export(GATE, FROM_NS, TO_NS, out)
    assert not alive(int(out.read_text()))


async def test_cancelled_the_child_is_killed_and_its_place_is_free(tmp_path: Path) -> None:
    out = tmp_path / "pid"
    exporter = ProcessExporter(LINGER, at_once=1)
    task = asyncio.create_task(exporter.export(GATE, FROM_NS, TO_NS, out))
    await until(lambda: out.exists() and out.read_text() != "")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(int(out.read_text()))
    exporter.command = python(WRITE)
    await exporter.export(GATE, FROM_NS, TO_NS, out)


async def test_two_at_once_some_wait_and_the_rest_is_refused(tmp_path: Path) -> None:
    gate = tmp_path / "go"
    code = f"import sys, pathlib, time\np = pathlib.Path({str(gate)!r})\nwhile not p.exists(): time.sleep(0.02)\n{WRITE}"
    running = f"import sys, pathlib; pathlib.Path(sys.argv[4] + '.begun').touch()\n{code}"
    exporter = ProcessExporter(python(running), at_once=2, waiting=1)
    tasks = [asyncio.create_task(exporter.export(GATE, FROM_NS, TO_NS, tmp_path / str(n))) for n in range(3)]
    await until(lambda: len(list(tmp_path.glob("*.begun"))) == 2)
    with pytest.raises(HTTPException) as refused:
        await exporter.export(GATE, FROM_NS, TO_NS, tmp_path / "4")
    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "60"})
    assert len(list(tmp_path.glob("*.begun"))) == 2  # the third waits
    gate.touch()
    await asyncio.gather(*tasks)
    assert all((tmp_path / str(n)).exists() for n in range(3))


def test_leftovers_of_a_crash_are_cleared(tmp_path: Path) -> None:
    assert clear_leftovers(tmp_path) == 0
    directory = tmp_path / DIRECTORY
    directory.mkdir()
    (directory / "a").mkdir()
    (directory / "a" / ".film.part.mp4").touch()
    (directory / "note.txt").touch()
    assert clear_leftovers(tmp_path) == 1
    assert [path.name for path in directory.iterdir()] == ["note.txt"]


@given(st.integers(0, 253_402_300_799_999))
def test_a_time_is_read_by_the_command_as_it_was_meant(wall_ms: int) -> None:
    text = iso_time(wall_ms * NS_PER_MS)
    assert parse_moment(text, 0, UTC) == wall_ms * NS_PER_MS
    assert datetime.fromisoformat(text).tzinfo is not None
