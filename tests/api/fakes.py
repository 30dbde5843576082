"""Honest stand-ins for what the API is given, and an application made with them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from fastapi import FastAPI
from tests.live.places import START_WALL_NS, Place

from privet.api.app import create_app
from privet.api.auth.permission import CameraPolicy, EveryCamera, Identity, Permission, Role
from privet.api.auth.sessions import create_token
from privet.api.dependencies import ApiDependencies, ApiLimits, SiteValues
from privet.api.guard.listen import ListenSettings
from privet.api.ports import CommissionEntry, RegisterEntry
from privet.core.clock import NS_PER_S, Clock, FakeClock
from privet.core.errors import NotFoundError, StoreError
from privet.core.ids import CameraId
from privet.core.intervals import Intervals, runs
from privet.core.pb import pipe_pb2
from privet.core.pb import scene_pb2 as pb
from privet.core.polygon import Polygon
from privet.core.reader import SceneView
from privet.index.rows import SPAN_KINDS, RecordingRow, SessionRow, StoredRow, TokenRow
from privet.live.hub import Hub
from privet.record.covered import UNKNOWN, Answer
from privet.record.store import DirectoryStore, ReadStore, StoredFile

GATE = CameraId("gate")
DOCK = CameraId("dock")
HOUR_NS = 3600 * NS_PER_S
BASE_URL = "http://localhost:8420"


@dataclass
class MemoryAccounts:
    """Accounts in dictionaries."""

    tokens: dict[str, TokenRow] = field(default_factory=dict)
    sessions: dict[str, SessionRow] = field(default_factory=dict)

    def has_tokens(self) -> bool:
        return bool(self.tokens)

    def add_token(self, token: TokenRow) -> None:
        self.tokens[token.secret_hash] = token

    def token_by_hash(self, secret_hash: str) -> TokenRow | None:
        return self.tokens.get(secret_hash)

    def add_session(self, session: SessionRow) -> None:
        self.sessions[session.secret_hash] = session

    def session_by_hash(self, secret_hash: str) -> SessionRow | None:
        return self.sessions.get(secret_hash)

    def drop_session(self, secret_hash: str) -> None:
        self.sessions.pop(secret_hash, None)


def _ten_seconds_each(kinds: list[int], from_wall_ns: int, to_wall_ns: int) -> Intervals:
    assert from_wall_ns < to_wall_ns
    edges_ns = np.array([*(from_wall_ns + 10 * NS_PER_S * number for number in range(len(kinds))), to_wall_ns])
    return runs(np.minimum(edges_ns, to_wall_ns), np.array(kinds, np.uint8))


@dataclass
class MemoryPast:
    """Recordings in lists. `messages` are in stream order; what is in force at a time is those before it."""

    store: ReadStore
    rows: list[RecordingRow] = field(default_factory=list)
    conditions: dict[CameraId, list[str]] = field(default_factory=dict)
    messages: dict[CameraId, list[pb.SceneMessage]] = field(default_factory=dict)
    places: dict[CameraId, list[int]] = field(default_factory=dict)
    polygons: list[Polygon] = field(default_factory=list)
    fails: Exception | None = None
    threads: set[int] = field(default_factory=set)
    closed: threading.Event = field(default_factory=threading.Event)
    yielded: int = 0

    def recordings(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Sequence[RecordingRow]:
        return [
            row
            for row in self.rows
            if row.camera == camera and row.from_wall_ns < to_wall_ns and (row.to_wall_ns or to_wall_ns) >= from_wall_ns
        ]

    def open(self, path: str) -> StoredFile:
        return self.store.open(path)

    def recording(self, recording_id: int) -> RecordingRow | None:
        return next((row for row in self.rows if row.id == recording_id), None)

    def stored(self) -> Sequence[StoredRow]:
        return [
            StoredRow(camera, len(rows), sum(row.size_bytes + row.summary_bytes for row in rows), min(row.from_wall_ns for row in rows))
            for camera in (GATE, DOCK)
            if (rows := [row for row in self.rows if row.camera == camera])
        ]

    def spans(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Intervals:
        """`conditions` of the camera are taken for ten seconds each."""
        return _ten_seconds_each([SPAN_KINDS.index(kind) for kind in self.conditions.get(camera, ["gap"])], from_wall_ns, to_wall_ns)

    def density(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, bins: int) -> Sequence[float | None]:
        step_ns = (to_wall_ns - from_wall_ns) // bins
        starts = [from_wall_ns + index * step_ns for index in range(bins)]
        return [0.25 if self.recordings(camera, start, start + step_ns) else None for start in starts]

    def covered(self, camera: CameraId, polygon: Polygon, from_wall_ns: int, to_wall_ns: int) -> Answer:
        """`places` of the camera are taken for ten seconds each; three quarters of every polygon are proven."""
        self.polygons.append(polygon)
        kinds = self.places.get(camera, [UNKNOWN])
        return Answer(_ten_seconds_each(kinds, from_wall_ns, to_wall_ns), 0.75 if set(kinds) - {UNKNOWN} else None)

    def scenes(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, step_ns: int) -> Iterator[pb.SceneMessage]:
        try:
            self.threads.add(threading.get_ident())
            if self.fails is not None:
                raise self.fails
            for message in self.messages.get(camera, []):
                if wall_ns(message) < to_wall_ns:
                    self.yielded += 1
                    yield message
        finally:
            self.closed.set()


def wall_ns(message: pb.SceneMessage) -> int:
    """The frame's time."""
    part = getattr(message, message.WhichOneof("kind") or "")
    found = part.head.wall_ns
    assert isinstance(found, int)
    return found


class WordySnapshots:
    """Draws no picture, but says what it was to draw."""

    def thumbnail(self, view: SceneView, width_px: int, camera: str, at_wall_ns: int) -> bytes:
        assert view.head is not None
        return f"jpeg {width_px} {view.head.sequence} {camera} {at_wall_ns}".encode()


@dataclass
class WordyExporter:
    """Writes words for a film; waits for `go` first if there is one, and says whether it was cancelled."""

    go: asyncio.Event | None = None
    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    empty: bool = False

    async def export(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, path: Path) -> None:
        self.started.set()
        if self.empty:
            raise NotFoundError("nothing is recorded of this camera in this span")
        try:
            if self.go is not None:
                path.with_name(".film.part.mp4").touch()  # what a killed child leaves
                await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        path.write_bytes(f"film {camera} {from_wall_ns} {to_wall_ns}".encode())


@dataclass
class FixedCounters:
    """The same health whatever the time."""

    healths: dict[CameraId, pipe_pb2.Health] = field(default_factory=dict)

    def health(self, camera: CameraId) -> pipe_pb2.Health | None:
        return self.healths.get(camera)


@dataclass
class Signers:
    """Answers as a worker would that offers every block of a 2 x 2 grid, until told otherwise."""

    answer: pipe_pb2.OfferAnswer.ValueType = pipe_pb2.OFFER_ANSWER_OFFERED
    signing: pipe_pb2.SigningAnswer.ValueType = pipe_pb2.SIGNING_ANSWER_SIGNED
    asked: list[CameraId] = field(default_factory=list)
    signed: list[tuple[CameraId, bytes, bytes]] = field(default_factory=list)
    refused: list[tuple[CameraId, bytes]] = field(default_factory=list)

    async def offer(self, camera: CameraId) -> pipe_pb2.Candidate:
        self.asked.append(camera)
        if self.answer != pipe_pb2.OFFER_ANSWER_OFFERED:
            return pipe_pb2.Candidate(request=1, answer=self.answer)
        return pipe_pb2.Candidate(
            request=1, answer=self.answer, offer=len(self.asked).to_bytes(16), blocks=b"\xf0", format=pb.IMAGE_FORMAT_WEBP,
            grid=pb.Grid(width_px=16, height_px=16, block_px=8, epoch=1), image=b"RIFF----WEBP%d" % len(self.asked),
            wall_ns=START_WALL_NS, good_for_ns=300 * NS_PER_S,
        )

    async def sign(self, camera: CameraId, offer: bytes, blocks: bytes) -> pipe_pb2.Commissioned:
        self.signed.append((camera, offer, blocks))
        done = self.signing in (pipe_pb2.SIGNING_ANSWER_SIGNED, pipe_pb2.SIGNING_ANSWER_SIGNED_UNSAVED)
        return pipe_pb2.Commissioned(answer=self.signing, signed_blocks=3 * done, lapsed_blocks=1 * done)

    async def refuse(self, camera: CameraId, offer: bytes) -> pipe_pb2.Commissioned:
        self.refused.append((camera, offer))
        return pipe_pb2.Commissioned(answer=pipe_pb2.SIGNING_ANSWER_REFUSED)


@dataclass
class Entries:
    """A record in a list; `full` as a disk is."""

    entries: list[CommissionEntry] = field(default_factory=list)
    full: bool = False

    def append(self, entry: CommissionEntry) -> None:
        if self.full:
            raise StoreError("commission.jsonl cannot be written: No space left on device")
        self.entries.append(entry)


@dataclass
class SpoiledDisk:
    """In order, until a test spoils it."""

    errors: dict[CameraId, str] = field(default_factory=dict)
    index: bool = False

    def recording_error(self, camera: CameraId) -> str:
        return self.errors.get(camera, "")

    def index_fails(self) -> bool:
        return self.index


class FixedMetrics:
    """One line."""

    def exposition(self) -> bytes:
        return b"privet_up 1\n"


@dataclass(frozen=True)
class OnlyGateForViewers:
    """A policy: viewers may see the gate and nothing else."""

    def allows(self, identity: Identity, permission: Permission, camera: CameraId) -> bool:
        return identity.role is Role.ADMINISTRATOR or camera == GATE


@dataclass
class FixedInForce:
    """A configuration that changes when a test assigns to it."""

    site: SiteValues
    register: tuple[RegisterEntry, ...]
    covers_per_second: float


@dataclass
class World:
    """An application and everything behind it."""

    deps: ApiDependencies
    app: FastAPI
    accounts: MemoryAccounts
    past: MemoryPast
    hub: Hub
    exporter: WordyExporter
    signers: Signers
    entries: Entries
    administrator: str
    viewer: str

    @property
    def fake_clock(self) -> FakeClock:
        assert isinstance(self.deps.clock, FakeClock)
        return self.deps.clock

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
    limits: ApiLimits | None = None,
    static: Path | None = None,
    session_ns: int = 12 * HOUR_NS,
    change: Callable[[ApiDependencies], ApiDependencies] = lambda deps: deps,
) -> World:
    """An application over fakes: two cameras, an administrator's token and a viewer's."""
    clock = clock if clock is not None else FakeClock(wall=START_WALL_NS + HOUR_NS)
    accounts, past, hub, exporter = MemoryAccounts(), MemoryPast(DirectoryStore(directory)), Hub(clock), WordyExporter()
    signers, entries, disk = Signers(), Entries(), SpoiledDisk()
    deps = change(
        ApiDependencies(
            in_force=FixedInForce(
                SiteValues("Harbour <b>", "Europe/Berlin", "0.1", "Harbour Ltd", 72, ""),
                (
                RegisterEntry(GATE, "Gate", "North gate", "Keep the gate", "Harbour Ltd"),
                RegisterEntry(DOCK, "<script>alert(1)</script>", "Dock", "Keep the dock", "Harbour Ltd"),
                ),
                5.0,
            ),
            session_ns=session_ns,
            data_directory=directory,
            static_directory=static,
            listen=listen if listen is not None else ListenSettings("127.0.0.1", 8420),
            accounts=accounts,
            past=past,
            hub=hub,
            counters=FixedCounters({GATE: pipe_pb2.Health(frames_decoded=7, connects=1, covers_dropped=2)}),
            capacity=lambda grid: grid.blocks * 5,
            snapshots=WordySnapshots(),
            exporter=exporter,
            metrics=FixedMetrics(),
            commissioning=signers,
            commission_record=entries,
            disk=disk,
            clock=clock,
            policy=policy if policy is not None else EveryCamera(),
            limits=limits if limits is not None else ApiLimits(),
        )
    )
    administrator = create_token(accounts, clock, "ada", Role.ADMINISTRATOR)
    viewer = create_token(accounts, clock, "vic", Role.VIEWER)
    return World(deps, create_app(deps), accounts, past, hub, exporter, signers, entries, administrator, viewer)


def row(recording_id: int, path: str, camera: CameraId = GATE, *, closed: bool = True, size_bytes: int = 0) -> RecordingRow:
    """A recording of the hour from START_WALL_NS on."""
    return RecordingRow(recording_id, camera, path, START_WALL_NS, START_WALL_NS + HOUR_NS if closed else None, size_bytes, 0, 1)


def publish_place(world: World, camera: CameraId = GATE) -> Place:
    """Let the hub know a place: state, background, cover."""
    place = Place(wall_ns=world.deps.clock.wall_ns() - 10 * NS_PER_S)
    for message in (place.state(), place.background(), place.cover()):
        world.hub.publish(camera, message)
    return place
