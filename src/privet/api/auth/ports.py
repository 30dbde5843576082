"""Where tokens and sessions are kept, by hash (SHA-256, 64 hexadecimal digits). `index.Index` is all three. May block."""

from __future__ import annotations

from typing import Protocol

from privet.index.rows import SessionRow, TokenRow


class Tokens(Protocol):
    """What programs send and people log in with."""

    def has_tokens(self) -> bool: ...

    def add_token(self, token: TokenRow) -> None: ...

    def token_by_hash(self, secret_hash: str) -> TokenRow | None: ...


class Sessions(Protocol):
    """Logins of browsers."""

    def add_session(self, session: SessionRow) -> None: ...

    def session_by_hash(self, secret_hash: str) -> SessionRow | None: ...

    def drop_session(self, secret_hash: str) -> None: ...


class Accounts(Tokens, Sessions, Protocol):
    """Both."""
