"""The register as the API shows it: what a camera is called and what it is for, and nothing of how it is reached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from privet.config.models import Config
from privet.core.errors import NotFoundError
from privet.core.ids import CameraId


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """A camera as people know it. No address, no credentials."""

    id: CameraId
    name: str
    place: str
    purpose: str
    controller: str


def register_of(config: Config) -> tuple[RegisterEntry, ...]:
    """The enabled cameras as people know them."""
    return tuple(
        RegisterEntry(
            id=CameraId(key),
            name=camera.name or key,
            place=camera.place,
            purpose=camera.purpose,
            controller=camera.controller or config.site.controller,
        )
        for key, camera in config.cameras.items()
        if camera.enabled
    )


def entry_of(register: Iterable[RegisterEntry], camera: CameraId) -> RegisterEntry:
    """A camera's entry.

    Raises:
        NotFoundError: it is gone: the configuration was read again since the request came.
    """
    for entry in register:
        if entry.id == camera:
            return entry
    raise NotFoundError("there is no such camera: /api/cameras lists them")
