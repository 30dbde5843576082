"""Nothing stays of workers that are gone, and nothing else is touched."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from tests.main.test_serve import configure, free_port, running

from privet.main.worker_directories import remove_worker_directory, sweep_worker_directories


def make(data: Path, name: str) -> Path:
    directory = data / "workers" / name
    (directory / "compiled" / "models").mkdir(parents=True)
    (directory / "compiled" / "models" / "kernel.bin").write_bytes(b"x")
    return directory


def test_those_that_no_worker_uses_are_swept(tmp_path: Path) -> None:
    for number in range(4):
        make(tmp_path, str(number))
    make(tmp_path, "12")
    sweep_worker_directories(tmp_path, range(2))
    assert sorted(path.name for path in (tmp_path / "workers").iterdir()) == ["0", "1"]
    assert (tmp_path / "workers" / "1" / "compiled" / "models" / "kernel.bin").exists()


@pytest.mark.parametrize("name", ["notes", "-1", "07", "1a", "1 ", "٣", "9" * 40])
def test_what_is_no_number_stays(tmp_path: Path, name: str) -> None:
    kept = make(tmp_path, name)
    sweep_worker_directories(tmp_path, ())
    assert kept.is_dir()


def test_a_file_stays(tmp_path: Path) -> None:
    (tmp_path / "workers").mkdir()
    (tmp_path / "workers" / "3").write_text("no directory")
    sweep_worker_directories(tmp_path, ())
    assert (tmp_path / "workers" / "3").exists()


def test_no_link_is_followed(tmp_path: Path) -> None:
    elsewhere = make(tmp_path / "elsewhere", "5")
    data = tmp_path / "data"
    inside = make(data, "1")
    (inside / "link").symlink_to(elsewhere)
    (data / "workers" / "2").symlink_to(elsewhere)
    sweep_worker_directories(data, ())
    assert not inside.exists()
    assert (elsewhere / "compiled" / "models" / "kernel.bin").exists()

    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "workers").symlink_to(tmp_path / "elsewhere" / "workers")
    sweep_worker_directories(linked, ())
    remove_worker_directory(linked, 5)
    assert (elsewhere / "compiled" / "models" / "kernel.bin").exists()


def test_one_is_removed_when_its_worker_has_ended(tmp_path: Path) -> None:
    gone, other = make(tmp_path, "3"), make(tmp_path, "4")
    remove_worker_directory(tmp_path, 3)
    remove_worker_directory(tmp_path, 3)
    assert (gone.exists(), other.exists()) == (False, True)


def test_nothing_was_ever_made(tmp_path: Path) -> None:
    sweep_worker_directories(tmp_path, ())
    remove_worker_directory(tmp_path, 0)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_removed_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Directories nested deeper than anybody can descend: a worker that was taken over can leave that."""
    nested, other = make(tmp_path, "3"), make(tmp_path, "4")
    inner = os.open(nested, os.O_RDONLY)
    try:
        for _ in range(3000):
            os.mkdir("d", dir_fd=inner)
            outer, inner = inner, os.open("d", os.O_RDONLY, dir_fd=inner)
            os.close(outer)
        sweep_worker_directories(tmp_path, ())
        assert f"{nested}, of a worker that is gone, cannot be removed" in caplog.text
        assert not other.exists(), "the others are swept all the same"
    finally:
        os.close(inner)
        subprocess.run(["rm", "-rf", str(nested)], check=True)


def test_a_start_sweeps_them(tmp_path: Path) -> None:
    gone = make(tmp_path / "data", "7")
    with running(configure(tmp_path, free_port())) as house:
        house.until("guards 0 cameras")
        assert not gone.exists()
        assert house.end(signal.SIGINT)[0] == 0
