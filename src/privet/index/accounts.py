"""Accounts in the index: tokens and sessions, by hash."""

from __future__ import annotations

import sqlalchemy as sa

from privet.index import tables as t
from privet.index.database import Subject
from privet.index.rows import SessionRow, TokenRow


class Accounts(Subject):
    """Every method may raise StoreError."""

    def has_tokens(self) -> bool:
        """Return whether a token was ever made."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(t.tokens.c.secret_hash).limit(1)).first() is not None

    def add_token(self, token: TokenRow) -> None:
        """Add a token, by its hash."""
        values = {"secret_hash": token.secret_hash, "name": token.name, "role": token.role}
        with self._database.writing() as connection:
            connection.execute(sa.insert(t.tokens).values(values | {"created_wall_ns": token.created_wall_ns}))

    def token_by_hash(self, secret_hash: str) -> TokenRow | None:
        """Return the token with this hash."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(t.tokens).where(t.tokens.c.secret_hash == secret_hash)).first()
        return None if row is None else TokenRow(row.secret_hash, row.name, row.role, row.created_wall_ns)

    def add_session(self, session: SessionRow) -> None:
        """Add a login; those that ended before it began are removed."""
        s = t.sessions.c
        values = {"secret_hash": session.secret_hash, "name": session.name, "role": session.role}
        values_ns = {"created_wall_ns": session.created_wall_ns, "expires_wall_ns": session.expires_wall_ns}
        with self._database.writing() as connection:
            connection.execute(sa.delete(t.sessions).where(s.expires_wall_ns <= session.created_wall_ns))
            connection.execute(sa.insert(t.sessions).values(values | values_ns))

    def session_by_hash(self, secret_hash: str) -> SessionRow | None:
        """Return the login with this hash, also one that has ended: who asks compares with his clock."""
        with self._database.reading() as connection:
            row = connection.execute(sa.select(t.sessions).where(t.sessions.c.secret_hash == secret_hash)).first()
        if row is None:
            return None
        return SessionRow(row.secret_hash, row.name, row.role, row.created_wall_ns, row.expires_wall_ns)

    def drop_session(self, secret_hash: str) -> None:
        """End a login; unknown ones are none."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(t.sessions).where(t.sessions.c.secret_hash == secret_hash))
