"""Signing (commissioning): a person sees what is to become background, and signs or refuses.

Belongs here: who asked for an offer, that nobody else sees or decides on it, and that every step is recorded before it is done. Does not
belong here: what is offered and what a signature does (scene, in the worker). The picture is the only thing this server hands out that is
not painted from a proven background: it goes to the session that asked, once asked for, uncached, and is kept nowhere.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from dataclasses import dataclass, field
from typing import Annotated, Literal

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from privet.api.auth.permission import Identity, Permission, Who, requires
from privet.api.auth.sessions import hash_secret
from privet.api.model import Model, known_ms, to_ms
from privet.api.parameters import CameraName
from privet.api.resource import Given
from privet.api.signing.offers import HeldOffer, Offers
from privet.api.signing.ports import CommissionAct, CommissionEntry, Commissioning, CommissionRecord
from privet.core.clock import NS_PER_S, Clock
from privet.core.errors import StoreError
from privet.core.grid import Grid, unpack_bits
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2

router = APIRouter(tags=["commission"])

_log = logging.getLogger(__name__)

STATEMENT = "nobody is in this picture"
MAX_BODY_BYTES = 256 * 1024
RETRY_AFTER_S = 10

OfferName = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="The offer's id.")]


@dataclass(frozen=True, slots=True)
class SigningResource:
    """What these routes are given, and the offers that are open. threads: in which the record is written."""

    commissioning: Commissioning
    record: CommissionRecord
    clock: Clock
    threads: anyio.CapacityLimiter
    offers: Offers = field(default_factory=Offers)


Resource = Annotated[SigningResource, Depends(Given(SigningResource))]


class OfferModel(Model):
    """What may be signed, for a few minutes. Everything in the picture that is not a candidate is flat."""

    offer: str = Field(description="Its id.")
    picture: str = Field(description="The picture's address, for the session that asked.")
    picture_sha256: str = Field(description="The hash that stands in the record.")
    width_px: int
    height_px: int
    block_px: int
    columns: int
    rows: int
    blocks: int = Field(description="Candidates: what a signature would make background.")
    bitmap: str = Field(description="Which blocks, base64: row-major, most significant bit first.")
    made_ms: int = Field(description="When the picture was made.")
    expires_ms: int = Field(description="When the offer is over.")
    good_for_ms: int = Field(description="How long it is good for, from now.")


class Signature(Model):
    """What a signer says."""

    statement: Literal["nobody is in this picture"]
    blocks: str | None = Field(None, max_length=200_000, description="Base64 of a bitmap like the offer's: sign only these; all if null.")


class DecisionModel(Model):
    """What became of a decision."""

    outcome: Literal["signed", "refused"]
    signed_blocks: int = Field(description="Background now.")
    lapsed_blocks: int = Field(description="Something moved there since the offer: they are proven anew and offered again.")
    saved: bool = Field(
        description="What was decided, and the record of it, are on the disk. If false it holds all the same, and may be lost "
        "if Privet ends before the disk takes it: then it is to be signed again."
    )


_BODY = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": Signature.model_json_schema()}}},
}


@router.post("/api/cameras/{id}/commission", operation_id="commission", dependencies=requires(Permission.COMMISSION, "id"))
async def commission(camera: CameraName, request: Request, resource: Resource, who: Who) -> OfferModel:
    """Ask for what is to be signed. An offer that is open for this camera is void from then on; one request in ten seconds."""
    known = CameraId(camera)
    resource.offers.void(known)
    await _record(resource, who, known, "asked")
    candidate = await resource.commissioning.offer(known)
    match candidate.answer:
        case pipe_pb2.OFFER_ANSWER_OFFERED:
            pass
        case pipe_pb2.OFFER_ANSWER_NO_CANDIDATES:
            raise HTTPException(409, "nothing waits for a signature now: blocks are offered once they were still for long enough and no "
                                     "detector saw anybody")
        case pipe_pb2.OFFER_ANSWER_TOO_SOON:
            raise HTTPException(429, f"offers are made once in {RETRY_AFTER_S} s: wait and ask again", {"Retry-After": str(RETRY_AFTER_S)})
        case _:
            raise HTTPException(503, "the camera gives no picture that could be judged now, or no detector runs: `privet doctor` says more")
    held = HeldOffer(known, _holder(request, who), candidate, resource.clock.monotonic_ns() + candidate.good_for_ns)
    await _record(resource, who, known, "offered", held)
    resource.offers.put(held)
    # The picture is dropped when its time is over, whether or not anybody asks for anything by then.
    asyncio.get_running_loop().call_later(candidate.good_for_ns / NS_PER_S, lambda: resource.offers.expire(resource.clock.monotonic_ns()))
    grid = _grid(candidate)
    now_ns = resource.clock.wall_ns()
    return OfferModel(
        offer=held.name,
        picture=f"/api/cameras/{known}/commission/{held.name}/picture.webp",
        picture_sha256=held.picture_sha256,
        width_px=grid.width_px,
        height_px=grid.height_px,
        block_px=grid.block_px,
        columns=grid.columns,
        rows=grid.rows,
        blocks=_count(candidate),
        bitmap=base64.b64encode(candidate.blocks).decode(),
        made_ms=known_ms(candidate.wall_ns) or 0,
        expires_ms=to_ms(now_ns + candidate.good_for_ns),
        good_for_ms=to_ms(candidate.good_for_ns),
    )


@router.get(
    "/api/cameras/{id}/commission/{offer}/picture.webp",
    operation_id="commission_picture",
    response_class=Response,
    dependencies=requires(Permission.COMMISSION, "id"),
    responses={
        200: {
            "description": "Candidates as they were when the offer was made: no reconstruction.",
            "content": {"image/webp": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def commission_picture(camera: CameraName, offer: OfferName, request: Request, resource: Resource, who: Who) -> Response:
    """The picture of an open offer, for the session that asked for it."""
    held = resource.offers.get(CameraId(camera), offer, _holder(request, who), resource.clock.monotonic_ns())
    return Response(held.candidate.image, 200, {"Cache-Control": "no-store", "Content-Disposition": "inline"}, "image/webp")


@router.post(
    "/api/cameras/{id}/commission/{offer}/sign",
    operation_id="commission_sign",
    openapi_extra=_BODY,
    dependencies=requires(Permission.COMMISSION, "id"),
)
async def commission_sign(
    camera: CameraName, offer: OfferName, request: Request, resource: Resource, who: Who
) -> DecisionModel:
    """Sign that nobody is in the picture. What is written is what was offered; blocks where something moved since have lapsed."""
    known, holder = CameraId(camera), _holder(request, who)
    signature = await _signature(request)
    held = resource.offers.get(known, offer, holder, resource.clock.monotonic_ns())
    blocks = _chosen(signature, held.candidate)
    held = resource.offers.take(known, offer, holder, resource.clock.monotonic_ns())
    await _record(resource, who, known, "signing", held, statement=signature.statement)
    answer = await resource.commissioning.sign(known, held.candidate.offer, blocks)
    return await _decided(resource, who, held, answer, "signed")


@router.post(
    "/api/cameras/{id}/commission/{offer}/refuse", operation_id="commission_refuse", dependencies=requires(Permission.COMMISSION, "id")
)
async def commission_refuse(
    camera: CameraName, offer: OfferName, request: Request, resource: Resource, who: Who
) -> DecisionModel:
    """Say that somebody or something is there. The offer is forgotten, and its blocks are to be proven anew."""
    known = CameraId(camera)
    held = resource.offers.take(known, offer, _holder(request, who), resource.clock.monotonic_ns())
    await _record(resource, who, known, "refusing", held)
    answer = await resource.commissioning.refuse(known, held.candidate.offer)
    return await _decided(resource, who, held, answer, "refused")


async def _decided(
    resource: SigningResource, who: Identity, held: HeldOffer, answer: pipe_pb2.Commissioned, outcome: Literal["signed", "refused"]
) -> DecisionModel:
    """Record what became of a decision, and say it."""
    match answer.answer:
        case pipe_pb2.SIGNING_ANSWER_SIGNED | pipe_pb2.SIGNING_ANSWER_SIGNED_UNSAVED | pipe_pb2.SIGNING_ANSWER_REFUSED:
            unsaved = answer.answer == pipe_pb2.SIGNING_ANSWER_SIGNED_UNSAVED
            saved = await _record_done(resource, who, held, outcome, answer, unsaved=unsaved) and not unsaved
            return DecisionModel(
                outcome=outcome, signed_blocks=answer.signed_blocks, lapsed_blocks=answer.lapsed_blocks, saved=saved
            )
        case pipe_pb2.SIGNING_ANSWER_NOT_OPEN:
            await _record(resource, who, held.camera, "void", held)
            raise HTTPException(409, "the offer was over in the meantime and nothing was done: ask for a new one")
        case pipe_pb2.SIGNING_ANSWER_NO_PICTURE:
            await _record(resource, who, held.camera, "void", held)
            resource.offers.put(held)
            raise HTTPException(503, "the camera gave no picture in time and nothing was done: the offer is as it was, try again")
        case _:
            await _record(resource, who, held.camera, "unknown", held)
            raise HTTPException(504, "the camera's worker was lost: whether it took effect is not known; look at the camera's page")


async def _record_done(
    resource: SigningResource, who: Identity, held: HeldOffer, outcome: Literal["signed", "refused"], answer: pipe_pb2.Commissioned, *,
    unsaved: bool,
) -> bool:
    """Record what was done; False if the disk does not take it. It is done all the same, and whoever decided is told so."""
    try:
        await _record(resource, who, held.camera, outcome, held, signed=answer.signed_blocks, lapsed=answer.lapsed_blocks)
        if unsaved:
            await _record(resource, who, held.camera, "unsaved", held, signed=answer.signed_blocks, lapsed=answer.lapsed_blocks)
    except StoreError as error:
        _log.error(
            "%s: %s %s (%d blocks) by %s is done and could not be recorded: %s",
            held.camera, "offer", outcome, answer.signed_blocks, who.name, error,
        )
        return False
    return True


async def _record(
    resource: SigningResource, who: Identity, camera: CameraId, act: CommissionAct, held: HeldOffer | None = None, *, statement: str = "",
    signed: int = 0, lapsed: int = 0,
) -> None:
    """Write an entry and wait until it is on the disk. Raises StoreError; then nothing further is done."""
    entry = CommissionEntry(
        at_wall_ns=resource.clock.wall_ns(),
        who=who.name,
        role=who.role.value,
        camera=camera,
        act=act,
        offer="" if held is None else held.name,
        picture_sha256="" if held is None else held.picture_sha256,
        blocks=0 if held is None else _count(held.candidate),
        statement=statement,
        signed_blocks=signed,
        lapsed_blocks=lapsed,
    )
    await anyio.to_thread.run_sync(resource.record.append, entry, limiter=resource.threads)


def _holder(request: Request, who: Identity) -> str:
    """What tells one session, or one token, from all others: the hash of its secret."""
    if who.session_hash is not None:
        return who.session_hash
    return hash_secret(request.headers.get("authorization", "").partition(" ")[2].strip())


def _grid(candidate: pipe_pb2.Candidate) -> Grid:
    grid = candidate.grid
    return Grid(grid.width_px, grid.height_px, grid.block_px, grid.epoch)


def _count(candidate: pipe_pb2.Candidate) -> int:
    return sum(byte.bit_count() for byte in candidate.blocks)


async def _signature(request: Request) -> Signature:
    # Not FastAPI's own reading of bodies: it takes whatever length comes, before anybody's permission is looked at.
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"the body is larger than {MAX_BODY_BYTES} bytes")
    try:
        return Signature.model_validate_json(bytes(body))
    except ValidationError as error:
        raise HTTPException(422, f'say {{"statement": "{STATEMENT}"}}, and nothing else but, perhaps, blocks') from error


def _chosen(signature: Signature, candidate: pipe_pb2.Candidate) -> bytes:
    """The bitmap to be signed; empty: all that was offered."""
    if signature.blocks is None:
        return b""
    grid = _grid(candidate)
    try:
        bits = base64.b64decode(signature.blocks, validate=True)
        unpack_bits(bits, grid.rows, grid.columns)
    except (binascii.Error, ValueError) as error:
        raise HTTPException(422, "blocks is no bitmap of the offer's grid") from error
    return bits
