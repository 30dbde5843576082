"""Names of cameras: short, safe in a path, a URL and a topic."""

from __future__ import annotations

import re
from typing import NewType

from privet.core.errors import ConfigError

CameraId = NewType("CameraId", str)

_CAMERA_ID = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")


def parse_camera_id(text: str) -> CameraId:
    """Return `text` as a camera id.

    Raises:
        ConfigError: not 1 to 64 of a-z, 0-9, `-` and `_`, beginning and ending with a letter or digit.
    """
    if not _CAMERA_ID.fullmatch(text):
        raise ConfigError(
            f"camera id {text!r} cannot be used: take 1 to 64 lower-case letters, digits, '-' or '_', "
            "beginning and ending with a letter or digit"
        )
    return CameraId(text)
