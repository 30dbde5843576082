"""What is stored, for how long, and how much more there is room for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends
from pydantic import Field

from privet.api.auth.permission import Permission, TheAccess, Who, requires
from privet.api.model import Model, known_ms
from privet.api.resource import Given
from privet.api.storage.ports import Disk, Retention, Stored
from privet.core.errors import StoreError

router = APIRouter(tags=["storage"])


@dataclass(frozen=True, slots=True)
class StorageResource:
    """What these routes are given. retention: what is so now. threads: in which the index and the disk are asked."""

    stored: Stored
    disk: Disk
    retention: Callable[[], Retention]
    data_directory: Path
    threads: anyio.CapacityLimiter


Resource = Annotated[StorageResource, Depends(Given(StorageResource))]


class StoredModel(Model):
    """What is stored of one camera."""

    camera: str
    recordings: int
    bytes: int = Field(description="Recordings and their summaries, the one that is being written included.")
    oldest_ms: int | None = Field(description="When the oldest recording begins; null while there is none.")
    error: str = Field(description="Why nothing is recorded of it now: the disk is full, read-only or gone. Empty while all is well.")


class Storage(Model):
    """What is stored."""

    bytes: int = Field(description="Of all cameras that the asker may see.")
    quota_bytes: int | None = Field(description="When more is stored the oldest goes; null: no bound but the age.")
    free_bytes: int = Field(description="What the disk has left.")
    index_fails: bool = Field(description="The index takes no rows now, and the log says why. They wait; recordings go on.")
    retention_hours: int
    retention_reason: str = Field(description="Why longer than 72 hours; empty otherwise.")
    cameras: tuple[StoredModel, ...]


@router.get("/api/storage", operation_id="storage", dependencies=requires(Permission.VIEW))
async def storage(resource: Resource, access: TheAccess, who: Who) -> Storage:
    """What is stored of each camera, the bounds, and what the disk has left."""
    visible = access.visible(who, Permission.VIEW)
    stored = {row.camera: row for row in await anyio.to_thread.run_sync(resource.stored.stored, limiter=resource.threads)}
    free_bytes = await anyio.to_thread.run_sync(_free_bytes, resource.data_directory, limiter=resource.threads)
    cameras = tuple(
        StoredModel(
            camera=camera,
            recordings=stored[camera].recordings if camera in stored else 0,
            bytes=stored[camera].size_bytes if camera in stored else 0,
            oldest_ms=known_ms(stored[camera].oldest_wall_ns) if camera in stored else None,
            error=resource.disk.recording_error(camera),
        )
        for camera in visible
    )
    retention = resource.retention()
    return Storage(
        bytes=sum(camera.bytes for camera in cameras),
        quota_bytes=retention.quota_bytes or None,
        free_bytes=free_bytes,
        index_fails=resource.disk.index_fails(),
        retention_hours=retention.hours,
        retention_reason=retention.reason,
        cameras=cameras,
    )


def _free_bytes(directory: Path) -> int:
    try:
        return shutil.disk_usage(directory).free
    except OSError as error:
        raise StoreError(f"{directory}: what the disk has left cannot be asked: {error.strerror}") from error
