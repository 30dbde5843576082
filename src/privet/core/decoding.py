"""Which way a camera's pictures are decoded now, as a number that a worker may say.

Belongs here: the values. Does not belong here: choosing and falling back (ingest.hardware), words for people (main.publisher).
"""

from __future__ import annotations

from enum import IntEnum


class Decoding(IntEnum):
    """In a worker's `Health` and its log. From NO_DEVICE on: hardware was asked for and software does the work, and why."""

    SOFTWARE = 0        # nothing else is asked for
    HARDWARE = 1
    WAITING = 2         # hardware is asked for, and software decodes while something is being proven
    NO_DEVICE = 3       # it is not there, or may not be opened
    UNSUPPORTED = 4     # this build of FFmpeg has no such decoder for the codec
    FAILED = 5          # it gave an error, nothing, or a picture of another size; tried again later
