"""Previews: made once for each, in a thread; what is no background goes on as it is."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio
import pytest
from tests.api.names import DOCK, GATE
from tests.live.places import Place

from privet.api.backgrounds.previews import LEAST_BYTES, Previews
from privet.core.clock import FakeClock
from privet.core.errors import WireError
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Background
from privet.live.hub import Hub

pytestmark = pytest.mark.anyio
LARGE = b"x" * LEAST_BYTES


@dataclass
class Shrinking:
    asked: list[int] = field(default_factory=list)
    fails: bool = False

    def __call__(self, background: Background) -> bytes:
        self.asked.append(background.head.sequence)
        if self.fails:
            raise WireError("not a picture")
        return b"small"


def said(scene: pb.SceneMessage) -> bytes:
    return pb.CameraMessage(camera=GATE, scene=scene).SerializeToString(deterministic=True)


async def test_a_background_is_made_small_once_for_all_who_ask() -> None:
    shrink, place = Shrinking(), Place()
    previews = Previews(anyio.CapacityLimiter(2), shrink)
    first, second = said(place.background(LARGE)), said(place.background(LARGE))
    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(previews.message, first)
    answer = pb.CameraMessage.FromString(await previews.message(first))
    assert shrink.asked == [1]
    asked = pb.CameraMessage.FromString(first)
    assert (answer.scene.background.image, answer.scene.background.format) == (b"small", pb.IMAGE_FORMAT_WEBP)
    for message in (answer, asked):
        message.scene.background.ClearField("image")
        message.scene.background.ClearField("format")
    assert answer == asked
    await previews.message(second)
    assert shrink.asked == [1, 2]


async def test_everything_else_is_sent_as_it_came() -> None:
    shrink, place = Shrinking(), Place()
    previews = Previews(anyio.CapacityLimiter(2), shrink)
    patch = place.patch()
    patch.patch.image = LARGE
    for message in (place.background(b"little"), place.cover(), patch):
        data = said(message)
        assert await previews.message(data) is data
    assert not shrink.asked
    shrink.fails = True
    data = said(place.background(LARGE))
    assert await previews.message(data) is data


async def test_those_in_force_are_made_beforehand() -> None:
    shrink, place, hub = Shrinking(), Place(), Hub(FakeClock())
    previews = Previews(anyio.CapacityLimiter(2), shrink)
    message = place.background(LARGE)
    hub.publish(GATE, message)
    await previews.prepare(hub, (GATE, DOCK))
    await previews.message(said(message))
    assert shrink.asked == [1]


async def test_what_is_in_force_is_kept_small() -> None:
    shrink, place, hub = Shrinking(), Place(), Hub(FakeClock())
    previews = Previews(anyio.CapacityLimiter(2), shrink)
    async with anyio.create_task_group() as group:
        group.start_soon(previews.keep, hub, lambda: (GATE, DOCK), 0.001)
        for number in (1, 2):
            hub.publish(GATE, place.background(LARGE))
            with anyio.fail_after(10):
                while len(shrink.asked) < number:
                    await anyio.sleep(0.001)
        group.cancel_scope.cancel()
    assert shrink.asked == [1, 2]
