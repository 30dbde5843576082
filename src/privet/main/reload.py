"""Reads privet.toml again and has the difference carried out, while everything that is not touched goes on.

Belongs here: the order of the steps. Does not belong here: what differs (config.difference), which worker hosts what (assignment).

1. The file is read and checked whole, once nobody writes it any more; one with a mistake changes nothing, and what is wrong is said.
   So does one that names no camera, while some are guarded: a file that was cut off must not end all guarding.
2. What takes effect at a start only is set aside, and said. There must be file descriptors for the cameras that come.
3. Cameras that are not named any more end, others begin, those that are told otherwise begin anew; no other camera is touched.
4. The API, the metrics and the index name the new cameras; recordings of those that are gone are closed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import anyio
import anyio.to_thread

from privet.api.cameras.register import RegisterEntry, register_of
from privet.config.difference import changed_secrets, difference, in_force_after
from privet.config.load import SECRETS_NAME, Loaded, load
from privet.core.errors import ConfigError, StoreError
from privet.core.ids import CameraId
from privet.main.assignment import Hosted, reassign
from privet.main.running import Running, tell
from privet.main.worker_settings import camera_settings
from privet.pipe.settings import WorkerSettings

log = logging.getLogger("privet.reload")

SETTLE_S = 0.2
TRIES = 10
INDEX_BEHIND = "the index does not take the names of the cameras: it still has those that are gone; reload again when it does"


class Workers(Protocol):
    """Who hosts the cameras. `main.supervisor.Supervisor` is one."""

    def hosted(self) -> Mapping[int, Hosted]: ...

    async def reconfigure(self, plan: Callable[[Mapping[int, Hosted]], Mapping[int, WorkerSettings]]) -> None: ...


@dataclass(frozen=True)
class Parts:
    """What follows the set of cameras. make: a worker's settings out of a configuration, its number and its cameras. register: has the
    index know the cameras by name; in a thread. room: makes room for so many cameras and workers, or raises ConfigError; what it returns
    carries that out. forget: called with each camera that is gone, in the event loop.
    """

    workers: Workers
    register: Callable[[Sequence[RegisterEntry]], None]
    make: Callable[[Loaded, int, tuple[CameraId, ...]], WorkerSettings]
    room: Callable[[int, int], Callable[[], None]]
    forget: tuple[Callable[[CameraId], None], ...]


class Reloader:
    """One reload at a time."""

    def __init__(self, running: Running, parts: Parts, state_key: bytes, read: Callable[[Path], Loaded] | None = None) -> None:
        """read: reads a file that nobody is writing; tests give their own."""
        self._running = running
        self._parts = parts
        self._state_key = state_key
        self._read = read_steady if read is None else read
        self._reloads = 0
        self._one = anyio.Lock()
        self._registered = True         # the index names the cameras that are in force

    async def reload(self) -> bool:
        """Take up what privet.toml says now. Returns whether it was; what was done, or what is wrong, is logged and told."""
        async with self._one:
            self._reloads += 1
            try:
                lines = await self._take(await anyio.to_thread.run_sync(self._read, self._running.loaded.path))
            except (ConfigError, StoreError) as error:
                log.error("privet.toml was not taken up: %s", error)
                await self._tell(done=False, lines=[str(error)])
                return False
            except Exception as error:  # a supervisor: nothing that a file holds may end the guarding
                log.exception("privet.toml was not taken up, by a defect")
                await self._tell(done=False, lines=[f"a defect of Privet ({type(error).__name__}): its log says where"])
                return False
            for line in lines:
                log.info("%s", line)
            await self._tell(done=True, lines=lines)
            return True

    async def begin(self) -> None:
        """Say what is in force from the start on."""
        await self._tell(done=True, lines=[])

    async def _take(self, wanted: Loaded) -> list[str]:
        before = self._running.loaded
        found = difference(before.config, wanted.config, changed_secrets(before.secrets, wanted.secrets))
        if not found:
            return ["nothing has changed"] if await self._register(self._running.register) else [INDEX_BEHIND]
        now = replace(wanted, config=in_force_after(before.config, wanted.config))
        cameras = {camera: camera_settings(now, camera) for camera in now.config.camera_ids()}
        if not cameras and self._running.cameras and not wanted.config.cameras:
            raise ConfigError(
                f"{wanted.path} names no camera, and {len(self._running.cameras)} are guarded: nothing was changed. To end them all, leave "
                "their tables in the file with `enabled = false`"
            )
        per_worker = now.config.worker.cameras_per_worker

        def plan(hosted: Mapping[int, Hosted]) -> Mapping[int, WorkerSettings]:
            return reassign(hosted, cameras, per_worker, lambda number, group: self._parts.make(now, number, tuple(group)))

        make_room = self._parts.room(len(cameras), len(plan(self._parts.workers.hosted())))
        gone = tuple(entry for entry in self._running.register if entry.id not in cameras)
        # Before new cameras speak, and until those that leave have ended: nothing records that nobody can see in the register.
        await anyio.to_thread.run_sync(self._parts.register, (*register_of(now.config), *gone))
        make_room()
        self._running.take(now, leaving=gone)
        await self._parts.workers.reconfigure(plan)
        self._running.take(now)
        for entry in gone:
            for forget in self._parts.forget:
                forget(entry.id)
        self._registered = not gone
        behind = [] if await self._register(self._running.register) else [INDEX_BEHIND]
        return [*found.words(), *behind]

    async def _register(self, entries: Sequence[RegisterEntry]) -> bool:
        """Have the index name what is in force, if it does not yet. What is done already is not undone where it cannot."""
        if not self._registered:
            try:
                await anyio.to_thread.run_sync(self._parts.register, entries)
                self._registered = True
            except StoreError as error:
                log.error("the index still names cameras that are gone: %s", error)
        return self._registered

    async def _tell(self, *, done: bool, lines: list[str]) -> None:
        running = self._running.loaded
        try:
            await anyio.to_thread.run_sync(
                lambda: tell(running.data_directory, running, self._state_key, self._reloads, done=done, lines=lines)
            )
        except StoreError as error:
            log.error("what is in force cannot be told to `privet reload`: %s", error)


def read_steady(path: Path, settle_s: float = SETTLE_S) -> Loaded:
    """Read a configuration that nobody is just writing: what was read, and its secrets, are the same a moment later.

    Raises:
        ConfigError: it cannot be used, or changes all the time.
    """
    for _ in range(TRIES):
        before = _state_of(path)
        try:
            loaded, error = load(path), None
        except ConfigError as found:
            loaded, error = None, found
        time.sleep(settle_s)
        if _state_of(path) == before:
            if loaded is None:
                assert error is not None
                raise error
            return loaded
    raise ConfigError(f"{path} is being written: try again when it is whole")


def _state_of(path: Path) -> tuple[tuple[int, int, int] | None, ...]:
    found: list[tuple[int, int, int] | None] = []
    for each in (path, path.parent / SECRETS_NAME):
        try:
            status = each.stat()
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError:
            found.append(None)
    return tuple(found)
