"""The database under the index: transactions, errors, keys of cameras. Safe from several threads.

Reads run beside one another and beside one writer (WAL); writers take turns. Nothing but SQL that PostgreSQL takes as well (`dialect`).
Upserts are an update and, if that met nothing, an insert, in one transaction that began as a writer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from numpy.typing import NDArray
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from privet.core.errors import StoreError
from privet.core.ids import CameraId
from privet.index import tables as t
from privet.index.dialect import WRITES, engine_of

_PART_ROWS = 2000
Number = TypeVar("Number", bound=np.generic)


class Database:
    """Open with `Database.open`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = threading.Lock()
        self._keys: dict[CameraId, int] = {}

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database at `url` (made if it is not there) and bring its tables up to date.

        Raises:
            StoreError: it cannot be opened, or was made by a newer Privet.
        """
        try:
            database = cls(engine_of(url))
            with database.writing() as connection:
                config = Config()
                config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
                config.set_main_option("path_separator", "os")
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(f"index {url} cannot be opened: {error}; if a newer Privet made it, run that one") from error
        except (SQLAlchemyError, StoreError) as error:
            raise StoreError(f"index {url} cannot be opened: {_words(error)}; is the directory there, and ours?") from error
        return database

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Read, in one transaction. Raises StoreError."""
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(f"index {self._engine.url.render_as_string()} cannot be read: {_words(error)}") from error

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Write, in one transaction. Raises StoreError."""
        try:
            # The lock spares threads of this process the wait for SQLite's own, which is a poll.
            with self._writer, self._engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(f"index {self._engine.url.render_as_string()} cannot be written: {_words(error)}") from error

    def camera_key(self, connection: sa.Connection, camera: CameraId) -> int:
        """Return a camera's number; one that is not known yet is added, not configured, so that nothing recorded is without."""
        if camera in self._keys:
            return self._keys[camera]
        c = t.cameras.c
        known = connection.execute(sa.select(c.key).where(c.id == camera)).scalar_one_or_none()
        if known is not None:
            self._keys[camera] = int(known)     # committed, and no camera is ever forgotten
            return int(known)
        values = {"id": camera, "name": camera, "place": "", "purpose": "", "controller": "", "configured": False}
        connection.execute(sa.insert(t.cameras).values(values))
        return int(connection.execute(sa.select(c.key).where(c.id == camera)).scalar_one())


class Subject:
    """One subject of the index, over a database that it shares with the others."""

    def __init__(self, database: Database) -> None:
        self._database = database


def numbers(connection: sa.Connection, query: sa.Select[*tuple[Any, ...]], dtype: type[Number]) -> NDArray[Number]:
    """Return a query's rows as (rows, columns). A year has tens of thousands: taken by the thousand, they take a fifth less."""
    parts = connection.execute(query).partitions(_PART_ROWS)
    return np.fromiter(chain.from_iterable(chain.from_iterable(parts)), dtype).reshape(-1, len(query.selected_columns))


def _words(error: Exception) -> str:
    """The database's own words, without the statement and its values."""
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)
