"""A camera whose pictures change their size, geometry or colour coding again and again is no source of pictures: it is closed.

Each such change begins an epoch, of which the worker says a whole background and a line. Belongs here: counting the changes of one stream,
over all its connections, before anybody looks at the frame. Does not belong here: what an epoch is (scene.analyst), when the camera is
tried again (ingest.reconnect).
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import SourceError
from privet.core.frame import Frame, Matrix
from privet.core.geometry import Geometry
from privet.core.scene import Reason
from privet.ingest.source import Source, SourceStatistics
from privet.pipe.allowance import Allowance

EPOCH_EVERY_NS = 10 * NS_PER_S
EPOCHS_AT_ONCE = 6          # a person who sets up a camera tries a few sizes

Form = tuple[int, int, Geometry, Matrix]
"""Width and height in pixels, how it was stored, colour coding."""


class FormChanges:
    """How often a stream's pictures may take another form: its first one counts, too."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._allowance = Allowance(NS_PER_S / EPOCH_EVERY_NS, EPOCHS_AT_ONCE, clock.monotonic_ns())
        self._form: Form | None = None

    def check(self, frame: Frame) -> None:
        """Take in a frame.

        Raises:
            SourceError: PROTOCOL, its form is another once too often. The form before stays the one that frames are compared with.
        """
        form = frame.width_px, frame.height_px, frame.stored, frame.matrix
        if form == self._form:
            return
        if not self._allowance.take(self._clock.monotonic_ns()):
            raise SourceError(
                f"the camera changes the size, orientation or colour coding of its pictures again and again "
                f"(now {frame.width_px} x {frame.height_px} px): set it to one",
                Reason.PROTOCOL,
            )
        self._form = form


class SteadySource:
    """A source that fails where its pictures take another form once too often. See `Source`."""

    def __init__(self, source: Source, changes: FormChanges) -> None:
        self._source = source
        self._changes = changes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        self.close()

    def frames(self) -> Iterator[Frame]:
        """See `Source.frames`."""
        for frame in self._source.frames():
            self._changes.check(frame)
            yield frame

    def statistics(self) -> SourceStatistics:
        """See `Source.statistics`."""
        return self._source.statistics()

    def close(self) -> None:
        """See `Source.close`."""
        self._source.close()
