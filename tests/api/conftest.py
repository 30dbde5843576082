"""What the API's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.api.fakes import World, make_world


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)
