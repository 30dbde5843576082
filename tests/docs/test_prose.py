"""How pages are written: short, and without numbering the machines on which something was measured.

Belongs here: what can be counted in text. Whether a page says what is so is held elsewhere (test_pages, test_house, test_generated).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

MOST_WORDS = 1500
LONG = ("docs/ref/", "docs/measured/")          # reference and logs are looked up, not read through

ORDINAL = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth"
NUMBERED_MACHINE = re.compile(rf"\b({ORDINAL})\s+(?:[#*/|]+\s*)?machine\b", re.I)
WRITTEN = ("docs/**/*.md", "changelog.d/*.md", "*.md", "bench/**/*.py", "bench/**/*.in", "src/**/*.py", "demo/*.py", "tests/**/*.py",
           "web/src/**/*.ts*")


def numbered_machines(text: str) -> list[str]:
    return [match[0] for match in NUMBERED_MACHINE.finditer(text)]


def is_short(name: str, text: str) -> bool:
    return name.startswith(LONG) or len(text.split()) <= MOST_WORDS


PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_through(name: str) -> None:
    assert is_short(name, (ROOT / name).read_text("utf-8")), f"more than {MOST_WORDS} words: leave out, or move to the reference or a log"


def test_machines_are_not_numbered() -> None:
    paths = {path for pattern in WRITTEN for path in ROOT.glob(pattern)} - {Path(__file__)}
    assert ROOT / "docs" / "measured" / "density.md" in paths
    found = {path.relative_to(ROOT).as_posix(): words for path in paths if (words := numbered_machines(path.read_text("utf-8")))}
    assert not found, "name a machine by its processor, or not at all"


def test_fragments_of_the_changelog_are_one_line() -> None:
    fragments = {path.name: path.read_text("utf-8") for path in (ROOT / "changelog.d").glob("*.md")}
    assert not [name for name, text in fragments.items() if text.count("\n") != 1 or not text.endswith("\n")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("on the seventh machine", 1),
        ("on a fifth\n# machine, which", 1),
        ("| 620c9fd, a Fifth machine | the sixth\nmachine", 2),
        ("the machine's first core; at first machines", 0),
        ("for a second, machines", 0),
        ("a machine with an EPYC", 0),
    ],
)
def test_numbered_machines_are_noticed(text: str, found: int) -> None:
    assert len(numbered_machines(text)) == found


@pytest.mark.parametrize(
    ("name", "words", "short"),
    [("docs/design/a.md", 1500, True), ("docs/design/a.md", 1501, False), ("docs/ref/a.md", 1501, True), ("README.md", 1501, False)],
)
def test_long_pages_are_noticed(name: str, words: int, short: bool) -> None:
    assert is_short(name, "word " * words) is short
