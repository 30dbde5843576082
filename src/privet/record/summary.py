"""Ten seconds in one row: what was covered at all, what could have been seen (the proven blocks), and how long the camera was awake,
asleep, blind or offline.

Belongs here: the fold from messages to `pb.Summary` (pure but for its own state) and the bytes of a `.summary` file. Does not
belong here: files.

A `.summary` file is a row of records: length (varint), then one zstd frame with content size and checksum that holds a Summary.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import zstandard
from google.protobuf.message import DecodeError

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.pb import scene_pb2 as pb
from privet.core.reader import STALE_AFTER_NS
from privet.core.scene import looked_at_seldom
from privet.core.wire import MAX_COVER_NS
from privet.record.stream_state import GridKey, grid_key

SLOT_NS = 10 * NS_PER_S
SLOT_MS = SLOT_NS // NS_PER_MS
LATE_NS = 2 * NS_PER_S
MAX_RECORD_BYTES = 1024 * 1024
_MAX_SUMMARY_BYTES = 8 * 1024 * 1024


@dataclass(slots=True)
class _Slot:
    from_ns: int
    bits: int = 0
    proven: int = 0
    """What was proven all the while so far."""
    spent_ns: dict[int, int] = field(default_factory=dict)


class Summariser:
    """Folds one camera's messages into summaries. A slot begins at a multiple of ten seconds UTC."""

    def __init__(self) -> None:
        self._slot: _Slot | None = None
        self._grid: GridKey | None = None
        self._grid_message: pb.Grid | None = None
        self._session = 0
        self._condition = 0
        self._heard_ns = 0
        self._cover_bits = 0
        self._cover_until_ns = 0
        self._proven = 0
        self._said_proven: int | None = None

    def take(self, message: pb.SceneMessage) -> list[pb.Summary]:
        """Follow one message; return the summaries of the slots that are over by it, oldest first."""
        match message.WhichOneof("kind"):
            case "cover":
                cover = message.cover
                done = self._advance(cover.head, replaces=self._fits(cover))
                if self._fits(cover):           # a new session begins without a grid
                    self._covered(int.from_bytes(cover.bits, "big"), _ends(cover))
                return done
            case "state":
                state = message.state
                done = self._advance(state.head)
                if state.HasField("grid"):
                    done += self._regrid(state.grid)
                self._condition = _condition(state)
                if state.cover_until_wall_ns > state.head.wall_ns:
                    self._covered(self._cover_bits, _held_until(state))
                return done
            case "background":
                background = message.background
                done = self._advance(background.head) + self._regrid(background.grid)
                self._prove(background)
                return done
            case "patch":
                done = self._advance(message.patch.head)
                self._prove_more(message.patch)
                return done
            case "light":
                return self._advance(message.light.head)
            case _:
                return []

    def prime(self, message: pb.SceneMessage) -> None:
        """Know what `message` says without counting it: it is repeated, its time is over."""
        match message.WhichOneof("kind"):
            case "background":
                self._know(message.background.head, message.background.grid)
                self._prove(message.background)
            case "patch":
                self._prove_more(message.patch)
            case "state":
                state = message.state
                self._know(state.head, state.grid if state.HasField("grid") else None)
                self._condition = _condition(state)
                self._cover_until_ns = max(self._cover_until_ns, _held_until(state))
            case "cover" if self._fits(message.cover):
                self._cover_bits = int.from_bytes(message.cover.bits, "big")
                self._cover_until_ns = _ends(message.cover)

    def finish(self) -> list[pb.Summary]:
        """Return the summary of the slot that was begun, if any, and begin anew with the next message."""
        done = [] if self._slot is None else [self._summary(self._slot)]
        self._slot = None
        self._said_proven = None
        return done

    def _advance(self, head: pb.Head, *, replaces: bool = False) -> list[pb.Summary]:
        """replaces: it is a cover, which takes the place of the one before from its first moment on."""
        wall_ns = max(head.wall_ns, 0)
        done: list[pb.Summary] = []
        if head.session != self._session:
            self._session = head.session
            self._condition = 0
            done += self._forget_grid()
        if self._slot is None or wall_ns < self._slot.from_ns - LATE_NS:
            done += self.finish()
            self._slot = self._begin(wall_ns // SLOT_NS * SLOT_NS)
            self._heard_ns = wall_ns
        while wall_ns >= self._slot.from_ns + SLOT_NS:
            end_ns = self._slot.from_ns + SLOT_NS
            self._spend(end_ns)
            done.append(self._summary(self._slot))
            known = max(self._heard_ns + STALE_AFTER_NS, self._cover_until_ns) > end_ns
            self._slot = self._begin(end_ns if known else wall_ns // SLOT_NS * SLOT_NS, wall_ns if replaces else None)
        self._spend(wall_ns)
        self._heard_ns = max(self._heard_ns, wall_ns)
        return done

    def _begin(self, from_ns: int, replaced_ns: int | None = None) -> _Slot:
        """replaced_ns: when another cover takes the last one's place."""
        bits = self._cover_bits if self._cover_until_ns > from_ns and replaced_ns != from_ns else 0
        return _Slot(from_ns, bits, self._proven)

    def _spend(self, until_ns: int) -> None:
        """Credit the time since the last message to the condition that it named, as long as that counts as known."""
        assert self._slot is not None
        start_ns = max(self._heard_ns, self._slot.from_ns)
        end_ns = min(until_ns, self._heard_ns + STALE_AFTER_NS, self._slot.from_ns + SLOT_NS)
        if end_ns > start_ns and self._condition:
            self._slot.spent_ns[self._condition] = self._slot.spent_ns.get(self._condition, 0) + end_ns - start_ns

    def _covered(self, bits: int, until_ns: int) -> None:
        assert self._slot is not None
        self._cover_bits, self._cover_until_ns = bits, until_ns
        self._slot.bits |= bits

    def _prove(self, background: pb.Background) -> None:
        whole = self._grid is not None and len(background.proven) == _bitmap_bytes(self._grid)
        self._proven = int.from_bytes(background.proven, "big") if whole else 0
        if self._slot is not None:
            self._slot.proven &= self._proven

    def _prove_more(self, patch: pb.Patch) -> None:
        """What is proven within a slot was not all the while: it counts from the next one on."""
        if self._grid is not None and patch.epoch == self._grid[3]:
            self._proven |= _promoted(patch, self._grid)

    def _know(self, head: pb.Head, grid: pb.Grid | None) -> None:
        if head.session != self._session:
            self._session = head.session
            self._condition = 0
            self._forget_grid()
        if grid is not None and grid_key(grid) != self._grid:
            self._forget_grid()
            self._set_grid(grid)

    def _fits(self, cover: pb.Cover) -> bool:
        if self._grid is None or cover.epoch != self._grid[3]:
            return False
        return len(cover.bits) == _bitmap_bytes(self._grid)

    def _regrid(self, grid: pb.Grid) -> list[pb.Summary]:
        if grid_key(grid) == self._grid:
            return []
        done = self._forget_grid()
        self._set_grid(grid)
        return done

    def _set_grid(self, grid: pb.Grid) -> None:
        self._grid = grid_key(grid)
        self._grid_message = pb.Grid()
        self._grid_message.CopyFrom(grid)

    def _forget_grid(self) -> list[pb.Summary]:
        """A row has one grid: with another the slot is cut in two rows that begin at the same time."""
        done: list[pb.Summary] = []
        if self._grid is not None and self._slot is not None:
            done.append(self._summary(self._slot))
            self._slot = _Slot(self._slot.from_ns)
        self._grid = None
        self._grid_message = None
        self._cover_bits = self._cover_until_ns = self._proven = 0
        self._said_proven = None
        return done

    def _summary(self, slot: _Slot) -> pb.Summary:
        spent_ms = {condition: ns // NS_PER_MS for condition, ns in slot.spent_ns.items()}
        summary = pb.Summary(
            from_wall_ns=slot.from_ns,
            duration_ms=SLOT_MS,
            grid=self._grid_message,
            awake_ms=spent_ms.get(pb.CONDITION_AWAKE, 0),
            asleep_ms=spent_ms.get(pb.CONDITION_ASLEEP, 0),
            blind_ms=spent_ms.get(pb.CONDITION_BLIND, 0),
            # A camera that is starting shows nothing yet: for who looks back it is as good as offline.
            offline_ms=spent_ms.get(pb.CONDITION_OFFLINE, 0) + spent_ms.get(pb.CONDITION_STARTING, 0),
        )
        if slot.bits and self._grid is not None:
            summary.covered = slot.bits.to_bytes(_bitmap_bytes(self._grid), "big")
        if self._grid is not None and slot.proven != self._said_proven:
            summary.proven = slot.proven.to_bytes(_bitmap_bytes(self._grid), "big")
            self._said_proven = slot.proven
        return summary


def encode_summary(summary: pb.Summary) -> bytes:
    """Return a record of a `.summary` file."""
    frame = zstandard.ZstdCompressor(level=9, write_checksum=True).compress(summary.SerializeToString(deterministic=True))
    return _varint(len(frame)) + frame


def decode_summaries(data: bytes) -> tuple[list[pb.Summary], int]:
    """Return the summaries of a `.summary` file up to the first record that is not in order, and how many bytes they take."""
    summaries: list[pb.Summary] = []
    position = 0
    decompressor = zstandard.ZstdDecompressor()
    while position < len(data):
        length, start = _read_varint(data, position)
        if not 0 < length <= MAX_RECORD_BYTES or start + length > len(data):
            break
        summary = _decode_frame(data[start : start + length], decompressor)
        if summary is None:
            break
        summaries.append(summary)
        position = start + length
    return summaries, position


def merge_summaries(summaries: Iterable[pb.Summary]) -> list[pb.Summary]:
    """Join rows of the same slot and grid (a slot is cut where one file ends and the next begins), in order of time."""
    merged: dict[tuple[int, GridKey], pb.Summary] = {}
    for summary in summaries:
        key = (summary.from_wall_ns, grid_key(summary.grid))
        known = merged.get(key)
        if known is None:
            merged[key] = known = pb.Summary()
            known.CopyFrom(summary)
            continue
        if summary.covered and len(summary.covered) == len(known.covered or summary.covered):
            union = int.from_bytes(known.covered, "big") | int.from_bytes(summary.covered, "big")
            known.covered = union.to_bytes(len(summary.covered), "big")
        if summary.proven and len(summary.proven) == len(known.proven or summary.proven):
            both = int.from_bytes(known.proven or summary.proven, "big") & int.from_bytes(summary.proven, "big")
            known.proven = both.to_bytes(len(summary.proven), "big")
        known.awake_ms = min(SLOT_MS, known.awake_ms + summary.awake_ms)
        known.asleep_ms = min(SLOT_MS, known.asleep_ms + summary.asleep_ms)
        known.blind_ms = min(SLOT_MS, known.blind_ms + summary.blind_ms)
        known.offline_ms = min(SLOT_MS, known.offline_ms + summary.offline_ms)
    return [merged[key] for key in sorted(merged)]


def _ends(cover: pb.Cover) -> int:
    return cover.head.wall_ns + min(cover.duration_ns, MAX_COVER_NS)


def _condition(state: pb.State) -> int:
    """What time is credited to; 0: to nothing. What is looked at once in a GOP only is not known to be empty in between."""
    return 0 if looked_at_seldom(state.condition, state.reason) else int(state.condition)


def _held_until(state: pb.State) -> int:
    """Until when a state says that the last cover holds; a heartbeat speaks for the next two seconds only."""
    return min(state.cover_until_wall_ns, state.head.wall_ns + STALE_AFTER_NS)


def _promoted(patch: pb.Patch, grid: GridKey) -> int:
    """What a patch proves, as a bitmap over the grid; nothing if it does not fit."""
    width_px, height_px, block_px, _ = grid
    columns, rows = -(-width_px // block_px), -(-height_px // block_px)
    fits = patch.column + patch.columns <= columns and patch.row + patch.rows <= rows
    if not fits or len(patch.promoted) != -(-patch.columns * patch.rows // 8):
        return 0
    blocks = np.zeros((rows, columns), np.uint8)
    part = np.unpackbits(np.frombuffer(patch.promoted, np.uint8), count=patch.columns * patch.rows)
    blocks[patch.row : patch.row + patch.rows, patch.column : patch.column + patch.columns] = part.reshape(patch.rows, patch.columns)
    return int.from_bytes(np.packbits(blocks.reshape(-1)).tobytes(), "big")


def _bitmap_bytes(grid: GridKey) -> int:
    width_px, height_px, block_px, _ = grid
    if not block_px:
        return 0
    return -(-(-(-width_px // block_px) * -(-height_px // block_px)) // 8)


def _decode_frame(frame: bytes, decompressor: zstandard.ZstdDecompressor) -> pb.Summary | None:
    try:
        if zstandard.frame_content_size(frame) > _MAX_SUMMARY_BYTES:
            return None
        return pb.Summary.FromString(decompressor.decompress(frame, max_output_size=_MAX_SUMMARY_BYTES))
    except (zstandard.ZstdError, DecodeError):
        return None


def _varint(value: int) -> bytes:
    data = bytearray()
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return (value, position after it); (-1, position) if it does not end within four bytes."""
    value = 0
    for count in range(4):
        if position + count >= len(data):
            break
        byte = data[position + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, position + count + 1
    return -1, position
