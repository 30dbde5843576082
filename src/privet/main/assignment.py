"""Which worker hosts which camera: pure.

Belongs here: the first deal, and who hosts what when cameras come, change and go. Does not belong here: telling anybody (supervisor).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from privet.core.ids import CameraId
from privet.pipe.settings import CameraSettings, WorkerSettings, fits


@dataclass(frozen=True, slots=True)
class Hosted:
    """One worker: what its process was started with, and so confined to, and what it hosts now."""

    started: WorkerSettings
    now: WorkerSettings


def deal(cameras: Sequence[CameraId], cameras_per_worker: int) -> tuple[tuple[CameraId, ...], ...]:
    """Return which cameras share a worker: ceil(n / cameras_per_worker) workers, dealt like cards.

    Cameras that stand together in a register look at one square or one corridor: they are busy together, so one process would get all of
    them (and one interpreter's lock), and blind together if it were lost.

    Raises:
        ValueError: less than one camera per worker.
    """
    if cameras_per_worker < 1:
        raise ValueError(f"{cameras_per_worker} cameras per worker: at least 1")
    workers = -(-len(cameras) // cameras_per_worker)
    return tuple(tuple(cameras[first::workers]) for first in range(workers))


def reassign(
    hosted: Mapping[int, Hosted],
    wanted: Mapping[CameraId, CameraSettings],
    cameras_per_worker: int,
    make: Callable[[int, Sequence[CameraId]], WorkerSettings],
) -> dict[int, WorkerSettings]:
    """Return what every worker is to host from now on, by number.

    A camera stays with its worker if that can be told of it as it is now (`fits`). All others, new ones among them, are dealt to new
    workers: no worker that runs is started again, for that would blind the cameras it hosts. A worker that hosts nothing is not named.

    make: from a new worker's number and cameras to its settings.
    """
    plan: dict[int, WorkerSettings] = {}
    settled: set[CameraId] = set()
    for number, worker in hosted.items():
        kept = tuple(
            wanted[camera]
            for camera in worker.now.camera_ids()
            if camera in wanted and camera not in settled and fits(worker.started, wanted[camera])
        )
        if kept:
            plan[number] = worker.now.model_copy(update={"cameras": kept})
            settled.update(camera.camera for camera in kept)
    homeless = [camera for camera in wanted if camera not in settled]
    first = max(hosted, default=-1) + 1
    for number, group in enumerate(deal(homeless, cameras_per_worker), first):
        plan[number] = make(number, group)
    return plan
