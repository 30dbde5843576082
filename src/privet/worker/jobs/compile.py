"""Compiles kernels and models once, before any worker starts: `python -m privet.worker.jobs.compile CACHE [DEVICE]`.

Belongs here: making every kernel be called with the very types that a camera gives, and every model be compiled. Does not belong
here: kernels and models. It sees no camera: the pictures are made up (rehearsal). Workers copy what it makes and never write
it, so that a worker that was taken over cannot plant code for others.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from privet.config.directories import own_directory
from privet.core.errors import DetectorError
from privet.pipe.compiled import MODELS, STAMP, compiled_directory, is_warm, mark_used, remove_unused

LOCK = "lock"


def main(cache: Path, device: str) -> None:
    """Compile into `compiled_directory(cache, device)`, unless somebody has. Several may be started at once: one compiles."""
    warm(compiled_directory(cache, device), lambda directory: _compile(directory, device))


def warm(directory: Path, fill: Callable[[Path], None]) -> None:
    """Have `directory` filled by `fill`, as a whole or not at all; then remove those beside it that have gone out of use.

    Raises:
        OSError: its parent is not this user's alone, or cannot be written.
    """
    own_directory(directory.parent)
    with (directory.parent / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_warm(directory):
            with tempfile.TemporaryDirectory(prefix="new-", dir=directory.parent) as fresh:
                made = Path(fresh, directory.name)
                made.mkdir(mode=0o700)
                fill(made)
                (made / STAMP).touch()
                made.rename(directory)
        mark_used(directory)
        remove_unused(directory.parent)


def _compile(directory: Path, device: str) -> None:
    """A detector that does not load is left to the workers, which say so."""
    (directory / MODELS).mkdir(mode=0o700)
    os.environ["NUMBA_CACHE_DIR"] = str(directory)  # before numba is imported
    from privet.detect.openvino import load_detectors  # noqa: PLC0415
    from privet.worker.jobs.rehearsal import rehearse  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as temporary:
        rehearse(Path(temporary))
    with contextlib.suppress(DetectorError):
        load_detectors(device, 0.5, directory / MODELS)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "CPU")
