"""What is in force in the main process, and what it tells other processes of it.

Belongs here: the configuration in force, as the parts ask for it, and the file `running.json` in the data directory, which says it to
`privet check-config` and `privet reload`. Does not belong here: changing it (reload). The file holds no password: of each entry of
secrets.toml it has a keyed hash, which tells whether it changed and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from privet import __version__
from privet.api.cameras.register import RegisterEntry, entry_of, register_of
from privet.api.site.ports import SiteValues
from privet.api.storage.ports import Retention
from privet.config.load import Loaded
from privet.config.models import Config, Credentials
from privet.core.errors import StoreError
from privet.core.ids import CameraId

NAME = "running.json"


class Running:
    """The configuration in force; the API asks it with each request."""

    def __init__(self, loaded: Loaded) -> None:
        self.take(loaded)

    def take(self, loaded: Loaded, leaving: Sequence[RegisterEntry] = ()) -> None:
        """From now on `loaded` is in force. leaving: cameras that are not in it, and have not ended yet."""
        config = loaded.config
        self.loaded = loaded
        self.register: tuple[RegisterEntry, ...] = (*register_of(config), *leaving)
        self.cameras: tuple[CameraId, ...] = tuple(entry.id for entry in self.register)
        self.covers_per_second: float = config.scene.covers_per_second
        self.zone = ZoneInfo(config.site.timezone)
        self.site = SiteValues(
            name=config.site.name,
            timezone=config.site.timezone,
            version=__version__,
            controller=config.site.controller,
            retention_hours=config.storage.retention_hours,
            retention_reason=config.storage.retention_reason,
        )
        self.retention = Retention(config.storage.retention_hours, config.storage.retention_reason, round(config.storage.quota_gb * 1e9))

    def name_of(self, camera: CameraId) -> str:
        """What a camera is called. Raises NotFoundError: there is none (any more)."""
        return entry_of(self.register, camera).name


@dataclass(frozen=True, slots=True)
class Told:
    """What `running.json` says. reloads: how often privet.toml was read again. done: whether the last time it was taken up. lines: what
    was said of it."""

    process: int
    config: Config
    secrets: Mapping[str, str]
    reloads: int
    done: bool
    lines: tuple[str, ...]


def tell(directory: Path, loaded: Loaded, key: bytes, reloads: int, *, done: bool, lines: Sequence[str]) -> None:
    """Write `running.json`, whole or not at all.

    Raises:
        StoreError: it cannot be written.
    """
    data = {
        "process": os.getpid(),
        "config": loaded.config.model_dump(mode="json"),
        "secrets": {name: sealed(entry, key) for name, entry in loaded.secrets.items()},
        "reloads": reloads,
        "done": done,
        "lines": list(lines),
    }
    path, temporary = directory / NAME, directory / f"{NAME}.new"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(data, file)
        temporary.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error


def told(directory: Path) -> Told | None:
    """Return what the process that was started last in a data directory says is in force; None if it says nothing that can be read."""
    try:
        data = json.loads((directory / NAME).read_bytes())
        return Told(
            int(data["process"]), Config.model_validate(data["config"]), dict(data["secrets"]), int(data["reloads"]),
            bool(data["done"]), tuple(map(str, data["lines"])),
        )
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None


def sealed(entry: Credentials, key: bytes) -> str:
    """A keyed hash of a user name and a password. key: the installation's."""
    words = json.dumps([entry.username, entry.password]).encode()
    return hmac.new(key, b"privet running secrets\0" + words, hashlib.sha256).hexdigest()
