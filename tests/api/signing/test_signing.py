"""Commissioning over HTTP: who sees an offer, who decides, and what is recorded before anything is done."""

from __future__ import annotations

import base64

import httpx
import pytest
from tests.api.names import DOCK, GATE
from tests.api.world import World

from privet.api.auth.permission import Role
from privet.api.auth.sessions import check_token, create_token, open_session
from privet.api.signing.routes import MAX_BODY_BYTES, STATEMENT
from privet.core.clock import NS_PER_S
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2

pytestmark = pytest.mark.anyio

SIGN = {"statement": STATEMENT}


async def offered(client: httpx.AsyncClient, camera: str = GATE) -> dict[str, str | int]:
    answer = await client.post(f"/api/cameras/{camera}/commission")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert isinstance(body, dict)
    return body


def path(offer: dict[str, str | int], verb: str, camera: str = GATE) -> str:
    return f"/api/cameras/{camera}/commission/{offer['offer']}/{verb}"


def acts(world: World) -> list[str]:
    return [entry.act for entry in world.entries.entries]


async def test_an_offer_is_seen_and_signed_by_who_asked(world: World) -> None:
    async with world.client(world.administrator) as client:
        offer = await offered(client)
        assert (offer["blocks"], offer["columns"], offer["rows"], offer["good_for_ms"]) == (4, 2, 2, 300_000)
        picture = await client.get(str(offer["picture"]))
        assert picture.content == b"RIFF----WEBP1"
        assert picture.headers["content-type"] == "image/webp"
        assert picture.headers["cache-control"] == "no-store"
        answer = await client.post(path(offer, "sign"), json=SIGN)
        assert answer.json() == {"outcome": "signed", "signed_blocks": 3, "lapsed_blocks": 1, "saved": True}
        assert world.signers.signed == [(GATE, (1).to_bytes(16), b"")]
        # It is decided on: nobody sees it or decides again.
        for again in (client.post(path(offer, "sign"), json=SIGN), client.post(path(offer, "refuse")), client.get(str(offer["picture"]))):
            assert (await again).status_code == 404
    assert len(world.signers.signed) == 1


async def test_every_step_is_recorded_with_who_what_and_the_pictures_hash(world: World) -> None:
    async with world.client(world.administrator) as client:
        offer = await offered(client)
        await client.post(path(offer, "sign"), json=SIGN)
    asked, made, signing, signed = world.entries.entries
    assert acts(world) == ["asked", "offered", "signing", "signed"]
    assert asked.offer == ""
    assert {(each.who, each.role, each.camera) for each in (asked, made, signing, signed)} == {("ada", "administrator", GATE)}
    assert made.picture_sha256 == signing.picture_sha256 == offer["picture_sha256"]
    assert len(made.picture_sha256) == 64
    assert (signing.statement, signing.blocks) == (STATEMENT, 4)
    assert (signed.signed_blocks, signed.lapsed_blocks) == (3, 1)


async def test_a_signer_is_told_what_is_not_on_the_disk_yet(world: World) -> None:
    world.signers.signing = pipe_pb2.SIGNING_ANSWER_SIGNED_UNSAVED
    async with world.client(world.administrator) as client:
        answer = await client.post(path(await offered(client), "sign"), json=SIGN)
    assert answer.json() == {"outcome": "signed", "signed_blocks": 3, "lapsed_blocks": 1, "saved": False}
    assert acts(world) == ["asked", "offered", "signing", "signed", "unsaved"]


async def test_what_is_done_and_cannot_be_recorded_is_not_said_to_have_failed(world: World) -> None:
    async def sign_and_fill_up(camera: CameraId, offer: bytes, blocks: bytes) -> pipe_pb2.Commissioned:
        world.entries.full = True
        return await signing(camera, offer, blocks)

    async with world.client(world.administrator) as client:
        offer = await offered(client)
        signing = world.signers.sign
        world.signers.sign = sign_and_fill_up  # type: ignore[method-assign]  # the disk fills up in between
        answer = await client.post(path(offer, "sign"), json=SIGN)
    assert (answer.status_code, answer.json()["outcome"], answer.json()["saved"]) == (200, "signed", False)
    assert acts(world) == ["asked", "offered", "signing"]


async def test_a_refusal_is_told_to_the_worker_and_recorded(world: World) -> None:
    async with world.client(world.administrator) as client:
        offer = await offered(client)
        answer = await client.post(path(offer, "refuse"))
        assert answer.json()["outcome"] == "refused"
    assert world.signers.refused == [(GATE, (1).to_bytes(16))]
    assert world.signers.signed == []
    assert acts(world) == ["asked", "offered", "refusing", "refused"]


async def test_another_token_and_another_session_of_the_same_person_see_nothing(world: World) -> None:
    other = create_token(world.accounts, world.clock, "ada", Role.ADMINISTRATOR)
    identity = check_token(world.accounts, world.administrator)
    assert identity is not None
    first, second = (open_session(world.accounts, world.clock, identity, 3600 * NS_PER_S) for _ in range(2))
    own = {"Origin": "http://localhost:8420"}
    async with (
        world.client(world.administrator) as asker,
        world.client(other) as namesake,
        world.client(None, Cookie=f"privet_session={first}", **own) as one,
        world.client(None, Cookie=f"privet_session={second}", **own) as two,
    ):
        for mine, theirs in ((asker, (namesake, one)), (one, (two, asker))):
            offer = await offered(mine)
            for each in theirs:
                assert (await each.get(str(offer["picture"]))).status_code == 404
                assert (await each.post(path(offer, "sign"), json=SIGN)).status_code == 404
                assert (await each.post(path(offer, "refuse"))).status_code == 404
            assert (await mine.get(str(offer["picture"]))).status_code == 200
    assert world.signers.signed == []


async def test_a_viewer_may_neither_see_nor_decide(world: World) -> None:
    async with world.client(world.administrator) as client, world.client(world.viewer) as viewer:
        offer = await offered(client)
        for answer in (
            await viewer.post("/api/cameras/gate/commission"), await viewer.get(str(offer["picture"])),
            await viewer.post(path(offer, "sign"), json=SIGN), await viewer.post(path(offer, "refuse")),
        ):
            assert answer.status_code == 403
    assert world.signers.asked == [GATE]


async def test_an_offer_is_over_after_its_time_or_with_the_next(world: World) -> None:
    async with world.client(world.administrator) as client:
        old = await offered(client)
        new = await offered(client)
        assert (await client.post(path(old, "sign"), json=SIGN)).status_code == 404
        assert (await client.get(str(new["picture"]))).status_code == 200
        world.fake_clock.advance(300 * NS_PER_S)
        assert (await client.get(str(new["picture"]))).status_code == 404
        assert (await client.post(path(new, "sign"), json=SIGN)).status_code == 404
    assert world.signers.signed == []


async def test_an_offer_of_one_camera_is_none_of_another(world: World) -> None:
    async with world.client(world.administrator) as client:
        offer = await offered(client)
        await offered(client, DOCK)
        assert (await client.post(path(offer, "sign", DOCK), json=SIGN)).status_code == 404
        assert (await client.post(path(offer, "sign"), json=SIGN)).status_code == 200


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (pipe_pb2.OFFER_ANSWER_NO_CANDIDATES, 409),
        (pipe_pb2.OFFER_ANSWER_TOO_SOON, 429),
        (pipe_pb2.OFFER_ANSWER_NO_PICTURE, 503),
    ],
)
async def test_why_there_is_nothing_to_sign(world: World, answer: pipe_pb2.OfferAnswer.ValueType, status: int) -> None:
    world.signers.answer = answer
    async with world.client(world.administrator) as client:
        refused = await client.post("/api/cameras/gate/commission")
    assert refused.status_code == refused.json()["status"] == status
    assert refused.headers["content-type"] == "application/problem+json"
    assert acts(world) == ["asked"]


@pytest.mark.parametrize(
    ("answer", "status", "act"),
    [
        (pipe_pb2.SIGNING_ANSWER_NOT_OPEN, 409, "void"),
        (pipe_pb2.SIGNING_ANSWER_NO_PICTURE, 503, "void"),
        (pipe_pb2.SIGNING_ANSWER_UNSPECIFIED, 504, "unknown"),
    ],
)
async def test_a_signature_that_was_not_carried_out_says_so(
    world: World, answer: pipe_pb2.SigningAnswer.ValueType, status: int, act: str
) -> None:
    world.signers.signing = answer
    async with world.client(world.administrator) as client:
        offer = await offered(client)
        assert (await client.post(path(offer, "sign"), json=SIGN)).status_code == status
        again = await client.post(path(offer, "sign"), json=SIGN)
        assert again.status_code == (503 if status == 503 else 404)  # only where nothing was done is the offer as it was
    assert acts(world)[3] == act


@pytest.mark.parametrize("step", ["offer", "sign", "refuse"])
async def test_what_cannot_be_recorded_is_not_done(world: World, step: str) -> None:
    async with world.client(world.administrator) as client:
        offer = None if step == "offer" else await offered(client)
        world.entries.full = True
        where = "/api/cameras/gate/commission" if offer is None else path(offer, step)
        answer = await client.post(where, json=SIGN)
        assert answer.status_code == 503
    assert world.signers.asked == ([] if step == "offer" else [GATE])
    assert (world.signers.signed, world.signers.refused) == ([], [])


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"statement": ""}', b'{"statement": "ok"}', b'{"statement": "nobody is in this picture", "more": 1}', b"\xff", b"[]"],
)
async def test_nothing_but_the_statement_is_a_signature(world: World, body: bytes) -> None:
    async with world.client(world.administrator) as client:
        offer = await offered(client)
        assert (await client.post(path(offer, "sign"), content=body)).status_code == 422
        assert (await client.post(path(offer, "sign"), content=b" " * (MAX_BODY_BYTES + 1))).status_code == 413
        assert (await client.get(str(offer["picture"]))).status_code == 200  # the offer is still open
    assert world.signers.signed == []


async def test_a_signer_may_choose_blocks_of_the_offers_grid(world: World) -> None:
    async with world.client(world.administrator) as client:
        offer = await offered(client)
        for wrong in ("?", base64.b64encode(b"\xf8").decode(), base64.b64encode(b"\xf0\x00").decode()):
            assert (await client.post(path(offer, "sign"), json=SIGN | {"blocks": wrong})).status_code == 422
        chosen = base64.b64encode(b"\xa0").decode()
        assert (await client.post(path(offer, "sign"), json=SIGN | {"blocks": chosen})).status_code == 200
    assert world.signers.signed == [(GATE, (1).to_bytes(16), b"\xa0")]


async def test_a_page_of_another_site_cannot_sign(world: World) -> None:
    async with world.client(world.administrator) as client:
        offer = await offered(client)
        answer = await client.post(path(offer, "sign"), json=SIGN, headers={"Origin": "https://elsewhere.example"})
        assert answer.status_code == 403
    assert world.signers.signed == []
