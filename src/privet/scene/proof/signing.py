"""Rule 4: what a person is shown to sign, for how long it may be signed, and what has lapsed by then.

Belongs here: the offer (frozen pixels of candidates, everything else flat), its expiry, the looks taken for it, and which of its blocks
a signature still counts for. Does not belong here: writing the background (promote.py alone does), offering and signing against the proofs
that run (commissioning), asking and answering (worker), who may sign (api).

An offer is the only thing beside a promotion that holds pixels which may leave the worker. It is made of the proofs' own mean picture and
never changes: what is written after a signature is what the signer saw, and whoever arrives in between restarts a proof, which lapses.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from privet.core.frame import Frame, Matrix, Plane
from privet.core.grid import BoolGrid, Grid
from privet.core.offer import OFFER_EVERY_NS, OFFER_ID_BYTES, OFFER_NS
from privet.scene.background_image import encode_webp, flat_rgb
from privet.scene.proof.looks import Detector, blocks_hit, levels, tiles
from privet.scene.proof.promote import FLAT_CHROMA, FLAT_Y
from privet.scene.proof.views import Transform, input_to_picture, sample

VIEWS_FOR_AN_OFFER = (Transform(), Transform(mirrored=True, zoom=0.97))


class NoOffer(Enum):
    """Why there is nothing to sign."""

    NO_PICTURE = "no_picture"       # the camera gives none that could be judged, or no detector could look at it
    NO_CANDIDATES = "no_candidates"  # no block has passed rules 1 and 2
    TOO_SOON = "too_soon"           # the last offer is not old enough


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """What one signer is shown. Arrays are read-only.

    blocks: the candidates, bool (rows, columns). planes: their pixels, flat elsewhere. began_ns: when each block's proof began (monotonic),
    -1 where none ran. wall_ns: of the frame it was made after. expires_ns: monotonic.
    """

    id: bytes
    grid: Grid
    matrix: Matrix
    blocks: BoolGrid
    planes: tuple[Plane, Plane, Plane]
    began_ns: NDArray[np.int64]
    wall_ns: int
    expires_ns: int

    def webp(self) -> bytes:
        """The picture the signer sees. A flat block beside offered ones has their mean colour, as in `picture.to_rgb`."""
        return encode_webp(flat_rgb(self.planes, self.matrix, self.blocks, self.grid.block_px))


@dataclass(frozen=True, slots=True)
class Signing:
    """What became of a signature: blocks that are background now, and blocks it no longer counted for."""

    signed: int
    lapsed: int


class OpenOffer:
    """The one open offer of a camera, if any. It is forgotten when it is decided upon, replaced, or its time is over."""

    def __init__(self) -> None:
        self._offer: Offer | None = None
        self._next_ns = -1

    def due(self, now_ns: int) -> bool:
        """Whether another offer may be made; counted from the last attempt, so that asking costs looks no more often than this."""
        return now_ns >= self._next_ns

    def attempt(self, now_ns: int) -> None:
        """An offer is about to be made: an open one is void from now on."""
        self._offer = None
        self._next_ns = now_ns + OFFER_EVERY_NS

    def put(
        self, grid: Grid, matrix: Matrix, blocks: BoolGrid, picture: tuple[Plane, Plane, Plane], began_ns: NDArray[np.int64],
        now_ns: int, wall_ns: int,
    ) -> Offer:
        """Open an offer of `blocks` (at least one) as they look in `picture`, of which nothing else is kept."""
        planes = kept_planes(picture, blocks, grid.block_px)
        blocks, began_ns = blocks.copy(), began_ns.copy()
        for array in (*planes, blocks, began_ns):
            array.flags.writeable = False
        self._offer = Offer(
            secrets.token_bytes(OFFER_ID_BYTES), grid, matrix, blocks, planes, began_ns, wall_ns, now_ns + OFFER_NS
        )
        return self._offer

    def take(self, offer_id: bytes, now_ns: int) -> Offer | None:
        """Close the open offer and return it, if it is this one and still good. A wrong id closes nothing."""
        self.expire(now_ns)
        if self._offer is None or not hmac.compare_digest(self._offer.id, offer_id):
            return None
        offer, self._offer = self._offer, None
        return offer

    def expire(self, now_ns: int) -> None:
        """Forget an offer whose time is over."""
        if self._offer is not None and now_ns >= self._offer.expires_ns:
            self._offer = None

    def forget(self) -> None:
        """There is no offer any more: the picture it was of is gone."""
        self._offer = None


def kept_planes(picture: tuple[Plane, Plane, Plane], blocks: BoolGrid, block_px: int) -> tuple[Plane, Plane, Plane]:
    """Copy the blocks' pixels; everything else is flat. blocks: bool (rows, columns)."""
    kept: list[Plane] = []
    for plane, unit, flat in zip(picture, (block_px, block_px // 2, block_px // 2), (FLAT_Y, FLAT_CHROMA, FLAT_CHROMA), strict=True):
        height, width = plane.shape
        pixels = np.repeat(np.repeat(blocks, unit, axis=0), unit, axis=1)[:height, :width]
        kept.append(np.where(pixels, plane, np.uint8(flat)))
    return kept[0], kept[1], kept[2]


def began(still_ns: NDArray[np.int64], now_ns: int) -> NDArray[np.int64]:
    """When each proof began, from how long it has run; -1 where none runs. int64 (rows, columns), monotonic."""
    return np.where(still_ns > 0, now_ns - still_ns, -1)


def unbroken(offer: Offer, began_ns: NDArray[np.int64]) -> BoolGrid:
    """Blocks of the offer whose proof is the very one they were offered with: bool (rows, columns)."""
    if began_ns.shape != offer.blocks.shape:
        return np.zeros(offer.blocks.shape, np.bool_)
    same: BoolGrid = offer.blocks & (began_ns == offer.began_ns) & (began_ns >= 0)
    return same


def look_everywhere(frame: Frame, grid: Grid, detectors: Sequence[Detector], person_px: float) -> BoolGrid:
    """Let every detector look at the whole picture and all its tiles, plain and mirrored; return the blocks with a hit.

    Raises:
        DetectorError: from a detector.
    """
    hit = np.zeros(grid.shape, np.bool_)
    for detector in detectors:
        height, width = detector.input_px
        for across in levels(grid.height_px, person_px, height):
            for tile in tiles(grid.width_px, grid.height_px, across, person_px, grid.block_px):
                for transform in VIEWS_FOR_AN_OFFER:
                    affine = input_to_picture(tile, transform, height, width)
                    boxes = detector.find(sample(frame, affine, height, width)[None])[0]
                    hit |= blocks_hit(grid, affine, boxes, (height, width))
    return hit
