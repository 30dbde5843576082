"""What a run of the demo came to: one line per camera, and whether it was a success. Pure.

Belongs here: figures and their table. Does not belong here: where the figures come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CameraFigures:
    """One camera during one run."""

    id: str
    condition: str
    frames: int
    reconnects: int
    proven_share: float
    received_bytes: int
    recorded_bytes: int                     # by which its files on disk grew
    recorded_covers: int                    # read back from them
    capacity_bits_per_second: int           # the most that could leave the worker
    sent_bits_per_second: int               # what did, lately

    @property
    def ratio(self) -> float | None:
        """Received bytes for each recorded one; None if nothing was recorded."""
        return self.received_bytes / self.recorded_bytes if self.recorded_bytes > 0 else None


COLUMNS = ("camera", "state", "frames", "reconnects", "proven", "received", "recorded", "ratio", "capacity", "sent")


def table(cameras: Sequence[CameraFigures]) -> str:
    """The summary: columns aligned, a line a camera."""
    rows = [COLUMNS, *(_row(camera) for camera in cameras)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = zip(row, widths, strict=True)
    return "  ".join(cell.ljust(width) if column < 2 else cell.rjust(width) for column, (cell, width) in enumerate(cells)).rstrip()


def _row(camera: CameraFigures) -> tuple[str, ...]:
    return (
        camera.id,
        camera.condition,
        f"{camera.frames}",
        f"{camera.reconnects}",
        f"{100 * camera.proven_share:.1f} %",
        kilobytes(camera.received_bytes),
        kilobytes(camera.recorded_bytes),
        "-" if camera.ratio is None else f"1/{camera.ratio:.0f}",
        f"{camera.capacity_bits_per_second / 1000:.1f} kbit/s",
        f"{camera.sent_bits_per_second / 1000:.1f} kbit/s",
    )


def kilobytes(count: int) -> str:
    """Bytes for people, in units of 1000."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"


def failures(cameras: Sequence[CameraFigures], expected: Sequence[str]) -> tuple[str, ...]:
    """Why the run was no success, a sentence each: every expected camera must have recorded something."""
    found = {camera.id: camera for camera in cameras}
    sentences = []
    for name in expected:
        camera = found.get(name)
        if camera is None:
            sentences.append(f"camera {name} was never heard of")
        elif camera.recorded_covers == 0 or camera.recorded_bytes <= 0:
            sentences.append(f"camera {name} recorded nothing (it is {camera.condition}, with {camera.frames} frames)")
    return tuple(sentences)
