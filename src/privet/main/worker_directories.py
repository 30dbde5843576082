"""The workers' own directories, below the data directory: what a worker is given, and that nothing stays of one that is gone.

Belongs here: which directory, and removing it. Does not belong here: making and emptying it (worker.process), when a worker ends
(supervisor). Each holds a copy of the compiled kernels and models. A worker writes in its own, so nothing in it is trusted: no link is
followed.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Container
from pathlib import Path, PurePosixPath

log = logging.getLogger("privet")

DIRECTORY = "workers"

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


def worker_directory(number: int) -> PurePosixPath:
    """Return where a worker's own directory is, below the data directory."""
    return PurePosixPath(DIRECTORY, str(number))


def remove_worker_directory(data_directory: Path, number: int) -> None:
    """Remove the directory of a worker that has ended, if there is one. What cannot be removed is said in the log."""
    path = data_directory / worker_directory(number)
    if path.parent.is_symlink() or path.is_symlink() or not path.is_dir():
        return
    try:
        shutil.rmtree(path)
    except (OSError, RecursionError) as error:  # a worker that was taken over can nest directories as deep as it likes
        log.warning("%s, of a worker that is gone, cannot be removed: %s", path, error)


def sweep_worker_directories(data_directory: Path, used: Container[int]) -> None:
    """Remove the directories of workers that an earlier start had. used: the numbers of this start's workers."""
    directory = data_directory / DIRECTORY
    if directory.is_symlink() or not directory.is_dir():
        return
    for name in sorted(path.name for path in directory.iterdir()):
        if _NUMBER.fullmatch(name) and int(name) not in used:
            remove_worker_directory(data_directory, int(name))
