"""Compiles kernels and models once, before any worker starts: `python -m privet.runtime.warm DIRECTORY [DEVICE]`.

Belongs here: making every kernel be called with the very types that a camera gives, and every model be compiled. Does not belong
here: kernels and models. It sees no camera: the pictures are made up, encoded and decoded again, so that frames lie in memory as a
decoder lays them out. Workers copy DIRECTORY and never write it, so that a worker that was taken over cannot plant code for others.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import privet
from privet.core.errors import DetectorError

STAMP = "warmed"
MODELS = "models"  # below DIRECTORY; the kernels lie in it as numba puts them


def fingerprint(device: str) -> str:
    """Return what the compiled things depend on: interpreter, compilers, device, and the sources of kernels and detectors."""
    digest = hashlib.sha256(f"{sys.version} {device}".encode())
    for name in ("numba", "numpy", "openvino"):
        digest.update(version(name).encode())
    root = Path(privet.__file__).parent
    for path in sorted((*root.glob("scene/*.py"), *root.glob("detect/*.py"))):
        status = path.stat()
        digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def is_warm(directory: Path, device: str = "CPU") -> bool:
    """Whether DIRECTORY holds what this installation would compile."""
    try:
        return (directory / STAMP).read_text("ascii") == fingerprint(device)
    except OSError:
        return False


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
