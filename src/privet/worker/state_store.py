"""One camera's state between two lives of its pipeline: proven background, layers, arrivals, sealed to the installation.

Belongs here: sealing, atomic replacement, clearing away what a process that was killed left half written. Does not belong here: what the
state means (scene) and what to do without it (camera).

File: `PVST` | version (1 byte) | nonce (12 bytes) | AES-256-GCM of the state, tag at its end. Associated data: magic, version and
the camera's id, so that a file copied from another camera, format or installation does not open. The key is the installation's;
a nonce is drawn at random for each save: at one a minute, GCM's limit of 2^32 random nonces is eight thousand years away.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privet.core.errors import StoreError
from privet.core.ids import CameraId
from privet.pipe.settings import STATE_KEY_BYTES

FORMAT_VERSION = 1
MAX_STATE_BYTES = 1 << 30

_UNFINISHED = ".new"        # ends the name of a file that is not written yet
_MAGIC = b"PVST"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEADER_BYTES = len(_MAGIC) + 1 + _NONCE_BYTES


class StateError(StoreError):
    """A stored state exists but cannot be used: damaged, of another camera, installation or version, or unreadable.

    Who gets it goes on as if the picture did not fit the stored background: nothing is proven by itself.
    """


class StateStore:
    """The sealed state of one camera."""

    def __init__(self, directory: Path, camera: CameraId, key: bytes) -> None:
        """directory: the camera's own, exists; what was left half written in it goes. key: 32 bytes."""
        if len(key) != STATE_KEY_BYTES:
            raise ValueError(f"state key of {len(key)} bytes: {STATE_KEY_BYTES} are needed")
        self._path = directory / "scene.state"
        self._camera = camera
        self._aead = AESGCM(key)
        clear_leftovers(self._path)

    def load(self) -> bytes | None:
        """Return the state that was saved last; None if there never was one.

        Raises:
            StateError: there is one and it cannot be used.
        """
        try:
            with self._path.open("rb") as file:
                sealed = file.read(MAX_STATE_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"state of {self._camera} cannot be read ({error.strerror})") from error
        if len(sealed) > MAX_STATE_BYTES or len(sealed) < _HEADER_BYTES + _TAG_BYTES or sealed[: len(_MAGIC)] != _MAGIC:
            raise StateError(f"state of {self._camera} is no sealed state ({len(sealed)} bytes)")
        version = sealed[len(_MAGIC)]
        if version != FORMAT_VERSION:
            raise StateError(f"state of {self._camera} has version {version}; this program reads {FORMAT_VERSION}")
        nonce = sealed[len(_MAGIC) + 1 : _HEADER_BYTES]
        try:
            return self._aead.decrypt(nonce, sealed[_HEADER_BYTES:], self._bound_data())
        except InvalidTag as error:
            raise StateError(f"state of {self._camera} does not open: damaged, or of another camera or installation") from error

    def save(self, state: bytes) -> None:
        """Replace the stored state; on return it is on the disk, and at no moment is there a torn one.

        Raises:
            StateError: it cannot be written; the one before is still there.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = _MAGIC + bytes([FORMAT_VERSION]) + nonce + self._aead.encrypt(nonce, state, self._bound_data())
        try:
            replace_durably(self._path, sealed)
        except OSError as error:
            raise StateError(f"state of {self._camera} cannot be written ({error.strerror})") from error

    def _bound_data(self) -> bytes:
        return _MAGIC + bytes([FORMAT_VERSION]) + self._camera.encode()


def replace_durably(path: Path, data: bytes) -> None:
    """Write `data` (mode 0600) so that after a crash at any moment `path` holds the old or the new bytes whole. Several processes may: the
    last one's bytes stay.

    Raises:
        OSError
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(8)}{_UNFINISHED}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with suppress(OSError):     # a disk without locks: then nothing is cleared away, either
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)    # held until it has its name: nobody takes it for a leftover
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def clear_leftovers(path: Path) -> None:
    """Remove what processes that were killed left half written beside `path`. What one is writing now stays, and so does what cannot be
    removed: a later start tries again."""
    with suppress(OSError):
        for leftover in path.parent.glob(f"{path.name}*{_UNFINISHED}"):
            with suppress(OSError):
                _clear(leftover)


def _clear(leftover: Path) -> None:
    descriptor = os.open(leftover, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        leftover.unlink()
    finally:
        os.close(descriptor)
