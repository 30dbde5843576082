"""The picture as it is meant to be seen: what a source states of rotation, mirroring and the shape of its pixels, read and undone.

Belongs here: the display matrix and the sample aspect ratio of decoded pictures. Does not belong here: the decoder, other conversions.

Detectors find people who stand upright and have the shape of people. So this comes before anything looks, for cameras and files alike. A
picture without such tags is not touched.

In H.264 and H.265 the rotation is a message beside a keyframe and holds up to the next one (in H.265, FFmpeg keeps it until another
comes); a container's comes with every picture.
"""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import av
import numpy as np
from av.sidedata.sidedata import SideData
from av.video.reformatter import VideoReformatter

from privet.core.frame import Plane
from privet.core.geometry import AS_STORED, NO_TURN, SQUARE, UNREADABLE, Geometry, GeometryError, Tag, Unusable
from privet.core.grid import MAX_PICTURE_PX, MAX_SIDE_PX

NEARLY = 0.01
"""What a rotation, in radians, and the two scales of a matrix, as a share, may be off: nobody looks another for it."""
NEARLY_SQUARE = Fraction(2, 100)
MOST_STRETCHED = 4
"""Cameras and lenses go up to 24:11; beyond is a mistake."""
_MATRIX = struct.Struct("=9i")


def turn_of(matrix: bytes) -> Geometry:
    """The geometry, of square pixels, that a display matrix stands for.

    Raises:
        GeometryError: it is no quarter turn and no mirror image of one.
    """
    if len(matrix) < _MATRIX.size:
        raise GeometryError(Unusable(Tag.ROTATION, NO_TURN))
    # Right and down of the stored picture, each as (right, down) of the one that is seen.
    across_x, across_y, u, down_x, down_y, v, _, _, w = _MATRIX.unpack_from(matrix)
    across, down = math.hypot(across_x, across_y), math.hypot(down_x, down_y)
    if (u, v) != (0, 0) or w <= 0 or across == 0 or down == 0 or abs(across / down - 1) > NEARLY:
        raise GeometryError(Unusable(Tag.ROTATION, NO_TURN))
    straight = max(abs(across_y) / across, abs(down_x) / down) <= NEARLY
    if not straight and max(abs(across_x) / across, abs(down_y) / down) > NEARLY:
        square = abs(across_x * down_x + across_y * down_y) <= NEARLY * across * down
        degrees = round(math.degrees(math.atan2(across_y, across_x))) % 360
        raise GeometryError(Unusable(Tag.ROTATION, degrees if square and degrees % 90 else NO_TURN))
    if straight:
        return Geometry(SQUARE, transposed=False, mirrored=across_x < 0, flipped=down_y < 0)
    return Geometry(SQUARE, transposed=True, mirrored=down_x < 0, flipped=across_y < 0)


def aspect_of(stated: Fraction | None) -> Fraction:
    """The shape of a pixel, width by height; square where nothing is stated, or nearly so.

    Raises:
        GeometryError: no camera and no film has such pixels.
    """
    if stated is None or stated == SQUARE:
        return SQUARE
    if not Fraction(1, MOST_STRETCHED) <= stated <= MOST_STRETCHED:
        raise GeometryError(Unusable(Tag.ASPECT, round(stated * 1_000_000)))
    return SQUARE if abs(stated - 1) <= NEARLY_SQUARE else stated


def squared_px(width_px: int, height_px: int, aspect: Fraction) -> tuple[int, int]:
    """(width, height) in square pixels: the shorter side of a pixel grows, so that nothing is lost; to even numbers.

    Raises:
        GeometryError: the picture would be larger than any may be.
    """
    if aspect is SQUARE or aspect == SQUARE:
        return width_px, height_px
    width, height = (2 * round(width_px * aspect / 2), height_px) if aspect > 1 else (width_px, 2 * round(height_px / aspect / 2))
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PICTURE_PX:
        raise GeometryError(Unusable(Tag.ASPECT, round(aspect * 1_000_000)))
    return max(width, 1), max(height, 1)


class Upright:
    """What is known of one decoder's pictures, and the means to set them upright. Not thread-safe.

    fixed: the pixels' shape that the container states; it counts more than the pictures' own, as in players.
    """

    def __init__(self, fixed: Fraction | None = None) -> None:
        self._fixed = fixed
        self._turn = AS_STORED
        self._rotation = 0              # degrees that the last picture read states; cheap to ask for
        self._stated: Fraction | None = None
        self._aspect = SQUARE
        self.squarer = VideoReformatter()

    def geometry(self, picture: av.VideoFrame, stated: Fraction | None) -> Geometry:
        """How this picture, the next one to be seen, is stored. stated: the shape of its pixels as the decoder tells.

        Raises:
            GeometryError: it cannot be told, or not be undone.
        """
        rotation = picture.rotation
        if picture.key_frame or rotation not in (0, self._rotation):
            self._turn = _turn(picture, AS_STORED if picture.key_frame else self._turn)
            self._rotation = rotation
        stated = stated if self._fixed is None else self._fixed
        if stated != self._stated:
            self._aspect = aspect_of(stated)
            self._stated = stated
        if self._aspect is SQUARE:      # as `aspect_of` gives it
            return self._turn
        return Geometry(self._aspect, self._turn.transposed, self._turn.mirrored, self._turn.flipped)


def _turn(picture: av.VideoFrame, otherwise: Geometry) -> Geometry:
    try:
        matrix = picture.side_data.get("DISPLAYMATRIX")
    except ValueError:          # of a kind that PyAV does not know: it reads all or nothing
        raise GeometryError(Unusable(Tag.ROTATION, UNREADABLE)) from None
    return turn_of(bytes(matrix)) if isinstance(matrix, SideData) else otherwise


def turned(planes: tuple[Plane, Plane, Plane], geometry: Geometry) -> tuple[Plane, Plane, Plane]:
    """Y, U, V with their pixels where they are seen: copies, each row in one piece."""
    height, width = planes[0].shape
    y, u, v = (_turned(plane, geometry) for plane in planes)
    across, down = (height, width) if geometry.transposed else (width, height)
    # Of an odd side the last sample of colour stands for one pixel alone, and after a reflection would come first.
    if geometry.mirrored and across % 2:
        u, v = _between(u), _between(v)
    if geometry.flipped and down % 2:
        u, v = _between(u.T).T, _between(v.T).T
    return np.ascontiguousarray(y), np.ascontiguousarray(u), np.ascontiguousarray(v)


def _turned(plane: Plane, geometry: Geometry) -> Plane:
    seen = plane.T if geometry.transposed else plane
    return seen[:: -1 if geometry.flipped else 1, :: -1 if geometry.mirrored else 1]


def _between(plane: Plane) -> Plane:
    """Each sample as the mean of itself and the one to its right; the last one as it is."""
    moved = plane.copy()
    moved[:, :-1] = (plane[:, :-1].astype(np.uint16) + plane[:, 1:] + 1) // 2
    return moved
