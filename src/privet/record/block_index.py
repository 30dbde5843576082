"""The block index: a recording's summaries turned round, so that "when was something in this polygon?" reads a few bytes of every hour.

Belongs here: the bytes of a `.places` file, the kernels over it, the slots of a question. Does not belong here: opening files (`archive`),
what slots come to (`covered`), shapes of polygons (`core.polygon`).

The summaries hold a bitmap for every ten seconds, each packed by itself; a question is about few blocks and many ten seconds, most of which
hold nothing. So beside them lies, packed together, what is covered as stretches of blocks that follow on another, and what else a question
needs as stretches of time. The answer is that of the summaries, block by block.

The file can be had from the summaries at any time: who does not find it, or finds another's, reads those instead.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import zstandard
from numpy.typing import NDArray

from privet.core.errors import WireError
from privet.core.grid import Grid
from privet.core.pb import scene_pb2 as pb
from privet.core.polygon import Polygon, touched_blocks
from privet.record.covered import RUN, Runs, Slots, runs_of, single
from privet.record.stream_state import GridKey, grid_key
from privet.record.summary import SLOT_MS

MAGIC = b"PVPLACE2"
MAX_STRETCHES = 500_000
"""So many of a recording are kept. A cover is coarse: an hour with a street full of people has a tenth of it."""

_MAX_BYTES = 64 * 1024 * 1024
_HEAD = struct.Struct("<II")        # bytes of the summaries that it was made from, groups
_GROUP = struct.Struct("<7I")       # width_px, height_px, block_px, epoch, runs, stretches, changes of what is proven
_CHANGE = struct.Struct("<II")      # from which row on, bytes
_NONE = np.empty(0, np.uint32)
_grid = lru_cache(64)(Grid)


@dataclass(frozen=True, slots=True)
class Group:
    """The summaries of one file and grid. Each is a row: `runs` says of when.

    gaps, lengths: uint32 (stretches,), of blocks that are covered. They lie on one line, row after row and each row-major, so row r begins
    at r times the grid's blocks; a gap is what lies between a stretch and the one before. None reaches from one row into the next.
    proven: from which row on which blocks were proven: a bitmap over the grid, as a zstd frame.
    """

    grid: Grid
    runs: Runs
    gaps: NDArray[np.uint32]
    lengths: NDArray[np.uint32]
    proven: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A polygon over one grid. bitmap: the blocks that it touches, as an integer, as a summary's `covered`.

    before: uint32 (blocks + 1,): how many of them come before each block, row-major. shares: of the polygon's blocks, what a bitmap of
    proven ones comes to, by its zstd frame: from hour to hour it is the same.
    """

    bitmap: int
    before: NDArray[np.uint32]
    shares: dict[bytes, float] = field(default_factory=dict)

    def proven_share(self, proven: bytes) -> float:
        """Of the polygon's blocks, as a bitmap over the grid says; 0 of a polygon that touches none."""
        return (int.from_bytes(proven, "big") & self.bitmap).bit_count() / max(1, self.bitmap.bit_count())


def grid_of(grid: pb.Grid) -> Grid | None:
    """Return a summary's grid; None if it has none, or none that can be."""
    try:
        return Grid(grid.width_px, grid.height_px, grid.block_px, grid.epoch)
    except ValueError:
        return None


def ask(polygon: Polygon, grid: Grid) -> Asked:
    """Lay a polygon over a grid."""
    touched = touched_blocks(polygon, grid).reshape(-1)
    bitmap = int.from_bytes(np.packbits(touched).tobytes(), "big")
    return Asked(bitmap, np.concatenate(([0], touched.cumsum())).astype(np.uint32))


def stretches_of(blocks: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where blocks (n,) that are covered begin and how many follow on another, each (stretches,)."""
    edges = np.flatnonzero(np.diff(blocks, prepend=False, append=False))
    return edges[::2], edges[1::2] - edges[::2]


def rows_there(gaps: NDArray[np.uint32], lengths: NDArray[np.uint32], before: NDArray[np.uint32], rows: int) -> NDArray[np.bool_]:
    """Return, as (rows,), in which rows any block is covered that the polygon touches. gaps, lengths: as `Group`. before: as `Asked`."""
    begin = (gaps + lengths).cumsum(dtype=np.int64) - lengths
    row, block = np.divmod(begin, len(before) - 1)
    there = np.zeros(rows, np.bool_)
    there[row[before[block + lengths] != before[block]]] = True
    return there


# ---- the file


@dataclass(slots=True)
class _Gathered:
    grid: Grid
    rows: list[tuple[int, int, int]] = field(default_factory=list)
    begins: list[NDArray[np.int64]] = field(default_factory=list)
    lengths: list[NDArray[np.uint32]] = field(default_factory=list)
    proven: list[tuple[int, bytes]] = field(default_factory=list)


class BlockIndexWriter:
    """Takes a recording's summaries as they are written. Keeps twelve bytes of each stretch, `max_stretches` in all."""

    def __init__(self, max_stretches: int = MAX_STRETCHES) -> None:
        self._max_stretches = max_stretches
        self._groups: dict[GridKey, _Gathered] = {}
        self._stretches = 0

    def add(self, summary: pb.Summary) -> None:
        """Take one summary."""
        grid = grid_of(summary.grid)
        if grid is None or self._stretches > self._max_stretches:
            return
        group = self._groups.setdefault(grid_key(summary.grid), _Gathered(grid))
        if len(summary.proven) == grid.bitmap_bytes:
            group.proven.append((len(group.rows), summary.proven))
        if len(summary.covered) == grid.bitmap_bytes:
            begins, lengths = stretches_of(np.unpackbits(np.frombuffer(summary.covered, np.uint8), count=grid.blocks).view(np.bool_))
            group.begins.append(begins + len(group.rows) * grid.blocks)
            group.lengths.append(lengths.astype(np.uint32))
            self._stretches += len(begins)
            if self._stretches > self._max_stretches:
                self._groups.clear()
                return
        group.rows.append(_row(summary))

    def encode(self, summary_bytes: int) -> bytes:
        """Return the `.places` file for summaries of this many bytes; nothing if there were too many stretches."""
        if self._stretches > self._max_stretches:
            return b""
        compressor = zstandard.ZstdCompressor(level=9, write_checksum=True)
        parts: list[bytes] = [_HEAD.pack(summary_bytes, len(self._groups))]
        for group in self._groups.values():
            grid, times = group.grid, runs_of(group.rows)
            begins = np.concatenate([np.empty(0, np.int64), *group.begins])
            lengths = np.concatenate([np.empty(0, np.uint32), *group.lengths])
            gaps = np.diff(begins + lengths, prepend=0) - lengths
            sizes = (grid.width_px, grid.height_px, grid.block_px, grid.epoch, len(times), len(lengths), len(group.proven))
            parts += (_GROUP.pack(*sizes), times.tobytes(), gaps.astype("<u4").tobytes(), lengths.astype("<u4").tobytes())
            frames = [(from_row, compressor.compress(proven)) for from_row, proven in group.proven]
            parts += (_CHANGE.pack(from_row, len(frame)) + frame for from_row, frame in frames)
        return MAGIC + compressor.compress(b"".join(parts))


def decode_block_index(data: bytes, summary_bytes: int, decompressor: zstandard.ZstdDecompressor) -> list[Group]:
    """Return the groups of a `.places` file.

    Raises:
        WireError: it is none, is damaged, or was not made from summaries of this many bytes.
    """
    if not data.startswith(MAGIC):
        raise WireError("no .places file")
    try:
        body = _decompressed(memoryview(data)[len(MAGIC) :], decompressor)
        made_from, count = _HEAD.unpack_from(body)
        if made_from != summary_bytes:
            raise WireError("a .places file of other summaries")
        return list(_groups(body, count))
    except (zstandard.ZstdError, struct.error, ValueError, IndexError) as error:
        raise WireError(f"a .places file that is damaged: {error}") from error


def _decompressed(frame: memoryview, decompressor: zstandard.ZstdDecompressor) -> bytes:
    if zstandard.frame_content_size(frame) > _MAX_BYTES:
        raise WireError("a .places file that is too large")
    return decompressor.decompress(frame, max_output_size=_MAX_BYTES)


def _groups(body: bytes, count: int) -> Iterator[Group]:
    at = _HEAD.size
    for _ in range(count):
        width_px, height_px, block_px, epoch, runs, stretches, changes = _GROUP.unpack_from(body, at)
        begin = at + _GROUP.size
        gaps = begin + RUN.itemsize * runs
        lengths = gaps + 4 * stretches
        at = lengths + 4 * stretches
        proven = []
        for _ in range(changes):
            from_row, length = _CHANGE.unpack_from(body, at)
            at += _CHANGE.size + length
            proven.append((from_row, body[at - length : at]))
        if at > len(body):
            raise ValueError("it is cut short")
        yield Group(
            _grid(width_px, height_px, block_px, epoch),
            np.frombuffer(body, RUN, runs, begin),
            np.frombuffer(body, "<u4", stretches, gaps) if stretches else _NONE,
            np.frombuffer(body, "<u4", stretches, lengths) if stretches else _NONE,
            tuple(proven),
        )


# ---- the answer


def slots_of_block_index(groups: Iterable[Group], asked: Callable[[Grid], Asked], decompressor: zstandard.ZstdDecompressor) -> list[Slots]:
    """Answer from a `.places` file. asked: the polygon over a grid.

    Raises:
        WireError: it is damaged.
    """
    found: list[Slots] = []
    for group in groups:
        runs, about = group.runs, asked(group.grid)
        try:
            if len(group.lengths) or len(group.proven) != 1 or group.proven[0][0]:
                runs = single(runs)
            there = rows_there(group.gaps, group.lengths, about.before, len(runs)) if len(group.lengths) else np.zeros(len(runs), np.bool_)
            share = np.zeros(len(runs), np.float32)
            for from_row, frame in group.proven:
                share[from_row:] = _proven_share(frame, about, decompressor)
        except (zstandard.ZstdError, ValueError, IndexError) as error:
            raise WireError(f"a .places file that is damaged: {error}") from error
        found.append(Slots(runs, there, share))
    return found


def _proven_share(frame: bytes, about: Asked, decompressor: zstandard.ZstdDecompressor) -> float:
    share = about.shares.get(frame)
    if share is None:
        share = about.shares[frame] = about.proven_share(_decompressed(memoryview(frame), decompressor))
    return share


def slots_of_summaries(summaries: Iterable[pb.Summary], asked: Callable[[Grid], Asked]) -> list[Slots]:
    """Answer from one file's summaries themselves: the plain reference, and what is done where there is no `.places` file."""
    rows, there, shares = [], [], []
    share: dict[GridKey, float] = {}
    for summary in summaries:
        grid = grid_of(summary.grid)
        if grid is None:
            continue
        about, key = asked(grid), grid_key(summary.grid)
        if len(summary.proven) == grid.bitmap_bytes:
            share[key] = about.proven_share(summary.proven)
        rows.append(_row(summary))
        there.append(_holds(summary, grid, about))
        shares.append(share.get(key, 0.0))
    return [Slots(single(runs_of(rows)), np.array(there, np.bool_), np.array(shares, np.float32))]


def _row(summary: pb.Summary) -> tuple[int, int, int]:
    return summary.from_wall_ns, min(summary.awake_ms + summary.asleep_ms, SLOT_MS), min(summary.blind_ms, SLOT_MS)


def _holds(summary: pb.Summary, grid: Grid, about: Asked) -> bool:
    return len(summary.covered) == grid.bitmap_bytes and int.from_bytes(summary.covered, "big") & about.bitmap != 0
