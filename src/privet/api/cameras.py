"""Slice: the cameras: what they are for, how they are, and what leaves them."""

from __future__ import annotations

from typing import Literal, get_args

from fastapi import APIRouter
from pydantic import Field

from privet.api.dependencies import ApiDependencies, Deps, Who
from privet.api.model import Model, known_ms
from privet.api.parameters import CameraName
from privet.api.permission import Permission, requires
from privet.core.decoding import Decoding
from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.core.reader import SceneView

router = APIRouter(tags=["cameras"])

ConditionName = Literal["starting", "awake", "asleep", "blind", "offline"]
SubStreamName = Literal["none", "not_watched", "watched", "other_picture", "no_keyframes"]
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


class CountersModel(Model):
    """Since the camera's pipeline started; all 0 before a worker has said anything."""

    packets: int
    bytes_received: int
    frames_decoded: int
    frames_analysed: int
    frames_damaged: int
    connects: int
    covers_sent: int
    covers_dropped: int
    bytes_sent: int
    looks: int = Field(description="Detector runs.")
    looks_with_hit: int
    promoted_blocks: int
    proofs_restarted: int
    looks_starved: int = Field(description="Detector runs put off because the worker's budget was spent.")
    proofs_put_off: int = Field(description="How often proofs were left be for minutes, because the machine was behind.")
    pictures_put_off: int = Field(
        description="How often pictures between keyframes were left undecoded for a while, because the machine was behind."
    )
    packets_dropped: int = Field(description="Packets thrown away undecoded: the machine was further behind than packets are kept.")
    frames_left_out: int = Field(
        description="Pictures never decoded: nothing moved, a keyframe came before the next look, or the machine was behind."
    )
    sub_stream: SubStreamName = Field(
        description="Whether the sub-stream is watched between the main stream's keyframes: none is configured; not (yet); it is; "
        "it shows another picture than the main stream; the main stream's keyframes are too rare or do not stand alone."
    )
    frames_hardware: int = Field(description="Pictures decoded by a GPU.")
    candidate_blocks: int = Field(description="Waiting for a signature, now.")
    sharpness_milli: int = Field(description="Focus measure of the last keyframe, thousandths.")
    saves_failed: int = Field(description="Tries to save what was proven that failed: the disk was full, read-only or gone.")
    state_unsaved_seconds: int = Field(description="For how long what was proven has not been on the disk; 0 while it can be saved.")


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
async def cameras(deps: Deps, who: Who) -> list[CameraModel]:
    """Every camera the asker may see, in the configuration's order."""
    return [_camera(deps, camera) for camera in deps.access.visible(who, Permission.VIEW)]


@router.get("/api/cameras/{id}", operation_id="camera", dependencies=requires(Permission.VIEW, "id"))
async def camera(camera: CameraName, deps: Deps) -> CameraModel:
    """One camera."""
    return _camera(deps, CameraId(camera))


def _camera(deps: ApiDependencies, camera: CameraId) -> CameraModel:
    entry = deps.entry(camera)
    heard, view = deps.hub.heard(camera), deps.hub.view(camera)
    proven, blind = (0, 0) if view.state is None else (view.state.proven_blocks, view.state.blind_blocks)
    guarded = 0 if view.grid is None else view.grid.blocks - blind
    health = deps.counters.health(camera) or pipe_pb2.Health()
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
        counters=_counters(health),
        capacity_bits_per_second=0 if view.grid is None else deps.capacity(view.grid),
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


def _counters(health: pipe_pb2.Health) -> CountersModel:
    return CountersModel(
        packets=health.packets,
        bytes_received=health.bytes_received,
        frames_decoded=health.frames_decoded,
        frames_analysed=health.frames_analysed,
        frames_damaged=health.frames_damaged,
        connects=health.connects,
        covers_sent=health.covers_sent,
        covers_dropped=health.covers_dropped,
        bytes_sent=health.bytes_sent,
        looks=health.looks,
        looks_with_hit=health.looks_with_hit,
        promoted_blocks=health.promoted_blocks,
        proofs_restarted=health.proofs_restarted,
        looks_starved=health.looks_starved,
        proofs_put_off=health.proofs_put_off,
        pictures_put_off=health.pictures_put_off,
        packets_dropped=health.packets_dropped,
        frames_left_out=health.frames_left_out,
        sub_stream=get_args(SubStreamName)[health.sub_stream],
        frames_hardware=health.frames_hardware,
        candidate_blocks=health.candidate_blocks,
        sharpness_milli=health.sharpness_milli,
        saves_failed=health.saves_failed,
        state_unsaved_seconds=health.state_unsaved_seconds,
    )
