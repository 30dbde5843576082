"""The installation's key: 32 random bytes that seal what workers leave behind. Read by the main process, handed to workers by pipe.

Belongs here: the key's file. Does not belong here: what is sealed with it (worker.state_store). Without it stored backgrounds do not
open: every camera must be proven again, nothing else is lost.
"""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from privet.core.errors import StoreError
from privet.pipe.settings import STATE_KEY_BYTES

KEY_NAME = "installation.key"


def installation_key(data_directory: Path) -> bytes:
    """Return the key, made at the first call (mode 0600).

    Raises:
        StoreError: it is damaged, others may read it, or it can be neither read nor made.
    """
    path = data_directory / KEY_NAME
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return _make(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        key = file.read(STATE_KEY_BYTES + 1)
    if mode & 0o077:
        raise StoreError(f"{path}: others may read it (mode {mode:04o}): run `chmod 600 {path}`")
    if len(key) != STATE_KEY_BYTES:
        raise StoreError(
            f"{path} holds {len(key)} bytes, not {STATE_KEY_BYTES}: bring it back from a backup, or remove it and prove every camera again"
        )
    return key


def _make(path: Path) -> bytes:
    key = secrets.token_bytes(STATE_KEY_BYTES)
    temporary = path.with_suffix(".new")
    try:
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}") from error
    return key
