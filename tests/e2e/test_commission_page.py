"""The page on which a camera is commissioned, in Chromium, over the real API with a worker's part played by fakes."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from tests.api.cameras.fakes import FixedCounters
from tests.api.names import GATE
from tests.api.signing.fakes import Signers
from tests.api.world import make_world
from tests.e2e import browser
from tests.main.test_serve import free_port, get
from tests.scene.proof.test_signing import offered, waiting_camera

from privet.api.guard.listen import ListenSettings
from privet.config.directories import static_directory
from privet.core.clock import SystemClock
from privet.core.grid import pack_bits
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.scene.proof.signing import Offer

pytestmark = pytest.mark.browser


class Showing(Signers):
    """Offers a real picture of a whole place."""

    def __init__(self, shown: Offer) -> None:
        super().__init__()
        self._shown = shown

    async def offer(self, camera: CameraId) -> pipe_pb2.Candidate:
        offer = self._shown
        candidate = await super().offer(camera)
        candidate.image, candidate.blocks = offer.webp(), pack_bits(offer.blocks)
        candidate.grid.width_px, candidate.grid.height_px = offer.grid.width_px, offer.grid.height_px
        return candidate


@pytest.mark.timeout(200)
def test_a_camera_is_commissioned_with_the_keyboard_in_two_languages(tmp_path: Path) -> None:
    if why := browser.missing():
        pytest.skip(why)
    static = static_directory()
    if static is None:
        pytest.skip("the pages are not built: run `make setup`")
    # Made before anybody waits for it: with no kernel compiled yet (a fresh clone) it takes longer than the page is given.
    port, signers = free_port(), Showing(offered(waiting_camera()))
    counters = FixedCounters({GATE: pipe_pb2.Health(candidate_blocks=1185)})
    world = make_world(
        tmp_path, clock=SystemClock(), listen=ListenSettings("127.0.0.1", port), static=static,
        change=lambda given: replace(
            given,
            signing=replace(given.signing, commissioning=signers),
            cameras=replace(given.cameras, counters=counters),
        ),
    )
    server = uvicorn.Server(
        uvicorn.Config(world.app, host="127.0.0.1", port=port, log_config=None, lifespan="off", ws="websockets-sansio")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        get(port, "/health")
        job = {"url": f"http://127.0.0.1:{port}", "token": world.administrator}
        seen = json.loads(browser.drive("commission.mjs", job, within_s=120.0))
    finally:
        server.should_exit = True
        thread.join(20)
    assert seen["problems"] == []
    for name in ("desk", "phone-ar"):
        assert seen[name]["before"] is True  # nobody signs who has not ticked that they looked
        assert seen[name]["overflow"] == 0
        assert seen[name]["system"] == 1
        assert seen[name]["said"]
    assert "1,200 blocks are offered" in seen["desk"]["caption"]
    assert [offer for _, offer, _ in signers.signed] == [(1).to_bytes(16), (2).to_bytes(16)]
