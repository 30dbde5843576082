"""Where a worker's directories are on the machine that it runs on.

Belongs here: the arguments of a worker process, and names of the settings to paths. Does not belong here: making the directories
(worker.process), confining the process to them (worker.lockdown).

The settings name directories relative to the data directory, for whoever writes them may be on another machine. Whoever starts the
process is on the same one, and says by arguments where the data directory is: `DATA [COMPILED]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from privet.pipe.settings import WorkerSettings


@dataclass(frozen=True, slots=True)
class Directories:
    """data: the data directory. compiled: what was compiled for this machine, read only. Both absolute."""

    data: Path
    compiled: Path | None = None

    def of(self, name: PurePosixPath) -> Path:
        """Return where a directory of the settings is."""
        return self.data / name

    def writable(self, settings: WorkerSettings) -> tuple[Path, ...]:
        """Return every directory below which the worker may write."""
        return tuple(self.of(name) for name in settings.writable_directories())


def directories_of(arguments: Sequence[str]) -> Directories:
    """Return what a process was started with.

    Raises:
        ValueError: it is not `DATA [COMPILED]`, or one is not absolute.
    """
    paths = [Path(argument) for argument in arguments]
    if not 1 <= len(paths) <= 2 or not all(path.is_absolute() for path in paths):
        raise ValueError("a worker takes DATA [COMPILED], absolute")
    return Directories(*paths)


def arguments_of(directories: Directories) -> list[str]:
    """Return what a process is to be started with."""
    return [str(path) for path in (directories.data, directories.compiled) if path is not None]
