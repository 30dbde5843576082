"""When a recording ends: hours in UTC, jitter, clocks that step, clocks that flap."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.record.streams import CAMERA, NOON

from privet.core.clock import NS_PER_S
from privet.core.ids import CameraId
from privet.record import rotation
from privet.record.recording import camera_of, recording_path

walls = st.integers(0, 2**62)
cameras = st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True).map(CameraId)
LONG_NS = 60 * NS_PER_S


@given(cameras, walls)
def test_a_recording_lasts_to_the_end_of_its_utc_hour_and_at_most_thirty_seconds_more(camera: CameraId, wall_ns: int) -> None:
    span = rotation.begin(camera, wall_ns, 0)
    hour_end_ns = (wall_ns // rotation.HOUR_NS + 1) * rotation.HOUR_NS
    assert hour_end_ns <= span.end_wall_ns <= hour_end_ns + 30 * NS_PER_S
    assert not rotation.must_rotate(span, span.end_wall_ns - 1, LONG_NS)
    assert rotation.must_rotate(span, span.end_wall_ns, LONG_NS)


def test_cameras_do_not_rotate_in_the_same_second() -> None:
    jitters_s = {rotation.jitter_ns(CameraId(f"camera-{n}")) // NS_PER_S for n in range(100)}
    assert len(jitters_s) > 20


@pytest.mark.parametrize(
    ("step_s", "rotates"), [(-1.9, False), (-2.1, True), (-3600, True), (3599, True), (3600.1, True), (100, False)]
)
def test_a_clock_that_steps_ends_the_recording(step_s: float, rotates: bool) -> None:
    wall_ns = NOON + 300 * NS_PER_S
    span = rotation.heard(rotation.begin(CAMERA, NOON, 0), wall_ns)
    assert rotation.must_rotate(span, wall_ns + int(step_s * NS_PER_S), LONG_NS) is rotates


@given(st.lists(st.tuples(walls, st.integers(0, NS_PER_S)), min_size=1, max_size=200))
def test_a_flapping_clock_makes_few_files(steps: list[tuple[int, int]]) -> None:
    monotonic_ns = 0
    span = rotation.begin(CAMERA, steps[0][0], monotonic_ns)
    files = 1
    for wall_ns, elapsed_ns in steps:
        monotonic_ns += elapsed_ns
        if rotation.must_rotate(span, wall_ns, monotonic_ns):
            span = rotation.begin(CAMERA, wall_ns, monotonic_ns)
            files += 1
        else:
            span = rotation.heard(span, wall_ns)
    assert files <= 1 + monotonic_ns // rotation.SHORTEST_NS


def test_an_idle_recording_is_closed_after_its_hour() -> None:
    span = rotation.begin(CAMERA, NOON, 0)
    assert not rotation.is_over(span, span.end_wall_ns, LONG_NS)
    assert rotation.is_over(span, span.end_wall_ns + rotation.IDLE_GRACE_NS, LONG_NS)


def test_names_are_in_utc_whatever_the_zone_and_its_summer_time(monkeypatch: pytest.MonkeyPatch) -> None:
    # 2024-10-27: at 01:00 UTC Berlin's clocks go from 03:00 back to 02:00, and its hour 02 comes twice.
    first_ns, hour_ns = 1_729_983_600 * NS_PER_S, rotation.HOUR_NS
    expected = [f"recordings/front/2024/10/{day}-00000000.mcap" for day in ("26/23", "27/00", "27/01", "27/02")]
    try:
        for zone in ("Europe/Berlin", "America/New_York", "UTC"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert [recording_path(CAMERA, first_ns + n * hour_ns, "00000000") for n in range(4)] == expected
    finally:
        monkeypatch.undo()
        time.tzset()


@given(cameras, st.integers(-(2**63), 2**63 - 1), st.from_regex(r"[0-9a-f]{8}", fullmatch=True))
def test_every_name_is_recognised(camera: CameraId, wall_ns: int, unique: str) -> None:
    assert camera_of(recording_path(camera, wall_ns, unique)) == camera


@pytest.mark.parametrize(
    "path",
    [
        "recordings/../2024/05/01/12-00000000.mcap",
        "recordings/a/b/2024/05/01/12-00000000.mcap",
        "recordings/front/2024/05/01/12-0000000g.mcap",
        "recordings/front/2024/05/01/12-00000000.mcap.mend",
        "recordings/Front/2024/05/01/12-00000000.mcap",
    ],
)
def test_other_names_are_not(path: str) -> None:
    assert camera_of(path) is None


def test_a_cover_that_is_late_is_no_step_of_the_clock() -> None:
    wall_ns = 1_700_000_000 * NS_PER_S
    span = rotation.begin(CAMERA, wall_ns, 0)
    assert not rotation.must_rotate(span, wall_ns - 5 * NS_PER_S, LONG_NS, heartbeat=False)
    assert rotation.must_rotate(span, wall_ns - 5 * NS_PER_S, LONG_NS, heartbeat=True)
