"""Pictures of a run, side by side: live, what is shown, the empty place. Live only for comparison, and only of public footage.

Belongs here: keeping a few frames of what is watched, laying them out. Does not belong here: judging, choosing scenarios.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from demo.encode import yuv_picture
from numpy.typing import NDArray
from PIL import Image

from bench.privacy.sequence import Planes, Sequence
from bench.privacy.watch import Shown

GAP_PX = 4
JPEG_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Stills:
    """Keeps the frames `numbers` of every run that is watched through it. kept: by (run, frame number)."""

    sequence: Sequence
    numbers: frozenset[int]
    kept: dict[tuple[str, int], Image.Image] = field(default_factory=dict)

    def through(self, name: str, run: Iterable[Shown]) -> Iterator[Shown]:
        """Yield the run as it comes; of chosen frames what is shown is kept under `name`, live and plate under their own."""
        for each in run:
            if each.number in self.numbers:
                self.kept[name, each.number] = Image.fromarray(each.picture)
                self.kept["live", each.number] = _image((np.array(each.live.y), np.array(each.live.u), np.array(each.live.v)))
                self.kept["plate", each.number] = _image(self.sequence.plate(each.number).planes)
            yield each

    def sheet(self, names: Many[str]) -> Image.Image | None:
        """A row for each frame, a column for each name; None if nothing was kept."""
        rows = [[self.kept[name, number] for name in names] for number in sorted(self.numbers) if ("live", number) in self.kept]
        if not rows:
            return None
        width, height = rows[0][0].size
        sheet = Image.new("RGB", (len(names) * (width + GAP_PX) - GAP_PX, len(rows) * (height + GAP_PX) - GAP_PX))
        for i, row in enumerate(rows):
            for j, image in enumerate(row):
                sheet.paste(image, (j * (width + GAP_PX), i * (height + GAP_PX)))
        return sheet


def evenly(sequence: Sequence, count: int) -> frozenset[int]:
    """Frame numbers from soon after the start to just before the end."""
    return frozenset(round(share * (sequence.count - 1)) for share in np.linspace(0.08, 0.98, count))


def save(image: Image.Image, path: Path, widest_px: int = 1152) -> None:
    """As JPEG, made smaller if it is wider."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if image.width > widest_px:
        image = image.resize((widest_px, round(image.height * widest_px / image.width)), Image.Resampling.LANCZOS)
    image.save(path, quality=JPEG_QUALITY, optimize=True)


def _image(planes: Planes) -> Image.Image:
    rgb: NDArray[np.uint8] = np.asarray(yuv_picture(*planes).to_ndarray(format="rgb24"), np.uint8)
    return Image.fromarray(rgb)
