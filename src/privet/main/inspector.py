"""What the supervisor takes from a worker, which it holds to be hostile: every message is checked before anybody else sees it.

Belongs here: the checks, pure but for what was seen before. Does not belong here: reading the pipe (pipe) and what follows from a
message that breaks the rules (supervisor ends the worker). Whatever passes holds no field that the schema does not know, is of the size
that pipe.bound counts with, and comes no more often than pipe.proto declares. Answers to a signer are held to by who asked
(pending_requests): there is one for each question.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from privet.config.models import SceneSection
from privet.core.clock import Clock, SystemClock
from privet.core.declared import said
from privet.core.decoding import Decoding
from privet.core.errors import WireError
from privet.core.grid import BoolGrid, Grid, unpack_bits
from privet.core.ids import CameraId
from privet.core.offer import OFFER_ID_BYTES, OFFER_NS
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import LIGHT_COLUMNS, LIGHT_ROWS, MOST_LAYERS, Background, Light, State
from privet.core.wire import from_message
from privet.pipe.allowance import Allowance
from privet.pipe.framing import parse_worker_message
from privet.pipe.latency import LATENCY_BOUNDS_US

LOG_LEVELS = (10, 20, 30, 40)
DECODINGS = frozenset(Decoding)
SAVED_FOR_S = 60
"""What was not said in the last minute may be said at once: whoever was held up, this process or the worker, has it all together then."""
ANSWERS = ("candidate", "commissioned")
UNASKED = {(each.kind, each.of): each for each in said() if each.kind not in ANSWERS}


@dataclass(slots=True)
class _Seen:
    session: int = 0
    sequence: int = 0
    grid: Grid | None = None


class Allowances:
    """What each camera may still say, whichever process says it: a worker that is started again gets no second helping."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of: dict[tuple[str, str], Allowance] = {}

    def take(self, whose: str, part: str, rate: float) -> bool:
        """Whether one more of `part` may be said now. whose: a camera's id, or a name of the worker as a whole. rate: a second."""
        now_ns = self._clock.monotonic_ns()
        most = max(1.0, rate * SAVED_FOR_S)
        allowance = self._of.get((whose, part))
        if allowance is None:
            allowance = self._of[whose, part] = Allowance(rate, most, now_ns)
        elif allowance.per_second != rate:
            allowance.change(rate, most, now_ns)
        return allowance.take(now_ns)

    def forget(self, camera: CameraId) -> None:
        """The camera is gone."""
        for key in [key for key in self._of if key[0] == camera]:
            del self._of[key]


class Inspector:
    """Checks one worker's messages, from its start to its end."""

    def __init__(
        self, cameras: Collection[CameraId], allowances: Allowances | None = None,
        covers_per_second: float = SceneSection().covers_per_second, name: str = "the worker",
    ) -> None:
        """cameras: the ones this worker hosts; it may speak of no other. allowances: kept from one process to the next; None for new ones.
        name: of the worker as a whole, among those who share the allowances.
        """
        self._allowances = Allowances(SystemClock()) if allowances is None else allowances
        self._covers_per_second = covers_per_second
        self._name = name
        self._seen = {camera: _Seen() for camera in cameras}
        self._hosted = frozenset(cameras)

    def host(self, cameras: Collection[CameraId], covers_per_second: float) -> None:
        """The worker hosts exactly these from now on. What it still says of others that it hosted is checked like anything else."""
        self._hosted = frozenset(cameras)
        self._covers_per_second = covers_per_second
        for camera in cameras:
            self._seen.setdefault(camera, _Seen())

    def hosts(self, camera: str) -> bool:
        """Whether the worker hosts this camera now; of the worker as a whole ("") always."""
        return camera == "" or CameraId(camera) in self._hosted

    def inspect(self, body: bytes) -> pipe_pb2.WorkerMessage:
        """Return the message in `body`, cleaned of unknown fields.

        Raises:
            WireError: it is no message, of a camera that is not this worker's, of no known kind, breaks its specification, or comes too
                often.
        """
        message = parse_worker_message(body)
        message.DiscardUnknownFields()
        kind = message.WhichOneof("kind")
        if message.camera == "" and kind == "log":
            _check_log(message.log)
            self._count(message)
            return message
        seen = self._seen.get(CameraId(message.camera))
        if seen is None:
            raise WireError(f"a worker spoke of camera {message.camera[:64]!r}, which it does not host")
        match kind:
            case "scene":
                _check_scene(message, seen)
            case "promotion":
                _check_promotion(message.promotion, seen)
            case "health":
                _check_health(message.health)
            case "log":
                _check_log(message.log)
            case "candidate":
                _check_candidate(message.candidate, seen)
            case "commissioned":
                _check_commissioned(message.commissioned)
            case _:
                raise WireError("a worker's message is of no known kind")
        self._count(message)
        return message

    def _count(self, message: pipe_pb2.WorkerMessage) -> None:
        kind = message.WhichOneof("kind") or ""
        each = UNASKED.get((kind, (message.scene.WhichOneof("kind") or "") if kind == "scene" else ""))
        if each is None:
            return
        rate, whose = each.rate(self._covers_per_second), message.camera or self._name
        if not self._allowances.take(whose, each.part, rate):
            raise WireError(f"{each.part} of {whose} came more often than {rate:g} times a second")


def _check_scene(message: pipe_pb2.WorkerMessage, seen: _Seen) -> None:
    scene_message = message.scene
    kind = scene_message.WhichOneof("kind")
    if kind is None:
        raise WireError("a scene message is of no known kind")
    head = getattr(scene_message, kind).head
    new_session = head.session != seen.session
    if not new_session and head.sequence <= seen.sequence:
        raise WireError(f"sequence {head.sequence} came after {seen.sequence} of the same session")
    if new_session:
        seen.grid = None
    scene = from_message(scene_message, seen.grid)
    if scene is None:  # a reader skips it; a worker of this very version has no reason to say it
        raise WireError(f"{kind} message {head.sequence} is not of the epoch in force")
    match scene:
        case Light() if scene.gain.shape[0] > LIGHT_ROWS or scene.gain.shape[1] > LIGHT_COLUMNS:
            raise WireError(f"light of {scene.gain.shape} cells: at most {LIGHT_ROWS} rows and {LIGHT_COLUMNS} columns are agreed")
        case Background():
            seen.grid = scene.grid
        case State() if scene.grid is not None:
            seen.grid = scene.grid
    seen.session = head.session
    seen.sequence = head.sequence


def _in_force(kind: str, grid: scene_pb2.Grid, bitmap: bytes, seen: _Seen) -> BoolGrid:
    """Return a bitmap over the grid in force, which must be the one that is told with it: a larger one could say more."""
    if seen.grid != _grid(kind, grid):
        raise WireError(f"{kind} over a grid that is not in force: {grid.width_px} x {grid.height_px} px, epoch {grid.epoch}")
    try:
        return unpack_bits(bitmap, seen.grid.rows, seen.grid.columns)
    except ValueError as error:
        raise WireError(f"{kind}: {error}") from error


def _grid(kind: str, grid: scene_pb2.Grid) -> Grid:
    try:
        return Grid(grid.width_px, grid.height_px, grid.block_px, grid.epoch)
    except ValueError as error:
        raise WireError(f"{kind}: {error}") from error


def _check_promotion(promotion: pipe_pb2.Promotion, seen: _Seen) -> None:
    promoted = _in_force("promotion", promotion.grid, promotion.promoted, seen)
    if promotion.blocks != int(np.count_nonzero(promoted)):
        raise WireError(f"promotion of {promotion.blocks} blocks marks {int(np.count_nonzero(promoted))}")
    if promotion.by not in pipe_pb2.Commissioning.values() or promotion.by == pipe_pb2.COMMISSIONING_UNSPECIFIED:
        raise WireError(f"promotion by {promotion.by}, which is not known")
    by_layer = promotion.by == pipe_pb2.COMMISSIONING_LAYER
    if not (1 <= promotion.layer <= MOST_LAYERS if by_layer else promotion.layer == 0):
        raise WireError(f"promotion by {pipe_pb2.Commissioning.Name(promotion.by)} of layer {promotion.layer}")
    if promotion.epoch != promotion.grid.epoch:
        raise WireError(f"promotion of epoch {promotion.epoch} over a grid of epoch {promotion.grid.epoch}")


def _check_candidate(candidate: pipe_pb2.Candidate, seen: _Seen) -> None:
    if candidate.answer not in pipe_pb2.OfferAnswer.values() or candidate.answer == pipe_pb2.OFFER_ANSWER_UNSPECIFIED:
        raise WireError(f"candidate with answer {candidate.answer}, which is not known")
    if candidate.answer != pipe_pb2.OFFER_ANSWER_OFFERED:
        bare = pipe_pb2.Candidate(request=candidate.request, answer=candidate.answer)
        if candidate != bare:
            raise WireError("a candidate that offers nothing holds more than its answer")
        return
    blocks = _in_force("candidate", candidate.grid, candidate.blocks, seen)
    if not blocks.any() or len(candidate.offer) != OFFER_ID_BYTES:
        raise WireError(f"candidate without a block or with an id of {len(candidate.offer)} bytes")
    if candidate.format != scene_pb2.IMAGE_FORMAT_WEBP or (candidate.image[:4], candidate.image[8:12]) != (b"RIFF", b"WEBP"):
        raise WireError("candidate whose picture is no WebP")
    if candidate.wall_ns < 0 or not 0 < candidate.good_for_ns <= OFFER_NS:
        raise WireError(f"candidate of {candidate.wall_ns} ns, good for {candidate.good_for_ns} ns")


def _check_commissioned(commissioned: pipe_pb2.Commissioned) -> None:
    answer = commissioned.answer
    if answer not in pipe_pb2.SigningAnswer.values() or answer == pipe_pb2.SIGNING_ANSWER_UNSPECIFIED:
        raise WireError(f"commissioned with answer {answer}, which is not known")
    signed = answer in (pipe_pb2.SIGNING_ANSWER_SIGNED, pipe_pb2.SIGNING_ANSWER_SIGNED_UNSAVED)
    if not signed and (commissioned.signed_blocks or commissioned.lapsed_blocks):
        raise WireError("commissioned counts blocks though nothing was signed")


def _check_health(health: pipe_pb2.Health) -> None:
    if health.sub_stream not in pipe_pb2.SubStream.values():
        raise WireError(f"health with sub-stream state {health.sub_stream}, which is not known")
    if health.decoding not in DECODINGS:
        raise WireError(f"health with decoding {health.decoding}, which is not known")
    found, agreed = len(health.latency_bucket_counts), len(LATENCY_BOUNDS_US) + 1
    if found not in {0, agreed}:
        raise WireError(f"health with {found} latency buckets: {agreed} are agreed")


def _check_log(log: pipe_pb2.Log) -> None:
    if log.level not in LOG_LEVELS or log.code not in pipe_pb2.LogCode.values() or log.code == pipe_pb2.LOG_CODE_UNSPECIFIED:
        raise WireError(f"log of level {log.level} and code {log.code}, which are not known")
