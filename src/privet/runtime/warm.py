"""Compiles the kernels once, before any worker starts: `python -m privet.runtime.warm DIRECTORY`.

Belongs here: making every kernel be called with the very types that a camera gives. Does not belong here: kernels. It sees no camera:
the pictures are made up, encoded and decoded again, so that frames lie in memory as a decoder lays them out. Workers copy DIRECTORY
and never write it, so that a worker that was taken over cannot plant code for the others.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

STAMP_NAME = "warmed"


def fingerprint() -> str:
    """Return what the compiled kernels depend on: the interpreter, the compiler, and the kernels' sources."""
    import privet  # noqa: PLC0415 (cheap; the rest of this module is imported by the main process, too)

    digest = hashlib.sha256()
    digest.update(f"{sys.version} {version('numba')} {version('numpy')}".encode())
    for path in sorted((Path(privet.__file__).parent / "scene").glob("*.py")):
        status = path.stat()
        digest.update(f"{path.name} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def is_warm(directory: Path) -> bool:
    """Whether DIRECTORY holds what this installation would compile."""
    try:
        return (directory / STAMP_NAME).read_text("ascii") == fingerprint()
    except OSError:
        return False


def main(directory: Path) -> None:
    """Compile into `directory`, then stamp it."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ["NUMBA_CACHE_DIR"] = str(directory)  # before numba is imported
    from privet.runtime.worker_rehearsal import rehearse  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as temporary:
        rehearse(Path(temporary))
    (directory / STAMP_NAME).write_text(fingerprint(), "ascii")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
