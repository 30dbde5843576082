"""Furnishes a worker with the real thing: sources, detectors and sealed state for each camera's pipeline.

Belongs here: making what `CameraPipeline` is given. Does not belong here: threads and restarts (host). It is imported when the
worker is confined, for it brings the decoder, the kernels and the detectors along.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from privet.core.clock import Clock
from privet.core.ids import CameraId
from privet.detect.openvino import inputs_px, load_detectors
from privet.ingest.frame_demand import FrameConsumer
from privet.ingest.hardware import Accelerator
from privet.ingest.open import open_source
from privet.ingest.source import Source, SourceSettings
from privet.pipe.compiled import COMPILED, MODELS
from privet.pipe.directories import Directories
from privet.pipe.settings import CameraSettings, WorkerSettings
from privet.worker.camera.pipeline import CameraPipeline
from privet.worker.camera.state_saving import StateSaving
from privet.worker.camera.state_saving import StateStore as Store
from privet.worker.detectors import LateDetectors, LookBudget, own_model
from privet.worker.host import MakePipeline, Pipeline
from privet.worker.send_queue import Emit
from privet.worker.state_store import StateStore

Open = Callable[[SourceSettings, Clock, FrameConsumer | None, Accelerator | None], Source]
"""How a source is opened: `open_source` is one way."""


def pipelines(
    settings: WorkerSettings, directories: Directories, clock: Clock, make_store: Callable[[CameraSettings], Store] | None = None,
    open_stream: Open = open_source,
) -> MakePipeline:
    """Return what makes a camera's pipeline. Detectors are loaded once, while the cameras connect, and shared by the worker's cameras.

    make_store, open_stream: the bench keeps nothing, and reads clips as if they came from a camera.
    A detector that does not load is no error here: every pipeline says so when it first asks, and proves nothing.
    """
    detect = settings.detect
    cache = directories.of(settings.directory) / COMPILED / MODELS
    own = own_model(detect)
    late = LateDetectors(inputs_px(own), lambda: load_detectors(detect.device, detect.threshold, cache, own))

    budget = LookBudget(detect.budget_looks_per_second, clock)
    kept: dict[CameraId, StateSaving] = {}          # each is asked for by its camera's thread alone

    def make(told: CameraSettings, emit: Emit) -> Pipeline:
        camera = told.camera
        if camera not in kept:
            store = make_store(told) if make_store else StateStore(directories.of(told.state_directory), camera, settings.state_key)
            kept[camera] = StateSaving(store, clock)
        source = source_settings(told)
        sub = replace(source, stream="sub")
        accelerator, for_sub = (Accelerator(told.decode.hardware, told.decode.device) for _ in range(2))
        return CameraPipeline(
            told, emit, late.detectors, kept[camera], clock, lambda consumer: open_stream(source, clock, consumer, accelerator),
            detectors_ready=late.ready, may_look=lambda: budget.take(camera),
            open_sub=None if told.sub_url is None else lambda consumer: open_stream(sub, clock, consumer, for_sub),
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
