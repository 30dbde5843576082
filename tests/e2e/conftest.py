"""One site for all of these tests: it takes half a minute until the place is proven."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator

import pytest
from tests.cameras import rtsp_server_missing
from tests.e2e import browser
from tests.e2e.browser import ARTEFACTS, Visit
from tests.e2e.site import Site, running_site

from privet.core.pb import scene_pb2

PROVEN_WITHIN_S = 240.0
RECORDED_WITHIN_S = 90.0
MOMENTS, APART_MS, WRITTEN_AFTER_MS = 3, 4_000, 4_000
SPAN_MS = 60_000
VISIT_S = 420.0
"""Several times what it takes on two idle cores; a hung page is told by its own, shorter waits."""


def _messages(data: bytes) -> Iterator[scene_pb2.SceneMessage]:
    """Messages of a stream in which each stands behind its length, a varint."""
    at = 0
    while at < len(data):
        size = shift = 0
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield scene_pb2.SceneMessage.FromString(data[at : at + size])
        at += size


def recorded_moments(site: Site, since_ms: int) -> list[int]:
    """Moments since then, ms UTC, each in the middle of a recorded cover and APART_MS from the next."""
    with site.client() as client:
        query = {"from_ms": since_ms, "to_ms": time.time_ns() // 1_000_000 - WRITTEN_AFTER_MS}
        stream = b"" if query["to_ms"] <= since_ms else client.get("/api/cameras/gate/scene", params=query).raise_for_status().content
    chosen: list[int] = []
    for cover in (message.cover for message in _messages(stream) if message.WhichOneof("kind") == "cover"):
        middle_ms = (cover.head.wall_ns + cover.duration_ns // 2) // 1_000_000
        if middle_ms >= since_ms and (not chosen or middle_ms >= chosen[-1] + APART_MS):
            chosen.append(middle_ms)
    return chosen


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, list[int]]]:
    """Three cameras, most of their place proven, and MOMENTS of what was recorded since."""
    if reason := rtsp_server_missing():
        pytest.fail(f"{reason}: run `make setup`")
    with running_site(tmp_path_factory.mktemp("site")) as running:
        running.wait_until_proven(0.3, PROVEN_WITHIN_S)
        since_ms = time.time_ns() // 1_000_000
        until_s = time.monotonic() + RECORDED_WITHIN_S
        while len(moments := recorded_moments(running, since_ms)) < MOMENTS:
            assert time.monotonic() < until_s, f"{len(moments)} moments were recorded in {RECORDED_WITHIN_S:.0f} s"
            time.sleep(0.5)  # other processes' work: there is no clock to fake
        yield running, moments[:MOMENTS]


@pytest.fixture(scope="session")
def site(recorded: tuple[Site, list[int]]) -> Site:
    """The running site."""
    return recorded[0]


@pytest.fixture(scope="session")
def moments(recorded: tuple[Site, list[int]]) -> list[int]:
    """Moments of its past, ms UTC."""
    return recorded[1]


@pytest.fixture(scope="session")
def visit(site: Site, moments: list[int]) -> Visit:
    """What a guard saw in a browser; screenshots are left in .cache/e2e."""
    if reason := browser.missing():
        pytest.fail(f"{reason}: run `make setup`")
    shutil.rmtree(ARTEFACTS, ignore_errors=True)
    ARTEFACTS.mkdir(parents=True)
    job = {
        "url": site.url,
        "token": site.token,
        "artefacts": str(ARTEFACTS),
        "cameras": ["gate", "yard", "dock"],
        "camera": "gate",
        "moments": moments,
        "spanMs": SPAN_MS,
    }
    return Visit.model_validate_json(browser.drive("visit.mjs", job, within_s=VISIT_S))
