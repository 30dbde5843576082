"""The hub: whoever listens ends at what is in force, however slowly it reads, and never costs more than its queue."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.live.places import Place

from privet.core.clock import NS_PER_MS, NS_PER_S, FakeClock
from privet.core.errors import WireError
from privet.core.ids import CameraId
from privet.core.pb import scene_pb2 as pb
from privet.core.reader import STALE_AFTER_NS, SceneView, follow
from privet.core.scene import Condition, Cover, Head, Reason, Scene
from privet.core.wire import from_message
from privet.live.hub import Hub, HubLimits, Subscription
from privet.live.latency import BOUNDS_MS, ByteRate, LatencyHistogram

GATE = CameraId("gate")
DOCK = CameraId("dock")


class Viewer:
    """A reader as the specification has it: decodes what the subscription gives and follows it."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.views = {camera: SceneView() for camera in subscription.cameras}
        self.kinds: list[str] = []

    def read(self, count: int) -> int:
        """Take at most `count` messages; how many there were."""
        for taken in range(count):
            data = self.subscription.take()
            if data is None:
                return taken
            message = pb.CameraMessage.FromString(data)
            camera = CameraId(message.camera)
            self.kinds.append(message.scene.WhichOneof("kind") or "")
            scene = from_message(message.scene, self.views[camera].grid)
            if scene is not None:
                self.views[camera] = follow(self.views[camera], scene)
        return count

    def read_all(self) -> int:
        return self.read(100_000)


def head_of(scene: Scene | None) -> Head | None:
    return None if scene is None else scene.head


def seen(view: SceneView) -> tuple[object, ...]:
    """What a view shows, comparable: scene values are told apart by their heads."""
    return (
        view.grid,
        head_of(view.background),
        tuple(patch.head for patch in view.patches),
        head_of(view.light),
        head_of(view.cover),
        head_of(view.state),
    )


def test_a_viewer_is_sent_what_is_in_force_and_then_what_comes() -> None:
    hub, place = Hub(FakeClock()), Place()
    for message in (place.state(), place.background(), place.light(), place.cover(), place.patch(), place.state()):
        hub.publish(GATE, message)
    viewer = Viewer(hub.subscribe([GATE]))
    viewer.read_all()
    assert viewer.kinds == ["background", "patch", "light", "cover", "state"]
    assert seen(viewer.views[GATE]) == seen(hub.view(GATE))
    hub.publish(GATE, place.cover(3))
    assert viewer.read_all() == 1
    assert seen(viewer.views[GATE]) == seen(hub.view(GATE))
    assert hub.statistics().resyncs == 0


def test_a_viewer_follows_cameras_that_come_and_go_and_the_others_go_on() -> None:
    hub = Hub(FakeClock())
    gate, dock = Place(), Place()
    for message in (gate.state(), gate.background(), gate.cover()):
        hub.publish(GATE, message)
    for message in (dock.state(), dock.background()):
        hub.publish(DOCK, message)
    subscription = hub.subscribe([GATE])
    viewer = Viewer(subscription)
    viewer.views[DOCK] = SceneView()
    viewer.read_all()
    subscription.follow([GATE, DOCK])
    count = viewer.read_all()
    assert seen(viewer.views[DOCK]) == seen(hub.view(DOCK))
    assert count == 2, "the gate is not sent again"
    hub.publish(GATE, gate.cover())
    hub.publish(DOCK, dock.cover())
    subscription.follow([DOCK])
    hub.publish(GATE, gate.cover())
    before = viewer.views[GATE]
    assert viewer.read_all() == 1, "of the gate not even what was queued"
    assert viewer.views[GATE] is before
    assert seen(viewer.views[DOCK]) == seen(hub.view(DOCK))
    subscription.follow([DOCK])
    assert viewer.read_all() == 0
    subscription.close()
    assert hub.statistics().subscribers == 0


def test_a_camera_that_is_gone_is_forgotten_and_heard_again_when_it_comes_back() -> None:
    hub = Hub(FakeClock())
    place = Place()
    for message in (place.state(), place.background()):
        hub.publish(GATE, message)
    viewer = Viewer(hub.subscribe([GATE]))
    viewer.read_all()
    hub.forget(GATE)
    assert hub.view(GATE) == SceneView()
    assert hub.heard(GATE).stale
    again = Place()
    for message in (again.state(), again.background()):
        hub.publish(GATE, message)
    viewer.read_all()
    assert seen(viewer.views[GATE]) == seen(hub.view(GATE))
    hub.forget(DOCK)


def test_cover_and_light_before_any_background_arrive_with_their_grid() -> None:
    hub, place = Hub(FakeClock()), Place()
    for message in (place.state(), place.light(), place.cover(), place.state(named=False)):
        hub.publish(GATE, message)
    viewer = Viewer(hub.subscribe([GATE]))
    viewer.read_all()
    assert viewer.views[GATE].cover is not None
    assert seen(viewer.views[GATE]) == seen(hub.view(GATE))


def test_covers_go_first_and_the_newest_stays() -> None:
    hub, place = Hub(FakeClock(), HubLimits(queue_messages=8)), Place()
    hub.publish(GATE, place.state())
    hub.publish(GATE, place.background())
    viewer = Viewer(hub.subscribe([GATE]))
    viewer.read_all()
    for block in range(20):
        hub.publish(GATE, place.cover(block))
    statistics = hub.statistics()
    assert statistics.covers_dropped > 0
    assert statistics.resyncs == 0
    assert max(statistics.queue_depths) <= 8
    viewer.kinds.clear()
    viewer.read_all()
    assert set(viewer.kinds) == {"cover"}
    assert seen(viewer.views[GATE]) == seen(hub.view(GATE))


def test_a_viewer_that_stands_still_loses_its_queue_once_and_is_sent_only_what_it_lacks() -> None:
    hub, place = Hub(FakeClock(), HubLimits(queue_messages=8)), Place()
    hub.publish(GATE, place.background())
    viewer = Viewer(hub.subscribe([GATE]))
    viewer.read_all()
    for _ in range(1000):
        hub.publish(GATE, place.state())
    hub.publish(GATE, place.patch())
    statistics = hub.statistics()
    assert (statistics.resyncs, statistics.queue_depths) == (1, (0,))
    viewer.kinds.clear()
    viewer.read_all()
    assert viewer.kinds == ["patch", "state"]  # the background is there already
    assert seen(viewer.views[GATE]) == seen(hub.view(GATE))


def test_a_background_larger_than_the_queue_still_arrives() -> None:
    hub, place = Hub(FakeClock(), HubLimits(queue_bytes=1000)), Place()
    viewer = Viewer(hub.subscribe([GATE]))
    viewer.read_all()
    hub.publish(GATE, place.background(b"x" * 100_000))
    viewer.read_all()
    assert seen(viewer.views[GATE]) == seen(hub.view(GATE))
    assert viewer.views[GATE].background is not None


OPERATIONS = ("state", "bare_state", "background", "empty_background", "patch", "cover", "light", "restart", "resize")
Operation = tuple[str, int]
operations = st.lists(
    st.tuples(st.sampled_from((*OPERATIONS, "cover", "cover", "patch", "read", "read")), st.integers(0, 7)), max_size=60
)


def run(hub: Hub, places: dict[CameraId, Place], viewers: Iterable[Viewer], steps: list[Operation]) -> None:
    """Play `steps`: a step's number picks the camera, how much is read, and by whom."""
    begun: set[CameraId] = set()
    for name, number in steps:
        if name == "read":
            chosen = list(viewers)
            chosen[number % len(chosen)].read(number)
            continue
        camera = DOCK if number % 2 else GATE
        place = places[camera]
        if name == "restart":
            place.restart()
            begun.discard(camera)
        elif name == "resize":
            # As a worker does it: the state or background that follows names the new grid before anything is over it.
            place.resize(40 + 8 * number)
            begun.discard(camera)
        elif camera not in begun:
            begun.add(camera)
            hub.publish(camera, place.background() if name == "background" else place.state())
        else:
            hub.publish(camera, say(place, name, number))


def say(place: Place, name: str, number: int) -> pb.SceneMessage:
    """The message an operation stands for."""
    match name:
        case "state":
            return place.state()
        case "bare_state":
            return place.state(Condition.BLIND, Reason.OBSCURED, named=False)
        case "background":
            return place.background()
        case "empty_background":
            return place.empty_background()
        case "patch":
            return place.patch()
        case "light":
            return place.light()
        case _:
            return place.cover(number)


@settings(deadline=None, max_examples=400)
@given(operations, st.integers(2, 6), st.sampled_from([150, 400, 100_000]))
def test_whatever_the_interleaving_a_viewer_ends_at_what_is_in_force(
    steps: list[Operation], queue_messages: int, queue_bytes: int
) -> None:
    limits = HubLimits(queue_messages, queue_bytes)
    hub = Hub(FakeClock(), limits)
    places = {GATE: Place(session=1), DOCK: Place(session=1000)}
    half = len(steps) // 2
    viewers = [Viewer(hub.subscribe([GATE, DOCK])), Viewer(hub.subscribe([DOCK]))]
    run(hub, places, viewers, steps[:half])
    viewers.append(Viewer(hub.subscribe([GATE, DOCK])))
    run(hub, places, viewers, steps[half:])
    assert max(hub.statistics().queue_depths) <= queue_messages
    for viewer in viewers:
        viewer.read_all()
        for camera, view in viewer.views.items():
            assert seen(view) == seen(hub.view(camera))


def test_what_is_of_no_use_to_a_reader_is_not_passed_on() -> None:
    hub, place = Hub(FakeClock()), Place()
    again = place.state()
    hub.publish(GATE, again)
    viewer = Viewer(hub.subscribe([GATE]))
    viewer.read_all()
    hub.publish(GATE, again)
    hub.publish(GATE, pb.SceneMessage())
    assert viewer.read_all() == 0
    assert hub.statistics().messages_skipped == 2


def test_a_message_that_breaks_the_specification_changes_nothing() -> None:
    hub, place = Hub(FakeClock()), Place()
    hub.publish(GATE, place.background())
    before = hub.view(GATE)
    broken = place.cover()
    broken.cover.bits = b"no"
    with pytest.raises(WireError):
        hub.publish(GATE, broken)
    assert hub.view(GATE) is before


def test_stale_after_two_seconds_by_the_monotonic_clock() -> None:
    clock = FakeClock()
    hub, place = Hub(clock), Place()
    assert hub.heard(GATE).stale
    hub.publish(GATE, place.state(Condition.BLIND, Reason.OBSCURED))
    since_ns = clock.wall_ns()
    clock.step_wall(-3600 * NS_PER_S)
    clock.advance(STALE_AFTER_NS)
    heard = hub.heard(GATE)
    assert (heard.stale, heard.condition, heard.since_wall_ns) == (False, Condition.BLIND, since_ns)
    clock.advance(1)
    assert hub.heard(GATE).stale
    hub.publish(GATE, place.state(Condition.BLIND, Reason.OBSCURED))
    assert (hub.heard(GATE).stale, hub.heard(GATE).since_wall_ns) == (False, since_ns)
    hub.publish(GATE, place.state(Condition.AWAKE))
    assert hub.heard(GATE).since_wall_ns == clock.wall_ns()


def test_latency_is_from_the_frame_to_publishing() -> None:
    clock = FakeClock()
    hub, place = Hub(clock), Place()
    message = place.state()
    clock.wall = message.state.head.wall_ns + 7 * NS_PER_MS
    hub.publish(GATE, message)
    latency = hub.statistics().latency
    assert latency.count == 1
    assert latency.counts[BOUNDS_MS.index(10)] == 1
    assert latency.sum_us == 7000


@given(st.lists(st.integers(-(10**9), 20 * 10**9), max_size=50))
def test_every_latency_falls_into_the_first_bucket_that_holds_it(latencies_ns: list[int]) -> None:
    histogram = LatencyHistogram()
    for latency_ns in latencies_ns:
        histogram.note(latency_ns)
    statistics = histogram.statistics()
    for index, bound_ms in enumerate(BOUNDS_MS):
        expected = sum(max(0, ns) // 1000 <= bound_ms * 1000 for ns in latencies_ns)
        assert sum(statistics.counts[: index + 1]) == expected
    assert statistics.count == len(latencies_ns)


def test_rate_is_of_the_last_ten_whole_seconds() -> None:
    rate = ByteRate()
    for second in range(20):
        rate.note(second * NS_PER_S + 1, 60)
        rate.note(second * NS_PER_S + 2, 40)
    assert rate.bits_per_second(20 * NS_PER_S) == 800
    assert rate.bits_per_second(25 * NS_PER_S) == 400
    assert rate.bits_per_second(60 * NS_PER_S) == 0


def test_iterating_waits_for_the_next_and_ends_when_closed() -> None:
    async def scenario() -> tuple[list[bytes], int]:
        hub, place = Hub(FakeClock()), Place()
        got: list[bytes] = []
        with hub.subscribe([GATE]) as subscription:

            async def read() -> None:
                async for data in subscription:
                    got.append(data)

            async with asyncio.TaskGroup() as group:
                group.create_task(read())
                await asyncio.sleep(0)
                hub.publish(GATE, place.state())
                hub.publish(GATE, place.background())
                for _ in range(10):
                    await asyncio.sleep(0)
                subscription.close()
        return got, hub.statistics().subscribers

    got, subscribers = asyncio.run(scenario())
    kinds = [pb.CameraMessage.FromString(data).scene.WhichOneof("kind") for data in got]
    assert kinds == ["state", "background"]
    assert subscribers == 0


def test_a_viewer_that_stands_still_costs_nothing_per_message() -> None:
    """Counted in work, not in time: a queue that is behind takes nothing, and is combed only after half of it was refilled."""
    hub, place = Hub(FakeClock(), HubLimits(queue_messages=64)), Place()
    hub.publish(GATE, place.background())
    viewer = Viewer(hub.subscribe([GATE]))
    viewer.read_all()
    dropped_at = []
    for number in range(2000):
        before = hub.statistics().covers_dropped
        hub.publish(GATE, place.cover(number))
        if hub.statistics().covers_dropped > before:
            dropped_at.append(number)
    assert all(later - earlier >= 32 for earlier, later in pairwise(dropped_at))
    view = viewer.views[GATE]
    viewer.read_all()
    assert isinstance(viewer.views[GATE].cover, Cover)
    assert view.cover is None
