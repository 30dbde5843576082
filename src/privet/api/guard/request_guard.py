"""The gate in front of every route: nothing passes that is not asked of us, by one of our pages, by somebody known.

Belongs here: Host (DNS rebinding), Origin (cross-site requests), who asks, and the headers every answer carries. Does not belong
here: what somebody may do (permission).

In order, and each before anything is routed or read:
1. exactly one Host header, with a name this server goes by; a bounded target;
2. for unsafe methods and WebSockets the Origin is ours. A request with a cookie must say so; one with a token or without
   either need not, since no browser sends those by itself;
3. a session cookie or a bearer token is looked up. Without one only PUBLIC_PATHS are served: a page is sent to /login and later back, a
   WebSocket is closed with 4401, everything else is a 401. A wrong token is counted like a wrong login.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from privet.api.auth.destination import login_path
from privet.api.auth.permission import ACCESS_KEY, IDENTITY_KEY, Identity
from privet.api.auth.sessions import check_session, check_token
from privet.api.dependencies import Room
from privet.api.guard.headers import add_security_headers
from privet.api.problem import problem
from privet.core.clock import NS_PER_S

PUBLIC_PATHS = frozenset({"/health", "/login"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_TARGET_BYTES = 8192

COOKIE = "privet_session"
TLS_COOKIE = "__Host-privet_session"

CLOSE_LOGIN = 4401
"""Close code of a WebSocket: log in (again)."""

_HOST = re.compile(r"(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9_.-]{1,253}))(?::[0-9]{1,5})?")


def cookie_name(tls: bool) -> str:
    """The session cookie's name. With TLS the prefix keeps neighbours on the same domain from setting it."""
    return TLS_COOKIE if tls else COOKIE


def host_name(host: str) -> str | None:
    """The name in a Host header, lower case, without port and brackets; None if it is not one."""
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    name: str = found[1] or found[2]
    return name.lower()


def same_origin(headers: Headers, *, tls: bool, by_cookie: bool) -> bool:
    """Whether a request that changes something, or a WebSocket, comes from one of our own pages (or from no page at all)."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = headers.get("origin")
    if origin is None or origin == "null":
        # "null" is what a browser says of a page it keeps apart, and of a form under a strict referrer policy.
        return site is not None or (origin is None and not by_cookie)
    parts = urlsplit(origin)
    return parts.scheme == ("https" if tls else "http") and parts.netloc.lower() == headers.get("host", "").lower()


class RequestGuard:
    """ASGI middleware. A refusal is answered here; what passes carries identity and access in its scope."""

    def __init__(self, app: ASGIApp, room: Room) -> None:
        self._app = app
        self._room = room
        self._deps = room.dependencies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        send = _with_security_headers(send)
        refusal = await self._enter(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await refusal(scope, receive, send)
        elif refusal.status_code in {401, 303}:
            # A browser's script learns the reason only from the close code of a socket that was opened.
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": CLOSE_LOGIN, "reason": "log in first"})
        else:
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": "refused"})

    async def _enter(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        name = host_name(hosts[0]) if len(hosts) == 1 else None
        if name is None:
            return problem(400, "the header Host is missing or not a host's name")
        if not self._deps.listen.allows_host(name):
            return problem(421, f"this server does not go by the name {name}: use one of its certificate's, or localhost")
        if len(scope["path"]) + len(scope["query_string"]) > MAX_TARGET_BYTES:
            return problem(414, f"the address is longer than {MAX_TARGET_BYTES} bytes")
        cookie = _cookie(headers, cookie_name(self._deps.listen.tls))
        unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if unsafe and not same_origin(headers, tls=self._deps.listen.tls, by_cookie=cookie is not None):
            return problem(403, "this request comes from another site's page")
        found = await self._identify(scope, headers, cookie)
        if isinstance(found, Response):
            return found
        scope[IDENTITY_KEY], scope[ACCESS_KEY] = found, self._deps.access
        if found is not None or scope["path"] in PUBLIC_PATHS:
            return None
        if scope["type"] == "http" and wants_page(headers) and scope["method"] in SAFE_METHODS:
            return RedirectResponse(login_path(scope), 303, {"Cache-Control": "no-store"})
        return _unauthenticated()

    async def _identify(self, scope: Scope, headers: Headers, cookie: str | None) -> Identity | Response | None:
        accounts, clock = self._deps.accounts, self._deps.clock
        authorization = headers.get("authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            identity = None
            if scheme.lower() == "bearer":
                identity = await anyio.to_thread.run_sync(
                    check_token, accounts, token.strip(), limiter=self._room.account_threads
                )
            if identity is None:
                wait_ns = self._room.attempts.draw(client_address(scope), clock.monotonic_ns())
                return _unauthenticated() if wait_ns == 0 else too_many(wait_ns)
            return identity
        if cookie is None:
            return None
        return await anyio.to_thread.run_sync(check_session, accounts, clock, cookie, limiter=self._room.account_threads)


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


def too_many(wait_ns: int) -> Response:
    """The answer to who tries too often."""
    wait_s = -(-wait_ns // NS_PER_S)
    return problem(429, f"too many attempts: wait {wait_s} s", headers={"Retry-After": str(wait_s)})


def _unauthenticated() -> Response:
    return problem(
        401,
        "log in first: open /login, or send a token as `Authorization: Bearer ...`",
        headers={"WWW-Authenticate": 'Bearer realm="Privet"'},
    )


def _cookie(headers: Headers, name: str) -> str | None:
    # Not http.cookies: it gives up on the whole header at the first odd one, and cookies are shared by all ports of a host.
    return cookie_parser("; ".join(headers.getlist("cookie"))).get(name)


def _with_security_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            add_security_headers(MutableHeaders(raw=message["headers"]))
        await send(message)

    return wrapped
