"""The demo's place: three cameras, what they stream, and the configuration that Privet is given for them. Pure.

Belongs here: which cameras there are and what is written about them. Does not belong here: files, processes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoCamera:
    """One camera of the demo. `view` and `sub_view` are names in demo.encode.VIEWS."""

    id: str
    name: str
    place: str
    purpose: str
    view: str
    start_seconds: float
    guarded: bool = False
    sub_view: str | None = None


CAMERAS = (
    DemoCamera("gate", "Gate", "Main gate, looking out", "See whether anybody waits at the gate", "gate", 0.0),
    DemoCamera("yard", "Yard", "Yard, south-west corner", "Keep the fire lane free", "yard", 27.0, guarded=True),
    DemoCamera("dock", "Dock", "Loading dock, from the roof", "See when deliveries come", "dock", 53.0, sub_view="dock-sub"),
)
USERNAME = "viewer"
CREDENTIALS = "shelf"


def stream_path(view: str) -> str:
    """Path of a view's stream on the RTSP server."""
    return f"/{view}"


def views() -> tuple[str, ...]:
    """Every view that is streamed."""
    return tuple(view for camera in CAMERAS for view in (camera.view, camera.sub_view) if view is not None)


def streams(files: Mapping[str, str], password: str) -> list[dict[str, object]]:
    """What the RTSP server is told. files: the access units of each view."""
    told: list[dict[str, object]] = []
    for camera in CAMERAS:
        for view in (camera.view, camera.sub_view):
            if view is None:
                continue
            stream: dict[str, object] = {
                "path": stream_path(view),
                "codec": "h264",
                "file": files[view],
                "start_seconds": camera.start_seconds,
            }
            if camera.guarded:
                stream |= {"username": USERNAME, "password": password}
            told.append(stream)
    return told


def configuration(url_of: Callable[[str], str], port: int) -> str:
    """privet.toml. url_of: from a stream's path to its URL; port: where the page is served."""
    lines = [
        "# Written by the demo at every start.",
        "[site]",
        'name = "Privet demo"',
        'controller = "You"',
        "",
        "[server]",
        f"port = {port}",
        "",
        "[promotion]",
        "# Nobody signs here and ten seconds are enough: a demo. The defaults are a signature and a minute.",
        'commissioning = "automatic"',
        "prove_seconds = 10",
        "prove_keyframes = 5",
        "",
        "[detect]",
        "looks_per_second = 8",
        "budget_looks_per_second = 24",
    ]
    for camera in CAMERAS:
        lines += [
            "",
            f"[cameras.{camera.id}]",
            f"name = {_text(camera.name)}",
            f"place = {_text(camera.place)}",
            f"purpose = {_text(camera.purpose)}",
            f"url = {_text(url_of(stream_path(camera.view)))}",
        ]
        if camera.sub_view is not None:
            lines.append(f"sub_url = {_text(url_of(stream_path(camera.sub_view)))}")
        if camera.guarded:
            lines.append(f"credentials = {_text(CREDENTIALS)}")
    return "\n".join(lines) + "\n"


def secrets(password: str) -> str:
    """secrets.toml."""
    return f"[{CREDENTIALS}]\nusername = {_text(USERNAME)}\npassword = {_text(password)}\n"


def _text(value: str) -> str:
    """A string as TOML writes it; JSON's strings are TOML's as long as nothing above U+FFFF is escaped."""
    return json.dumps(value, ensure_ascii=False)
