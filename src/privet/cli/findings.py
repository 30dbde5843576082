"""What `privet doctor` says of a camera's streams, for what a probe measured of them: words, and what to do.

Belongs here: pure judgement. Does not belong here: looking at a camera (worker.jobs.probe), and the checks of this machine (doctor).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from privet.core.scene import Reason

if TYPE_CHECKING:
    from privet.pipe.jobs import Measured

LONGEST_KEYFRAME_INTERVAL_MS = 5_000
SMALLEST_HEIGHT_PX = 360
BLURRED_BELOW = 20.0
DARK_BELOW = 32
LARGEST_SUB_PX = 704 * 576      # pixels; makers' smallest but one
LOOKED_AT_SHARE = 0.6           # of a sub-stream's pictures: with fewer, most are decoded for nothing


class Level(Enum):
    """How a check went."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. advice: what to do; '' where nothing is to be done."""

    level: Level
    about: str
    what: str
    advice: str = ""


ADVICE = {
    Reason.UNREACHABLE: ("no connection", "check its address and port in privet.toml, its cable and its power"),
    Reason.REFUSED: ("it refuses the user name or password", "put the right ones into secrets.toml and name the entry in `credentials`"),
    Reason.NOT_FOUND: ("it knows no such stream", "check the path in `url`; the camera's own page shows it"),
    Reason.NO_VIDEO: ("the stream has no video", "choose a video stream in `url`"),
    Reason.CODEC: ("its codec is not taken", "set the camera to H.264 or H.265"),
    Reason.STALLED: ("it connected and then sent nothing", "try `transport = \"tcp\"`, check the network, restart the camera"),
    Reason.ENDED: ("the stream ended at once", "check that the file or stream is not empty"),
    Reason.DAMAGED: ("what it sends cannot be decoded", "try `transport = \"tcp\"`, lower the bit rate, check the network for losses"),
    Reason.PROTOCOL: ("it sends what no camera may send", "check that the address is a camera's; update its firmware"),
}


def judge_camera(camera: str, found: Measured) -> Iterator[Finding]:
    """Return the words for what a probe measured. Pure."""
    about = _about(camera)
    if (reason := _reason(found)) is not Reason.NONE:
        yield _no_pictures(about, reason)
        return
    first = f"first picture after {found.first_frame_ms} ms"
    yield Finding(Level.OK, about, f"{_stream(found)}, focus {found.focus_milli / 1000:.0f}, {first}")
    if found.height_px < SMALLEST_HEIGHT_PX:
        yield Finding(Level.WRONG, about, f"its picture is only {found.height_px} px high", "take its main stream, not the sub-stream")
    yield from _as_it_comes(about, found)
    focus = found.focus_milli / 1000
    if found.brightness < DARK_BELOW:
        yield Finding(Level.NOTE, about, "the picture is nearly black", "check the lens cap, the exposure, or come back by day")
    elif focus < BLURRED_BELOW:
        yield Finding(Level.NOTE, about, f"the picture may be out of focus ({focus:.0f})", "focus it until the number grows no more")


def judge_sub(camera: str, main: Measured, sub: Measured, covers_per_second: float) -> Iterator[Finding]:
    """Return the words for what a probe measured of a camera's sub-stream. Pure. main: what it measured of the main stream."""
    about = _about(camera, sub=True)
    if (reason := _reason(sub)) is not Reason.NONE:
        found = _no_pictures(about, reason)
        yield replace(found, advice=found.advice.replace("`url`", "`sub_url`"))
        return
    yield Finding(Level.OK, about, _stream(sub))
    pixels, fps = sub.width_px * sub.height_px, sub.fps_milli / 1000
    if _reason(main) is Reason.NONE and pixels >= main.width_px * main.height_px:
        yield Finding(
            Level.WRONG, about, f"its picture is not smaller than the main stream's, which has {main.width_px}x{main.height_px}",
            "exchange `url` and `sub_url`, or leave `sub_url` out",
        )
    elif pixels > LARGEST_SUB_PX:
        yield Finding(
            Level.NOTE, about, "its picture is larger than need be, and all of it is decoded", "set it to 640x360, or what is nearest"
        )
    if fps * LOOKED_AT_SHARE > covers_per_second:
        yield Finding(
            Level.NOTE, about, f"all its {fps:.0f} pictures a second are decoded, and {covers_per_second:g} are looked at",
            f"set it to {covers_per_second:g} a second",
        )
    yield from _as_it_comes(about, sub)


def no_answer(camera: str, within_s: int, *, sub: bool = False) -> Finding:
    """What there is to say when a probe gave no answer."""
    return Finding(Level.WRONG, _about(camera, sub=sub), f"no answer within {within_s} s", "check its address, its cable and its power")


def _about(camera: str, *, sub: bool = False) -> str:
    return f"camera {camera}, sub-stream" if sub else f"camera {camera}"


def _reason(found: Measured) -> Reason:
    return Reason(found.reason) if found.reason in set(Reason) else Reason.PROTOCOL


def _no_pictures(about: str, reason: Reason) -> Finding:
    return Finding(Level.WRONG, about, *ADVICE.get(reason, (f"no pictures ({reason.name.lower()})", "see the camera's own page")))


def _stream(found: Measured) -> str:
    return f"{found.width_px}x{found.height_px}, {found.fps_milli / 1000:.1f} frames/s, {_keyframes(found)}"


def _keyframes(found: Measured) -> str:
    return f"a keyframe every {found.keyframe_interval_ms / 1000:.1f} s" if found.keyframe_interval_ms else "one keyframe seen"


def _as_it_comes(about: str, found: Measured) -> Iterator[Finding]:
    """What may be wrong with any stream."""
    if not found.keyframe_interval_ms or found.keyframe_interval_ms > LONGEST_KEYFRAME_INTERVAL_MS:
        yield Finding(
            Level.WRONG, about, f"{_keyframes(found)}: proving the background takes as many keyframes, and joining as long",
            "set its keyframe interval (GOP, I-frame interval) to 2 s",
        )
    if found.damaged * 20 > found.frames:
        yield Finding(
            Level.WRONG, about, f"{found.damaged} of {found.frames} pictures were damaged", "try `transport = \"tcp\"`, check the network"
        )
