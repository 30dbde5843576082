from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.scenes import GRIDS, messages, streams

from privet.core import wire
from privet.core.errors import WireError
from privet.core.grid import Grid
from privet.core.pb import scene_pb2 as pb
from privet.core.scene import Condition, Head, Reason, Scene, State


def same(one: Scene, other: Scene) -> bool:
    """Field by field, arrays by their values."""
    if type(one) is not type(other):
        return False
    for field in dataclasses.fields(one):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if isinstance(left, np.ndarray):
            if not np.array_equal(left, right) or left.dtype != right.dtype:
                return False
        elif left != right:
            return False
    return True


@given(messages())
def test_what_is_encoded_is_decoded(case: tuple[Grid, Scene]) -> None:
    grid, scene = case
    again = wire.decode(wire.encode(scene), grid)
    assert again is not None
    assert same(scene, again)


@given(st.binary(max_size=60), st.none() | GRIDS)
def test_any_bytes_are_a_scene_or_refused(data: bytes, grid: Grid | None) -> None:
    try:
        wire.decode(data, grid)
    except WireError:
        pass


@given(messages(), st.data())
def test_a_damaged_message_is_a_scene_or_refused(case: tuple[Grid, Scene], data: st.DataObject) -> None:
    grid, scene = case
    encoded = bytearray(wire.encode(scene))
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(encoded[: data.draw(st.integers(0, len(encoded)))])
    try:
        again = wire.decode(damaged, grid)
    except WireError:
        return
    if again is not None:
        wire.encode(again)  # whatever was taken can be said again


def test_a_message_of_more_than_64_mib_is_refused_unread() -> None:
    with pytest.raises(WireError, match="at most"):
        wire.decode(bytes(wire.MAX_MESSAGE_BYTES + 1), None)


@given(streams())
def test_a_stream_is_decoded_with_the_grid_in_force(sent: list[Scene]) -> None:
    read = list(wire.decode_all(wire.to_message(scene) for scene in sent))
    assert len(read) == len(sent)
    assert all(same(one, other) for one, other in zip(sent, read, strict=True))


def test_what_breaks_the_specification_is_left_out_and_told() -> None:
    good = wire.to_message(State(Head(1, 1, 1), Condition.STARTING, Reason.NONE, 0, None, 0, 0))
    bad = pb.SceneMessage(cover=pb.Cover())
    unknown = pb.SceneMessage()
    told: list[WireError] = []
    assert len(list(wire.decode_all([bad, good, unknown, bad, good], told.append))) == 2
    assert len(told) == 2
    with pytest.raises(WireError, match="head"):
        list(wire.decode_all([bad]))
