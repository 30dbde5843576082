"""Runs look.mjs and reads memory and bytes while it waits.

Belongs here: the browser's process and what the kernel says of it. Does not belong here: the server, tables.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from tests.e2e.browser import chromium

from bench.throughput.core import family, memory_mb

HERE = Path(__file__).resolve().parent
ARTEFACTS = HERE.parents[1] / ".cache" / "wall"


class BrowserError(Exception):
    """The browser could not be driven; the message says how far it came."""


class Seen(BaseModel):
    """What look.mjs saw. Of the wall, or of a year."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    problems: list[str]
    paintedMs: float = 0.0       # noqa: N815 - as the script writes it
    inView: int = 0              # noqa: N815
    frameMs: list[float] = []    # noqa: N815
    calledMs: list[float] = []   # noqa: N815
    workMs: list[float] = []     # noqa: N815
    shownMs: float = 0.0         # noqa: N815
    answerMs: float = 0.0        # noqa: N815
    answerBytes: int = 0         # noqa: N815


@dataclass
class Reading:
    """What was read at one step."""

    at_s: float
    sent_bytes: int
    memory_mb: float


@dataclass
class Looked:
    """The report, and what was read at each step. peak_mb: the most that was seen while the wall was painted."""

    seen: Seen
    readings: dict[str, Reading] = field(default_factory=dict)
    peak_mb: float = 0.0


async def look(job: Mapping[str, object], sent_bytes: Callable[[], int], within_s: float) -> Looked:
    """Run look.mjs with `job`; sent_bytes: what the server has sent so far.

    Raises:
        BrowserError: it failed, or took too long.
    """
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        "node", str(HERE / "look.mjs"),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(json.dumps({**job, "chromium": chromium(), "artefacts": str(ARTEFACTS)}).encode())
    process.stdin.close()
    looked = Looked(Seen(problems=[]))
    lines: list[str] = []

    async def follow(stderr: asyncio.StreamReader) -> None:
        peak: asyncio.Task[None] | None = None
        async for line in stderr:
            said = line.decode("utf-8", "replace").rstrip()
            lines.append(said)
            name = said.partition(": ")[2]
            if name == "opening":
                peak = asyncio.create_task(_peak(looked, process.pid))
            if name in ("painted", "settled") and peak is not None:
                peak.cancel()
            if name in ("opening", "painted", "measuring"):
                looked.readings[name] = Reading(time.monotonic(), sent_bytes(), 0.0)
            if name in ("settled", "measured"):
                at_s, sent = time.monotonic(), sent_bytes()
                looked.readings[name] = Reading(at_s, sent, await asyncio.to_thread(_memory_mb, process.pid))

    following = asyncio.create_task(follow(process.stderr))
    try:
        async with asyncio.timeout(within_s):
            out = await process.stdout.read()
            await following
            status = await process.wait()
    except TimeoutError:
        process.terminate()  # so that it closes its browser
        await process.wait()
        raise BrowserError(f"the browser was not done after {within_s} s:\n" + "\n".join(lines)) from None
    if status:
        raise BrowserError(f"the browser's script ended with status {status}:\n" + "\n".join(lines))
    looked.seen = Seen.model_validate_json(out)
    return looked


def _memory_mb(node: int) -> float:
    """Proportional set size of all of Chromium's processes; node drives them and is none."""
    return memory_mb(family(node) - {node})


async def _peak(looked: Looked, node: int) -> None:
    while True:
        looked.peak_mb = max(looked.peak_mb, await asyncio.to_thread(_memory_mb, node))
        await asyncio.sleep(0.5)
