"""Reads privet.toml again and has the difference carried out, while everything that is not touched goes on.

Belongs here: the order of the steps. Does not belong here: what differs (config.difference), which worker hosts what (assignment).

1. The file is read and checked whole; one with a mistake changes nothing, and what is wrong is said.
2. What takes effect at a start only is set aside, and said.
3. Cameras that are not named any more end, others begin, those that are told otherwise begin anew; no other camera is touched.
4. The API, the metrics and the index name the new cameras; recordings of those that are gone are closed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import anyio
import anyio.to_thread

from privet.api.cameras.register import RegisterEntry, register_of
from privet.config.difference import changed_secrets, difference, in_force_after
from privet.config.load import Loaded, load
from privet.core.errors import ConfigError, StoreError
from privet.core.ids import CameraId
from privet.main.assignment import Hosted, reassign
from privet.main.running import Running, tell
from privet.main.worker_settings import camera_settings
from privet.pipe.settings import WorkerSettings

log = logging.getLogger("privet.reload")


class Workers(Protocol):
    """Who hosts the cameras. `main.supervisor.Supervisor` is one."""

    async def reconfigure(self, plan: Callable[[Mapping[int, Hosted]], Mapping[int, WorkerSettings]]) -> None: ...


@dataclass(frozen=True)
class Parts:
    """What follows the set of cameras. make: a worker's settings out of a configuration, its number and its cameras. register: has the
    index know the cameras by name; in a thread. forget: called with each camera that is gone, in the event loop.
    """

    workers: Workers
    register: Callable[[Sequence[RegisterEntry]], None]
    make: Callable[[Loaded, int, tuple[CameraId, ...]], WorkerSettings]
    forget: tuple[Callable[[CameraId], None], ...]


class Reloader:
    """One reload at a time."""

    def __init__(self, running: Running, parts: Parts, state_key: bytes) -> None:
        self._running = running
        self._parts = parts
        self._state_key = state_key
        self._reloads = 0
        self._one = anyio.Lock()

    async def reload(self) -> bool:
        """Take up what privet.toml says now. Returns whether it was; what was done, or what is wrong, is logged and told."""
        async with self._one:
            self._reloads += 1
            try:
                lines = await self._take(await anyio.to_thread.run_sync(load, self._running.loaded.path))
            except (ConfigError, StoreError) as error:
                log.error("privet.toml was not taken up: %s", error)
                await self._tell(done=False, lines=[str(error)])
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
            return ["nothing has changed"]
        now = replace(wanted, config=in_force_after(before.config, wanted.config))
        cameras = {camera: camera_settings(now, camera) for camera in now.config.camera_ids()}
        per_worker = now.config.worker.cameras_per_worker

        def plan(hosted: Mapping[int, Hosted]) -> Mapping[int, WorkerSettings]:
            return reassign(hosted, cameras, per_worker, lambda number, group: self._parts.make(now, number, tuple(group)))

        gone = tuple(entry for entry in self._running.register if entry.id not in cameras)
        # Before new cameras speak, and until those that leave have ended: nothing records that nobody can see in the register.
        await anyio.to_thread.run_sync(self._parts.register, (*register_of(now.config), *gone))
        self._running.take(now, leaving=gone)
        await self._parts.workers.reconfigure(plan)
        self._running.take(now)
        for entry in gone:
            for forget in self._parts.forget:
                forget(entry.id)
        if gone:
            await anyio.to_thread.run_sync(self._parts.register, self._running.register)
        return list(found.words())

    async def _tell(self, *, done: bool, lines: list[str]) -> None:
        running = self._running.loaded
        try:
            await anyio.to_thread.run_sync(
                lambda: tell(running.data_directory, running, self._state_key, self._reloads, done=done, lines=lines)
            )
        except StoreError as error:
            log.error("what is in force cannot be told to `privet reload`: %s", error)
