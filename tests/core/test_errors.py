from __future__ import annotations

import re

from privet.core import errors
from privet.core.scene import Reason


def drawn() -> dict[str, str]:
    """Child to parent, as the tree at the top of the module has it."""
    assert errors.__doc__ is not None
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in errors.__doc__.splitlines():
        match = re.match(r"^((?: [ |]  )*)( ?\+- )?(\w+Error)\b", line)
        if match is None:
            continue
        depth = len(match[1]) // 4 + (1 if match[2] else 0)
        path[depth:] = [match[3]]
        if depth:
            parents[match[3]] = path[depth - 1]
    return parents


def test_the_tree_is_as_drawn() -> None:
    real = {
        name: value.__bases__[0].__name__
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.PrivetError) and value is not errors.PrivetError
    }
    assert real == drawn()
    assert len(real) >= 7


def test_a_source_error_says_why() -> None:
    error = errors.SourceError("gate: wrong password", Reason.REFUSED)
    assert str(error) == "gate: wrong password"
    assert error.reason is Reason.REFUSED
