"""Opens a source by its URL: the only place that knows which kinds there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from privet.core.clock import Clock, SystemClock
from privet.core.errors import SourceError
from privet.core.frame import Frame
from privet.core.scene import Reason
from privet.ingest.file import FileSource, path_of
from privet.ingest.frame_demand import FrameConsumer
from privet.ingest.hardware import Accelerator
from privet.ingest.rtsp import RtspSource
from privet.ingest.source import Source, SourceSettings


def open_source(
    settings: SourceSettings, clock: Clock, consumer: FrameConsumer | None = None, accelerator: Accelerator | None = None
) -> Source:
    """A source for `settings`; nothing is connected to until its first frame is asked for.

    consumer: what is wanted of its frames; by default all of them, as good as they get. accelerator: the camera's hardware decoder, if it
    may have one. A file is always decoded whole, and in software.

    Raises:
        SourceError: the URL cannot be used.
    """
    if settings.chosen_url().startswith("file:"):
        return FileSource(path_of(settings.chosen_url()), settings, clock)
    return RtspSource(settings, clock, consumer, accelerator)


def open_file_frames(path: Path, clock: Clock | None = None, start_wall_ns: int | None = None) -> Iterator[Frame]:
    """A video file's frames, as fast as they are asked for; ends at its end.

    Raises:
        SourceError: the file is missing, unreadable, without pictures or damaged as a whole.
    """
    settings = SourceSettings(url="file:", paced=False, start_wall_ns=start_wall_ns)
    with FileSource(path, settings, clock or SystemClock()) as source:
        try:
            yield from source.frames()
        except SourceError as error:
            if error.reason is not Reason.ENDED:
                raise
