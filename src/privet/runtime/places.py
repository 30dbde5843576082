"""Where parts of the installation lie on the disk."""

from __future__ import annotations

from pathlib import Path

import privet


def static_directory() -> Path | None:
    """Return where the built web pages are; None if they were not built."""
    directory = Path(privet.__file__).parent / "api" / "static"
    return directory if directory.is_dir() else None
