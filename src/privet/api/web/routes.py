"""The web application's files.

They are listed once, when the application is made, and only what is on the list is served: a request never names a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response

from privet.api.auth.permission import Permission, requires
from privet.api.client import wants_page
from privet.api.resource import Given

router = APIRouter(include_in_schema=False)

INDEX = "index.html"

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""What is served, by suffix; anything else in the directory (source maps, notes) is not."""

_NOT_BUILT = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Privet</title></head>
<body><h1>The web application is not built</h1><p>Run <code>make setup</code> and start Privet again. The API is at
<a href="/api/openapi.json">/api/openapi.json</a>.</p></body>
</html>
"""


def list_files(directory: Path | None) -> Mapping[str, Path]:
    """The files to serve, by their path in the URL without the first slash. Hidden files and links out of it are left out."""
    if directory is None or not directory.is_dir():
        return {}
    root = directory.resolve()
    files: dict[str, Path] = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        hidden = any(part.startswith(".") for part in name.parts)
        if path.suffix in MEDIA_TYPES and path.is_file() and not hidden and path.resolve().is_relative_to(root):
            files[name.as_posix()] = path
    return files


@dataclass(frozen=True, slots=True)
class WebResource:
    """What these routes are given. files: as `list_files` gives them."""

    files: Mapping[str, Path]


Resource = Annotated[WebResource, Depends(Given(WebResource))]


@router.get("/{path:path}", operation_id="page", dependencies=requires(Permission.VIEW))
async def page(path: str, request: Request, resource: Resource) -> Response:
    """A file of the web application, or its page for any address it knows itself."""
    files = resource.files
    if path in files:
        return _file(files[path], path)
    if path.startswith("api/") or not wants_page(request.headers):
        raise HTTPException(404, "there is nothing at this address")
    if INDEX in files:
        return _file(files[INDEX], INDEX)
    return HTMLResponse(_NOT_BUILT, 503, {"Cache-Control": "no-store"})


def _file(path: Path, name: str) -> Response:
    # Names below assets/ carry their content's hash: what is there never changes.
    fixed = name.startswith("assets/")
    caching = "private, max-age=31536000, immutable" if fixed else "private, no-cache"
    return FileResponse(path, 200, {"Cache-Control": caching}, MEDIA_TYPES[path.suffix])
