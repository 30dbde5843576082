"""The page of the rooms names what exists: every entry point can be imported, and every room is told of."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from privet.api.export import directory as exports
from privet.index import index
from privet.main import installation_key, running, signing_record, worker_directories
from privet.record import lock

PAGE = Path(__file__).resolve().parents[2] / "docs" / "design" / "house.md"

# `module:name`, where name may have dots: the one form in which the page names code.
ENTRY = re.compile(r"`(privet(?:\.[a-z_]+)+):([A-Za-z_][\w.]*)`")


def entries(page: str) -> list[tuple[str, str]]:
    return sorted(set(ENTRY.findall(page)))


def missing(module: str, name: str) -> str:
    """Why there is no such entry point; empty if there is."""
    try:
        found: object = importlib.import_module(module)
    except ModuleNotFoundError:
        return f"there is no module {module}"
    for part in name.split("."):
        if not hasattr(found, part):
            return f"{module} has no {name}"
        found = getattr(found, part)
    return ""


@pytest.mark.parametrize(("module", "name"), entries(PAGE.read_text("utf-8")))
def test_every_entry_point_exists(module: str, name: str) -> None:
    assert not missing(module, name), "docs/design/house.md names it"


def test_every_room_has_a_section_with_an_entry_point() -> None:
    page = PAGE.read_text("utf-8")
    table = page.partition("| room |")[2].partition("\n\n")[0]
    rooms = {"core"} | {name.strip() for line in table.splitlines()[2:] for name in line.strip("|").split("|")[0].split(",")}
    assert "scene" in rooms
    sections = dict(re.findall(r"^## ([a-z]+)\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    assert set(sections) == rooms
    assert not [room for room in sorted(rooms) if not entries(sections[room])]


def test_what_the_main_process_puts_on_the_disk_is_named() -> None:
    section = PAGE.read_text("utf-8").partition("## On the disk")[2].partition("\n## ")[0]
    named = {name.partition("/")[0] for line in re.findall(r"^\| (`.*?) \|", section, re.M) for name in re.findall(r"`([^`]+)`", line)}
    assert named == {
        "recordings", "state", index.FILE_NAME, lock.LOCK_NAME, installation_key.KEY_NAME, signing_record.NAME, running.NAME,
        exports.DIRECTORY, worker_directories.DIRECTORY,
    }


@pytest.mark.parametrize(
    ("module", "name", "why"),
    [
        ("privet.nothing", "Analyst", "there is no module privet.nothing"),
        ("privet.core.reader", "lead", "privet.core.reader has no lead"),
        ("privet.core.reader", "SceneView.lead", "privet.core.reader has no SceneView.lead"),
        ("privet.core.reader", "SceneView", ""),
    ],
)
def test_what_is_missing_is_noticed(module: str, name: str, why: str) -> None:
    assert missing(module, name) == why


def test_entry_points_are_read_in_their_one_form() -> None:
    assert entries("see `privet.core.wire:decode`, `privet.core.wire` and `a:b`") == [("privet.core.wire", "decode")]
