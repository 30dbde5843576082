"""What the API is made of in the main process: each resource, with the parts that answer for it.

Belongs here: which resource is given what. Does not belong here: making the parts (wiring), routes (api).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from privet.api.app import Application, Resources
from privet.api.auth.authentication import Authentication
from privet.api.auth.permission import Access, EveryCamera
from privet.api.auth.routes import SessionResource
from privet.api.backgrounds.routes import BackgroundsResource
from privet.api.cameras.routes import CamerasResource
from privet.api.covered.adapter import ArchivedCovers
from privet.api.covered.routes import CoveredResource
from privet.api.export.process_exporter import ProcessExporter
from privet.api.export.routes import ExportResource
from privet.api.guard.listen import ListenSettings
from privet.api.live.routes import LiveResource
from privet.api.metrics.routes import MetricsResource
from privet.api.recordings.adapter import IndexedRecordings
from privet.api.recordings.routes import RecordingsResource
from privet.api.scenes.adapter import ArchivedScenes
from privet.api.scenes.routes import ScenesResource
from privet.api.signing.routes import SigningResource
from privet.api.site.routes import SiteResource
from privet.api.snapshot.adapter import DrawnSnapshots
from privet.api.snapshot.routes import SnapshotResource
from privet.api.storage.adapter import IndexedStorage
from privet.api.storage.routes import StorageResource
from privet.api.timeline.routes import TimelineResource
from privet.api.web.routes import WebResource, list_files
from privet.config.directories import static_directory
from privet.core.clock import NS_PER_S
from privet.core.ids import CameraId
from privet.main.publisher import Ledger
from privet.main.running import Running
from privet.main.signing_record import CommissionFile
from privet.main.wiring import Wiring
from privet.pipe.bound import capacity_bits_per_second
from privet.record.archive import Archive
from privet.record.recorder import Recorder


def application(parts: Wiring, listen: ListenSettings) -> Application:
    """What is made of `parts`, to be served at `listen`."""
    session_ns = parts.loaded.config.server.session_hours * 3600 * NS_PER_S
    authentication = Authentication(parts.index, parts.clock, session_ns, parts.threads.accounts)
    def access() -> Access:
        return Access(parts.running.cameras, EveryCamera())

    return Application(listen, authentication, access, _resources(parts, authentication, access, tls=listen.tls))


def export_options(data_directory: Path, running: Running) -> tuple[str, ...]:
    """What `privet export` is told of what is in force, for privet.toml may say something else, or nothing that can be read.

    data_directory: the one that this process holds.
    """
    site, rate = running.site.timezone, running.covers_per_second
    return ("--data-directory", str(data_directory), "--timezone", site, "--covers-per-second", str(rate))


def _resources(parts: Wiring, authentication: Authentication, access: Callable[[], Access], *, tls: bool) -> Resources:
    index, hub, clock, running, threads = parts.index, parts.hub, parts.clock, parts.running, parts.threads
    data, archive, open_recordings = parts.loaded.data_directory, Archive(parts.store), parts.recorder.open_recordings
    recorded = ArchivedScenes(index, archive, open_recordings)
    return Resources(
        site=SiteResource(lambda: running.site),
        session=SessionResource(authentication, lambda: running.site.name, tls),
        cameras=CamerasResource(
            lambda: running.register, hub, parts.book, lambda grid: capacity_bits_per_second(grid, running.covers_per_second)
        ),
        timeline=TimelineResource(index, clock, threads.archive),
        covered=CoveredResource(ArchivedCovers(index, archive), clock, threads.archive),
        scenes=ScenesResource(recorded, lambda: running.covers_per_second, threads.archive),
        backgrounds=BackgroundsResource(hub),
        snapshot=SnapshotResource(
            hub, recorded, DrawnSnapshots(lambda: running.zone), running.name_of, clock, threads.archive, threads.render
        ),
        export=ExportResource(ProcessExporter(options=lambda: export_options(data, running)), data, clock, threads.archive),
        signing=SigningResource(parts.supervisor, CommissionFile(data), clock, threads.accounts),
        recordings=RecordingsResource(IndexedRecordings(index, parts.store, open_recordings), threads.archive),
        storage=StorageResource(
            IndexedStorage(index, open_recordings), _Disk(parts.recorder, parts.ledger), lambda: running.retention, data, threads.archive
        ),
        metrics=MetricsResource(parts.metrics),
        live=LiveResource(hub, parts.previews, authentication, clock, access),
        web=WebResource(list_files(static_directory())),
    )


@dataclass(frozen=True, slots=True)
class _Disk:
    """Storage's `Disk`, over those who write."""

    recorder: Recorder
    ledger: Ledger

    def recording_error(self, camera: CameraId) -> str:
        return self.recorder.error(camera)

    def index_fails(self) -> bool:
        return bool(self.ledger.error or self.recorder.statistics().announcement_error)
