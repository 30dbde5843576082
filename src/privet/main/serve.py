"""The main process: everything but live pixels, in one event loop.

Belongs here: the order in which the parts come up and go down. Does not belong here: making them (wiring), what any room does.

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
from functools import partial

import anyio
import anyio.abc
import anyio.to_thread

from privet import __version__
from privet.api.app import create_app
from privet.api.auth.sessions import create_first_token
from privet.api.cameras.register import register_of
from privet.api.export.directory import clear_leftovers
from privet.api.guard.listen import ListenSettings, listen_settings
from privet.config.load import Loaded
from privet.core.clock import NS_PER_S, SystemClock
from privet.core.errors import ConfigError, StoreError
from privet.core.landlock import landlock_abi
from privet.index.index import Index, index_url
from privet.main.announce import IndexAnnounce
from privet.main.application import application
from privet.main.assignment import deal
from privet.main.descriptors import raise_descriptor_limit
from privet.main.launch import reduced_environment
from privet.main.publisher import Ledger
from privet.main.reload import Reloader
from privet.main.request_limits import Bounds, connection_bounds
from privet.main.web_server import SERVER_STOPS_WITHIN_S, WebServer, listening_socket, server_settings
from privet.main.wiring import Wiring
from privet.pipe.compiled import WARM_WITHIN_S, is_warm, warm_command
from privet.record.lock import hold_data_directory
from privet.record.mend import recover
from privet.record.recorder import Recorder
from privet.record.retention import plan_retention, remove
from privet.record.store import DirectoryStore

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
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is somebody to take it: it would end the process
    listen = listen_settings(loaded.config.server, loaded)
    cameras = loaded.config.camera_ids()
    workers = deal(cameras, loaded.config.worker.cameras_per_worker)
    descriptors = raise_descriptor_limit()
    bounds = connection_bounds(descriptors, len(cameras), len(workers))
    if loaded.config.worker.lockdown == "required" and landlock_abi() == 0:
        raise ConfigError(
            f"{loaded.path}: worker.lockdown = \"required\", and this kernel has no Landlock (Linux 5.13 with it switched on): "
            "set it to \"available\" to run workers that could write elsewhere"
        )
    with contextlib.ExitStack() as stack:
        stack.enter_context(hold_data_directory(loaded.data_directory))
        listening = stack.enter_context(listening_socket(listen))
        try:
            anyio.run(_serve, loaded, listen, listening, bounds, descriptors, say)
        except BaseExceptionGroup as group:
            raise _only_cause(group) from group


def _only_cause(group: BaseException) -> BaseException:
    """Return the one exception that task groups have wrapped, or the group itself if there are several."""
    while isinstance(group, BaseExceptionGroup) and len(group.exceptions) == 1:
        group = group.exceptions[0]
    return group


async def _serve(
    loaded: Loaded, listen: ListenSettings, listening: socket.socket, bounds: Bounds, descriptors: int, say: Say
) -> None:
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
                parts = Wiring(loaded, clock, index, recorder, ledger)
                parts.descriptors = descriptors
                await _run(parts, listen, listening, bounds, stop, say)
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(recorder.close)
                    await anyio.to_thread.run_sync(ledger.close)
        finally:
            index.close()
        watch.cancel_scope.cancel()
    log.info("stopped")


def _recover(loaded: Loaded, index: Index) -> None:
    """Bring the data directory into order before anything is written to it."""
    index.put_cameras(register_of(loaded.config))
    for finding, done in recover(DirectoryStore(loaded.data_directory), index):
        log.info("%s: %s", finding.path, done)
    clear_leftovers(loaded.data_directory)


async def _run(parts: Wiring, listen: ListenSettings, listening: socket.socket, bounds: Bounds, stop: anyio.Event, say: Say) -> None:
    token = await anyio.to_thread.run_sync(create_first_token, parts.index, parts.clock)
    app = create_app(application(parts, listen))
    server = WebServer(server_settings(app, listen), bounds, parts.clock)
    parts.limit_connections = server.limit
    served, supervised = anyio.Event(), anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(_until, partial(server.serve, [listening]), served)
        group.start_soon(_until, parts.supervisor.run, supervised)
        group.start_soon(_warm, parts)
        group.start_soon(_retain, parts)
        group.start_soon(parts.previews.keep, parts.hub, lambda: parts.running.cameras)
        group.start_soon(_reload_when_asked, parts.reloader)
        _announce(parts, listen, token, say)
        async with anyio.create_task_group() as either:
            either.start_soon(_first, stop.wait, either.cancel_scope)
            either.start_soon(_first, served.wait, either.cancel_scope)
        if not stop.is_set():
            log.error("the web server ended by itself: stopping")
        log.info("stopping: workers, then recordings")
        server.leave()
        parts.warmed.set()
        await parts.supervisor.stop()
        await supervised.wait()
        with anyio.move_on_after(SERVER_STOPS_WITHIN_S + 2):
            await served.wait()
        group.cancel_scope.cancel()


def _announce(parts: Wiring, listen: ListenSettings, token: str | None, say: Say) -> None:
    say(f"Privet {__version__} guards {len(parts.running.cameras)} cameras: {listen.url}")
    if not parts.running.cameras:
        say(f"No camera is configured yet: add one to {parts.loaded.path}.")
    if token is not None:
        say(f"Log in with this token. It is shown only now, and only its hash is kept:\n\n    {token}\n")
    hours, reason = parts.loaded.config.storage.retention_hours, parts.loaded.config.storage.retention_reason
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


async def _reload_when_asked(reloader: Reloader) -> None:
    """Take up privet.toml again with each SIGHUP."""
    with anyio.open_signal_receiver(signal.SIGHUP) as signals:
        await reloader.begin()
        async for _ in signals:
            await reloader.reload()


async def _warm(parts: Wiring) -> None:
    """Have kernels and models compiled where they are not yet; workers wait for it. Failing, each worker compiles its own."""
    device = parts.loaded.config.detect.device
    try:
        if await anyio.to_thread.run_sync(is_warm, parts.compiled):
            return
        log.info("compiling kernels and models, once; this takes a quarter of a minute or more")
        command = warm_command(parts.cache, device)
        with anyio.move_on_after(WARM_WITHIN_S):
            done = await anyio.run_process(
                command, check=False, stdin=subprocess.DEVNULL, env=reduced_environment(), start_new_session=True
            )
            if done.returncode:
                last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
                log.error("kernels and models could not be compiled beforehand (status %d): %s", done.returncode, " ".join(last))
    finally:
        parts.warmed.set()


async def _retain(parts: Wiring) -> None:
    """Remove what is too old or too much, once a minute."""
    while True:
        retention = parts.running.retention
        try:
            await anyio.to_thread.run_sync(_retain_once, parts, retention.hours * 3600 * NS_PER_S, retention.quota_bytes)
        except StoreError as error:
            log.error("retention: %s", error)
        await anyio.sleep(RETENTION_EVERY_S)


def _retain_once(parts: Wiring, retention_ns: int, quota_bytes: int) -> None:
    plan = plan_retention(parts.index.recordings(), parts.clock.wall_ns(), retention_ns, quota_bytes)
    for removal in remove(parts.store, parts.index, plan):
        log.info("removed %s (%s)", removal.path, removal.why.value)
