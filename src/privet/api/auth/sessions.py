"""Tokens and sessions: secrets are 256 random bits, stored as their SHA-256 and compared in constant time.

Belongs here: making, hashing and checking them. Does not belong here: cookies and headers (guard.request_guard, routes), SQL (index).
A plain hash is enough: what is hashed is random, so there is nothing to guess a dictionary over.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from privet.api.auth.permission import Identity, Role
from privet.api.auth.ports import Sessions, Tokens
from privet.core.clock import NS_PER_S, Clock
from privet.index.rows import SessionRow, TokenRow

SECRET_BYTES = 32
MAX_SECRET_CHARACTERS = 128
TOKEN_PREFIX = "privet_"  # noqa: S105  (what every token begins with, so that scanners for leaked secrets know one)
FIRST_NAME = "first administrator"


def hash_secret(secret: str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def create_token(accounts: Tokens, clock: Clock, name: str, role: Role) -> str:
    """Make a token and store its hash. The token itself is returned and kept nowhere."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    accounts.add_token(TokenRow(hash_secret(token), name, role.value, clock.wall_ns()))
    return token


def create_first_token(accounts: Tokens, clock: Clock) -> str | None:
    """Make an administrator's token if there is none at all; returns it once, None if somebody has one already."""
    if accounts.has_tokens():
        return None
    return create_token(accounts, clock, FIRST_NAME, Role.ADMINISTRATOR)


def check_token(accounts: Tokens, token: str) -> Identity | None:
    """Who holds `token`; None if nobody does."""
    if not token or len(token) > MAX_SECRET_CHARACTERS:
        return None
    secret_hash = hash_secret(token)
    row = accounts.token_by_hash(secret_hash)
    if row is None or not hmac.compare_digest(row.secret_hash, secret_hash):
        return None
    return _identity(row.name, row.role, None, None)


def open_session(accounts: Sessions, clock: Clock, identity: Identity, duration_ns: int) -> str:
    """Make a session for `identity` and store its hash. Returns the cookie's value."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    now_ns = clock.wall_ns()
    accounts.add_session(SessionRow(hash_secret(secret), identity.name, identity.role.value, now_ns, now_ns + duration_ns))
    return secret


def check_session(accounts: Sessions, clock: Clock, secret: str) -> Identity | None:
    """Whose session it is; None if there is none or its time is over."""
    if not secret or len(secret) > MAX_SECRET_CHARACTERS:
        return None
    return check_session_hash(accounts, clock, hash_secret(secret))


def check_session_hash(accounts: Sessions, clock: Clock, secret_hash: str) -> Identity | None:
    """As `check_session`, for a session whose hash is known already."""
    row = accounts.session_by_hash(secret_hash)
    if row is None or not hmac.compare_digest(row.secret_hash, secret_hash):
        return None
    # A session opened in the future (the wall clock was set back) is not trusted for longer than it was made for.
    if not row.created_wall_ns - NS_PER_S * 60 <= clock.wall_ns() < row.expires_wall_ns:
        accounts.drop_session(secret_hash)
        return None
    return _identity(row.name, row.role, secret_hash, row.expires_wall_ns)


def _identity(name: str, role: str, session_hash: str | None, expires_wall_ns: int | None) -> Identity | None:
    try:
        return Identity(name, Role(role), session_hash, expires_wall_ns)
    except ValueError:
        return None  # a role of another version: nobody rather than somebody
