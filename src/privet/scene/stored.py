"""What of a scene outlives its worker: proven background, when it was proven, arrivals. Sealed by runtime, read by nobody else.

Version 1 is a NumPy .npz archive without pickles: `header` (int64: version, width, height, block, epoch, matrix), planes `y`, `u`, `v`
(uint8), `proven` and `arrival` (packed bits), `proven_wall_ns` (int64).
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

VERSION = 1
# What zipfile, zlib and NumPy raise on bytes that are damaged or made up; RuntimeError: a member that calls itself encrypted.
NOT_AN_ARCHIVE = (
    ValueError, KeyError, OSError, EOFError, IndexError, TypeError, AttributeError, OverflowError, MemoryError, RuntimeError,
    zipfile.BadZipFile, zlib.error, struct.error,
)


@dataclass(frozen=True, slots=True, eq=False)
class StoredScene:
    """Arrays as in `promote.ProvenBackground`; arrival: bool (rows, columns)."""

    grid: Grid
    matrix: Matrix
    planes: tuple[Plane, Plane, Plane]
    proven: BoolGrid
    proven_wall_ns: NDArray[np.int64]
    arrival: BoolGrid


def to_bytes(scene: StoredScene) -> bytes:
    """Return the archive's bytes."""
    grid = scene.grid
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        header=np.array([VERSION, grid.width_px, grid.height_px, grid.block_px, grid.epoch, scene.matrix.value], np.int64),
        y=scene.planes[0],
        u=scene.planes[1],
        v=scene.planes[2],
        proven=np.frombuffer(pack_bits(scene.proven), np.uint8),
        arrival=np.frombuffer(pack_bits(scene.arrival), np.uint8),
        proven_wall_ns=scene.proven_wall_ns,
    )
    return buffer.getvalue()


def from_bytes(data: bytes) -> StoredScene:
    """Read an archive.

    Raises:
        StoreError: not such an archive, of another version, or arrays that do not fit each other.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        version, width_px, height_px, block_px, epoch, matrix = (int(value) for value in arrays["header"])
        if version != VERSION:
            raise StoreError(f"stored scene of version {version}: this Privet reads version {VERSION}")
        grid = Grid(width_px, height_px, block_px, epoch)
        chroma = (-(-height_px // 2), -(-width_px // 2))
        planes = (arrays["y"], arrays["u"], arrays["v"])
        shapes = [(height_px, width_px), chroma, chroma]
        if [plane.shape for plane in planes] != shapes or any(plane.dtype != np.uint8 for plane in planes):
            raise StoreError(f"stored scene: planes do not fit {width_px}x{height_px}")
        times = arrays["proven_wall_ns"]
        if times.shape != grid.shape or times.dtype != np.int64:
            raise StoreError("stored scene: times do not fit the grid")
        return StoredScene(
            grid,
            Matrix(matrix),
            planes,
            unpack_bits(arrays["proven"].tobytes(), *grid.shape),
            times,
            unpack_bits(arrays["arrival"].tobytes(), *grid.shape),
        )
    except NOT_AN_ARCHIVE as error:
        raise StoreError(f"stored scene cannot be read: {error}") from error
