"""An application over fakes, and everything behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI
from tests.api.auth.fakes import MemoryAccounts
from tests.api.cameras.fakes import FixedCounters
from tests.api.covered.fakes import ListedCovers
from tests.api.export.fakes import WordyExporter
from tests.api.metrics.fakes import FixedMetrics
from tests.api.names import DOCK, GATE, HOUR_NS
from tests.api.recordings.fakes import ListedRecordings
from tests.api.scenes.fakes import ListedScenes
from tests.api.signing.fakes import Entries, Signers
from tests.api.snapshot.fakes import WordySnapshots
from tests.api.storage.fakes import ListedStorage, SpoiledDisk
from tests.api.timeline.fakes import ListedPast
from tests.live.places import START_WALL_NS, Place

from privet.api.app import Application, Resources, create_app
from privet.api.auth.authentication import Authentication
from privet.api.auth.permission import Access, CameraPolicy, EveryCamera, Role
from privet.api.auth.ports import Accounts
from privet.api.auth.routes import SessionResource
from privet.api.auth.sessions import create_token
from privet.api.backgrounds.previews import Previews
from privet.api.backgrounds.routes import BackgroundsResource
from privet.api.cameras.register import RegisterEntry, entry_of
from privet.api.cameras.routes import CamerasResource
from privet.api.covered.routes import CoveredResource
from privet.api.export.routes import ExportResource
from privet.api.guard.listen import ListenSettings
from privet.api.live.routes import LiveResource
from privet.api.metrics.routes import MetricsResource
from privet.api.recordings.routes import RecordingsResource
from privet.api.scenes.routes import ScenesResource
from privet.api.signing.routes import SigningResource
from privet.api.site.ports import SiteValues
from privet.api.site.routes import SiteResource
from privet.api.snapshot.routes import SnapshotResource
from privet.api.storage.ports import Retention
from privet.api.storage.routes import StorageResource
from privet.api.threads import Threads
from privet.api.timeline.routes import TimelineResource
from privet.api.web.routes import WebResource, list_files
from privet.core.clock import NS_PER_S, Clock, FakeClock
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.live.hub import Hub
from privet.record.store import DirectoryStore

BASE_URL = "http://localhost:8420"
SITE = SiteValues("Harbour <b>", "Europe/Berlin", "0.1", "Harbour Ltd", 72, "")
RETENTION = Retention(72, "", 0)
REGISTER = (
    RegisterEntry(GATE, "Gate", "North gate", "Keep the gate", "Harbour Ltd"),
    RegisterEntry(DOCK, "<script>alert(1)</script>", "Dock", "Keep the dock", "Harbour Ltd"),
)


@dataclass
class Settings:
    """What the configuration says, until a test says otherwise."""

    site: SiteValues = SITE
    register: tuple[RegisterEntry, ...] = REGISTER
    retention: Retention = RETENTION
    covers_per_second: float = 5.0


@dataclass
class World:
    """An application and everything behind it."""

    clock: Clock
    data_directory: Path
    listen: ListenSettings
    settings: Settings
    accounts: MemoryAccounts
    authentication: Authentication
    recordings: ListedRecordings
    storage: ListedStorage
    disk: SpoiledDisk
    past: ListedPast
    covers: ListedCovers
    scenes: ListedScenes
    hub: Hub
    exporter: WordyExporter
    signers: Signers
    entries: Entries
    resources: Resources
    app: FastAPI
    administrator: str
    viewer: str

    @property
    def fake_clock(self) -> FakeClock:
        assert isinstance(self.clock, FakeClock)
        return self.clock

    @property
    def session_ns(self) -> int:
        return self.authentication.session_ns

    def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """A client; with a token it sends it as a bearer's."""
        own = dict(headers) if token is None else {"Authorization": f"Bearer {token}", **headers}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=("192.0.2.7", 50000))
        return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=own)


def make_world(
    directory: Path,
    *,
    clock: Clock | None = None,
    listen: ListenSettings | None = None,
    policy: CameraPolicy | None = None,
    static: Path | None = None,
    session_ns: int = 12 * HOUR_NS,
    accounts: Accounts | None = None,
    change: Callable[[Resources], Resources] = lambda resources: resources,
) -> World:
    """An application over fakes: two cameras, an administrator's token and a viewer's. accounts: others than those with the tokens."""
    clock = clock if clock is not None else FakeClock(wall=START_WALL_NS + HOUR_NS)
    listen = listen if listen is not None else ListenSettings("127.0.0.1", 8420)
    policy = policy if policy is not None else EveryCamera()
    settings, threads, hub = Settings(), Threads(), Hub(clock)
    memory, recordings, past = MemoryAccounts(), ListedRecordings(DirectoryStore(directory)), ListedPast()
    storage, disk = ListedStorage(), SpoiledDisk()
    covers, scenes, exporter, signers, entries = ListedCovers(), ListedScenes(), WordyExporter(), Signers(), Entries()
    authentication = Authentication(memory if accounts is None else accounts, clock, session_ns, threads.accounts)
    def access() -> Access:
        return Access(tuple(entry.id for entry in settings.register), policy)

    resources = change(
        Resources(
            site=SiteResource(lambda: settings.site),
            session=SessionResource(authentication, lambda: settings.site.name, listen.tls),
            cameras=CamerasResource(
                lambda: settings.register,
                hub,
                FixedCounters({GATE: pipe_pb2.Health(frames_decoded=7, connects=1, covers_dropped=2)}),
                lambda grid: grid.blocks * 5,
            ),
            timeline=TimelineResource(past, clock, threads.archive),
            covered=CoveredResource(covers, clock, threads.archive),
            scenes=ScenesResource(scenes, lambda: settings.covers_per_second, threads.archive),
            backgrounds=BackgroundsResource(hub),
            snapshot=SnapshotResource(
                hub, scenes, WordySnapshots(), lambda camera: entry_of(settings.register, camera).name, clock, threads.archive,
                threads.render,
            ),
            export=ExportResource(exporter, directory, clock, threads.archive),
            signing=SigningResource(signers, entries, clock, threads.accounts),
            recordings=RecordingsResource(recordings, threads.archive),
            storage=StorageResource(storage, disk, lambda: settings.retention, directory, threads.archive),
            metrics=MetricsResource(FixedMetrics()),
            live=LiveResource(hub, Previews(threads.render), authentication, clock, access),
            web=WebResource(list_files(static)),
        )
    )  # fmt: skip
    made = Application(listen, authentication, access, resources)
    return World(
        clock, directory, listen, settings, memory, authentication, recordings, storage, disk, past, covers, scenes, hub, exporter,
        signers, entries, resources, create_app(made), create_token(memory, clock, "ada", Role.ADMINISTRATOR),
        create_token(memory, clock, "vic", Role.VIEWER),
    )  # fmt: skip


def publish_place(world: World, camera: CameraId = GATE) -> Place:
    """Let the hub know a place: state, background, cover."""
    place = Place(wall_ns=world.clock.wall_ns() - 10 * NS_PER_S)
    for message in (place.state(), place.background(), place.cover()):
        world.hub.publish(camera, message)
    return place
