"""The application: every resource, behind the request guard.

Belongs here: putting the resources together. Does not belong here: making what a resource is given (main.application).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from fastapi import FastAPI

from privet.api.auth import routes as auth
from privet.api.auth.authentication import Authentication
from privet.api.auth.permission import Access
from privet.api.backgrounds import routes as backgrounds
from privet.api.cameras import routes as cameras
from privet.api.covered import routes as covered
from privet.api.export import routes as export
from privet.api.guard.listen import ListenSettings
from privet.api.guard.problem import install
from privet.api.guard.request_guard import RequestGuard
from privet.api.live import routes as live
from privet.api.metrics import routes as metrics
from privet.api.openapi import routes as openapi
from privet.api.recordings import routes as recordings
from privet.api.scenes import routes as scenes
from privet.api.signing import routes as signing
from privet.api.site import routes as site
from privet.api.snapshot import routes as snapshot
from privet.api.storage import routes as storage
from privet.api.timeline import routes as timeline
from privet.api.web import routes as web

ROUTES = (
    site, auth, cameras, timeline, covered, scenes, backgrounds, snapshot, export, signing, recordings, storage, metrics, live,
    openapi, web,
)
"""In the order their routes are tried: web takes what is left."""


@dataclass(frozen=True)
class Resources:
    """What each resource's routes are given."""

    site: site.SiteResource
    session: auth.SessionResource
    cameras: cameras.CamerasResource
    timeline: timeline.TimelineResource
    covered: covered.CoveredResource
    scenes: scenes.ScenesResource
    backgrounds: backgrounds.BackgroundsResource
    snapshot: snapshot.SnapshotResource
    export: export.ExportResource
    signing: signing.SigningResource
    recordings: recordings.RecordingsResource
    storage: storage.StorageResource
    metrics: metrics.MetricsResource
    live: live.LiveResource
    web: web.WebResource


@dataclass(frozen=True)
class Application:
    """What guards every request, and the resources behind it. access: the cameras there are now, and the policy over them."""

    listen: ListenSettings
    authentication: Authentication
    access: Callable[[], Access]
    resources: Resources


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
    for part in ROUTES:
        app.include_router(part.router)
    return app


def create_app(application: Application) -> FastAPI:
    """The application, ready to be served."""
    app = bare_app()
    given = (getattr(application.resources, each.name) for each in fields(Resources))
    app.state.resources = {type(value): value for value in given}
    app.add_middleware(
        RequestGuard, listen=application.listen, authentication=application.authentication, access=application.access
    )
    return app
