"""What processes that do one job are told, and what they answer: JSON over their standard streams.

Belongs here: the values. Does not belong here: the jobs (worker.jobs), and who asks for them (cli).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from privet.core.geometry import Tag
from privet.core.pb import pipe_pb2

GEOMETRY_CODES = {Tag.ROTATION: pipe_pb2.LOG_CODE_ROTATION, Tag.ASPECT: pipe_pb2.LOG_CODE_ASPECT}
"""What the masking process says of a film that cannot be set upright."""


class MaskSettings(BaseModel):
    """What is to be masked and how. Times in seconds of the film."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    directory: Path                   # its own; nothing else can be written
    warmed_cache_directory: Path      # compiled kernels to copy from; read only
    block_px: int = 8
    covers_per_second: float = 5.0
    prove_seconds: float = 0.0        # 0: a quarter of the film, at least 2 and at most 60
    person_height_px: int = 0
    threshold: float = 0.15
    device: str = "CPU"


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found, in whole numbers; 0: not known. reason: of core.scene.Reason, NONE if pictures came."""

    reason: int = 0
    width_px: int = 0
    height_px: int = 0
    frames: int = 0
    damaged: int = 0
    first_frame_ms: int = 0
    fps_milli: int = 0
    keyframe_interval_ms: int = 0
    focus_milli: int = 0
    brightness: int = 0
    detectors: int = 0          # that loaded
    detectors_ms: int = 0       # all of them together, to load
    look_us: int = 0            # one look of each detector together
    cuda: int = 0               # core.decoding.Decoding of a trial on NVIDIA's decoder, on VA-API's; SOFTWARE: not tried
    vaapi: int = 0
    landlock_abi: int = 0
