"""Every route declares its permission by the one mechanism, and roles and cameras are held to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute, Route
from tests.api.auth.fakes import OnlyGateForViewers
from tests.api.names import DOCK, GATE
from tests.api.recordings.fakes import row
from tests.api.routes import all_routes, asked
from tests.api.world import World, make_world, publish_place

from privet.api.app import bare_app
from privet.api.auth.permission import GRANTS, Permission, Requires, Role, requires
from privet.api.guard.request_guard import PUBLIC_PATHS

pytestmark = pytest.mark.anyio


def declared(route: BaseRoute) -> list[Requires]:
    """What a route asks for. Mounts and plain Starlette routes cannot ask for anything."""
    if not isinstance(route, APIRoute | APIWebSocketRoute):
        return []
    return [call for call in asked(route) if isinstance(call, Requires)]


def undeclared(routes: list[BaseRoute]) -> list[str]:
    return [repr(route) for route in all_routes(routes) if len(declared(route)) != 1]


def test_every_route_declares_exactly_one_permission(routes_alone: FastAPI) -> None:
    routes = list(all_routes(routes_alone.routes))
    assert len(routes) >= 16
    assert any(isinstance(route, APIWebSocketRoute) for route in routes)
    assert undeclared(routes_alone.routes) == []


def test_the_walk_finds_routes_that_declare_nothing() -> None:
    app = bare_app()

    async def bare() -> None: ...

    app.add_api_route("/bare", bare)
    app.add_api_websocket_route("/bare", bare)
    app.add_api_route("/twice", bare, dependencies=[*requires(Permission.VIEW), *requires(Permission.VIEW)])
    app.mount("/files", bare_app())
    app.router.routes.append(Route("/plain", bare))
    assert len(undeclared(app.routes)) == 5


def test_the_gate_lets_exactly_the_public_routes_through(routes_alone: FastAPI) -> None:
    public = {
        route.path
        for route in all_routes(routes_alone.routes)
        if isinstance(route, APIRoute | APIWebSocketRoute) and declared(route)[0].permission is Permission.PUBLIC
    }
    assert public == PUBLIC_PATHS == {"/health", "/login"}


def test_every_route_that_names_a_camera_in_its_path_asks_for_that_camera(routes_alone: FastAPI) -> None:
    routes = [route for route in all_routes(routes_alone.routes) if isinstance(route, APIRoute | APIWebSocketRoute)]
    parameters = {route.path: declared(route)[0].camera_parameter for route in routes if route.path.startswith("/api/cameras/")}
    assert len(parameters) >= 10
    assert set(parameters.values()) == {"id"}


def test_a_viewer_may_see_and_nothing_else() -> None:
    assert GRANTS[Role.VIEWER] == {Permission.PUBLIC, Permission.VIEW}
    assert GRANTS[Role.ADMINISTRATOR] == set(Permission)


SPAN = "from_ms=1700000000000&to_ms=1700000060000"


async def test_a_viewer_takes_nothing_away(world: World) -> None:
    world.recordings.rows = [row(1, "one.mcap")]
    async with world.client(world.viewer) as client:
        for path in (f"/api/cameras/gate/export.mp4?{SPAN}", "/api/recordings/1/data"):
            answer = await client.get(path)
            assert answer.status_code == 403
            assert answer.json()["status"] == 403
        assert (await client.get("/api/cameras")).status_code == 200


async def test_a_camera_that_is_not_for_somebody_is_not_there_on_any_route(tmp_path: Path) -> None:
    world = make_world(tmp_path, policy=OnlyGateForViewers())
    publish_place(world, DOCK)
    world.recordings.rows = [row(1, "one.mcap", DOCK)]
    async with world.client(world.viewer) as client:
        assert [camera["id"] for camera in (await client.get("/api/cameras")).json()] == [GATE]
        assert (await client.get(f"/api/recordings?{SPAN}")).json() == []
        for path in (
            "/api/cameras/dock",
            f"/api/cameras/dock/timeline?{SPAN}",
            f"/api/cameras/dock/covered?{SPAN}&polygon=0,0,1,0,1,1",
            f"/api/cameras/dock/scene?{SPAN}",
            "/api/cameras/dock/snapshot.jpg",
            "/api/cameras/dock/background?session=1&sequence=2",
            f"/api/recordings?camera=dock&{SPAN}",
        ):
            refused, absent = await client.get(path), await client.get(path.replace("dock", "none"))
            assert refused.status_code == 404
            assert refused.content == absent.content  # the two are not told apart
    async with world.client(world.administrator) as client:
        assert [camera["id"] for camera in (await client.get("/api/cameras")).json()] == [GATE, DOCK]
        assert (await client.get("/api/cameras/dock/snapshot.jpg")).status_code == 200


class OnlyGateToTakeAway:
    """A policy: everything may be seen, only the gate taken away."""

    def allows(self, identity: object, permission: Permission, camera: str) -> bool:
        return permission is Permission.VIEW or camera == GATE


async def test_the_policy_is_asked_about_files_too(tmp_path: Path) -> None:
    world = make_world(tmp_path, policy=OnlyGateToTakeAway())
    (tmp_path / "dock.mcap").write_bytes(b"data")
    world.recordings.rows = [row(1, "dock.mcap", DOCK)]
    async with world.client(world.administrator) as client:
        assert (await client.get("/api/recordings/1/data")).status_code == 404
        assert (await client.get(f"/api/cameras/dock/export.mp4?{SPAN}")).status_code == 404
        assert (await client.get("/api/cameras/dock")).status_code == 200
