"""What the API's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from tests.api.world import World, make_world

from privet.api.app import bare_app
from privet.api.openapi.routes import text


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


@pytest.fixture(scope="module")
def routes_alone() -> FastAPI:
    """The application with nothing behind it. No test changes it."""
    return bare_app()


@pytest.fixture(scope="module")
def openapi_text(routes_alone: FastAPI) -> str:
    """The OpenAPI document, which takes longer to make than most tests take."""
    return text(routes_alone)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A world for tests that change nothing in it: made once a module."""
    return make_world(tmp_path_factory.mktemp("unchanged"))
