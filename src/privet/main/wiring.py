"""Puts the parts of the main process together.

Belongs here: who is given what. Does not belong here: the order in which they come up and go down (serve), what each resource
of the API is given (application), what any of them does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import anyio

from privet.api.backgrounds.previews import Previews
from privet.api.threads import Threads
from privet.config.directories import cache_directory
from privet.config.load import Loaded
from privet.core.clock import Clock
from privet.core.ids import CameraId
from privet.index.index import Index
from privet.live.hub import Hub
from privet.main.assignment import deal
from privet.main.installation_key import installation_key
from privet.main.launch import launch_worker
from privet.main.metrics import HealthBook, Metrics, Sources
from privet.main.publisher import Ledger, Publisher
from privet.main.reload import Parts, Reloader
from privet.main.request_limits import Bounds, connection_bounds
from privet.main.running import Running
from privet.main.supervisor import Supervisor
from privet.main.worker_directories import remove_worker_directory, sweep_worker_directories, worker_directory
from privet.main.worker_life import WorkerProcess
from privet.main.worker_settings import worker_settings
from privet.pipe.compiled import compiled_directory, mark_used
from privet.pipe.directories import Directories
from privet.pipe.settings import WorkerSettings
from privet.record.recorder import Recorder
from privet.record.store import DirectoryStore


class Wiring:
    """The parts that live as long as the main process, put together."""

    def __init__(self, loaded: Loaded, clock: Clock, index: Index, recorder: Recorder, ledger: Ledger) -> None:
        self.loaded = loaded
        self.clock = clock
        self.index = index
        self.recorder = recorder
        self.ledger = ledger
        self.store = DirectoryStore(loaded.data_directory)
        self.running = Running(loaded)
        self.hub = Hub(clock)
        self.book = HealthBook()
        self.threads = Threads()
        self.previews = Previews(self.threads.render)
        self.warmed = anyio.Event()
        self.descriptors = 0                                        # how many this process may open; 0: not known yet
        self.limit_connections: Callable[[Bounds], None] = _nothing  # the web server's, once there is one
        self.cache = cache_directory(loaded)
        self.compiled = compiled_directory(self.cache, loaded.config.detect.device)
        self._key = installation_key(loaded.data_directory)
        publisher = Publisher(recorder.put, self.hub.publish, index, ledger, self.book)
        groups = deal(self.running.cameras, loaded.config.worker.cameras_per_worker)
        sweep_worker_directories(loaded.data_directory, range(len(groups)))
        self.supervisor = Supervisor(
            {number: self._worker(loaded, number, group) for number, group in enumerate(groups)}, self._launch, publisher, clock,
            clear_away=lambda number: remove_worker_directory(loaded.data_directory, number),
        )
        forget = (publisher.forget, self.hub.forget, recorder.end, self.supervisor.forget)
        self.reloader = Reloader(self.running, Parts(self.supervisor, index.put_cameras, self._worker, self._room, forget), self._key)
        self.metrics = Metrics(
            Sources(
                cameras=lambda: self.running.cameras,
                covers_per_second=lambda: self.running.covers_per_second,
                book=self.book,
                hub=self.hub,
                recorder=recorder.statistics,
                workers=self.supervisor.statistics,
                ledger=ledger,
            )
        )

    def _worker(self, loaded: Loaded, number: int, cameras: Sequence[CameraId]) -> WorkerSettings:
        return worker_settings(loaded, cameras, worker_directory(number), self._key)

    def _room(self, cameras: int, workers: int) -> Callable[[], None]:
        """Make room for so many cameras beside the connections; see `Parts.room`."""
        if not self.descriptors:
            return lambda: None
        bounds = connection_bounds(self.descriptors, cameras, workers)
        return lambda: self.limit_connections(bounds)

    async def _launch(self) -> WorkerProcess:
        await self.warmed.wait()
        mark_used(self.compiled)
        return await launch_worker(Directories(self.loaded.data_directory, self.compiled))


def _nothing(_bounds: Bounds) -> None:
    """There is no web server yet."""
