"""What the glossary says not to use is used in no identifier, heading or message, and no file is called so.

Belongs here: reading docs/ref/glossary.md, collecting the names of src/ and web/src/, the headings of the pages and the messages, and
comparing them. How the last column is to be written stands at the top of the page. Text in paragraphs, comments and docstrings is free.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = ROOT / "docs" / "ref" / "glossary.md"
PYTHON, WEB = ROOT / "src" / "privet", ROOT / "web" / "src"
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/**/*.md")
GENERATED = "/pb/"

FILE = re.compile(r"[\w./-]+\.(py|ts|tsx)")


@dataclass(frozen=True, slots=True)
class Term:
    """A row of the glossary."""

    name: str
    meaning: str
    not_to_use: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """Something that was named: where, what kind of thing it is (identifier, heading, message, file), and its text."""

    where: str
    kind: str
    text: str


def terms(page: str) -> list[Term]:
    """The rows of all tables that have the column."""
    found = []
    for table in re.findall(r"^\| term \| what \| not to use \|\n\|[-|]+\|\n((?:\|.*\n?)+)", page, re.M):
        for line in table.splitlines():
            name, meaning, unwanted = (cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|"))
            found.append(Term(name, meaning, tuple(re.findall(r"`([^`]+)`", unwanted))))
    return found


@cache
def words(text: str) -> tuple[str, ...]:
    """The words of an identifier or a sentence, in small letters: snake_case, camelCase and kebab-case are taken apart."""
    return tuple(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", text))


def violates(unwanted: str, use: Use) -> bool:
    """Whether `use` is what a word of the last column forbids."""
    if FILE.fullmatch(unwanted):
        return use.kind == "file" and f"/{use.text}".endswith(f"/{unwanted}")
    if unwanted.endswith("()"):
        return use.kind == "identifier" and use.text == unwanted.removesuffix("()")
    if has_capital(unwanted):
        return use.kind != "file" and use.text == unwanted
    if use.kind == "file":
        return holds(words(use.text.rpartition("/")[2].partition(".")[0]), words(unwanted))
    if "_" in unwanted and use.kind != "identifier":
        return False
    return holds(words(use.text), words(unwanted))


def has_capital(text: str) -> bool:
    return text != text.lower()


def holds(text: tuple[str, ...], unwanted: tuple[str, ...]) -> bool:
    """Whether the words stand in the text, one after another."""
    return any(text[i : i + len(unwanted)] == unwanted for i in range(len(text) - len(unwanted) + 1))


# ---- what is named


def python_uses(source: str, where: str) -> Iterator[Use]:
    """Names that a module defines, and its strings that are no docstrings."""
    tree = ast.parse(source)
    free = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        at = f"{where}:{getattr(node, 'lineno', 0)}"
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.arg(arg=name):
                yield Use(at, "identifier", name)
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield Use(at, "identifier", name)
            case ast.alias(asname=str(name)):
                yield Use(at, "identifier", name)
            case ast.Constant(value=str(text)) if id(node) not in free:
                yield Use(at, "message", text)


def web_uses(source: str, where: str) -> Iterator[Use]:
    """All identifiers of a TypeScript module; comments and strings are left out."""
    bare = re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'", keep_lines, source, flags=re.S)
    for number, line in enumerate(bare.splitlines(), 1):
        for name in set(re.findall(r"[A-Za-z_$][\w$]*", line)):
            yield Use(f"{where}:{number}", "identifier", name)


def keep_lines(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n") or " "


def message_uses(source: str, where: str) -> Iterator[Use]:
    """The sentences of the catalogue of the pages' words; its keys are names, and are read with the code."""
    for number, line in enumerate(source.splitlines(), 1):
        for text in re.findall(r":\s*\"((?:[^\"\\]|\\.)*)\"|^\s+\"((?:[^\"\\]|\\.)*)\",$", line):
            yield Use(f"{where}:{number}", "message", "".join(text))


def heading_uses(page: str, where: str) -> Iterator[Use]:
    """Headings, and the first row of tables."""
    code = False
    lines = page.splitlines()
    for number, line in enumerate(lines, 1):
        code ^= line.startswith("```")
        table = line.startswith("|") and number < len(lines) and re.fullmatch(r"\|[-:| ]+\|", lines[number]) is not None
        if not code and (table or re.match(r"#+ ", line)):
            yield Use(f"{where}:{number}", "heading", line)


def all_uses() -> Iterator[Use]:
    for path in sorted([*PYTHON.rglob("*.py"), *WEB.rglob("*.ts"), *WEB.rglob("*.tsx")]):
        name = path.relative_to(ROOT).as_posix()
        if GENERATED in name or path.name == "schema.ts":
            continue
        yield Use(name, "file", name)
        source = path.read_text("utf-8")
        if path.suffix == ".py":
            yield from python_uses(source, name)
        else:
            yield from web_uses(source, name)
        if path.name == "en.ts":
            yield from message_uses(source, name)
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            if path != GLOSSARY:
                yield from heading_uses(path.read_text("utf-8"), path.relative_to(ROOT).as_posix())


def violations(glossary: list[Term], uses: Iterator[Use]) -> list[str]:
    found = []
    for use in uses:
        for term in glossary:
            for unwanted in term.not_to_use:
                if violates(unwanted, use):
                    shown = use.text if len(use.text) < 80 else f"{use.text[:77]}..."
                    found.append(f"{use.where}: the {use.kind} {shown!r} says {unwanted!r}: {term.name!r} is the word")
    return sorted(set(found))


def test_nothing_is_called_what_the_glossary_says_not_to_use() -> None:
    found = violations(terms(GLOSSARY.read_text("utf-8")), all_uses())
    assert not found, f"{len(found)} names:\n" + "\n".join(found)


# ---- the page itself


def test_every_term_is_there_once_with_one_line() -> None:
    glossary = terms(GLOSSARY.read_text("utf-8"))
    assert len(glossary) > 100
    names = [term.name for term in glossary]
    assert len(set(names)) == len(names)
    assert not [term.name for term in glossary if not term.meaning or len(term.meaning) > 140]


def test_every_row_is_read() -> None:
    page = GLOSSARY.read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| term |")]
    assert len(rows) == len(terms(page))


def test_no_term_is_forbidden_by_another() -> None:
    glossary = terms(GLOSSARY.read_text("utf-8"))
    assert not violations(glossary, (Use("glossary.md", "message", term.name) for term in glossary))


def test_every_kind_of_thing_is_looked_at() -> None:
    seen = {(use.kind, use.where.partition(":")[0].rpartition(".")[2]) for use in all_uses()}
    assert seen == {
        ("file", "py"), ("file", "ts"), ("file", "tsx"), ("identifier", "py"), ("identifier", "ts"), ("identifier", "tsx"),
        ("message", "py"), ("message", "ts"), ("heading", "md"),
    }


# ---- the checker, on small made-up inputs

PAGE = """
| term | what | not to use |
|---|---|---|
| heartbeat | once a second | `beat`, `beat.py`, pulse |
| load shedding | what is left out | `putting_off` |
| camera writer | one camera's | `Lane`, `lane()` |
| block index | by block | `record/places.py` |
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("putting_off", ["putting", "off"]),
        ("PuttingOff", ["putting", "off"]),
        ("BEAT_EVERY_S", ["beat", "every", "s"]),
        ("untilBeatNs", ["until", "beat", "ns"]),
        ("HTTPBeat", ["http", "beat"]),
        ("in-turn", ["in", "turn"]),
        ("_heartbeat", ["heartbeat"]),
        ("The beat, said.", ["the", "beat", "said"]),
    ],
)
def test_names_are_taken_apart(text: str, expected: list[str]) -> None:
    assert words(text) == tuple(expected)


def said(uses: Iterator[Use]) -> set[tuple[str, str]]:
    """(kind, unwanted word) of every violation against PAGE."""
    glossary = terms(PAGE)
    return {
        (use.kind, unwanted) for use in uses for term in glossary for unwanted in term.not_to_use if violates(unwanted, use)
    }


@pytest.mark.parametrize(
    ("source", "kind", "unwanted"),
    [
        ("BEAT_EVERY_S = 1", "identifier", "beat"),
        ("class PuttingOff: ...", "identifier", "putting_off"),
        ("def f(beat: int) -> None: ...", "identifier", "beat"),
        ("self.last_beat = 1", "identifier", "beat"),
        ("import privet.core.heart as beat", "identifier", "beat"),
        ("raise ValueError(f'a beat of {x} was late')", "message", "beat"),
        ("class Lane: ...", "identifier", "Lane"),
        ("for lane in writers: ...", "identifier", "lane()"),
    ],
)
def test_python_is_read(source: str, kind: str, unwanted: str) -> None:
    assert said(python_uses(source, "a.py")) == {(kind, unwanted)}


@pytest.mark.parametrize(
    "source",
    [
        '"""The beat of a docstring."""', "# a beat", "HEARTBEAT = 1", "bus_lane = Street.Lane", "print('putting off')", "print('lane')",
        "def off_putting() -> None: ...", "x.heartbeat()",
    ],
)
def test_free_python_is_left_alone(source: str) -> None:
    assert not said(python_uses(source, "a.py"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("const lastBeat = 1;", {("identifier", "beat")}),
        ("// a beat\nconst a = \"beat\"; /* beat\nbeat */ const heartbeat = 'beat';", set()),
        ("import { Lane } from \"./a\";", {("identifier", "Lane")}),
    ],
)
def test_typescript_is_read(source: str, expected: set[tuple[str, str]]) -> None:
    assert said(web_uses(source, "a.ts")) == expected


def test_messages_are_read() -> None:
    catalogue = '  "state.beat": "Live",\n  one: "A beat", other: "Beats"\n  "why":\n    "The beat is late",\n'
    assert [use.text for use in message_uses(catalogue, "en.ts")] == ["Live", "A beat", "Beats", "The beat is late"]
    assert said(message_uses(catalogue, "en.ts")) == {("message", "beat")}


def test_headings_are_read() -> None:
    page = "# The beat\n\nA beat in prose.\n\n| putting off | x |\n|---|---|\n| beat | y |\n\n```\n# beat in code\n```\n"
    assert [use.where for use in heading_uses(page, "p.md")] == ["p.md:1", "p.md:5"]
    assert said(heading_uses(page, "p.md")) == {("heading", "beat")}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/privet/worker/beat.py", {("file", "beat"), ("file", "beat.py")}),
        ("src/privet/worker/last_beat.py", {("file", "beat")}),
        ("src/privet/worker/offbeat.py", set()),
        ("src/privet/record/places.py", {("file", "record/places.py")}),
        ("src/privet/register/places.py", set()),
        ("src/privet/record/lane.py", set()),
    ],
)
def test_files_are_read(path: str, expected: set[tuple[str, str]]) -> None:
    assert said(iter([Use(path, "file", path)])) == expected


def test_words_without_backquotes_are_advice() -> None:
    assert not said(iter([Use("a.py:1", "identifier", "pulse")]))
    assert [term.not_to_use for term in terms(PAGE)] == [("beat", "beat.py"), ("putting_off",), ("Lane", "lane()"), ("record/places.py",)]
