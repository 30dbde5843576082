"""Whether kernels and models are compiled already, and how to have it done, for processes that never hold a live pixel.

Belongs here: the stamp on a directory of compiled things. Does not belong here: compiling, which imports the kernels and is done by a
process of its own: `python -m privet.runtime.worker_warm DIRECTORY [DEVICE]`.
"""

from __future__ import annotations

import hashlib
import sys
from importlib.metadata import version
from pathlib import Path

import privet

STAMP = "warmed"
MODELS = "models"  # below the directory; the kernels lie in it as numba puts them


def warm_command(directory: Path, device: str = "CPU") -> list[str]:
    """Return the command that compiles everything into `directory`."""
    return [sys.executable, "-m", "privet.runtime.worker_warm", str(directory), device]


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
    """Whether `directory` holds what this installation would compile."""
    try:
        return (directory / STAMP).read_text("ascii") == fingerprint(device)
    except OSError:
        return False
