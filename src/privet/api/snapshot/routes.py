"""One masked picture, now or then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from privet.api.auth.permission import Permission, requires
from privet.api.parameters import MAX_MS, CameraName
from privet.api.resource import Given
from privet.api.snapshot.ports import LiveScenes, RecordedScenes, Snapshots
from privet.core.clock import NS_PER_MS, NS_PER_S, Clock
from privet.core.errors import NotFoundError
from privet.core.ids import CameraId
from privet.core.reader import SceneView, follow
from privet.core.scene import Head
from privet.core.wire import from_message
from privet.render.freshness import Freshness, freshness_of

router = APIRouter(tags=["snapshot"])

BACKGROUND_AGE = "X-Privet-Background-Age-Seconds"
STALE = "X-Privet-Stale"
FRESHNESS = "X-Privet-Freshness"


@dataclass(frozen=True, slots=True)
class SnapshotResource:
    """What these routes are given. name_of: what a camera is called now."""

    live: LiveScenes
    recorded: RecordedScenes
    snapshots: Snapshots
    name_of: Callable[[CameraId], str]
    clock: Clock
    archive_threads: anyio.CapacityLimiter
    render_threads: anyio.CapacityLimiter


Resource = Annotated[SnapshotResource, Depends(Given(SnapshotResource))]


@router.get(
    "/api/cameras/{id}/snapshot.jpg",
    operation_id="snapshot",
    response_class=Response,
    dependencies=requires(Permission.VIEW, "id"),
    responses={
        200: {
            "description": "The picture: a reconstruction, not video.",
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {
                BACKGROUND_AGE: {
                    "description": "How long before the picture's time its oldest block was proven; absent while none is.",
                    "schema": {"type": "integer"},
                },
                STALE: {
                    "description": "true: nothing was heard of the camera for two seconds; what is drawn is how it was.",
                    "schema": {"type": "string", "enum": ["true", "false"]},
                },
                FRESHNESS: {
                    "description": "shown: the place is drawn as it is; otherwise dimmed, and why: words of the scene stream's reference.",
                    "schema": {"type": "string", "enum": [kind.value for kind in Freshness]},
                },
            },
        }
    },
)
async def snapshot(
    camera: CameraName,
    resource: Resource,
    at_ms: Annotated[int | None, Query(ge=0, le=MAX_MS, description="When; now if left out.")] = None,
    width: Annotated[int, Query(ge=16, le=3840, description="Width in pixels.")] = 640,
) -> Response:
    """The masked picture as JPEG."""
    known = CameraId(camera)
    if at_ms is None:
        view, at_ns, stale = resource.live.view(known), resource.clock.wall_ns(), resource.live.heard(known).stale
        missing = "nothing has been heard of this camera yet"
    else:
        at_ns, stale = at_ms * NS_PER_MS, False
        view = await anyio.to_thread.run_sync(_view_at, resource.recorded, known, at_ns, limiter=resource.archive_threads)
        view = _with_what_is_not_written_yet(view, resource.live.view(known), at_ns)
        missing = "nothing is recorded of this camera at this time"
    if view.grid is None:
        raise NotFoundError(missing)
    picture = await anyio.to_thread.run_sync(
        resource.snapshots.thumbnail, view, width, resource.name_of(known), at_ns, limiter=resource.render_threads
    )
    headers = {"Cache-Control": "no-store", STALE: "true" if stale else "false", FRESHNESS: freshness_of(view, at_ns).value}
    if since_ns := view.proven_since_wall_ns():
        headers[BACKGROUND_AGE] = str(max(0, at_ns - since_ns) // NS_PER_S)
    return Response(picture, 200, headers, "image/jpeg")


def _with_what_is_not_written_yet(recorded: SceneView, live: SceneView, at_ns: int) -> SceneView:
    """Return what was known at `at_ns`. While nothing happens a recorder writes every ten seconds: that is no silence of the camera's.

    The live stream speaks for the moment where it is about the same background and cover, in the same condition.
    """
    if recorded.state is None or live.state is None or freshness_of(recorded, at_ns) not in {Freshness.SILENT, Freshness.UNKNOWN}:
        return recorded
    same = _in_force(recorded) == _in_force(live) and recorded.state.condition == live.state.condition
    return live if same and live.state.head.wall_ns >= at_ns else recorded


def _in_force(view: SceneView) -> tuple[Head | None, ...]:
    return tuple(None if part is None else part.head for part in (view.background, *view.patches[-1:], view.cover))


def _view_at(recorded: RecordedScenes, camera: CameraId, at_ns: int) -> SceneView:
    view = SceneView()
    for message in recorded.scenes(camera, at_ns, at_ns + 1, 0):
        scene = from_message(message, view.grid)
        if scene is not None:
            view = follow(view, scene)
    return view
