"""The index: migrations, typed answers, constraints, threads and processes beside one another."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from privet.core.clock import NS_PER_S
from privet.core.errors import StoreError
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Condition, Reason
from privet.index.index import Index, index_url
from privet.index.rows import CameraRow, RecordingRow, SessionRow, StateRow, StoredRow, TokenRow
from privet.index.tables import metadata

FRONT, BACK = CameraId("front"), CameraId("back")
HOUR_NS = 3600 * NS_PER_S
NOON = 1_714_564_800 * NS_PER_S


class Info:
    """What record says of a recording."""

    def __init__(self, path: str, from_wall_ns: int, to_wall_ns: int, camera: CameraId = FRONT) -> None:
        self.path = path
        self.camera = camera
        self.from_wall_ns = from_wall_ns
        self.to_wall_ns = to_wall_ns
        self.size_bytes = 100
        self.summary_bytes = 10
        self.messages = 3


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    opened = Index.open(index_url(tmp_path))
    yield opened
    opened.close()


def test_migrations_from_nothing_make_the_tables(tmp_path: Path) -> None:
    Index.open(index_url(tmp_path)).close()
    Index.open(index_url(tmp_path)).close()  # again: nothing to do
    engine = sa.create_engine(index_url(tmp_path))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        made = {
            table: sorted(check["sqltext"] for check in sa.inspect(connection).get_check_constraints(table))
            for table in metadata.tables
        }
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()
    wanted = {
        name: sorted(str(c.sqltext) for c in table.constraints if isinstance(c, sa.CheckConstraint))
        for name, table in metadata.tables.items()
    }
    assert made == wanted


def test_every_column_is_explained_or_speaks_for_itself() -> None:
    plain = {"id", "camera_key", "name", "role", "height_px", "block_px", "created_wall_ns"}
    silent = [f"{t.name}.{c.name}" for t in metadata.tables.values() for c in t.columns if not c.comment and c.name not in plain]
    assert silent == []


def test_an_index_of_a_newer_privet_is_refused(tmp_path: Path) -> None:
    Index.open(index_url(tmp_path)).close()
    with sqlite3.connect(tmp_path / "index.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match="newer Privet"):
        Index.open(index_url(tmp_path))


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"rubbish" * 1000)
    with pytest.raises(StoreError, match="cannot be opened"):
        Index.open(index_url(tmp_path))


def test_cameras(index: Index) -> None:
    front = CameraRow(FRONT, "Front", "gate", "deliveries", "Ms Muster")
    back = CameraRow(BACK, "Back", "yard", "theft", "Ms Muster")
    index.put_cameras([front, back])
    assert index.cameras() == (back, front)
    index.put_cameras([CameraRow(FRONT, "Gate", "gate", "deliveries", "")])
    assert index.cameras() == (
        CameraRow(FRONT, "Gate", "gate", "deliveries", ""),
        CameraRow(BACK, "Back", "yard", "theft", "Ms Muster", configured=False),
    )


def test_the_life_of_a_recording(index: Index) -> None:
    index.recording_opened(Info("a", NOON, NOON))
    index.recording_opened(Info("a", NOON, NOON))
    (row,) = index.recordings()
    assert row == RecordingRow(row.id, FRONT, "a", NOON, None, 0, 0, 0)
    assert not row.closed
    index.recording_closed(Info("a", NOON, NOON + 5))
    assert index.recording(row.id) == RecordingRow(row.id, FRONT, "a", NOON, NOON + 5, 100, 10, 3)
    index.recording_closed(Info("found", NOON + 7, NOON + 9, BACK))
    assert [r.path for r in index.recordings()] == ["a", "found"]
    assert [r.path for r in index.recordings(BACK)] == ["found"]
    index.recording_forgotten("a")
    index.recording_forgotten("a")
    assert index.recording(row.id) is None
    index.recording_closed(Info("later", NOON, NOON, FRONT))
    assert index.recordings(FRONT)[0].id > row.id  # an id is never given twice


def test_recordings_that_overlap_a_span(index: Index) -> None:
    for number in range(4):
        index.recording_closed(Info(f"{number}", NOON + number * 10, NOON + number * 10 + 10))
    index.recording_opened(Info("open", NOON + 40, NOON + 40))
    def paths(first: int, last: int) -> str:
        return "".join(r.path[0] for r in index.recordings(FRONT, NOON + first, NOON + last))
    assert paths(0, 10) == "0"
    assert paths(9, 11) == "01"
    assert paths(10, 20) == "1"
    assert paths(35, 1000) == "3o"
    assert paths(-10, 0) == ""
    assert paths(500, 600) == "o"


def test_what_is_stored(index: Index) -> None:
    index.put_cameras([CameraRow(FRONT, "", "", "", ""), CameraRow(BACK, "", "", "", "")])
    assert index.stored() == ()
    for number in (1, 0, 2):
        info = Info(f"recordings/front/{number}.mcap", NOON + number * HOUR_NS, NOON + (number + 1) * HOUR_NS)
        index.recording_opened(info)
        if number < 2:
            index.recording_closed(info)
    assert index.stored() == (StoredRow(FRONT, 3, 220, NOON),)
    index.recording_forgotten("recordings/front/0.mcap")
    assert index.stored() == (StoredRow(FRONT, 2, 110, NOON + HOUR_NS),)


def test_promotions(index: Index) -> None:
    grid = scene_pb2.Grid(width_px=64, height_px=64, block_px=8, epoch=2)
    for number in range(3):
        index.add_promotion(
            FRONT,
            pipe_pb2.Promotion(
                wall_ns=NOON + number, epoch=2, blocks=4, promoted=b"\xf0" + bytes(7), grid=grid, layer=1,
                by=pipe_pb2.COMMISSIONING_AUTOMATIC,
            ),
        )
    rows = index.promotions(FRONT, NOON + 1, NOON + 3)
    assert [row.wall_ns - NOON for row in rows] == [1, 2]
    assert (rows[0].blocks, rows[0].promoted, rows[0].width_px, rows[0].commissioned_by) == (4, b"\xf0" + bytes(7), 64, 2)
    assert index.promotions(BACK) == ()


def test_states(index: Index) -> None:
    for at, condition in ((0, Condition.STARTING), (10, Condition.AWAKE), (20, Condition.BLIND)):
        index.add_state(FRONT, NOON + at, condition, Reason.NONE)
    assert index.states(FRONT, NOON + 10, NOON + 20) == (StateRow(NOON + 10, Condition.AWAKE, Reason.NONE),)
    assert [s.condition for s in index.states(FRONT, NOON + 15, NOON + 30)] == [Condition.AWAKE, Condition.BLIND]
    assert index.states(FRONT, 0, NOON) == ()
    # The clock stepped back: what was said last is what was said last.
    index.add_state(FRONT, NOON + 5, Condition.OFFLINE, Reason.ENDED)
    assert index.last_state(FRONT) == StateRow(NOON + 5, Condition.OFFLINE, Reason.ENDED)
    assert index.last_state(BACK) is None


def test_accounts(index: Index) -> None:
    assert not index.has_tokens()
    token = TokenRow("a" * 64, "administrator", "administrator", NOON)
    index.add_token(token)
    assert index.has_tokens()
    assert index.token_by_hash("a" * 64) == token
    assert index.token_by_hash("b" * 64) is None
    with pytest.raises(StoreError):
        index.add_token(token)
    with pytest.raises(StoreError):
        index.add_token(TokenRow("not a hash", "x", "administrator", NOON))
    session = SessionRow("c" * 64, "administrator", "administrator", NOON, NOON + 10)
    index.add_session(session)
    assert index.session_by_hash("c" * 64) == session
    later = SessionRow("d" * 64, "administrator", "administrator", NOON + 10, NOON + 20)
    index.add_session(later)
    assert index.session_by_hash("c" * 64) is None  # it had ended
    index.drop_session("d" * 64)
    index.drop_session("d" * 64)
    assert index.session_by_hash("d" * 64) is None


def test_nothing_that_a_user_can_name_reaches_the_sql(index: Index) -> None:
    nasty = "x'; DROP TABLE recordings; --"
    index.put_cameras([CameraRow(FRONT, nasty, nasty, nasty, nasty)])
    index.recording_opened(Info(nasty, NOON, NOON))
    assert index.cameras()[0].name == nasty
    assert index.recordings()[0].path == nasty
    index.recording_forgotten(nasty)
    assert index.recordings() == ()


def test_threads_and_a_second_process_s_connection_beside_one_another(tmp_path: Path, index: Index) -> None:
    other = Index.open(index_url(tmp_path))
    failures: list[BaseException] = []

    def work(number: int) -> None:
        mine = index if number % 2 else other
        camera = CameraId(f"camera-{number % 3}")
        try:
            for n in range(15):
                mine.recording_closed(Info(f"{number}/{n}", NOON + n, NOON + n + 1, camera))
                summary = scene_pb2.Summary(from_wall_ns=NOON + n * 10 * NS_PER_S, duration_ms=10_000)
                mine.add_summary(camera, summary)
                assert len(mine.recordings(camera)) > n // 2
        except BaseException as error:  # noqa: BLE001 - shown in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(index.recordings()) == 8 * 15
    assert [row.id for row in index.cameras()] == ["camera-0", "camera-1", "camera-2"]
    other.close()


def test_a_removed_database_directory_is_an_error_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Index.open(index_url(tmp_path / "nowhere"))
