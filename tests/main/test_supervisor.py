"""The supervisor against workers that live, die, hang and lie."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import PurePosixPath

import anyio
import pytest
from tests.pipe.messages import background, cover, state, worker_scene

from privet.core.clock import SystemClock
from privet.core.errors import WireError
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import Condition, Reason
from privet.main.assignment import Hosted
from privet.main.supervisor import Supervisor
from privet.main.worker_life import Patience
from privet.pipe.settings import CameraSettings, WorkerSettings

GATE, YARD = CameraId("gate"), CameraId("yard")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = pytest.mark.anyio


class FakeWorker:
    """A worker that says what a test puts into its queue; None ends it, bytes are taken as they are."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.told: list[pipe_pb2.SupervisorMessage] = []
        self._told = anyio.Event()
        self.ended = False
        self._say, self._hear = anyio.create_memory_object_stream[bytes | WireError | None](100)
        self.obeys = True
        self.dies_slowly: anyio.Event | None = None

    async def send(self, message: pipe_pb2.SupervisorMessage) -> None:
        self.told.append(message)
        self._told.set()
        self._told = anyio.Event()
        if message.WhichOneof("kind") == "stop" and self.obeys:
            self.say(None)

    async def hears(self, count: int) -> None:
        """Return once it was told so much."""
        with anyio.fail_after(20):
            while len(self.told) < count:
                await self._told.wait()

    async def receive(self) -> bytes | None:
        said = await self._hear.receive()
        if isinstance(said, WireError):
            raise said
        return said

    async def end(self) -> int:
        if self.dies_slowly is not None:
            await self.dies_slowly.wait()
        self.ended = True
        self._say.close()
        self._hear.close()
        return -9

    def say(self, message: pipe_pb2.WorkerMessage | scene_pb2.SceneMessage | bytes | WireError | None) -> None:
        match message:
            case scene_pb2.SceneMessage():
                self._say.send_nowait(worker_scene(message).SerializeToString())
            case pipe_pb2.WorkerMessage():
                self._say.send_nowait(message.SerializeToString())
            case _:
                self._say.send_nowait(message)


class Ears:
    """A listener that keeps everything."""

    def __init__(self) -> None:
        self.scenes: list[tuple[CameraId, scene_pb2.SceneMessage]] = []
        self.others: list[pipe_pb2.Promotion | pipe_pb2.Health | pipe_pb2.Log] = []
        self.lost: list[tuple[CameraId, ...]] = []
        self._waiting: list[tuple[Callable[[], bool], anyio.Event]] = []

    def scene(self, camera: CameraId, message: scene_pb2.SceneMessage) -> None:
        self.scenes.append((camera, message))
        self._wake()

    def promotion(self, camera: CameraId, promotion: pipe_pb2.Promotion) -> None:
        self.others.append(promotion)
        self._wake()

    def health(self, camera: CameraId, health: pipe_pb2.Health) -> None:
        self.others.append(health)
        self._wake()

    def logged(self, camera: str, entry: pipe_pb2.Log) -> None:
        self.others.append(entry)
        self._wake()

    def worker_lost(self, cameras: Sequence[CameraId]) -> None:
        self.lost.append(tuple(cameras))
        self._wake()

    def _wake(self) -> None:
        for condition, event in self._waiting:
            if condition():
                event.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        event = anyio.Event()
        self._waiting.append((condition, event))
        if not condition():
            with anyio.fail_after(20):
                await event.wait()

    def said(self, camera: CameraId) -> list[tuple[str | None, int]]:
        """(kind, session) of everything said of a camera."""
        found: list[tuple[str | None, int]] = []
        for about, message in self.scenes:
            kind = message.WhichOneof("kind")
            if about == camera and kind is not None:
                found.append((kind, getattr(message, kind).head.session))
        return found

    def reasons(self, camera: CameraId) -> list[tuple[int, int]]:
        return [
            (message.state.condition, message.state.reason)
            for about, message in self.scenes
            if about == camera and message.WhichOneof("kind") == "state"
        ]


class Launchpad:
    """Launches fake workers; `workers` holds all that were launched."""

    def __init__(self) -> None:
        self.workers: list[FakeWorker] = []
        self.refuse = 0
        self._launched = anyio.Event()

    async def __call__(self) -> FakeWorker:
        if self.refuse:
            self.refuse -= 1
            raise OSError(11, "Resource temporarily unavailable")
        worker = FakeWorker(1000 + len(self.workers))
        self.workers.append(worker)
        self._launched.set()
        self._launched = anyio.Event()
        return worker

    async def worker(self, number: int) -> FakeWorker:
        with anyio.fail_after(20):
            while len(self.workers) <= number:
                await self._launched.wait()
        return self.workers[number]


def told(cameras: Sequence[CameraId]) -> WorkerSettings:
    somewhere = PurePosixPath("nowhere")
    return WorkerSettings(
        cameras=tuple(CameraSettings(camera=camera, url="rtsp://192.0.2.1/", state_directory=somewhere) for camera in cameras),
        directory=somewhere,
        state_key_hex="00" * 32,
    )


PATIENT = Patience(placeholder_every_s=0.02)


@asynccontextmanager
async def supervised(
    *plans: Sequence[CameraId], patience: Patience = PATIENT, clear_away: Callable[[int], None] = lambda _number: None
) -> AsyncIterator[tuple[Supervisor, Launchpad, Ears]]:
    launch, ears = Launchpad(), Ears()
    supervising = Supervisor(
        {number: told(plan) for number, plan in enumerate(plans)}, launch, ears, SystemClock(), lambda: 0.0, patience, clear_away
    )
    async with anyio.create_task_group() as group:
        group.start_soon(supervising.run)
        yield supervising, launch, ears
        with anyio.fail_after(20):
            await supervising.stop()
    assert all(worker.ended for worker in launch.workers)


async def test_a_worker_is_told_its_settings_and_what_it_says_is_handed_on() -> None:
    async with supervised([GATE]) as (_, launch, ears):
        worker = await launch.worker(0)
        worker.say(state(1))
        worker.say(background(2))
        worker.say(cover(3))
        worker.say(pipe_pb2.WorkerMessage(camera=GATE, health=pipe_pb2.Health(packets=5)))
        worker.say(pipe_pb2.WorkerMessage(log=pipe_pb2.Log(level=20, code=pipe_pb2.LOG_CODE_STARTED)))
        await ears.until(lambda: len(ears.others) == 2)
        assert [kind for kind, session in ears.said(GATE) if session == 7] == ["state", "background", "cover"]
        assert WorkerSettings.model_validate_json(worker.told[0].start.settings) == told([GATE])
    assert worker.told[-1].WhichOneof("kind") == "stop"
    assert ears.lost == []


async def test_before_the_first_word_a_stand_in_says_starting() -> None:
    async with supervised([GATE]) as (_, _launch, ears):
        await ears.until(lambda: bool(ears.scenes))
        assert ears.reasons(GATE) == [(Condition.STARTING, Reason.NONE)]


async def test_a_lost_worker_is_started_again_at_once_and_viewers_see_why() -> None:
    async with supervised([GATE, YARD]) as (supervising, launch, ears):
        first = await launch.worker(0)
        first.say(state(1))
        await ears.until(lambda: ("state", 7) in ears.said(GATE))
        first.say(None)
        await ears.until(lambda: bool(ears.lost))
        assert ears.reasons(GATE)[-1] == (Condition.OFFLINE, Reason.WORKER)
        assert ears.reasons(YARD)[-1] == (Condition.OFFLINE, Reason.WORKER)
        second = await launch.worker(1)
        assert first.ended
        second.say(state(1, session=8))
        await ears.until(lambda: ("state", 8) in ears.said(GATE))
        assert supervising.statistics()[0].restarts == 1
        assert supervising.statistics()[0].pid == second.pid
        count = len(ears.said(GATE))
        await ears.until(lambda: len(ears.reasons(YARD)) >= 4)  # the stand-in goes on for the one that is silent
        assert len(ears.said(GATE)) == count                     # and not for the one that speaks
        assert len({session for _, session in ears.said(YARD)}) == 2


@pytest.mark.parametrize(
    "lie",
    [
        b"\xff\xff\xff",
        WireError("a frame of 4000000000 bytes was announced"),
        worker_scene(state(1), "bank"),
        worker_scene(cover(1)),
    ],
    ids=["no message", "no frame", "another camera", "a cover without a grid"],
)
async def test_a_worker_that_lies_is_ended_and_replaced(
    lie: pipe_pb2.WorkerMessage | bytes | WireError, caplog: pytest.LogCaptureFixture
) -> None:
    async with supervised([GATE]) as (_, launch, ears):
        first = await launch.worker(0)
        first.say(lie)
        await ears.until(lambda: bool(ears.lost))
        assert first.ended
        second = await launch.worker(1)
        second.say(state(1, session=9))
        await ears.until(lambda: ("state", 9) in ears.said(GATE))
    assert "broke the rules" in caplog.text
    assert not any(about == "bank" for about, _ in ears.scenes)


async def test_a_worker_that_says_nothing_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    async with supervised([GATE], patience=Patience(first_word_within_s=0.05)) as (_, launch, _ears):
        first = await launch.worker(0)
        await launch.worker(1)
        assert first.ended
    assert "said nothing" in caplog.text


async def test_a_worker_that_falls_silent_after_its_reports_is_ended() -> None:
    async with supervised([GATE], patience=Patience(hung_after_s=0.05)) as (_, launch, _ears):
        first = await launch.worker(0)
        first.say(pipe_pb2.WorkerMessage(camera=GATE, health=pipe_pb2.Health()))
        await launch.worker(1)
        assert first.ended


async def test_one_workers_loss_is_not_anothers() -> None:
    async with supervised([GATE], [YARD]) as (supervising, launch, ears):
        first, other = await launch.worker(0), await launch.worker(1)
        first.say(None)
        await launch.worker(2)
        assert not other.ended
        assert ears.lost == [(GATE,)]
        assert [worker.restarts for worker in supervising.statistics()] == [1, 0]


async def test_a_machine_that_cannot_start_processes_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    launch, ears = Launchpad(), Ears()
    launch.refuse = 1
    supervising = Supervisor({0: told([GATE])}, launch, ears, SystemClock(), lambda: 0.0)
    async with anyio.create_task_group() as group:
        group.start_soon(supervising.run)
        await launch.worker(0)
        await supervising.stop()
    assert "cannot be started" in caplog.text


async def test_a_worker_that_does_not_stop_is_killed() -> None:
    async with supervised([GATE], patience=Patience(stop_within_s=0.05)) as (supervising, launch, _ears):
        worker = await launch.worker(0)
        worker.obeys = False
        await supervising.stop()
    assert worker.ended


async def test_cancelling_ends_every_worker() -> None:
    launch = Launchpad()
    supervising = Supervisor({0: told([GATE]), 1: told([YARD])}, launch, Ears(), SystemClock())
    async with anyio.create_task_group() as group:
        group.start_soon(supervising.run)
        await launch.worker(1)
        group.cancel_scope.cancel()
    assert all(worker.ended for worker in launch.workers)


async def test_resend_reaches_the_worker_that_hosts_the_camera() -> None:
    async with supervised([GATE], [YARD]) as (supervising, launch, ears):
        gate, yard = await launch.worker(0), await launch.worker(1)
        await ears.until(lambda: len(ears.scenes) >= 2)
        await supervising.resend(YARD)
        assert [message.WhichOneof("kind") for message in yard.told] == ["start", "resend"]
        assert [message.WhichOneof("kind") for message in gate.told] == ["start"]


async def test_passwords_and_the_key_are_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    launch, ears = Launchpad(), Ears()
    camera = CameraSettings(
        camera=GATE, url="rtsp://192.0.2.1/", username="viewer", password="hunter2hunter2", state_directory=PurePosixPath("nowhere")
    )
    settings = WorkerSettings(cameras=(camera,), directory=PurePosixPath("nowhere"), state_key_hex="ab" * 32)
    supervising = Supervisor({0: settings}, launch, ears, SystemClock(), lambda: 0.0)
    async with anyio.create_task_group() as group:
        group.start_soon(supervising.run)
        (await launch.worker(0)).say(b"\xff")
        await launch.worker(1)
        await supervising.stop()
    assert "broke the rules" in caplog.text
    assert "hunter2" not in caplog.text
    assert "abab" not in caplog.text


def ended(camera: CameraId) -> pipe_pb2.WorkerMessage:
    return pipe_pb2.WorkerMessage(camera=camera, log=pipe_pb2.Log(level=20, code=pipe_pb2.LOG_CODE_CAMERA_ENDED))


async def test_cameras_come_and_go_while_the_other_workers_are_told_nothing() -> None:
    barn = CameraId("barn")
    async with supervised([GATE, YARD], [CameraId("shed")]) as (supervising, launch, ears):
        first, shed = await launch.worker(0), await launch.worker(1)
        first.say(state(1))
        await ears.until(lambda: ("state", 7) in ears.said(GATE))

        def plan(hosted: Mapping[int, Hosted]) -> Mapping[int, WorkerSettings]:
            assert {number: worker.now.camera_ids() for number, worker in hosted.items()} == {0: (GATE, YARD), 1: ("shed",)}
            return {0: told([GATE]), 1: hosted[1].now, 2: told([barn])}

        done = anyio.Event()

        async def reconfigure() -> None:
            await supervising.reconfigure(plan)
            done.set()

        async with anyio.create_task_group() as group:
            group.start_soon(reconfigure)
            with anyio.fail_after(20):
                while len(first.told) < 2:
                    await anyio.sleep(0)
            first.say(worker_scene(state(1, session=3), YARD))       # what it still says of who leaves goes nowhere
            first.say(worker_scene(state(2), GATE))
            await ears.until(lambda: ears.said(GATE).count(("state", 7)) == 2)
            assert not done.is_set()
            assert len(launch.workers) == 2, "nobody takes over before the other has let go"
            first.say(ended(YARD))
            await done.wait()
        third = await launch.worker(2)
        assert ("state", 3) not in ears.said(YARD)
        reconfigured = WorkerSettings.model_validate_json(first.told[1].reconfigure.settings)
        assert reconfigured.camera_ids() == (GATE,)
        assert [message.WhichOneof("kind") for message in shed.told] == ["start"]
        assert WorkerSettings.model_validate_json(third.told[0].start.settings).camera_ids() == (barn,)
        assert not first.ended
        assert [worker.cameras for worker in supervising.statistics()] == [(GATE,), ("shed",), (barn,)]
        assert ears.lost == []


async def test_who_takes_a_camera_over_begins_when_the_process_that_kept_it_is_gone() -> None:
    barn = CameraId("barn")
    async with supervised([GATE, YARD], patience=Patience(stop_within_s=0.05)) as (supervising, launch, ears):
        first = await launch.worker(0)
        first.say(state(1))
        await ears.until(lambda: ("state", 7) in ears.said(GATE))
        first.dies_slowly = anyio.Event()

        async def die() -> None:
            await anyio.sleep(0.2)
            assert len(launch.workers) == 1, "it has not ended yet"
            assert first.dies_slowly is not None
            first.dies_slowly.set()

        async with anyio.create_task_group() as group:
            group.start_soon(die)
            await supervising.reconfigure(lambda _: {0: told([GATE]), 1: told([YARD, barn])})
        await launch.worker(2)


async def test_a_worker_that_is_just_starting_is_given_the_time_for_its_first_word() -> None:
    async with supervised([GATE, YARD], patience=Patience(stop_within_s=0.05)) as (supervising, launch, ears):
        first = await launch.worker(0)

        async def speak() -> None:
            await anyio.sleep(0.3)      # six times as long as it may take to stop
            first.say(state(1))
            first.say(ended(YARD))

        async with anyio.create_task_group() as group:
            group.start_soon(speak)
            await supervising.reconfigure(lambda _: {0: told([GATE])})
        await ears.until(lambda: ("state", 7) in ears.said(GATE))
        assert not first.ended


async def test_a_worker_that_hosts_nothing_any_more_ends() -> None:
    cleared: list[int] = []
    async with supervised([GATE], [YARD], clear_away=cleared.append) as (supervising, launch, ears):
        gate, yard = await launch.worker(0), await launch.worker(1)
        await ears.until(lambda: len(ears.scenes) >= 2)
        await supervising.reconfigure(lambda hosted: {0: hosted[0].now})
        assert yard.ended
        assert cleared == [1]
        assert not gate.ended
        assert [worker.number for worker in supervising.statistics()] == [0]
        heard = len(ears.said(YARD))
        await ears.until(lambda: len(ears.said(GATE)) >= 3)
        assert len(ears.said(YARD)) == heard, "nobody speaks for who is gone"


async def test_a_worker_that_keeps_a_camera_is_ended_and_comes_back_without_it() -> None:
    async with supervised([GATE, YARD], patience=Patience(stop_within_s=0.05)) as (supervising, launch, ears):
        first = await launch.worker(0)
        first.say(state(1))
        await ears.until(lambda: ("state", 7) in ears.said(GATE))
        await supervising.reconfigure(lambda _: {0: told([GATE])})
        second = await launch.worker(1)
        assert first.ended
        assert WorkerSettings.model_validate_json(second.told[0].start.settings).camera_ids() == (GATE,)


async def test_a_lost_worker_comes_back_with_what_it_was_told_last() -> None:
    async with supervised([GATE]) as (supervising, launch, _ears):
        first = await launch.worker(0)
        await supervising.reconfigure(lambda _: {0: told([GATE]).model_copy(update={"lockdown": "required"})})
        first.say(None)
        second = await launch.worker(1)
        assert WorkerSettings.model_validate_json(second.told[0].start.settings).lockdown == "required"
