"""The cameras: what they are for, how they are, and what leaves them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Depends
from pydantic import Field

from privet.api.auth.permission import Permission, TheAccess, Who, requires
from privet.api.cameras.counters import CountersModel, counters
from privet.api.cameras.ports import Capacity, Counters, LiveScenes
from privet.api.cameras.register import RegisterEntry, entry_of
from privet.api.model import Model, known_ms
from privet.api.parameters import CameraName
from privet.api.resource import Given
from privet.core.decoding import Decoding
from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.core.reader import SceneView

router = APIRouter(tags=["cameras"])


@dataclass(frozen=True, slots=True)
class CamerasResource:
    """What these routes are given. register: the cameras there are now."""

    register: Callable[[], tuple[RegisterEntry, ...]]
    live: LiveScenes
    counters: Counters
    capacity: Capacity


Resource = Annotated[CamerasResource, Depends(Given(CamerasResource))]

ConditionName = Literal["starting", "awake", "asleep", "blind", "offline"]
ReasonName = Literal[
    "none", "unreachable", "refused", "not_found", "no_video", "codec", "stalled", "ended", "damaged", "moved", "obscured",
    "worker", "no_detector", "protocol", "overloaded", "unsaved",
]

DecodingName = Literal["software", "hardware", "waiting", "no_device", "unsupported", "failed"]


class GridModel(Model):
    """The block grid."""

    width_px: int
    height_px: int
    block_px: int
    epoch: int = Field(description="Counts changes of size, aspect, colour range and position.")
    columns: int
    rows: int


class CameraModel(Model):
    """A camera: its register entry and its state."""

    id: str
    name: str
    place: str
    purpose: str
    controller: str
    condition: ConditionName
    reason: ReasonName
    since_ms: int | None = Field(description="Since when it is in this condition, for this reason; null if nothing was heard.")
    heard_ms: int | None = Field(description="When anything was last heard; null if nothing was.")
    stale: bool = Field(description="Nothing was heard for two seconds: what is shown is no longer how it is.")
    grid: GridModel | None
    proven_blocks: int
    blind_blocks: int
    proven_share: float = Field(description="Of the blocks outside blind zones, 0 to 1.")
    background_oldest_ms: int | None
    background_newest_ms: int | None
    decoding: DecodingName = Field(
        description="Which way now. `waiting`: hardware is asked for, and software decodes while something is being proven. "
        "The last three: software decodes, for want of a device, of a decoder in this build, or because it failed."
    )
    counters: CountersModel
    capacity_bits_per_second: int = Field(
        description="The most that can leave the worker, a bound and no mean (what-leaves.md). 0 before the grid is known."
    )
    sent_bits_per_second: int = Field(description="What the scene stream really took, over the last ten seconds.")


@router.get("/api/cameras", operation_id="cameras", dependencies=requires(Permission.VIEW))
async def cameras(resource: Resource, access: TheAccess, who: Who) -> list[CameraModel]:
    """Every camera the asker may see, in the configuration's order."""
    visible = access.visible(who, Permission.VIEW)
    return [_camera(resource, entry) for entry in resource.register() if entry.id in visible]


@router.get("/api/cameras/{id}", operation_id="camera", dependencies=requires(Permission.VIEW, "id"))
async def camera(camera: CameraName, resource: Resource) -> CameraModel:
    """One camera."""
    return _camera(resource, entry_of(resource.register(), CameraId(camera)))


def _camera(resource: CamerasResource, entry: RegisterEntry) -> CameraModel:
    camera = entry.id
    heard, view = resource.live.heard(camera), resource.live.view(camera)
    proven, blind = (0, 0) if view.state is None else (view.state.proven_blocks, view.state.blind_blocks)
    guarded = 0 if view.grid is None else view.grid.blocks - blind
    health = resource.counters.health(camera) or pipe_pb2.Health()
    return CameraModel(
        id=entry.id,
        name=entry.name,
        place=entry.place,
        purpose=entry.purpose,
        controller=entry.controller,
        condition=_CONDITIONS[heard.condition.name.lower()],
        reason=_REASONS[heard.reason.name.lower()],
        since_ms=known_ms(heard.since_wall_ns),
        heard_ms=known_ms(heard.heard_wall_ns),
        stale=heard.stale,
        grid=None if view.grid is None else _grid(view.grid),
        proven_blocks=proven,
        blind_blocks=blind,
        proven_share=0.0 if guarded <= 0 else min(1.0, proven / guarded),
        background_oldest_ms=known_ms(view.proven_since_wall_ns()),
        background_newest_ms=_newest_ms(view),
        decoding=_DECODINGS[Decoding(health.decoding).name.lower()],
        counters=counters(health),
        capacity_bits_per_second=0 if view.grid is None else resource.capacity(view.grid),
        sent_bits_per_second=heard.sent_bits_per_second,
    )


_CONDITIONS: dict[str, ConditionName] = {name: name for name in get_args(ConditionName)}
_DECODINGS: dict[str, DecodingName] = {name: name for name in get_args(DecodingName)}
_REASONS: dict[str, ReasonName] = {name: name for name in get_args(ReasonName)}


def _newest_ms(view: SceneView) -> int | None:
    if view.background is None:
        return None
    newest_ns = view.background.newest_wall_ns
    if view.patches:
        newest_ns = max(newest_ns, *(patch.head.wall_ns for patch in view.patches))
    return known_ms(newest_ns)


def _grid(grid: Grid) -> GridModel:
    return GridModel(
        width_px=grid.width_px,
        height_px=grid.height_px,
        block_px=grid.block_px,
        epoch=grid.epoch,
        columns=grid.columns,
        rows=grid.rows,
    )
