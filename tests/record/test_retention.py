"""What is removed, as properties of the plan; and that files go before rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tests.record.streams import NOON, Bench, Camera

from privet.core.ids import CameraId
from privet.record.recording import summary_path
from privet.record.retention import Removal, Why, plan_retention, remove
from privet.record.store import DirectoryStore


@dataclass(frozen=True)
class Row:
    id: int
    camera: CameraId
    path: str
    from_wall_ns: int
    to_wall_ns: int | None
    size_bytes: int
    summary_bytes: int = 0


@st.composite
def kept(draw: st.DrawFn) -> list[Row]:
    rows = []
    for number in range(draw(st.integers(0, 12))):
        from_ns = draw(st.integers(0, 1000))
        to_ns = draw(st.one_of(st.none(), st.integers(from_ns, 1200)))
        size = 0 if to_ns is None else draw(st.integers(0, 100))
        rows.append(Row(number + 1, CameraId(draw(st.sampled_from("ab"))), f"{number}", from_ns, to_ns, size))
    return rows


bounds = st.tuples(st.integers(0, 2000), st.integers(1, 500), st.integers(0, 400))


@given(kept(), bounds)
def test_the_plan(rows: list[Row], bound: tuple[int, int, int]) -> None:
    now_ns, retention_ns, quota_bytes = bound
    plan = plan_retention(rows, now_ns, retention_ns, quota_bytes)
    by_path = {row.path: row for row in rows}
    removed = {removal.path for removal in plan}
    assert len(removed) == len(plan)
    remaining = [row for row in rows if row.path not in removed]
    # Never one that is being written; never too little; never too much.
    assert all(by_path[path].to_wall_ns is not None for path in removed)
    assert not [row for row in remaining if row.to_wall_ns is not None and row.to_wall_ns <= now_ns - retention_ns]
    total = sum(row.size_bytes + row.summary_bytes for row in remaining)
    closed = [row for row in remaining if row.to_wall_ns is not None]
    assert quota_bytes == 0 or total <= quota_bytes or not closed
    for removal in plan:
        row = by_path[removal.path]
        assert row.to_wall_ns is not None
        match removal.why:
            case Why.AGE:
                assert row.to_wall_ns <= now_ns - retention_ns
            case Why.CLOCK:
                assert row.to_wall_ns > now_ns
            case Why.QUOTA:
                assert quota_bytes > 0
    by_quota = [removal for removal in plan if removal.why is Why.QUOTA]
    if by_quota:
        # The last one was needed, and nothing older was left in its place.
        assert total + by_quota[-1].size_bytes > quota_bytes
        assert all((row.to_wall_ns or 0) >= by_quota[-1].to_wall_ns for row in closed)


@given(kept(), bounds)
def test_the_plan_once_carried_out_is_empty(rows: list[Row], bound: tuple[int, int, int]) -> None:
    removed = {removal.path for removal in plan_retention(rows, *bound)}
    again = plan_retention([row for row in rows if row.path not in removed], *bound)
    assert again == ()


def test_a_recording_from_a_clock_that_was_ahead_goes_with_the_next_one() -> None:
    a = CameraId("a")
    rows = [Row(1, a, "ahead", 9000, 9100, 1), Row(2, a, "then", 100, 200, 1), Row(3, a, "now", 900, None, 0)]
    assert plan_retention(rows, 250, 100, 0) == ()
    assert [(r.path, r.why) for r in plan_retention(rows, 300, 100, 0)] == [("then", Why.AGE), ("ahead", Why.CLOCK)]


@dataclass
class Forgetful:
    directory: Path
    forgotten: list[str] = field(default_factory=list)
    density: list[tuple[CameraId, int]] = field(default_factory=list)

    def recording_forgotten(self, path: str) -> None:
        assert not (self.directory / path).exists()
        assert not (self.directory / summary_path(path)).exists()
        self.forgotten.append(path)

    def forget_density(self, camera: CameraId, before_wall_ns: int) -> None:
        self.density.append((camera, before_wall_ns))


def removal_of(bench: Bench, why: Why) -> Removal:
    info = bench.heard.closed_recordings[0]
    return Removal(info.camera, info.path, info.to_wall_ns, info.size_bytes, why)


def test_files_go_before_rows_and_empty_days_with_them(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.play(Camera().busy(NOON, 12))
    bench.core.close()
    removal = removal_of(bench, Why.AGE)
    index = Forgetful(tmp_path)
    assert remove(DirectoryStore(tmp_path), index, [removal]) == (removal,)
    assert index.forgotten == [removal.path]
    assert index.density == [(removal.camera, removal.to_wall_ns)]
    assert [path.name for path in (tmp_path / "recordings").rglob("*")] == ["front"]
    # Doing it again, as after a crash in between, does no harm.
    assert remove(DirectoryStore(tmp_path), index, [removal]) == (removal,)


def test_what_cannot_be_removed_keeps_its_row(tmp_path: Path) -> None:
    path = tmp_path / "recordings/front/2024/05/01/12-00000000.mcap"
    path.mkdir(parents=True)  # a directory of that name cannot be unlinked
    index = Forgetful(tmp_path)
    removal = Removal(CameraId("front"), "recordings/front/2024/05/01/12-00000000.mcap", 1, 1, Why.AGE)
    assert remove(DirectoryStore(tmp_path), index, [removal]) == ()
    assert index.forgotten == []
    assert index.density == []
