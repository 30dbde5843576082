"""The tables, each column explained and constrained. The migrations make them; a test holds the two equal.

Times are whole nanoseconds UTC (`_wall_ns`). Cameras are known by a small number inside the database, by their id outside.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
)

# SQLite numbers rows by itself only if the key is called INTEGER.
RowKey = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

cameras = Table(
    "cameras",
    metadata,
    Column("key", RowKey, primary_key=True, comment="known inside the database only"),
    Column("id", String(64), nullable=False, unique=True, comment="as in privet.toml; names its directory"),
    Column("name", String, nullable=False, comment="shown to people; the id if nothing else is known"),
    Column("place", String, nullable=False, comment="where it stands; empty for one that only recordings are known of"),
    Column("purpose", String, nullable=False, comment="what it is for; empty likewise"),
    Column("controller", String, nullable=False, comment="who answers for it; empty likewise"),
    Column("configured", Boolean, nullable=False, comment="whether privet.toml still has it; rows are kept as long as recordings are"),
    CheckConstraint("length(id) BETWEEN 1 AND 64", name="id_length"),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", RowKey, primary_key=True, comment="grows with every recording: the order in which they were begun"),
    Column("camera_key", RowKey, ForeignKey("cameras.key"), nullable=False),
    Column("path", String(255), nullable=False, unique=True, comment="below the data directory, with /"),
    Column("from_wall_ns", BigInteger, nullable=False, comment="smallest log time in it"),
    Column("to_wall_ns", BigInteger, nullable=True, comment="greatest log time + 1; null while it is being written"),
    Column("size_bytes", BigInteger, nullable=False, comment="of the file; 0 while it is being written"),
    Column("summary_bytes", BigInteger, nullable=False, comment="of the summaries beside it; 0 likewise"),
    Column("messages", BigInteger, nullable=False, comment="in it, with those repeated at its head; 0 likewise"),
    CheckConstraint("from_wall_ns >= 0", name="from_is_after_1970"),
    CheckConstraint("to_wall_ns IS NULL OR to_wall_ns >= from_wall_ns", name="ends_after_it_begins"),
    CheckConstraint("size_bytes >= 0 AND summary_bytes >= 0 AND messages >= 0", name="sizes_are_counts"),
    CheckConstraint("to_wall_ns IS NOT NULL OR size_bytes = 0", name="size_is_known_when_closed"),
    Index(None, "camera_key", "from_wall_ns"),
    # A removed recording's id is never given again: ids stand in addresses.
    sqlite_autoincrement=True,
)

promotions = Table(
    "promotions",
    metadata,
    Column("id", RowKey, primary_key=True),
    Column("camera_key", RowKey, ForeignKey("cameras.key"), nullable=False),
    Column("wall_ns", BigInteger, nullable=False, comment="when the blocks became background"),
    Column("epoch", BigInteger, nullable=False, comment="of the grid"),
    Column("blocks", Integer, nullable=False, comment="how many"),
    Column("layer", Integer, nullable=False, comment="which layer of the background"),
    Column("commissioned_by", SmallInteger, nullable=False, comment="Commissioning of pipe.proto"),
    Column("width_px", Integer, nullable=False, comment="the grid"),
    Column("height_px", Integer, nullable=False),
    Column("block_px", SmallInteger, nullable=False),
    Column("promoted", LargeBinary, nullable=False, comment="bitmap over the grid: which"),
    CheckConstraint("wall_ns >= 0", name="is_after_1970"),
    CheckConstraint("blocks > 0", name="of_some_blocks"),
    CheckConstraint("block_px IN (8, 16, 32)", name="block_size"),
    CheckConstraint("width_px BETWEEN 1 AND 16384 AND height_px BETWEEN 1 AND 16384", name="picture_size"),
    CheckConstraint("length(promoted) > 0", name="bitmap_is_there"),
    CheckConstraint("commissioned_by >= 1", name="commissioning_is_known"),
    Index(None, "camera_key", "wall_ns"),
)

camera_states = Table(
    "camera_states",
    metadata,
    Column("id", RowKey, primary_key=True, comment="order of what happened; the wall clock may step"),
    Column("camera_key", RowKey, ForeignKey("cameras.key"), nullable=False),
    Column("wall_ns", BigInteger, nullable=False, comment="since when"),
    Column("condition", SmallInteger, nullable=False, comment="Condition of scene.proto"),
    Column("reason", SmallInteger, nullable=False, comment="Reason of scene.proto"),
    CheckConstraint("wall_ns >= 0", name="is_after_1970"),
    CheckConstraint("condition >= 1", name="condition_is_known"),
    CheckConstraint("reason >= 1", name="reason_is_known"),
    Index(None, "camera_key", "wall_ns"),
)

density = Table(
    "density",
    metadata,
    Column("camera_key", RowKey, ForeignKey("cameras.key"), primary_key=True),
    Column("level_s", Integer, primary_key=True, comment="length of the span: 10, 300 or 7200 s"),
    Column("from_wall_ns", BigInteger, primary_key=True, comment="beginning of the span, a multiple of its length"),
    Column("covered_share", Float, nullable=False, comment="level 10: blocks covered at all; above: mean over the known spans"),
    Column("known_spans", Integer, nullable=False, comment="level 10: 1; above: how many ten-second spans are known"),
    CheckConstraint("level_s IN (10, 300, 7200)", name="level_is_known"),
    CheckConstraint("covered_share BETWEEN 0 AND 1", name="share_is_a_share"),
    CheckConstraint("known_spans > 0", name="something_is_known"),
    sqlite_with_rowid=False,
)

tokens = Table(
    "tokens",
    metadata,
    Column("secret_hash", String(64), primary_key=True, comment="SHA-256 in hexadecimal; the token itself is nowhere"),
    Column("name", String, nullable=False, comment="what its holder is called"),
    Column("role", String(32), nullable=False),
    Column("created_wall_ns", BigInteger, nullable=False),
    CheckConstraint("length(secret_hash) = 64", name="hash_is_whole"),
    CheckConstraint("length(role) BETWEEN 1 AND 32", name="role_is_named"),
    UniqueConstraint("name"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("secret_hash", String(64), primary_key=True, comment="SHA-256 in hexadecimal of the cookie's value"),
    Column("name", String, nullable=False, comment="of the token it was opened with"),
    Column("role", String(32), nullable=False, comment="of that token"),
    Column("created_wall_ns", BigInteger, nullable=False),
    Column("expires_wall_ns", BigInteger, nullable=False, comment="from then on it is worth nothing"),
    CheckConstraint("length(secret_hash) = 64", name="hash_is_whole"),
    CheckConstraint("expires_wall_ns > created_wall_ns", name="ends_after_it_begins"),
    CheckConstraint("length(role) BETWEEN 1 AND 32", name="role_is_named"),
)
