"""`promote` is the only writer of a proven background: read from the syntax trees, and tried on the real thing. And nothing in the product
switches one of its rules off."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest

from privet.config.models import Promotion
from privet.core.frame import Matrix
from privet.core.grid import Grid
from privet.pipe.settings import CameraSettings
from privet.scene.analyst import Analyst
from privet.scene.proof.promote import ProvenBackground
from privet.scene.proof.rules import ALL_RULES, Rules
from privet.scene.settings import AnalystSettings

SOURCE = Path(__file__).resolve().parents[2] / "src" / "privet"
HOME = SOURCE / "scene" / "proof" / "promote.py"
OWNER = "ProvenBackground"

# Functions of scene/proof/promote.py that write, and who may call the one that writes pixels.
WRITERS = {"__init__", "_write", "_write_aside", "restore", "recall"}
CALLERS_OF_WRITE = {"promote", "restore", "recall", "_write_aside"}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def guarded_attributes() -> set[str]:
    """The attributes of the proven background that start with an underscore."""
    owner = next(node for node in tree(HOME).body if isinstance(node, ast.ClassDef) and node.name == OWNER)
    return {
        node.attr
        for node in ast.walk(owner)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr.startswith("_")
    }


def trespasses(module: ast.Module, guarded: set[str]) -> Iterator[tuple[int, str]]:
    """Yield, for a module other than promote.py, whatever reaches behind the proven background's read-only views."""
    for node in ast.walk(module):
        match node:
            case ast.Attribute(value=value, attr=name) if name in guarded:
                if not (isinstance(value, ast.Name) and value.id == "self"):
                    yield node.lineno, f"names .{name}"
            case ast.ClassDef(bases=bases) if any(ast.unparse(base).endswith(OWNER) for base in bases):
                yield node.lineno, f"inherits from {OWNER}"
            case ast.Call(func=ast.Name(id="getattr" | "setattr"), args=[_, ast.Constant(value=name), *_]) if name in guarded:
                yield node.lineno, f"reaches for {name}"
            case ast.Attribute(attr="setflags"):
                yield node.lineno, "makes an array writable"
            case ast.Assign(targets=[ast.Attribute(attr="writeable")], value=value):
                if not (isinstance(value, ast.Constant) and value.value is False):
                    yield node.lineno, "makes an array writable"
            case ast.ImportFrom(names=names) if any(name.name == "_write" for name in names):
                yield node.lineno, "imports the function that writes"


def functions(module: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef))


def test_nothing_outside_reaches_the_pixels() -> None:
    guarded = guarded_attributes()
    assert {"_y", "_u", "_v", "_proven"} <= guarded
    found = [
        f"{path.relative_to(SOURCE)}:{line} {what}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path != HOME
        for line, what in trespasses(tree(path), guarded)
    ]
    assert not found, "\n".join(found)


def test_inside_only_its_writers_write() -> None:
    guarded = guarded_attributes()
    wrong, writing = [], set()
    for function in functions(tree(HOME)):
        for node in ast.walk(function):
            target = node.value if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) else node
            stores = isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store)
            if stores and isinstance(target, ast.Attribute) and target.attr in guarded:
                writing.add(function.name)
                if function.name not in WRITERS:
                    wrong.append(f"{function.name} writes {target.attr}")
    assert not wrong
    assert writing == WRITERS, "who has no need to write has no leave to"


def test_pixels_are_written_by_promotion_restoration_and_return_alone() -> None:
    callers = {
        function.name
        for function in functions(tree(HOME))
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_write"
    }
    assert callers == CALLERS_OF_WRITE


def test_the_real_background_cannot_be_written_from_outside() -> None:
    background = ProvenBackground(Grid(64, 48), Matrix.BT709)
    for array in [*background.planes, background.proven, background.proven_wall_ns]:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = np.zeros_like(array)
    assert not background.proven.any()
    with pytest.raises(AttributeError):
        setattr(background, "proven", np.ones((6, 8), np.bool_))  # noqa: B010 - the type checker refuses the plain assignment


@pytest.mark.parametrize(
    "code",
    ["background._y[0] = 1", "scene.background._proven[:] = True", "class Mine(ProvenBackground): pass", "getattr(b, '_u')",
     "view.setflags(write=True)", "view.flags.writeable = True", "from privet.scene.proof.promote import _write"],
)
def test_trespasses_are_noticed(code: str) -> None:
    assert list(trespasses(ast.parse(code), guarded_attributes()))


# ---- the rules


RULES_HOME = SOURCE / "scene" / "proof" / "rules.py"


def switches(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield, for a module other than rules.py, whatever makes rules of its own or takes others than all for one camera."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id="Rules") | ast.Attribute(attr="Rules")):
                yield node.lineno, "makes Rules"
            case ast.Call(func=ast.Name(id="replace") | ast.Attribute(attr="replace"), args=[value, *_]):
                if "rules" in ast.unparse(value).lower():
                    yield node.lineno, "changes Rules"
            case ast.keyword(arg="rules"):
                yield node.value.lineno, "gives rules"
            case ast.Attribute(ctx=ast.Store(), attr="rules" | "_rules", value=owner) if ast.unparse(owner) != "self":
                yield node.lineno, "sets rules"


def test_nothing_in_the_product_switches_a_rule_off() -> None:
    found = [
        f"{path.relative_to(SOURCE)}:{line} {what}"
        for path in sorted(SOURCE.rglob("*.py"))
        if path != RULES_HOME
        for line, what in switches(tree(path))
    ]
    assert not found, "\n".join(found)


def test_only_the_scene_room_knows_that_rules_can_be_switched_off() -> None:
    naming = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module == "privet.scene.proof.rules"
    }
    assert naming
    assert all(name.startswith("scene/") for name in naming), naming


def test_by_default_every_rule_holds() -> None:
    assert all(asdict(ALL_RULES).values())
    assert Rules() == ALL_RULES
    assert Analyst(AnalystSettings(), ()).rules == ALL_RULES
    settings = {each.name for each in fields(AnalystSettings)} | set(CameraSettings.model_fields) | set(Promotion.model_fields)
    assert not settings & {"rules", *asdict(ALL_RULES)}


@pytest.mark.parametrize(
    "code",
    ["Rules(arrival=False)", "rules.Rules()", "replace(ALL_RULES, motion=False)", "Analyst(settings, (), rules=off)", "means.rules = off"],
)
def test_switches_are_noticed(code: str) -> None:
    assert list(switches(ast.parse(code)))


@pytest.mark.parametrize("code", ["self._y = 1", "view.flags.writeable = False", "background.proven.any()"])
def test_honest_code_is_not(code: str) -> None:
    assert not list(trespasses(ast.parse(code), guarded_attributes()))
