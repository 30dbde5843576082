"""Furnishes a worker with the real thing: sources, detectors and sealed state for each camera's pipeline.

Belongs here: making what `CameraPipeline` is given. Does not belong here: threads and restarts (worker_host). It is imported when the
worker is confined, for it brings the decoder, the kernels and the detectors along.
"""

from __future__ import annotations

from privet.core.clock import Clock
from privet.core.errors import DetectorError
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.detect.openvino import Detector, load_detectors
from privet.ingest.open import open_source
from privet.ingest.source import SourceSettings
from privet.runtime.camera import CameraPipeline
from privet.runtime.outlet import Emit
from privet.runtime.settings import CameraSettings, WorkerSettings
from privet.runtime.state_store import StateStore
from privet.runtime.warm import MODELS
from privet.runtime.whereabouts import number_of
from privet.runtime.worker import COMPILED
from privet.runtime.worker_host import ERROR, MakePipeline, Pipeline


def pipelines(settings: WorkerSettings, clock: Clock) -> MakePipeline:
    """Return what makes a camera's pipeline. Detectors are loaded once and shared by the worker's cameras.

    A detector that does not load is no error here: every pipeline says so, and proves nothing.
    """
    cameras = {camera.camera: camera for camera in settings.cameras}
    detectors, failure = _load_detectors(settings)

    def make(camera: CameraId, emit: Emit) -> Pipeline:
        told = cameras[camera]
        if failure is not None:
            emit(pipe_pb2.Log(level=ERROR, code=pipe_pb2.LOG_CODE_DETECTOR_FAILED, number=failure))
        store = StateStore(told.state_directory, camera, settings.state_key)
        return CameraPipeline(told, emit, detectors, store, clock, lambda: open_source(source_settings(told), clock))

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


def _load_detectors(settings: WorkerSettings) -> tuple[tuple[Detector, ...], int | None]:
    """Return the detectors, and where it failed if one did not load (then there are none)."""
    if not settings.cameras:
        return ((), None)
    threshold = min(camera.detect.threshold for camera in settings.cameras)
    try:
        return (load_detectors(settings.device, threshold, settings.directory / COMPILED / MODELS), None)
    except DetectorError as error:
        return ((), number_of(error))
