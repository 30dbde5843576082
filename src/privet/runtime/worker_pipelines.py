"""Puts a worker's rooms together: detectors loaded once for all its cameras, a store and a source for each.

Belongs here: which class stands behind which port. Imported only after the process is confined (worker).
"""

from __future__ import annotations

from collections.abc import Sequence

from privet.core.clock import Clock
from privet.core.errors import DetectorError
from privet.core.ids import CameraId
from privet.core.pb import pipe_pb2
from privet.detect.openvino import Detector, load_detectors
from privet.ingest.open import open_source
from privet.ingest.source import Source, SourceSettings
from privet.runtime.camera import CameraPipeline
from privet.runtime.outlet import Emit
from privet.runtime.settings import CameraSettings, WorkerSettings
from privet.runtime.state_store import StateStore
from privet.runtime.worker_host import ERROR, MakePipeline, Pipeline


def pipelines(settings: WorkerSettings, clock: Clock) -> MakePipeline:
    """Return what makes the pipeline of each of this worker's cameras."""
    by_id = {camera.camera: camera for camera in settings.cameras}
    detectors: Sequence[Detector] = ()
    failure: DetectorError | None = None
    try:
        # One threshold for all: the lowest that any camera of this worker asks for.
        detectors = load_detectors(settings.device, min(camera.detect.threshold for camera in settings.cameras))
    except DetectorError as error:
        failure = error

    def make(camera: CameraId, emit: Emit) -> Pipeline:
        chosen = by_id[camera]
        if failure is not None:
            emit(pipe_pb2.Log(level=ERROR, code=pipe_pb2.LOG_CODE_DETECTOR_FAILED, number=0))
        store = StateStore(chosen.state_directory, camera, settings.state_key)

        def open_camera() -> Source:
            return open_source(source_settings(chosen), clock)

        return CameraPipeline(chosen, emit, detectors, store, clock, open_camera)

    return make


def source_settings(camera: CameraSettings) -> SourceSettings:
    """The ingest room's values out of the camera's. The main stream is the one that is analysed."""
    return SourceSettings(
        url=camera.url,
        sub_url=camera.sub_url,
        transport=camera.transport,
        username=camera.username or None,
        password=camera.password or None,
        loop=camera.loop,
        paced=camera.paced,
    )
