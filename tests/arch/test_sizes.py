"""How long a module and a class may be, and how many members a port may have. Where one must be larger, its first line says why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "privet"
MOST_MODULE_LINES, MOST_CLASS_LINES, MOST_PORT_MEMBERS = 400, 300, 8
WHY = "because"


def modules() -> list[Path]:
    found = sorted(path for path in SOURCE.rglob("*.py") if "core/pb/" not in path.as_posix())
    assert len(found) > 100
    return found


def says_why(node: ast.Module | ast.ClassDef) -> bool:
    """Whether the first line of a docstring gives a reason."""
    return WHY in (ast.get_docstring(node) or "").partition("\n")[0]


def members(port: ast.ClassDef) -> int:
    return sum(isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.AnnAssign) for each in port.body)


def too_large(source: str) -> Iterator[str]:
    """What of a module is larger than it may be and does not say why."""
    tree = ast.parse(source)
    lines = source.count("\n")
    if lines > MOST_MODULE_LINES and not says_why(tree):
        yield f"a module of {lines} lines"
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef) or says_why(node):
            continue
        length = (node.end_lineno or 0) - node.lineno + 1
        if length > MOST_CLASS_LINES:
            yield f"class {node.name} of {length} lines"
        if is_port(node) and (count := members(node)) > MOST_PORT_MEMBERS:
            yield f"port {node.name} of {count} members"


def is_port(node: ast.ClassDef) -> bool:
    """A `typing.Protocol`, whose methods have no body; asyncio's protocols are something else."""
    return any(ast.unparse(base).split("[")[0] in {"Protocol", "typing.Protocol"} for base in node.bases)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_modules_classes_and_ports_can_be_taken_in(path: Path) -> None:
    assert not list(too_large(path.read_text(encoding="utf-8")))


LONG = "\n" * MOST_MODULE_LINES + "\n"
METHODS = "\n".join(f"    def m{number}(self) -> None: ..." for number in range(MOST_PORT_MEMBERS + 1))


@pytest.mark.parametrize(
    "source",
    [f'"""A module."""\n{LONG}', "class A:\n" + "    x = 1\n" * MOST_CLASS_LINES, f"class A(Protocol):\n{METHODS}\n",
     f"class A(Other, Protocol[T]):\n{METHODS}\n"],
)  # fmt: skip
def test_what_is_too_large_is_noticed(source: str) -> None:
    assert len(list(too_large(source))) == 1


@pytest.mark.parametrize(
    "source",
    [f'"""A table that stands in one module because it is read in one go."""\n{LONG}', f"class A(asyncio.Protocol):\n{METHODS}\n",
     f'class A(Protocol):\n    """Asked for in one because a test may give one thing."""\n{METHODS}\n'],
)  # fmt: skip
def test_what_says_why_is_not(source: str) -> None:
    assert not list(too_large(source))
