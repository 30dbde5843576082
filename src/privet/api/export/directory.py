"""The directory in which films are made, below the data directory: one of its own for each, removed before the film is sent."""

from __future__ import annotations

import shutil
from pathlib import Path

DIRECTORY = "exports"


def clear_leftovers(data_directory: Path) -> int:
    """Remove exports that a crash left behind; run before serving. Returns how many."""
    directory = data_directory / DIRECTORY
    leftovers = [path for path in directory.iterdir() if path.is_dir()] if directory.is_dir() else []
    for path in leftovers:
        shutil.rmtree(path, ignore_errors=True)
    return len(leftovers)
