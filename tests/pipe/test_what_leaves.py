"""docs/ref/what-leaves.md against the code: every message, every field, every figure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import ceil, log2
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import given
from hypothesis import strategies as st

from privet.api.cameras.counters import counters_model
from privet.api.cameras.counters import values as api_values
from privet.core.clock import NS_PER_S
from privet.core.declared import figures
from privet.core.grid import Grid
from privet.core.ids import CameraId
from privet.core.offer import OFFER_EVERY_NS, OFFER_ID_BYTES, OFFER_NS
from privet.core.pb import options_pb2, pipe_pb2, scene_pb2
from privet.core.scene import MOST_LAYERS, Condition, Reason
from privet.core.wire import MAX_MESSAGE_BYTES
from privet.main.metrics import of_figures
from privet.pipe.bound import capacity, capacity_bits_per_second
from privet.pipe.latency import LATENCY_BOUNDS_US
from privet.pipe.leaves_page import health_table
from privet.scene.light import LIGHT_EVERY_NS
from privet.scene.proof.step import PROMOTE_EVERY_NS
from privet.worker.camera.log_limit import LINES_PER_SECOND
from privet.worker.camera.scene_encoder import QUIET_BEFORE_WHOLE_NS
from privet.worker.camera.state_saving import SAVE_EVERY_NS
from privet.worker.camera.steady_source import EPOCH_EVERY_NS
from privet.worker.process import EXIT_ORPHANED, EXIT_STOPPED, EXIT_UNUSABLE
from privet.worker.send_queue import DEFAULT_LIMIT_BYTES

PAGE = (Path(__file__).parents[2] / "docs/ref/what-leaves.md").read_text()

TYPES = {
    FieldDescriptor.TYPE_UINT64: "uint64",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_FIXED64: "fixed64",
    FieldDescriptor.TYPE_SFIXED64: "sfixed64",
    FieldDescriptor.TYPE_SINT64: "sint64",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_STRING: "string",
}


def type_words(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        words = field.message_type.name
    elif field.enum_type is not None:
        words = field.enum_type.name
    else:
        words = TYPES[field.type]
    return f"repeated {words}" if field.is_repeated else words


def reachable(root: Descriptor) -> dict[str, dict[str, str]]:
    """Every message that can be inside `root`: its fields with their types, in the schema's order."""
    found: dict[str, dict[str, str]] = {}
    waiting = [root]
    while waiting:
        message = waiting.pop()
        if message.name in found:
            continue
        found[message.name] = {field.name: type_words(field) for field in message.fields}
        waiting += [field.message_type for field in message.fields if field.message_type is not None]
    return found


def documented() -> dict[str, dict[str, str]]:
    """The tables of the page's section Messages."""
    section = PAGE.split("\n## Messages\n")[1].split("\n## ")[0]
    found: dict[str, dict[str, str]] = {}
    for part in section.split("\n### ")[1:]:
        heading = part.splitlines()[0]
        name = re.fullmatch(r"`(\w+)`", heading)
        assert name is not None, heading
        rows = re.findall(r"^\| `(\w+)` \| ([\w ]+) \| [^|]+ \| [^|]*\|$", part, re.MULTILINE)
        assert len(rows) == part.count("\n| `"), f"a row of {heading} has not four cells"
        found[name[1]] = dict(rows)
        assert len(found[name[1]]) == len(rows), f"a field of {heading} stands there twice"
    return found


def test_every_message_and_field_is_documented_and_nothing_else_is() -> None:
    assert documented() == reachable(pipe_pb2.WorkerMessage.DESCRIPTOR)


def test_the_table_would_notice_a_missing_field() -> None:
    found = reachable(pipe_pb2.WorkerMessage.DESCRIPTOR)
    assert len(found) == 14
    assert sum(map(len, found.values())) > 60


def test_no_message_holds_text_but_the_cameras_id() -> None:
    texts = [
        f"{name}.{field}"
        for name, fields in reachable(pipe_pb2.WorkerMessage.DESCRIPTOR).items()
        for field, words in fields.items()
        if "string" in words
    ]
    assert texts == ["WorkerMessage.camera"]


def test_the_buckets_of_the_latency_are_documented() -> None:
    bounds = ", ".join(str(bound_us // 1000) for bound_us in LATENCY_BOUNDS_US)
    assert f"at most {bounds} ms, and more" in PAGE


def test_counts_in_words_are_those_of_the_schema() -> None:
    numbers = {5: "five", 14: "fourteen", 15: "fifteen", 16: "sixteen", 17: "seventeen"}
    for values, row in (
        (len(Condition), "`condition` | Condition | 3"),
        (len(Reason), "`reason` | Reason | 5"),
        (len(pipe_pb2.LogCode.values()) - 1, "`code` | LogCode | 5"),
    ):
        assert f"| {row} | one of {numbers[values]} |" in PAGE


def test_the_limits_of_offers_are_the_codes() -> None:
    assert f"at most one offer in {OFFER_EVERY_NS // NS_PER_S} s" in PAGE
    assert f"| `good_for_ns` | uint64 | 64 | {OFFER_NS // NS_PER_S} s |" in PAGE
    assert f"| `offer` | bytes | {OFFER_ID_BYTES * 8} | random" in PAGE


# ---- the bound, counted here a second time: nothing below asks privet.pipe.bound or privet.core.declared what is counted

ROOT = pipe_pb2.WorkerMessage.DESCRIPTOR
BITS = {"uint32": 32, "uint64": 64, "sint64": 64, "fixed64": 64, "sfixed64": 64}
A_BLOCK = {("Background", "proven"), ("Patch", "promoted"), ("Cover", "bits"), ("Promotion", "promoted"), ("Candidate", "blocks")}
PIXELS = {("Background", "image"), ("Patch", "image"), ("Candidate", "image")}
BYTES = {("Light", "gain"): 8 * 16 * 9, ("Light", "offset"): 8 * 16 * 9, ("Candidate", "offer"): 8 * OFFER_ID_BYTES}


def leaves(message: Descriptor) -> Iterator[FieldDescriptor]:
    """Every field of a message and of what is in it that is no message itself."""
    for field in message.fields:
        if field.message_type is None:
            yield field
        else:
            yield from leaves(field.message_type)


def bits_of(message: Descriptor, blocks: int) -> int:
    total = 0
    for field in leaves(message):
        assert field.containing_type is not None
        which = (field.containing_type.name, field.name)
        if field.enum_type is not None:
            total += ceil(log2(len(field.enum_type.values)))
        elif field.type == FieldDescriptor.TYPE_BYTES:
            total += 0 if which in PIXELS else blocks if which in A_BLOCK else BYTES[which]
        else:
            total += BITS[TYPES[field.type]] * (len(LATENCY_BOUNDS_US) + 1 if field.is_repeated else 1)
    return total


def kinds() -> dict[str, Descriptor]:
    """What a worker says: the kinds of the two messages that are one of several."""
    scene = scene_pb2.SceneMessage.DESCRIPTOR
    inner = [field.message_type for message in (ROOT, scene) for field in message.fields if field.message_type is not None]
    return {message.name: message for message in inner if message is not None and message.name != scene.name}


def stated() -> dict[str, tuple[str, str, int, int]]:
    """The page's table of the bound: part -> message, rate, bits a message, bits a second."""
    section = PAGE.split("\n## Capacity\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| `(\w+)` \| ([^|]+) \| (\d+) \| (\d+) \|$", section, re.MULTILINE)
    return {part: (message, rate, int(bits), int(a_second)) for part, message, rate, bits, a_second in rows}


def rate_of(words: str, covers_per_second: float) -> float:
    per_second = 0.0
    for term in words.split(" + "):
        factor, _, name = term.rpartition("covers_per_second")[0].partition(" x "), None, term
        per_second += float(factor[0] or 1) * covers_per_second if "covers_per_second" in name else float(term)
    return per_second


def test_everything_a_worker_can_say_is_in_the_bound_with_every_bit() -> None:
    blocks = 240 * 135
    assert {message: bits for message, _, bits, _ in stated().values()} == {
        name: bits_of(message, blocks) for name, message in kinds().items()
    }


def test_the_column_sums_to_the_total_that_is_shown() -> None:
    total = re.search(r"^\| total \| \| \| \| (\d+) \|$", PAGE, re.MULTILINE)
    assert total is not None
    assert int(total[1]) == sum(a_second for *_, a_second in stated().values())
    for part, (_, rate, bits, a_second) in stated().items():
        assert a_second == ceil(round(bits * rate_of(rate, 5.0), 6)), part


@given(st.integers(1, 4096), st.integers(1, 4096), st.sampled_from([8, 16, 32]), st.floats(0.2, 10.0))
def test_the_code_counts_what_the_descriptors_say(width: int, height: int, block: int, covers_per_second: float) -> None:
    grid = Grid(width, height, block)
    expected = 0
    for message, rate, _, _ in stated().values():
        expected += ceil(bits_of(kinds()[message], grid.blocks) * rate_of(rate, covers_per_second))
    assert abs(capacity_bits_per_second(grid, covers_per_second) - expected) <= len(stated())  # each rounded up


def test_the_bits_of_every_field_are_those_of_its_type() -> None:
    for name, message in {message.name: message for message in every_message(ROOT)}.items():
        part = PAGE.split(f"\n### `{name}`\n")[1].split("\n### ")[0]
        rows = dict(re.findall(r"^\| `(\w+)` \| [\w ]+ \| ([^|]+) \|", part, re.MULTILINE))
        for field in message.fields:
            which, cell = (name, field.name), rows[field.name]
            if field.message_type is not None:
                assert cell == "see there", which
            elif field.enum_type is not None:
                assert cell == str(ceil(log2(len(field.enum_type.values)))), which
            elif field.type == FieldDescriptor.TYPE_BYTES:
                size = str(BYTES.get(which, 0)) if name != "Light" else "8 a cell"
                assert cell == ("1 a block" if which in A_BLOCK else size) or (which in PIXELS and cell.endswith("pixels")), which
            elif field.type == FieldDescriptor.TYPE_STRING:
                assert cell == "0", which
            else:
                assert cell == f"{BITS[TYPES[field.type]]}{' each' if field.is_repeated else ''}", which


def every_message(root: Descriptor) -> Iterator[Descriptor]:
    yield root
    for field in root.fields:
        if field.message_type is not None:
            yield from every_message(field.message_type)


def test_rates_are_no_lower_than_what_the_program_holds_to() -> None:
    rates = {message: rate_of(rate, 5.0) for message, rate, _, _ in stated().values()}
    assert rates["Patch"] >= NS_PER_S / PROMOTE_EVERY_NS + NS_PER_S / OFFER_EVERY_NS
    assert rates["Promotion"] >= MOST_LAYERS * NS_PER_S / PROMOTE_EVERY_NS + NS_PER_S / OFFER_EVERY_NS
    assert rates["Light"] >= NS_PER_S / LIGHT_EVERY_NS + 1
    new_grids = NS_PER_S / EPOCH_EVERY_NS
    assert rates["Background"] >= round(1 + NS_PER_S / QUIET_BEFORE_WHOLE_NS + new_grids, 9)
    goes = 1.0                          # a camera comes and goes less often than once a second, as core.backoff says
    assert rates["State"] >= 1 + 5.0 + new_grids + goes
    assert rates["Log"] >= LINES_PER_SECOND + goes
    assert rates["Candidate"] == NS_PER_S / OFFER_EVERY_NS
    assert rates["Cover"] == 5.0


# ---- one declaration a figure


def grown(line: str) -> Descriptor:
    """`WorkerMessage` of a schema that has one figure more, as one line of `Health` in pipe.proto would declare it."""
    file = descriptor_pb2.FileDescriptorProto()
    pipe_pb2.DESCRIPTOR.CopyToProto(file)
    health = next(message for message in file.message_type if message.name == "Health")
    health.field.append(text_format.Parse(line, descriptor_pb2.FieldDescriptorProto()))
    pool = descriptor_pool.DescriptorPool()
    for dependency in (descriptor_pb2.DESCRIPTOR, options_pb2.DESCRIPTOR, scene_pb2.DESCRIPTOR):
        pool.AddSerializedFile(dependency.serialized_pb)
    pool.Add(file)
    found = pool.FindMessageTypeByName("privet.v1.WorkerMessage")
    assert isinstance(found, Descriptor)
    return found


MORE = """
    name: "doors" number: 1000 type: TYPE_UINT64 label: LABEL_OPTIONAL
    options { [privet.v1.figure] { kind: KIND_COUNTER help: "Doors that were opened." } }
"""


def test_one_line_in_the_schema_makes_a_metric_an_api_field_a_row_and_its_part_of_the_bound() -> None:
    worker_message = grown(MORE)
    health = worker_message.fields_by_name["health"].message_type
    assert health is not None
    (doors,) = [figure for figure in figures(health) if figure.name not in {each.name for each in figures()}]
    report = message_factory.GetMessageClass(health)(doors=7)
    (metric,) = of_figures([doors], [(CameraId("gate"), report)])
    assert (metric.name, metric.documentation, metric.type) == ("privet_camera_doors", "Doors that were opened.", "counter")
    assert [(sample.name, sample.labels, sample.value) for sample in metric.samples] == [
        ("privet_camera_doors_total", {"camera": "gate"}, 7.0)
    ]
    model = counters_model([doors])
    assert model.model_json_schema()["properties"]["doors"]["description"] == "Doors that were opened."
    assert model.model_validate(api_values([doors], report)).model_dump() == {"doors": 7}
    assert "| `doors` | uint64 | 64 | Doors that were opened. |" in health_table(health)
    grid = Grid(64, 48, 8)
    assert capacity(grid, 5.0, worker_message).total == capacity(grid, 5.0).total + 64


def test_a_figure_that_nobody_declared_is_an_error() -> None:
    health = grown('name: "doors" number: 1000 type: TYPE_UINT64 label: LABEL_OPTIONAL').fields_by_name["health"].message_type
    assert health is not None
    with pytest.raises(ValueError, match=r"Health\.doors has no figure"):
        figures(health)


def test_a_field_whose_size_nobody_declared_is_an_error() -> None:
    for words, complaint in (("TYPE_BYTES label: LABEL_OPTIONAL", "no number"), ("TYPE_UINT64 label: LABEL_REPEATED", "repeated")):
        with pytest.raises(ValueError, match=complaint):
            capacity(Grid(64, 48, 8), 5.0, grown(f'name: "doors" number: 1000 type: {words}'))


def test_the_outputs_beside_the_pipe_are_what_the_code_does() -> None:
    rows = {
        cells[0]: cells[1:]
        for line in PAGE.split("\n## Outputs\n")[1].split("\n## ")[0].splitlines()
        if line.startswith("| ") and len(cells := [cell.strip() for cell in line.strip("|").split(" | ")]) == 4
    }
    assert rows["exit status"][0].startswith(f"{EXIT_STOPPED} stopped, {EXIT_ORPHANED} orphaned, {EXIT_UNUSABLE} unusable")
    assert f"{MAX_MESSAGE_BYTES >> 20} MiB a message; a queue of {DEFAULT_LIMIT_BYTES >> 20} MiB" in rows["pipe to the supervisor"][2]
    assert f"at most every {SAVE_EVERY_NS // NS_PER_S} s" in rows["sealed state"][1]
    assert set(rows) == {
        "output", "pipe to the supervisor", "sealed state", "its own directory", "standard output and error", "core dumps",
        "network", "exit status",
    }
