"""The reference of privet.toml, made from the models: docs/ref/privet.schema.json and docs/ref/configuration.md.

Belongs here: turning the models into a JSON schema and a page. Does not belong here: any description of a setting, which stands
at its field in `config.models`. `python -m privet.config.reference docs/ref` writes both files; a test holds them current.
"""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Annotated, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from privet.config.models import Camera, Config, Credentials, Point

SCHEMA_NAME = "privet.schema.json"
PAGE_NAME = "configuration.md"


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the reference."""

    name: str
    kind: str
    default: str
    description: str


def schema_json() -> str:
    """Return the JSON schema (draft 2020-12) of privet.toml, as text that ends with a newline."""
    schema: dict[str, object] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema.update(TypeAdapter(Config).json_schema(mode="validation"))
    schema["title"] = "privet.toml"
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def settings(model: type[BaseModel]) -> tuple[Setting, ...]:
    """Return the rows of a table's reference, in the model's order; tables within it are left out."""
    return tuple(
        Setting(name, _kind(field.annotation, field.metadata), _default(field), field.description or "")
        for name, field in model.model_fields.items()
        if _table(field.annotation) is None
    )


def tables() -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the heading and the model of every table of privet.toml, in order."""
    for name, field in Config.model_fields.items():
        model = _table(field.annotation)
        if model is not None:
            yield (f"[{name}.ID]" if model is Camera else f"[{name}]"), model


def page() -> str:
    """Return docs/ref/configuration.md."""
    parts = [_HEAD]
    for heading, model in tables():
        parts.append(_section(f"`{heading}`", model, _NOTES.get(heading, "")))
    parts.append(_section("secrets.toml: `[NAME]`", Credentials, _SECRETS))
    return "\n".join(parts)


_HEAD = f"""\
# privet.toml

<!-- Written by `make generate` from src/privet/config/models.py: change it there. -->

One file configures Privet; `privet init` writes one with comments, `privet doctor` says what is wrong with it. Relative paths
begin at the file's directory. A key that is not listed here is refused, with the nearest known one named. Units stand in the
names.
[{SCHEMA_NAME}]({SCHEMA_NAME}) is the same as a JSON schema, for editors (`privet schema` prints it).
"""

_NOTES = {
    "[cameras.ID]": """\
One table per camera. `ID` names it in URLs, file names and topics: 1 to 64 of `a-z`, `0-9`, `-` and `_`. It is not shown to
people and should not change: recordings are kept under it.""",
}

_SECRETS = """\
Passwords stand beside privet.toml in a file of their own, mode 0600, so that privet.toml can be shown to anybody. A camera names
an entry in `credentials`. They are never logged, never part of a URL that is shown, and never sent to a browser."""


def _section(heading: str, model: type[BaseModel], note: str) -> str:
    summary = (model.__doc__ or "").strip().splitlines()[0]
    lines = [f"## {heading}", "", summary, ""]
    if note:
        lines += [note, ""]
    lines += ["| setting | type | default | what it does |", "|---|---|---|---|"]
    lines += [f"| `{row.name}` | {row.kind} | {row.default} | {row.description} |" for row in settings(model)]
    return "\n".join(lines) + "\n"


def _table(annotation: object) -> type[BaseModel] | None:
    """Return the model that a field is a table of (or a table of tables), None for a plain setting."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is dict:
        return _table(get_args(annotation)[1])
    return None


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value: object = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value == "":
        return "none"
    if isinstance(value, PurePath):
        value = str(value)
    return f"`{json.dumps(value)}`"


def _kind(annotation: object, metadata: list[object]) -> str:
    """Return a setting's type in words, with its bounds."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return _kind(inner, [part for item in more for part in (item.metadata if isinstance(item, FieldInfo) else [item])])
    if origin is Literal:
        return " or ".join(f"`{json.dumps(value)}`" for value in get_args(annotation))
    if origin in {Union, types.UnionType}:
        return " or ".join(_kind(part, metadata) for part in get_args(annotation) if part is not type(None))
    if origin is tuple:
        parts = get_args(annotation)
        if annotation == Point:
            return "[x, y], each 0 to 1"
        if parts[1:] == (Ellipsis,):
            return f"list of ({_kind(parts[0], [])})"
    names: Mapping[object, str] = {bool: "true or false", int: "whole number", float: "number", str: "text", Path: "path"}
    if annotation not in names:
        raise TypeError(f"no words for settings of type {annotation!r}: add them here")
    return names[annotation] + _bounds(metadata)


def _bounds(metadata: list[object]) -> str:
    words = []
    for item in metadata:
        match item:
            case annotated_types.Ge(ge=bound):
                words.append(f"at least {bound}")
            case annotated_types.Gt(gt=bound):
                words.append(f"more than {bound}")
            case annotated_types.Le(le=bound):
                words.append(f"at most {bound}")
            case annotated_types.Lt(lt=bound):
                words.append(f"less than {bound}")
            case annotated_types.MinLen(min_length=1):
                words.append("not empty")
            case _:
                raise TypeError(f"no words for the bound {item!r}: add them here")
    return f", {', '.join(words)}" if words else ""


def main(directory: Path) -> None:
    """Write both files into `directory`."""
    (directory / SCHEMA_NAME).write_text(schema_json(), encoding="utf-8")
    (directory / PAGE_NAME).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
