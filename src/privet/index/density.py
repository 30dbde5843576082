"""Density in the index: how much of the picture was covered, by spans of ten seconds, five minutes and two hours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2
from privet.index import tables as t
from privet.index.database import Subject, numbers
from privet.index.timeline import LEVELS_S, bin_shares, level_for

MAX_BINS = 20_000

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


class Density(Subject):
    """Every method may raise StoreError."""

    def add_summary(self, camera: CameraId, summary: scene_pb2.Summary) -> None:
        """Ten seconds are over. Saying it again changes nothing; a slot that was cut in two keeps the greater share."""
        self.add_summaries(camera, (summary,))

    def add_summaries(self, camera: CameraId, summaries: Sequence[scene_pb2.Summary]) -> None:
        """As `add_summary`, in one transaction."""
        shares: dict[int, float] = {}
        for summary in summaries:
            begin_ns = max(summary.from_wall_ns, 0) // (LEVELS_S[0] * NS_PER_S) * LEVELS_S[0] * NS_PER_S
            shares[begin_ns] = max(shares.get(begin_ns, 0.0), _covered_share(summary))
        with self._database.writing() as connection:
            key = self._database.camera_key(connection, camera)
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
        with self._database.reading() as connection:
            rows = _shares(connection, camera, level, from_wall_ns, to_wall_ns)
        found = bin_shares(*rows, level, from_wall_ns, to_wall_ns, bins)
        return [None if math.isnan(share) else share for share in found.tolist()]

    def forget_density(self, camera: CameraId, before_wall_ns: int) -> None:
        """Remove what lies wholly before: with the recordings goes what was known of them."""
        d = t.density.c
        with self._database.writing() as connection:
            key = self._database.camera_key(connection, camera)
            for level in LEVELS_S:
                last_ns = before_wall_ns - level * NS_PER_S
                connection.execute(
                    sa.delete(t.density).where(d.camera_key == key, d.level_s == level, d.from_wall_ns <= last_ns)
                )

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


def recorded_ns(
    connection: sa.Connection, camera: CameraId, level_s: int, from_wall_ns: int, to_wall_ns: int
) -> NDArray[np.int64]:
    """Return, as (rows,), where spans of one level begin that overlap [from, to), in order of time."""
    return numbers(connection, _overlapping(camera, level_s, from_wall_ns, to_wall_ns, _d.from_wall_ns), np.int64)[:, 0]


def _shares(
    connection: sa.Connection, camera: CameraId, level_s: int, from_wall_ns: int, to_wall_ns: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Beginnings, shares and known ten-second spans, each (rows,), in order of time."""
    level_ns = level_s * NS_PER_S
    # The finest rows are many, and each stands for itself alone.
    columns = (_d.from_wall_ns // level_ns, _d.covered_share, *(() if level_s == LEVELS_S[0] else (_d.known_spans,)))
    found = numbers(connection, _overlapping(camera, level_s, from_wall_ns, to_wall_ns, *columns), np.float64)
    known = found[:, 2].astype(np.int64) if len(columns) > 2 else np.ones(len(found), np.int64)
    return found[:, 0].astype(np.int64) * level_ns, found[:, 1], known


def _overlapping(
    camera: CameraId, level_s: int, from_wall_ns: int, to_wall_ns: int, *columns: sa.ColumnElement[Any]
) -> sa.Select[*tuple[Any, ...]]:
    key = sa.select(t.cameras.c.key).where(t.cameras.c.id == camera).scalar_subquery()
    return (
        sa.select(*columns)
        .where(
            _d.camera_key == key,
            _d.level_s == level_s,
            _d.from_wall_ns > from_wall_ns - level_s * NS_PER_S,
            _d.from_wall_ns < to_wall_ns,
        )
        .order_by(_d.from_wall_ns)
    )


def _bound(values: Mapping[str, int | float]) -> dict[str, int | float]:
    """Values by the names that the density statements know them by: those of columns mean columns in an update."""
    return {f"its_{name}": value for name, value in values.items()}


def _covered_share(summary: scene_pb2.Summary) -> float:
    grid = summary.grid
    if not summary.covered or not grid.block_px:
        return 0.0
    blocks = -(-grid.width_px // grid.block_px) * -(-grid.height_px // grid.block_px)
    return min(int.from_bytes(summary.covered, "big").bit_count() / blocks, 1.0) if blocks else 0.0
