"""Each resource's routes are given what is theirs, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import get_type_hints

from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute
from tests.api.routes import all_routes, asked

from privet.api.app import ROUTES, Resources, bare_app
from privet.api.recordings.routes import RecordingsResource, Resource
from privet.api.resource import Given


def given(routes: list[BaseRoute]) -> Iterator[tuple[str, type]]:
    """The module of each route, and each resource that it asks for."""
    for route in all_routes(routes):
        assert isinstance(route, APIRoute | APIWebSocketRoute)
        for call in asked(route):
            if isinstance(call, Given):
                yield route.endpoint.__module__, call.kind


def elsewhere(routes: list[BaseRoute]) -> list[str]:
    return [f"{module} asks for {kind.__name__}" for module, kind in given(routes) if kind.__module__ != module]


def test_a_route_asks_for_its_own_resource_alone() -> None:
    assert elsewhere(bare_app().routes) == []


def test_the_walk_finds_routes_that_ask_for_more() -> None:
    app = bare_app()

    async def curious(resource: Resource) -> None: ...

    curious.__annotations__["resource"] = Resource
    app.add_api_route("/curious", curious)
    assert elsewhere(app.routes) == [f"{__name__} asks for {RecordingsResource.__name__}"]


def test_there_is_one_of_everything_that_is_asked_for() -> None:
    hints = get_type_hints(Resources)
    offered = [hints[each.name] for each in fields(Resources)]
    assert len(set(offered)) == len(offered)
    assert {kind for _, kind in given(bare_app().routes)} == set(offered)


def test_every_resource_is_a_folder_with_routes() -> None:
    assert all(module.__name__.removeprefix("privet.api.").count(".") == 1 for module in ROUTES)
