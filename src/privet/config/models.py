"""privet.toml as frozen models, one class per section. Unknown keys are refused.

Units stand in the names. Every field's description is what docs/ref/configuration.md and the JSON schema show.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from privet.core.errors import ConfigError
from privet.core.ids import CameraId, parse_camera_id

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Point = tuple[Fraction, Fraction]


class Section(BaseModel):
    """A table of privet.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Site(Section):
    """Who runs this and where."""

    name: str = Field("Privet", description="Shown in the page's title and on exports.")
    timezone: str = Field("UTC", description="IANA name; times are shown in it.")
    controller: str = Field("", description="Who answers for the cameras that name nobody themselves; they are refused without.")


class Server(Section):
    """Where the page and the API are served."""

    host: str = Field("127.0.0.1", description="Address to listen on. Beyond the loopback a certificate is required.")
    port: int = Field(8420, ge=1, le=65535, description="TCP port.")
    tls_certificate: Path | None = Field(None, description="PEM file. `privet init --certificate` makes one.")
    tls_key: Path | None = Field(None, description="PEM file of the certificate's private key.")
    session_hours: int = Field(12, ge=1, le=720, description="How long a login lasts.")


class Storage(Section):
    """What is kept, where and for how long."""

    directory: Path = Field(Path("data"), description="Recordings and all that is kept are below it; relative to privet.toml.")
    cache_directory: Path | None = Field(
        None, description="Where compiled kernels and models lie, for every site of this user; the user's own cache if none."
    )
    retention_hours: int = Field(72, ge=1, description="Age at which recordings are removed.")
    retention_reason: str = Field("", description="Required in writing for more than 72 hours; logged, and shown on the system page.")
    quota_gb: float = Field(0.0, ge=0.0, description="Upper bound for recordings in GB (10^9 bytes), oldest out first; 0: none.")

    @model_validator(mode="after")
    def _long_retention_has_a_reason(self) -> Self:
        if self.retention_hours > 72 and not self.retention_reason:
            raise ValueError(
                f"retention_hours = {self.retention_hours} is longer than 72: say why in retention_reason (whoever may log in sees it)"
            )
        return self


class SceneSection(Section):
    """How a place is seen."""

    block_px: Literal[8, 16, 32] = Field(8, description="Side of a block in luma pixels.")
    covers_per_second: float = Field(5.0, ge=0.2, le=10.0, description="How often the cover is taken.")
    hold_ms: int = Field(600, ge=0, le=5000, description="How long a block stays covered after it was last seen covered.")
    tallest_blocks: int = Field(12, ge=4, le=64, description="A silhouette taller than this many blocks is coarsened.")


class Promotion(Section):
    """When a block becomes background (docs/design/promotion.md)."""

    commissioning: Literal["signature", "automatic"] = Field(
        "signature", description="Whether a person signs the first background. `automatic` is for demonstrations and files."
    )
    prove_seconds: float = Field(
        60.0, ge=1.0, le=3600.0, description="How long a block and its neighbourhood must be still; with a sub-stream, twice as long."
    )
    prove_keyframes: int = Field(30, ge=2, le=10000, description="Over how many keyframes at least.")
    person_height_px: int = Field(0, ge=0, le=4320, description="Height of a standing person in the picture; 0: an eighth of it.")


class Detect(Section):
    """The detectors that must find nobody before a block becomes background."""

    looks_per_second: float = Field(2.0, gt=0.0, le=100.0, description="Detector runs a second per camera while something waits.")
    budget_looks_per_second: float = Field(
        10.0, gt=0.0, le=1000.0, description="Detector runs a second of a worker, over all its cameras; what is put off costs time only."
    )
    threshold: float = Field(0.15, gt=0.0, lt=1.0, description="Score from which a detection counts; low on purpose.")
    device: str = Field("CPU", description="OpenVINO device: CPU, GPU or NPU.")
    own_model: Path | None = Field(
        None, description="A model of the site's own, .onnx or OpenVINO's .xml (docs/ref/models.md): one detector more, it can only forbid."
    )
    own_model_height_px: int = Field(640, ge=32, le=4096, description="Height of its input.")
    own_model_width_px: int = Field(640, ge=32, le=4096, description="Width of its input.")
    own_model_classes: tuple[str, ...] = Field((), description="Its classes by label, from 0; `person` among them, nobody's identity.")
    own_model_scale: Literal["0-1", "0-255"] = Field("0-1", description="What its red, green and blue run from and to.")
    own_model_boxes: Literal["pixels", "fractions", "fractions-y-first"] = Field(
        "pixels", description="What its boxes are in, where they come with scores beside them."
    )


class Decode(Section):
    """How pictures are decoded (docs/guide/hardware-decoding.md)."""

    hardware: Literal["none", "auto", "vaapi", "cuda"] = Field(
        "none", description="GPU that decodes while nothing is being proven: VA-API, NVIDIA's, or whichever is there; else software."
    )
    device: str = Field("", description="Which: a path below /dev/dri for `vaapi`, a number for `cuda`; the first if empty.")

    @model_validator(mode="after")
    def _device_is_of_that_kind(self) -> Self:
        if not self.device:
            return self
        path = PurePosixPath(self.device)
        if self.hardware == "vaapi" and (path.parent != PurePosixPath("/dev/dri") or path.name in {"", ".."}):
            raise ValueError(f"device = {self.device!r} is none of VA-API: name one like /dev/dri/renderD128")
        if self.hardware == "cuda" and not re.fullmatch("[0-9]{1,3}", self.device):
            raise ValueError(f"device = {self.device!r} is none of NVIDIA's: give its number, 0 for the first")
        if self.hardware in {"none", "auto"}:
            raise ValueError(f'a device is named and hardware = "{self.hardware}": say "vaapi" or "cuda", or name none')
        return self


class Worker(Section):
    """The processes that hold live pixels."""

    cameras_per_worker: int = Field(16, ge=1, le=64, description="Cameras that share a worker process.")
    lockdown: Literal["required", "available"] = Field(
        "available", description="Whether a kernel without Landlock refuses to run workers or only says so."
    )


class Camera(Section):
    """One camera. Nothing records without a place, a purpose and somebody who answers for it."""

    name: str = Field("", description="Shown to people; the id if empty.")
    place: str = Field(min_length=1, description="Where it stands, in words.")
    purpose: str = Field(min_length=1, description="What it is for, in words.")
    controller: str = Field("", description="Who answers for it; the site's if empty. Nothing records without one of the two.")
    url: str = Field(description="rtsp://, rtsps:// or file: of the main stream, without user name and password.")
    sub_url: str | None = Field(
        None, description="The sub-stream, if there is one: it is watched, and the main stream decoded for proofs only."
    )
    transport: Literal["tcp", "udp"] = Field("tcp", description="How RTP is carried.")
    hardware: Literal["none", "auto", "vaapi", "cuda"] | None = Field(None, description="As in [decode], for this camera alone.")
    credentials: str | None = Field(None, description="Name of an entry in secrets.toml.")
    blind: tuple[tuple[Point, ...], ...] = Field(
        (), description="Blind zones: polygons in fractions of width and height; always flat, never proven."
    )
    enabled: bool = Field(True, description="Whether it is connected to.")

    @field_validator("url", "sub_url")
    @classmethod
    def _source_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"rtsp", "rtsps", "file"}:
            raise ValueError(f"{parts.scheme or 'no'} scheme: take rtsp://, rtsps:// or file:")
        if parts.username is not None or parts.password is not None:
            raise ValueError("a user name or password stands in it: put them in secrets.toml and name the entry in `credentials`")
        if parts.scheme != "file" and not parts.hostname:
            raise ValueError("no host")
        return value

    @field_validator("blind")
    @classmethod
    def _polygons(cls, value: tuple[tuple[Point, ...], ...]) -> tuple[tuple[Point, ...], ...]:
        for polygon in value:
            if len(polygon) < 3:
                raise ValueError(f"a blind zone needs at least 3 points, found {len(polygon)}")
        return value


class Credentials(Section):
    """What a camera asks for before it delivers."""

    username: str = Field(description="As the camera knows it.")
    password: str = Field(repr=False, description="As the camera knows it.")


class Config(Section):
    """The whole of privet.toml."""

    site: Site = Site()
    server: Server = Server()
    storage: Storage = Storage()
    scene: SceneSection = SceneSection()
    promotion: Promotion = Promotion()
    detect: Detect = Detect()
    decode: Decode = Decode()
    worker: Worker = Worker()
    cameras: dict[str, Camera] = Field(default_factory=dict, description="One table per camera, named by its id.")

    @field_validator("cameras")
    @classmethod
    def _camera_ids(cls, value: dict[str, Camera]) -> dict[str, Camera]:
        for key in value:
            try:
                parse_camera_id(key)
            except ConfigError as error:
                raise ValueError(str(error)) from error  # so that the file and the table are named with it
        return value

    @model_validator(mode="after")
    def _somebody_answers_for_every_camera(self) -> Self:
        if not self.site.controller:
            nameless = [key for key, camera in self.cameras.items() if not camera.controller]
            if nameless:
                raise ValueError(
                    f"nobody answers for {', '.join(f'cameras.{key}' for key in nameless)}, and nothing records without: "
                    "name somebody as controller in [site], for all cameras, or in the camera's own table"
                )
        return self

    def camera_ids(self) -> tuple[CameraId, ...]:
        """Ids of the enabled cameras, in the file's order."""
        return tuple(CameraId(key) for key, camera in self.cameras.items() if camera.enabled)
