"""The login page: HTML in English and Arabic, without script, so that it works before anything of the web application is trusted or loaded.

Belongs here: what the page says and how it looks. Does not belong here: checking what was typed (routes).
"""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass
from typing import Literal

from privet.api.auth.destination import HOME

Language = Literal["en", "ar"]


@dataclass(frozen=True, slots=True)
class Words:
    """What the page says."""

    language: str
    direction: str
    title: str
    lead: str
    label: str
    hint: str
    button: str
    wrong: str
    wait: str


_ENGLISH = Words(
    "en", "ltr", "Log in", "This place is guarded without showing people.", "Access token",
    "It was shown when Privet was started for the first time.", "Log in",
    "This token is not known. Check that all of it was pasted.", "Too many attempts. Wait {seconds} seconds and try again.",
)
_ARABIC = Words(
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

PAGE_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    # Not no-referrer: under it browsers say `Origin: null` of the form, and the request guard could not tell it from another site's.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}


def choose_language(accept_language: str) -> Language:
    """The language somebody reads best of those there are; English if none is named."""
    best: tuple[float, Language] = (0.0, "en")
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


def words_in(language: Language) -> Words:
    """What the page says in a language."""
    return _ARABIC if language == "ar" else _ENGLISH


def login_page(language: Language, site_name: str, error: str | None, goes_on_to: str = HOME) -> str:
    """The page. error: a sentence in that language. goes_on_to: a path of this server's, as `destination` gives it."""
    words = words_in(language)
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
