"""What a worker is told, out of the configuration. Pure.

Belongs here: how a worker's settings follow from privet.toml. Does not belong here: I/O; the key and the directories are handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from privet.config.load import Loaded
from privet.config.models import Camera, Decode, Detect
from privet.core.errors import NotFoundError
from privet.core.ids import CameraId
from privet.pipe.settings import CameraSettings, WorkerSettings


def worker_settings(loaded: Loaded, camera_ids: Sequence[CameraId], directory: PurePosixPath, state_key: bytes) -> WorkerSettings:
    """Return what the worker that hosts `camera_ids` is told.

    directory: the worker's own, below the data directory. State lies in `state/<camera>`, so that a camera keeps it when it is hosted by
    another worker.

    Raises:
        NotFoundError: a camera is not in the configuration.
    """
    return WorkerSettings(
        cameras=tuple(camera_settings(loaded, camera) for camera in camera_ids),
        directory=directory,
        lockdown=loaded.config.worker.lockdown,
        state_key_hex=state_key.hex(),
        detect=detect_settings(loaded),
        decode=loaded.config.decode,
    )


def camera_settings(loaded: Loaded, camera_id: CameraId) -> CameraSettings:
    """Return what the pipeline of `camera_id` is told.

    Raises:
        NotFoundError: the camera is not in the configuration.
    """
    config = loaded.config
    camera = config.cameras.get(camera_id)
    if camera is None:
        raise NotFoundError(f"camera {camera_id!r} is not in {loaded.path}; known: {', '.join(config.cameras) or 'none'}")
    username, password = _credentials(loaded, camera)
    return CameraSettings(
        camera=camera_id,
        url=_absolute(loaded, camera.url),
        sub_url=None if camera.sub_url is None else _absolute(loaded, camera.sub_url),
        transport=camera.transport,
        username=username,
        password=password,
        blind=camera.blind,
        scene=config.scene,
        promotion=config.promotion,
        detect=detect_settings(loaded),
        decode=decode_settings(config.decode, camera),
        state_directory=PurePosixPath("state", camera_id),
    )


def detect_settings(loaded: Loaded) -> Detect:
    """The detectors' section, the path of the site's own model absolute."""
    detect = loaded.config.detect
    return detect if detect.own_model is None else detect.model_copy(update={"own_model": loaded.resolve(detect.own_model)})


def decode_settings(site: Decode, camera: Camera) -> Decode:
    """The site's section with what the camera's own table says instead; the site's device goes with the site's kind only. Pure."""
    if camera.hardware is None or camera.hardware == site.hardware:
        return site
    return Decode(hardware=camera.hardware)


def _credentials(loaded: Loaded, camera: Camera) -> tuple[str, str]:
    if camera.credentials is None:
        return ("", "")
    entry = loaded.secrets[camera.credentials]  # load() has seen that it is there
    return (entry.username, entry.password)


def _absolute(loaded: Loaded, url: str) -> str:
    """A file's URL, relative to privet.toml, as file:///...; others unchanged."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return url
    return loaded.resolve(Path(unquote(parts.path))).as_uri()
