"""How much could leave a worker at most: the raw capacity of every message, from the schema and the running configuration. Pure.

Belongs here: the sum of docs/ref/what-leaves.md, as code. Does not belong here: what really leaves (main.metrics): a compressed
mean is no bound; how often what is said is declared in pipe.proto and checked (main.inspector).

Every field of every message counts with all the bits that it can carry, whatever it says in practice and whether or not a reader could
compute it from what was sent before. Left out are the pixels that promotion or a signer's request lets out, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from privet.core.declared import Said, said
from privet.core.grid import Grid
from privet.core.pb import options_pb2, pipe_pb2
from privet.core.scene import LIGHT_COLUMNS, LIGHT_ROWS

LIGHT_CELLS = LIGHT_COLUMNS * LIGHT_ROWS
NUMBER_BITS = {
    FieldDescriptor.TYPE_UINT32: 32,
    FieldDescriptor.TYPE_UINT64: 64,
    FieldDescriptor.TYPE_SINT64: 64,
    FieldDescriptor.TYPE_FIXED64: 64,
    FieldDescriptor.TYPE_SFIXED64: 64,
}


@dataclass(frozen=True, slots=True)
class Capacity:
    """Bits a second of one camera, at most. parts: by what is said, as pipe.proto names it."""

    parts: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.parts.values())


def capacity(grid: Grid, covers_per_second: float, worker_message: Descriptor = pipe_pb2.WorkerMessage.DESCRIPTOR) -> Capacity:
    """Return what one camera's messages can carry.

    Raises:
        ValueError: the schema has a field whose size is not known.
    """
    return Capacity(
        {each.part: ceil(message_bits(each, grid) * each.rate(covers_per_second)) for each in said(worker_message)}
    )


def capacity_bits_per_second(grid: Grid, covers_per_second: float) -> int:
    """Return the sum: what a camera's worker can say in a second at most."""
    return capacity(grid, covers_per_second).total


def message_bits(each: Said, grid: Grid) -> int:
    """Return what one message can carry, everything within it included."""
    return sum(
        bits_per_block * grid.blocks + bits_per_cell * LIGHT_CELLS + bits
        for bits, bits_per_block, bits_per_cell in (_field_bits(field, each.sizes) for field in each.message.fields)
    )


def _field_bits(field: FieldDescriptor, sizes: Mapping[str, options_pb2.Size]) -> tuple[int, int, int]:
    """Bits, bits a block and bits a cell of a field."""
    size = sizes.get(field.name)
    if field.message_type is not None and not field.is_repeated:
        return (sum(_field_bits(inner, {})[0] for inner in field.message_type.fields), 0, 0)
    if size is not None and size.left_out:
        return (0, 0, 0)
    if size is not None and field.is_repeated:
        return (size.items * number_bits(field), 0, 0)
    if size is not None:
        return (size.bits, size.bits_per_block, size.bits_per_cell)
    if field.is_repeated:
        raise ValueError(f"{field.full_name} is repeated and nothing says how often: declare its size in pipe.proto")
    return (number_bits(field), 0, 0)


def number_bits(field: FieldDescriptor) -> int:
    """Return what a single number or a value of an enum can say: a message with one that the enum does not have is refused.

    Raises:
        ValueError: it is neither.
    """
    if field.enum_type is not None:
        return (len(field.enum_type.values) - 1).bit_length()
    if field.type not in NUMBER_BITS:
        raise ValueError(f"{field.full_name} is no number: declare its size in pipe.proto")
    return NUMBER_BITS[field.type]
