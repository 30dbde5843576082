"""One camera's state between two lives of its pipeline: proven background, layers, arrivals, sealed to the installation.

Belongs here: sealing, atomic replacement. Does not belong here: what the state means (scene) and what to do without it (camera).

File: `PVST` | version (1 byte) | nonce (12 bytes) | AES-256-GCM of the state, tag at its end. Associated data: magic, version and
the camera's id, so that a file copied from another camera, format or installation does not open. The key is the installation's;
a nonce is drawn at random for each save: at one a minute, GCM's limit of 2^32 random nonces is eight thousand years away.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from privet.core.errors import StoreError
from privet.core.ids import CameraId
from privet.pipe.settings import STATE_KEY_BYTES

FORMAT_VERSION = 1
MAX_STATE_BYTES = 1 << 30

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
        """directory: the camera's own, exists. key: 32 bytes."""
        if len(key) != STATE_KEY_BYTES:
            raise ValueError(f"state key of {len(key)} bytes: {STATE_KEY_BYTES} are needed")
        self._path = directory / "scene.state"
        self._camera = camera
        self._aead = AESGCM(key)

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
    """Write `data` (mode 0600) so that after a crash at any moment `path` holds the old or the new bytes whole.

    Raises:
        OSError
    """
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
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
