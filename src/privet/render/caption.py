"""The caption that every picture carries where it leaves Privet: camera, its time, the background's age, and what it is not.

Belongs here: the words and how they are drawn, as a strip below the picture, so that nothing of the place is hidden. Does not
belong here: when a picture is stale (`freshness`).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from privet.core.clock import NS_PER_S
from privet.render.freshness import duration_words
from privet.render.paint import Picture

NOTICE = "reconstruction, not video"

_GROUND = (14, 15, 15)
_INK = (214, 216, 212)
_SEPARATOR = "  ·  "
# As wide as a caption's changing parts become.
_WIDEST_TIME = "2000-00-00 00:00:00 +00:00"
_WIDEST_AGE = "background 000 days old"


@dataclass(frozen=True, slots=True)
class Caption:
    """The parts of a caption, in the order in which they are written."""

    camera: str
    time: str
    age: str
    notice: str = NOTICE


def caption(camera: str, at_wall_ns: int, oldest_wall_ns: int, zone: tzinfo | None) -> Caption:
    """Compose a caption.

    camera: its name, left out if the letters for it are not at hand.
    oldest_wall_ns: when the background's oldest block was proven; 0 without one. Times are written in `zone`; None: they count
    from the beginning of a film, whose background comes from the film as a whole.
    """
    if zone is None:
        age = "background from this film" if oldest_wall_ns else "no background yet"
        return Caption(_drawable(camera), time_words(at_wall_ns, None), age)
    age = f"background {duration_words(at_wall_ns - oldest_wall_ns)} old" if oldest_wall_ns else "no background yet"
    return Caption(_drawable(camera), time_words(at_wall_ns, zone), age)


def time_words(wall_ns: int, zone: tzinfo | None) -> str:
    """A wall time to the second with its offset: 2026-05-04 14:30:05 +02:00; without a zone, a film's: 0:14:05."""
    if zone is None:
        return str(timedelta(seconds=wall_ns // NS_PER_S))
    try:
        moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=wall_ns // NS_PER_S)).astimezone(zone)
    except (OverflowError, ValueError):
        return f"{wall_ns // NS_PER_S} s since 1970"
    text = moment.isoformat(" ", "seconds")  # the offset begins at character 19
    return f"{text[:19]} {text[19:]}"


@lru_cache(maxsize=16)
def _font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size_px)


@lru_cache(maxsize=256)
def _drawable(name: str) -> str:
    """`name` on one line, without its accents; empty if the built-in font lacks one of its letters, as it does for all but Latin."""
    bare = (letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    name = " ".join("".join(bare).split())
    font = _font(20)
    missing = bytes(font.getmask("\U000FFFFD"))
    return "" if any(bytes(font.getmask(letter)) == missing for letter in set(name) - {" "}) else name


def font_px(width_px: int) -> int:
    """Size of the letters for a picture that wide."""
    return min(32, max(12, width_px // 64))


def _layout(parts: Caption) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """The ways to break the caption, fewest lines first."""
    head = (parts.camera, parts.time) if parts.camera else (parts.time,)
    every = (*head, parts.age, parts.notice)
    return (every,), (head, (parts.age, parts.notice)), tuple((part,) for part in every)


def _broken(parts: Caption, width_px: int) -> tuple[str, ...]:
    """The caption's lines. Where they break depends on the width and the camera's name only: a film's lines stay put."""
    font = _font(font_px(width_px))
    room_px = width_px - 2 * _margin_px(width_px)
    layouts = _layout(parts)
    for chosen, widest in zip(layouts, _layout(Caption(parts.camera, _WIDEST_TIME, _WIDEST_AGE)), strict=True):
        if all(font.getlength(_SEPARATOR.join(line)) <= room_px for line in widest):
            return tuple(_SEPARATOR.join(line) for line in chosen)
    return tuple(_cut(_SEPARATOR.join(line), font, room_px) for line in layouts[-1])


def _cut(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room_px: int) -> str:
    if font.getlength(text) <= room_px:
        return text
    while text and font.getlength(text + "...") > room_px:
        text = text[:-1]
    return text + "..."


def _margin_px(width_px: int) -> int:
    return font_px(width_px) // 2


def strip(parts: Caption, width_px: int) -> Picture:
    """Draw the caption: uint8 (height, width_px, 3); the height depends on the width and the camera's name only."""
    size_px, margin_px = font_px(width_px), _margin_px(width_px)
    lines = _broken(parts, width_px)
    line_px = size_px + margin_px
    image = Image.new("RGB", (width_px, line_px * len(lines) + margin_px), _GROUND)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((margin_px, margin_px // 2 + number * line_px), line, _INK, _font(size_px))
    return np.asarray(image, np.uint8)


def dimmed(picture: Picture, said: str) -> Picture:
    """The picture at half its levels with words in its middle, on a band of their own."""
    height, width, _ = picture.shape
    image = Image.fromarray(picture // np.uint8(2))
    size_px = font_px(width) * 5 // 4
    font = _font(size_px)
    draw = ImageDraw.Draw(image)
    lines = _wrapped(said, font, width - size_px)
    line_px = size_px * 3 // 2
    top = (height - line_px * len(lines)) // 2
    draw.rectangle((0, top - size_px // 4, width, top + line_px * len(lines)), _GROUND)
    for number, line in enumerate(lines):
        draw.text(((width - font.getlength(line)) / 2, top + number * line_px), line, _INK, font)
    return np.asarray(image, np.uint8)


def _wrapped(said: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room_px: int) -> list[str]:
    lines: list[str] = []
    for word in said.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= room_px:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines
