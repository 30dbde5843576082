"""Runs a script of this directory in Chromium and gives back what it saw.

Belongs here: finding Chromium and node, handing over the job, reading the report. Does not belong here: what is expected.
"""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict

HERE = Path(__file__).resolve().parent
ARTEFACTS = HERE.parents[1] / ".cache" / "e2e"
"""What was seen, left for who wants to know why a test failed."""

Pixels = NDArray[np.uint8]


class Seen(BaseModel):
    """A part of a report. Unknown keys are a mistake of the script's."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Shown(Seen):
    """What a canvas showed."""

    width: int
    height: int
    png: str

    def pixels(self) -> Pixels:
        """uint8 (height, width, 3), sRGB."""
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(self.png))).convert("RGB"))


class Moment(Shown):
    atMs: int  # noqa: N815 - as the script writes it


class Stand(Seen):
    """Where the timeline's slider stood, and a fingerprint of the picture then."""

    at: int
    picture: str
    key: str = ""


class Visit(Seen):
    """What visit.mjs saw."""

    wall: list[Shown]
    labels: list[str]
    opened: str
    moments: list[Moment]
    mouse: list[Stand]
    keyboard: list[Stand]
    live: list[str]
    caption: str
    system: str
    direction: str
    arabic: list[int]
    overflow: int
    problems: list[str]


def missing() -> str:
    """Why no browser can be driven here; empty if one can."""
    if chromium() is None:
        return "Chromium is missing"
    if shutil.which("node") is None:
        return "node is missing"
    if not (HERE.parents[1] / "web" / "node_modules" / "playwright-core").is_dir():
        return "web/node_modules is missing: run `make setup`"
    return ""


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def drive(script: str, job: Mapping[str, object], within_s: float) -> bytes:
    """Run `script` with `job` on its standard input; return what it printed.

    Raises:
        RuntimeError: it failed or took too long; the message holds how far it came.
    """
    process = subprocess.Popen(
        ["node", str(HERE / script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        seen, said = process.communicate(json.dumps({**job, "chromium": chromium()}).encode(), timeout=within_s)
    except subprocess.TimeoutExpired:
        process.terminate()  # so that it closes its browser
        try:
            _, said = process.communicate(timeout=15.0)
        except subprocess.TimeoutExpired:
            process.kill()
            _, said = process.communicate()
        raise RuntimeError(f"{script} was not done after {within_s} s:\n{said.decode('utf-8', 'replace')}") from None
    if process.returncode:
        raise RuntimeError(f"{script} ended with status {process.returncode}:\n{said.decode('utf-8', 'replace')}")
    return seen
