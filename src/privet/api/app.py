"""The application: the slices, behind the gate.

Belongs here: putting the room's own parts together. Does not belong here: making what it is given (runtime).
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from privet.api.auth import routes as auth
from privet.api.backgrounds import routes as backgrounds
from privet.api.cameras import routes as cameras
from privet.api.covered import routes as covered
from privet.api.dependencies import ApiDependencies, make_room
from privet.api.export import routes as export
from privet.api.guard.request_guard import RequestGuard
from privet.api.live import routes as live
from privet.api.metrics import routes as metrics
from privet.api.openapi import routes as openapi
from privet.api.problem import install
from privet.api.recordings import routes as recordings
from privet.api.scenes import routes as scenes
from privet.api.signing import routes as signing
from privet.api.site import routes as site
from privet.api.snapshot import routes as snapshot
from privet.api.storage import routes as storage
from privet.api.timeline import routes as timeline
from privet.api.web import routes as web

RESOURCES = (
    site, auth, cameras, timeline, covered, scenes, backgrounds, snapshot, export, signing, recordings, storage, metrics, live,
    openapi, web,
)
"""In the order their routes are tried: web takes what is left."""


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = openapi.document(self)
        return self.openapi_schema


def bare_app() -> FastAPI:
    """The routes alone, with nothing behind them: for the route table and the OpenAPI document. Not to be served."""
    # No docs pages: they load scripts from elsewhere. No slash redirects: one address, one route.
    app = _App(title="Privet", version=openapi.VERSION, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    install(app)
    for part in RESOURCES:
        app.include_router(part.router)
    return app


def create_app(deps: ApiDependencies) -> FastAPI:
    """The application, ready to be served."""
    app = bare_app()
    room = make_room(deps)
    app.state.room = room
    app.state.files = web.list_files(deps.static_directory)
    app.add_middleware(RequestGuard, room=room)
    return app
