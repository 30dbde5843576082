"""Figures for people and for machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from bench.privacy.measure import Figures

Json = dict[str, object]


def as_json(figures: Figures) -> Json:
    """The figures by name; shares to four digits."""
    out: Json = {}
    for each in fields(figures):
        if each.name == "leaks":
            continue
        value = getattr(figures, each.name)
        out[each.name] = round(value, 4) if isinstance(value, float) else value
    return out


def table(columns: Mapping[str, Figures]) -> str:
    """A table with a row per figure and a column per run."""
    names = [each.name for each in fields(Figures) if each.name != "leaks"]
    head = ["", *columns]
    rows = [[name, *(said(getattr(figures, name)) for figures in columns.values())] for name in names]
    return aligned([head, *rows])


def said(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def aligned(rows: list[list[str]]) -> str:
    """Columns of one width: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(rows: list[list[str]]) -> str:
    head, *body = rows
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---" if i == 0 else "---:" for i in range(len(head))) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in body)])
