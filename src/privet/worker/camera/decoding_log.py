"""When it is worth a log line which way a camera is decoded: once for each way that hardware turned out, not at every proof.

Belongs here: the decision. Does not belong here: the figures of the second (camera), choosing (ingest.hardware).
"""

from __future__ import annotations

from privet.core.decoding import Decoding
from privet.core.pb import pipe_pb2

WARNING, INFO = 30, 20


class DecodingLog:
    """Remembers what was said last."""

    def __init__(self) -> None:
        self._said = Decoding.SOFTWARE

    def note(self, decoding: Decoding) -> pipe_pb2.Log | None:
        """The line to say, if any. Between proofs and for a while after a start software decodes, which is nothing to be told of."""
        if decoding in {Decoding.SOFTWARE, Decoding.WAITING, self._said}:
            return None
        self._said = decoding
        level = INFO if decoding is Decoding.HARDWARE else WARNING
        return pipe_pb2.Log(level=level, code=pipe_pb2.LOG_CODE_DECODING, number=int(decoding))
