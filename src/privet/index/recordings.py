"""Recordings in the index: which there are, from when to when, how large."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from privet.core.ids import CameraId
from privet.index import tables as t
from privet.index.database import Subject
from privet.index.rows import Recorded, RecordingRow, StoredRow


class Recordings(Subject):
    """Every method may raise StoreError."""

    def recording_opened(self, recording: Recorded) -> None:
        """A file is about to be written. Saying it again changes nothing."""
        with self._database.writing() as connection:
            key = self._database.camera_key(connection, recording.camera)
            known = connection.execute(sa.select(t.recordings.c.id).where(t.recordings.c.path == recording.path)).first()
            if known is None:
                values = {"camera_key": key, "path": recording.path, "from_wall_ns": max(recording.from_wall_ns, 0)}
                values |= {"to_wall_ns": None, "size_bytes": 0, "summary_bytes": 0, "messages": 0}
                connection.execute(sa.insert(t.recordings).values(values))

    def recording_closed(self, recording: Recorded) -> None:
        """A file is complete; adds its row if there is none, corrects it if it says something else."""
        values = {
            "from_wall_ns": max(recording.from_wall_ns, 0),
            "to_wall_ns": max(recording.to_wall_ns, recording.from_wall_ns, 0),
            "size_bytes": recording.size_bytes,
            "summary_bytes": recording.summary_bytes,
            "messages": recording.messages,
        }
        with self._database.writing() as connection:
            key = self._database.camera_key(connection, recording.camera)
            done = connection.execute(sa.update(t.recordings).where(t.recordings.c.path == recording.path).values(values))
            if not done.rowcount:
                connection.execute(sa.insert(t.recordings).values(values | {"camera_key": key, "path": recording.path}))

    def recording_forgotten(self, path: str) -> None:
        """A file is gone."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(t.recordings).where(t.recordings.c.path == path))

    def recordings(
        self, camera: CameraId | None = None, from_wall_ns: int = 0, to_wall_ns: int = 2**63 - 1
    ) -> tuple[RecordingRow, ...]:
        """Return those that overlap [from, to), of one camera or of all, in the order they were begun."""
        r = t.recordings.c
        query = _query().where(r.from_wall_ns < to_wall_ns, sa.or_(r.to_wall_ns.is_(None), r.to_wall_ns > from_wall_ns))
        if camera is not None:
            query = query.where(t.cameras.c.id == camera)
        with self._database.reading() as connection:
            return tuple(_row(row) for row in connection.execute(query.order_by(r.id)))

    def summaries(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Sequence[tuple[str, int]]:
        """Return, of the camera's recordings that overlap [from, to), path and bytes of summaries, 0 while it is written; by beginning."""
        r = t.recordings.c
        query = (
            sa.select(r.path, r.summary_bytes)
            .join(t.cameras)
            .where(t.cameras.c.id == camera, r.from_wall_ns < to_wall_ns, sa.or_(r.to_wall_ns.is_(None), r.to_wall_ns > from_wall_ns))
            .order_by(r.from_wall_ns)
        )
        with self._database.reading() as connection:
            return connection.execute(query).all()

    def recording(self, recording_id: int) -> RecordingRow | None:
        """Return one recording by its id."""
        with self._database.reading() as connection:
            row = connection.execute(_query().where(t.recordings.c.id == recording_id)).first()
        return None if row is None else _row(row)

    def stored(self) -> tuple[StoredRow, ...]:
        """Return how much is stored of each camera that anything is stored of, by the cameras' ids."""
        r = t.recordings.c
        query = (
            sa.select(t.cameras.c.id, sa.func.count(), sa.func.sum(r.size_bytes + r.summary_bytes), sa.func.min(r.from_wall_ns))
            .join_from(t.recordings, t.cameras)
            .group_by(t.cameras.c.id)
            .order_by(t.cameras.c.id)
        )
        with self._database.reading() as connection:
            return tuple(StoredRow(CameraId(row[0]), int(row[1]), int(row[2]), int(row[3])) for row in connection.execute(query))


def _query() -> sa.Select[int, str, str, int, int | None, int, int, int]:
    r = t.recordings.c
    columns = (r.id, t.cameras.c.id, r.path, r.from_wall_ns, r.to_wall_ns, r.size_bytes, r.summary_bytes, r.messages)
    return sa.select(*columns).join_from(t.recordings, t.cameras)


def _row(row: sa.Row[int, str, str, int, int | None, int, int, int]) -> RecordingRow:
    return RecordingRow(row[0], CameraId(row[1]), row[2], row[3], row[4], row[5], row[6], row[7])
