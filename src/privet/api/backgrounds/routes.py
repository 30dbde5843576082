"""The picture of the background in force at its full size, for who was sent a small one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from privet.api.auth.permission import Permission, requires
from privet.api.backgrounds.ports import LiveScenes
from privet.api.parameters import CameraName
from privet.api.resource import Given
from privet.core.errors import NotFoundError
from privet.core.ids import CameraId
from privet.core.scene import ImageFormat

router = APIRouter(tags=["live"])

MEDIA_TYPES = {ImageFormat.WEBP: "image/webp", ImageFormat.PNG: "image/png"}

@dataclass(frozen=True, slots=True)
class BackgroundsResource:
    """What these routes are given."""

    live: LiveScenes


Resource = Annotated[BackgroundsResource, Depends(Given(BackgroundsResource))]
HeadNumber = Annotated[str, Query(pattern="^[0-9]{1,20}$", description="Of the background's head. A string: it has 64 bits.")]


@router.get(
    "/api/cameras/{id}/background",
    operation_id="background",
    response_class=Response,
    dependencies=requires(Permission.VIEW, "id"),
    responses={
        200: {
            "description": "The image as it stands in the stream: proven blocks, all others flat.",
            "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA_TYPES.values()},
        }
    },
)
async def background(camera: CameraName, resource: Resource, session: HeadNumber, sequence: HeadNumber) -> Response:
    """The image of the background with this head; 404 if it is not the one in force, for then another was sent."""
    known = resource.live.view(CameraId(camera)).background
    if known is None or not known.image or (known.head.session, known.head.sequence) != (int(session), int(sequence)):
        raise NotFoundError("this background is not in force any more")
    return Response(known.image, 200, {"Cache-Control": "no-store"}, MEDIA_TYPES[known.format])
