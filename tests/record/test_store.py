"""Recordings are read, put in order and removed through the store, and the store alone."""

from __future__ import annotations

import ast
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.record.memory_store import MemoryDisk, MemoryStore
from tests.record.streams import CAMERA, NOON, Bench, Camera
from tests.record.test_check import Tells

import privet
from privet.core.clock import NS_PER_S
from privet.core.polygon import Polygon
from privet.index.index import Index
from privet.record.archive import Archive, recording_files
from privet.record.check import Wrong, check
from privet.record.covered import SOMETHING
from privet.record.mend import mend
from privet.record.recording import block_index_path, summary_path
from privet.record.retention import plan_retention, remove
from privet.record.store import DirectoryStore, Store
from privet.record.summary import SLOT_NS

SOURCE = Path(privet.__file__).parent
EVERYWHERE = Polygon(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
DAY = "recordings/front/2024/05/01"


def test_all_that_is_done_with_recordings_is_done_in_a_store_that_is_no_directory() -> None:
    index, store = Index.open("sqlite://"), MemoryStore()
    bench = Bench(Path(), heard=Tells(index), disk=MemoryDisk(store))
    played = bench.play(Camera(columns=16, rows=9).busy(NOON, 60))
    bench.core.close()
    (row,) = index.recordings()
    archive = Archive(store)
    assert list(archive.scenes(recording_files([row]), 0, 2**62)) == played
    summaries = archive.summaries(recording_files([row]), 0, 2**62)
    assert [summary.from_wall_ns for summary in summaries] == [NOON + n * SLOT_NS for n in range(6)]
    answer = archive.covered(index.summaries(CAMERA, NOON, NOON + 60 * NS_PER_S), EVERYWHERE, NOON, NOON + 60 * NS_PER_S)
    assert SOMETHING in answer.intervals.kinds.tolist()
    assert check(store, index, deep=True) == ()
    # Torn, and its summaries lost: mended as on a disk.
    store.files[row.path] = store.files[row.path][:-100]
    store.remove((summary_path(row.path), block_index_path(row.path)))
    assert [finding.wrong for finding in check(store, index)] == [Wrong.TORN]
    for finding in check(store, index):
        mend(store, index, finding)
    assert check(store, index, deep=True) == ()
    assert list(Archive(store).scenes(recording_files([row]), 0, 2**62)) == played
    plan = plan_retention(index.recordings(), NOON + 10 * 3600 * NS_PER_S, 3600 * NS_PER_S, 0)
    assert [removal.path for removal in remove(store, index, plan)] == [row.path]
    assert store.files == {}
    assert check(store, index) == ()


@pytest.fixture(params=["directory", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Two kinds of store, with one file."""
    if request.param == "memory":
        return MemoryStore({f"{DAY}/12-00000000.mcap": b"0123456789"})
    (tmp_path / DAY).mkdir(parents=True)
    (tmp_path / DAY / "12-00000000.mcap").write_bytes(b"0123456789")
    return DirectoryStore(tmp_path)


def test_every_store_reads_lists_replaces_and_removes(store: Store) -> None:
    path, other = f"{DAY}/12-00000000.mcap", f"{DAY}/12-00000000.summary"
    assert list(store.paths()) == [path]
    with closing(store.open(path)) as file:
        assert (file.size_bytes, file.read_at(0, 10), file.read_at(7, 100), file.read_at(10, 5)) == (10, b"0123456789", b"789", b"")
        tag = file.tag
    store.replace(path, b"a" * 200_000)
    store.replace(other, b"b")
    with closing(store.open(path)) as file:
        assert file.tag != tag
    assert store.read(path) == b"a" * 200_000
    assert sorted(store.paths()) == [path, other]
    assert list(store.read_each([path, "recordings/front/none", other] * 100)) == [b"a" * 200_000, b"", b"b"] * 100
    store.remove((path, "recordings/front/none"))
    for missing in (store.open, store.read):
        with pytest.raises(FileNotFoundError):
            missing(path)
    assert list(store.paths()) == [other]
    store.remove((other,))
    assert list(store.paths()) == []


def test_a_directory_opens_nothing_outside_of_it_and_nothing_but_files(tmp_path: Path) -> None:
    data, outside = tmp_path / "data", tmp_path / "outside"
    (data / DAY).mkdir(parents=True)
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (data / "link").symlink_to(outside / "secret")
    (data / "linked").symlink_to(outside)
    os.mkfifo(data / "pipe")
    store = DirectoryStore(data)
    for path in ("../outside/secret", str(outside / "secret"), "link", "linked/secret", "pipe", DAY, "recordings/../../outside/secret"):
        with pytest.raises(OSError, match=r"leads out|not a file"):
            store.open(path)
    for path in ("../outside/secret", str(outside / "secret")):
        with pytest.raises(PermissionError):
            store.read(path)
        with pytest.raises(PermissionError):
            list(store.read_each([path]))
        with pytest.raises(PermissionError):
            store.remove([path])
        with pytest.raises(PermissionError):
            store.replace(path, b"")
    assert (outside / "secret").read_bytes() == b"secret"


def test_recordings_may_lie_on_another_disk(tmp_path: Path) -> None:
    data, disk = tmp_path / "data", tmp_path / "disk"
    data.mkdir()
    disk.mkdir()
    (data / "recordings").symlink_to(disk)
    bench = Bench(data)
    played = bench.play(Camera(columns=16, rows=9).busy(NOON, 5))
    bench.core.close()
    (info,) = bench.heard.closed_recordings

    class Row:
        id = 1
        path = info.path

    assert list(Archive(DirectoryStore(data)).scenes(recording_files([Row()]), 0, 2**62)) == played


def test_a_row_that_names_no_recording_is_removed_and_nothing_else(tmp_path: Path) -> None:
    data = tmp_path / "data"
    index, bench = Index.open("sqlite://"), Bench(data)
    bench.play(Camera(columns=16, rows=9).busy(NOON, 5))
    bench.core.close()
    (info,) = bench.heard.closed_recordings
    (tmp_path / "somebody.summary").write_bytes(b"bought milk")
    index.recording_closed(info)
    index.recording_closed(replace(info, path="../somebody.mcap"))
    store = DirectoryStore(data)
    (finding,) = check(store, index)
    assert finding.wrong is Wrong.ROW_WITHOUT_FILE
    assert mend(store, index, finding) == "row removed"
    assert check(store, index) == ()
    assert (tmp_path / "somebody.summary").exists()


# ---- nobody goes past it

OPENS = {"open", "fdopen", "read_bytes", "read_text", "write_bytes", "write_text", "unlink", "rmtree", "mmap", "open_code", "FileIO"}
OWN_FILES = {
    "record/store.py": "the store itself",
    "record/disk.py": "the writers' side of it",
    "record/lock.py": "the lock of the data directory",
    "api/export/routes.py": "a film, which no store keeps",
    "api/export/directory.py": "the directory where the films are made",
    "api/guard/listen.py": "the certificate",
    "api/route_table.py": "the page that it writes",
}
OVER_A_STORE = {"_store", "store", "past", "recordings"}


def opened_by_path(path: Path) -> list[int]:
    """Lines that open a file, or read or remove one, by its path."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in OPENS:
                found.append(node.lineno)
            case ast.Call(func=ast.Attribute(attr=name, value=value)) if name in OPENS:
                holder = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
                if holder not in OVER_A_STORE:
                    found.append(node.lineno)
    return found


def test_nothing_else_in_record_or_api_opens_a_file() -> None:
    modules = [path for room in ("record", "api") for path in (SOURCE / room).rglob("*.py")]
    found = {path.relative_to(SOURCE).as_posix(): lines for path in modules if (lines := opened_by_path(path))}
    assert found.keys() == OWN_FILES.keys(), found


@pytest.mark.parametrize(
    "line", ["open(p)", "path.open('rb')", "os.open(p, 0)", "self._directory.open()", "path.read_bytes()", "mmap.mmap(d, 0)", "p.unlink()"]
)
def test_what_opens_a_file_is_found(line: str, tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(line + "\nself._store.open(path)\nstore.read(path)\n")
    assert opened_by_path(module) == [1]
