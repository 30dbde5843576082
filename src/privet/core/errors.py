"""The error tree. Foreign errors are translated into it once, at the edge where they arise.

PrivetError
 +- UserError            a person's input is wrong; printed as one sentence, never with a traceback
 |   +- ConfigError      privet.toml or secrets.toml
 |   +- NotFoundError    a camera, recording or span that does not exist
 +- SourceError          a camera or file does not deliver; carries the Reason a reader is shown
 +- WireError            a scene message, pipe frame or recording that breaks its specification
 +- StoreError           a recording, summary or index cannot be read or written
 +- DetectorError        a detector's weights are missing, unreadable or not what they should be

A message names the thing, what was found, and what to do.
"""

from __future__ import annotations

from privet.core.scene import Reason


class PrivetError(Exception):
    """Root of everything Privet raises on purpose."""


class UserError(PrivetError):
    """Somebody's input is wrong."""


class ConfigError(UserError):
    """The configuration cannot be used."""


class NotFoundError(UserError):
    """Something was asked for that is not there."""


class SourceError(PrivetError):
    """A camera or a file does not deliver pictures."""

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


class WireError(PrivetError):
    """Bytes that break the specification of the scene stream or of the pipe."""


class StoreError(PrivetError):
    """A recording, a summary or the index cannot be read or written."""


class DetectorError(PrivetError):
    """A detector cannot be used; nothing is promoted without it."""
