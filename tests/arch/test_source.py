"""Rules over what stands inside the files of src/privet, read as syntax trees.

Belongs here: names that must not exist, calls that must not be made, and who may write the proven background. Rules over imports
between rooms are in test_imports.py.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "privet"

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "shared", "base"}

# Modules that turn bytes into objects or text into code, and what would hide a process in a string.
FORBIDDEN_MODULES = {
    "pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle", "imp", "code",
}  # fmt: skip
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.spawnl", "os.execl", "subprocess.getoutput",
    "subprocess.getstatusoutput", "asyncio.create_subprocess_shell", "yaml.load", "tempfile.mktemp",
}  # fmt: skip
FORBIDDEN_ARGUMENTS = {"shell", "allow_pickle"}

# The only functions that catch what they do not know: they log it and restart something disposable.
SUPERVISORS = {
    "main/reload.py:reload",                # of reloads: nothing that a file holds may end the guarding
    "record/recorder.py:deliver",           # of the announcements: check finds what a dropped one was about
    "record/recorder.py:_supervised",       # of the writers: one camera's writer that breaks is replaced, the others go on
    "worker/camera/sub_stream.py:_run",           # handed to the camera's thread, which ends with it
    "worker/camera/state_saving.py:_write",       # likewise
    "main/publisher.py:_written",        # of the rows: one that is out of order is dropped, and counted
    "worker/process.py:main",               # says where it crashed, and ends
    "worker/host.py:_run_once",     # of the cameras: a pipeline that breaks is made anew
    "worker/host.py:heartbeat",          # the same
}


def sources() -> list[Path]:
    found = sorted(path for path in SOURCE.rglob("*.py") if "core/pb/" not in path.as_posix())
    assert len(found) > 10
    return found


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def at(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', 0)}"


def dotted(node: ast.expr) -> str:
    """`a.b.c` as text; '' for anything that is not a plain dotted name."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            before = dotted(value)
            return f"{before}.{name}" if before else ""
    return ""


def unsafe(module: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield what could run foreign code or a shell."""
    for node in ast.walk(module):
        match node:
            case ast.Import(names=names):
                yield from ((node, name.name) for name in names if name.name.split(".")[0] in FORBIDDEN_MODULES)
            case ast.ImportFrom(module=str(name), level=0) if name.split(".")[0] in FORBIDDEN_MODULES:
                yield node, name
            case ast.Call(func=function, keywords=keywords):
                if dotted(function) in FORBIDDEN_CALLS:
                    yield node, dotted(function)
                for keyword in keywords:
                    false = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
                    if keyword.arg in FORBIDDEN_ARGUMENTS and not false:
                        yield node, f"{keyword.arg}="


def enclosing(module: ast.Module, node: ast.AST) -> str:
    """The name of the innermost function that a node stands in; '' at the top of the module."""
    line = getattr(node, "lineno", 0)
    around = [
        function
        for function in ast.walk(module)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.lineno <= line <= (function.end_lineno or 0)
    ]
    return max(around, key=lambda function: function.lineno).name if around else ""


def broad_handlers(module: ast.Module) -> Iterator[ast.AST]:
    """Yield handlers of everything: bare ones, and of Exception or BaseException, alone or in a tuple."""
    for node in ast.walk(module):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or dotted(kind).rsplit(".", 1)[-1] in {"Exception", "BaseException"} for kind in kinds):
                yield node
        elif (
            isinstance(node, ast.Call)
            and dotted(node.func).rsplit(".", 1)[-1] == "suppress"
            and any(dotted(kind) in {"Exception", "BaseException"} for kind in node.args)
        ):
            yield node


def test_nothing_has_a_name_that_says_nothing() -> None:
    assert not [path for path in SOURCE.rglob("*") if path.stem in VAGUE_NAMES]


def test_nothing_runs_foreign_code_or_a_shell() -> None:
    found = [f"{at(path, node)}: {what}" for path in sources() for node, what in unsafe(tree(path))]
    assert not found, "\n".join(found)


def test_only_supervisors_catch_everything() -> None:
    found: dict[str, str] = {}
    for path in sources():
        module = tree(path)
        for node in broad_handlers(module):
            found[f"{path.relative_to(SOURCE).as_posix()}:{enclosing(module, node)}"] = at(path, node)
    assert set(found) == SUPERVISORS, [found.get(place, place) for place in set(found) ^ SUPERVISORS]


def test_every_room_says_what_belongs_in_it() -> None:
    rooms = sorted(path for path in SOURCE.iterdir() if path.is_dir() and any(path.glob("*.py")))
    assert len(rooms) > 5
    for path in (room / "__init__.py" for room in rooms):
        words = ast.get_docstring(tree(path)) or ""
        assert len(words) > 40, f"{path.relative_to(SOURCE)} does not say what belongs in the room and what does not"


def test_every_module_has_a_docstring() -> None:
    assert not [str(path.relative_to(SOURCE)) for path in sources() if path.read_text() and not ast.get_docstring(tree(path))]


@pytest.mark.parametrize(
    "code",
    ["import pickle", "from pickle import loads", "import os.path, marshal", "eval('1')", "import os\nos.system('x')",
     "run('x', shell=True)", "run('x', shell=flag)", "np.load(f, allow_pickle=True)"],
)
def test_unsafe_code_is_noticed(code: str) -> None:
    assert list(unsafe(ast.parse(code)))


@pytest.mark.parametrize("code", ["import os", "re.compile('x')", "run(['x'], shell=False)", "model.compile()", "conn.exec('x')"])
def test_safe_code_is_not(code: str) -> None:
    assert not list(unsafe(ast.parse(code)))


@pytest.mark.parametrize("kind", ["", " Exception", " BaseException as e", " (OSError, Exception)", " builtins.Exception"])
def test_broad_handlers_are_noticed(kind: str) -> None:
    assert list(broad_handlers(ast.parse(f"try:\n    f()\nexcept{kind}:\n    pass\n")))


def test_narrow_handlers_are_not() -> None:
    assert not list(broad_handlers(ast.parse("try:\n    f()\nexcept (OSError, ValueError):\n    pass\n")))
