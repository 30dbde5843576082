"""The session cookie's name."""

from __future__ import annotations

COOKIE = "privet_session"
TLS_COOKIE = "__Host-privet_session"


def cookie_name(tls: bool) -> str:
    """The session cookie's name. With TLS the prefix keeps neighbours on the same domain from setting it."""
    return TLS_COOKIE if tls else COOKIE
