"""The live scene stream over a WebSocket."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends
from starlette.websockets import WebSocket, WebSocketDisconnect

from privet.api.auth.authentication import Authentication
from privet.api.auth.permission import Access, Identity, Permission, TheAccess, Who, requires
from privet.api.backgrounds.previews import Previews
from privet.api.guard.request_guard import CLOSE_LOGIN
from privet.api.live.ports import LiveScenes
from privet.api.resource import Given
from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import NotFoundError
from privet.core.ids import CameraId
from privet.live.hub import Subscription

router = APIRouter(tags=["live"])

CLOSE_UNKNOWN_CAMERA = 4404
CLOSE_TOO_MANY = 1013
"""Try again later (registered close code)."""


@dataclass(frozen=True, slots=True)
class LiveResource:
    """What these routes are given, and who watches.

    access: the cameras there are now, and who may see them. session_recheck_ns: how soon a session that was ended closes its WebSockets.
    follow_ns: how soon a camera that comes or goes is followed.
    """

    live: LiveScenes
    previews: Previews
    authentication: Authentication
    clock: Clock
    access: Callable[[], Access]
    most_viewers: int = 256
    session_recheck_ns: int = 10 * NS_PER_S
    follow_ns: int = NS_PER_S
    viewers: set[object] = field(default_factory=set)


Resource = Annotated[LiveResource, Depends(Given(LiveResource))]


@router.websocket("/api/live", name="live", dependencies=requires(Permission.VIEW))
async def live(
    websocket: WebSocket, who: Who, access: TheAccess, resource: Resource, cameras: str = "", backgrounds: str = ""
) -> None:
    """`CameraMessage`s of the named cameras, all the asker may see if none are named. backgrounds: "small" makes their pictures small.

    Cameras that come are followed if none are named; those that go are not heard of any more. What the client sends is read and ignored.
    Closes: 4401 the session ended, 4404 an unknown camera, 1013 too many viewers.
    """
    await websocket.accept()
    try:
        wanted = _wanted(cameras)
        chosen = tuple(access.permit(who, Permission.VIEW, name) for name in wanted)
    except NotFoundError:
        await websocket.close(CLOSE_UNKNOWN_CAMERA, "there is no such camera")
        return
    if not wanted:
        chosen = access.visible(who, Permission.VIEW)
    if len(resource.viewers) >= resource.most_viewers:
        await websocket.close(CLOSE_TOO_MANY, "too many viewers")
        return
    resource.viewers.add(websocket)
    try:
        await _serve(websocket, resource, who, chosen, bool(wanted), resource.previews if backgrounds == "small" else None)
    finally:
        resource.viewers.discard(websocket)


def _wanted(cameras: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in cameras.split(",") if name))


async def _serve(
    websocket: WebSocket, resource: LiveResource, who: Identity, cameras: tuple[CameraId, ...], named: bool, previews: Previews | None
) -> None:
    # The three end together: whichever is first done (client gone, session over) cancels the others.
    with resource.live.subscribe(cameras) as subscription:
        async with anyio.create_task_group() as group:

            async def until_gone() -> None:
                await _drain(websocket)
                group.cancel_scope.cancel()

            async def until_logged_out() -> None:
                await _session_over(resource, who)
                with anyio.move_on_after(5), suppress(WebSocketDisconnect, RuntimeError):  # gone meanwhile
                    await websocket.close(CLOSE_LOGIN, "the session ended: log in again")
                group.cancel_scope.cancel()

            async def until_sent() -> None:
                await _send(websocket, subscription, previews)
                group.cancel_scope.cancel()

            async def follow() -> None:
                while True:
                    await anyio.sleep(resource.follow_ns / NS_PER_S)
                    visible = resource.access().visible(who, Permission.VIEW)
                    subscription.follow([camera for camera in cameras if camera in visible] if named else visible)

            group.start_soon(until_gone)
            group.start_soon(follow)
            group.start_soon(until_sent)
            if previews is not None:
                for half in (cameras[::2], cameras[1::2]):
                    group.start_soon(previews.prepare, resource.live, half)
            if who.session_hash is not None:
                group.start_soon(until_logged_out)


async def _send(websocket: WebSocket, subscription: Subscription, previews: Previews | None) -> None:
    try:
        async for data in subscription:
            # Waits while the client's side of the connection is full: the queue behind it is bounded, see live.hub.
            await websocket.send_bytes(data if previews is None else await previews.message(data))
    except (WebSocketDisconnect, RuntimeError):
        return  # gone, or closed by `until_logged_out` meanwhile


async def _drain(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _session_over(resource: LiveResource, who: Identity) -> None:
    assert who.session_hash is not None
    while True:
        left_ns = (who.expires_wall_ns or 0) - resource.clock.wall_ns()
        await anyio.sleep(max(0, min(left_ns, resource.session_recheck_ns)) / NS_PER_S)
        if await resource.authentication.by_session_hash(who.session_hash) is None:
            return
