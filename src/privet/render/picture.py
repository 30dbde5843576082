"""The background's pixels: decodes the images of a view and pastes its patches.

Belongs here: what an image in the scene stream may be (docs/ref/scene-stream.md, "Images") and which of its pixels count. Does
not belong here: light, cover, captions. Images come from a worker that a hostile camera may have subverted, or from a file that
somebody changed: their size is checked before a pixel is decoded, and whatever is wrong with them is a `WireError`.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from PIL import Image

from privet.core.errors import NotFoundError, WireError
from privet.core.grid import BoolGrid, Grid
from privet.core.reader import SceneView
from privet.core.scene import Background, ImageFormat, Patch
from privet.render.paint import UNPROVEN, Picture

_PILLOW_FORMATS = {ImageFormat.WEBP: "WEBP", ImageFormat.PNG: "PNG"}
_FOREIGN = ("icc_profile", "exif", "gamma", "chromaticity")
"""What would make a browser show other levels, or turn the picture."""

CACHE_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """A background as pixels. picture: uint8 (height, width, 3), read-only; proven: bool (rows, columns), patches included."""

    picture: Picture
    proven: BoolGrid
    grid: Grid


def decode_image(data: bytes, image_format: ImageFormat, width_px: int, height_px: int) -> Picture:
    """Decode one image of the stream to uint8 (height_px, width_px, 3).

    Raises:
        WireError: it is not one still 8-bit RGB image of that format and size, or is damaged.
    """
    try:
        with Image.open(io.BytesIO(data), formats=(_PILLOW_FORMATS[image_format],)) as image:
            if image.size != (width_px, height_px):
                raise WireError(f"image of {image.size[0]}x{image.size[1]} px where {width_px}x{height_px} px are drawn")
            if image.mode != "RGB" or getattr(image, "is_animated", False):
                raise WireError(f"image in mode {image.mode}: take one still picture in 8-bit RGB")
            if foreign := [name for name in _FOREIGN if name in image.info]:
                raise WireError(f"image with {', '.join(foreign)}: pictures are plain sRGB and upright")
            return np.asarray(image, np.uint8)
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,  # raised only where warnings are errors
    ) as error:
        raise WireError(f"image of {len(data)} bytes cannot be read as {image_format.name}: {error}") from error


def patch_size_px(patch: Patch, grid: Grid) -> tuple[int, int]:
    """(width, height) of a patch's image: its rectangle, cut at the picture's edge."""
    rows, columns = patch.promoted.shape
    right = min((patch.column + columns) * grid.block_px, grid.width_px)
    bottom = min((patch.row + rows) * grid.block_px, grid.height_px)
    return right - patch.column * grid.block_px, bottom - patch.row * grid.block_px


def _begin(background: Background) -> Painted:
    grid = background.grid
    if not background.image:
        return _nothing(grid)
    picture = decode_image(background.image, background.format, grid.width_px, grid.height_px)
    return _sealed(Painted(picture, background.proven, grid))


def _nothing(grid: Grid) -> Painted:
    picture = np.empty((grid.height_px, grid.width_px, 3), np.uint8)
    picture[:] = UNPROVEN
    return _sealed(Painted(picture, np.zeros(grid.shape, np.bool_), grid))


def _sealed(painted: Painted) -> Painted:
    painted.picture.flags.writeable = False
    return painted


def _paste(painted: Painted, patches: tuple[Patch, ...]) -> Painted:
    """Return `painted` with the promoted blocks of the patches; of their other blocks nothing is taken."""
    grid = painted.grid
    picture, proven = painted.picture.copy(), painted.proven.copy()
    for patch in patches:
        width, height = patch_size_px(patch, grid)
        image = decode_image(patch.image, patch.format, width, height)
        rows, columns = patch.promoted.shape
        size = grid.block_px
        pixels = np.repeat(np.repeat(patch.promoted, size, axis=0), size, axis=1)[:height, :width]
        target = picture[patch.row * size : patch.row * size + height, patch.column * size : patch.column * size + width]
        target[pixels] = image[pixels]
        proven[patch.row : patch.row + rows, patch.column : patch.column + columns] |= patch.promoted
    return _sealed(Painted(picture, proven, grid))


# Which background this is. The image belongs to it: a recording may hold the same background with its patches folded in.
_Key = tuple[int, int, Grid, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    painted: Painted
    patch_sequences: tuple[int, ...]


class Pictures:
    """Decoded backgrounds, least recently used out first; safe from several threads.

    A view that has only gained patches since it was last asked for costs those patches.
    """

    def __init__(self, limit_bytes: int = CACHE_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._bytes = 0
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def decode_view(self, view: SceneView) -> Painted:
        """Return the background that `view` is drawn on.

        Raises:
            NotFoundError: the view has no grid yet, so there is no picture.
            WireError: an image of the view cannot be used.
        """
        if view.grid is None:
            raise NotFoundError("no picture has come from this camera yet")
        if view.background is None:
            return _nothing(view.grid)
        background = view.background
        key = (background.head.session, background.head.sequence, background.grid, background.image)
        sequences = tuple(patch.head.sequence for patch in view.patches)
        with self._lock:
            entry = self._entries.get(key)
        if entry is None or sequences[: len(entry.patch_sequences)] != entry.patch_sequences:
            entry = _Entry(_begin(background), ())
        todo = view.patches[len(entry.patch_sequences) :]
        painted = _paste(entry.painted, todo) if todo else entry.painted
        self._keep(key, _Entry(painted, sequences))
        return painted

    def _keep(self, key: _Key, entry: _Entry) -> None:
        with self._lock:
            if (before := self._entries.pop(key, None)) is not None:
                self._bytes -= before.painted.picture.nbytes
            self._entries[key] = entry
            self._bytes += entry.painted.picture.nbytes
            while self._bytes > self._limit_bytes and len(self._entries) > 1:
                _, dropped = self._entries.popitem(last=False)
                self._bytes -= dropped.painted.picture.nbytes


_PICTURES = Pictures()


def decode_view(view: SceneView) -> Painted:
    """As `Pictures.decode_view`, with the process's cache."""
    return _PICTURES.decode_view(view)
