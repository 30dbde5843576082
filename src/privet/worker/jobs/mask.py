"""The process that masks a file: `python -m privet.worker.jobs.mask`, a blind box like a camera's worker.

Belongs here: the life of the process: it forbids core dumps, takes its settings from its standard input (JSON, `MaskSettings`), points
the standard streams at nothing, confines itself, and only then imports what decodes, sees and detects. Does not belong here: the two
passes (mask_passes), and what becomes of the scene messages: cli/mask paints them and never holds a live pixel.
"""

from __future__ import annotations

import os
import shutil
import sys

from privet.core.errors import DetectorError, PrivetError, SourceError
from privet.core.geometry import GeometryError
from privet.core.pb import pipe_pb2
from privet.pipe import framing
from privet.pipe.jobs import GEOMETRY_CODES, MaskSettings
from privet.worker import lockdown

EXIT_DONE = 0
EXIT_FAILED = 4
ERROR = 40


def main() -> None:
    """Mask one file. Never returns."""
    lockdown.forbid_dumps()
    settings = MaskSettings.model_validate_json(sys.stdin.buffer.read())
    outward = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard, inheritable=False)
    kernels = settings.directory / "kernels"
    shutil.copytree(settings.warmed_cache_directory, kernels)
    os.environ["NUMBA_CACHE_DIR"] = str(kernels)
    os.environ["TMPDIR"] = str(settings.directory)
    lockdown.confine((settings.directory,), ())
    from privet.worker.jobs.mask_passes import mask  # noqa: PLC0415 (not before the process is confined)

    def say(message: pipe_pb2.WorkerMessage) -> None:
        framing.write_all(outward, framing.framed(message))

    try:
        mask(settings, say)
        status = EXIT_DONE
    except GeometryError as error:
        say(_failure(GEOMETRY_CODES[error.found.tag], error.found.number))
        status = EXIT_FAILED
    except SourceError as error:
        say(_failure(pipe_pb2.LOG_CODE_DISCONNECTED, int(error.reason)))
        status = EXIT_FAILED
    except DetectorError:
        say(_failure(pipe_pb2.LOG_CODE_DETECTOR_FAILED, 0))
        status = EXIT_FAILED
    except PrivetError:
        say(_failure(pipe_pb2.LOG_CODE_CAMERA_CRASHED, 0))
        status = EXIT_FAILED
    os._exit(status)


def _failure(code: pipe_pb2.LogCode.ValueType, number: int) -> pipe_pb2.WorkerMessage:
    return pipe_pb2.WorkerMessage(log=pipe_pb2.Log(level=ERROR, code=code, number=number))


if __name__ == "__main__":
    main()
