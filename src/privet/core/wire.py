"""Scene values to protobuf bytes and back: the only place that knows both. Specified in docs/ref/scene-stream.md.

Decoding is strict: whatever breaks the specification raises `WireError`. What a reader must skip decodes to None: a message of a
kind that this version does not know, and a patch, cover or light of another epoch than the grid in force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from privet.core.errors import WireError
from privet.core.grid import Grid, pack_bits, unpack_bits
from privet.core.pb import scene_pb2 as pb
from privet.core.reader import SceneView, follow
from privet.core.scene import (
    Background,
    Condition,
    Cover,
    Head,
    ImageFormat,
    Light,
    Patch,
    Reason,
    Scene,
    State,
)

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
MAX_COVER_NS = 10_000_000_000


def _head(head: Head) -> pb.Head:
    return pb.Head(session=head.session, sequence=head.sequence, wall_ns=head.wall_ns)


def _grid(grid: Grid) -> pb.Grid:
    return pb.Grid(width_px=grid.width_px, height_px=grid.height_px, block_px=grid.block_px, epoch=grid.epoch)


def to_message(scene: Scene) -> pb.SceneMessage:
    """Return the protobuf message for a scene value."""
    match scene:
        case Background():
            return pb.SceneMessage(
                background=pb.Background(
                    head=_head(scene.head),
                    grid=_grid(scene.grid),
                    proven=pack_bits(scene.proven),
                    format=pb.ImageFormat.ValueType(scene.format),
                    image=scene.image,
                    oldest_wall_ns=scene.oldest_wall_ns,
                    newest_wall_ns=scene.newest_wall_ns,
                )
            )
        case Patch():
            rows, columns = scene.promoted.shape
            return pb.SceneMessage(
                patch=pb.Patch(
                    head=_head(scene.head),
                    epoch=scene.epoch,
                    column=scene.column,
                    row=scene.row,
                    columns=columns,
                    rows=rows,
                    promoted=pack_bits(scene.promoted),
                    format=pb.ImageFormat.ValueType(scene.format),
                    image=scene.image,
                )
            )
        case Cover():
            return pb.SceneMessage(
                cover=pb.Cover(
                    head=_head(scene.head), epoch=scene.epoch, duration_ns=scene.duration_ns, bits=pack_bits(scene.covered)
                )
            )
        case Light():
            rows, columns = scene.gain.shape
            return pb.SceneMessage(
                light=pb.Light(
                    head=_head(scene.head),
                    epoch=scene.epoch,
                    columns=columns,
                    rows=rows,
                    gain=scene.gain.tobytes(),
                    offset=scene.offset.tobytes(),
                )
            )
        case State():
            return pb.SceneMessage(
                state=pb.State(
                    head=_head(scene.head),
                    condition=pb.Condition.ValueType(scene.condition),
                    reason=pb.Reason.ValueType(scene.reason),
                    cover_until_wall_ns=scene.cover_until_wall_ns,
                    grid=None if scene.grid is None else _grid(scene.grid),
                    proven_blocks=scene.proven_blocks,
                    blind_blocks=scene.blind_blocks,
                )
            )


def encode(scene: Scene) -> bytes:
    """Return the bytes of a `SceneMessage`."""
    return to_message(scene).SerializeToString(deterministic=True)


def decode(data: bytes, grid: Grid | None) -> Scene | None:
    """Read one `SceneMessage`.

    grid: the grid in force (of the last background or state). Patches, covers and lights need one: before it they are a
    `WireError`.

    Returns None for a kind this version does not know, and for a patch, cover or light of another epoch than the grid's.

    Raises:
        WireError: the bytes are not a message, or a field breaks the specification.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise WireError(f"scene message of {len(data)} bytes: at most {MAX_MESSAGE_BYTES} are taken")
    try:
        message = pb.SceneMessage.FromString(data)
    except DecodeError as error:
        raise WireError(f"{len(data)} bytes are not a scene message: {error}") from error
    return from_message(message, grid)


def from_message(message: pb.SceneMessage, grid: Grid | None) -> Scene | None:
    """As `decode`, from a parsed message."""
    kind = message.WhichOneof("kind")
    try:
        if kind == "background":
            return _background(message.background)
        if kind == "patch":
            return _patch(message.patch, _known(grid)) if _same_epoch(message.patch, grid) else None
        if kind == "cover":
            return _cover(message.cover, _known(grid)) if _same_epoch(message.cover, grid) else None
        if kind == "light":
            return _light(message.light) if _same_epoch(message.light, grid) else None
        if kind == "state":
            return _state(message.state)
    except ValueError as error:
        raise WireError(f"{kind} message: {error}") from error
    return None


def decode_all(
    messages: Iterable[pb.SceneMessage], rejected: Callable[[WireError], None] | None = None
) -> Iterator[Scene]:
    """Decode a stream, keeping track of the grid in force; what a reader must skip is.

    rejected: told of each message that breaks the specification, which is then left out.

    Raises:
        WireError: a message breaks the specification and nobody is to be told.
    """
    view = SceneView()
    for message in messages:
        try:
            scene = from_message(message, view.grid)
        except WireError as error:
            if rejected is None:
                raise
            rejected(error)
            continue
        if scene is not None:
            view = follow(view, scene)
            yield scene


def _known(grid: Grid | None) -> Grid:
    if grid is None:
        raise ValueError("no grid is known yet")
    return grid


def _same_epoch(message: pb.Patch | pb.Cover | pb.Light, grid: Grid | None) -> bool:
    _read_head(message.head)
    return message.epoch == _known(grid).epoch


def _wall_ns(name: str, value: int) -> int:
    if value < 0:
        raise ValueError(f"{name} of {value}: before 1970")
    return value


def _read_head(message: pb.Head) -> Head:
    if message.session == 0 or message.sequence == 0:
        raise ValueError("head without session or sequence")
    return Head(message.session, message.sequence, _wall_ns("wall_ns", message.wall_ns))


def _read_grid(message: pb.Grid) -> Grid:
    return Grid(message.width_px, message.height_px, message.block_px, message.epoch)


def _background(message: pb.Background) -> Background:
    grid = _read_grid(message.grid)
    proven = unpack_bits(message.proven, grid.rows, grid.columns)
    if bool(message.image) != bool(proven.any()):
        raise ValueError("a background has an image exactly when a block is proven")
    oldest_ns, newest_ns = _wall_ns("oldest_wall_ns", message.oldest_wall_ns), _wall_ns("newest_wall_ns", message.newest_wall_ns)
    if oldest_ns > newest_ns or bool(message.image) != bool(oldest_ns):
        raise ValueError(f"proven from {oldest_ns} to {newest_ns} ns: in order, and 0 exactly while no block is proven")
    return Background(
        _read_head(message.head),
        grid,
        proven,
        ImageFormat(message.format),
        message.image,
        oldest_ns,
        newest_ns,
    )


def _patch(message: pb.Patch, grid: Grid) -> Patch:
    if message.columns == 0 or message.rows == 0:
        raise ValueError("empty rectangle")
    if message.column + message.columns > grid.columns or message.row + message.rows > grid.rows:
        raise ValueError(f"rectangle reaches beyond the grid of {grid.columns} x {grid.rows} blocks")
    promoted = unpack_bits(message.promoted, message.rows, message.columns)
    if not message.image or not promoted.any():
        raise ValueError("no image or no promoted block")
    return Patch(
        _read_head(message.head),
        message.epoch,
        message.column,
        message.row,
        promoted,
        ImageFormat(message.format),
        message.image,
    )


def _cover(message: pb.Cover, grid: Grid) -> Cover:
    if not 0 < message.duration_ns <= MAX_COVER_NS:
        raise ValueError(f"duration of {message.duration_ns} ns: take 1 to {MAX_COVER_NS}")
    covered = unpack_bits(message.bits, grid.rows, grid.columns)
    return Cover(_read_head(message.head), message.epoch, message.duration_ns, covered)


def _light(message: pb.Light) -> Light:
    shape = (message.rows, message.columns)
    if not (1 <= message.rows <= 64 and 1 <= message.columns <= 64):
        raise ValueError(f"{message.columns} x {message.rows} cells: take 1 to 64 each way")

    def cells(data: bytes) -> NDArray[np.uint8]:
        if len(data) != shape[0] * shape[1]:
            raise ValueError(f"{shape[0] * shape[1]} cells, found {len(data)} bytes")
        return np.frombuffer(data, np.uint8).reshape(shape)

    return Light(_read_head(message.head), message.epoch, cells(message.gain), cells(message.offset))


def _state(message: pb.State) -> State:
    grid = _read_grid(message.grid) if message.HasField("grid") else None
    blocks = 0 if grid is None else grid.blocks
    if max(message.proven_blocks, message.blind_blocks) > blocks:
        raise ValueError(f"{message.proven_blocks} proven and {message.blind_blocks} blind blocks of {blocks}")
    return State(
        _read_head(message.head),
        Condition(message.condition),
        Reason(message.reason),
        _wall_ns("cover_until_wall_ns", message.cover_until_wall_ns),
        grid,
        message.proven_blocks,
        message.blind_blocks,
    )
