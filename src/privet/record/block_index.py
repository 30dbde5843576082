"""A recording's summaries turned round, so that "when was something in this polygon?" reads a few bytes of every hour.

Belongs here: the bytes of a `.places` file, the kernels over it, the joining of slots to spans. Does not belong here: opening files
(`archive`), shapes of polygons (`core.polygon`).

The summaries hold a bitmap for every ten seconds, each packed by itself; a question is about few blocks and many ten seconds, most of which
hold nothing. So beside them lies, packed together, what is covered as stretches of blocks that follow on another, and what else a question
needs as stretches of time. The answer is that of the summaries, block by block.

The file can be had from the summaries at any time: who does not find it, or finds another's, reads those instead.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import zstandard
from numpy.typing import NDArray

from privet.core.clock import NS_PER_MS
from privet.core.errors import WireError
from privet.core.grid import Grid
from privet.core.intervals import Intervals, runs
from privet.core.pb import scene_pb2 as pb
from privet.core.polygon import Polygon, touched_blocks
from privet.core.reader import STALE_AFTER_NS
from privet.record.stream_state import GridKey, grid_key
from privet.record.summary import SLOT_MS, SLOT_NS

MAGIC = b"PVPLACE2"
WATCHED_MS = SLOT_MS - STALE_AFTER_NS // NS_PER_MS
"""Less than this, awake and asleep together, and nobody knows whether nothing was there."""
LEAST_PROVEN = 0.5
"""Of the polygon's blocks. Only what is proven can be seen to be covered: less, and nobody knows either."""

MAX_STRETCHES = 500_000
"""So many of a recording are kept. A cover is coarse: an hour with a street full of people has a tenth of it."""

_MAX_BYTES = 64 * 1024 * 1024
_MAX_ROWS = 1_000_000               # a recording lasts an hour, which has 360; unless its clock was set to and fro
_HEAD = struct.Struct("<II")        # bytes of the summaries that it was made from, groups
_GROUP = struct.Struct("<7I")       # width_px, height_px, block_px, epoch, runs, stretches, changes of what is proven
_CHANGE = struct.Struct("<II")      # from which row on, bytes
_NONE = np.empty(0, np.uint32)
_grid = lru_cache(64)(Grid)

RUN = np.dtype([("from_wall_ns", "<i8"), ("slots", "<u4"), ("watched_ms", "<u2"), ("blind_ms", "<u2")])
"""Slots on end of which the same is known: an hour in which nothing happens is three or four of them."""
Runs = NDArray[np.void]
"""(n,) of RUN."""

UNKNOWN, NOTHING, SOMETHING = 0, 1, 2
"""The kinds of an answer's pieces."""


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


@dataclass(frozen=True, slots=True)
class Slots:
    """What is known of runs of ten seconds. runs: (n,). there: bool (n,). proven_share: float32 (n,), of the polygon's blocks."""

    runs: Runs
    there: NDArray[np.bool_]
    proven_share: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Answer:
    """pieces: UNKNOWN, NOTHING or SOMETHING. proven_share: of the polygon's blocks, on average while it is either of the latter; None if
    it never is."""

    pieces: Intervals
    proven_share: float | None


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


def runs_of(rows: Sequence[tuple[int, int, int]]) -> Runs:
    """Join rows (from_wall_ns, watched_ms, blind_ms) that follow on another, and of which the same is known."""
    from_ns, watched, blind = np.array(rows, np.int64).reshape(-1, 3).T
    another = (np.diff(from_ns) != SLOT_NS) | (np.diff(watched) != 0) | (np.diff(blind) != 0)
    starts = np.flatnonzero(np.concatenate((np.ones(min(1, len(rows)), np.bool_), another)))
    found = np.empty(len(starts), RUN)
    found["from_wall_ns"], found["watched_ms"], found["blind_ms"] = from_ns[starts], watched[starts], blind[starts]
    found["slots"] = np.diff(starts, append=len(rows))
    return found


def single(runs: Runs) -> Runs:
    """Return the slots of `runs` one by one.

    Raises:
        ValueError: there are far too many.
    """
    slots = runs["slots"].astype(np.int64)
    if slots.sum() > _MAX_ROWS:
        raise ValueError(f"{slots.sum()} rows")
    found = np.repeat(runs, slots)
    found["from_wall_ns"] += SLOT_NS * (np.arange(len(found)) - np.repeat(slots.cumsum() - slots, slots))
    found["slots"] = 1
    return found


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


def answer_of(slots: Iterable[Slots], from_wall_ns: int, to_wall_ns: int) -> Answer:
    """Return what is known of [from, to).

    Slots may come in any order; those of the same ten seconds (cut in two where a file or a grid ends) are joined. Something: any of
    the polygon's blocks was covered, and the camera was not blind meanwhile, for then all is covered. Nothing: it was not, the camera
    was awake or asleep all the time, and half of the polygon was proven. Unknown: everything else, and where there is no slot.
    """
    parts = [part for part in slots if len(part.runs)]
    if not parts:
        return Answer(runs(np.array([from_wall_ns, to_wall_ns], np.int64), np.array([UNKNOWN], np.uint8)), None)
    known = Slots(
        np.frombuffer(b"".join([part.runs.tobytes() for part in parts]), RUN),  # concatenate() takes fifty times as long
        np.concatenate([part.there for part in parts]),
        np.concatenate([part.proven_share for part in parts]),
    )
    if _overlap(known := _in_order(known)):
        known = _once(known)
    begin, slots_of = known.runs["from_wall_ns"], known.runs["slots"].astype(np.int64)
    end = begin + SLOT_NS * slots_of
    kinds = np.full(len(begin), UNKNOWN, np.uint8)
    blind = known.runs["blind_ms"] > 0
    kinds[~known.there & (known.runs["watched_ms"] >= WATCHED_MS) & (known.proven_share >= LEAST_PROVEN)] = NOTHING
    kinds[known.there & ~blind] = SOMETHING
    lasted = np.where(kinds != UNKNOWN, np.maximum(np.minimum(end, to_wall_ns) - np.maximum(begin, from_wall_ns), 0), 0)
    proven_share = float(np.average(known.proven_share, weights=lasted)) if bool(lasted.any()) else None
    starts = np.flatnonzero(np.concatenate(([True], (kinds[1:] != kinds[:-1]) | (begin[1:] != end[:-1]))))
    # Each run of slots is followed by what lies between it and the next, which is mostly empty and drops out.
    edges = np.empty(2 * len(starts) + 2, np.int64)
    edges[0], edges[-1] = from_wall_ns, to_wall_ns
    edges[1:-1:2] = begin[starts]
    edges[2:-1:2] = np.minimum(end[np.append(starts[1:], len(begin)) - 1], np.append(begin[starts[1:]], to_wall_ns))
    between = np.full(2 * len(starts) + 1, UNKNOWN, np.uint8)
    between[1::2] = kinds[starts]
    return Answer(runs(np.clip(edges, from_wall_ns, to_wall_ns), between), proven_share)


def _in_order(slots: Slots) -> Slots:
    begin = slots.runs["from_wall_ns"]
    return slots if bool((begin[1:] >= begin[:-1]).all()) else _chosen(slots, np.argsort(begin, kind="stable"))


def _overlap(slots: Slots) -> bool:
    begin = slots.runs["from_wall_ns"]
    return bool((begin[1:] < begin[:-1] + SLOT_NS * slots.runs["slots"][:-1].astype(np.int64)).any())


def _chosen(slots: Slots, which: NDArray[np.int64]) -> Slots:
    return Slots(slots.runs[which], slots.there[which], slots.proven_share[which])


def _once(slots: Slots) -> Slots:
    """Join slots of the same time. They are few, one or two an hour, and mostly runs of one: only they are touched."""
    begin, lasts = slots.runs["from_wall_ns"], slots.runs["slots"].astype(np.int64)
    overlaps = begin[1:] < begin[:-1] + SLOT_NS * lasts[:-1]
    if bool((overlaps & ((lasts[1:] > 1) | (lasts[:-1] > 1))).any()):
        each = np.repeat(np.arange(len(begin)), lasts)
        slots = _in_order(Slots(single(slots.runs), slots.there[each], slots.proven_share[each]))
        begin = slots.runs["from_wall_ns"]
    again = np.concatenate(([False], begin[1:] == begin[:-1]))
    first = np.flatnonzero(~again)
    group = np.searchsorted(first, np.flatnonzero(again), side="right") - 1
    found = _chosen(slots, first)
    watched = found.runs["watched_ms"].astype(np.int64)
    np.add.at(watched, group, slots.runs["watched_ms"][again])
    found.runs["watched_ms"] = np.minimum(watched, SLOT_MS)
    np.maximum.at(found.runs["blind_ms"], group, slots.runs["blind_ms"][again])
    np.logical_or.at(found.there, group, slots.there[again])
    np.minimum.at(found.proven_share, group, slots.proven_share[again])
    return found


def joined(pieces: Intervals, kind: int, join_ns: int) -> Intervals:
    """Return `pieces` in which all that lies between two of `kind` less than `join_ns` apart is of that kind, too."""
    at = np.flatnonzero(pieces.kinds == kind)
    near = np.flatnonzero(pieces.edges_ns[at[1:]] - pieces.edges_ns[at[:-1] + 1] < join_ns)
    depth = np.zeros(len(pieces.kinds) + 1, np.int64)
    np.add.at(depth, at[near], 1)
    np.add.at(depth, at[near + 1], -1)
    return runs(pieces.edges_ns, np.where(depth[:-1].cumsum() > 0, kind, pieces.kinds).astype(np.uint8))
