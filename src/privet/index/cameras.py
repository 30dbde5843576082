"""Cameras in the index: those of privet.toml, and those that only recordings are known of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import sqlalchemy as sa

from privet.core.ids import CameraId
from privet.index import tables as t
from privet.index.database import Subject
from privet.index.rows import CameraRow


class CameraEntry(Protocol):
    """A camera as the register has it: `CameraRow` fits."""

    @property
    def id(self) -> CameraId: ...

    @property
    def name(self) -> str: ...

    @property
    def place(self) -> str: ...

    @property
    def purpose(self) -> str: ...

    @property
    def controller(self) -> str: ...


class Cameras(Subject):
    """Every method may raise StoreError."""

    def put_cameras(self, cameras: Iterable[CameraEntry]) -> None:
        """Make the register say exactly this: others stay known, as not configured any more."""
        with self._database.writing() as connection:
            connection.execute(sa.update(t.cameras).values(configured=False))
            for camera in cameras:
                values: dict[str, str | bool] = {"name": camera.name, "place": camera.place, "purpose": camera.purpose}
                values |= {"controller": camera.controller, "configured": True}
                done = connection.execute(sa.update(t.cameras).where(t.cameras.c.id == camera.id).values(values))
                if not done.rowcount:
                    connection.execute(sa.insert(t.cameras).values(values | {"id": camera.id}))

    def cameras(self) -> tuple[CameraRow, ...]:
        """Return all cameras, those configured first, by id."""
        c = t.cameras.c
        query = sa.select(c.id, c.name, c.place, c.purpose, c.controller, c.configured).order_by(c.configured.desc(), c.id)
        with self._database.reading() as connection:
            return tuple(
                CameraRow(CameraId(row.id), row.name, row.place, row.purpose, row.controller, bool(row.configured))
                for row in connection.execute(query)
            )
