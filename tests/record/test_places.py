"""Summaries by place: the answer is that of the summaries, whatever lies on the disk."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from tests.record.streams import CAMERA, NOON, Bench, Camera

from privet.core.clock import NS_PER_S
from privet.core.errors import WireError
from privet.core.grid import Grid
from privet.core.pb import scene_pb2 as pb
from privet.core.pieces import Pieces
from privet.core.polygon import Polygon, touched_blocks
from privet.record.archive import Archive
from privet.record.places import (
    NOTHING,
    SOMETHING,
    UNKNOWN,
    Asked,
    PlacesWriter,
    ask,
    cells_of,
    decode_places,
    joined,
    pieces_of,
    rows_there,
    slots_of_places,
    slots_of_summaries,
)
from privet.record.recording import RecordingInfo, places_path, summary_path
from privet.record.summary import SLOT_NS, decode_summaries, decode_summary_at, encode_summary

corners = st.tuples(st.integers(0, 16), st.integers(0, 16)).map(lambda corner: (corner[0] / 16, corner[1] / 16))
polygons = st.lists(corners, min_size=3, max_size=5).map(lambda points: Polygon(tuple(points)))


@st.composite
def rows(draw: st.DrawFn) -> list[pb.Summary]:
    """Summaries of two grids, in any order, of a few slots; some slots twice."""
    found = []
    for _ in range(draw(st.integers(0, 12))):
        width_px, height_px = draw(st.sampled_from(((75, 50), (104, 72))))
        grid = Grid(width_px, height_px, 8, draw(st.integers(0, 1)))
        covered = draw(st.sets(st.integers(0, grid.blocks - 1), max_size=3))
        bits = sum(1 << grid.bitmap_bytes * 8 - 1 - block for block in covered)
        spent = draw(st.sampled_from(((10_000, 0, 0), (4000, 5000, 0), (9000, 0, 1000), (0, 0, 10_000), (0, 3000, 0))))
        found.append(
            pb.Summary(
                from_wall_ns=NOON + draw(st.integers(0, 7)) * SLOT_NS, duration_ms=10_000,
                grid=pb.Grid(width_px=width_px, height_px=height_px, block_px=8, epoch=grid.epoch),
                covered=bits.to_bytes(grid.bitmap_bytes, "big") if bits else b"",
                awake_ms=spent[0], asleep_ms=spent[1], blind_ms=spent[2],
            )
        )
    return found


def plain(summaries: list[pb.Summary], polygon: Polygon, from_ns: int, to_ns: int) -> list[int]:
    """Second by second, from the words of `pieces_of`."""
    kinds: list[int] = []
    for at_ns in range(from_ns, to_ns, NS_PER_S):
        ours = [summary for summary in summaries if summary.from_wall_ns <= at_ns < summary.from_wall_ns + SLOT_NS]
        there = False
        for summary in ours:
            grid = Grid(summary.grid.width_px, summary.grid.height_px)
            asked = touched_blocks(polygon, grid).reshape(-1)
            bits = summary.covered or bytes(grid.bitmap_bytes)
            there |= any(asked[block] and bits[block // 8] >> 7 - block % 8 & 1 for block in range(grid.blocks))
        blind = any(summary.blind_ms for summary in ours)
        watched = sum(summary.awake_ms + summary.asleep_ms for summary in ours) >= 8000
        kinds.append(SOMETHING if there and not blind else NOTHING if watched and not there else UNKNOWN)
    return kinds


def in_order(pieces: Pieces, from_ns: int, to_ns: int) -> None:
    assert (pieces.edges_ns[0], pieces.edges_ns[-1]) == (from_ns, to_ns)
    assert (np.diff(pieces.edges_ns) > 0).all()
    assert len(pieces.kinds) == len(pieces.edges_ns) - 1
    assert (np.diff(pieces.kinds.astype(int)) != 0).all()


def by_step(pieces: Pieces, step_ns: int = NS_PER_S) -> list[int]:
    """The kind at every step."""
    return [
        kind
        for (start, end), kind in zip(pairwise(pieces.edges_ns.tolist()), pieces.kinds.tolist(), strict=True)
        for _ in range(start, end, step_ns)
    ]


def same(one: Pieces, other: Pieces) -> bool:
    return bool(np.array_equal(one.edges_ns, other.edges_ns) and np.array_equal(one.kinds, other.kinds))


def written(summaries: list[pb.Summary]) -> tuple[bytes, bytes]:
    """The two files."""
    places, data = PlacesWriter(), b""
    for summary in summaries:
        places.add(summary, len(data))
        data += encode_summary(summary)
    return data, places.encode(len(data))


@given(rows(), polygons, st.integers(-15, 60), st.integers(1, 100))
def test_both_ways_answer_as_the_summaries_say(summaries: list[pb.Summary], polygon: Polygon, from_s: int, duration_s: int) -> None:
    from_ns = NOON + from_s * NS_PER_S
    to_ns = from_ns + duration_s * NS_PER_S
    expected = plain(summaries, polygon, from_ns, to_ns)

    def asked(grid: Grid) -> Asked:
        return ask(polygon, grid)

    data, places = written(summaries)
    groups = decode_places(places, len(data), zstandard.ZstdDecompressor())
    slow = pieces_of(slots_of_summaries(summaries, asked), from_ns, to_ns)
    fast = pieces_of(slots_of_places(groups, asked, lambda at: decode_summary_at(data, at, zstandard.ZstdDecompressor())), from_ns, to_ns)
    in_order(slow, from_ns, to_ns)
    assert by_step(slow) == expected
    assert same(fast, slow)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 2)), min_size=1, max_size=12), st.integers(0, 2), st.integers(0, 20))
def test_what_is_near_is_joined(parts: list[tuple[int, int]], kind: int, join_ns: int) -> None:
    steps = [of for duration, of in parts for _ in range(duration)]
    edges = [0, *(at for at in range(1, len(steps)) if steps[at] != steps[at - 1]), len(steps)]
    pieces = Pieces(np.array(edges), np.array([steps[at] for at in edges[:-1]], np.uint8))
    found = joined(pieces, kind, join_ns)
    in_order(found, 0, len(steps))
    ours = [at for at, of in enumerate(steps) if of == kind]
    expected = list(steps)
    for one, other in pairwise(ours):
        if other - one - 1 < join_ns:
            expected[one:other] = [kind] * (other - one)
    assert by_step(found, 1) == expected


@given(st.integers(0, 40), st.integers(1, 30), st.integers(0, 2**32))
def test_rows_in_which_a_wanted_cell_holds_something(count: int, all_cells: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    there, wanted = random.random((all_cells, count)) < 0.1, random.random(all_cells) < 0.3
    cells = np.flatnonzero(there.any(axis=1)).astype(np.uint32)
    found = rows_there(cells, np.packbits(there[cells], axis=1), wanted, count)
    assert found.tolist() == [any(there[cell, row] and wanted[cell] for cell in range(all_cells)) for row in range(count)]


@given(polygons, st.integers(1, 100), st.integers(1, 80))
def test_cells_that_are_whole_and_cells_that_are_cut(polygon: Polygon, width_px: int, height_px: int) -> None:
    grid = Grid(width_px, height_px)
    found = ask(polygon, grid)
    across = -(-grid.columns // 4)
    for cell in range(len(found.whole)):
        row, column = cell // across * 4, cell % across * 4
        part = found.blocks[row : row + 4, column : column + 4]
        assert found.whole[cell] == part.all()
        assert found.cut[cell] == (part.any() and not part.all())
    assert cells_of(found.blocks).tolist() == (found.whole | found.cut).tolist()


def test_nothing_recorded_is_not_known() -> None:
    assert same(pieces_of([], 5, 9), Pieces(np.array([5, 9]), np.array([UNKNOWN], np.uint8)))


def test_a_places_file_that_is_damaged_or_of_other_summaries_is_refused() -> None:
    camera = Camera()
    data, places = written([pb.Summary(from_wall_ns=NOON, duration_ms=10_000, grid=camera.grid(), awake_ms=10_000)])
    decompressor = zstandard.ZstdDecompressor()
    assert len(decode_places(places, len(data), decompressor)) == 1
    for broken in (b"", places[:-1], b"x" + places[1:], places[:-5] + bytes((places[-5] ^ 1,)) + places[-4:]):
        with pytest.raises(WireError):
            decode_places(broken, len(data), decompressor)
    with pytest.raises(WireError, match="other summaries"):
        decode_places(places, len(data) + 1, decompressor)


LEFT = Polygon(((0.0, 0.0), (0.3, 0.0), (0.3, 1.0), (0.0, 1.0)))


def test_what_the_recorder_writes_is_found_also_while_it_is_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench, camera = Bench(tmp_path), Camera(columns=96, rows=72)
    bench.play(camera.busy(NOON, 200, people=1))
    path, end_ns = bench.heard.opened_paths[0], NOON + 190 * NS_PER_S

    def answer(row: RecordingInfo) -> Pieces:
        return Archive().covered(tmp_path, [row], LEFT, NOON, end_ns)

    assert not places_path(tmp_path / path).exists()
    while_open = answer(RecordingInfo(CAMERA, path, NOON, NOON, 0, 0, 0))
    assert set(while_open.kinds.tolist()) == {SOMETHING, NOTHING}
    bench.core.close()
    (row,) = bench.heard.closed_recordings
    assert same(answer(row), while_open)
    (group,) = decode_places(places_path(tmp_path / path).read_bytes(), row.summary_bytes, zstandard.ZstdDecompressor())
    assert group.from_wall_ns.tolist() == [NOON + n * SLOT_NS for n in range(20)]
    assert len(decode_summaries(summary_path(tmp_path / path).read_bytes())[0]) == 20
    assert not caplog.text
    places_path(tmp_path / path).write_bytes(b"PVPLACE1 and then nothing that makes sense")
    assert same(answer(row), while_open)
    assert "passed over" in caplog.text
    gone = RecordingInfo(CAMERA, "gone.mcap", NOON, end_ns, 5, 5, 5)
    assert answer(gone).kinds.tolist() == [UNKNOWN]
