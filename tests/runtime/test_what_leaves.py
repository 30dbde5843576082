"""docs/ref/what-leaves.md against the code: every message, every field, every figure."""

from __future__ import annotations

import re
from pathlib import Path

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import given
from hypothesis import strategies as st

from privet.core.clock import NS_PER_S
from privet.core.grid import Grid
from privet.core.pb import pipe_pb2
from privet.core.scene import Condition, Reason
from privet.runtime.camera import SAVE_EVERY_NS
from privet.runtime.capacity import capacity, capacity_bits_per_second
from privet.runtime.commissioning import OFFER_EVERY_NS
from privet.runtime.outlet import DEFAULT_LIMIT_BYTES, LATENCY_BOUNDS_US
from privet.runtime.pipe import MAX_FRAME_BYTES
from privet.runtime.worker import EXIT_ORPHANED, EXIT_STOPPED, EXIT_UNUSABLE
from privet.scene.commission import OFFER_ID_BYTES, OFFER_NS

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
    numbers = {5: "five", 13: "thirteen", 14: "fourteen", 15: "fifteen", 16: "sixteen"}
    for values, row in (
        (len(Condition), "`condition` | Condition | 8"),
        (len(Reason), "`reason` | Reason | 8"),
        (len(pipe_pb2.LogCode.values()) - 1, "`code` | LogCode | 8"),
    ):
        assert f"| {row} | one of {numbers[values]} |" in PAGE


def test_the_limits_of_offers_are_the_codes() -> None:
    assert f"at most one offer in {OFFER_EVERY_NS // NS_PER_S} s" in PAGE
    assert f"| `good_for_ns` | uint64 | follows | {OFFER_NS // NS_PER_S} s |" in PAGE
    assert f"| `offer` | bytes | {OFFER_ID_BYTES * 8} | random" in PAGE


def test_the_figures_are_the_codes() -> None:
    section = PAGE.split("\n## Capacity\n")[1]
    stated = {name: int(bits) for name, bits in re.findall(r"^\| (\w+) \| (\d+) \|$", section, re.MULTILINE)}
    found = capacity(Grid(1920, 1080, 8), 5.0)
    assert stated == {name: getattr(found, name) for name in (*found.__dataclass_fields__, "total")}
    assert stated["covers"] == 162_000


@given(st.integers(1, 4096), st.integers(1, 4096), st.sampled_from([8, 16, 32]), st.floats(0.2, 10.0))
def test_capacity_is_at_least_the_covers_and_grows_with_them(width: int, height: int, block: int, rate: float) -> None:
    grid = Grid(width, height, block)
    total = capacity_bits_per_second(grid, rate)
    assert total >= grid.blocks * rate
    assert capacity_bits_per_second(grid, rate * 1.5) > total
    assert capacity(grid, rate).total == total


def test_the_outputs_beside_the_pipe_are_what_the_code_does() -> None:
    rows = {
        cells[0]: cells[1:]
        for line in PAGE.split("\n## Outputs\n")[1].split("\n## ")[0].splitlines()
        if line.startswith("| ") and len(cells := [cell.strip() for cell in line.strip("|").split(" | ")]) == 4
    }
    assert rows["exit status"][0].startswith(f"{EXIT_STOPPED} stopped, {EXIT_ORPHANED} orphaned, {EXIT_UNUSABLE} unusable")
    assert f"{MAX_FRAME_BYTES >> 20} MiB a message; a queue of {DEFAULT_LIMIT_BYTES >> 20} MiB" in rows["pipe to the supervisor"][2]
    assert f"at most every {SAVE_EVERY_NS // NS_PER_S} s" in rows["sealed state"][1]
    assert set(rows) == {
        "output", "pipe to the supervisor", "sealed state", "its own directory", "standard output and error", "core dumps",
        "network", "exit status",
    }
