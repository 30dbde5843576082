"""Walks an application's routes and what they depend on."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute, Mount


def all_routes(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    """Every route, those inside mounts and included routers too."""
    for route in routes:
        inner = getattr(route, "routes", None) or getattr(getattr(route, "original_router", None), "routes", None)
        if inner and not isinstance(route, Mount):
            yield from all_routes(inner)
        else:
            yield route


def asked(route: APIRoute | APIWebSocketRoute) -> Iterator[object]:
    """What is called before a route is."""
    yield from _flat(route.dependant)


def _flat(dependant: Dependant) -> Iterator[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _flat(inner)
