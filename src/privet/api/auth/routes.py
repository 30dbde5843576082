"""Logging in and out, and who is logged in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from privet.api.auth.authentication import Authentication
from privet.api.auth.cookie import cookie_name
from privet.api.auth.destination import HOME, destination
from privet.api.auth.login_page import PAGE_HEADERS, choose_language, login_page, words_in
from privet.api.auth.permission import IDENTITY_KEY, Identity, Permission, Who, requires
from privet.api.client import client_address, wants_page
from privet.api.model import Model, to_ms
from privet.api.resource import Given
from privet.core.clock import NS_PER_S

router = APIRouter(tags=["session"])

MAX_FORM_BYTES = 4096


@dataclass(frozen=True, slots=True)
class SessionResource:
    """What these routes are given. site_name: what the site is called now. tls: whether this server speaks TLS."""

    authentication: Authentication
    site_name: Callable[[], str]
    tls: bool


Resource = Annotated[SessionResource, Depends(Given(SessionResource))]


class Session(Model):
    """Who is logged in."""

    name: str
    role: Literal["administrator", "viewer"]
    permissions: tuple[Literal["view", "export", "commission", "admin"], ...]
    expires_ms: int | None = Field(description="When the login ends; null for a token, which does not.")


@router.get("/api/session", operation_id="session", dependencies=requires(Permission.VIEW))
async def session(who: Who) -> Session:
    """Who is logged in, and what they may do."""
    return Session(
        name=who.name,
        role=who.role.value,
        permissions=tuple(p.value for p in (Permission.VIEW, Permission.EXPORT, Permission.COMMISSION, Permission.ADMIN) if who.may(p)),
        expires_ms=None if who.expires_wall_ns is None else to_ms(who.expires_wall_ns),
    )


def _answer(request: Request, resource: SessionResource, goes_on_to: str, status: int = 200, wait_ns: int = 0) -> HTMLResponse:
    language = choose_language(request.headers.get("accept-language", ""))
    words = words_in(language)
    wait_s = -(-wait_ns // NS_PER_S)
    error = None if status == 200 else words.wait.format(seconds=wait_s) if status == 429 else words.wrong
    headers = PAGE_HEADERS | {"Content-Language": language} | ({"Retry-After": str(wait_s)} if status == 429 else {})
    return HTMLResponse(login_page(language, resource.site_name(), error, goes_on_to), status, headers)


@router.get("/login", operation_id="login_page", include_in_schema=False, dependencies=requires(Permission.PUBLIC))
async def show_login(request: Request, resource: Resource) -> Response:
    """The login page; whoever is logged in already goes on."""
    goes_on_to = destination(request.query_params.get("next", HOME))
    if isinstance(request.scope.get(IDENTITY_KEY), Identity):
        return RedirectResponse(goes_on_to, 303)
    return _answer(request, resource, goes_on_to)


@router.post("/login", operation_id="login", include_in_schema=False, dependencies=requires(Permission.PUBLIC))
async def login(request: Request, resource: Resource) -> Response:
    """Turn a token into a session. Wrong tokens are limited per address and all together; a right one never waits for them."""
    authentication = resource.authentication
    form = await _form(request)
    goes_on_to = destination(form.get("next", HOME))
    identity = await authentication.by_token(form.get("token", "").strip())
    if identity is None:
        wait_ns = authentication.count_attempt(client_address(request.scope))
        return _answer(request, resource, goes_on_to, 401 if wait_ns == 0 else 429, wait_ns)
    secret = await authentication.open_session(identity)
    answer = RedirectResponse(goes_on_to, 303)
    answer.set_cookie(
        cookie_name(resource.tls),
        secret,
        max_age=authentication.session_ns // NS_PER_S,
        path="/",
        secure=resource.tls,
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/logout", operation_id="logout", status_code=204, response_class=Response, dependencies=requires(Permission.VIEW))
async def logout(request: Request, who: Who, resource: Resource) -> Response:
    """End the session; its WebSockets are closed within seconds."""
    if who.session_hash is not None:
        await resource.authentication.end_session(who.session_hash)
    answer = RedirectResponse("/login", 303) if wants_page(request.headers) else Response(status_code=204)
    answer.delete_cookie(cookie_name(resource.tls), path="/", secure=resource.tls, httponly=True, samesite="strict")
    return answer


async def _form(request: Request) -> dict[str, str]:
    """The form's fields; of one that is there twice, the first."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413, f"the form is larger than {MAX_FORM_BYTES} bytes")
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=8)
    except ValueError as error:
        raise HTTPException(400, "the form is not URL-encoded") from error
    return {name: values[0] for name, values in fields.items()}
