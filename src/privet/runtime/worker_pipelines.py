"""Furnishes a worker with the real thing: sources, detectors and sealed state for each camera's pipeline.

Belongs here: making what `CameraPipeline` is given. Does not belong here: threads and restarts (worker_host). It is imported when the
worker is confined, for it brings the decoder, the kernels and the detectors along.
"""

from __future__ import annotations

from dataclasses import replace

from privet.core.clock import Clock
from privet.core.ids import CameraId
from privet.detect.openvino import inputs_px, load_detectors
from privet.ingest.open import open_source
from privet.ingest.source import SourceSettings
from privet.runtime.camera import CameraPipeline
from privet.runtime.outlet import Emit
from privet.runtime.settings import CameraSettings, WorkerSettings
from privet.runtime.state_store import StateStore
from privet.runtime.warm import MODELS
from privet.runtime.worker import COMPILED
from privet.runtime.worker_detectors import LateDetectors, LookBudget, own_model
from privet.runtime.worker_host import MakePipeline, Pipeline


def pipelines(settings: WorkerSettings, clock: Clock) -> MakePipeline:
    """Return what makes a camera's pipeline. Detectors are loaded once, while the cameras connect, and shared by the worker's cameras.

    A detector that does not load is no error here: every pipeline says so when it first asks, and proves nothing.
    """
    cameras = {camera.camera: camera for camera in settings.cameras}
    detect = settings.detect
    cache = settings.directory / COMPILED / MODELS
    own = own_model(detect)
    late = LateDetectors(inputs_px(own), lambda: load_detectors(detect.device, detect.threshold, cache, own))

    budget = LookBudget(detect.budget_looks_per_second, clock)

    def make(camera: CameraId, emit: Emit) -> Pipeline:
        told = cameras[camera]
        store = StateStore(told.state_directory, camera, settings.state_key)
        source = source_settings(told)
        sub = replace(source, stream="sub")
        return CameraPipeline(
            told, emit, late.detectors, store, clock, lambda attention: open_source(source, clock, attention),
            detectors_ready=late.ready, may_look=lambda: budget.take(camera),
            open_sub=None if told.sub_url is None else lambda attention: open_source(sub, clock, attention),
        )

    return make


def source_settings(camera: CameraSettings) -> SourceSettings:
    """The ingest room's values out of the camera's."""
    return SourceSettings(
        url=camera.url,
        sub_url=camera.sub_url,
        stream="main",
        transport=camera.transport,
        username=camera.username or None,
        password=camera.password or None,
        loop=camera.loop,
        paced=camera.paced,
    )
