"""Where recordings are read, put in order and removed: files by the path that the index has of them.

Belongs here: the ports of whoever reads, and the directory of this machine behind them. Does not belong here: recording (`disk`), what the
bytes mean (`scan`, `summary`, `block_index`).

Paths are those of `recording`: relative to the data directory, with `/`. Every method may raise OSError; of what is not there it is
FileNotFoundError.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Protocol

from privet.record.disk import sync_directory
from privet.record.recording import MEND_SUFFIX, RECORDINGS

_READ_BYTES = 64 * 1024
_AHEAD_FILES = 64
_CAMERA_PARTS = 2
"""`recordings/<camera>` stays, however empty."""


class StoredFile(Protocol):
    """A file that was opened to be read. Safe from several threads."""

    @property
    def size_bytes(self) -> int:
        """How long it was when it was opened; one that is being written grows."""
        ...

    @property
    def tag(self) -> str:
        """Another one whenever the content is: letters, digits and hyphens."""
        ...

    def read_at(self, offset_bytes: int, length_bytes: int) -> bytes:
        """Return as many bytes from there on; fewer only where the file ends."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class ReadStore(Protocol):
    """What reading recordings takes. Safe from several threads."""

    def open(self, path: str) -> StoredFile:
        """Open one file; whoever calls closes it."""
        ...

    def read(self, path: str) -> bytes:
        """Return all of a small file."""
        ...

    def read_each(self, paths: Iterable[str]) -> Generator[bytes]:
        """Yield all of one small file after another, nothing for one that is not there; the next ones are on their way meanwhile."""
        ...


class Store(ReadStore, Protocol):
    """What checking and mending take besides. Nothing that is being written may be replaced or removed."""

    def paths(self) -> Iterator[str]:
        """Yield every file there is below `recordings/`, in no order, leftovers included."""
        ...

    def replace(self, path: str, data: bytes) -> None:
        """Put a file in place in one step, durably: whoever reads finds the old one or the new one, whole."""
        ...

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files, durably, in this order; those that are not there are passed over."""
        ...


class DirectoryStore:
    """A data directory of this machine.

    A path comes from the index, which a person may have edited: one that leads out of the data directory is refused. `recordings/`
    may be a link to another disk.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._prefix = f"{directory}/"
        self._roots = tuple(f"{os.path.realpath(root)}/" for root in (directory, directory / RECORDINGS))

    def open(self, path: str) -> StoredFile:
        real = os.path.realpath(self._name(path))
        if not real.startswith(self._roots):
            raise PermissionError(errno.EACCES, f"its path {path} leads out of the data directory", path)
        return DirectoryFile(os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK))

    def read(self, path: str) -> bytes:
        name = self._name(path)
        return _finish_reading(name, os.open(name, os.O_RDONLY | os.O_CLOEXEC))

    def read_each(self, paths: Iterable[str]) -> Generator[bytes]:
        waiting: deque[tuple[str, int | None]] = deque()
        left = iter(paths)
        try:
            while True:
                for path in islice(left, _AHEAD_FILES - len(waiting)):
                    name = self._name(path)
                    waiting.append((name, _begin_reading(name)))
                if not waiting:
                    return
                name, descriptor = waiting.popleft()
                yield b"" if descriptor is None else _finish_reading(name, descriptor)
        finally:
            for _, descriptor in waiting:
                if descriptor is not None:
                    os.close(descriptor)

    def paths(self) -> Iterator[str]:
        for root, _, names in os.walk(self._directory / RECORDINGS):
            below = Path(root).relative_to(self._directory).as_posix()
            yield from (f"{below}/{name}" for name in names)

    def replace(self, path: str, data: bytes) -> None:
        place = Path(self._name(path))
        beside = place.with_name(place.name + MEND_SUFFIX)
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
        sync_directory(place.parent)

    def remove(self, paths: Iterable[str]) -> None:
        directories: dict[Path, None] = {}
        for path in paths:
            name = Path(self._name(path))
            name.unlink(missing_ok=True)
            directories[name.parent] = None
        for directory in directories:
            if directory.is_dir():
                sync_directory(directory)
                self._remove_empty(directory)

    def _remove_empty(self, directory: Path) -> None:
        """Remove the day's directory, and the month's and the year's, once nothing is in them."""
        with suppress(OSError):  # not empty, or gone
            while len(directory.relative_to(self._directory).parts) > _CAMERA_PARTS:
                directory.rmdir()
                directory = directory.parent

    def _name(self, path: str) -> str:
        if path.startswith("/") or (".." in path and ".." in path.split("/")):
            raise PermissionError(errno.EACCES, f"its path {path} leads out of the data directory", path)
        return self._prefix + path  # a Path for each of a year's files would take a third of the time of a question


class DirectoryFile:
    """A file of this machine. Takes the descriptor over."""

    def __init__(self, descriptor: int) -> None:
        """
        Raises:
            OSError: it is no regular file; the descriptor is closed then.
        """
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise OSError(errno.EINVAL, "it is not a file")
        self._descriptor = descriptor
        self.size_bytes = status.st_size
        self.tag = f"{status.st_size}-{status.st_mtime_ns}"

    def read_at(self, offset_bytes: int, length_bytes: int) -> bytes:
        data = os.pread(self._descriptor, length_bytes, offset_bytes)
        while len(data) < length_bytes and (part := os.pread(self._descriptor, length_bytes - len(data), offset_bytes + len(data))):
            data += part
        return data

    def close(self) -> None:
        os.close(self._descriptor)


def _begin_reading(name: str) -> int | None:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    # The disk gets to work, and nobody waits for it yet.
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
    return descriptor


def _finish_reading(name: str, descriptor: int) -> bytes:
    try:
        part = os.read(descriptor, _READ_BYTES)
        if len(part) < _READ_BYTES:  # as most are, and a file gives less than was asked for at its end only
            return part
        parts = [part]
        while part := os.read(descriptor, _READ_BYTES):
            parts.append(part)
        return b"".join(parts)
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error
    finally:
        os.close(descriptor)
