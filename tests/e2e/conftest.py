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

RECORDED_S = 25.0
SPAN_MS = 60_000
VISIT_S = 420.0
"""Several times what it takes on two idle cores; a hung page is told by its own, shorter waits."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Three cameras, most of their place proven, and some time recorded since."""
    if reason := rtsp_server_missing():
        pytest.fail(f"{reason}: run `make setup`")
    with running_site(tmp_path_factory.mktemp("site")) as running:
        running.wait_until_proven(0.3, within_s=240.0)
        time.sleep(RECORDED_S)  # the past that the tests look at has to pass for real
        yield running


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


@pytest.fixture(scope="session")
def moments(site: Site) -> list[int]:
    """Three moments of the last half minute, ms UTC, each in the middle of a recorded cover and at least 4 s apart."""
    now_ms = time.time_ns() // 1_000_000
    with site.client() as client:
        query = {"from_ms": now_ms - 40_000, "to_ms": now_ms - 4_000}
        stream = client.get("/api/cameras/gate/scene", params=query).raise_for_status().content
    covers = [message.cover for message in _messages(stream) if message.WhichOneof("kind") == "cover"]
    chosen: list[int] = []
    for cover in covers:
        middle_ms = (cover.head.wall_ns + cover.duration_ns // 2) // 1_000_000
        if middle_ms >= query["from_ms"] and (not chosen or middle_ms >= chosen[-1] + 4_000):
            chosen.append(middle_ms)
    assert len(chosen) >= 3, f"only {len(covers)} covers were recorded in 36 s"
    return chosen[-3:]


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
