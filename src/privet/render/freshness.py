"""What may be said about a place at a moment: pure. Silence never looks like an empty place."""

from __future__ import annotations

from enum import Enum

from privet.core.clock import NS_PER_S
from privet.core.reader import STALE_AFTER_NS, SceneView
from privet.core.scene import Condition, Reason


class Freshness(Enum):
    """How a picture is to be drawn: SHOWN as it is, everything else dimmed and with words over it. Names as in the vectors."""

    SHOWN = "shown"
    WAITING = "waiting"      # no heartbeat, no background or no cover yet
    BLIND = "blind"
    OFFLINE = "offline"
    SILENT = "silent"        # no heartbeat for STALE_AFTER_NS
    UNKNOWN = "unknown"       # there is a heartbeat, but no cover has held for STALE_AFTER_NS


REASONS = {
    Reason.NONE: "",
    Reason.UNREACHABLE: "no connection to the camera",
    Reason.REFUSED: "the camera refuses the password",
    Reason.NOT_FOUND: "the camera knows no such stream",
    Reason.NO_VIDEO: "the stream has no video",
    Reason.CODEC: "the video's codec is not taken",
    Reason.STALLED: "the camera sends nothing",
    Reason.ENDED: "the stream has ended",
    Reason.DAMAGED: "the video cannot be decoded",
    Reason.MOVED: "the camera was moved",
    Reason.OBSCURED: "the lens is covered or it is dark",
    Reason.WORKER: "restarting",
    Reason.NO_DETECTOR: "a detector is missing",
    Reason.PROTOCOL: "the camera breaks its protocol",
    Reason.OVERLOADED: "this machine does not keep up",
    Reason.UNSAVED: "what was proven cannot be saved",
}


def freshness_of(view: SceneView, at_wall_ns: int) -> Freshness:
    """Say how `view` is to be drawn at that time: docs/ref/scene-stream.md, "Staleness". web/src/scene/freshness.ts is the same."""
    if view.state is None:
        return Freshness.WAITING
    if at_wall_ns - view.state.head.wall_ns > STALE_AFTER_NS:
        return Freshness.SILENT
    condition = view.state.condition
    if condition is Condition.OFFLINE:
        return Freshness.OFFLINE
    if condition is Condition.BLIND:
        return Freshness.BLIND
    if condition is Condition.STARTING or view.background is None or view.cover is None:
        return Freshness.WAITING
    return Freshness.UNKNOWN if at_wall_ns - view.covered_until_wall_ns() > STALE_AFTER_NS else Freshness.SHOWN


def words(view: SceneView, at_wall_ns: int) -> str:
    """What is written over the picture; empty if it is shown as it is."""
    found = freshness_of(view, at_wall_ns)
    reason = "" if view.state is None else REASONS[view.state.reason]
    match found:
        case Freshness.SHOWN:
            return ""
        case Freshness.WAITING:
            said = "no picture yet" if view.grid is None else "nothing is proven yet" if view.background is None else "starting"
        case Freshness.BLIND:
            said = "camera sees nothing that fits"
        case Freshness.OFFLINE:
            said = "camera offline"
        case Freshness.SILENT:
            heard_ns = 0 if view.state is None else view.state.head.wall_ns
            return f"nothing heard for {duration_words(at_wall_ns - heard_ns)}"
        case Freshness.UNKNOWN:
            return f"nothing said about what is there for {duration_words(at_wall_ns - view.covered_until_wall_ns())}"
    return f"{said}: {reason}" if reason else said


def duration_words(duration_ns: int) -> str:
    """A duration in its largest unit, cut: 59 s, 12 min, 5 h, 3 days."""
    seconds = max(0, duration_ns) // NS_PER_S
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86400:
        return f"{seconds // 3600} h"
    days = seconds // 86400
    return "1 day" if days == 1 else f"{days} days"
