"""Only one module knows which database it is, and none goes past SQLAlchemy to the driver."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import privet.index
from privet.core.errors import StoreError
from privet.index.index import Index

ROOM = Path(privet.index.__file__).parent
PAST_SQLALCHEMY = {
    "cursor", "driver_connection", "dbapi_connection", "raw_connection", "exec_driver_sql", "sqlite3", "loaded_dbapi", "text",
}  # fmt: skip


def past_sqlalchemy(source: str) -> list[int]:
    """Lines that use the driver, or SQL as text."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Attribute) and node.attr in PAST_SQLALCHEMY)
        or (isinstance(node, ast.Import) and any(name.name in PAST_SQLALCHEMY for name in node.names))
        or (isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(("PRAGMA", "SELECT", "BEGIN")))
    ]


def test_what_differs_from_database_to_database_is_in_one_module() -> None:
    found = {path.name for path in ROOM.glob("*.py") if past_sqlalchemy(path.read_text("utf-8"))}
    assert found == {"dialect.py"}


@pytest.mark.parametrize("line", ["c.execute(q).cursor", "import sqlite3", "c.exec_driver_sql('x')", "run('PRAGMA x')", "sa.text('x')"])
def test_what_goes_past_it_is_found(line: str) -> None:
    assert past_sqlalchemy(line) == [1]


@pytest.mark.parametrize("url", ["no url", "nosuchdatabase://x/y"])
def test_a_database_that_cannot_be_opened_is_an_error_of_ours(url: str) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Index.open(url)
