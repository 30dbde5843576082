"""The background in force at its full size."""

from __future__ import annotations

import pytest
from tests.api.names import GATE
from tests.api.world import World, publish_place

pytestmark = pytest.mark.anyio


async def test_the_background_in_force_at_its_full_size(world: World) -> None:
    place = publish_place(world)
    background = world.hub.view(GATE).background
    assert background is not None
    session, sequence = background.head.session, background.head.sequence
    async with world.client(world.viewer) as client:
        path = f"/api/cameras/gate/background?session={session}"
        answer = await client.get(f"{path}&sequence={sequence}")
        others = [await client.get(f"{path}&sequence={other}") for other in (sequence + 1, 0, 10**19)]
        wrong = [await client.get(f"{path}&sequence={other}") for other in ("", "-1", "1e3", "x")]
        world.hub.publish(GATE, place.background(b"another"))
        late = await client.get(f"{path}&sequence={sequence}")
        world.hub.publish(GATE, place.empty_background())
        none = await client.get(f"{path}&sequence={place.sequence}")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/png", b"picture")
    assert answer.headers["cache-control"] == "no-store"
    assert [other.status_code for other in (*others, late, none)] == [404] * 5
    assert [other.status_code for other in wrong] == [422] * 4
