"""Who is at the other end: from which address, and whether somebody is looking."""

from __future__ import annotations

import ipaddress

from starlette.datastructures import Headers
from starlette.types import Scope


def client_address(scope: Scope) -> str:
    """The peer's address; for IPv6 its /64, which is what one subscriber is given."""
    client = scope.get("client")
    address = str(client[0]) if client else "unknown"
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


def wants_page(headers: Headers) -> bool:
    """Whether somebody is looking, rather than a program asking."""
    return "text/html" in headers.get("accept", "")
