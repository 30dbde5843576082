"""Nothing stands in the source that nobody uses: no function, class or constant, and no word that a worker could say and never does."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from privet.core.pb import pipe_pb2
from privet.main.publisher import log_words

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "privet"
CALLED_BY_OTHERS = {
    "__all__",
    "is_dumpable",      # a script within tests/worker/test_lockdown.py asks it from inside a confined process
    "revision", "down_revision", "branch_labels", "depends_on", "upgrade", "downgrade",     # Alembic reads them
}


def python_files(*directories: Path) -> Iterator[Path]:
    for directory in directories:
        yield from (path for path in sorted(directory.rglob("*.py")) if path.parent.name != "pb")


def defined(module: ast.Module) -> Iterator[str]:
    """What a module defines at its top and does not hand to a decorator, which may call it."""
    for node in module.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if all("njit" in ast.unparse(each) for each in node.decorator_list):
                yield node.name
            case ast.ClassDef() if all("dataclass" in ast.unparse(each) for each in node.decorator_list):
                yield node.name
            case ast.Assign():
                names = (part for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name))
                yield from (name.id for name in names)
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def used(module: ast.Module) -> Iterator[str]:
    """Every name that a module reads, imports or writes as a word in a string (annotations, patches in tests, entry points)."""
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name) | ast.alias(name=name):
                yield name
            case ast.Constant(value=str() as words) if len(words) < 100:
                yield from words.replace(":", ".").split(".")


def test_every_function_class_and_constant_is_used() -> None:
    uses: Counter[str] = Counter()
    for path in python_files(SOURCE, *(ROOT / name for name in ("tests", "bench", "demo", "scripts"))):
        uses.update(used(ast.parse(path.read_text(encoding="utf-8"))))
    dead = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in python_files(SOURCE)
        for name in defined(ast.parse(path.read_text(encoding="utf-8")))
        if not uses[name] and name not in CALLED_BY_OTHERS
    ]
    assert dead == []


def test_the_search_sees_what_is_there() -> None:
    module = ast.parse("A = 1\n_B: int = A\ndef f(): return g\nclass C: pass\n@app.get\ndef route(): pass\n")
    assert list(defined(module)) == ["A", "_B", "f", "C"]
    assert set(used(module)) >= {"A", "g"}
    assert not {"_B", "f", "C"} & set(used(module))


CODES = [name for name, number in pipe_pb2.LogCode.items() if number]


@pytest.mark.parametrize("name", CODES)
def test_a_worker_says_every_code_that_it_has_and_each_has_words(name: str) -> None:
    said_in = [
        path.name
        for path in python_files(SOURCE)
        if path.name != "publisher.py" and name in used(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert said_in, f"nobody says {name}"
    number = pipe_pb2.LogCode.Value(name)
    assert log_words(number, 1) != f"code {number}, number 1"
