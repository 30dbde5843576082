"""Which worker hosts which camera."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.config.models import Decode, Detect
from privet.core.ids import CameraId
from privet.main.assignment import Hosted, deal, reassign
from privet.pipe.settings import CameraSettings, WorkerSettings

NAMES = [CameraId(f"c{number}") for number in range(12)]


def camera(name: CameraId, port: int = 554, **other: object) -> CameraSettings:
    told = CameraSettings(camera=name, url=f"rtsp://192.0.2.1:{port}/", state_directory=PurePosixPath("state", name))
    return told.model_copy(update=other)


def worker(number: int, cameras: Sequence[CameraSettings]) -> WorkerSettings:
    return WorkerSettings(cameras=tuple(cameras), directory=PurePosixPath("workers", str(number)), state_key_hex="00" * 32)


def running(*groups: Sequence[CameraId]) -> dict[int, Hosted]:
    made = [worker(number, [camera(name) for name in group]) for number, group in enumerate(groups)]
    return {number: Hosted(settings, settings) for number, settings in enumerate(made)}


def reassigned(hosted: Mapping[int, Hosted], wanted: Sequence[CameraSettings], per_worker: int = 4) -> dict[int, WorkerSettings]:
    by_name = {each.camera: each for each in wanted}
    return reassign(hosted, by_name, per_worker, lambda number, group: worker(number, [by_name[name] for name in group]))


def hosts(plan: Mapping[int, WorkerSettings]) -> dict[int, tuple[CameraId, ...]]:
    return {number: settings.camera_ids() for number, settings in plan.items()}


@given(st.integers(0, 200), st.integers(1, 64))
def test_every_camera_has_one_worker_evenly(count: int, per_worker: int) -> None:
    cameras = [CameraId(f"c{number}") for number in range(count)]
    plan = deal(cameras, per_worker)
    assert sorted(camera for worker in plan for camera in worker) == sorted(cameras)
    assert all(list(worker) == [camera for camera in cameras if camera in worker] for worker in plan), "in the order given"
    where = {camera: number for number, worker in enumerate(plan) for camera in worker}
    assert all(where[one] != where[next_] for one, next_ in itertools.pairwise(cameras)) or len(plan) == 1, "neighbours are apart"
    assert len(plan) == -(-count // per_worker)
    sizes = [len(worker) for worker in plan]
    assert not sizes or (max(sizes) <= per_worker and max(sizes) - min(sizes) <= 1 and min(sizes) >= 1)


def test_no_camera_per_worker_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        deal(NAMES, 0)


def test_nothing_changed_changes_nothing() -> None:
    hosted = running(NAMES[:3], NAMES[3:6])
    assert reassigned(hosted, [camera(name) for name in NAMES[:6]]) == {number: each.now for number, each in hosted.items()}


def test_a_new_camera_gets_a_worker_of_its_own_and_who_is_gone_is_left_out() -> None:
    plan = reassigned(running(NAMES[:3], NAMES[3:6], NAMES[6:7]), [camera(name) for name in (*NAMES[:2], *NAMES[3:6], NAMES[9])])
    assert hosts(plan) == {0: tuple(NAMES[:2]), 1: tuple(NAMES[3:6]), 3: (NAMES[9],)}, "worker 2 hosts nothing and is not named"


def test_what_can_be_told_to_the_worker_is_and_what_it_is_confined_from_moves() -> None:
    blind = (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),)
    changed = [
        camera(NAMES[0], blind=blind),                                  # nothing that the kernel holds the worker to
        camera(NAMES[1], port=8554),                                    # another port
        camera(NAMES[2], decode=Decode(hardware="vaapi")),              # a device
        camera(NAMES[3], detect=Detect(threshold=0.5)),                 # another detector
    ]
    plan = reassigned(running(NAMES[:4]), changed)
    assert hosts(plan) == {0: (NAMES[0],), 1: tuple(NAMES[1:4])}
    assert plan[0].cameras[0].blind == blind


def test_confinement_is_that_of_the_start_whatever_was_told_since() -> None:
    start = worker(0, [camera(NAMES[0]), camera(NAMES[1], port=8554)])
    hosted = {0: Hosted(start, start.model_copy(update={"cameras": start.cameras[:1]}))}
    assert hosts(reassigned(hosted, [camera(NAMES[0], port=8554)])) == {0: (NAMES[0],)}
    assert hosts(reassigned(hosted, [camera(NAMES[0]), camera(NAMES[1])])) == {0: (NAMES[0],), 1: (NAMES[1],)}, "it has let it go"


some = st.lists(st.sampled_from(NAMES), unique=True)


@given(st.lists(some, max_size=4), some, st.integers(1, 5))
def test_every_wanted_camera_is_hosted_once_and_nobody_else(
    groups: list[list[CameraId]], wanted: list[CameraId], per_worker: int
) -> None:
    seen: set[CameraId] = set()
    apart = []
    for group in groups:
        apart.append([name for name in group if name not in seen])
        seen.update(group)
    hosted = running(*[group for group in apart if group])
    plan = reassigned(hosted, [camera(name) for name in wanted], per_worker)
    assert sorted(name for settings in plan.values() for name in settings.camera_ids()) == sorted(wanted)
    for number, settings in plan.items():
        if number in hosted:
            assert set(settings.camera_ids()) <= set(hosted[number].now.camera_ids()), "no camera comes to a worker that runs"
        else:
            assert len(settings.cameras) <= per_worker
