"""Where somebody goes on to after logging in: a path of this server and nothing else. Pure.

Belongs here: what may stand in `next`, and how an address becomes one. Does not belong here: redirecting (guard.request_guard, routes).

An allow-list, because browsers read addresses more kindly than any parser of ours: they take a backslash for a slash, drop tabs and
line ends, and treat what begins with two slashes as another host.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from starlette.types import Scope

MAX_CHARACTERS = 2048
HOME = "/"
LOGIN = "/login"

_SEGMENT = r"(?:[A-Za-z0-9_~!$&'()*+,;=:@.-]|%[0-9A-Fa-f]{2})+"
_LOCAL = re.compile(rf"/(?:{_SEGMENT}(?:/{_SEGMENT})*/?)?(?:\?(?:[A-Za-z0-9_~!$&'()*+,;=:@./?-]|%[0-9A-Fa-f]{{2}})*)?")
_DOTS = re.compile(r"(?:\.|%2e)+", re.IGNORECASE)


def destination(wanted: str) -> str:
    """Return `wanted` if it is a path of this server's (with a query, without a fragment), else "/"."""
    if len(wanted) > MAX_CHARACTERS or not _LOCAL.fullmatch(wanted):
        return HOME
    segments = wanted.partition("?")[0].split("/")
    if any(_DOTS.fullmatch(segment) for segment in segments) or segments[1:2] == ["login"]:
        return HOME  # dots move up; the login page would only send on again
    return wanted


def login_path(scope: Scope) -> str:
    """Return the login page's address for somebody who asked for what `scope` names, and goes on there afterwards."""
    asked = quote(scope["path"], safe="/~!$&'()*+,;=:@")
    query = scope["query_string"].decode("latin-1")
    wanted = destination(f"{asked}?{query}" if query else asked)
    return LOGIN if wanted == HOME else f"{LOGIN}?next={quote(wanted, safe='/')}"
