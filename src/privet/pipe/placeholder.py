"""States that are said in place of a pipeline that cannot speak: its worker is starting or was lost, its thread crashed.

A stand-in is a session of its own, so that a reader forgets what the lost pipeline said and begins anew with the next one.
"""

from __future__ import annotations

import secrets

from privet.core.pb import scene_pb2
from privet.core.scene import Condition, Head, Reason, State
from privet.core.wire import to_message


def new_session() -> int:
    """Return a session number: random, 64 bits, never 0."""
    return secrets.randbits(64) or 1


class Placeholder:
    """Says one camera's state, with a session and sequence of its own."""

    def __init__(self) -> None:
        self._session = new_session()
        self._sequence = 0

    def say(self, condition: Condition, reason: Reason, wall_ns: int) -> scene_pb2.SceneMessage:
        """Return the next state message; it knows no grid."""
        self._sequence += 1
        return to_message(State(Head(self._session, self._sequence, wall_ns), condition, reason, 0, None, 0, 0))
