"""A file in two passes: the first proves the place, the second says cover and light against what the first has proven.

Belongs here: the passes and what is said of them. Does not belong here: the process (mask), painting (cli/mask). Time in the
stream is the film's own: it begins at 1 ns, because 0 says "unknown".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import floor

from privet.core.clock import NS_PER_S, SystemClock
from privet.core.errors import SourceError
from privet.core.frame import Frame
from privet.core.geometry import Geometry
from privet.core.pb import pipe_pb2
from privet.core.scene import Reason, Scene
from privet.core.wire import to_message
from privet.detect.openvino import load_detectors
from privet.ingest.open import open_source
from privet.ingest.source import Source, SourceSettings
from privet.ingest.survey import Survey, survey_file
from privet.pipe.jobs import MaskSettings
from privet.scene.analyst import Analyst
from privet.scene.demand import is_due
from privet.scene.settings import AnalystSettings
from privet.worker.camera.scene_encoder import SceneEncoder, Seen

LOOKS_PER_PROOF = 80
PROGRESS_EVERY_FRAMES = 25
PROVING, TELLING = 1, 2

Say = Callable[[pipe_pb2.WorkerMessage], None]


def mask(settings: MaskSettings, say: Say) -> None:
    """Say the second pass's scene messages, and `Health` for the progress of both (`connects` names the pass).

    Raises:
        SourceError: the file cannot be read. DetectorError: a detector does not load.
    """
    survey = survey_file(settings.path)
    policy = mask_policy(settings, survey)
    detectors = load_detectors(settings.device, settings.threshold)
    prover = Analyst(policy, detectors)
    first: Geometry | None = None
    last: Geometry | None = None
    for source, frame in _frames(settings):
        first, last = frame.stored if first is None else first, frame.stored
        if is_due(prover.demand.main, frame):
            prover.observe(frame)
        if source.statistics().frames_decoded % PROGRESS_EVERY_FRAMES == 0:
            say(_progress(prover, source, PROVING))
    # Without detectors nothing more is proven: the second pass only looks. What was proven of the film's end says nothing of its beginning
    # if that is stored in another geometry.
    teller = Analyst(policy, (), prover.snapshot() if first == last else None)
    encoder = SceneEncoder(TELLING, round(NS_PER_S / settings.covers_per_second))
    _say_scenes(say, encoder.begin(teller.background, 0, 1, 0))
    said_ns = 1
    for source, frame in _frames(settings):
        if not is_due(teller.demand.main, frame):
            continue
        seen = teller.observe(frame)
        background = teller.background
        assert background is not None
        outgoing = Seen(
            frame.wall_ns, frame.monotonic_ns, seen.condition, seen.reason, seen.cover, seen.light, seen.painted, seen.new_grid
        )
        scenes: list[Scene] = encoder.tell(outgoing, background, 0)
        if frame.wall_ns - said_ns >= NS_PER_S // 2:
            said_ns = frame.wall_ns
            scenes.append(encoder.heartbeat(background, 0, frame.wall_ns))
        _say_scenes(say, scenes)
        if source.statistics().frames_decoded % PROGRESS_EVERY_FRAMES == 0:
            say(_progress(prover, source, TELLING))


def mask_policy(settings: MaskSettings, survey: Survey) -> AnalystSettings:
    """The rules for this film: times and keyframe counts are shortened to what it can give, thresholds are not."""
    duration_s = max(survey.duration_ns / NS_PER_S, 0.1)
    prove_s = settings.prove_seconds or min(60.0, max(2.0, duration_s / 4))
    keyframes = floor(prove_s * survey.keyframes / duration_s)
    return AnalystSettings(
        block_px=settings.block_px,
        covers_per_second=settings.covers_per_second,
        prove_ns=round(prove_s * NS_PER_S),
        prove_keyframes=min(30, max(2, keyframes)),
        commissioning="automatic",
        person_height_px=settings.person_height_px,
        looks_per_second=LOOKS_PER_PROOF / prove_s,
    )


def _frames(settings: MaskSettings) -> Iterator[tuple[Source, Frame]]:
    source = open_source(SourceSettings(url=settings.path.as_uri(), paced=False, start_wall_ns=1), SystemClock())
    with source:
        try:
            for frame in source.frames():
                yield source, frame
        except SourceError as error:
            if error.reason is not Reason.ENDED:
                raise


def _say_scenes(say: Say, scenes: Sequence[Scene]) -> None:
    for scene in scenes:
        say(pipe_pb2.WorkerMessage(scene=to_message(scene)))


def _progress(prover: Analyst, source: Source, which: int) -> pipe_pb2.WorkerMessage:
    received = source.statistics()
    counters = prover.counters
    return pipe_pb2.WorkerMessage(
        health=pipe_pb2.Health(
            packets=received.packets,
            bytes_received=received.bytes_received,
            frames_decoded=received.frames_decoded,
            frames_damaged=received.frames_damaged,
            connects=which,
            looks=counters.looks,
            looks_with_hit=counters.looks_with_hit,
            proofs_restarted=counters.proofs_restarted,
        )
    )
