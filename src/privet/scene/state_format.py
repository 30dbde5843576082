"""What of a scene outlives its worker: proven background, when it was proven, arrivals. Sealed by the worker, read by nobody else.

A NumPy .npz archive without pickles: `header` (int64: version, width, height, block, epoch, matrix), planes `y`, `u`, `v` (uint8), `proven`
and `arrival` (packed bits), `proven_wall_ns` (int64). Version 2 adds, for layer N: `yN`, `uN`, `vN`, `blocksN`, `proven_wall_nsN`. Version
1 is read as one without layers. `given_up` (packed bits) may be missing: then nothing was. Version 3 says at the header's end how many
arrays there are, so that none is missing because the archive's list of them is damaged.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privet.core.errors import StoreError
from privet.core.frame import Matrix, Plane
from privet.core.grid import BoolGrid, Grid, pack_bits, unpack_bits
from privet.core.scene import MOST_LAYERS
from privet.scene.proof.promote import Layer

VERSION = 3
COUNTED_SINCE = 3
# What zipfile, zlib and NumPy raise on bytes that are damaged or made up; RuntimeError: a member that calls itself encrypted.
NOT_AN_ARCHIVE = (
    ValueError, KeyError, OSError, EOFError, IndexError, TypeError, AttributeError, OverflowError, MemoryError, RuntimeError,
    zipfile.BadZipFile, zlib.error, struct.error,
)


@dataclass(frozen=True, slots=True, eq=False)
class StoredScene:
    """Arrays as in `promote.ProvenBackground`; arrival: bool (rows, columns). given_up: blocks that looks did not help (scheduler)."""

    grid: Grid
    matrix: Matrix
    planes: tuple[Plane, Plane, Plane]
    proven: BoolGrid
    proven_wall_ns: NDArray[np.int64]
    arrival: BoolGrid
    layers: tuple[Layer, ...] = ()
    given_up: BoolGrid | None = None


def to_bytes(scene: StoredScene) -> bytes:
    """Return the archive's bytes."""
    grid = scene.grid
    buffer = io.BytesIO()
    arrays: dict[str, NDArray[np.uint8] | NDArray[np.int64]] = {}
    for number, layer in enumerate(scene.layers):
        for name, plane in zip("yuv", layer.planes, strict=True):
            arrays[f"{name}{number}"] = plane
        arrays[f"blocks{number}"] = np.frombuffer(pack_bits(layer.blocks), np.uint8)
        arrays[f"proven_wall_ns{number}"] = layer.proven_wall_ns
    arrays |= {
        "y": scene.planes[0],
        "u": scene.planes[1],
        "v": scene.planes[2],
        "proven": np.frombuffer(pack_bits(scene.proven), np.uint8),
        "arrival": np.frombuffer(pack_bits(scene.arrival), np.uint8),
        "proven_wall_ns": scene.proven_wall_ns,
    }
    if scene.given_up is not None:
        arrays["given_up"] = np.frombuffer(pack_bits(scene.given_up), np.uint8)
    about = (VERSION, grid.width_px, grid.height_px, grid.block_px, grid.epoch, scene.matrix.value, len(arrays) + 1)
    arrays = {"header": np.array(about, np.int64), **arrays}
    # A quarter of the time of zlib's default, for a file a quarter larger.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return buffer.getvalue()


def from_bytes(data: bytes) -> StoredScene:
    """Read an archive.

    Raises:
        StoreError: not such an archive, of another version, or arrays that do not fit each other.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        version, *about = (int(value) for value in arrays["header"])
        if not 1 <= version <= VERSION:
            raise StoreError(f"stored scene of version {version}: this Privet reads versions 1 to {VERSION}")
        if version >= COUNTED_SINCE and (count := about.pop()) != len(arrays):
            raise StoreError(f"stored scene cannot be read: {len(arrays)} arrays in it of {count}")
        width_px, height_px, block_px, epoch, matrix = about
        grid = Grid(width_px, height_px, block_px, epoch)
        chroma = (-(-height_px // 2), -(-width_px // 2))
        shapes = [(height_px, width_px), chroma, chroma]
        known = _layer(arrays, "", "proven", grid, shapes)
        layers = tuple(
            _layer(arrays, str(number), f"blocks{number}", grid, shapes) for number in range(MOST_LAYERS) if f"y{number}" in arrays
        )
        arrival = unpack_bits(arrays["arrival"].tobytes(), *grid.shape)
        given_up = unpack_bits(arrays["given_up"].tobytes(), *grid.shape) if "given_up" in arrays else None
        return StoredScene(grid, Matrix(matrix), known.planes, known.blocks, known.proven_wall_ns, arrival, layers, given_up)
    except NOT_AN_ARCHIVE as error:
        raise StoreError(f"stored scene cannot be read: {error}") from error


def _layer(
    arrays: dict[str, NDArray[np.uint8]], number: str, blocks: str, grid: Grid, shapes: list[tuple[int, int]]
) -> Layer:
    planes = (arrays[f"y{number}"], arrays[f"u{number}"], arrays[f"v{number}"])
    if [plane.shape for plane in planes] != shapes or any(plane.dtype != np.uint8 for plane in planes):
        raise StoreError(f"stored scene: planes do not fit {grid.width_px}x{grid.height_px}")
    times = np.asarray(arrays[f"proven_wall_ns{number}"])
    if times.shape != grid.shape or times.dtype != np.int64:
        raise StoreError("stored scene: times do not fit the grid")
    return Layer(planes, unpack_bits(arrays[blocks].tobytes(), *grid.shape), times.astype(np.int64))
