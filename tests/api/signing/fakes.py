"""Workers that offer and sign, and a record in a list."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.live.places import START_WALL_NS

from privet.api.signing.ports import CommissionEntry
from privet.core.clock import NS_PER_S
from privet.core.errors import StoreError
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.core.pb import scene_pb2 as pb


@dataclass
class Signers:
    """Answers as a worker would that offers every block of a 2 x 2 grid, until told otherwise."""

    answer: pipe_pb2.OfferAnswer.ValueType = pipe_pb2.OFFER_ANSWER_OFFERED
    signing: pipe_pb2.SigningAnswer.ValueType = pipe_pb2.SIGNING_ANSWER_SIGNED
    asked: list[CameraId] = field(default_factory=list)
    signed: list[tuple[CameraId, bytes, bytes]] = field(default_factory=list)
    refused: list[tuple[CameraId, bytes]] = field(default_factory=list)

    async def offer(self, camera: CameraId) -> pipe_pb2.Candidate:
        self.asked.append(camera)
        if self.answer != pipe_pb2.OFFER_ANSWER_OFFERED:
            return pipe_pb2.Candidate(request=1, answer=self.answer)
        return pipe_pb2.Candidate(
            request=1, answer=self.answer, offer=len(self.asked).to_bytes(16), blocks=b"\xf0", format=pb.IMAGE_FORMAT_WEBP,
            grid=pb.Grid(width_px=16, height_px=16, block_px=8, epoch=1), image=b"RIFF----WEBP%d" % len(self.asked),
            wall_ns=START_WALL_NS, good_for_ns=300 * NS_PER_S,
        )

    async def sign(self, camera: CameraId, offer: bytes, blocks: bytes) -> pipe_pb2.Commissioned:
        self.signed.append((camera, offer, blocks))
        done = self.signing in (pipe_pb2.SIGNING_ANSWER_SIGNED, pipe_pb2.SIGNING_ANSWER_SIGNED_UNSAVED)
        return pipe_pb2.Commissioned(answer=self.signing, signed_blocks=3 * done, lapsed_blocks=1 * done)

    async def refuse(self, camera: CameraId, offer: bytes) -> pipe_pb2.Commissioned:
        self.refused.append((camera, offer))
        return pipe_pb2.Commissioned(answer=pipe_pb2.SIGNING_ANSWER_REFUSED)


@dataclass
class Entries:
    """A record in a list; `full` as a disk is."""

    entries: list[CommissionEntry] = field(default_factory=list)
    full: bool = False

    def append(self, entry: CommissionEntry) -> None:
        if self.full:
            raise StoreError("commission.jsonl cannot be written: No space left on device")
        self.entries.append(entry)
