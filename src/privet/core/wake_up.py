"""A bell that one thread listens for.

Belongs here: the waking. Does not belong here: what it is rung for; whoever uses it guards that by a lock of its own.
"""

from __future__ import annotations

from queue import SimpleQueue


class WakeUp:
    """Wakes a thread. A condition of Python's takes ten times as long as this queue, which is written in C.

    The thread looks for work with the lock held, calls `listen` if there is none, lets the lock go and calls `wait`. Whoever brings work
    calls `ring` with the lock held. So no ringing is lost, and none is heard twice.
    """

    def __init__(self) -> None:
        self._rung: SimpleQueue[None] = SimpleQueue()
        self._awaited = False

    @property
    def awaited(self) -> bool:
        """Whether somebody listens and was not woken yet."""
        return self._awaited

    def listen(self) -> None:
        """Say that `wait` follows. With the lock held."""
        self._awaited = True

    def wait(self) -> None:
        """Wait until it is rung. Without the lock."""
        self._rung.get()

    def ring(self) -> None:
        """Wake whoever listens; nothing if nobody does. With the lock held."""
        if self._awaited:
            self._awaited = False
            self._rung.put(None)
