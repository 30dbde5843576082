"""Compiles kernels and models once, before any worker starts: `python -m privet.runtime.worker_warm DIRECTORY [DEVICE]`.

Belongs here: making every kernel be called with the very types that a camera gives, and every model be compiled. Does not belong
here: kernels and models. It sees no camera: the pictures are made up (worker_rehearsal). Workers copy DIRECTORY and never write it,
so that a worker that was taken over cannot plant code for others.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path

from privet.core.errors import DetectorError
from privet.runtime.warm import MODELS, STAMP, fingerprint


def main(directory: Path, device: str) -> None:
    """Compile into `directory`, then stamp it. A detector that does not load is left to the workers, which say so."""
    (directory / MODELS).mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["NUMBA_CACHE_DIR"] = str(directory)  # before numba is imported
    from privet.detect.openvino import load_detectors  # noqa: PLC0415
    from privet.runtime.worker_rehearsal import rehearse  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as temporary:
        rehearse(Path(temporary))
    with contextlib.suppress(DetectorError):
        load_detectors(device, 0.5, directory / MODELS)
    (directory / STAMP).write_text(fingerprint(device), "ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "CPU")
