"""Slice: logging in and out, and who is logged in.

The page is drawn here, without script, so that it works before anything of the web application is trusted or loaded.
"""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from privet.api.auth.destination import HOME, destination
from privet.api.auth.permission import IDENTITY_KEY, Identity, Permission, requires
from privet.api.auth.sessions import check_token, open_session
from privet.api.dependencies import Room, TheRoom, Who
from privet.api.guard.request_guard import client_address, cookie_name, wants_page
from privet.api.model import Model, to_ms
from privet.core.clock import NS_PER_S

router = APIRouter(tags=["session"])

MAX_FORM_BYTES = 4096


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


@dataclass(frozen=True, slots=True)
class _Words:
    language: str
    direction: str
    title: str
    lead: str
    label: str
    hint: str
    button: str
    wrong: str
    wait: str


_ENGLISH = _Words(
    "en", "ltr", "Log in", "This place is guarded without showing people.", "Access token",
    "It was shown when Privet was started for the first time.", "Log in",
    "This token is not known. Check that all of it was pasted.", "Too many attempts. Wait {seconds} seconds and try again.",
)
_ARABIC = _Words(
    "ar", "rtl", "تسجيل الدخول", "هذا المكان محروس دون إظهار الأشخاص.", "رمز الدخول",
    "ظهر عند تشغيل Privet لأول مرة.", "دخول",
    "هذا الرمز غير معروف. تحقّق من لصقه كاملاً.", "محاولات كثيرة. انتظر {seconds} ثانية ثم أعد المحاولة.",
)

_STYLE = """
:root{color-scheme:dark}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:24px;background:#0d0f0e;color:#e6e8e6;
font:16px/1.5 system-ui,sans-serif}
main{width:100%;max-width:380px}
h1{margin:0;font-size:28px;font-weight:600}
.lead{margin:4px 0 32px;color:#a3aaa5}
label{display:block;font-weight:600;margin-block-end:6px}
input{width:100%;padding:12px;font:inherit;font-family:ui-monospace,monospace;color:inherit;background:#161917;
border:1px solid #6b746e;border-radius:2px}
.hint{margin:6px 0 24px;color:#a3aaa5;font-size:14px}
button{width:100%;padding:12px;font:inherit;font-weight:600;color:#0d0f0e;background:#7fbf8f;border:0;border-radius:2px;cursor:pointer}
input:focus-visible,button:focus-visible{outline:2px solid #fff;outline-offset:2px}
.error{margin:0 0 24px;padding:12px;border-inline-start:3px solid #e0a63c;background:#1d1a12;color:#f2d8a2}
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_PAGE_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    # Not no-referrer: under it browsers say `Origin: null` of the form, and the gate could not tell it from another site's.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}


def choose_language(accept_language: str) -> Literal["en", "ar"]:
    """The language somebody reads best of those there are; English if none is named."""
    best: tuple[float, Literal["en", "ar"]] = (0.0, "en")
    for entry in accept_language[:512].split(","):
        tag, _, parameters = entry.strip().partition(";")
        try:
            quality = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            continue
        primary = tag.strip().lower().partition("-")[0]
        if primary in {"en", "ar"} and best[0] < quality <= 1.0:
            best = (quality, "ar" if primary == "ar" else "en")
    return best[1]


def login_page(language: Literal["en", "ar"], site_name: str, error: str | None, goes_on_to: str = HOME) -> str:
    """The page. error: a sentence in that language. goes_on_to: a path of this server's, as `destination` gives it."""
    words = _ARABIC if language == "ar" else _ENGLISH
    alert = "" if error is None else f'<p class="error" role="alert" id="error">{html.escape(error)}</p>\n'
    invalid = "" if error is None else ' aria-invalid="true"'
    going = "" if goes_on_to == HOME else f'<input type="hidden" name="next" value="{html.escape(goes_on_to)}">\n'
    described = "hint" if error is None else "error hint"
    return f"""<!doctype html>
<html lang="{words.language}" dir="{words.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{html.escape(words.title)} · {html.escape(site_name)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{html.escape(site_name)}</h1>
<p class="lead">{html.escape(words.lead)}</p>
<form method="post" action="/login">
{going}{alert}<label for="token">{html.escape(words.label)}</label>
<input id="token" name="token" type="password" dir="ltr" required autofocus autocomplete="current-password" \
spellcheck="false" maxlength="128" aria-describedby="{described}"{invalid}>
<p class="hint" id="hint">{html.escape(words.hint)}</p>
<button type="submit">{html.escape(words.button)}</button>
</form>
</main>
</body>
</html>
"""


def _answer(request: Request, room: Room, goes_on_to: str, status: int = 200, wait_ns: int = 0) -> HTMLResponse:
    language = choose_language(request.headers.get("accept-language", ""))
    words = _ARABIC if language == "ar" else _ENGLISH
    wait_s = -(-wait_ns // NS_PER_S)
    error = None if status == 200 else words.wait.format(seconds=wait_s) if status == 429 else words.wrong
    headers = _PAGE_HEADERS | {"Content-Language": language} | ({"Retry-After": str(wait_s)} if status == 429 else {})
    return HTMLResponse(login_page(language, room.dependencies.site.name, error, goes_on_to), status, headers)


@router.get("/login", operation_id="login_page", include_in_schema=False, dependencies=requires(Permission.PUBLIC))
async def show_login(request: Request, room: TheRoom) -> Response:
    """The login page; whoever is logged in already goes on."""
    goes_on_to = destination(request.query_params.get("next", HOME))
    if isinstance(request.scope.get(IDENTITY_KEY), Identity):
        return RedirectResponse(goes_on_to, 303)
    return _answer(request, room, goes_on_to)


@router.post("/login", operation_id="login", include_in_schema=False, dependencies=requires(Permission.PUBLIC))
async def login(request: Request, room: TheRoom) -> Response:
    """Turn a token into a session. Wrong tokens are limited per address and all together; a right one never waits for them."""
    deps = room.dependencies
    form = await _form(request)
    goes_on_to = destination(form.get("next", HOME))
    identity = await anyio.to_thread.run_sync(check_token, deps.accounts, form.get("token", "").strip(), limiter=room.account_threads)
    if identity is None:
        wait_ns = room.attempts.draw(client_address(request.scope), deps.clock.monotonic_ns())
        return _answer(request, room, goes_on_to, 401 if wait_ns == 0 else 429, wait_ns)
    secret = await anyio.to_thread.run_sync(
        open_session, deps.accounts, deps.clock, identity, deps.session_ns, limiter=room.account_threads
    )
    answer = RedirectResponse(goes_on_to, 303)
    answer.set_cookie(
        cookie_name(deps.listen.tls),
        secret,
        max_age=deps.session_ns // NS_PER_S,
        path="/",
        secure=deps.listen.tls,
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/logout", operation_id="logout", status_code=204, response_class=Response, dependencies=requires(Permission.VIEW))
async def logout(request: Request, who: Who, room: TheRoom) -> Response:
    """End the session; its WebSockets are closed within seconds."""
    if who.session_hash is not None:
        await anyio.to_thread.run_sync(
            room.dependencies.accounts.drop_session, who.session_hash, limiter=room.account_threads
        )
    answer = RedirectResponse("/login", 303) if wants_page(request.headers) else Response(status_code=204)
    tls = room.dependencies.listen.tls
    answer.delete_cookie(cookie_name(tls), path="/", secure=tls, httponly=True, samesite="strict")
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
