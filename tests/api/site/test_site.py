"""What is said of the installation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.api.world import World

pytestmark = pytest.mark.anyio


async def test_the_site(unchanged: World) -> None:
    async with unchanged.client(unchanged.viewer) as client:
        assert (await client.get("/api/site")).json() == {
            "name": "Harbour <b>",
            "timezone": "Europe/Berlin",
            "version": "0.1",
            "controller": "Harbour Ltd",
            "retention_hours": 72,
            "retention_reason": "",
        }


async def test_what_is_said_follows_the_configuration(world: World) -> None:
    world.settings.site = replace(world.settings.site, name="Yard")
    async with world.client(world.viewer) as client, world.client() as stranger:
        assert (await client.get("/api/site")).json()["name"] == "Yard"
        assert "Yard" in (await stranger.get("/login")).text
