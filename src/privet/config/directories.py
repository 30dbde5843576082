"""Where parts of the installation lie on the disk.

Belongs here: which directory. Does not belong here: what is put into it.
"""

from __future__ import annotations

import os
from pathlib import Path

import privet
from privet.config.load import Loaded
from privet.core.errors import ConfigError

OTHERS_MAY_WRITE = 0o022


def static_directory() -> Path | None:
    """Return where the built web pages are; None if they were not built."""
    directory = Path(privet.__file__).parent / "api" / "static"
    return directory if directory.is_dir() else None


def cache_directory(loaded: Loaded) -> Path:
    """Return where compiled kernels and models lie, made if it was not there: the configured directory, else this user's cache,
    else (no home, or not ours) `cache` in the data directory. Code is loaded from it, so nobody else may write it.

    Raises:
        ConfigError: the configured directory cannot be made, may be written by others, or is one that workers write.
    """
    data = loaded.data_directory
    configured = loaded.config.storage.cache_directory
    if configured is None:
        return user_cache_directory(data / "cache")
    directory = loaded.resolve(configured)
    where = f"{loaded.path}: storage.cache_directory: {directory}"
    if any(directory.is_relative_to(data / name) for name in ("workers", "state")):
        raise ConfigError(f"{where} is a place that workers write, and code is loaded from it: take another directory")
    try:
        own_directory(directory)
    except OSError as error:
        raise ConfigError(f"{where} cannot be used: {error.strerror}") from error
    return directory


def user_cache_directory(otherwise: Path) -> Path:
    """Return `privet` in this user's cache directory, made if it was not there; `otherwise` if there is none that is ours alone."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        directory = (named if named.is_absolute() else Path.home() / ".cache") / "privet"
        own_directory(directory)
    except (OSError, RuntimeError):  # RuntimeError: no home
        return otherwise
    return directory


def own_directory(directory: Path) -> None:
    """Make `directory` for this user alone, or see that nobody else may write it.

    Raises:
        OSError: it cannot be made, is no directory, belongs to somebody else, or others may write it.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_own(directory):
        raise PermissionError(1, "others may write it, or it is somebody else's", str(directory))


def is_own(directory: Path) -> bool:
    """Whether `directory` is there, belongs to this user, and nobody else may write it."""
    try:
        status = directory.stat()
    except OSError:
        return False
    return status.st_uid == os.geteuid() and not status.st_mode & OTHERS_MAY_WRITE
