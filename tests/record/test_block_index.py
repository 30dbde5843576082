"""The block index: the answer is that of the summaries, whatever lies on the disk."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from tests.record.streams import CAMERA, NOON, Bench, Camera

from privet.core.clock import NS_PER_S
from privet.core.errors import StoreError, WireError
from privet.core.grid import Grid
from privet.core.intervals import Intervals
from privet.core.pb import scene_pb2 as pb
from privet.core.polygon import Polygon, touched_blocks
from privet.record.archive import Archive
from privet.record.block_index import (
    Asked,
    BlockIndexWriter,
    ask,
    decode_block_index,
    rows_there,
    slots_of_block_index,
    slots_of_summaries,
    stretches_of,
)
from privet.record.covered import NOTHING, SOMETHING, UNKNOWN, answer_of, joined, runs_of, single
from privet.record.recording import RecordingInfo, block_index_path, summary_path
from privet.record.store import DirectoryStore
from privet.record.summary import SLOT_NS, decode_summaries, encode_summary

corners = st.tuples(st.integers(0, 16), st.integers(0, 16)).map(lambda corner: (corner[0] / 16, corner[1] / 16))
polygons = st.lists(corners, min_size=3, max_size=5).map(lambda points: Polygon(tuple(points)))


@st.composite
def rows(draw: st.DrawFn) -> list[pb.Summary]:
    """Summaries of two grids, in any order, of a few slots; some slots twice."""
    found = []
    at, size_px, epoch, spent = -1, (75, 50), 0, (10_000, 0, 0)
    for _ in range(draw(st.integers(0, 12))):
        at += 1
        if draw(st.booleans()):
            at, size_px, epoch = draw(st.integers(0, 7)), draw(st.sampled_from(((75, 50), (104, 72)))), draw(st.integers(0, 1))
            spent = draw(st.sampled_from(((10_000, 0, 0), (4000, 5000, 0), (9000, 0, 1000), (0, 0, 10_000), (0, 3000, 0))))
        grid = Grid(*size_px, 8, epoch)
        covered = draw(st.sets(st.integers(0, grid.blocks - 1), max_size=3))
        proven = draw(st.none() | st.sets(st.integers(0, grid.blocks - 1)) | st.just(set(range(grid.blocks))))
        found.append(
            pb.Summary(
                from_wall_ns=NOON + at * SLOT_NS, duration_ms=10_000,
                grid=pb.Grid(width_px=grid.width_px, height_px=grid.height_px, block_px=8, epoch=epoch),
                covered=bitmap(covered, grid) if covered else b"", proven=b"" if proven is None else bitmap(proven, grid),
                awake_ms=spent[0], asleep_ms=spent[1], blind_ms=spent[2],
            )
        )
    return found


def bitmap(blocks: set[int], grid: Grid) -> bytes:
    return sum(1 << grid.bitmap_bytes * 8 - 1 - block for block in blocks).to_bytes(grid.bitmap_bytes, "big")


def plain(summaries: list[pb.Summary], polygon: Polygon, from_ns: int, to_ns: int) -> list[int]:
    """Second by second, from the words of `answer_of`."""

    def touched(summary: pb.Summary, bits: bytes) -> int:
        grid = Grid(summary.grid.width_px, summary.grid.height_px)
        blocks = np.flatnonzero(touched_blocks(polygon, grid).reshape(-1)).tolist()
        return sum(bits[block // 8] >> 7 - block % 8 & 1 for block in blocks) if bits else 0

    def all_of(summary: pb.Summary) -> int:
        return touched(summary, b"\xff" * Grid(summary.grid.width_px, summary.grid.height_px).bitmap_bytes)

    shares: list[tuple[int, float]] = []
    for number, summary in enumerate(summaries):
        said = [s.proven for s in summaries[: number + 1] if s.grid == summary.grid and s.proven]
        shares.append((summary.from_wall_ns, touched(summary, said[-1]) / max(1, all_of(summary)) if said else 0.0))
    kinds: list[int] = []
    for at_ns in range(from_ns, to_ns, NS_PER_S):
        ours = [summary for summary in summaries if summary.from_wall_ns <= at_ns < summary.from_wall_ns + SLOT_NS]
        there = any(touched(summary, summary.covered) for summary in ours)
        blind = any(summary.blind_ms for summary in ours)
        watched = sum(summary.awake_ms + summary.asleep_ms for summary in ours) >= 8000
        proven = all(share >= 0.5 for slot_ns, share in shares if slot_ns <= at_ns < slot_ns + SLOT_NS)
        kinds.append(SOMETHING if there and not blind else NOTHING if watched and proven and not there else UNKNOWN)
    return kinds


def in_order(intervals: Intervals, from_ns: int, to_ns: int) -> None:
    assert (intervals.edges_ns[0], intervals.edges_ns[-1]) == (from_ns, to_ns)
    assert (np.diff(intervals.edges_ns) > 0).all()
    assert len(intervals.kinds) == len(intervals.edges_ns) - 1
    assert (np.diff(intervals.kinds.astype(int)) != 0).all()


def by_step(intervals: Intervals, step_ns: int = NS_PER_S) -> list[int]:
    """The kind at every step."""
    return [
        kind
        for (start, end), kind in zip(pairwise(intervals.edges_ns.tolist()), intervals.kinds.tolist(), strict=True)
        for _ in range(start, end, step_ns)
    ]


def same(one: Intervals, other: Intervals) -> bool:
    return bool(np.array_equal(one.edges_ns, other.edges_ns) and np.array_equal(one.kinds, other.kinds))


def written(summaries: list[pb.Summary]) -> tuple[bytes, bytes]:
    """The two files."""
    writer, data = BlockIndexWriter(), b""
    for summary in summaries:
        writer.add(summary)
        data += encode_summary(summary)
    return data, writer.encode(len(data))


@given(rows(), polygons, st.integers(-15, 60), st.integers(1, 100))
def test_both_ways_answer_as_the_summaries_say(summaries: list[pb.Summary], polygon: Polygon, from_s: int, duration_s: int) -> None:
    from_ns = NOON + from_s * NS_PER_S
    to_ns = from_ns + duration_s * NS_PER_S
    expected = plain(summaries, polygon, from_ns, to_ns)

    def asked(grid: Grid) -> Asked:
        return ask(polygon, grid)

    data, encoded = written(summaries)
    decompressor = zstandard.ZstdDecompressor()
    slow = answer_of(slots_of_summaries(summaries, asked), from_ns, to_ns)
    fast = answer_of(slots_of_block_index(decode_block_index(encoded, len(data), decompressor), asked, decompressor), from_ns, to_ns)
    in_order(slow.intervals, from_ns, to_ns)
    assert by_step(slow.intervals) == expected
    assert same(fast.intervals, slow.intervals)
    assert fast.proven_share == slow.proven_share
    assert (slow.proven_share is None) == (set(expected) == {UNKNOWN})


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 2)), min_size=1, max_size=12), st.integers(0, 2), st.integers(0, 20))
def test_what_is_near_is_joined(parts: list[tuple[int, int]], kind: int, join_ns: int) -> None:
    steps = [of for duration, of in parts for _ in range(duration)]
    edges = [0, *(at for at in range(1, len(steps)) if steps[at] != steps[at - 1]), len(steps)]
    intervals = Intervals(np.array(edges), np.array([steps[at] for at in edges[:-1]], np.uint8))
    found = joined(intervals, kind, join_ns)
    in_order(found, 0, len(steps))
    ours = [at for at, of in enumerate(steps) if of == kind]
    expected = list(steps)
    for one, other in pairwise(ours):
        if other - one - 1 < join_ns:
            expected[one:other] = [kind] * (other - one)
    assert by_step(found, 1) == expected


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from((10_000, 9000)), st.sampled_from((0, 700)), st.integers(1, 4)), max_size=8))
def test_rows_are_joined_to_runs_and_taken_apart_again(parts: list[tuple[int, int, int, int]]) -> None:
    rows = [(NOON + (at + n) * SLOT_NS, watched, blind) for at, watched, blind, count in parts for n in range(count)]
    runs = runs_of(rows)
    assert len(runs) <= len(parts)
    assert runs["slots"].sum() == len(rows)
    assert single(runs).tolist() == [(at_ns, 1, watched, blind) for at_ns, watched, blind in rows]


@given(st.integers(1, 20), st.integers(1, 30), st.integers(0, 2**32))
def test_rows_in_which_a_touched_block_is_covered(rows: int, blocks: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    covered, touched = random.random((rows, blocks)) < 0.1, random.random(blocks) < 0.2
    stretches = [(row * blocks + begin, length) for row in range(rows) for begin, length in zip(*stretches_of(covered[row]), strict=True)]
    begins, lengths = np.array(stretches, np.int64).reshape(-1, 2).T
    assert lengths.sum() == covered.sum()
    gaps = np.diff(begins + lengths, prepend=0) - lengths
    before = np.concatenate(([0], touched.cumsum())).astype(np.uint32)
    found = rows_there(gaps.astype(np.uint32), lengths.astype(np.uint32), before, rows)
    assert found.tolist() == (covered & touched).any(axis=1).tolist()


@given(polygons, st.integers(1, 100), st.integers(1, 80))
def test_a_polygon_over_a_grid(polygon: Polygon, width_px: int, height_px: int) -> None:
    grid = Grid(width_px, height_px)
    found, touched = ask(polygon, grid), touched_blocks(polygon, grid).reshape(-1)
    assert np.diff(found.before.astype(int)).tolist() == touched.astype(int).tolist()
    bits = found.bitmap.to_bytes(grid.bitmap_bytes, "big")
    assert np.unpackbits(np.frombuffer(bits, np.uint8), count=grid.blocks).tolist() == touched.astype(int).tolist()


def test_nothing_recorded_is_not_known() -> None:
    answer = answer_of([], 5, 9)
    assert same(answer.intervals, Intervals(np.array([5, 9]), np.array([UNKNOWN], np.uint8)))
    assert answer.proven_share is None


def test_a_places_file_that_is_damaged_or_of_other_summaries_is_refused() -> None:
    camera = Camera()
    data, encoded = written([pb.Summary(from_wall_ns=NOON, duration_ms=10_000, grid=camera.grid(), awake_ms=10_000)])
    decompressor = zstandard.ZstdDecompressor()
    (group,) = decode_block_index(encoded, len(data), decompressor)
    assert group.runs.tolist() == [(NOON, 1, 10_000, 0)]
    for broken in (b"", encoded[:10], encoded[:-1], b"x" + encoded[1:], encoded[:20] + bytes((encoded[20] ^ 1,)) + encoded[21:]):
        with pytest.raises(WireError):
            decode_block_index(broken, len(data), decompressor)
    with pytest.raises(WireError, match="other summaries"):
        decode_block_index(encoded, len(data) + 1, decompressor)


def test_what_does_not_fit_together_is_refused() -> None:
    grid = Grid(104, 72)
    covered = pb.Summary(from_wall_ns=NOON, grid=pb.Grid(width_px=104, height_px=72, block_px=8), covered=bitmap({1, 2, 40}, grid))
    covered.proven = covered.covered
    data, encoded = written([covered])
    decompressor = zstandard.ZstdDecompressor()
    (group,) = decode_block_index(encoded, len(data), decompressor)
    assert (group.gaps.tolist(), group.lengths.tolist()) == ([1, 37], [2, 1])
    too_many = group.runs.copy()
    too_many["slots"] = 2**31
    for broken in (
        replace(group, lengths=np.array([2, 200], np.uint32)), replace(group, gaps=np.array([1, 582], np.uint32)),
        replace(group, runs=too_many), replace(group, proven=((0, b"no frame"),)),
    ):  # fmt: skip
        with pytest.raises(WireError):
            slots_of_block_index([broken], lambda grid: ask(LEFT, grid), decompressor)


def test_of_too_many_stretches_nothing_is_kept() -> None:
    grid = pb.Grid(width_px=104, height_px=72, block_px=8)
    covered = pb.Summary(from_wall_ns=NOON, grid=grid, covered=bitmap({1, 40}, Grid(104, 72)))
    writer = BlockIndexWriter(max_stretches=3)
    writer.add(covered)
    assert writer.encode(5)
    for _ in range(3):
        writer.add(covered)
    assert writer.encode(5) == b""


LEFT = Polygon(((0.0, 0.0), (0.3, 0.0), (0.3, 1.0), (0.0, 1.0)))


def test_what_the_recorder_writes_is_found_also_while_it_is_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench, camera = Bench(tmp_path), Camera(columns=96, rows=72)
    bench.play(camera.busy(NOON, 200, people=1))
    path, end_ns = bench.heard.opened_paths[0], NOON + 190 * NS_PER_S

    def answer(row: RecordingInfo) -> Intervals:
        return Archive(DirectoryStore(tmp_path)).covered([(row.path, row.summary_bytes)], LEFT, NOON, end_ns).intervals

    assert not (tmp_path / block_index_path(path)).exists()
    while_open = answer(RecordingInfo(CAMERA, path, NOON, NOON, 0, 0, 0))
    assert set(while_open.kinds.tolist()) == {SOMETHING, NOTHING}
    bench.core.close()
    (row,) = bench.heard.closed_recordings
    assert same(answer(row), while_open)
    (group,) = decode_block_index((tmp_path / block_index_path(path)).read_bytes(), row.summary_bytes, zstandard.ZstdDecompressor())
    assert single(group.runs)["from_wall_ns"].tolist() == [NOON + n * SLOT_NS for n in range(20)]
    assert len(decode_summaries((tmp_path / summary_path(path)).read_bytes())[0]) == 20
    assert not caplog.text
    (tmp_path / block_index_path(path)).write_bytes(b"PVPLACE2 and then nothing that makes sense")
    assert same(answer(row), while_open)
    assert "passed over" in caplog.text
    caplog.clear()
    (tmp_path / block_index_path(path)).write_bytes(b"")  # there were too many stretches
    assert same(answer(row), while_open)
    assert not caplog.text
    gone = RecordingInfo(CAMERA, "gone.mcap", NOON, end_ns, 5, 5, 5)
    assert answer(gone).kinds.tolist() == [UNKNOWN]


def test_ground_that_is_not_proven_is_not_empty(tmp_path: Path) -> None:
    """Nothing can be seen on it, so nobody knows; once half of it is proven, the answer says how much."""
    bench, camera = Bench(tmp_path), Camera(columns=20, rows=10)
    bench.play([camera.background(NOON, proven=set())])
    bench.play(camera.quiet(NOON, 40))
    bench.play([camera.background(NOON + 40 * NS_PER_S, proven=set(range(150)))])
    bench.play(camera.quiet(NOON + 41 * NS_PER_S, 40))
    bench.core.close()
    (row,) = bench.heard.closed_recordings
    everything = Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
    for name in ("by place", "by the summaries"):
        answer = Archive(DirectoryStore(tmp_path)).covered([(row.path, row.summary_bytes)], everything, NOON, NOON + 80 * NS_PER_S)
        assert by_step(answer.intervals, 10 * NS_PER_S) == [UNKNOWN] * 5 + [NOTHING] * 3, name
        assert answer.proven_share == 0.75, name
        (tmp_path / block_index_path(row.path)).unlink(missing_ok=True)


def test_many_files_are_read_ahead_and_none_is_left_open(tmp_path: Path) -> None:
    """Every third is not there."""
    camera, summaries = Camera(columns=8, rows=1), []
    for number in range(200):
        data, encoded = written([pb.Summary(from_wall_ns=NOON + number * SLOT_NS, grid=camera.grid(), awake_ms=10_000, proven=b"\xff")])
        if number % 3:
            (tmp_path / f"{number}.places").write_bytes(encoded)
        summaries.append((f"{number}.mcap", len(data)))
    before = len(list(Path("/proc/self/fd").iterdir()))
    answer = Archive(DirectoryStore(tmp_path)).covered(summaries, LEFT, NOON, NOON + 200 * SLOT_NS)
    assert by_step(answer.intervals, SLOT_NS) == [NOTHING if number % 3 else UNKNOWN for number in range(200)]
    (tmp_path / "100.places").unlink()
    (tmp_path / "100.places").mkdir()
    with pytest.raises(StoreError, match="cannot be read"):
        Archive(DirectoryStore(tmp_path)).covered(summaries, LEFT, NOON, NOON + 200 * SLOT_NS)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
