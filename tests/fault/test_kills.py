"""kill -9 of a worker, of the main process, of the cameras: nothing older than a second is lost, and it goes on by itself."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from tests.cameras import Camera, rtsp_server_missing, serve_cameras, small_clip
from tests.fault.house import PICTURES, House, Witness, running_house

from privet.core.clock import NS_PER_S

PATHS = ("/gate", "/yard")
CAMERAS = [path.strip("/") for path in PATHS]
RESUMES_WITHIN_S = 10.0
OWN_LOAD = 3.0  # processes that want to run at once on account of this test itself
MAY_BE_LOST_NS = NS_PER_S
FIRST_PICTURES_WITHIN_S = 120.0

pytestmark = [
    pytest.mark.rtsp,
    pytest.mark.skipif(bool(rtsp_server_missing()), reason=rtsp_server_missing()),
]


def shoot(rounds: int, seed: int, directory: Path) -> None:
    """Kill something `rounds` times, in turn and at random moments; then hold what is kept against what viewers were sent."""
    draw = random.Random(seed)
    killed_main_ns: list[int] = []
    figures: list[str] = []
    with (
        serve_cameras([Camera(path, clip=small_clip()) for path in PATHS]) as site,
        running_house(directory, site, PATHS) as house,
    ):
        witness = Witness(house.port, house.token)
        try:
            for camera in CAMERAS:
                witness.wait_for_pictures(camera, 1, FIRST_PICTURES_WITHIN_S)
            for number in range(rounds):
                time.sleep(draw.uniform(0.5, 4.0))  # the random moment is the test: there is no clock to fake across processes
                match number % 3:
                    case 0:
                        victim = draw.choice(house.workers())
                        os.kill(victim, signal.SIGKILL)
                        up_ns = time.time_ns()
                    case 1:
                        killed_main_ns.append(time.time_ns())
                        house.kill()
                        up_ns = time.time_ns()
                        house.start()
                    case _:
                        site.kill()
                        time.sleep(draw.uniform(0.1, 3.0))
                        site.start()
                        up_ns = time.time_ns()
                what = ("worker", "main", "cameras")[number % 3]
                took = [witness.wait_for_pictures(camera, up_ns, patience_s()) for camera in CAMERAS]
                figures.append(f"{what} {max(took):.1f} s")
            time.sleep(1.5)
            assert house.stop() == 0
        except AssertionError as error:
            raise AssertionError(f"{error}; so far: {figures}\n{''.join(house.lines[-60:])}") from error
        finally:
            witness.close()
        print("resumed after:", ", ".join(figures))
        status, output = house.check()
        assert status == 0, output
        status, output = house.check()
        assert status == 0, output
        compare(house, witness, killed_main_ns)


def patience_s() -> float:
    """Ten seconds on a machine that does nothing else; more where other work wants the processors, too."""
    others = max(0.0, os.getloadavg()[0] - OWN_LOAD)
    return RESUMES_WITHIN_S * (1.0 + others / (os.cpu_count() or 1))


def compare(house: House, witness: Witness, killed_main_ns: list[int]) -> None:
    """What viewers were sent must be recorded, but for what they were sent in the last second before the main process was killed."""
    kept = {message.name for message in house.recorded(CAMERAS)}
    sent = [message for message in witness.all() if message.kind in PICTURES]
    assert len({message.session for message in sent}) >= len(CAMERAS) + bool(killed_main_ns)
    assert sum(message.kind == "cover" for message in sent) > 20
    first_heard_ns: dict[tuple[str, str, int, int], int] = {}
    for message in sent:
        first_heard_ns.setdefault(message.name, message.at_ns)
    lost = [
        message
        for message in sent
        if message.name not in kept
        and not any(_may_be_lost(message.wall_ns, first_heard_ns[message.name], killed_ns) for killed_ns in killed_main_ns)
    ]
    assert lost == []


def _may_be_lost(wall_ns: int, heard_ns: int, killed_ns: int) -> bool:
    """Whether what was said of a frame was said within the last second. A camera that starts says late what it saw, so the frame's own time
    does not tell; and what is on its way to the witness when the process is killed is heard a moment later."""
    return wall_ns <= killed_ns and killed_ns - MAY_BE_LOST_NS <= heard_ns <= killed_ns + MAY_BE_LOST_NS


def test_three_kills(tmp_path: Path) -> None:
    shoot(3, random.randrange(1 << 30), tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_twenty_kills(tmp_path: Path) -> None:
    shoot(20, random.randrange(1 << 30), tmp_path)
