"""The application: the slices, behind the gate.

Belongs here: putting the room's own parts together. Does not belong here: making what it is given (runtime).
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from privet.api import (
    background,
    cameras,
    commission,
    covered,
    export,
    metrics,
    openapi,
    recordings,
    scenes,
    session,
    site,
    snapshot,
    storage,
    timeline,
    watch,
    web,
)
from privet.api.dependencies import ApiDependencies, make_room
from privet.api.gate import Gate
from privet.api.problem import install

SLICES = (
    site, session, cameras, timeline, covered, scenes, background, snapshot, export, commission, recordings, storage, metrics, watch,
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
    for part in SLICES:
        app.include_router(part.router)
    return app


def create_app(deps: ApiDependencies) -> FastAPI:
    """The application, ready to be served."""
    app = bare_app()
    room = make_room(deps)
    app.state.room = room
    app.state.files = web.list_files(deps.static_directory)
    app.add_middleware(Gate, room=room)
    return app
