"""Several cameras in one worker: one crash is one camera's."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tests.pipe.messages import state

from privet.core.clock import NS_PER_S, FakeClock
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.pipe import framing
from privet.pipe.crash_code import describe
from privet.pipe.settings import CameraSettings
from privet.pipe.signing import CommissionRequest
from privet.worker.host import Host
from privet.worker.send_queue import Emit, SendQueue

GATE, YARD = CameraId("gate"), CameraId("yard")


def told(camera: CameraId, url: str = "rtsp://192.0.2.1/main") -> CameraSettings:
    return CameraSettings(camera=camera, url=url, state_directory=PurePosixPath("state", camera))


class Heard:
    """Parses what the send queue writes; `wait_for` blocks until something was said."""

    def __init__(self) -> None:
        self.messages: list[pipe_pb2.WorkerMessage] = []
        self._changed = threading.Condition()

    def __call__(self, data: bytes) -> None:
        with self._changed:
            self.messages += [framing.parse_worker_message(body) for body in framing.read_bodies(io.BytesIO(data))]
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[pipe_pb2.WorkerMessage], bool], count: int = 1) -> list[pipe_pb2.WorkerMessage]:
        with self._changed:
            assert self._changed.wait_for(lambda: sum(map(wanted, self.messages)) >= count, timeout=20)
            return [message for message in self.messages if wanted(message)]


@dataclass
class Script:
    """What a pipeline does in its lives: an exception to raise, or None to run until it is stopped."""

    lives: list[Exception | None]
    begun: int = 0
    resent: threading.Event = field(default_factory=threading.Event)
    heartbeats: list[int] = field(default_factory=list)
    beat_raises: Exception | None = None
    busy: int = 0
    saving: bool = False


class ScriptedPipeline:
    def __init__(self, script: Script, emit: Emit) -> None:
        self._script = script
        self._emit = emit
        self._stop = threading.Event()

    def run(self) -> None:
        life = self._script.lives[min(self._script.begun, len(self._script.lives) - 1)]
        self._script.begun += 1
        self._emit(state(1, session=self._script.begun))
        self._emit(pipe_pb2.Health(packets=self._script.begun))
        if life is not None:
            raise life
        assert self._stop.wait(20)

    @property
    def saving(self) -> Callable[[], bool]:
        return lambda: self._script.saving

    def stop(self) -> None:
        self._stop.set()

    def resend(self) -> None:
        self._script.resent.set()

    def heartbeat(self, wait_s: float) -> bool:
        if self._script.busy:
            self._script.busy -= 1
            return False
        self._script.heartbeats.append(self._script.begun)
        error, self._script.beat_raises = self._script.beat_raises, None
        if error is not None:
            raise error
        return True

    def commission(self, request: CommissionRequest) -> None:
        self._emit(pipe_pb2.Commissioned(request=request.request, answer=pipe_pb2.SIGNING_ANSWER_REFUSED))


class Stage:
    """A host with scripted pipelines and its send queue running."""

    def __init__(self, scripts: dict[CameraId, Script], memory_bytes: Callable[[], int] = lambda: 1) -> None:
        self.heard = Heard()
        self.clock = clock = FakeClock()
        self._send_queue = SendQueue(self.heard, clock)
        self._sender = threading.Thread(target=self._send_queue.run)
        self._sender.start()
        self.host = Host(
            [told(camera) for camera in scripts], lambda each, emit: ScriptedPipeline(scripts[each.camera], emit), self._send_queue, clock,
            memory_bytes,
        )

    def __enter__(self) -> Stage:
        self.host.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.host.stop(10)
        self._send_queue.close()
        self._sender.join(10)


def is_state(camera: CameraId) -> Callable[[pipe_pb2.WorkerMessage], bool]:
    return lambda message: message.camera == camera and message.WhichOneof("kind") == "scene"


def is_log(camera: CameraId) -> Callable[[pipe_pb2.WorkerMessage], bool]:
    return lambda message: message.camera == camera and message.WhichOneof("kind") == "log"


def test_a_crash_is_said_as_a_code_and_that_camera_alone_begins_again() -> None:
    scripts = {GATE: Script([ValueError("a face"), None]), YARD: Script([None])}
    with Stage(scripts) as stage:
        (said,) = stage.heard.wait_for(is_log(GATE))
        assert said.log.code == pipe_pb2.LOG_CODE_CAMERA_CRASHED
        assert describe(said.log.number).startswith("ValueError at privet/worker/host.py:")
        stage.heard.wait_for(is_state(GATE), 2)
        stage.heard.wait_for(is_state(YARD))
        assert scripts[GATE].begun == 2
    assert scripts[YARD].begun == 1
    assert not any(b"a face" in message.SerializeToString() for message in stage.heard.messages)


def test_a_pipeline_that_returns_by_itself_begins_again() -> None:
    class Returning(ScriptedPipeline):
        def run(self) -> None:
            if self._script.begun:
                super().run()
            self._script.begun += 1

    script = Script([None])
    heard, clock = Heard(), FakeClock()
    send_queue = SendQueue(heard, clock)
    sender = threading.Thread(target=send_queue.run)
    sender.start()
    host = Host([told(GATE)], lambda _camera, emit: Returning(script, emit), send_queue, clock)
    host.start()
    (said,) = heard.wait_for(is_log(GATE))
    assert said.log.number == 0
    heard.wait_for(is_state(GATE))
    assert host.stop(10)
    send_queue.close()
    sender.join(10)


def test_while_it_waits_a_stand_in_says_that_the_camera_is_offline() -> None:
    with Stage({GATE: Script([ValueError(), ValueError(), ValueError(), None])}) as stage:
        said = stage.heard.wait_for(
            lambda message: message.scene.state.reason == 12 and message.scene.state.condition == 5 and message.camera == GATE
        )
        sessions = {message.scene.state.head.session for message in said}
        assert sessions.isdisjoint({1, 2, 3, 4})


def test_resend_reaches_the_pipeline_and_unknown_cameras_are_ignored() -> None:
    script = Script([None])
    with Stage({GATE: script}) as stage:
        stage.heard.wait_for(is_state(GATE))
        stage.host.resend("nowhere")
        stage.host.resend("gate")
        assert script.resent.wait(10)


def test_reports_are_sent_for_every_camera() -> None:
    with Stage({GATE: Script([None]), YARD: Script([None])}) as stage:
        stage.heard.wait_for(is_state(GATE))
        stage.heard.wait_for(is_state(YARD))
        stage.host.heartbeat()
        found = stage.heard.wait_for(lambda message: message.WhichOneof("kind") == "health", 2)
        assert {message.camera for message in found} == {GATE, YARD}


def test_the_worker_asks_for_its_memory_every_half_minute_and_every_camera_says_it() -> None:
    answers = iter([100, 200])
    with Stage({GATE: Script([None]), YARD: Script([None])}, memory_bytes=lambda: next(answers)) as stage:
        for wait_s in (0, 29, 1):
            stage.clock.advance(wait_s * NS_PER_S)
            stage.host.heartbeat()
        found = stage.heard.wait_for(lambda message: message.WhichOneof("kind") == "health", 6)
    assert [message.health.memory_bytes for message in found] == [100, 100, 100, 100, 200, 200]


def test_a_crash_of_a_beat_is_that_cameras_alone() -> None:
    scripts = {GATE: Script([None], beat_raises=ValueError("a face")), YARD: Script([None])}
    with Stage(scripts) as stage:
        stage.heard.wait_for(is_state(GATE))
        stage.heard.wait_for(is_state(YARD))
        stage.host.heartbeat()
        (said,) = stage.heard.wait_for(is_log(GATE))
        assert said.log.code == pipe_pb2.LOG_CODE_CAMERA_CRASHED
        assert describe(said.log.number).startswith("ValueError at privet/worker/host.py:")
        stage.heard.wait_for(is_state(GATE), 2)
        stage.host.heartbeat()
        assert scripts[GATE].heartbeats == [1, 2], "by the pipeline that took over"
        assert scripts[YARD].heartbeats == [1, 1]


def test_a_camera_that_is_busy_is_asked_after_the_others_and_once_only() -> None:
    order = list[int]()
    scripts = {GATE: Script([None], heartbeats=order, busy=1), YARD: Script([None, None], heartbeats=order, begun=1)}
    with Stage(scripts) as stage:
        stage.heard.wait_for(is_state(GATE))
        stage.heard.wait_for(is_state(YARD))
        stage.host.heartbeat()
        assert order == [2, 1]
        scripts[GATE].busy = 2
        stage.host.heartbeat()
        assert order == [2, 1, 2]


def test_a_host_without_cameras_stops() -> None:
    with Stage({}) as stage:
        stage.host.heartbeat()
    assert stage.heard.messages == []


def is_ended(camera: CameraId) -> Callable[[pipe_pb2.WorkerMessage], bool]:
    return lambda message: message.camera == camera and message.log.code == pipe_pb2.LOG_CODE_CAMERA_ENDED


def test_cameras_come_change_and_go_and_the_others_are_not_touched() -> None:
    shed = CameraId("shed")
    scripts = {GATE: Script([None]), YARD: Script([None]), shed: Script([None])}
    with Stage(scripts) as stage:
        for camera in scripts:
            stage.heard.wait_for(is_state(camera))
        barn = CameraId("barn")
        scripts[barn] = Script([None])
        stage.host.reconfigure([told(GATE), told(YARD, "rtsp://192.0.2.2/other"), told(barn)])
        stage.heard.wait_for(is_state(barn))
        stage.heard.wait_for(is_state(YARD), 2)
        stage.heard.wait_for(is_ended(shed))
        assert {camera: script.begun for camera, script in scripts.items()} == {GATE: 1, YARD: 2, shed: 1, barn: 1}
        stage.host.heartbeat()
        healthy = stage.heard.wait_for(lambda message: message.WhichOneof("kind") == "health", 3)
        assert {message.camera for message in healthy} == {GATE, YARD, barn}, "who left is not spoken of"
        after = [message.camera for message in stage.heard.messages]
        assert after.index(shed) < max(index for index, camera in enumerate(after) if camera == barn)
    assert not any(is_log(YARD)(message) for message in stage.heard.messages), "being changed is no crash"


def test_the_same_settings_change_nothing() -> None:
    with Stage({GATE: Script([None])}) as stage:
        stage.heard.wait_for(is_state(GATE))
        stage.host.reconfigure([told(GATE)])
        stage.host.reconfigure([])
        stage.heard.wait_for(is_ended(GATE))
        assert len(stage.heard.wait_for(is_state(GATE))) == 1


def test_a_change_before_there_is_a_pipeline_is_not_lost() -> None:
    made: list[str] = []
    first, go_on = threading.Event(), threading.Event()
    script = Script([None])
    heard, clock = Heard(), FakeClock()
    send_queue = SendQueue(heard, clock)
    sender = threading.Thread(target=send_queue.run)
    sender.start()

    def make(settings: CameraSettings, emit: Emit) -> ScriptedPipeline:
        made.append(settings.url)
        if len(made) == 1:
            first.set()
            assert go_on.wait(10)
        return ScriptedPipeline(script, emit)

    host = Host([told(GATE)], make, send_queue, clock)
    host.start()
    assert first.wait(10)
    host.reconfigure([told(GATE, "rtsp://192.0.2.9/new")])
    go_on.set()
    heard.wait_for(is_state(GATE))
    assert made[-1] == "rtsp://192.0.2.9/new"
    assert script.begun == 1, "the pipeline of the old settings never ran"
    assert host.stop(10)
    send_queue.close()
    sender.join(10)


def test_a_camera_whose_state_is_still_being_written_is_not_said_to_have_ended() -> None:
    """Another process may take a camera that has: the two would write one state."""
    scripts = {GATE: Script([None], saving=True), YARD: Script([None])}
    with Stage(scripts) as stage:
        stage.heard.wait_for(is_state(GATE))
        stage.heard.wait_for(is_state(YARD))
        stage.host.reconfigure([told(YARD)])
        while any(thread.name == "camera-gate" for thread in threading.enumerate()):
            threading.Event().wait(0.01)
        stage.host.reconfigure([])
        stage.heard.wait_for(is_ended(YARD))
    assert not any(is_ended(GATE)(message) for message in stage.heard.messages)


def test_a_camera_that_waits_after_a_crash_begins_at_once_when_it_is_changed() -> None:
    script = Script([ValueError(), ValueError(), None])
    with Stage({GATE: script}) as stage:                # the clock stands still: a wait has no end by itself
        stage.heard.wait_for(lambda message: message.scene.state.reason == 12 and message.camera == GATE)
        assert script.begun == 2
        stage.host.reconfigure([told(GATE, "rtsp://192.0.2.9/new")])
        stage.heard.wait_for(lambda message: is_state(GATE)(message) and message.scene.state.head.session == 3)
