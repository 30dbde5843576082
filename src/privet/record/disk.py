"""Files as the recorder needs them: bytes at the end, on the disk when it says so, cut back after a failure.

The protocols are the recorder's port; `LocalDisk` is a directory of this machine. Tests have one that fills up and one that is slow.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final, Protocol

_WORDS: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the file system is used up",
    errno.EROFS: "the disk is read-only",
    errno.EIO: "the disk reports an error",
}


def failure_words(error: OSError) -> str:
    """What the system page and the log say of a disk that takes nothing, for example "the disk is full"."""
    return _WORDS.get(error.errno or 0) or error.strerror or str(error)


class OutFile(Protocol):
    """A file that only grows. Every method may raise OSError."""

    def append(self, data: bytes) -> None:
        """Write all of `data` at the end; after a failure any part of it may be there."""
        ...

    def sync(self) -> None:
        """Return once all bytes are on the disk."""
        ...

    def truncate(self, size_bytes: int) -> None:
        """Cut the file back; the next append begins there."""
        ...

    def close(self) -> None:
        """Let go of the file; does not sync."""
        ...


class Disk(Protocol):
    """Where recordings are made."""

    def create(self, path: Path) -> OutFile:
        """Make a new file and the directories above it.

        Raises:
            OSError: it is there already, or cannot be made.
        """
        ...

    def remove(self, path: Path) -> None:
        """Remove a file if it is there."""
        ...


class LocalDisk:
    """The machine's file system."""

    def create(self, path: Path) -> OutFile:
        try:
            file = LocalFile(self._open(path))
        except FileNotFoundError:
            file = LocalFile(self._open(path))  # retention removed the empty directory in between
        try:
            sync_directory(path.parent)
        except OSError:
            file.close()
            path.unlink(missing_ok=True)
            raise
        return file

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def _open(self, path: Path) -> int:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)


class LocalFile:
    """A file of this machine, unbuffered: what was appended survives the death of this process at once, of the machine after sync."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def append(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def truncate(self, size_bytes: int) -> None:
        os.ftruncate(self._descriptor, size_bytes)
        os.lseek(self._descriptor, size_bytes, os.SEEK_SET)

    def close(self) -> None:
        os.close(self._descriptor)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable.

    Raises:
        OSError: it cannot be read or synced.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
