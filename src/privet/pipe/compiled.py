"""Whether kernels and models are compiled already, and how to have it done, for processes that never hold a live pixel.

Belongs here: the directories of compiled things, one per fingerprint, so that every data directory and every version of this
installation uses what was compiled once. Does not belong here: compiling, which imports the kernels and is done by a process of its
own: `python -P -m privet.worker.jobs.compile CACHE [DEVICE]`.

The life of one: 1. it is compiled into a fresh directory beside it; 2. stamped; 3. renamed: what has its name is whole; 4. workers copy
it and never write it; 5. when more than KEPT others were used later, the next to compile removes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import privet
from privet.config.directories import is_own

COMPILED = "compiled"
STAMP = "warmed"
WARM_WITHIN_S = 300.0
REHEARSAL = "worker/jobs/rehearsal.py"
MODELS = "models"  # below the directory; the kernels lie in it as numba puts them
KEPT = 4


def warm_command(cache: Path, device: str = "CPU") -> list[str]:
    """Return the command that compiles everything into `compiled_directory(cache, device)`."""
    return [sys.executable, "-P", "-m", "privet.worker.jobs.compile", str(cache), device]


def compiled_directory(cache: Path, device: str = "CPU") -> Path:
    """Return where this installation's kernels and models lie below `cache`, compiled for `device`."""
    return cache / COMPILED / fingerprint(device)[:32]


def fingerprint(device: str) -> str:
    """Return what the compiled things depend on: interpreter, compilers, device, the sources of kernels and detectors, the rehearsal."""
    digest = hashlib.sha256(f"{sys.version} {device}".encode())
    for name in ("numba", "numpy", "openvino"):
        digest.update(version(name).encode())
    root = Path(privet.__file__).parent
    for path in sorted((*root.glob("scene/**/*.py"), *root.glob("detect/**/*.py"), root / REHEARSAL)):
        status = path.stat()
        # Kernels compiled from another copy of the same sources are not found under this one's path.
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def is_warm(directory: Path) -> bool:
    """Whether `directory` is whole and nobody else could have written it."""
    return is_own(directory) and (directory / STAMP).is_file()


def mark_used(directory: Path) -> None:
    """Note that `directory` is in use, so that others go first."""
    with contextlib.suppress(OSError):
        os.utime(directory / STAMP)


def remove_unused(compiled: Path, kept: int = KEPT) -> list[Path]:
    """Remove from `compiled` all but the `kept` directories used last, and what an interrupted compilation left. Returns them.

    Only for who holds the lock of worker_warm: nothing is being compiled.
    """
    found = list(compiled.iterdir())
    whole = sorted((path for path in found if is_warm(path)), key=lambda path: (path / STAMP).stat().st_mtime_ns, reverse=True)
    gone = [path for path in found if path.is_dir() and path not in whole[:kept]]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    return gone
