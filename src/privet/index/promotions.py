"""Promotions in the index: which blocks became background, when, by whose word."""

from __future__ import annotations

import sqlalchemy as sa

from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.index import tables as t
from privet.index.database import Subject
from privet.index.rows import PromotionRow


class Promotions(Subject):
    """Every method may raise StoreError."""

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
        with self._database.writing() as connection:
            connection.execute(sa.insert(t.promotions).values(values | {"camera_key": self._database.camera_key(connection, camera)}))

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
        with self._database.reading() as connection:
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
