"""What differs from database to database. Nothing else in this room knows which one it is.

Belongs here: how connections are set up and how transactions begin. Does not belong here: queries.
"""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

BUSY_TIMEOUT_MS = 10_000
WRITES = "privet_writes"
"""Execution option of a connection: its transactions write."""


def engine_of(url: str) -> sa.Engine:
    """Return an engine for the database at `url`, set up as its kind needs it.

    Raises:
        SQLAlchemyError: the URL is none, or of a database that there is no driver for.
    """
    memory = url in ("sqlite://", "sqlite:///:memory:")
    engine = sa.create_engine(url, poolclass=StaticPool) if memory else sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        _set_up_sqlite(engine)
    return engine


def _set_up_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        assert isinstance(connection, sqlite3.Connection)
        connection.isolation_level = None  # transactions begin where `begin` below says, not where the driver guesses
        # WAL: readers do not wait for the writer. NORMAL: after a loss of power the last transactions may be gone, never half
        # of one; what they said of recordings, check finds on the disk again. FULL would sync for every ten-second row.
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", f"busy_timeout = {BUSY_TIMEOUT_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A transaction that reads first and writes later could not wait for another writer: it must begin as one.
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
