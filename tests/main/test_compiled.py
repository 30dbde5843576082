"""What is compiled is compiled once, is whole or not there, and is taken only from a directory that nobody else may write."""

from __future__ import annotations

import os
import threading
from pathlib import Path, PurePosixPath

import pytest

from privet.config.directories import cache_directory, user_cache_directory
from privet.config.load import Loaded, load
from privet.core.errors import ConfigError
from privet.pipe.compiled import COMPILED, STAMP, compiled_directory, is_warm, mark_used, remove_unused
from privet.pipe.directories import Directories
from privet.pipe.settings import WorkerSettings
from privet.worker.jobs.compile import warm


def fill(directory: Path) -> None:
    (directory / "kernel").write_text("compiled")


class Filled:
    """`fill`, and where it was asked to."""

    def __init__(self) -> None:
        self.directories: list[Path] = []

    def __call__(self, directory: Path) -> None:
        self.directories.append(directory)
        fill(directory)


def configured(directory: Path, storage: str = "") -> Loaded:
    config = directory / "privet.toml"
    config.write_text(f"[storage]\n{storage}\n")
    return load(config)


def test_it_is_filled_once_and_then_found(tmp_path: Path) -> None:
    directory = compiled_directory(tmp_path / "cache")
    filled = Filled()
    for _ in range(2):
        warm(directory, filled)
    assert is_warm(directory)
    assert (directory / "kernel").read_text() == "compiled"
    assert len(filled.directories) == 1
    assert filled.directories[0] != directory, "it is not filled where it is looked for"


def test_what_is_interrupted_is_not_there(tmp_path: Path) -> None:
    directory = tmp_path / COMPILED / "a"

    def broken(fresh: Path) -> None:
        fill(fresh)
        raise ValueError("out of memory")

    with pytest.raises(ValueError, match="out of memory"):
        warm(directory, broken)
    assert not is_warm(directory)
    warm(directory, fill)
    assert is_warm(directory)
    assert {path.name for path in directory.parent.iterdir()} == {"a", "lock"}


def test_of_several_at_once_one_compiles(tmp_path: Path) -> None:
    directory = tmp_path / COMPILED / "a"
    filled = Filled()
    together = threading.Barrier(4)

    def start() -> None:
        together.wait(10)
        warm(directory, filled)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(filled.directories) == 1
    assert is_warm(directory)


def test_a_device_has_its_own() -> None:
    assert compiled_directory(Path("c"), "CPU") != compiled_directory(Path("c"), "GPU")


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_what_others_may_write_is_not_taken(tmp_path: Path, mode: int) -> None:
    directory = tmp_path / COMPILED / "a"
    warm(directory, fill)
    directory.chmod(mode)
    assert not is_warm(directory)
    directory.chmod(0o700)
    directory.parent.chmod(mode)
    with pytest.raises(PermissionError):
        warm(directory, fill)


def test_those_used_last_are_kept(tmp_path: Path) -> None:
    for number in range(6):
        directory = tmp_path / str(number)
        directory.mkdir(mode=0o700)
        (directory / STAMP).touch()
        os.utime(directory / STAMP, ns=(number * 10**9, number * 10**9))
    (tmp_path / "new-interrupted").mkdir()
    mark_used(tmp_path / "0")
    assert {path.name for path in remove_unused(tmp_path, kept=3)} == {"1", "2", "3", "new-interrupted"}
    assert {path.name for path in tmp_path.iterdir()} == {"0", "4", "5"}


def test_the_user_s_cache_serves_every_data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_directory(configured(tmp_path)) == tmp_path / "cache" / "privet"
    assert (tmp_path / "cache" / "privet").stat().st_mode & 0o777 == 0o700


def test_without_a_cache_of_ones_own_the_data_directory_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    loaded = configured(tmp_path)
    assert cache_directory(loaded) == loaded.data_directory / "cache"
    (tmp_path / "open" / "privet").mkdir(parents=True)
    (tmp_path / "open" / "privet").chmod(0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "open"))
    assert user_cache_directory(tmp_path / "otherwise") == tmp_path / "otherwise"


def test_a_configured_cache_is_taken_or_refused(tmp_path: Path) -> None:
    assert cache_directory(configured(tmp_path, 'cache_directory = "kept/compiled"')) == tmp_path / "kept" / "compiled"
    (tmp_path / "kept").chmod(0o777)
    with pytest.raises(ConfigError, match="others may write"):
        cache_directory(configured(tmp_path, 'cache_directory = "kept"'))
    with pytest.raises(ConfigError, match="workers write"):
        cache_directory(configured(tmp_path, 'cache_directory = "data/workers/0/tmp"'))


def test_no_worker_may_write_it(tmp_path: Path) -> None:
    loaded = configured(tmp_path, 'cache_directory = "compiled"')
    cache = cache_directory(loaded)
    settings = WorkerSettings(
        cameras=(), directory=PurePosixPath("workers/0"), state_key_hex="ab" * 32,
    )  # fmt: skip
    written = Directories(loaded.data_directory, compiled_directory(cache)).writable(settings)
    assert written == (loaded.data_directory / "workers" / "0",)
    assert not any(cache.is_relative_to(writable) or writable.is_relative_to(cache) for writable in written)
