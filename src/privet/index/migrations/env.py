"""What Alembic runs: the steps, on the connection that `Index.open` hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from privet.index.tables import metadata

connection = context.config.attributes["connection"]
assert isinstance(connection, Connection)
# SQLite alters a table by copying it: batches do that.
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
