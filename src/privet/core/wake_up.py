"""A wake-up that one thread waits for.

Belongs here: the waking. Does not belong here: what it is notified for; whoever uses it guards that by a lock of its own.
"""

from __future__ import annotations

from queue import SimpleQueue


class WakeUp:
    """Wakes a thread. A condition of Python's takes ten times as long as this queue, which is written in C.

    The thread looks for work with the lock held, calls `listen` if there is none, lets the lock go and calls `wait`. Whoever brings work
    calls `notify` with the lock held. So no notice is lost, and none is heard twice.
    """

    def __init__(self) -> None:
        self._notices: SimpleQueue[None] = SimpleQueue()
        self._awaited = False

    @property
    def awaited(self) -> bool:
        """Whether somebody listens and was not woken yet."""
        return self._awaited

    def listen(self) -> None:
        """Say that `wait` follows. With the lock held."""
        self._awaited = True

    def wait(self) -> None:
        """Wait until it is notified. Without the lock."""
        self._notices.get()

    def notify(self) -> None:
        """Wake whoever listens; nothing if nobody does. With the lock held."""
        if self._awaited:
            self._awaited = False
            self._notices.put(None)
