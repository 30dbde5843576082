"""What the supervisor takes from a worker, and what it does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipe.messages import CAMERA, GRID, background, cover, state, worker_scene

from privet.core.clock import NS_PER_S, FakeClock
from privet.core.errors import WireError
from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2, scene_pb2
from privet.core.scene import LIGHT_COLUMNS, LIGHT_ROWS, MOST_LAYERS, Head, Light
from privet.core.wire import to_message
from privet.main.inspector import SAVED_FOR_S, Allowances, Inspector
from privet.pipe.latency import LATENCY_BOUNDS_US


def inspector() -> Inspector:
    return Inspector([CAMERA])


def body(message: scene_pb2.SceneMessage | pipe_pb2.WorkerMessage, camera: str = CAMERA) -> bytes:
    if isinstance(message, scene_pb2.SceneMessage):
        message = worker_scene(message, camera)
    return message.SerializeToString()


def promotion(
    blocks: int = 1, bits: bytes = b"\x80\x00\x00\x00\x00\x00", by: int = 2, layer: int = 0, epoch: int = 1
) -> pipe_pb2.WorkerMessage:
    grid = scene_pb2.Grid(width_px=GRID.width_px, height_px=GRID.height_px, block_px=GRID.block_px, epoch=GRID.epoch)
    kind = pipe_pb2.Commissioning.ValueType(by)
    return pipe_pb2.WorkerMessage(
        camera=CAMERA, promotion=pipe_pb2.Promotion(
            wall_ns=1, epoch=epoch, blocks=blocks, promoted=bits, grid=grid, by=kind, layer=layer
        )
    )


def light(sequence: int, rows: int, columns: int) -> scene_pb2.SceneMessage:
    cells = np.zeros((rows, columns), np.uint8)
    return to_message(Light(Head(7, sequence, 0), GRID.epoch, cells, cells))


def log(level: int = 20, code: int = 1, camera: str = CAMERA) -> pipe_pb2.WorkerMessage:
    return pipe_pb2.WorkerMessage(camera=camera, log=pipe_pb2.Log(level=level, code=pipe_pb2.LogCode.ValueType(code)))


def test_what_keeps_to_the_rules_passes_unchanged() -> None:
    inspecting = inspector()
    buckets = [0] * (len(LATENCY_BOUNDS_US) + 1)
    for message in (
        worker_scene(state(1)),
        worker_scene(background(2)),
        worker_scene(cover(3)),
        worker_scene(light(4, LIGHT_ROWS, LIGHT_COLUMNS)),
        promotion(),
        promotion(by=3, layer=1),
        promotion(by=3, layer=MOST_LAYERS),
        pipe_pb2.WorkerMessage(camera=CAMERA, health=pipe_pb2.Health(packets=1, latency_bucket_counts=buckets)),
        log(),
        log(camera=""),
    ):
        assert inspecting.inspect(body(message)) == message


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([worker_scene(state(1), "yard")], "does not host"),
        ([worker_scene(state(1), "")], "does not host"),
        ([pipe_pb2.WorkerMessage(camera=CAMERA)], "no known kind"),
        ([pipe_pb2.WorkerMessage(camera=CAMERA, scene=scene_pb2.SceneMessage())], "no known kind"),
        ([worker_scene(cover(1))], "no grid"),
        ([worker_scene(background(2)), worker_scene(cover(2))], "sequence 2 came after 2"),
        ([worker_scene(background(2)), worker_scene(cover(1))], "sequence 1 came after 2"),
        ([worker_scene(background(1)), worker_scene(cover(2, session=8))], "no grid"),
        ([worker_scene(state(1, session=0))], "without session"),
        ([worker_scene(background(1)), worker_scene(state(2, grid=Grid(128, 48, 8, 2))), worker_scene(cover(3))], "epoch"),
        ([worker_scene(background(1)), worker_scene(state(2, grid=Grid(128, 48, 8, 1))), worker_scene(cover(3))], "bitmap"),
        ([promotion()], "not in force"),
        ([worker_scene(state(1, grid=Grid(128, 48, 8, 1))), promotion()], "not in force"),
        ([worker_scene(background(1)), promotion(blocks=2)], "marks 1"),
        ([worker_scene(background(1)), promotion(bits=b"\x80")], "bitmap"),
        ([worker_scene(background(1)), promotion(by=9)], "not known"),
        ([worker_scene(background(1)), promotion(by=0)], "not known"),
        ([worker_scene(background(1)), promotion(by=3)], "LAYER of layer 0"),
        ([worker_scene(background(1)), promotion(by=3, layer=MOST_LAYERS + 1)], "LAYER of layer 4"),
        ([worker_scene(background(1)), promotion(by=1, layer=1)], "SIGNATURE of layer 1"),
        ([worker_scene(background(1)), promotion(epoch=2)], "epoch 2"),
        ([worker_scene(background(1)), worker_scene(light(2, rows=10, columns=16))], "10, 16"),
        ([worker_scene(background(1)), worker_scene(light(2, rows=9, columns=17))], "9, 17"),
        ([pipe_pb2.WorkerMessage(camera=CAMERA, health=pipe_pb2.Health(latency_bucket_counts=[1] * 99))], "99 latency buckets"),
        ([log(level=21)], "level 21"),
        ([log(code=0)], "code 0"),
        ([log(code=99)], "code 99"),
    ],
)
def test_what_breaks_the_rules_is_refused(messages: list[pipe_pb2.WorkerMessage], complaint: str) -> None:
    inspecting = inspector()
    for message in messages[:-1]:
        inspecting.inspect(body(message))
    with pytest.raises(WireError, match=complaint):
        inspecting.inspect(body(messages[-1]))


def test_a_field_that_the_schema_does_not_know_is_taken_off() -> None:
    smuggled = b"\xfa\x3f\x04face"  # field 1023, four bytes
    message = worker_scene(state(1))
    inner = message.scene.state.SerializeToString() + smuggled
    scene = b"\x2a" + bytes([len(inner)]) + inner
    whole = message.camera.encode()
    raw = b"\x0a" + bytes([len(whole)]) + whole + b"\x12" + bytes([len(scene)]) + scene + smuggled
    assert pipe_pb2.WorkerMessage.FromString(raw).SerializeToString() == raw  # protobuf itself would carry it along
    passed = inspector().inspect(raw)
    assert b"face" not in passed.SerializeToString()
    assert passed == message


@given(st.binary(max_size=300))
def test_any_bytes_pass_or_are_refused(data: bytes) -> None:
    try:
        Inspector([CAMERA]).inspect(data)
    except WireError:
        return


KINDS = [field.name for field in pipe_pb2.WorkerMessage.DESCRIPTOR.oneofs_by_name["kind"].fields if field.name != "scene"]
SCENE_KINDS = [field.name for field in scene_pb2.SceneMessage.DESCRIPTOR.oneofs_by_name["kind"].fields]


def rebuilt(kind: str, numbers: list[int], blob: bytes) -> pipe_pb2.WorkerMessage:
    """A message whose every whole number and byte string is arbitrary."""
    message = pipe_pb2.WorkerMessage(camera=CAMERA)
    source = iter(numbers * 40)

    def fill(part: object) -> None:
        assert hasattr(part, "DESCRIPTOR")
        for field in part.DESCRIPTOR.fields:
            if field.message_type is not None and not field.is_repeated:
                getattr(part, field.name).SetInParent()
                fill(getattr(part, field.name))
            elif field.is_repeated:
                getattr(part, field.name).extend([next(source) % 1000])
            elif field.type == field.TYPE_BYTES:
                setattr(part, field.name, blob)
            elif field.type != field.TYPE_STRING:
                setattr(part, field.name, next(source) % 2**31)

    part = message if kind in KINDS else message.scene
    getattr(part, kind).SetInParent()
    fill(getattr(part, kind))
    return message


@given(
    st.sampled_from([*KINDS, *SCENE_KINDS]),
    st.lists(st.integers(0, 40) | st.integers(0, 2**31), min_size=1, max_size=12),
    st.binary(max_size=20),
)
def test_well_formed_nonsense_passes_or_is_refused(kind: str, numbers: list[int], blob: bytes) -> None:
    inspecting = inspector()
    inspecting.inspect(body(background(1)))
    try:
        inspecting.inspect(body(rebuilt(kind, numbers, blob)))
    except WireError:
        return


def test_cameras_of_one_worker_do_not_share_sequence_or_grid() -> None:
    inspecting = Inspector([CAMERA, CameraId("yard")])
    inspecting.inspect(body(background(5)))
    inspecting.inspect(body(state(1, grid=None), "yard"))
    with pytest.raises(WireError, match="no grid"):
        inspecting.inspect(body(cover(2), "yard"))


# ---- rates


def covers_taken(inspecting: Inspector, first: int) -> int:
    """How many covers pass, one after the other, before one is too many."""
    taken = 0

    def say() -> None:
        nonlocal taken
        for sequence in range(first, first + 1000):
            inspecting.inspect(body(cover(sequence)))
            taken += 1

    with pytest.raises(WireError, match=r"covers of gate came more often than [14] times a second"):
        say()
    return taken


def test_no_more_covers_are_taken_than_are_declared() -> None:
    clock = FakeClock()
    inspecting = Inspector([CAMERA], Allowances(clock), covers_per_second=4.0)
    inspecting.inspect(body(background(1)))
    assert covers_taken(inspecting, 2) == 4 * SAVED_FOR_S, "a minute's at once: this process may have been held up"
    clock.advance(10 * NS_PER_S)
    assert covers_taken(inspecting, 2000) == 40
    clock.advance(3600 * NS_PER_S)
    assert covers_taken(inspecting, 4000) == 4 * SAVED_FOR_S


def test_a_camera_that_keeps_to_the_rates_is_never_refused() -> None:
    clock = FakeClock()
    inspecting = Inspector([CAMERA], Allowances(clock), covers_per_second=4.0)
    inspecting.inspect(body(background(1)))
    for count in range(4 * 3600):
        clock.advance(NS_PER_S // 4)
        inspecting.inspect(body(cover(2 + count)))


def test_a_higher_rate_is_allowed_from_when_it_is_told_and_a_lower_one_is_held() -> None:
    clock = FakeClock()
    inspecting = Inspector([CAMERA], Allowances(clock), covers_per_second=4.0)
    inspecting.inspect(body(background(1)))
    number = 2
    for per_second, for_s in ((4, 120), (10, 600)):
        inspecting.host([CAMERA], float(per_second))
        for _ in range(per_second * for_s):
            clock.advance(NS_PER_S // per_second)
            inspecting.inspect(body(cover(number)))
            number += 1
    inspecting.host([CAMERA], 1.0)
    assert covers_taken(inspecting, number) <= 61


def test_a_worker_that_is_started_again_gets_no_second_helping() -> None:
    clock = FakeClock()
    allowances = Allowances(clock)
    taken = 0
    for life in range(30):
        inspecting = Inspector([CAMERA], allowances, covers_per_second=4.0)
        try:
            inspecting.inspect(body(background(1, session=life + 1)))
            for number in range(2, 1000):
                inspecting.inspect(body(cover(number, session=life + 1)))
                taken += 1
        except WireError:
            pass
        clock.advance(60 * NS_PER_S)
    assert taken <= 4 * (30 * 60 + SAVED_FOR_S)
    allowances.forget(CAMERA)
    fresh = Inspector([CAMERA], allowances, covers_per_second=4.0)
    fresh.inspect(body(background(1)))
    assert covers_taken(fresh, 2) == 4 * SAVED_FOR_S


@pytest.mark.parametrize(
    "message", [promotion(), pipe_pb2.WorkerMessage(camera=CAMERA, health=pipe_pb2.Health()), log(), log(camera="")]
)
def test_what_is_no_part_of_the_scene_has_its_rate_too(message: pipe_pb2.WorkerMessage) -> None:
    inspecting = Inspector([CAMERA], Allowances(FakeClock()))
    inspecting.inspect(body(background(1)))

    def say(count: int) -> None:
        for _ in range(count):
            inspecting.inspect(body(message))

    say(SAVED_FOR_S)
    with pytest.raises(WireError, match="came more often"):
        say(3 * SAVED_FOR_S)


@pytest.mark.parametrize("make", [background, state])
def test_other_messages_of_the_scene_have_their_rates(make: Callable[[int], scene_pb2.SceneMessage]) -> None:
    inspecting = Inspector([CAMERA], Allowances(FakeClock()))

    def say() -> None:
        for sequence in range(1, 2000):
            inspecting.inspect(body(make(sequence)))

    with pytest.raises(WireError, match="came more often"):
        say()
