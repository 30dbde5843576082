"""The request guard, in front of every route: nothing passes that is not asked of us, by one of our pages, by somebody known.

Belongs here: Host (DNS rebinding), Origin (cross-site requests), who asks, and the headers every answer carries. Does not belong
here: what somebody may do (auth.permission), how large and how slow a request may be (main.request_limits).

In order, and each before anything is routed or read:
1. exactly one Host header, with a name this server goes by; a bounded target;
2. for unsafe methods and WebSockets the Origin is ours. A request with a cookie must say so; one with a token or without
   either need not, since no browser sends those by itself;
3. a session cookie or a bearer token is looked up. Without one only PUBLIC_PATHS are served: a page is sent to /login and later back, a
   WebSocket is closed with 4401, everything else is a 401. A wrong token is counted like a wrong login.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from privet.api.auth.authentication import Authentication
from privet.api.auth.cookie import cookie_name
from privet.api.auth.destination import login_path
from privet.api.auth.permission import ACCESS_KEY, IDENTITY_KEY, Access, Identity
from privet.api.client import client_address, wants_page
from privet.api.guard.listen import ListenSettings
from privet.api.guard.problem import problem
from privet.api.guard.response_headers import add_security_headers
from privet.core.clock import NS_PER_S

PUBLIC_PATHS = frozenset({"/health", "/login"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_TARGET_BYTES = 8192

CLOSE_LOGIN = 4401
"""Close code of a WebSocket: log in (again)."""

_HOST = re.compile(r"(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9_.-]{1,253}))(?::[0-9]{1,5})?")


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
    """ASGI middleware. A refusal is answered here; what passes carries identity and access in its scope.

    access: the cameras there are now, and the policy over them.
    """

    def __init__(self, app: ASGIApp, listen: ListenSettings, authentication: Authentication, access: Callable[[], Access]) -> None:
        self._app = app
        self._listen = listen
        self._authentication = authentication
        self._access = access

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
        if not self._listen.allows_host(name):
            return problem(421, f"this server does not go by the name {name}: use one of its certificate's, or localhost")
        if len(scope["path"]) + len(scope["query_string"]) > MAX_TARGET_BYTES:
            return problem(414, f"the address is longer than {MAX_TARGET_BYTES} bytes")
        cookie = _cookie(headers, cookie_name(self._listen.tls))
        unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if unsafe and not same_origin(headers, tls=self._listen.tls, by_cookie=cookie is not None):
            return problem(403, "this request comes from another site's page")
        found = await self._identify(scope, headers, cookie)
        if isinstance(found, Response):
            return found
        scope[IDENTITY_KEY], scope[ACCESS_KEY] = found, self._access()
        if found is not None or scope["path"] in PUBLIC_PATHS:
            return None
        if scope["type"] == "http" and wants_page(headers) and scope["method"] in SAFE_METHODS:
            return RedirectResponse(login_path(scope), 303, {"Cache-Control": "no-store"})
        return _unauthenticated()

    async def _identify(self, scope: Scope, headers: Headers, cookie: str | None) -> Identity | Response | None:
        authorization = headers.get("authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            identity = await self._authentication.by_token(token.strip()) if scheme.lower() == "bearer" else None
            if identity is None:
                wait_ns = self._authentication.count_attempt(client_address(scope))
                return _unauthenticated() if wait_ns == 0 else too_many(wait_ns)
            return identity
        if cookie is None:
            return None
        return await self._authentication.by_session(cookie)


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
