"""Commissioning through worker and supervisor: answered once, to whoever asked, and to nobody else."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import numpy as np
import pytest
from tests.main.test_supervisor import GATE, YARD, supervised
from tests.pipe.messages import CAMERA, GRID, background, state, worker_scene
from tests.scene.pictures import frame_of, place

from privet.api.signing.ports import CommissionEntry
from privet.cli import commission as cli
from privet.core.clock import NS_PER_S, FakeClock
from privet.core.errors import DetectorError, StoreError, WireError
from privet.core.frame import Frame, Matrix
from privet.core.grid import BoolGrid, pack_bits
from privet.core.ids import CameraId
from privet.core.offer import OFFER_EVERY_NS, OFFER_NS
from privet.core.pb import pipe_pb2, scene_pb2
from privet.main.inspector import SAVED_FOR_S, Inspector
from privet.main.pending_requests import ANSWER_WITHIN_S, MOST_PENDING, OfferLimit, PendingRequests
from privet.main.signing_record import NAME, CommissionFile
from privet.main.supervisor import DECISIONS_PER_SECOND, Supervisor
from privet.pipe.signing import no_picture
from privet.scene.proof.promote import ProvenBackground
from privet.scene.proof.signing import NoOffer, Offer, OpenOffer, Signing
from privet.worker.send_queue import Outgoing
from privet.worker.signing_queue import ANSWER_WITHIN_NS, MOST_WAITING, SigningQueue

ID = b"0123456789abcdef"
BITS = b"\xff" * 6


def candidate(request: int, **changes: object) -> pipe_pb2.Candidate:
    made = pipe_pb2.Candidate(
        request=request, answer=pipe_pb2.OFFER_ANSWER_OFFERED, offer=ID, blocks=BITS, format=scene_pb2.IMAGE_FORMAT_WEBP,
        grid=scene_pb2.Grid(width_px=GRID.width_px, height_px=GRID.height_px, block_px=8, epoch=1), image=b"RIFF----WEBPa face",
        wall_ns=5, good_for_ns=NS_PER_S,
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def said(message: pipe_pb2.Candidate | pipe_pb2.Commissioned, camera: CameraId = GATE) -> pipe_pb2.WorkerMessage:
    if isinstance(message, pipe_pb2.Candidate):
        return pipe_pb2.WorkerMessage(camera=camera, candidate=message)
    return pipe_pb2.WorkerMessage(camera=camera, commissioned=message)


# ---- the supervisor


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
async def test_decisions_beyond_the_declared_rate_do_not_reach_the_worker() -> None:
    async with supervised([GATE]) as (supervising, launch, ears):
        worker = await launch.worker(0)
        worker.say(state(1))
        await ears.until(lambda: ("state", 7) in ears.said(GATE))

        async def answer() -> None:
            answered = 1                    # the first it is told is its settings
            while True:
                for message in worker.told[answered:]:
                    request = message.commission_refuse.request
                    worker.say(said(pipe_pb2.Commissioned(request=request, answer=pipe_pb2.SIGNING_ANSWER_NOT_OPEN)))
                    answered += 1
                await anyio.sleep(0.001)

        async with anyio.create_task_group() as group:
            group.start_soon(answer)
            found = [(await supervising.refuse(GATE, ID)).answer for _ in range(round(DECISIONS_PER_SECOND * SAVED_FOR_S) + 20)]
            group.cancel_scope.cancel()
        handed_on = found.count(pipe_pb2.SIGNING_ANSWER_NOT_OPEN)
        assert handed_on == len(worker.told) - 1
        assert handed_on >= DECISIONS_PER_SECOND * SAVED_FOR_S
        assert found[-1] == pipe_pb2.SIGNING_ANSWER_NO_PICTURE


@pytest.mark.anyio
async def test_an_offer_goes_to_who_asked_and_to_no_listener() -> None:
    async with supervised([GATE]) as (supervising, launch, ears):
        worker = await launch.worker(0)
        worker.say(state(1))
        worker.say(background(2))
        await ears.until(lambda: ("background", 7) in ears.said(GATE))
        found: list[pipe_pb2.Candidate] = []

        async def ask() -> None:
            found.append(await supervising.offer(GATE))

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await worker.hears(2)
            asked = worker.told[-1].commission_offer
            assert asked.camera == GATE
            worker.say(said(candidate(asked.request)))
        assert found == [candidate(asked.request)]
        # Neither recorder nor hub nor index: a listener is told of nothing.
        assert ears.others == []
        assert {message.WhichOneof("kind") for _, message in ears.scenes} == {"state", "background"}
        assert not any(b"a face" in message.SerializeToString() for _, message in ears.scenes)
        again = await supervising.offer(GATE)
        assert again.answer == pipe_pb2.OFFER_ANSWER_TOO_SOON
        assert len(worker.told) == 2


@pytest.mark.anyio
@pytest.mark.parametrize("verb", ["sign", "refuse"])
async def test_a_decision_is_carried_to_the_worker_and_its_answer_back(verb: str) -> None:
    async with supervised([GATE]) as (supervising, launch, _):
        worker = await launch.worker(0)
        found: list[pipe_pb2.Commissioned] = []

        async def decide() -> None:
            found.append(await (supervising.sign(GATE, ID, BITS) if verb == "sign" else supervising.refuse(GATE, ID)))

        async with anyio.create_task_group() as group:
            await worker.hears(1)
            group.start_soon(decide)
            await worker.hears(2)
            request = worker.told[-1].commission_sign if verb == "sign" else worker.told[-1].commission_refuse
            assert request.offer == ID
            answer = pipe_pb2.Commissioned(request=request.request, answer=pipe_pb2.SIGNING_ANSWER_SIGNED, signed_blocks=4)
            worker.say(said(answer))
        assert found == [answer]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "unasked",
    [said(candidate(1)), said(candidate(0)), said(pipe_pb2.Commissioned(request=1, answer=pipe_pb2.SIGNING_ANSWER_SIGNED))],
    ids=["an offer", "number 0", "a decision"],
)
async def test_a_worker_that_offers_unasked_is_ended(unasked: pipe_pb2.WorkerMessage) -> None:
    async with supervised([GATE]) as (_, launch, ears):
        worker = await launch.worker(0)
        worker.say(unasked)
        await ears.until(lambda: bool(ears.lost))
        assert worker.ended


@pytest.mark.anyio
async def test_who_waits_for_a_lost_worker_learns_that_nobody_knows() -> None:
    async with supervised([GATE]) as (supervising, launch, _):
        worker = await launch.worker(0)
        await worker.hears(1)
        found: list[pipe_pb2.Commissioned] = []

        async def decide() -> None:
            found.append(await supervising.sign(GATE, ID, b""))

        async with anyio.create_task_group() as group:
            group.start_soon(decide)
            await worker.hears(2)
            worker.say(None)
        assert found == [pipe_pb2.Commissioned()]


@pytest.mark.anyio
async def test_a_camera_without_a_worker_is_answered_at_once() -> None:
    supervising: Supervisor
    async with supervised([GATE]) as (supervising, _, _ears):
        assert (await supervising.offer(YARD)).answer == pipe_pb2.OFFER_ANSWER_NO_PICTURE
        assert (await supervising.sign(YARD, ID, b"")).answer == pipe_pb2.SIGNING_ANSWER_NO_PICTURE


def test_requests_are_answered_by_their_own_camera_in_their_own_kind() -> None:
    pending = PendingRequests()
    begun = pending.begin(GATE, offers=True)
    assert begun is not None
    number, request_pending = begun
    for camera, answer in (
        (YARD, candidate(number)),
        (GATE, pipe_pb2.Commissioned(request=number)),
        (GATE, candidate(number + 1)),
    ):
        with pytest.raises(WireError):
            pending.answered(camera, answer)
    pending.answered(GATE, candidate(number))
    assert request_pending.answer == candidate(number)
    with pytest.raises(WireError):
        pending.answered(GATE, candidate(number))


def test_requests_are_bounded() -> None:
    pending = PendingRequests()
    numbers = [pending.begin(GATE, offers=False) for _ in range(MOST_PENDING)]
    assert None not in numbers
    assert pending.begin(GATE, offers=False) is None
    pending.lost()
    assert pending.begin(GATE, offers=False) is not None


def test_offers_are_limited_per_camera_on_the_monotonic_clock() -> None:
    clock = FakeClock()
    limit = OfferLimit(clock)
    assert limit.draw(GATE)
    assert limit.draw(YARD)
    clock.step_wall(10 * OFFER_EVERY_NS)
    clock.advance(OFFER_EVERY_NS - 1)
    assert not limit.draw(GATE)
    clock.advance(1)
    assert limit.draw(GATE)


def test_who_asks_waits_longer_than_who_answers() -> None:
    assert ANSWER_WITHIN_NS < ANSWER_WITHIN_S * NS_PER_S < cli.ANSWER_WITHIN_S * NS_PER_S


# ---- what is taken from a worker


def inspector() -> Inspector:
    """One that has heard of the grid."""
    inspecting = Inspector([CAMERA])
    inspecting.inspect(worker_scene(background(1)).SerializeToString())
    return inspecting


@pytest.mark.parametrize(
    "message",
    [
        candidate(1, answer=0),
        candidate(1, offer=b"short"),
        candidate(1, blocks=b"\x00" * 6),
        candidate(1, blocks=b"\xff"),
        candidate(1, image=b"<svg>"),
        candidate(1, format=scene_pb2.IMAGE_FORMAT_PNG),
        candidate(1, good_for_ns=0),
        candidate(1, good_for_ns=OFFER_NS + 1),
        candidate(1, wall_ns=-1),
        candidate(1, answer=pipe_pb2.OFFER_ANSWER_NO_PICTURE),
        pipe_pb2.Commissioned(request=1),
        pipe_pb2.Commissioned(request=1, answer=pipe_pb2.SIGNING_ANSWER_REFUSED, signed_blocks=1),
    ],
)
def test_answers_that_break_the_rules_are_not_taken(message: pipe_pb2.Candidate | pipe_pb2.Commissioned) -> None:
    with pytest.raises(WireError):
        inspector().inspect(said(message, CAMERA).SerializeToString())


def test_answers_that_keep_to_the_rules_are() -> None:
    for message in (
        said(candidate(1), CAMERA),
        said(pipe_pb2.Candidate(request=1, answer=pipe_pb2.OFFER_ANSWER_TOO_SOON), CAMERA),
        said(pipe_pb2.Commissioned(request=1, answer=pipe_pb2.SIGNING_ANSWER_SIGNED, signed_blocks=3, lapsed_blocks=1), CAMERA),
    ):
        assert inspector().inspect(message.SerializeToString()) == message


# ---- the worker's queue


@dataclass
class Told:
    """Keeps what is said."""

    messages: list[Outgoing] = field(default_factory=list)

    def __call__(self, message: Outgoing, arrived_monotonic_ns: int = 0) -> None:
        self.messages.append(message)


@dataclass
class Offering:
    """An analyst with one offer to give; keeps what it was asked."""

    answer: Offer | NoOffer
    signed: list[tuple[bytes, BoolGrid | None]] = field(default_factory=list)
    fails: bool = False

    def offer(self, frame: Frame) -> Offer | NoOffer:
        if self.fails:
            raise DetectorError("gone")
        return self.answer

    def sign(self, offer_id: bytes, blocks: BoolGrid | None, now_ns: int) -> Signing | None:
        self.signed.append((offer_id, blocks))
        return Signing(5, 2) if isinstance(self.answer, Offer) and offer_id == self.answer.id else None

    def refuse(self, offer_id: bytes, now_ns: int) -> bool:
        return isinstance(self.answer, Offer) and offer_id == self.answer.id

    def expire(self, now_ns: int) -> None: ...


BACKGROUND = ProvenBackground(GRID, Matrix.BT601)
PICTURE = place(GRID.height_px, GRID.width_px)
BLOCKS: BoolGrid = np.arange(GRID.blocks).reshape(GRID.shape) % 3 == 0


def an_offer() -> Offer:
    return OpenOffer().put(GRID, Matrix.BT601, BLOCKS, PICTURE, np.zeros(GRID.shape, np.int64), NS_PER_S, 9)


def test_an_offer_leaves_as_a_candidate_that_the_supervisor_takes() -> None:
    told, offering = Told(), Offering(an_offer())
    queue = SigningQueue(told, FakeClock())
    queue.put(pipe_pb2.CommissionOffer(camera=CAMERA, request=4))
    assert told.messages == []  # not before a frame was judged
    assert queue.serve(offering, BACKGROUND, frame_of(PICTURE)) == 0
    (message,) = told.messages
    assert isinstance(message, pipe_pb2.Candidate)
    assert (message.request, message.blocks, message.wall_ns) == (4, pack_bits(BLOCKS), 9)
    assert message.good_for_ns == OFFER_NS
    inspector().inspect(said(message, CAMERA).SerializeToString())


@pytest.mark.parametrize("reason", list(NoOffer))
def test_why_nothing_is_offered_is_said(reason: NoOffer) -> None:
    told = Told()
    queue = SigningQueue(told, FakeClock())
    queue.put(pipe_pb2.CommissionOffer(camera=CAMERA, request=4))
    queue.serve(Offering(reason), BACKGROUND, frame_of(PICTURE))
    (message,) = told.messages
    assert isinstance(message, pipe_pb2.Candidate)
    assert pipe_pb2.OfferAnswer.Name(message.answer) == f"OFFER_ANSWER_{reason.name}"
    inspector().inspect(said(message, CAMERA).SerializeToString())


def test_decisions_are_carried_out_once_and_counted() -> None:
    told, offer = Told(), an_offer()
    offering = Offering(offer)
    queue = SigningQueue(told, FakeClock())
    queue.put(pipe_pb2.CommissionSign(camera=CAMERA, request=1, offer=offer.id, blocks=pack_bits(BLOCKS)))
    queue.put(pipe_pb2.CommissionSign(camera=CAMERA, request=2, offer=offer.id, blocks=b"\xff"))
    queue.put(pipe_pb2.CommissionSign(camera=CAMERA, request=3, offer=ID))
    queue.put(pipe_pb2.CommissionRefuse(camera=CAMERA, request=4, offer=offer.id))
    assert queue.serve(offering, BACKGROUND, frame_of(PICTURE)) == 5
    answers = {message.request: message for message in told.messages if isinstance(message, pipe_pb2.Commissioned)}
    assert (answers[1].signed_blocks, answers[1].lapsed_blocks) == (5, 2)
    assert answers[2].answer == answers[3].answer == pipe_pb2.SIGNING_ANSWER_NOT_OPEN
    assert answers[4].answer == pipe_pb2.SIGNING_ANSWER_REFUSED
    assert offering.signed[0][1] is not None
    assert np.array_equal(offering.signed[0][1], BLOCKS)
    assert offering.signed[1] == (ID, None)
    assert queue.serve(offering, BACKGROUND, frame_of(PICTURE)) == 0
    assert len(told.messages) == 4


def test_who_signed_is_answered_once_it_is_saved_or_is_known_not_to_be() -> None:
    offer, order = an_offer(), list[str]()

    def keep() -> bool:
        order.append(f"after {len(told.messages)} answers")
        return False

    told = Told()
    desk = SigningQueue(told, FakeClock(), keep)
    desk.put(pipe_pb2.CommissionSign(camera=CAMERA, request=1, offer=offer.id, blocks=pack_bits(BLOCKS)))
    desk.serve(Offering(offer), BACKGROUND, frame_of(PICTURE))
    (answer,) = told.messages
    assert isinstance(answer, pipe_pb2.Commissioned)
    assert (answer.answer, answer.signed_blocks) == (pipe_pb2.SIGNING_ANSWER_SIGNED_UNSAVED, 5)
    assert order == ["after 0 answers"]
    Inspector([CAMERA]).inspect(said(answer, CAMERA).SerializeToString())


def test_what_finds_no_frame_in_time_is_answered_and_never_carried_out() -> None:
    told, clock = Told(), FakeClock()
    offering = Offering(an_offer())
    queue = SigningQueue(told, clock)
    queue.put(pipe_pb2.CommissionSign(camera=CAMERA, request=1, offer=ID))
    clock.advance(ANSWER_WITHIN_NS - 1)
    queue.give_up()
    assert told.messages == []
    clock.advance(1)
    queue.give_up()
    assert told.messages == [pipe_pb2.Commissioned(request=1, answer=pipe_pb2.SIGNING_ANSWER_NO_PICTURE)]
    queue.serve(offering, BACKGROUND, frame_of(PICTURE))
    assert offering.signed == []


def test_the_queue_is_bounded_and_everything_is_answered() -> None:
    told = Told()
    queue = SigningQueue(told, FakeClock())
    requests = [pipe_pb2.CommissionOffer(camera=CAMERA, request=number) for number in range(1, MOST_WAITING + 2)]
    for request in requests:
        queue.put(request)
    assert told.messages == [no_picture(requests[-1])]
    queue.give_up(everything=True)
    assert len(told.messages) == len(requests)


def test_a_detector_that_fails_is_an_answer_and_a_failure() -> None:
    told = Told()
    queue = SigningQueue(told, FakeClock())
    queue.put(pipe_pb2.CommissionOffer(camera=CAMERA, request=1))
    with pytest.raises(DetectorError):
        queue.serve(Offering(NoOffer.NO_PICTURE, fails=True), BACKGROUND, frame_of(PICTURE))
    assert told.messages == [pipe_pb2.Candidate(request=1, answer=pipe_pb2.OFFER_ANSWER_NO_PICTURE)]


# ---- the record


def entry(number: int = 1) -> CommissionEntry:
    return CommissionEntry(number, "ada\n", "administrator", CAMERA, "signing", "ab", "cd", 3, "nobody is in this picture", 0, 0)


def test_the_record_is_appended_and_for_its_owner_only(tmp_path: Path) -> None:
    record = CommissionFile(tmp_path)
    record.append(entry(1))
    record.append(entry(2))
    CommissionFile(tmp_path).append(entry(3))
    lines = (tmp_path / NAME).read_text().splitlines()
    assert [json.loads(line)["at_wall_ns"] for line in lines] == [1, 2, 3]
    assert json.loads(lines[0])["statement"] == "nobody is in this picture"
    assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600


def test_a_line_that_a_crash_cut_off_does_not_spoil_the_next(tmp_path: Path) -> None:
    record = CommissionFile(tmp_path)
    record.append(entry(1))
    path = tmp_path / NAME
    os.truncate(path, path.stat().st_size - 5)
    record.append(entry(2))
    lines = path.read_text().splitlines()
    assert len(lines) == 2
    assert json.loads(lines[1])["at_wall_ns"] == 2


def test_a_record_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        CommissionFile(tmp_path / "nowhere").append(entry())
