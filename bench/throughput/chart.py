"""The bench's figures as a picture: `python -m bench.throughput.chart FIGURES.json OUT.svg`.

Belongs here: an SVG by hand, readable on light and on dark pages, with every value as text. Does not belong here: measuring. What the
figures lack is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from bench.privacy.tables import Json

WIDTH, LEFT, RIGHT, TOP = 760, 190, 70, 64
BAR, GAP, BETWEEN = 18, 5, 16
STEPS = (1, 2, 5)
KINDS, STREAMS = ("busy", "quiet"), ("main", "sub", "sub5")
STREAM_NAMES = {"main": "main stream", "sub": "sub-stream", "sub5": "sub-stream at 5/s"}
PEER_NAMES = {"mog2": "MOG2, blur, x264", "deface": "deface (CenterFace)"}
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1c2730; }
  .title { font-size: 16px; font-weight: 600; }
  .small { font-size: 12px; }
  .rule { stroke: #1c2730; stroke-opacity: 0.18; }
  .settled { fill: #2f6f4f; } .proving { fill: #8fbfa2; } .peer { fill: #8a8f98; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6ebf0; }
    .rule { stroke: #e6ebf0; stroke-opacity: 0.22; }
    .settled { fill: #5fc08d; } .proving { fill: #37694f; } .peer { fill: #7b828c; }
  }
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: cameras a core. of: its class, which says its colour and its word in the legend."""

    value: float
    of: str


@dataclass(frozen=True, slots=True)
class Row:
    """Bars under one name."""

    name: str
    bars: tuple[Bar, ...]


LEGEND = {"settled": "proven", "proving": "while the place is being proven", "peer": "other pipelines, same clip, decoding included"}


def main() -> int:
    """Write the picture; exit status 0, or 2 if the figures hold nothing to draw."""
    parser = argparse.ArgumentParser(prog="python -m bench.throughput.chart", description="Cameras a core, as an SVG.")
    parser.add_argument("figures", type=Path, help="what `python -m bench.throughput --json` printed")
    parser.add_argument("out", type=Path, help="the SVG")
    options = parser.parse_args()
    try:
        options.out.write_text(chart(json.loads(options.figures.read_text(encoding="utf-8"))), encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"bench.throughput.chart: {error}", file=sys.stderr)
        return 2
    return 0


def chart(figures: Json) -> str:
    """The SVG.

    Raises:
        ValueError: there is no figure to draw.
    """
    rows = list(_rows(figures))
    if not rows:
        raise ValueError("no cameras_per_core in these figures: run `python -m bench.throughput --json`")
    most, step = _axis(max(bar.value for row in rows for bar in row.bars))
    notes = list(_notes(figures))
    legend = [of for of in LEGEND if any(bar.of == of for row in rows for bar in row.bars)]
    bottom = TOP + sum(_height(row) for row in rows)
    height = bottom + 62 + 20 * len(legend) + 18 * len(notes)
    words = "; ".join(f"{row.name}: " + ", ".join(f"{said(bar.value)} {LEGEND[bar.of]}" for bar in row.bars) for row in rows)
    title = _title(figures)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="desc">{escape(words)}.</desc>',
        f"<style>{STYLE}</style>",
        _text(LEFT, 26, title, "title"),
        *_grid(most, step, bottom),
    ]
    at = float(TOP)
    for row in rows:
        middle = at + (_height(row) - BETWEEN) / 2 + 4
        parts.append(_text(LEFT - 10, middle, row.name, anchor="end"))
        for bar in row.bars:
            width = bar.value * _scale(most)
            parts.append(f'<rect class="{bar.of}" x="{LEFT}" y="{at:.1f}" width="{width:.1f}" height="{BAR}" rx="2"/>')
            parts.append(_text(LEFT + width + 6, at + 14, said(bar.value)))
            at += BAR + GAP
        at += BETWEEN - GAP
    at = bottom + 36
    parts.append(_text(LEFT, at, "cameras a core", "small"))
    for of in legend:
        at += 20
        parts.append(f'<rect class="{of}" x="{LEFT}" y="{at - 11:.1f}" width="12" height="12" rx="2"/>')
        parts.append(_text(LEFT + 20, at, LEGEND[of], "small"))
    at += 10
    for note in notes:
        at += 18
        parts.append(_text(24, at, note, "small"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def said(value: float) -> str:
    """A figure in as many digits as it is worth."""
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _title(figures: Json) -> str:
    height, codec = figures.get("height_px"), figures.get("codec")
    return "Cameras a core" + (f", {height}p {codec}, 15 frames a second" if height and isinstance(codec, str) else "")


def _rows(figures: Json) -> Iterator[Row]:
    for kind in KINDS:
        for stream in STREAMS:
            of = _part(_part(figures, kind), stream)
            found = ((_number(of, "cameras_per_core"), "settled"), (_number(of, "cameras_per_core_proving"), "proving"))
            bars = tuple(Bar(value, name) for value, name in found if value)
            if bars:
                yield Row(f"{kind}, {STREAM_NAMES[stream]}", bars)
    peers = _part(figures, "peers")
    for name in peers:
        cpu = _number(_part(peers, name), "cpu")
        if cpu:
            yield Row(PEER_NAMES.get(name, name), (Bar(1 / cpu, "peer"),))


def _notes(figures: Json) -> Iterator[str]:
    """What is no bar: memory, questions to the past, latency, a day, many cameras at once."""
    memory = _part(figures, "memory_mb_per_camera")
    if memory:
        yield "memory a camera: " + ", ".join(f"{said(_number(memory, count) or 0)} MB with {count}" for count in memory)
    queries = _part(figures, "query_ms")
    for name, words in (("camera_week", "a camera-week"), ("hundred_camera_days", "a hundred camera-days")):
        cold, warm = (_number(_part(queries, name), key) for key in ("cold", "warm"))
        if cold and warm:
            yield f"when was something here, over {words}: {said(warm)} ms, {said(cold)} ms from a cold disk"
    latency = _part(figures, "latency_ms")
    for name, words in (("to_message", "packet to message"), ("to_pixel", "packet to the drawn pixel")):
        middle, late = (_number(_part(latency, name), key) for key in ("p50", "p95"))
        if middle and late:
            yield f"{words}: half within {said(middle)} ms, 95 of 100 within {said(late)} ms"
    day = _part(figures, "recorded_bytes_per_second")
    rates = [(kind, rate) for kind in KINDS if (rate := _number(day, kind))]
    if rates:
        yield "recorded over a day: " + ", ".join(f"{said(rate)} bytes a second when {kind}" for kind, rate in rates)
    many = _part(figures, "many")
    share, cameras = _number(many, "share_of_what_is_left"), _part(many, "cameras")
    if share and cameras:
        held = "and lost nothing" if _part(many, "held").get("no_gap") else "and did not keep up"
        counts = " and ".join(f"{count} {kind}" for kind, count in cameras.items())
        yield f"{counts} cameras at once took {100 * share:.0f} % of what they themselves left of the machine, {held}"


def _part(figures: Mapping[str, object], key: str) -> Json:
    found = figures.get(key)
    return found if isinstance(found, dict) else {}


def _number(figures: Mapping[str, object], key: str) -> float | None:
    found = figures.get(key)
    return float(found) if isinstance(found, int | float) and found > 0 else None


def _axis(most: float) -> tuple[float, float]:
    """Where the axis ends and how far its marks are apart: 1, 2 or 5 by a power of ten, at most eight of them."""
    power = 1.0
    while True:
        for step in STEPS:
            if most <= 8 * step * power:
                return -(-most // (step * power)) * step * power, step * power
        power *= 10


def _scale(most: float) -> float:
    return (WIDTH - LEFT - RIGHT) / most


def _height(row: Row) -> float:
    return len(row.bars) * (BAR + GAP) - GAP + BETWEEN


def _grid(most: float, step: float, bottom: float) -> Iterator[str]:
    for mark in range(round(most / step) + 1):
        x = LEFT + mark * step * _scale(most)
        yield f'<line class="rule" x1="{x:.1f}" y1="{TOP - 10}" x2="{x:.1f}" y2="{bottom - BETWEEN + 8:.1f}"/>'
        yield _text(x, bottom + 12, f"{mark * step:.0f}", "small", anchor="middle")


def _text(x: float, y: float, words: str, of: str = "", anchor: str = "start") -> str:
    return f'<text{_attributes({"class": of, "text-anchor": anchor})} x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f' {name}="{value}"' for name, value in values.items() if value and value != "start")


if __name__ == "__main__":
    sys.exit(main())
