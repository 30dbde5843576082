"""One process at a time works on a data directory: an advisory lock on the file `lock` in it, released by the kernel at exit."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from privet.core.errors import StoreError

LOCK_NAME = "lock"


@contextmanager
def hold_data_directory(path: Path) -> Iterator[None]:
    """Hold the data directory `path` (made if it is not there) for as long as the context lasts.

    Raises:
        StoreError: another process holds it, or it cannot be made or written to.
    """
    try:
        path.mkdir(mode=0o750, parents=True, exist_ok=True)
        descriptor = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise StoreError(f"data directory {path} cannot be used: {error.strerror}; check storage.directory and its owner") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            named = f" (process {holder})" if holder else ""
            raise StoreError(f"data directory {path} is in use by another Privet{named}: stop it first") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> int | None:
    """Return the id of the process that holds the data directory `path`; None if none does. Takes nothing."""
    try:
        descriptor = os.open(path / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        words = os.read(descriptor, 32).decode("ascii", "replace").strip()
        return int(words) if words.isdecimal() else None
    finally:
        os.close(descriptor)
    return None
