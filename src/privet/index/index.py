"""The index: typed questions to the database, typed answers. Safe from several threads.

Reads run beside one another and beside one writer (WAL); writers take turns. Nothing but SQL that PostgreSQL takes as well,
pragmas apart. Upserts are an update and, if that met nothing, an insert, in one transaction that began as a writer.
"""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, cast

import numpy as np
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from numpy.typing import NDArray
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from privet.core.clock import NS_PER_S
from privet.core.errors import StoreError
from privet.core.ids import CameraId
from privet.core.intervals import Intervals
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Condition, Reason
from privet.index import tables as t
from privet.index.rows import CameraRow, PromotionRow, Recorded, RecordingRow, SessionRow, StateRow, StoredRow, TokenRow
from privet.index.timeline import LEVELS_S, bin_shares, known_parts, level_for, spans_of

FILE_NAME = "index.sqlite"
BUSY_TIMEOUT_MS = 10_000
MAX_BINS = 20_000
_WRITES = "privet_writes"
# Every camera has a summary every ten seconds: to put these together anew each time takes longer than to carry them out.
_d = t.density.c
_DENSITY_ROW = sa.and_(
    _d.camera_key == sa.bindparam("its_camera_key"),
    _d.level_s == sa.bindparam("its_level_s"),
    _d.from_wall_ns == sa.bindparam("its_from_wall_ns"),
)
_DENSITY_FOUND = sa.select(_d.covered_share).where(_DENSITY_ROW)
_DENSITY_UPDATE = sa.update(t.density).where(_DENSITY_ROW).values(
    covered_share=sa.bindparam("its_covered_share"), known_spans=sa.bindparam("its_known_spans")
)
_DENSITY_INSERT = sa.insert(t.density)
_DENSITY_FOLD = sa.select(sa.func.sum(_d.covered_share * _d.known_spans), sa.func.sum(_d.known_spans)).where(
    _d.camera_key == sa.bindparam("its_camera_key"),
    _d.level_s == sa.bindparam("its_level_s"),
    _d.from_wall_ns >= sa.bindparam("its_from_wall_ns"),
    _d.from_wall_ns < sa.bindparam("its_to_wall_ns"),
)
Number = TypeVar("Number", bound=np.generic)


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


def index_url(directory: Path) -> str:
    """Return the URL of the index inside a data directory."""
    return f"sqlite:///{directory / FILE_NAME}"


class Index:
    """Open with `Index.open`. Every method may raise StoreError."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writer = threading.Lock()
        self._keys: dict[CameraId, int] = {}

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database at `url` (made if it is not there) and bring its tables up to date.

        Raises:
            StoreError: it cannot be opened, or was made by a newer Privet.
        """
        try:
            memory = url in ("sqlite://", "sqlite:///:memory:")
            engine = sa.create_engine(url, poolclass=StaticPool) if memory else sa.create_engine(url)
            if engine.dialect.name == "sqlite":
                _listen_sqlite(engine)
            index = cls(engine)
            with index._writing() as connection:
                config = Config()
                config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
                config.set_main_option("path_separator", "os")
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(f"index {url} cannot be opened: {error}; if a newer Privet made it, run that one") from error
        except (SQLAlchemyError, StoreError) as error:
            raise StoreError(f"index {url} cannot be opened: {_words(error)}; is the directory there, and ours?") from error
        return index

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # ---- cameras

    def put_cameras(self, cameras: Iterable[CameraEntry]) -> None:
        """Make the register say exactly this: others stay known, as not configured any more."""
        with self._writing() as connection:
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
        with self._reading() as connection:
            return tuple(
                CameraRow(CameraId(row.id), row.name, row.place, row.purpose, row.controller, bool(row.configured))
                for row in connection.execute(query)
            )

    # ---- recordings

    def recording_opened(self, recording: Recorded) -> None:
        """A file is about to be written. Saying it again changes nothing."""
        with self._writing() as connection:
            key = self._key(connection, recording.camera)
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
        with self._writing() as connection:
            key = self._key(connection, recording.camera)
            done = connection.execute(sa.update(t.recordings).where(t.recordings.c.path == recording.path).values(values))
            if not done.rowcount:
                connection.execute(sa.insert(t.recordings).values(values | {"camera_key": key, "path": recording.path}))

    def recording_forgotten(self, path: str) -> None:
        """A file is gone."""
        with self._writing() as connection:
            connection.execute(sa.delete(t.recordings).where(t.recordings.c.path == path))

    def recordings(
        self, camera: CameraId | None = None, from_wall_ns: int = 0, to_wall_ns: int = 2**63 - 1
    ) -> tuple[RecordingRow, ...]:
        """Return those that overlap [from, to), of one camera or of all, in the order they were begun."""
        r = t.recordings.c
        query = _recording_query().where(r.from_wall_ns < to_wall_ns, sa.or_(r.to_wall_ns.is_(None), r.to_wall_ns > from_wall_ns))
        if camera is not None:
            query = query.where(t.cameras.c.id == camera)
        with self._reading() as connection:
            return tuple(_recording_row(row) for row in connection.execute(query.order_by(r.id)))

    def summaries(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> list[tuple[str, int]]:
        """Return, of the camera's recordings that overlap [from, to), path and bytes of summaries, 0 while it is written; by beginning."""
        r = t.recordings.c
        query = (
            sa.select(r.path, r.summary_bytes)
            .join(t.cameras)
            .where(t.cameras.c.id == camera, r.from_wall_ns < to_wall_ns, sa.or_(r.to_wall_ns.is_(None), r.to_wall_ns > from_wall_ns))
            .order_by(r.from_wall_ns)
        )
        with self._reading() as connection:
            cursor = connection.execute(query).cursor
            assert cursor is not None
            return cast("list[tuple[str, int]]", cursor.fetchall())

    def recording(self, recording_id: int) -> RecordingRow | None:
        """Return one recording by its id."""
        with self._reading() as connection:
            row = connection.execute(_recording_query().where(t.recordings.c.id == recording_id)).first()
        return None if row is None else _recording_row(row)

    def stored(self) -> tuple[StoredRow, ...]:
        """Return how much is stored of each camera that anything is stored of, by the cameras' ids."""
        r = t.recordings.c
        query = (
            sa.select(t.cameras.c.id, sa.func.count(), sa.func.sum(r.size_bytes + r.summary_bytes), sa.func.min(r.from_wall_ns))
            .join_from(t.recordings, t.cameras)
            .group_by(t.cameras.c.id)
            .order_by(t.cameras.c.id)
        )
        with self._reading() as connection:
            return tuple(StoredRow(CameraId(row[0]), int(row[1]), int(row[2]), int(row[3])) for row in connection.execute(query))

    # ---- promotions

    def add_promotion(self, camera: CameraId, promotion: pipe_pb2.Promotion) -> None:
        """Blocks became background, or look again as they did before."""
        grid = promotion.grid
        values = {
            "wall_ns": max(promotion.wall_ns, 0),
            "epoch": promotion.epoch,
            "blocks": promotion.blocks,
            "layer": promotion.layer,
            "commissioned_by": int(promotion.by),
            "width_px": grid.width_px,
            "height_px": grid.height_px,
            "block_px": grid.block_px,
            "promoted": promotion.promoted,
        }
        with self._writing() as connection:
            connection.execute(sa.insert(t.promotions).values(values | {"camera_key": self._key(connection, camera)}))

    def promotions(
        self, camera: CameraId, from_wall_ns: int = 0, to_wall_ns: int = 2**63 - 1, limit: int = 10_000
    ) -> tuple[PromotionRow, ...]:
        """Return the promotions in [from, to), oldest first, `limit` at most."""
        p = t.promotions.c
        query = (
            sa.select(t.promotions)
            .join(t.cameras)
            .where(t.cameras.c.id == camera, p.wall_ns >= from_wall_ns, p.wall_ns < to_wall_ns)
            .order_by(p.wall_ns, p.id)
            .limit(limit)
        )
        with self._reading() as connection:
            return tuple(
                PromotionRow(
                    row.wall_ns,
                    row.epoch,
                    row.blocks,
                    row.layer,
                    row.commissioned_by,
                    row.width_px,
                    row.height_px,
                    row.block_px,
                    bytes(row.promoted),
                )
                for row in connection.execute(query)
            )

    # ---- states

    def add_state(self, camera: CameraId, wall_ns: int, condition: Condition, reason: Reason) -> None:
        """The camera is in `condition` since `wall_ns`."""
        with self._writing() as connection:
            values = {"wall_ns": max(wall_ns, 0), "condition": int(condition), "reason": int(reason)}
            connection.execute(sa.insert(t.camera_states).values(values | {"camera_key": self._key(connection, camera)}))

    def states(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> tuple[StateRow, ...]:
        """Return the one in force at `from`, if one is known, then those in [from, to), in the order they were said."""
        s = t.camera_states.c
        rows = self._state_rows(camera, (s.wall_ns, s.condition, s.reason), from_wall_ns, to_wall_ns).tolist()
        return tuple(StateRow(wall_ns, Condition(condition), Reason(reason)) for wall_ns, condition, reason in rows)

    def last_state(self, camera: CameraId) -> StateRow | None:
        """Return what was said last, whatever the clock said."""
        s = t.camera_states.c
        query = sa.select(s.wall_ns, s.condition, s.reason).join(t.cameras).where(t.cameras.c.id == camera)
        with self._reading() as connection:
            row = connection.execute(query.order_by(s.id.desc()).limit(1)).first()
        return None if row is None else StateRow(row.wall_ns, Condition(row.condition), Reason(row.reason))

    def spans(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int) -> Intervals:
        """Return what the camera was doing in [from, to), which is not empty; kinds are indexes into SPAN_KINDS. Do not ask beyond now: the
        future is a gap."""
        s = t.camera_states.c
        said_ns, conditions, reasons = self._state_rows(camera, (s.wall_ns, s.condition, s.reason), from_wall_ns, to_wall_ns).T
        level = level_for((to_wall_ns - from_wall_ns) // 2000)
        begins_ns, _, _ = self._density_rows(camera, level, from_wall_ns, to_wall_ns)
        known = known_parts(begins_ns, level, from_wall_ns, to_wall_ns)
        return spans_of(said_ns, conditions.astype(np.uint8), reasons.astype(np.uint8), known, from_wall_ns, to_wall_ns)

    # ---- density

    def add_summary(self, camera: CameraId, summary: scene_pb2.Summary) -> None:
        """Ten seconds are over. Saying it again changes nothing; a slot that was cut in two keeps the greater share."""
        self.add_summaries(camera, (summary,))

    def add_summaries(self, camera: CameraId, summaries: Sequence[scene_pb2.Summary]) -> None:
        """As `add_summary`, in one transaction."""
        shares: dict[int, float] = {}
        for summary in summaries:
            begin_ns = max(summary.from_wall_ns, 0) // (LEVELS_S[0] * NS_PER_S) * LEVELS_S[0] * NS_PER_S
            shares[begin_ns] = max(shares.get(begin_ns, 0.0), _covered_share(summary))
        with self._writing() as connection:
            key = self._key(connection, camera)
            for begin_ns, share in shares.items():
                self._put_density(connection, key, LEVELS_S[0], begin_ns, share, 1, keep_greater=True)
            for finer, level in pairwise(LEVELS_S):
                for begin_ns in sorted({begin // (level * NS_PER_S) * level * NS_PER_S for begin in shares}):
                    self._fold_density(connection, key, finer, level, begin_ns)

    def density(self, camera: CameraId, from_wall_ns: int, to_wall_ns: int, bins: int) -> list[float | None]:
        """Return the share covered in each of `bins` equal parts of [from, to), None where nothing is known.

        Raises:
            ValueError: the span is empty, or bins is not 1 to MAX_BINS.
        """
        if to_wall_ns <= from_wall_ns or not 1 <= bins <= MAX_BINS:
            raise ValueError(f"density of [{from_wall_ns}, {to_wall_ns}) in {bins} bins: take a span and 1 to {MAX_BINS} bins")
        level = level_for((to_wall_ns - from_wall_ns) // bins)
        found = bin_shares(*self._density_rows(camera, level, from_wall_ns, to_wall_ns), level, from_wall_ns, to_wall_ns, bins)
        return [None if math.isnan(share) else share for share in found.tolist()]

    def forget_density(self, camera: CameraId, before_wall_ns: int) -> None:
        """Remove what lies wholly before: with the recordings goes what was known of them."""
        d = t.density.c
        with self._writing() as connection:
            key = self._key(connection, camera)
            for level in LEVELS_S:
                last_ns = before_wall_ns - level * NS_PER_S
                connection.execute(
                    sa.delete(t.density).where(d.camera_key == key, d.level_s == level, d.from_wall_ns <= last_ns)
                )

    # ---- accounts

    def has_tokens(self) -> bool:
        """Return whether a token was ever made."""
        with self._reading() as connection:
            return connection.execute(sa.select(t.tokens.c.secret_hash).limit(1)).first() is not None

    def add_token(self, token: TokenRow) -> None:
        """Add a token, by its hash."""
        values = {"secret_hash": token.secret_hash, "name": token.name, "role": token.role}
        with self._writing() as connection:
            connection.execute(sa.insert(t.tokens).values(values | {"created_wall_ns": token.created_wall_ns}))

    def token_by_hash(self, secret_hash: str) -> TokenRow | None:
        """Return the token with this hash."""
        with self._reading() as connection:
            row = connection.execute(sa.select(t.tokens).where(t.tokens.c.secret_hash == secret_hash)).first()
        return None if row is None else TokenRow(row.secret_hash, row.name, row.role, row.created_wall_ns)

    def add_session(self, session: SessionRow) -> None:
        """Add a login; those that ended before it began are removed."""
        s = t.sessions.c
        values = {"secret_hash": session.secret_hash, "name": session.name, "role": session.role}
        values_ns = {"created_wall_ns": session.created_wall_ns, "expires_wall_ns": session.expires_wall_ns}
        with self._writing() as connection:
            connection.execute(sa.delete(t.sessions).where(s.expires_wall_ns <= session.created_wall_ns))
            connection.execute(sa.insert(t.sessions).values(values | values_ns))

    def session_by_hash(self, secret_hash: str) -> SessionRow | None:
        """Return the login with this hash, also one that has ended: who asks compares with his clock."""
        with self._reading() as connection:
            row = connection.execute(sa.select(t.sessions).where(t.sessions.c.secret_hash == secret_hash)).first()
        if row is None:
            return None
        return SessionRow(row.secret_hash, row.name, row.role, row.created_wall_ns, row.expires_wall_ns)

    def drop_session(self, secret_hash: str) -> None:
        """End a login; unknown ones are none."""
        with self._writing() as connection:
            connection.execute(sa.delete(t.sessions).where(t.sessions.c.secret_hash == secret_hash))

    # ---- inside

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error) as error:
            raise StoreError(f"index {self._engine.url.render_as_string()} cannot be read: {_words(error)}") from error

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        try:
            # The lock spares threads of this process the wait for SQLite's own, which is a poll.
            with self._writer, self._engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(f"index {self._engine.url.render_as_string()} cannot be written: {_words(error)}") from error

    def _key(self, connection: sa.Connection, camera: CameraId) -> int:
        """Return a camera's number; one that is not known yet is added, not configured, so that nothing recorded is without."""
        if camera in self._keys:
            return self._keys[camera]
        c = t.cameras.c
        known = connection.execute(sa.select(c.key).where(c.id == camera)).scalar_one_or_none()
        if known is not None:
            self._keys[camera] = int(known)     # committed, and no camera is ever forgotten
            return int(known)
        values = {"id": camera, "name": camera, "place": "", "purpose": "", "controller": "", "configured": False}
        connection.execute(sa.insert(t.cameras).values(values))
        return int(connection.execute(sa.select(c.key).where(c.id == camera)).scalar_one())

    def _put_density(
        self, connection: sa.Connection, key: int, level: int, begin_ns: int, share: float, known: int, keep_greater: bool
    ) -> None:
        identity = {"camera_key": key, "level_s": level, "from_wall_ns": begin_ns}
        values = {"covered_share": share, "known_spans": known}
        if keep_greater:
            found = connection.execute(_DENSITY_FOUND, _bound(identity)).first()
            if found is not None and share <= found.covered_share:
                return
        if not connection.execute(_DENSITY_UPDATE, _bound(identity | values)).rowcount:
            connection.execute(_DENSITY_INSERT, identity | values)

    def _fold_density(self, connection: sa.Connection, key: int, finer: int, level: int, begin_ns: int) -> None:
        """Write a coarse row anew from the finer ones below it."""
        bounds = {"camera_key": key, "level_s": finer, "from_wall_ns": begin_ns, "to_wall_ns": begin_ns + level * NS_PER_S}
        total, known = connection.execute(_DENSITY_FOLD, _bound(bounds)).one()
        share = min(max(float(total) / int(known), 0.0), 1.0)
        self._put_density(connection, key, level, begin_ns, share, int(known), keep_greater=False)

    def _state_rows(
        self, camera: CameraId, columns: tuple[sa.Column[Any], ...], from_wall_ns: int, to_wall_ns: int
    ) -> NDArray[np.int64]:
        """(states, columns); as `states`."""
        s = t.camera_states.c
        of_camera = sa.select(*columns).join(t.cameras).where(t.cameras.c.id == camera)
        before = of_camera.where(s.wall_ns <= from_wall_ns).order_by(s.wall_ns.desc(), s.id.desc()).limit(1)
        since = of_camera.where(s.wall_ns > from_wall_ns, s.wall_ns < to_wall_ns).order_by(s.id)
        with self._reading() as connection:
            return np.concatenate((_numbers(connection, before, np.int64), _numbers(connection, since, np.int64)))

    def _density_rows(
        self, camera: CameraId, level: int, from_wall_ns: int, to_wall_ns: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """Beginnings, shares and known ten-second spans, each (rows,), in order of time."""
        d = t.density.c
        level_ns = level * NS_PER_S
        with self._reading() as connection:
            key = connection.execute(sa.select(t.cameras.c.key).where(t.cameras.c.id == camera)).scalar_one_or_none()
            query = (
                sa.select(d.from_wall_ns // level_ns, d.covered_share, d.known_spans)
                .where(
                    d.camera_key == key,
                    d.level_s == level,
                    d.from_wall_ns > from_wall_ns - level_ns,
                    d.from_wall_ns < to_wall_ns,
                )
                .order_by(d.from_wall_ns)
            )
            numbers, shares, known = _numbers(connection, query, np.float64).T
        return numbers.astype(np.int64) * level_ns, shares, known.astype(np.int64)


def _numbers(connection: sa.Connection, query: sa.Select[*tuple[Any, ...]], dtype: type[Number]) -> NDArray[Number]:
    """(rows, columns), straight from the driver. An object for each of a year's tens of thousands of rows takes four times as long."""
    cursor = connection.execute(query).cursor
    assert cursor is not None
    rows = cast("Iterable[tuple[Number, ...]]", cursor)
    return np.fromiter(chain.from_iterable(rows), dtype).reshape(-1, len(query.selected_columns))


def _recording_query() -> sa.Select[int, str, str, int, int | None, int, int, int]:
    r = t.recordings.c
    columns = (r.id, t.cameras.c.id, r.path, r.from_wall_ns, r.to_wall_ns, r.size_bytes, r.summary_bytes, r.messages)
    return sa.select(*columns).join_from(t.recordings, t.cameras)


def _recording_row(row: sa.Row[int, str, str, int, int | None, int, int, int]) -> RecordingRow:
    return RecordingRow(row[0], CameraId(row[1]), row[2], row[3], row[4], row[5], row[6], row[7])


def _bound(values: Mapping[str, int | float]) -> dict[str, int | float]:
    """Values by the names that the density statements know them by: those of columns mean columns in an update."""
    return {f"its_{name}": value for name, value in values.items()}


def _words(error: Exception) -> str:
    """The database's own words, without the statement and its values."""
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)


def _covered_share(summary: scene_pb2.Summary) -> float:
    grid = summary.grid
    if not summary.covered or not grid.block_px:
        return 0.0
    blocks = -(-grid.width_px // grid.block_px) * -(-grid.height_px // grid.block_px)
    return min(int.from_bytes(summary.covered, "big").bit_count() / blocks, 1.0) if blocks else 0.0


def _listen_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        assert isinstance(connection, sqlite3.Connection)
        connection.isolation_level = None  # transactions begin where `begin` below says, not where the driver guesses
        cursor = connection.cursor()
        # WAL: readers do not wait for the writer. NORMAL: after a loss of power the last transactions may be gone, never half
        # of one; what they said of recordings, check finds on the disk again. FULL would sync for every ten-second row.
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", f"busy_timeout = {BUSY_TIMEOUT_MS}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A transaction that reads first and writes later could not wait for another writer: it must begin as one.
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
