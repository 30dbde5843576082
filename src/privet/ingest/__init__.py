"""Packets and frames in: RTSP cameras, files, and pictures made up for tests; reconnection.

Belongs here: everything that turns a camera or a file into `core.frame.Frame`s, and the translation of whatever goes wrong there
into `SourceError`. Does not belong here: looking at the pictures, choosing which cameras there are, keeping anything.
"""

from privet.ingest.open import open_file_frames, open_source
from privet.ingest.reconnect import Link, LinkState, Reconnector
from privet.ingest.source import Source, SourceSettings, SourceStatistics
from privet.ingest.synthetic import SyntheticSource

__all__ = [
    "Link",
    "LinkState",
    "Reconnector",
    "Source",
    "SourceSettings",
    "SourceStatistics",
    "SyntheticSource",
    "open_file_frames",
    "open_source",
]
