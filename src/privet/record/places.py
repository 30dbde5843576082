"""A recording's summaries turned round, so that "when was something in this polygon?" reads a few bytes of every hour.

Belongs here: the bytes of a `.places` file, the kernels over it, the joining of slots to spans. Does not belong here: opening files
(`archive`), shapes of polygons (`core.polygon`).

The summaries hold for each ten seconds all blocks; a question is about few blocks and many ten seconds. So beside them lies, for each
cell of 4 x 4 blocks in which anything ever was, one bit for each ten seconds. A cell that lies wholly in the polygon answers by itself;
one that the polygon cuts says only which summaries must be looked at. The answer is that of the summaries, block by block.

The file can be had from the summaries at any time: who does not find it, or finds another's, reads those instead.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import zstandard
from numpy.typing import NDArray

from privet.core.clock import NS_PER_MS
from privet.core.errors import WireError
from privet.core.grid import BoolGrid, Grid
from privet.core.pb import scene_pb2 as pb
from privet.core.pieces import Pieces, runs
from privet.core.polygon import Polygon, touched_blocks
from privet.core.reader import STALE_AFTER_NS
from privet.record.force import GridKey, grid_key
from privet.record.summary import SLOT_MS, SLOT_NS

MAGIC = b"PVPLACE1"
CELL_BLOCKS = 4
WATCHED_MS = SLOT_MS - STALE_AFTER_NS // NS_PER_MS
"""Less than this, awake and asleep together, and nobody knows whether nothing was there."""

_MAX_BYTES = 64 * 1024 * 1024
_HEAD = struct.Struct("<II")        # bytes of the summaries that it was made from, groups
_GROUP = struct.Struct("<IIIIII")   # width_px, height_px, block_px, epoch, rows, cells

UNKNOWN, NOTHING, SOMETHING = 0, 1, 2
"""The kinds of an answer's pieces."""


@dataclass(frozen=True, slots=True)
class Group:
    """The summaries of one file and grid, one a row.

    from_wall_ns: int64 (rows,). watched_ms, blind_ms: uint16 (rows,). offsets: uint32 (rows,), where each summary's record begins.
    cells: uint32 (cells,), row-major numbers of the cells that ever held anything, growing. bits: uint8 (cells, ceil(rows / 8)).
    """

    grid: Grid
    from_wall_ns: NDArray[np.int64]
    watched_ms: NDArray[np.uint16]
    blind_ms: NDArray[np.uint16]
    offsets: NDArray[np.uint32]
    cells: NDArray[np.uint32]
    bits: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Asked:
    """A polygon over one grid. blocks: those it touches, (rows, columns); bitmap: the same as an integer, as a summary's `covered`.

    whole, cut: bool (cells,): cells of which every block is touched; of which some are.
    """

    blocks: BoolGrid
    bitmap: int
    whole: NDArray[np.bool_]
    cut: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Slots:
    """What is known of ten seconds each. from_wall_ns: int64 (n,). watched_ms, blind_ms: uint16 (n,). there: bool (n,)."""

    from_wall_ns: NDArray[np.int64]
    watched_ms: NDArray[np.uint16]
    blind_ms: NDArray[np.uint16]
    there: NDArray[np.bool_]


def grid_of(grid: pb.Grid) -> Grid | None:
    """Return a summary's grid; None if it has none, or none that can be."""
    try:
        return Grid(grid.width_px, grid.height_px, grid.block_px, grid.epoch)
    except ValueError:
        return None


def ask(polygon: Polygon, grid: Grid) -> Asked:
    """Lay a polygon over a grid."""
    blocks = touched_blocks(polygon, grid)
    bitmap = int.from_bytes(np.packbits(blocks.reshape(-1)).tobytes(), "big")
    some, untouched = cells_of(blocks), cells_of(~blocks)
    return Asked(blocks, bitmap, some & ~untouched, some & untouched)


def cells_of(blocks: BoolGrid) -> NDArray[np.bool_]:
    """Return, as (cells,) and row-major, which cells hold any of the blocks (rows, columns)."""
    rows, columns = (-(-size // CELL_BLOCKS) * CELL_BLOCKS for size in blocks.shape)
    padded = np.zeros((rows, columns), np.bool_)
    padded[: blocks.shape[0], : blocks.shape[1]] = blocks
    # Ten times as fast as any() over two axes of a view in four.
    across = np.logical_or.reduce([padded[:, start::CELL_BLOCKS] for start in range(CELL_BLOCKS)])
    return np.asarray(np.logical_or.reduce([across[start::CELL_BLOCKS] for start in range(CELL_BLOCKS)]).reshape(-1))


def rows_there(cells: NDArray[np.uint32], bits: NDArray[np.uint8], wanted: NDArray[np.bool_], rows: int) -> NDArray[np.bool_]:
    """Return, as (rows,), in which rows any wanted cell holds something.

    cells: (k,), their numbers. bits: (k, ceil(rows / 8)), most significant bit first. wanted: (all cells,).
    """
    chosen = bits[wanted[cells]]
    if not len(chosen):
        return np.zeros(rows, np.bool_)
    return np.unpackbits(np.bitwise_or.reduce(chosen, axis=0), count=rows).view(np.bool_)


# ---- the file


@dataclass(slots=True)
class _Gathered:
    grid: Grid
    rows: list[tuple[int, int, int, int]] = field(default_factory=list)
    cells: list[bytes] = field(default_factory=list)


class PlacesWriter:
    """Takes a recording's summaries as they are written. Keeps a bit a cell of each (a quarter of a kilobyte for 1080p)."""

    def __init__(self) -> None:
        self._groups: dict[GridKey, _Gathered] = {}

    def add(self, summary: pb.Summary, offset_bytes: int) -> None:
        """Take one summary. offset_bytes: where its record begins in the file of summaries."""
        grid = grid_of(summary.grid)
        if grid is None:
            return
        group = self._groups.setdefault(grid_key(summary.grid), _Gathered(grid))
        times = (min(summary.awake_ms + summary.asleep_ms, SLOT_MS), min(summary.blind_ms, SLOT_MS))
        group.rows.append((summary.from_wall_ns, *times, offset_bytes))
        group.cells.append(np.packbits(cells_of(_blocks(summary, grid))).tobytes() if summary.covered else b"")

    def encode(self, summary_bytes: int) -> bytes:
        """Return the `.places` file for summaries of this many bytes."""
        parts = [_HEAD.pack(summary_bytes, len(self._groups))]
        for group in self._groups.values():
            grid, rows = group.grid, np.array(group.rows, np.int64)
            length = -(-(-(-grid.rows // CELL_BLOCKS) * -(-grid.columns // CELL_BLOCKS)) // 8)
            packed = np.frombuffer(b"".join(cells or bytes(length) for cells in group.cells), np.uint8).reshape(len(rows), length)
            turned = np.unpackbits(packed, axis=1).T
            cells = np.flatnonzero(turned.any(axis=1))
            parts.append(_GROUP.pack(grid.width_px, grid.height_px, grid.block_px, grid.epoch, len(rows), len(cells)))
            columns = zip(rows.T, ("<i8", "<u2", "<u2", "<u4"), strict=True)
            parts += (np.ascontiguousarray(column, dtype).tobytes() for column, dtype in columns)
            parts += (cells.astype("<u4").tobytes(), np.packbits(turned[cells], axis=1).tobytes())
        return MAGIC + zstandard.ZstdCompressor(level=9, write_checksum=True).compress(b"".join(parts))


def decode_places(data: bytes, summary_bytes: int, decompressor: zstandard.ZstdDecompressor) -> list[Group]:
    """Return the groups of a `.places` file.

    Raises:
        WireError: it is none, is damaged, or was not made from summaries of this many bytes.
    """
    if not data.startswith(MAGIC):
        raise WireError("no .places file")
    try:
        frame = memoryview(data)[len(MAGIC) :]
        if zstandard.frame_content_size(frame) > _MAX_BYTES:
            raise WireError("a .places file that is too large")
        body = decompressor.decompress(frame, max_output_size=_MAX_BYTES)
        made_from, count = _HEAD.unpack_from(body)
        if made_from != summary_bytes:
            raise WireError("a .places file of other summaries")
        return list(_groups(body, count))
    except (zstandard.ZstdError, struct.error, ValueError, IndexError) as error:
        raise WireError(f"a .places file that is damaged: {error}") from error


def _groups(body: bytes, count: int) -> Iterator[Group]:
    at = _HEAD.size
    for _ in range(count):
        width_px, height_px, block_px, epoch, rows, cells = _GROUP.unpack_from(body, at)
        at += _GROUP.size
        row_bytes = -(-rows // 8)
        begin, watched, blind = at, at + 8 * rows, at + 10 * rows
        offsets, numbers = at + 12 * rows, at + 16 * rows
        bits = numbers + 4 * cells
        at = bits + cells * row_bytes
        yield Group(
            Grid(width_px, height_px, block_px, epoch),
            np.frombuffer(body, "<i8", rows, begin),
            np.frombuffer(body, "<u2", rows, watched),
            np.frombuffer(body, "<u2", rows, blind),
            np.frombuffer(body, "<u4", rows, offsets),
            np.frombuffer(body, "<u4", cells, numbers),
            np.frombuffer(body, np.uint8, cells * row_bytes, bits).reshape(cells, row_bytes),
        )


def _blocks(summary: pb.Summary, grid: Grid) -> BoolGrid:
    if len(summary.covered) != grid.bitmap_bytes:
        return np.zeros(grid.shape, np.bool_)
    bits = np.unpackbits(np.frombuffer(summary.covered, np.uint8), count=grid.blocks)
    return bits.view(np.bool_).reshape(grid.shape)


# ---- the answer


def slots_of_places(
    groups: Iterable[Group], asked: Callable[[Grid], Asked], summary_at: Callable[[int], pb.Summary | None]
) -> list[Slots]:
    """Answer from a `.places` file. asked: the polygon over a grid. summary_at: by offset, called only where a cell is cut."""
    found: list[Slots] = []
    for group in groups:
        rows = len(group.from_wall_ns)
        there = np.zeros(rows, np.bool_)
        if len(group.cells):
            about = asked(group.grid)
            there = rows_there(group.cells, group.bits, about.whole, rows)
            perhaps = rows_there(group.cells, group.bits, about.cut, rows) & ~there
            for row in np.flatnonzero(perhaps):
                there[row] = _holds(summary_at(int(group.offsets[row])), about)
        found.append(Slots(group.from_wall_ns, group.watched_ms, group.blind_ms, there))
    return found


def slots_of_summaries(summaries: Iterable[pb.Summary], asked: Callable[[Grid], Asked]) -> list[Slots]:
    """Answer from the summaries themselves: the plain reference, and what is done where there is no `.places` file."""
    rows = [
        (summary.from_wall_ns, min(summary.awake_ms + summary.asleep_ms, SLOT_MS), min(summary.blind_ms, SLOT_MS),
         _holds(summary, asked(grid)))
        for summary in summaries if (grid := grid_of(summary.grid)) is not None
    ]
    if not rows:
        return []
    begin, watched, blind, there = np.array(rows, np.int64).T
    return [Slots(begin, watched.astype(np.uint16), blind.astype(np.uint16), there.astype(np.bool_))]


def _holds(summary: pb.Summary | None, about: Asked) -> bool:
    if summary is None or len(summary.covered) != -(-about.blocks.size // 8):
        return False
    return int.from_bytes(summary.covered, "big") & about.bitmap != 0


def pieces_of(slots: Iterable[Slots], from_wall_ns: int, to_wall_ns: int) -> Pieces:
    """Return what is known of [from, to).

    Slots may come in any order; those of the same ten seconds (cut in two where a file or a grid ends) are joined. Something: any of
    the polygon's blocks was covered, and the camera was not blind meanwhile, for then all is covered. Nothing: it was not, and the
    camera was awake or asleep all the time. Unknown: everything else, and where there is no slot.
    """
    parts = list(slots)
    begin = np.concatenate([np.empty(0, np.int64), *(part.from_wall_ns for part in parts)])
    order = slice(None) if bool((begin[1:] >= begin[:-1]).all()) else np.argsort(begin, kind="stable")
    begin = begin[order]
    inside = slice(*np.searchsorted(begin, (from_wall_ns - SLOT_NS + 1, to_wall_ns)).tolist())
    begin = begin[inside]
    if not len(begin):
        return runs(np.array([from_wall_ns, to_wall_ns], np.int64), np.array([UNKNOWN], np.uint8))
    watched = np.concatenate([part.watched_ms for part in parts])[order][inside]
    blind = np.concatenate([part.blind_ms for part in parts])[order][inside] > 0
    there = np.concatenate([part.there for part in parts])[order][inside]
    if not bool((begin[1:] > begin[:-1]).all()):
        begin, watched, blind, there = _merged(begin, watched, blind, there)
    kinds = np.full(len(begin), UNKNOWN, np.uint8)
    kinds[~there & (watched >= WATCHED_MS)] = NOTHING
    kinds[there & ~blind] = SOMETHING
    starts = np.flatnonzero(np.concatenate(([True], (kinds[1:] != kinds[:-1]) | (begin[1:] != begin[:-1] + SLOT_NS))))
    # Each run of slots is followed by what lies between it and the next, which is mostly empty and drops out.
    edges = np.empty(2 * len(starts) + 2, np.int64)
    edges[0], edges[-1] = from_wall_ns, to_wall_ns
    edges[1:-1:2] = begin[starts]
    edges[2:-1:2] = np.minimum(begin[np.append(starts[1:], len(begin)) - 1] + SLOT_NS, np.append(begin[starts[1:]], to_wall_ns))
    between = np.full(2 * len(starts) + 1, UNKNOWN, np.uint8)
    between[1::2] = kinds[starts]
    return runs(np.clip(edges, from_wall_ns, to_wall_ns), between)


def _merged(
    begin: NDArray[np.int64], watched: NDArray[np.uint16], blind: NDArray[np.bool_], there: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.bool_], NDArray[np.bool_]]:
    """Join slots of the same time, in order of time. They are few, one or two an hour: only they are touched."""
    again = np.concatenate(([False], begin[1:] == begin[:-1]))
    first = np.flatnonzero(~again)
    group = np.searchsorted(first, np.flatnonzero(again), side="right") - 1
    times, whole_blind, whole_there = watched[first].astype(np.int64), blind[first], there[first]
    np.add.at(times, group, watched[again])
    np.logical_or.at(whole_blind, group, blind[again])
    np.logical_or.at(whole_there, group, there[again])
    return begin[first], np.minimum(times, SLOT_MS).astype(np.uint16), whole_blind, whole_there


def joined(pieces: Pieces, kind: int, join_ns: int) -> Pieces:
    """Return `pieces` in which all that lies between two of `kind` less than `join_ns` apart is of that kind, too."""
    at = np.flatnonzero(pieces.kinds == kind)
    near = np.flatnonzero(pieces.edges_ns[at[1:]] - pieces.edges_ns[at[:-1] + 1] < join_ns)
    depth = np.zeros(len(pieces.kinds) + 1, np.int64)
    np.add.at(depth, at[near], 1)
    np.add.at(depth, at[near + 1], -1)
    return runs(pieces.edges_ns, np.where(depth[:-1].cumsum() > 0, kind, pieces.kinds).astype(np.uint8))
