"""What proto/privet/v1/pipe.proto declares of a worker's words by its options: figures of `Health`, and what is said how often.

Belongs here: reading the declarations. Does not belong here: what is made of them (the API's counters, main.metrics, pipe.bound,
main.inspector, pipe.leaves_page).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from privet.core.pb import options_pb2, pipe_pb2

COUNTER, GAUGE, STATE = options_pb2.KIND_COUNTER, options_pb2.KIND_GAUGE, options_pb2.KIND_STATE


@dataclass(frozen=True, slots=True)
class Figure:
    """One field of `Health`. help: a sentence. values: of a state, their names; of anything else, none."""

    name: str
    kind: options_pb2.Kind.ValueType
    help: str
    in_api: bool
    values: tuple[str, ...]


def figures(health: Descriptor = pipe_pb2.Health.DESCRIPTOR) -> tuple[Figure, ...]:
    """Return every figure of a message whose fields are declared as such, in the schema's order.

    Raises:
        ValueError: a field has no declaration.
    """
    return tuple(map(_figure, health.fields))


def _figure(field: FieldDescriptor) -> Figure:
    declared = field.GetOptions().Extensions[options_pb2.figure]
    if declared.kind == options_pb2.KIND_UNSPECIFIED or not declared.help:
        raise ValueError(f"{field.full_name} has no figure with kind and help: declare it in pipe.proto")
    in_api = declared.kind != options_pb2.KIND_APART and not declared.not_in_api
    values = _names(field) if declared.kind == STATE else ()
    return Figure(field.name, declared.kind, declared.help, in_api, values)


def _names(field: FieldDescriptor) -> tuple[str, ...]:
    """The enum's values without what they all begin with, in lower case; 'none' for 0. Their numbers count up from 0."""
    if field.enum_type is None:
        raise ValueError(f"{field.full_name} is declared a state and has no enum")
    names = [value.name for value in field.enum_type.values]
    shared = names[0].removesuffix("UNSPECIFIED")
    if [value.number for value in field.enum_type.values] != list(range(len(names))) or not all(name.startswith(shared) for name in names):
        raise ValueError(f"{field.enum_type.full_name}: values of a state count up from {shared}UNSPECIFIED = 0")
    return ("none", *(name.removeprefix(shared).lower() for name in names[1:]))


@dataclass(frozen=True, slots=True)
class Said:
    """One kind of message that a worker may say. kind: its field in `WorkerMessage`; of: the field within, where it is one of several."""

    kind: str
    of: str
    part: str
    message: Descriptor
    per_second: float
    per_cover: float
    sizes: dict[str, options_pb2.Size]

    def rate(self, covers_per_second: float) -> float:
        """How often it may be said in a second, in the long run."""
        return self.per_second + self.per_cover * covers_per_second


def said(worker_message: Descriptor = pipe_pb2.WorkerMessage.DESCRIPTOR) -> tuple[Said, ...]:
    """Return everything that a worker may say.

    Raises:
        ValueError: a message is declared not at all, or twice.
    """
    return tuple(_said(worker_message))


def _said(worker_message: Descriptor) -> Iterator[Said]:
    for field in worker_message.fields:
        inner = field.message_type
        if inner is None:
            continue
        kinds = {each.name: each.message_type for each in inner.fields if each.containing_oneof is not None} or {"": inner}
        declared = field.GetOptions().Extensions[options_pb2.says]
        if sorted(says.of for says in declared) != sorted(kinds):
            raise ValueError(f"{field.full_name}: declare once how often each of {sorted(kinds)} may be said")
        for says in declared:
            message = kinds[says.of]
            assert message is not None
            yield Said(
                field.name, says.of, says.part, message, says.per_second, says.per_cover, {size.field: size for size in says.size}
            )
