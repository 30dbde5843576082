"""States of cameras in the index: what each said of itself, and what it was doing by that and by what is recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from privet.core.ids import CameraId
from privet.core.intervals import Intervals
from privet.core.scene import Condition, Reason
from privet.index import tables as t
from privet.index.database import Subject, numbers
from privet.index.density import recorded_ns
from privet.index.rows import StateRow
from privet.index.timeline import known_parts, level_for, spans_of


class States(Subject):
    """Every method may raise StoreError."""

    def add_state(self, camera: CameraId, wall_ns: int, condition: Condition, reason: Reason) -> None:
        """The camera is in `condition` since `wall_ns`."""
        with self._database.writing() as connection:
            values = {"wall_ns": max(wall_ns, 0), "condition": int(condition), "reason": int(reason)}
            connection.execute(sa.insert(t.camera_states).values(values | {"camera_key": self._database.camera_key(connection, camera)}))

    def states(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> tuple[StateRow, ...]:
        """Return the one in force at `from`, if one is known, then those in [from, to), in the order they were said."""
        s = t.camera_states.c
        rows = self._state_rows(camera, (s.wall_ns, s.condition, s.reason), from_wall_ns, to_wall_ns).tolist()
        return tuple(StateRow(wall_ns, Condition(condition), Reason(reason)) for wall_ns, condition, reason in rows)

    def last_state(self, camera: CameraId) -> StateRow | None:
        """Return what was said last, whatever the clock said."""
        s = t.camera_states.c
        query = sa.select(s.wall_ns, s.condition, s.reason).join(t.cameras).where(t.cameras.c.id == camera)
        with self._database.reading() as connection:
            row = connection.execute(query.order_by(s.id.desc()).limit(1)).first()
        return None if row is None else StateRow(row.wall_ns, Condition(row.condition), Reason(row.reason))

    def spans(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Intervals:
        """Return what the camera was doing in [from, to), which is not empty; kinds are indexes into SPAN_KINDS. Do not ask beyond now: the
        future is a gap."""
        s = t.camera_states.c
        said_ns, conditions, reasons = self._state_rows(camera, (s.wall_ns, s.condition, s.reason), from_wall_ns, to_wall_ns).T
        level = level_for((to_wall_ns - from_wall_ns) // 2000)
        with self._database.reading() as connection:
            begins_ns = recorded_ns(connection, camera, level, from_wall_ns, to_wall_ns)
        known = known_parts(begins_ns, level, from_wall_ns, to_wall_ns)
        return spans_of(said_ns, conditions.astype(np.uint8), reasons.astype(np.uint8), known, from_wall_ns, to_wall_ns)

    def _state_rows(
        self, camera: CameraId, columns: tuple[sa.Column[Any], ...], from_wall_ns: int, to_wall_ns: int
    ) -> NDArray[np.int64]:
        """(states, columns); as `states`."""
        s = t.camera_states.c
        of_camera = sa.select(*columns).join(t.cameras).where(t.cameras.c.id == camera)
        before = of_camera.where(s.wall_ns <= from_wall_ns).order_by(s.wall_ns.desc(), s.id.desc()).limit(1)
        since = of_camera.where(s.wall_ns > from_wall_ns, s.wall_ns < to_wall_ns).order_by(s.id)
        with self._database.reading() as connection:
            return np.concatenate((numbers(connection, before, np.int64), numbers(connection, since, np.int64)))
