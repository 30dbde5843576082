"""The main process: everything but live pixels, in one event loop.

Belongs here: the order in which the house comes up and goes down. Does not belong here: what any room does.

Up: configuration, lock on the data directory, index, recovery of recordings a crash left open, recorder, hub, the first token, the
listening socket, then in one task group the web server, the workers (once the kernels are compiled) and retention.
Down, on SIGINT or SIGTERM: no new connections; workers stop and what they said is heard to the end; recordings are closed; rows
are written; the index is closed; the lock falls. A second signal ends it at once, which the next start mends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

import anyio
import anyio.abc
import anyio.to_thread

from privet import __version__
from privet.api.app import create_app
from privet.api.auth.sessions import create_first_token
from privet.api.dependencies import ApiDependencies, SiteValues
from privet.api.export.routes import ProcessExporter, clear_leftovers
from privet.api.guard.listen import ListenSettings, listen_settings
from privet.api.store import DrawnSnapshots, RecordedPast, register_of
from privet.config.directories import cache_directory, static_directory
from privet.config.load import Loaded
from privet.core.clock import NS_PER_S, Clock, SystemClock
from privet.core.errors import ConfigError, StoreError
from privet.core.ids import CameraId
from privet.core.landlock import landlock_abi
from privet.index.index import Index, index_url
from privet.live.hub import Hub
from privet.main.announce import IndexAnnounce
from privet.main.installation_key import installation_key
from privet.main.launch import launch_worker, reduced_environment
from privet.main.metrics import HealthBook, Metrics, Sources
from privet.main.port import raise_descriptor_limit
from privet.main.port_bounds import Bounds, connection_bounds
from privet.main.publisher import Ledger, Publisher
from privet.main.signing_record import CommissionFile
from privet.main.supervisor import Supervisor, WorkerProcess, plan_workers
from privet.main.web_server import SERVER_STOPS_WITHIN_S, WebServer, listening_socket, server_settings
from privet.main.worker_settings import worker_settings
from privet.pipe.bound import capacity_bits_per_second
from privet.pipe.compiled import WARM_WITHIN_S, compiled_directory, is_warm, mark_used, warm_command
from privet.pipe.settings import WorkerSettings
from privet.record.archive import Archive
from privet.record.check import recover
from privet.record.lock import hold_data_directory
from privet.record.recorder import Recorder
from privet.record.retention import plan_retention, remove

log = logging.getLogger("privet")

RETENTION_EVERY_S = 60.0
EXIT_INTERRUPTED = 130

Say = Callable[[str], None]


def serve(loaded: Loaded, say: Say) -> None:
    """Run until SIGINT or SIGTERM. say: takes the lines meant for whoever started it: the address, and the first token once.

    Raises:
        ConfigError: the configuration asks for what this machine does not have.
        StoreError: the data directory is in use, or cannot be used.
    """
    listen = listen_settings(loaded.config.server, loaded)
    cameras = loaded.config.camera_ids()
    workers = plan_workers(cameras, loaded.config.worker.cameras_per_worker)
    bounds = connection_bounds(raise_descriptor_limit(), len(cameras), len(workers))
    if loaded.config.worker.lockdown == "required" and landlock_abi() == 0:
        raise ConfigError(
            f"{loaded.path}: worker.lockdown = \"required\", and this kernel has no Landlock (Linux 5.13 with it switched on): "
            "set it to \"available\" to run workers that could write elsewhere"
        )
    with contextlib.ExitStack() as stack:
        stack.enter_context(hold_data_directory(loaded.data_directory))
        listening = stack.enter_context(listening_socket(listen))
        try:
            anyio.run(_serve, loaded, listen, listening, bounds, say)
        except BaseExceptionGroup as group:
            raise _only_cause(group) from group


def _only_cause(group: BaseException) -> BaseException:
    """Return the one exception that task groups have wrapped, or the group itself if there are several."""
    while isinstance(group, BaseExceptionGroup) and len(group.exceptions) == 1:
        group = group.exceptions[0]
    return group


async def _serve(loaded: Loaded, listen: ListenSettings, listening: socket.socket, bounds: Bounds, say: Say) -> None:
    clock = SystemClock()
    data = loaded.data_directory
    stop = anyio.Event()
    async with anyio.create_task_group() as watch:
        watch.start_soon(_await_signals, stop)
        index = await anyio.to_thread.run_sync(Index.open, index_url(data))
        try:
            await anyio.to_thread.run_sync(_recover, loaded, index)
            recorder = Recorder(data, IndexAnnounce(index), clock)
            ledger = Ledger()
            try:
                house = _House(loaded, clock, index, recorder, ledger)
                await _run(house, listen, listening, bounds, stop, say)
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(recorder.close)
                    await anyio.to_thread.run_sync(ledger.close)
        finally:
            index.close()
        watch.cancel_scope.cancel()
    log.info("stopped")


class _House:
    """The parts that live as long as the main process."""

    def __init__(self, loaded: Loaded, clock: Clock, index: Index, recorder: Recorder, ledger: Ledger) -> None:
        self.loaded = loaded
        self.clock = clock
        self.index = index
        self.recorder = recorder
        self.ledger = ledger
        self.hub = Hub(clock)
        self.book = HealthBook()
        self.warmed = anyio.Event()
        self.cache = cache_directory(loaded)
        self.compiled = compiled_directory(self.cache, loaded.config.detect.device)
        self.cameras = loaded.config.camera_ids()
        publisher = Publisher(recorder.put, self.hub.publish, index, ledger, self.book)
        self.supervisor = Supervisor(self._plan(), self._launch, publisher, clock)
        self.metrics = Metrics(
            Sources(
                cameras=self.cameras,
                covers_per_second=loaded.config.scene.covers_per_second,
                book=self.book,
                hub=self.hub,
                recorder=recorder.statistics,
                workers=self.supervisor.statistics,
                ledger=ledger,
            )
        )

    def dependencies(self, listen: ListenSettings) -> ApiDependencies:
        """What the API is made with."""
        config = self.loaded.config
        data = self.loaded.data_directory
        return ApiDependencies(
            site=SiteValues(
                name=config.site.name,
                timezone=config.site.timezone,
                version=__version__,
                controller=config.site.controller,
                retention_hours=config.storage.retention_hours,
                retention_reason=config.storage.retention_reason,
                quota_bytes=round(config.storage.quota_gb * 1e9),
            ),
            register=register_of(config),
            covers_per_second=config.scene.covers_per_second,
            session_ns=config.server.session_hours * 3600 * NS_PER_S,
            data_directory=data,
            static_directory=static_directory(),
            listen=listen,
            accounts=self.index,
            past=RecordedPast(self.index, Archive(), data, self.recorder.open_recordings),
            hub=self.hub,
            counters=self.book,
            capacity=lambda grid: capacity_bits_per_second(grid, config.scene.covers_per_second),
            snapshots=DrawnSnapshots(ZoneInfo(config.site.timezone)),
            exporter=ProcessExporter(options=("--config", str(self.loaded.path))),
            metrics=self.metrics,
            commissioning=self.supervisor,
            commission_record=CommissionFile(data),
            disk=_Disk(self.recorder, self.ledger),
            clock=self.clock,
        )

    def _plan(self) -> list[WorkerSettings]:
        data = self.loaded.data_directory
        key = installation_key(data)
        groups = plan_workers(self.cameras, self.loaded.config.worker.cameras_per_worker)
        return [
            worker_settings(self.loaded, group, data / "workers" / str(number), key, self.compiled)
            for number, group in enumerate(groups)
        ]

    async def _launch(self) -> WorkerProcess:
        await self.warmed.wait()
        mark_used(self.compiled)
        return await launch_worker()


@dataclass(frozen=True, slots=True)
class _Disk:
    """The API's `Disk`, over those who write."""

    recorder: Recorder
    ledger: Ledger

    def recording_error(self, camera: CameraId) -> str:
        return self.recorder.error(camera)

    def index_fails(self) -> bool:
        return bool(self.ledger.error or self.recorder.statistics().announcement_error)


def _recover(loaded: Loaded, index: Index) -> None:
    """Bring the data directory into order before anything is written to it."""
    index.put_cameras(register_of(loaded.config))
    for finding, done in recover(loaded.data_directory, index):
        log.info("%s: %s", finding.path, done)
    clear_leftovers(loaded.data_directory)


async def _run(
    house: _House, listen: ListenSettings, listening: socket.socket, bounds: Bounds, stop: anyio.Event, say: Say
) -> None:
    token = await anyio.to_thread.run_sync(create_first_token, house.index, house.clock)
    app = create_app(house.dependencies(listen))
    server = WebServer(server_settings(app, listen), bounds, house.clock)
    served, supervised = anyio.Event(), anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(_until, partial(server.serve, [listening]), served)
        group.start_soon(_until, house.supervisor.run, supervised)
        group.start_soon(_warm, house)
        group.start_soon(_retain, house)
        group.start_soon(app.state.room.previews.keep, house.hub, house.cameras)
        _announce(house, listen, token, say)
        async with anyio.create_task_group() as either:
            either.start_soon(_first, stop.wait, either.cancel_scope)
            either.start_soon(_first, served.wait, either.cancel_scope)
        if not stop.is_set():
            log.error("the web server ended by itself: stopping")
        log.info("stopping: workers, then recordings")
        server.leave()
        house.warmed.set()
        await house.supervisor.stop()
        await supervised.wait()
        with anyio.move_on_after(SERVER_STOPS_WITHIN_S + 2):
            await served.wait()
        group.cancel_scope.cancel()


def _announce(house: _House, listen: ListenSettings, token: str | None, say: Say) -> None:
    say(f"Privet {__version__} guards {len(house.cameras)} cameras: {listen.url}")
    if not house.cameras:
        say(f"No camera is configured yet: add one to {house.loaded.path}.")
    if token is not None:
        say(f"Log in with this token. It is shown only now, and only its hash is kept:\n\n    {token}\n")
    hours, reason = house.loaded.config.storage.retention_hours, house.loaded.config.storage.retention_reason
    if reason:
        log.warning("recordings are kept for %d hours, because: %s", hours, reason)


async def _until(run: Callable[[], Awaitable[None]], done: anyio.Event) -> None:
    try:
        await run()
    finally:
        done.set()


async def _first(wait: Callable[[], Awaitable[None]], scope: anyio.CancelScope) -> None:
    await wait()
    scope.cancel()


async def _await_signals(stop: anyio.Event) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            if stop.is_set():
                os._exit(EXIT_INTERRUPTED)  # asked twice; workers end with their pipe, recordings are mended by the next start
            stop.set()


async def _warm(house: _House) -> None:
    """Have kernels and models compiled where they are not yet; workers wait for it. Failing, each worker compiles its own."""
    device = house.loaded.config.detect.device
    try:
        if await anyio.to_thread.run_sync(is_warm, house.compiled):
            return
        log.info("compiling kernels and models, once; this takes a quarter of a minute or more")
        command = warm_command(house.cache, device)
        with anyio.move_on_after(WARM_WITHIN_S):
            done = await anyio.run_process(
                command, check=False, stdin=subprocess.DEVNULL, env=reduced_environment(), start_new_session=True
            )
            if done.returncode:
                last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
                log.error("kernels and models could not be compiled beforehand (status %d): %s", done.returncode, " ".join(last))
    finally:
        house.warmed.set()


async def _retain(house: _House) -> None:
    """Remove what is too old or too much, once a minute."""
    storage = house.loaded.config.storage
    while True:
        try:
            await anyio.to_thread.run_sync(
                _retain_once, house, storage.retention_hours * 3600 * NS_PER_S, round(storage.quota_gb * 1e9)
            )
        except StoreError as error:
            log.error("retention: %s", error)
        await anyio.sleep(RETENTION_EVERY_S)


def _retain_once(house: _House, retention_ns: int, quota_bytes: int) -> None:
    plan = plan_retention(house.index.recordings(), house.clock.wall_ns(), retention_ns, quota_bytes)
    for removal in remove(house.loaded.data_directory, house.index, plan):
        log.info("removed %s (%s)", removal.path, removal.why.value)
