"""Cases for drawing: messages, and the picture that they come to. Drawn here pixel by pixel, as the specification says it, in code
that shares nothing with `privet.render`.

cases.json: each case has `messages` (hex), `width_px`, `height_px` and `picture`, a PNG beside it. A player may differ by 3 levels a
channel (the Python reference by none); a reader first follows the messages, then draws. No caption, no dimming: the place alone.

bad.json: messages that are well-formed, but whose image must not be drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from vectors import parts
from vectors.parts import PNG, WEBP, GridCase
from vectors.png import Rows, png
from vectors.scene_stream import Json

UNPROVEN = (58, 52, 40)
COVER = (122, 139, 158)
COVER_UNPROVEN = (96, 104, 112)

TEXTURE_WEBP = Path(__file__).parent / "render" / "texture.webp"
"""texture(100, 75, 3) as lossless WebP: an input, because encoders differ from version to version. Decoding it is exact."""

Cells = list[list[int]]


def texture(width: int, height: int, seed: int) -> Rows:
    """A picture with slopes, edges and something that looks like noise, the same everywhere."""

    def pixel(x: int, y: int) -> tuple[int, int, int]:
        grain = (x * 7919 + y * 104729 + seed * 1299709) % 23
        return (
            min(255, x * 255 // max(1, width - 1)),
            min(255, y * 200 // max(1, height - 1) + grain),
            200 if (x // 9 + y // 11 + seed) % 2 else 30 + grain,
        )

    return [[pixel(x, y) for x in range(width)] for y in range(height)]


def flat(width: int, height: int, colour: tuple[int, int, int]) -> Rows:
    return [[colour] * width for _ in range(height)]


@dataclass
class Place:
    """What is to be drawn, as plain lists."""

    grid: GridCase
    picture: Rows
    proven: list[str]
    cover: list[str] | None = None
    gain: Cells | None = None
    offset: Cells | None = None
    messages: list[bytes] = field(default_factory=list)


def _between(cells: int, pixels: int, at: int) -> tuple[int, int, float]:
    position = (at + 0.5) * cells / pixels - 0.5
    position = min(max(position, 0.0), cells - 1.0)
    first = math.floor(position)
    return first, min(first + 1, cells - 1), position - first


def _cell(cells: Cells, x: int, y: int, grid: GridCase, value: Callable[[int], float]) -> float:
    left, right, across = _between(len(cells[0]), grid.width, x)
    top, bottom, down = _between(len(cells), grid.height, y)

    def line(row: int) -> float:
        return value(cells[row][left]) * (1 - across) + value(cells[row][right]) * across

    return line(top) * (1 - down) + line(bottom) * down


def draw(place: Place) -> Rows:
    """Draw a place, one pixel after another."""
    grid = place.grid

    def pixel(x: int, y: int) -> tuple[int, int, int]:
        proven = place.proven[y // grid.block][x // grid.block] == "#"
        covered = place.cover is not None and place.cover[y // grid.block][x // grid.block] == "#"
        if covered:
            return COVER if proven else COVER_UNPROVEN
        if not proven:
            return UNPROVEN
        red, green, blue = place.picture[y][x]
        if place.gain is None or place.offset is None:
            return (red, green, blue)
        gain = _cell(place.gain, x, y, grid, lambda byte: 2.0 ** ((byte - 128) / 32))
        offset = _cell(place.offset, x, y, grid, lambda byte: byte - 128.0)

        def level(value: int) -> int:
            return min(max(math.floor(value * gain + offset + 0.5), 0), 255)

        return (level(red), level(green), level(blue))

    return [[pixel(x, y) for x in range(grid.width)] for y in range(grid.height)]


def _flattened(picture: Rows, keep: list[str], block: int) -> Rows:
    """Blocks that are not kept are flat before the image is encoded."""
    return [
        [pixel if keep[y // block][x // block] == "#" else UNPROVEN for x, pixel in enumerate(row)] for y, row in enumerate(picture)
    ]


def _part(picture: Rows, left: int, top: int, right: int, bottom: int) -> Rows:
    return [row[left:right] for row in picture[top:bottom]]


def _every(grid: GridCase, rule: Callable[[int, int], bool]) -> list[str]:
    """Rows of `#` and `.`: where rule(column, row) holds."""
    columns, rows = -(-grid.width // grid.block), -(-grid.height // grid.block)
    return ["".join("#" if rule(column, row) else "." for column in range(columns)) for row in range(rows)]


def _bits(rows: list[str]) -> bytes:
    return parts.bits("/".join(rows))


def _begun(grid: GridCase, picture: Rows, proven: list[str]) -> Place:
    image = png(_flattened(picture, proven, grid.block))
    return Place(grid, picture, proven, messages=[parts.background(1, grid, _bits(proven), image, image_format=PNG)])


def _lit(place: Place, gain: Cells, offset: Cells) -> Place:
    flatten = [bytes(level for row in cells for level in row) for cells in (gain, offset)]
    place.messages.append(parts.light(8, *flatten, size=(len(gain[0]), len(gain)), epoch=place.grid.epoch))
    place.gain, place.offset = gain, offset
    return place


def _covered(place: Place, cover: list[str]) -> Place:
    place.messages.append(parts.cover(9, _bits(cover), epoch=place.grid.epoch))
    place.cover = cover
    return place


def _patched(place: Place, sequence: int, at: tuple[int, int], promoted: list[str], newer: Rows) -> Place:
    """Promote blocks of the rectangle at (column, row). The patch's other blocks hold a colour that must not be seen."""
    grid, (column, row) = place.grid, at
    left, top = column * grid.block, row * grid.block
    right = min(left + len(promoted[0]) * grid.block, grid.width)
    bottom = min(top + len(promoted) * grid.block, grid.height)
    image = [
        [
            newer[top + y][left + x] if promoted[y // grid.block][x // grid.block] == "#" else (255, 0, 255)
            for x in range(right - left)
        ]
        for y in range(bottom - top)
    ]
    place.messages.append(
        parts.patch(
            sequence, _bits(promoted), png(image), epoch=grid.epoch, at=at, size=(len(promoted[0]), len(promoted)),
            image_format=PNG,
        )
    )
    picture = [list(line) for line in place.picture]
    proven = [list(line) for line in place.proven]
    for y in range(top, bottom):
        for x in range(left, right):
            if promoted[(y - top) // grid.block][(x - left) // grid.block] == "#":
                picture[y][x] = newer[y][x]
                proven[y // grid.block][x // grid.block] = "#"
    place.picture, place.proven = picture, ["".join(line) for line in proven]
    return place


def _slope(columns: int, rows: int, low: int, high: int) -> Cells:
    """From `low` at the top left to `high` at the bottom right."""
    steps = max(1, columns + rows - 2)
    return [[low + (high - low) * (column + row) // steps for column in range(columns)] for row in range(rows)]


def _places() -> dict[str, tuple[str, Place]]:
    grid = GridCase(52, 43)  # 7 x 6 blocks
    picture, newer = texture(52, 43, 1), texture(52, 43, 2)
    everything = _every(grid, lambda column, row: True)
    ring = _every(grid, lambda column, row: (column - 3) ** 2 + (row - 2) ** 2 < 6)
    odd = _every(grid, lambda column, row: (column + row) % 3 != 0)
    nothing = _every(grid, lambda column, row: False)
    none_yet = Place(
        grid, flat(52, 43, UNPROVEN), nothing,
        messages=[parts.background(1, grid, _bits(nothing), b"", image_format=PNG, oldest=0, newest=0)],
    )
    large = GridCase(100, 75)  # 13 x 10 blocks
    whole = _every(large, lambda column, row: True)
    webp = Place(
        large, texture(100, 75, 3), whole,
        messages=[parts.background(1, large, _bits(whole), TEXTURE_WEBP.read_bytes(), image_format=WEBP)],
    )
    told = Place(grid, flat(52, 43, UNPROVEN), nothing, messages=[parts.state(1, grid=grid)])
    big, bigger = GridCase(100, 75, 32, 3), GridCase(61, 47, 16, 2)
    patched = _patched(_begun(grid, picture, odd), 2, (2, 1), ["###", "#.#"], newer)
    patched = _patched(patched, 3, (5, 4), ["##", ".#"], newer)
    patched = _patched(patched, 4, (2, 2), ["#"], texture(52, 43, 4))
    all_of_it = _patched(_begun(grid, picture, odd), 2, (0, 0), _every(grid, lambda column, row: row < 3), newer)
    return {
        "nothing-proven": ("flat, from corner to corner", none_yet),
        "only-a-state": ("the grid is known, no background has come", told),
        "everything-proven": ("the picture as it is", _begun(grid, picture, everything)),
        "partly-proven": ("the last column and row are partial blocks", _begun(grid, picture, odd)),
        "webp": ("a lossless WebP", webp),
        "covered": ("covered over proven and over unproven blocks", _covered(_begun(grid, picture, odd), ring)),
        "covered-by-nothing": ("an empty cover", _covered(_begun(grid, picture, everything), nothing)),
        "covered-wholly": ("a blind camera", _covered(_begun(grid, picture, odd), everything)),
        "patched": ("three patches: over another, at the edge, with blocks that are not promoted", patched),
        "light-level": ("gain 1, offset 0: nothing changes", _lit(_begun(grid, picture, everything), [[128]], [[128]])),
        "light-bright": ("gain 2, offset 20: cut at white", _lit(_begun(grid, picture, everything), [[160]], [[148]])),
        "light-dark": ("gain 1/4, offset -10: cut at black", _lit(_begun(grid, picture, everything), [[64]], [[118]])),
        "light-two-cells": (
            "from left to right; beyond the outer centres it is level",
            _lit(_begun(grid, flat(52, 43, (90, 120, 60)), everything), [[112, 152]], [[128, 128]]),
        ),
        "light-gain-is-interpolated": (
            "between gains of 1/4 and 4 lies 2.125, not 1: the gain is interpolated, not its code",
            _lit(_begun(grid, flat(52, 43, (40, 60, 80)), everything), [[64], [192]], [[128], [128]]),
        ),
        "light-slopes": (
            "16 x 9 cells, gain and offset against each other",
            _lit(_begun(grid, picture, everything), _slope(16, 9, 100, 150), _slope(16, 9, 150, 100)),
        ),
        "light-extreme": (
            "the ends of the codes", _lit(_begun(grid, picture, everything), [[0, 255], [255, 0]], [[255, 0], [0, 255]])
        ),
        "light-finest": (
            "64 x 64 cells over 52 x 43 px",
            _lit(_begun(grid, picture, everything), _slope(64, 64, 96, 160), _slope(64, 64, 128, 140)),
        ),
        "light-does-not-touch-flat": (
            "unproven and covered blocks keep their colours in any light",
            _covered(_lit(_begun(grid, picture, odd), [[180]], [[100]]), ring),
        ),
        "blocks-of-16": (
            "61 x 47 px in another epoch",
            _covered(_begun(bigger, texture(61, 47, 5), ["####", "##.#", "#.##"]), ["#...", "....", ".#.#"]),
        ),
        "blocks-of-32": ("4 x 3 blocks", _begun(big, texture(100, 75, 1), ["#.##", "####", ".##."])),
        "all-of-it": (
            "patches, light and cover together",
            _covered(_lit(all_of_it, _slope(5, 4, 110, 140), _slope(5, 4, 120, 136)), ring),
        ),
    }


def _bad() -> list[Json]:
    grid = GridCase(20, 12)
    everything = _bits(_every(grid, lambda column, row: True))

    def case(name: str, about: str, message: bytes) -> Json:
        return {"name": name, "about": about, "messages": [message.hex()]}

    def image(data: bytes, image_format: int = PNG) -> bytes:
        return parts.background(1, grid, everything, data, image_format=image_format)

    base = parts.background(1, grid, everything, png(texture(20, 12, 1)), image_format=PNG)
    small_patch = parts.patch(2, parts.bits("##"), png(flat(8, 8, (1, 2, 3))), size=(2, 1), image_format=PNG)
    return [
        case("not-an-image", "text", image(b"no picture")),
        case("too-small", "20 x 11 px on a grid of 20 x 12", image(png(texture(20, 11, 1)))),
        case("too-large", "24 x 16 px: the blocks' size, not the picture's", image(png(texture(24, 16, 1)))),
        case("another-format", "a PNG that says it is WebP", image(png(texture(20, 12, 1)), WEBP)),
        {
            "name": "patch-too-small", "about": "8 x 8 px for two blocks",
            "messages": [base.hex(), small_patch.hex()],
        },
    ]


def files() -> dict[str, Json | bytes]:
    """Name of each file to its content."""
    cases: list[Json] = []
    written: dict[str, Json | bytes] = {}
    for name, (about, place) in _places().items():
        picture = png(draw(place))
        written[f"render/{name}.png"] = picture
        cases.append(
            {
                "name": name, "about": about, "width_px": place.grid.width, "height_px": place.grid.height,
                "messages": [message.hex() for message in place.messages], "picture": f"{name}.png",
            }
        )
    about = "Written by `python -m vectors.make`; specified in docs/ref/scene-stream.md, \"How a picture is drawn\"."
    written["render/cases.json"] = {"about": about, "tolerance_levels": 3, "cases": cases}
    written["render/bad.json"] = {"about": about, "cases": _bad()}
    return written
