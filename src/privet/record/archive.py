"""Reads recordings, closed and open alike: what was in force, what came then, thinned for scrubbing; and the summaries.

Belongs here: which chunks to read and which messages to hand on. Does not belong here: bytes (`scan`), files (`store`), rows
(`index`), pictures.

Files are read in the order they were begun, messages in the order they lie in: wall time is a filter, not an order, because it may
step. A message counts as of its log time; one that a file repeats at its head has that of the file's beginning.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

import zstandard
from google.protobuf.message import DecodeError

from privet.core.clock import NS_PER_MS
from privet.core.errors import StoreError, WireError
from privet.core.grid import Grid
from privet.core.pb import scene_pb2 as pb
from privet.core.polygon import Polygon
from privet.record import scan
from privet.record.block_index import Asked, ask, decode_block_index, slots_of_block_index, slots_of_summaries
from privet.record.covered import Answer, Slots, answer_of
from privet.record.recording import OpenRecording, RecordingFile, block_index_path, summary_path
from privet.record.scan import ChunkRef, Entry
from privet.record.store import ReadStore, StoredFile
from privet.record.stream_state import StreamState
from privet.record.summary import decode_summaries, merge_summaries

_log = logging.getLogger(__name__)

_PICTURES = scan.BACKGROUND | scan.PATCH
_THINNED = (scan.COVER, scan.LIGHT, scan.STATE)
_CACHED_FILES = 64


class Row(Protocol):
    """What the index knows of a recording: its RecordingRow fits."""

    @property
    def id(self) -> int: ...

    @property
    def path(self) -> str: ...


def recording_files(rows: Iterable[Row], open_recordings: Iterable[OpenRecording] = ()) -> tuple[RecordingFile, ...]:
    """Return where to read the recordings of `rows`; for those being written, as far as `open_recordings` says they are."""
    written = {recording.info.path: recording for recording in open_recordings}
    return tuple(
        RecordingFile(row.path, row.id, written[row.path].chunk_indexes if row.path in written else None)
        for row in rows
    )


@dataclass(slots=True)
class _Thinning:
    """At most one message a step. A step that time runs through again, after the clock stepped back, counts again."""

    from_ns: int
    step_ns: int
    due_ns: dict[int, int] = field(default_factory=dict)

    def wants(self, topic: int, log_ns: int) -> bool:
        due_ns = self.due_ns.get(topic)
        return due_ns is None or log_ns >= due_ns or log_ns < due_ns - self.step_ns

    def wants_any(self, chunk: ChunkRef) -> bool:
        if chunk.topics & _PICTURES:
            return True
        for topic in _THINNED:
            if chunk.topics & topic:
                due_ns = self.due_ns.get(topic)
                if due_ns is None or chunk.last_ns >= due_ns or chunk.first_ns < due_ns - self.step_ns:
                    return True
        return False

    def sent(self, entry: Entry) -> None:
        self.due_ns[entry.topic] = self.from_ns + ((entry.log_ns - self.from_ns) // self.step_ns + 1) * self.step_ns


class Archive:
    """Safe from several threads. Keeps the indexes of the files that were read last."""

    def __init__(self, store: ReadStore) -> None:
        self._store = store
        self._cache: OrderedDict[tuple[str, str], tuple[ChunkRef, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def scenes(
        self, files: Sequence[RecordingFile], from_wall_ns: int, to_wall_ns: int, step_ns: int = 0
    ) -> Iterator[pb.SceneMessage]:
        """Yield what was in force at `from`, then the messages in [from, to).

        In force: background, patches, light, cover, state, in the order a reader takes them. Files that are gone are skipped, and so
        are chunks that are damaged. With step_ns at most one cover, one light and one state a step (the first of it);
        backgrounds and patches always. What a reader knows already (a file repeats at its head what is in force) is left out.

        Raises:
            StoreError: a file cannot be read.
        """
        known = StreamState()
        before: StreamState | None = None
        thinning = _Thinning(from_wall_ns, step_ns) if step_ns > 0 else None
        for file in sorted(files, key=lambda file: file.order):
            try:
                with closing(self._store.open(file.path)) as stream:
                    reading = _Reading(stream, file.path, self._chunks(file, stream), from_wall_ns, to_wall_ns)
                    # What was in force when the span began, as far as this file knows.
                    before = reading.in_force() or before
                    for entry, message in reading.messages(thinning):
                        if before is not None:
                            yield from (held for held in before.messages() if known.take(held))
                            before = None
                        if known.take(message):
                            if thinning is not None:
                                thinning.sent(entry)
                            yield message
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreError(f"recording {file.path} cannot be read: {error.strerror}") from error
        if before is not None:
            yield from (held for held in before.messages() if known.take(held))

    def summaries(self, files: Sequence[RecordingFile], from_wall_ns: int, to_wall_ns: int) -> list[pb.Summary]:
        """Return the summaries whose slots overlap [from, to), in order of time; a slot cut in two is joined.

        Raises:
            StoreError: a file cannot be read.
        """
        found: list[pb.Summary] = []
        for file in files:
            path = summary_path(file.path)
            try:
                rows, _ = decode_summaries(self._store.read(path))
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StoreError(f"summaries {path} cannot be read: {error.strerror}") from error
            found += (
                row
                for row in rows
                if row.from_wall_ns < to_wall_ns and row.from_wall_ns + row.duration_ms * NS_PER_MS > from_wall_ns
            )
        return merge_summaries(found)

    def covered(self, summaries: Iterable[tuple[str, int]], polygon: Polygon, from_wall_ns: int, to_wall_ns: int) -> Answer:
        """Return when something was in `polygon`, when nothing, and when nobody knows, of [from, to).

        Taken from the summaries, so to ten seconds; `covered.answer_of` says what each kind means. Files that are gone are skipped.
        summaries: of each recording its path, and the bytes of its summaries, 0 while it is written.

        Raises:
            StoreError: a file cannot be read.
        """
        over: dict[Grid, Asked] = {}
        decompressor = zstandard.ZstdDecompressor()

        def asked(grid: Grid) -> Asked:
            if grid not in over:
                over[grid] = ask(polygon, grid)
            return over[grid]

        found: list[Slots] = []
        rows = list(summaries)
        try:
            with closing(self._store.read_each([block_index_path(path) for path, _ in rows])) as files:
                for (path, summary_bytes), data in zip(rows, files, strict=True):
                    try:
                        found += _slots_of(self._store, path, data, summary_bytes, asked, decompressor)
                    except FileNotFoundError:
                        continue
        except OSError as error:
            raise StoreError(f"summaries cannot be read: {error}") from error
        return answer_of(found, from_wall_ns, to_wall_ns)

    def _chunks(self, file: RecordingFile, stream: StoredFile) -> tuple[ChunkRef, ...]:
        try:
            if file.chunk_indexes is not None:
                return tuple(scan.parse_chunk_indexes(file.chunk_indexes))
            key = (file.path, stream.tag)
            with self._lock:
                if key in self._cache:
                    self._cache.move_to_end(key)
                    return self._cache[key]
            indexed = scan.read_index(stream)
            chunks = scan.scan(stream).chunks if indexed is None else tuple(indexed)
        except WireError as error:
            _log.warning("%s is left out: %s", file.path, error)
            return ()
        with self._lock:
            self._cache[key] = chunks
            while len(self._cache) > _CACHED_FILES:
                self._cache.popitem(last=False)
        return chunks


def _slots_of(
    store: ReadStore, path: str, block_index: bytes, summary_bytes: int, asked: Callable[[Grid], Asked],
    decompressor: zstandard.ZstdDecompressor,
) -> list[Slots]:
    """block_index: nothing where there is no such file: it is being written, or held too much. Raises OSError."""
    if block_index:
        try:
            return slots_of_block_index(decode_block_index(block_index, summary_bytes, decompressor), asked, decompressor)
        except WireError as error:
            _log.warning("%s is passed over: %s", block_index_path(path), error)
    return slots_of_summaries(decode_summaries(store.read(summary_path(path)))[0], asked)


class _Reading:
    """One file, read for one span."""

    def __init__(
        self, stream: StoredFile, path: str, chunks: tuple[ChunkRef, ...], from_ns: int, to_ns: int
    ) -> None:
        self._stream = stream
        self._path = path
        self._from_ns = from_ns
        self._to_ns = to_ns
        self._chunks = chunks
        inside = [n for n, chunk in enumerate(chunks) if chunk.last_ns >= from_ns and chunk.first_ns < to_ns]
        # [0, first) comes before the span, [first, last] has messages in it or between such.
        self._first = inside[0] if inside else sum(chunk.first_ns < from_ns for chunk in chunks)
        self._last = inside[-1] if inside else self._first - 1

    def in_force(self) -> StreamState | None:
        """Return what the messages before the span amount to; None if there are none."""
        known_before = StreamState()
        taken = 0
        for chunk in self._needed_before():
            for entry, message in self._read(chunk, None):
                if entry.log_ns >= self._from_ns:
                    break  # what follows in this chunk comes when the span is read
                taken += 1
                known_before.take(message)
        return known_before if taken else None

    def messages(self, thinning: _Thinning | None) -> Iterator[tuple[Entry, pb.SceneMessage]]:
        """Yield the messages of the span, in the file's order.

        A picture that lies between them is yielded whatever its time: a clock that stepped must not make it go missing.
        """
        held: list[tuple[Entry, pb.SceneMessage]] = []
        for chunk in self._chunks[self._first : self._last + 1]:
            overlaps = chunk.last_ns >= self._from_ns and chunk.first_ns < self._to_ns
            if not (overlaps or chunk.topics & _PICTURES) or (thinning is not None and not thinning.wants_any(chunk)):
                continue
            for entry, message in self._read(chunk, thinning):
                if self._from_ns <= entry.log_ns < self._to_ns:
                    yield from held
                    held.clear()
                    yield entry, message
                elif entry.topic & _PICTURES:
                    held.append((entry, message))

    def _needed_before(self) -> list[ChunkRef]:
        """Return the chunks that can hold something still in force when the span begins: all pictures, the last of the others."""
        needed: list[ChunkRef] = []
        missing = scan.COVER | scan.LIGHT | scan.STATE
        for chunk in reversed(self._chunks[: self._first]):
            if chunk.topics & (_PICTURES | missing):
                needed.append(chunk)
                missing &= ~chunk.topics
        needed.reverse()
        # The chunk in which the span begins may hold messages from before it.
        return needed + [chunk for chunk in self._chunks[self._first : self._first + 1] if chunk.first_ns < self._from_ns]

    def _read(self, chunk: ChunkRef, thinning: _Thinning | None) -> Iterator[tuple[Entry, pb.SceneMessage]]:
        try:
            for entry in scan.entries(scan.read_chunk(self._stream, chunk)):
                if thinning is None or entry.topic & _PICTURES or thinning.wants(entry.topic, entry.log_ns):
                    yield entry, pb.SceneMessage.FromString(entry.data)
        except (WireError, DecodeError) as error:
            _log.warning("%s: the chunk at %d is left out: %s", self._path, chunk.offset_bytes, error)
