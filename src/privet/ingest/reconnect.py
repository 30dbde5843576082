"""Keeps a camera connected: opens a source, passes its frames on, and after a failure waits and opens the next.

Belongs here: when to try again, and telling in which state the link is. Does not belong here: sources themselves; what is shown
to people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from threading import Event

from privet.core.backoff import RECONNECT, REFUSED
from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import SourceError
from privet.core.frame import Frame
from privet.core.scene import Reason
from privet.ingest.source import Source, SourceStatistics

GOOD_NS = 10 * NS_PER_S
"""A link that has given intact frames for so long is a good one: its next failure is retried at once."""
REFUSED_ATTEMPT = 7
"""A wrong password is retried at the slowest from the first time on."""
_NAP_NS = NS_PER_S // 4
"""Longest single sleep, so that close() is heeded in time."""


class LinkState(Enum):
    """What a link is doing."""

    CONNECTING = "connecting"
    CONNECTED = "connected"         # at least one frame has come
    WAITING = "waiting"             # for the next attempt
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Link:
    """The state of a link, given out whenever it changes."""

    state: LinkState
    attempt: int                    # how often in a row it has failed; 0 while it is good
    connects: int                   # how often frames have begun to come
    reason: Reason = Reason.NONE    # why it is WAITING or CLOSED
    message: str = ""               # the same in one sentence, for people
    delay_ns: int = 0               # how long it will be WAITING


@dataclass(frozen=True, slots=True)
class Attempt:
    """The memory that back-off needs: how many failures in a row, and since when intact frames come. Pure."""

    failures: int = 0
    good_since_ns: int | None = None

    def seen(self, intact: bool, monotonic_ns: int) -> Attempt:
        """After a frame: a damaged one begins the good time anew, GOOD_NS of good time forgive all failures."""
        if not intact:
            return self if self.good_since_ns is None else Attempt(self.failures)
        if self.good_since_ns is None:
            return Attempt(self.failures, monotonic_ns)
        if self.failures and monotonic_ns - self.good_since_ns >= GOOD_NS:
            return Attempt(0, self.good_since_ns)
        return self

    def failed(self, reason: Reason, random: float) -> tuple[Attempt, int]:
        """After a failure: what to remember, and how many ns to wait."""
        if reason is Reason.REFUSED:
            failures = max(self.failures, REFUSED_ATTEMPT)
            return Attempt(failures + 1), REFUSED.wait_ns(failures, random)
        return Attempt(self.failures + 1), RECONNECT.wait_ns(self.failures, random)


class Reconnector:
    """Frames of one camera for as long as it is wanted. `frames()` runs in one thread; the rest may be called from any.

    make: opens the next source; it may raise SourceError (which is waited for like any other).
    random: numbers in [0, 1) for the jitter.
    notice: told every change of state, in the thread of `frames()`.
    stop_at_end: for files: raise SourceError(ENDED) at the end instead of beginning anew.
    """

    def __init__(
        self,
        make: Callable[[], Source],
        clock: Clock,
        random: Callable[[], float],
        notice: Callable[[Link], None] = lambda link: None,
        *,
        stop_at_end: bool = False,
    ) -> None:
        self._make = make
        self._clock = clock
        self._random = random
        self._notice = notice
        self._stop_at_end = stop_at_end
        self._closed = Event()
        self._source: Source | None = None
        self._before = SourceStatistics()
        self._connects = 0

    def statistics(self) -> SourceStatistics:
        """Counters over all sources so far."""
        source = self._source
        return self._before if source is None else self._before + source.statistics()

    @property
    def connects(self) -> int:
        """How often frames have begun to come; one less is the number of reconnections."""
        return self._connects

    def close(self) -> None:
        """`frames()` ends within a second."""
        self._closed.set()
        source = self._source
        if source is not None:
            source.close()

    def frames(self) -> Iterator[Frame]:
        """Frames of one source after another, with gaps between; ends only after `close()`.

        Raises:
            SourceError: ENDED, with `stop_at_end`.
        """
        attempt = Attempt()
        while not self._closed.is_set():
            self._notice(Link(LinkState.CONNECTING, attempt.failures, self._connects))
            failure = SourceError("the source ended without saying why", Reason.ENDED)
            attempt = Attempt(attempt.failures)
            connected = False
            try:
                for frame in self._open():
                    if not connected:
                        connected = True
                        self._connects += 1
                        self._notice(Link(LinkState.CONNECTED, attempt.failures, self._connects))
                    attempt = attempt.seen(frame.intact, frame.monotonic_ns)
                    yield frame
            except SourceError as error:
                failure = error
            finally:
                self._let_go()
            if self._closed.is_set():
                break
            if self._stop_at_end and failure.reason is Reason.ENDED:
                self._notice(Link(LinkState.CLOSED, attempt.failures, self._connects, failure.reason, str(failure)))
                raise failure
            attempt, delay_ns = attempt.failed(failure.reason, self._random())
            self._notice(Link(LinkState.WAITING, attempt.failures, self._connects, failure.reason, str(failure), delay_ns))
            self._wait(delay_ns)
        self._notice(Link(LinkState.CLOSED, 0, self._connects))

    def _open(self) -> Iterator[Frame]:
        self._source = source = self._make()
        if self._closed.is_set():                # close() may have come while there was no source to close
            source.close()
        return source.frames()

    def _let_go(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()
            self._before += source.statistics()

    def _wait(self, delay_ns: int) -> None:
        due_ns = self._clock.monotonic_ns() + delay_ns
        while not self._closed.is_set() and (left_ns := due_ns - self._clock.monotonic_ns()) > 0:
            self._clock.sleep(min(left_ns, _NAP_NS))
