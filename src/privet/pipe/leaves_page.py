"""The parts of docs/ref/what-leaves.md that follow from the schema: the table of `Health`, the rates, the bound.

Belongs here: turning declarations into rows. Does not belong here: what a declaration says, which stands in pipe.proto; prose, which stands
in the page. `python -m privet.pipe.leaves_page PAGE > OUT` writes the page anew; a test holds it current.
"""

from __future__ import annotations

import sys
from pathlib import Path

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from privet.core.declared import Said, figures, said
from privet.core.grid import Grid
from privet.core.pb import pipe_pb2
from privet.pipe.bound import capacity, message_bits, number_bits

EXAMPLE = Grid(1920, 1080, 8)
EXAMPLE_COVERS_PER_SECOND = 5.0


def health_table(health: Descriptor = pipe_pb2.Health.DESCRIPTOR) -> str:
    """Return a row for each figure."""
    rows = [
        f"| `{figure.name}` | {type_words(field)} | {number_bits(field)}{' each' if field.is_repeated else ''} | {figure.help} |"
        for figure, field in zip(figures(health), health.fields, strict=True)
    ]
    return "\n".join(["| field | type | bits | what |", "|---|---|---|---|", *rows])


def bound_table(worker_message: Descriptor = pipe_pb2.WorkerMessage.DESCRIPTOR) -> str:
    """Return a row for each kind of message, for the example's grid, and their sum."""
    most = capacity(EXAMPLE, EXAMPLE_COVERS_PER_SECOND, worker_message)
    rows = [
        f"| {each.part} | `{each.message.name}` | {_rate_words(each)} | {message_bits(each, EXAMPLE)} | {most.parts[each.part]} |"
        for each in said(worker_message)
    ]
    heading = ["| part | message | a second | bits a message | bits a second |", "|---|---|---|---|---|"]
    return "\n".join([*heading, *rows, f"| total | | | | {most.total} |"])


def type_words(field: FieldDescriptor) -> str:
    """Return a field's type as the schema has it."""
    inner = field.message_type or field.enum_type
    words = inner.name if inner is not None else _TYPE_NAMES[field.type]
    return f"repeated {words}" if field.is_repeated else words


_TYPE_NAMES = {
    getattr(FieldDescriptor, f"TYPE_{name.upper()}"): name
    for name in ("uint32", "uint64", "sint64", "fixed64", "sfixed64", "bytes", "string")
}


def _rate_words(each: Said) -> str:
    covers = "" if not each.per_cover else "covers_per_second" if each.per_cover == 1 else f"{each.per_cover:g} x covers_per_second"
    return " + ".join(filter(None, [f"{each.per_second:g}" if each.per_second else "", covers]))


def written(page: str) -> str:
    """Return the page with everything between its markers made anew.

    Raises:
        ValueError: a marker is missing.
    """
    for name, table in (("health", health_table()), ("bound", bound_table())):
        begin, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->\n"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise ValueError(f"the page has not one marker {begin.strip()!r} and one {end.strip()!r}")
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}{table}\n{end}{rest.partition(end)[2]}"
    return page


if __name__ == "__main__":
    sys.stdout.write(written(Path(sys.argv[1]).read_text(encoding="utf-8")))
