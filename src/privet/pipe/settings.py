"""What a worker is told: frozen models, sent over the pipe as JSON.

Belongs here: the values. Does not belong here: how they follow from privet.toml (main.worker_settings).
The JSON holds passwords and the state key: it goes through the pipe only, never to argv, the environment, a file or a log.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from privet.config.models import Decode, Detect, Point, Promotion, SceneSection
from privet.core.ids import CameraId

STATE_KEY_BYTES = 32

StateKeyHex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CameraSettings(_Settings):
    """Everything one camera's pipeline needs."""

    camera: CameraId
    url: str                                                # rtsp://, rtsps:// or file:///absolute; never with credentials
    sub_url: str | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    username: str = ""                                      # both empty: the camera asks for none
    password: str = Field("", repr=False)
    blind: tuple[tuple[Point, ...], ...] = ()               # polygons in fractions of width and height
    scene: SceneSection = SceneSection()
    promotion: Promotion = Promotion()
    detect: Detect = Detect()
    decode: Decode = Decode()
    state_directory: Path                                   # absolute; this camera's sealed state and nothing else
    loop: bool = True                                       # files only: begin again at the end
    paced: bool = True                                      # files only: in real time, not as fast as they can be read


class WorkerSettings(_Settings):
    """Everything one worker process needs. `state_key_hex`: 32 bytes, the installation's key."""

    cameras: tuple[CameraSettings, ...]
    directory: Path                                         # absolute; the worker's own: caches and temporary files
    warmed_cache_directory: Path | None = None              # compiled kernels to copy from; read only
    lockdown: Literal["required", "available"] = "available"
    state_key_hex: StateKeyHex = Field(repr=False)
    detect: Detect = Detect()                               # what the worker's detectors are; its cameras share them
    decode: Decode = Decode()                               # of a worker without cameras, which tries the devices

    @property
    def state_key(self) -> bytes:
        """The installation's key, 32 bytes."""
        return bytes.fromhex(self.state_key_hex)

    def camera_ids(self) -> tuple[CameraId, ...]:
        """Ids of the cameras this worker hosts."""
        return tuple(camera.camera for camera in self.cameras)

    @property
    def covers_per_second(self) -> float:
        """The most of any of its cameras."""
        return max((camera.scene.covers_per_second for camera in self.cameras), default=0.0)

    def writable_directories(self) -> tuple[Path, ...]:
        """Every directory below which the worker may write."""
        return (self.directory, *(camera.state_directory for camera in self.cameras))
