"""What the application is made with: values and ports, handed in by main.

Belongs here: the bundle and how a route reaches it. Does not belong here: making any of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol

import anyio
from fastapi import Depends
from fastapi.requests import HTTPConnection

from privet.api.auth.permission import Access, CameraPolicy, EveryCamera, Identity, identity_of
from privet.api.backgrounds.previews import Previews
from privet.api.guard.listen import ListenSettings
from privet.api.guard.rate import Attempts
from privet.api.ports import (
    Accounts,
    Capacity,
    Commissioning,
    CommissionRecord,
    Counters,
    Disk,
    Exporter,
    Metrics,
    Past,
    RegisterEntry,
    Snapshots,
)
from privet.api.signing.offers import Offers
from privet.core.clock import NS_PER_S, Clock
from privet.core.ids import CameraId
from privet.live.hub import Hub

HOUR_NS = 3600 * NS_PER_S


@dataclass(frozen=True, slots=True)
class SiteValues:
    """What is said about the installation."""

    name: str
    timezone: str
    version: str
    controller: str
    retention_hours: int
    retention_reason: str
    quota_bytes: int = 0  # 0: none


class InForce(Protocol):
    """What the configuration says now: it may change while requests are answered."""

    @property
    def site(self) -> SiteValues: ...

    @property
    def register(self) -> tuple[RegisterEntry, ...]: ...

    @property
    def covers_per_second(self) -> float: ...


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """What one request may ask for."""

    scene_messages: int = 40_000            # covers a /scene answer may hold: span over step
    scene_span_ns: int = 400 * 24 * HOUR_NS
    timeline_span_ns: int = 10 * 366 * 24 * HOUR_NS
    covered_span_ns: int = 400 * 24 * HOUR_NS
    export_span_ns: int = 6 * HOUR_NS
    viewers: int = 256                      # WebSockets at once
    session_recheck_ns: int = 10 * NS_PER_S # how soon a session that was ended closes its WebSockets
    archive_threads: int = 4
    render_threads: int = 2
    account_threads: int = 4


@dataclass(frozen=True)
class ApiDependencies:
    """Everything `create_app` needs."""

    in_force: InForce
    session_ns: int
    data_directory: Path
    static_directory: Path | None
    listen: ListenSettings
    accounts: Accounts
    past: Past
    hub: Hub
    counters: Counters
    capacity: Capacity
    snapshots: Snapshots
    exporter: Exporter
    metrics: Metrics
    commissioning: Commissioning
    commission_record: CommissionRecord
    disk: Disk
    clock: Clock
    policy: CameraPolicy = field(default_factory=EveryCamera)
    limits: ApiLimits = field(default_factory=ApiLimits)

    @property
    def site(self) -> SiteValues:
        return self.in_force.site

    @property
    def register(self) -> tuple[RegisterEntry, ...]:
        return self.in_force.register

    @property
    def covers_per_second(self) -> float:
        return self.in_force.covers_per_second

    @property
    def access(self) -> Access:
        return Access(tuple(entry.id for entry in self.register), self.policy)

    def entry(self, camera: CameraId) -> RegisterEntry:
        """The register's entry of a camera that `Requires` or `Access.permit` let through."""
        return next(entry for entry in self.register if entry.id == camera)


@dataclass(frozen=True)
class Room:
    """An application's own moving parts beside its dependencies: who waits for a thread, who tried to log in, who watches, who
    holds an offer.
    """

    dependencies: ApiDependencies
    attempts: Attempts
    archive_threads: anyio.CapacityLimiter
    render_threads: anyio.CapacityLimiter
    account_threads: anyio.CapacityLimiter
    previews: Previews
    viewers: set[object] = field(default_factory=set)
    offers: Offers = field(default_factory=Offers)


def make_room(dependencies: ApiDependencies) -> Room:
    limits = dependencies.limits
    render_threads = anyio.CapacityLimiter(limits.render_threads)
    return Room(
        dependencies,
        Attempts(),
        anyio.CapacityLimiter(limits.archive_threads),
        render_threads,
        anyio.CapacityLimiter(limits.account_threads),
        Previews(render_threads),
    )


def _room(connection: HTTPConnection) -> Room:
    room = connection.app.state.room
    assert isinstance(room, Room)
    return room


def _dependencies(connection: HTTPConnection) -> ApiDependencies:
    return _room(connection).dependencies


Deps = Annotated[ApiDependencies, Depends(_dependencies)]
TheRoom = Annotated[Room, Depends(_room)]
Who = Annotated[Identity, Depends(identity_of)]
