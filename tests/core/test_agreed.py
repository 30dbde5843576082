"""What stands in two places because a schema and the code each must have it is the same in both."""

from __future__ import annotations

from enum import IntEnum
from typing import get_args

import pytest
from google.protobuf.descriptor import EnumDescriptor

from privet.config.models import SceneSection
from privet.core.clock import NS_PER_S
from privet.core.grid import BLOCK_SIZES_PX
from privet.core.pb import scene_pb2
from privet.core.reader import MAX_PATCHES
from privet.core.scene import Condition, ImageFormat, Reason
from privet.core.wire import MAX_COVER_NS
from privet.worker.camera.scene_encoder import MOST_PATCHES


@pytest.mark.parametrize(
    ("values", "schema"),
    [
        (Condition, scene_pb2.Condition.DESCRIPTOR),
        (Reason, scene_pb2.Reason.DESCRIPTOR),
        (ImageFormat, scene_pb2.ImageFormat.DESCRIPTOR),
    ],
)
def test_an_enum_has_the_schemas_names_and_numbers_but_unspecified(values: type[IntEnum], schema: EnumDescriptor) -> None:
    beginning = schema.values_by_number[0].name.removesuffix("UNSPECIFIED")
    assert {value.name.removeprefix(beginning): value.number for value in schema.values if value.number} == {
        value.name: int(value) for value in values
    }


def test_a_reader_keeps_all_the_patches_that_a_worker_sends_between_two_backgrounds() -> None:
    assert MOST_PATCHES <= MAX_PATCHES


def test_the_slowest_covers_hold_no_longer_than_a_reader_takes() -> None:
    slowest = next(each.ge for each in SceneSection.model_fields["covers_per_second"].metadata if hasattr(each, "ge"))
    assert NS_PER_S / slowest <= MAX_COVER_NS


def test_block_sizes_of_the_settings_are_those_of_the_stream() -> None:
    assert get_args(SceneSection.model_fields["block_px"].annotation) == BLOCK_SIZES_PX
