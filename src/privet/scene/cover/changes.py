"""One frame against what is known of its place, main stream or sub-stream: the light is fitted, and then what still differs is found.

Belongs here: that order. Does not belong here: the tests themselves (difference), the fit (light), what follows from it (main_stream,
substream).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from privet.core.frame import Frame, Plane
from privet.core.grid import BoolGrid
from privet.scene.block_model import BlockModel
from privet.scene.cover.difference import DIFFERENCE_FLOORS, DIFFERENCE_TIMES, PIXEL_NOISE, differs, lit, same_texture
from privet.scene.light import CELL_COLUMNS, CELL_ROWS, Cells, fit_light, spread
from privet.scene.statistics import U_MEAN, V_MEAN, Y_MEAN, Statistics


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """A frame and what was found in it; for who looks at frames alone, and nothing of it is handed on.

    seen: its statistics. raw: known blocks that differ, bool (rows, columns). expected: what the model expects under the light that was
    fitted, which is cells: (gain, offset).
    """

    frame: Frame
    seen: Statistics
    raw: BoolGrid
    expected: Statistics
    cells: tuple[Cells, Cells]


def find_changes(
    frame: Frame, seen: Statistics, model: BlockModel, known: BoolGrid, uncovered: BoolGrid, picture: Plane, block_px: int,
    light: tuple[Cells, Cells] | None = None,
) -> Changes:
    """Find the known blocks that look different.

    seen: the frame's block statistics. known, uncovered: blocks that the model knows, and of those the ones that nothing covered: the light
    is fitted on them, unless it is given. picture: the background's Y.
    """
    # After blindness everything is covered, and the light may be another by now: to find back, all that is known is fitted on.
    usable = uncovered if uncovered.any() else known
    cells = light or fit_light(seen[Y_MEAN], model.mean[Y_MEAN], usable, (CELL_ROWS, CELL_COLUMNS))
    expected = lit(model.mean, spread(cells[0], *known.shape), spread(cells[1], *known.shape))
    raw = differs(seen, expected, model.deviation, DIFFERENCE_FLOORS, DIFFERENCE_TIMES) & known
    if raw.any():
        chroma = np.abs(seen[U_MEAN] - expected[U_MEAN]) + np.abs(seen[V_MEAN] - expected[V_MEAN])
        raw &= ~same_texture(frame.y, picture, block_px, raw, chroma, PIXEL_NOISE)
    return Changes(frame, seen, raw, expected, cells)
