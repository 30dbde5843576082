"""A clip: encoded footage as the bare access units a camera would send, and where each of them lies.

Two files: `NAME.annexb` holds the access units one after another (Annex B, parameter sets before every keyframe), `NAME.json` tells
codec, size, frame rate and, for every access unit in order, offset, size, whether it is a keyframe, and its time in frames. No
container format: demo/rtsp_server.py reads it with Python's standard library alone, and frame i of the clip is frame i of the original.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypedDict

Codec = Literal["h264", "h265"]
VERSION = 1


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture: `size_bytes` from `offset_bytes`; `pts` counts frames."""

    offset_bytes: int
    size_bytes: int
    keyframe: bool
    pts: int


@dataclass(frozen=True, slots=True)
class Clip:
    """An encoded clip on disk; `path` is the file of access units."""

    path: Path
    codec: Codec
    width_px: int
    height_px: int
    fps: Fraction
    units: tuple[AccessUnit, ...]

    @property
    def duration_s(self) -> float:
        return float(len(self.units) / self.fps)

    @property
    def bits_per_second(self) -> float:
        return 8 * sum(unit.size_bytes for unit in self.units) / self.duration_s


class _Index(TypedDict):
    version: int
    codec: Codec
    width_px: int
    height_px: int
    fps: list[int]
    units: list[list[int]]


def index_path(path: Path) -> Path:
    """Where the index of the clip at `path` lies."""
    return path.with_suffix(".json")


def partial_of(path: Path, suffix: str = "") -> Path:
    """Where a file is written before it is whole: another place for each process, for two may be making the same one."""
    return path.with_name(f"{path.stem}-{os.getpid()}.partial{suffix}")


def write_index(clip: Clip) -> None:
    """Write the index beside the access units; the clip is whole once it is there."""
    index: _Index = {
        "version": VERSION,
        "codec": clip.codec,
        "width_px": clip.width_px,
        "height_px": clip.height_px,
        "fps": [clip.fps.numerator, clip.fps.denominator],
        "units": [[unit.offset_bytes, unit.size_bytes, int(unit.keyframe), unit.pts] for unit in clip.units],
    }
    partial = partial_of(index_path(clip.path), ".json")
    partial.write_text(json.dumps(index, separators=(",", ":")))
    partial.rename(index_path(clip.path))


def read_clip(path: Path) -> Clip:
    """Read the index of the clip whose access units are at `path`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it was written by another version.
    """
    index: _Index = json.loads(index_path(path).read_text())
    if index["version"] != VERSION:
        raise ValueError(f"{index_path(path)} is of version {index['version']}, not {VERSION}: delete it and encode again")
    units = tuple(AccessUnit(offset, size, bool(keyframe), pts) for offset, size, keyframe, pts in index["units"])
    numerator, denominator = index["fps"]
    return Clip(path, index["codec"], index["width_px"], index["height_px"], Fraction(numerator, denominator), units)
