"""What changes between a configuration in force and one that is to be: pure.

Belongs here: which keys differ, which of them take effect while Privet runs, and the words for it. Does not belong here: carrying it out
(main.reload).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from privet.config.models import Camera, Config, Credentials

NEEDS_RESTART = frozenset({"server", "worker", "storage.directory", "storage.cache_directory", "detect.device"})
"""Sections and keys that are read once, at the start: where it listens, where things lie, how workers are made."""


@dataclass(frozen=True, slots=True)
class Change:
    """One key. before, after: as JSON has them."""

    key: str
    before: str
    after: str

    @property
    def needs_restart(self) -> bool:
        """Whether it takes effect at the next start only."""
        return self.key in NEEDS_RESTART or self.key.split(".")[0] in NEEDS_RESTART

    def words(self) -> str:
        return f"{self.key}: {self.before} -> {self.after}"


@dataclass(frozen=True, slots=True)
class Difference:
    """added, removed: ids of cameras. changed: per camera, its keys that differ. settings: all other keys."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    settings: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.settings)

    def words(self) -> Iterator[str]:
        """A line for each change, as people read it."""
        yield from (f"camera {camera} is added" for camera in self.added)
        yield from (f"camera {camera} is removed; its recordings stay until they are too old" for camera in self.removed)
        for camera, changes in self.changed.items():
            yield from (f"camera {camera}: {change.words()}" for change in changes)
        yield from (change.words() for change in self.settings if not change.needs_restart)
        for change in self.settings:
            if change.needs_restart:
                yield f"{change.words()} (takes effect at the next start: stop Privet and start it again)"


def difference(before: Config, after: Config, changed_secrets: frozenset[str] = frozenset()) -> Difference:
    """Return what differs. changed_secrets: names of entries of secrets.toml whose user name or password is another.

    A camera that is not enabled counts as not there.
    """
    old = {key: camera for key, camera in before.cameras.items() if camera.enabled}
    new = {key: camera for key, camera in after.cameras.items() if camera.enabled}
    changed = {}
    for key, camera in old.items():
        if key in new and (changes := _of_camera(camera, new[key], changed_secrets)):
            changed[key] = changes
    settings: list[Change] = []
    for section in Config.model_fields:
        if section != "cameras":
            old_values, new_values = (getattr(config, section).model_dump(mode="json") for config in (before, after))
            settings += _changes(f"{section}.", old_values, new_values)
    return Difference(
        tuple(key for key in new if key not in old), tuple(key for key in old if key not in new), changed, tuple(settings)
    )


def in_force_after(before: Config, after: Config) -> Config:
    """Return what is in force once `after` was taken up: all of it, but for what waits for the next start."""
    storage = {"directory": before.storage.directory, "cache_directory": before.storage.cache_directory}
    return after.model_copy(
        update={
            "server": before.server,
            "worker": before.worker,
            "storage": after.storage.model_copy(update=storage),
            "detect": after.detect.model_copy(update={"device": before.detect.device}),
        }
    )


def changed_secrets(before: Mapping[str, Credentials], after: Mapping[str, Credentials]) -> frozenset[str]:
    """Return the entries of secrets.toml that both have and that differ."""
    return frozenset(name for name in before.keys() & after.keys() if before[name] != after[name])


def _of_camera(old: Camera, new: Camera, secrets: frozenset[str]) -> tuple[Change, ...]:
    changes = _changes("", old.model_dump(mode="json"), new.model_dump(mode="json"))
    if new.credentials is not None and new.credentials in secrets and not any(change.key == "credentials" for change in changes):
        changes.append(Change(f"credentials {new.credentials}", "as before", "another user name or password"))
    return tuple(changes)


def _changes(prefix: str, before: Mapping[str, object], after: Mapping[str, object]) -> list[Change]:
    return [
        Change(f"{prefix}{key}", json.dumps(before[key], ensure_ascii=False), json.dumps(after[key], ensure_ascii=False))
        for key in before
        if before[key] != after[key]
    ]
