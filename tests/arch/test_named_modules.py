"""Where a docstring says which module something belongs in instead, there is such a module.

A name in the parentheses of "Does not belong here: ... (x), ... (x.y)" that looks like a module is one of the same room, one of another
room with the room before it, or a room or folder. A port that a class says it implements stands in the module that is named.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "privet"

_NOT_HERE = re.compile(r"Does\s+not\s+belong\s+here:(.*?)(?:\n\n|\Z)", re.S)
_IMPLEMENTS = re.compile(r"\bImplements ([a-z_.]+)\.([A-Z]\w*)")
_MODULE = re.compile(r"[a-z_][a-z0-9_]*(?:[./][a-z_][a-z0-9_]*)*")


@cache
def modules() -> frozenset[str]:
    """Every module and folder of src/privet, with dots."""
    files = [path.relative_to(SOURCE) for path in SOURCE.rglob("*.py")]
    return frozenset(path.as_posix().replace("/", ".") for file in files for path in (file.with_suffix(""), file.parent))


def named(docstring: str) -> Iterator[str]:
    """Yield what looks like the name of a module in the parentheses."""
    for part in _NOT_HERE.findall(docstring):
        for words in re.findall(r"\(([^()]*)\)", part):
            for word in re.split(r"[,;:]", words):
                name = word.strip().strip("`").removesuffix(".py")
                if _MODULE.fullmatch(name):
                    yield name.replace("/", ".")


def found(name: str, path: Path) -> str | None:
    """The module of this file's folder, of a folder around it, or of another room that is called `name`."""
    folders = [folder.relative_to(SOURCE).as_posix().replace("/", ".") for folder in path.parents if SOURCE in folder.parents]
    return next((candidate for candidate in (*(f"{folder}.{name}" for folder in folders), name) if candidate in modules()), None)


def sources() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if "core/pb/" not in path.as_posix())


def test_every_module_that_a_docstring_names_exists() -> None:
    lost = [
        f"{path.relative_to(SOURCE)}: there is no {name}"
        for path in sources()
        for name in named(ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "")
        if found(name, path) is None
    ]
    assert not lost, "\n".join(lost)


def test_every_port_that_is_implemented_is_where_it_is_said_to_be() -> None:
    said, lost = 0, []
    for path in (*sources(), *(SOURCE.parents[1] / "bench").rglob("*.py")):
        for name, port in _IMPLEMENTS.findall(path.read_text("utf-8")):
            said += 1
            module = found(name, path)
            file = None if module is None else SOURCE / f"{module.replace('.', '/')}.py"
            if file is None or not file.is_file() or f"class {port}(" not in file.read_text("utf-8"):
                lost.append(f"{path.relative_to(SOURCE.parents[1])}: there is no {name}.{port}")
    assert said >= 4
    assert not lost, "\n".join(lost)


HERE = SOURCE / "worker" / "camera" / "take.py"


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("pipeline", "worker.camera.pipeline"),
        ("host", "worker.host"),
        ("scene", "scene"),
        ("scene.proof.step", "scene.proof.step"),
        ("camera", "worker.camera"),
        ("narrator", None),
        ("step", None),
        ("proof.step", None),
    ],
)
def test_a_name_is_looked_for_here_and_outwards(name: str, module: str | None) -> None:
    assert found(name, HERE) == module


def test_names_are_told_from_words() -> None:
    words = "Does not\nbelong here: a (worker_mask), b (`x.y`, cli/mask), c (the `Port`), d (by itself), e (promote.py).\n\nElse (other)."
    assert list(named(words)) == ["worker_mask", "x.y", "cli.mask", "promote"]
    assert list(named("Belongs here: that (other).")) == []
