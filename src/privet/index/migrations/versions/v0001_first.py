"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cameras",
        sa.Column(
            "key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, comment="known inside the database only"
        ),
        sa.Column("id", sa.String(length=64), nullable=False, comment="as in privet.toml; names its directory"),
        sa.Column("name", sa.String(), nullable=False, comment="shown to people; the id if nothing else is known"),
        sa.Column(
            "place", sa.String(), nullable=False, comment="where it stands; empty for one that only recordings are known of"
        ),
        sa.Column("purpose", sa.String(), nullable=False, comment="what it is for; empty likewise"),
        sa.Column("controller", sa.String(), nullable=False, comment="who answers for it; empty likewise"),
        sa.Column(
            "configured",
            sa.Boolean(),
            nullable=False,
            comment="whether privet.toml still has it; rows are kept as long as recordings are",
        ),
        sa.CheckConstraint("length(id) BETWEEN 1 AND 64", name=op.f("ck_cameras_id_length")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_cameras")),
        sa.UniqueConstraint("id", name=op.f("uq_cameras_id")),
    )
    op.create_table(
        "sessions",
        sa.Column("secret_hash", sa.String(length=64), nullable=False, comment="SHA-256 in hexadecimal of the cookie's value"),
        sa.Column("name", sa.String(), nullable=False, comment="of the token it was opened with"),
        sa.Column("role", sa.String(length=32), nullable=False, comment="of that token"),
        sa.Column("created_wall_ns", sa.BigInteger(), nullable=False),
        sa.Column("expires_wall_ns", sa.BigInteger(), nullable=False, comment="from then on it is worth nothing"),
        sa.CheckConstraint("expires_wall_ns > created_wall_ns", name=op.f("ck_sessions_ends_after_it_begins")),
        sa.CheckConstraint("length(role) BETWEEN 1 AND 32", name=op.f("ck_sessions_role_is_named")),
        sa.CheckConstraint("length(secret_hash) = 64", name=op.f("ck_sessions_hash_is_whole")),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_sessions")),
    )
    op.create_table(
        "tokens",
        sa.Column(
            "secret_hash", sa.String(length=64), nullable=False, comment="SHA-256 in hexadecimal; the token itself is nowhere"
        ),
        sa.Column("name", sa.String(), nullable=False, comment="what its holder is called"),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("created_wall_ns", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("length(role) BETWEEN 1 AND 32", name=op.f("ck_tokens_role_is_named")),
        sa.CheckConstraint("length(secret_hash) = 64", name=op.f("ck_tokens_hash_is_whole")),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_tokens")),
        sa.UniqueConstraint("name", name=op.f("uq_tokens_name")),
    )
    op.create_table(
        "camera_states",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="order of what happened; the wall clock may step",
        ),
        sa.Column("camera_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("wall_ns", sa.BigInteger(), nullable=False, comment="since when"),
        sa.Column("condition", sa.SmallInteger(), nullable=False, comment="Condition of scene.proto"),
        sa.Column("reason", sa.SmallInteger(), nullable=False, comment="Reason of scene.proto"),
        sa.CheckConstraint("condition >= 1", name=op.f("ck_camera_states_condition_is_known")),
        sa.CheckConstraint("reason >= 1", name=op.f("ck_camera_states_reason_is_known")),
        sa.CheckConstraint("wall_ns >= 0", name=op.f("ck_camera_states_is_after_1970")),
        sa.ForeignKeyConstraint(["camera_key"], ["cameras.key"], name=op.f("fk_camera_states_camera_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera_states")),
    )
    op.create_index(op.f("ix_camera_states_camera_key_wall_ns"), "camera_states", ["camera_key", "wall_ns"], unique=False)
    op.create_table(
        "density",
        sa.Column("camera_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("level_s", sa.Integer(), nullable=False, comment="length of the span: 10, 300 or 7200 s"),
        sa.Column("from_wall_ns", sa.BigInteger(), nullable=False, comment="beginning of the span, a multiple of its length"),
        sa.Column(
            "covered_share",
            sa.Float(),
            nullable=False,
            comment="level 10: blocks covered at all; above: mean over the known spans",
        ),
        sa.Column("known_spans", sa.Integer(), nullable=False, comment="level 10: 1; above: how many ten-second spans are known"),
        sa.CheckConstraint("covered_share BETWEEN 0 AND 1", name=op.f("ck_density_share_is_a_share")),
        sa.CheckConstraint("known_spans > 0", name=op.f("ck_density_something_is_known")),
        sa.CheckConstraint("level_s IN (10, 300, 7200)", name=op.f("ck_density_level_is_known")),
        sa.ForeignKeyConstraint(["camera_key"], ["cameras.key"], name=op.f("fk_density_camera_key")),
        sa.PrimaryKeyConstraint("camera_key", "level_s", "from_wall_ns", name=op.f("pk_density")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "promotions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("camera_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("wall_ns", sa.BigInteger(), nullable=False, comment="when the blocks became background"),
        sa.Column("epoch", sa.BigInteger(), nullable=False, comment="of the grid"),
        sa.Column("blocks", sa.Integer(), nullable=False, comment="how many"),
        sa.Column("layer", sa.Integer(), nullable=False, comment="which layer of the background"),
        sa.Column("commissioned_by", sa.SmallInteger(), nullable=False, comment="Commissioning of pipe.proto"),
        sa.Column("width_px", sa.Integer(), nullable=False, comment="the grid"),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("block_px", sa.SmallInteger(), nullable=False),
        sa.Column("promoted", sa.LargeBinary(), nullable=False, comment="bitmap over the grid: which"),
        sa.CheckConstraint("block_px IN (8, 16, 32)", name=op.f("ck_promotions_block_size")),
        sa.CheckConstraint("blocks > 0", name=op.f("ck_promotions_of_some_blocks")),
        sa.CheckConstraint("commissioned_by >= 1", name=op.f("ck_promotions_commissioning_is_known")),
        sa.CheckConstraint("length(promoted) > 0", name=op.f("ck_promotions_bitmap_is_there")),
        sa.CheckConstraint("wall_ns >= 0", name=op.f("ck_promotions_is_after_1970")),
        sa.CheckConstraint(
            "width_px BETWEEN 1 AND 16384 AND height_px BETWEEN 1 AND 16384", name=op.f("ck_promotions_picture_size")
        ),
        sa.ForeignKeyConstraint(["camera_key"], ["cameras.key"], name=op.f("fk_promotions_camera_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotions")),
    )
    op.create_index(op.f("ix_promotions_camera_key_wall_ns"), "promotions", ["camera_key", "wall_ns"], unique=False)
    op.create_table(
        "recordings",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="grows with every recording: the order in which they were begun",
        ),
        sa.Column("camera_key", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("path", sa.String(length=255), nullable=False, comment="below the data directory, with /"),
        sa.Column("from_wall_ns", sa.BigInteger(), nullable=False, comment="smallest log time in it"),
        sa.Column("to_wall_ns", sa.BigInteger(), nullable=True, comment="greatest log time + 1; null while it is being written"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False, comment="of the file; 0 while it is being written"),
        sa.Column("summary_bytes", sa.BigInteger(), nullable=False, comment="of the summaries beside it; 0 likewise"),
        sa.Column("messages", sa.BigInteger(), nullable=False, comment="in it, with those repeated at its head; 0 likewise"),
        sa.CheckConstraint("from_wall_ns >= 0", name=op.f("ck_recordings_from_is_after_1970")),
        sa.CheckConstraint(
            "size_bytes >= 0 AND summary_bytes >= 0 AND messages >= 0", name=op.f("ck_recordings_sizes_are_counts")
        ),
        sa.CheckConstraint("to_wall_ns IS NOT NULL OR size_bytes = 0", name=op.f("ck_recordings_size_is_known_when_closed")),
        sa.CheckConstraint("to_wall_ns IS NULL OR to_wall_ns >= from_wall_ns", name=op.f("ck_recordings_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["camera_key"], ["cameras.key"], name=op.f("fk_recordings_camera_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
        sa.UniqueConstraint("path", name=op.f("uq_recordings_path")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_recordings_camera_key_from_wall_ns"), "recordings", ["camera_key", "from_wall_ns"], unique=False)
