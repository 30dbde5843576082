"""What a worker is told: frozen models, sent over the pipe as JSON.

Belongs here: the values, and what a worker that was started with them may be told later. Does not belong here: how they follow from
privet.toml (main.worker_settings).
The JSON holds passwords and the state key: it goes through the pipe only, never to argv, the environment, a file or a log.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from privet.config.models import Decode, Detect, Point, Promotion, SceneSection
from privet.core.ids import CameraId

STATE_KEY_BYTES = 32
RTSP_PORT, RTSPS_PORT, DNS_PORT = 554, 322, 53


def _below_data(name: PurePosixPath) -> PurePosixPath:
    if name.is_absolute() or not name.parts or ".." in name.parts:
        raise ValueError("a directory of a worker is named relative to the data directory, lies below it, and has no '..'")
    return name


DirectoryName = Annotated[PurePosixPath, AfterValidator(_below_data)]
"""A directory below the data directory, wherever that is on the machine that the worker runs on (pipe.directories)."""
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
    state_directory: DirectoryName                          # this camera's sealed state and nothing else
    loop: bool = True                                       # files only: begin again at the end
    paced: bool = True                                      # files only: in real time, not as fast as they can be read


class WorkerSettings(_Settings):
    """Everything one worker process needs. `state_key_hex`: 32 bytes, the installation's key."""

    cameras: tuple[CameraSettings, ...]
    directory: DirectoryName                                # the worker's own: caches and temporary files
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

    def writable_directories(self) -> tuple[PurePosixPath, ...]:
        """Every directory below which the worker may write."""
        return (self.directory, *(camera.state_directory for camera in self.cameras))


def connect_ports(settings: WorkerSettings) -> tuple[int, ...]:
    """Return the TCP ports a worker has business with: its cameras', and that of name servers. Pure."""
    return tuple(sorted({DNS_PORT}.union(*(camera_ports(camera) for camera in settings.cameras))))


def camera_ports(camera: CameraSettings) -> frozenset[int]:
    """Return the TCP ports one camera is reached at. Pure."""
    parts = [urlsplit(url) for url in (camera.url, camera.sub_url) if url is not None]
    return frozenset(
        each.port or (RTSPS_PORT if each.scheme == "rtsps" else RTSP_PORT) for each in parts if each.scheme in {"rtsp", "rtsps"}
    )


def fits(started: WorkerSettings, camera: CameraSettings) -> bool:
    """Whether a worker can be told of `camera` while it runs. started: what it was started with, and so confined to. Pure.

    The camera's directory, its ports and its decoder's device must be among those of the start, and its detectors the worker's.
    """
    hosted = next((each for each in started.cameras if each.camera == camera.camera), None)
    return (
        hosted is not None
        and camera.state_directory == hosted.state_directory
        and camera_ports(camera) <= set(connect_ports(started))
        and (camera.decode.hardware == "none" or camera.decode in {each.decode for each in started.cameras})
        and camera.detect == started.detect
    )
