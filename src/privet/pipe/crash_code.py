"""Where a crash happened, as one whole number: no free text leaves a worker, and an exception's message may hold anything.

number = (exception's place in EXCEPTIONS) * 10^10 + (module's place in the sorted list of Privet's modules) * 10^6 + line.
Both sides run from the same installation, so both know the same list.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import TracebackType

import privet

_LINES = 10**6
_MODULES = 10**4

EXCEPTIONS = (
    "(other)",
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BufferError",
    "DetectorError",
    "EOFError",
    "ImportError",
    "IndexError",
    "KeyError",
    "MemoryError",
    "NameError",
    "NotImplementedError",
    "OSError",
    "RecursionError",
    "RuntimeError",
    "SourceError",
    "StopIteration",
    "StoreError",
    "SystemError",
    "TypeError",
    "UnicodeError",
    "ValueError",
    "WireError",
)


@cache
def _modules() -> tuple[str, ...]:
    root = Path(privet.__file__).parent
    return tuple(sorted(str(path.relative_to(root.parent)) for path in root.rglob("*.py")))


def crash_code_of(error: BaseException) -> int:
    """Return where and of what kind `error` is: its innermost line within Privet."""
    kinds = [kind.__name__ for kind in type(error).__mro__]
    kind = next((EXCEPTIONS.index(name) for name in kinds if name in EXCEPTIONS), 0)
    module, line = _innermost(error.__traceback__)
    return (kind * _MODULES + module) * _LINES + line


def describe(number: int) -> str:
    """Return the words for a number: `ValueError at privet/scene/analyst.py:123`. Any whole number has some."""
    if number <= 0:
        return "nowhere"
    rest, line = divmod(number, _LINES)
    kind, module = divmod(rest, _MODULES)
    name = EXCEPTIONS[kind] if kind < len(EXCEPTIONS) else EXCEPTIONS[0]
    modules = _modules()
    place = modules[module - 1] if 1 <= module <= len(modules) else "outside Privet"
    return f"{name} at {place}:{line}"


def _innermost(traceback: TracebackType | None) -> tuple[int, int]:
    root = str(Path(privet.__file__).parent.parent) + "/"
    found = (0, 0)
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file.startswith(root) and (name := file.removeprefix(root)) in _modules():
            found = (_modules().index(name) + 1, min(traceback.tb_lineno, _LINES - 1))
        traceback = traceback.tb_next
    return found
