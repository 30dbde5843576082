"""A background made small, for whoever looks at many places at once.

Belongs here: its size and its pixels. Does not belong here: who asks for it. There is nothing in it but what is in the large one: block by
block, so that no pixel mixes two blocks, and what is not proven is flat.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from privet.core.grid import BoolGrid, Grid
from privet.core.scene import Background
from privet.render.paint import Picture
from privet.render.picture import decode_image

SMALL_WIDTH_PX = 480
WEBP_QUALITY = 82
WEBP_EFFORT = 2


def small_block_px(grid: Grid, width_px: int = SMALL_WIDTH_PX) -> int:
    """The largest whole number of pixels that a block can take in a picture of at most `width_px`, or one. Never more than it has."""
    return max(1, min(grid.block_px, width_px // grid.columns))


def small_size_px(grid: Grid, block_px: int) -> tuple[int, int]:
    """(width, height) of the picture with so many pixels a block."""
    return -(-grid.width_px * block_px // grid.block_px), -(-grid.height_px * block_px // grid.block_px)


def smaller(background: Background, width_px: int = SMALL_WIDTH_PX) -> bytes:
    """Return the background's picture as WebP with `small_block_px` pixels a block; the background's own if that is all that it has.

    Raises:
        WireError: the background's image cannot be used.
    """
    grid, size = background.grid, small_block_px(background.grid, width_px)
    if size == grid.block_px or not background.image:
        return background.image
    small = _scaled(decode_image(background.image, background.format, grid.width_px, grid.height_px), grid, size)
    out = io.BytesIO()
    Image.fromarray(_flat(small, ~background.proven, size)).save(out, "WEBP", quality=WEBP_QUALITY, method=WEBP_EFFORT)
    return out.getvalue()


def _scaled(picture: Picture, grid: Grid, size: int) -> Picture:
    """Return means over the parts of blocks, `size` to a side."""
    if grid.block_px % size == 0:
        return np.array(Image.fromarray(picture).reduce(grid.block_px // size), np.uint8)
    # Blocks at the edges are whole while they are made small, so that their edges lie between pixels as all others do.
    down, across = grid.rows * grid.block_px - grid.height_px, grid.columns * grid.block_px - grid.width_px
    whole = np.pad(picture, ((0, down), (0, across), (0, 0)), mode="edge")
    width_px, height_px = small_size_px(grid, size)
    small = Image.fromarray(whole).resize((grid.columns * size, grid.rows * size), Image.Resampling.BOX)
    return np.array(small.crop((0, 0, width_px, height_px)), np.uint8)


def _flat(small: Picture, blocks: BoolGrid, size: int) -> Picture:
    """Return `small` with these blocks in their mean colour."""
    height, width, _ = small.shape
    means = np.asarray(Image.fromarray(small).reduce(size), np.uint8)
    pixels = np.repeat(np.repeat(blocks, size, axis=0), size, axis=1)[:height, :width]
    small[pixels] = np.repeat(np.repeat(means, size, axis=0), size, axis=1)[:height, :width][pixels]
    return small
