"""One picture of a place as JPEG, with its caption."""

from __future__ import annotations

import io
from datetime import UTC, tzinfo

import numpy as np
from PIL import Image

from privet.core.reader import SceneView
from privet.render.caption import NOTICE, caption, dimmed, strip
from privet.render.freshness import words
from privet.render.paint import Picture, render
from privet.render.picture import decode_view

NARROWEST_PX = 64


def thumbnail(
    view: SceneView, width_px: int, *, camera: str = "", at_wall_ns: int | None = None, zone: tzinfo = UTC
) -> bytes:
    """Return a JPEG of the place, at most as wide as its picture, with a caption below it.

    at_wall_ns: the moment that is asked for: a view that nothing was heard of for two seconds is drawn as stale. None: the
        moment the view last heard something.

    Raises:
        NotFoundError: no picture has come from this camera yet.
        WireError: an image of the view cannot be used.
    """
    now_ns = view.heard_wall_ns() if at_wall_ns is None else at_wall_ns
    painted = decode_view(view)
    shown = render(painted.picture, painted.proven, None if view.cover is None else view.cover.covered, view.light, painted.grid)
    width_px = min(max(width_px, NARROWEST_PX), painted.grid.width_px)
    small = _scaled(shown, width_px)
    if said := words(view, now_ns):
        small = dimmed(small, said)
    whole = np.concatenate((small, strip(caption(camera, now_ns, view.proven_since_wall_ns(), zone), width_px)))
    out = io.BytesIO()
    Image.fromarray(whole).save(out, "JPEG", quality=85, comment=NOTICE)
    return out.getvalue()


def _scaled(picture: Picture, width_px: int) -> Picture:
    height, width, _ = picture.shape
    if width_px == width:
        return picture
    size = (width_px, max(1, round(height * width_px / width)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX), np.uint8)
