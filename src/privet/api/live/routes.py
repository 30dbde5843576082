"""Slice: the live scene stream over a WebSocket."""

from __future__ import annotations

from contextlib import suppress

import anyio
import anyio.to_thread
from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from privet.api.auth.permission import Identity, Permission, identity_of, requires
from privet.api.auth.sessions import check_session_hash
from privet.api.backgrounds.previews import Previews
from privet.api.dependencies import Room, TheRoom
from privet.api.guard.request_guard import CLOSE_LOGIN
from privet.core.clock import NS_PER_S
from privet.core.errors import NotFoundError
from privet.core.ids import CameraId
from privet.live.hub import Subscription

router = APIRouter(tags=["live"])

CLOSE_UNKNOWN_CAMERA = 4404
CLOSE_TOO_MANY = 1013
"""Try again later (registered close code)."""


@router.websocket("/api/live", name="live", dependencies=requires(Permission.VIEW))
async def live(websocket: WebSocket, room: TheRoom, cameras: str = "", backgrounds: str = "") -> None:
    """`CameraMessage`s of the named cameras, all the asker may see if none are named. backgrounds: "small" makes their pictures small.

    What the client sends is read and ignored. Closes: 4401 the session ended, 4404 an unknown camera, 1013 too many viewers.
    """
    identity = identity_of(websocket)
    access = room.dependencies.access
    await websocket.accept()
    try:
        wanted = _wanted(cameras)
        chosen = tuple(access.permit(identity, Permission.VIEW, name) for name in wanted)
    except NotFoundError:
        await websocket.close(CLOSE_UNKNOWN_CAMERA, "there is no such camera")
        return
    if not wanted:
        chosen = access.visible(identity, Permission.VIEW)
    if len(room.viewers) >= room.dependencies.limits.viewers:
        await websocket.close(CLOSE_TOO_MANY, "too many viewers")
        return
    room.viewers.add(websocket)
    try:
        await _serve(websocket, room, identity, chosen, room.previews if backgrounds == "small" else None)
    finally:
        room.viewers.discard(websocket)


def _wanted(cameras: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in cameras.split(",") if name))


async def _serve(
    websocket: WebSocket, room: Room, identity: Identity, cameras: tuple[CameraId, ...], small: Previews | None
) -> None:
    # The three end together: whichever is first done (client gone, session over) cancels the others.
    with room.dependencies.hub.subscribe(cameras) as subscription:
        async with anyio.create_task_group() as group:

            async def until_gone() -> None:
                await _drain(websocket)
                group.cancel_scope.cancel()

            async def until_logged_out() -> None:
                await _session_over(room, identity)
                with anyio.move_on_after(5), suppress(WebSocketDisconnect, RuntimeError):  # gone meanwhile
                    await websocket.close(CLOSE_LOGIN, "the session ended: log in again")
                group.cancel_scope.cancel()

            async def sending() -> None:
                await _send(websocket, subscription, small)
                group.cancel_scope.cancel()

            group.start_soon(until_gone)
            group.start_soon(sending)
            if small is not None:
                for half in (cameras[::2], cameras[1::2]):
                    group.start_soon(small.prepare, room.dependencies.hub, half)
            if identity.session_hash is not None:
                group.start_soon(until_logged_out)


async def _send(websocket: WebSocket, subscription: Subscription, small: Previews | None) -> None:
    try:
        async for data in subscription:
            # Waits while the client's side of the connection is full: the queue behind it is bounded, see live.hub.
            await websocket.send_bytes(data if small is None else await small.message(data))
    except (WebSocketDisconnect, RuntimeError):
        return  # gone, or closed by `until_logged_out` meanwhile


async def _drain(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _session_over(room: Room, identity: Identity) -> None:
    assert identity.session_hash is not None
    deps = room.dependencies
    while True:
        left_ns = (identity.expires_wall_ns or 0) - deps.clock.wall_ns()
        await anyio.sleep(max(0, min(left_ns, deps.limits.session_recheck_ns)) / NS_PER_S)
        known = await anyio.to_thread.run_sync(
            check_session_hash, deps.accounts, deps.clock, identity.session_hash, limiter=room.account_threads
        )
        if known is None:
            return
