"""Is it alive (`/health`), and whose is it (`/api/site`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import Field

from privet.api.auth.permission import Permission, requires
from privet.api.model import Model
from privet.api.resource import Given
from privet.api.site.ports import SiteValues

router = APIRouter(tags=["site"])


@dataclass(frozen=True, slots=True)
class SiteResource:
    """What these routes are given. values: what is so now; the configuration may be read again."""

    values: Callable[[], SiteValues]


Resource = Annotated[SiteResource, Depends(Given(SiteResource))]


class Health(Model):
    """Whether the server answers. Nothing about the site: anybody may ask."""

    status: Literal["ok"]


class Site(Model):
    """The installation."""

    name: str
    timezone: str = Field(description="IANA name; times are shown in it.")
    version: str
    controller: str = Field(description="Who answers for the cameras.")
    retention_hours: int
    retention_reason: str = Field(description="Why longer than 72 hours; empty otherwise.")


@router.get("/health", operation_id="health", dependencies=requires(Permission.PUBLIC))
async def health() -> Health:
    """Whether the server answers."""
    return Health(status="ok")


@router.get("/api/site", operation_id="site", dependencies=requires(Permission.VIEW))
async def site(resource: Resource) -> Site:
    """Name, time zone, version, retention."""
    values = resource.values()
    return Site(
        name=values.name,
        timezone=values.timezone,
        version=values.version,
        controller=values.controller,
        retention_hours=values.retention_hours,
        retention_reason=values.retention_reason,
    )
