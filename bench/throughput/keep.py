"""What takes minutes to find out is found out once for these sources of what looks at a picture, and kept below .cache/.

Belongs here: keys, and files that are whole or not there. Does not belong here: what is kept (place, track).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from demo.clip import partial_of
from demo.encode import PROJECT

CACHE = PROJECT / ".cache" / "throughput"
SOURCES = PROJECT / "src" / "privet"


def kept(name: str, told: bytes, make: Callable[[], bytes], suffix: str = ".bin") -> bytes:
    """What `make` gives, made once for what is `told` and for the sources of scenes and detectors; of each name the newest is kept."""
    key = hashlib.sha256(told)
    for source in (*sorted((SOURCES / "scene").glob("*.py")), *sorted((SOURCES / "detect").glob("*.py"))):
        key.update(source.read_bytes())
    path = CACHE / f"{name}-{key.hexdigest()[:16]}{suffix}"
    if path.is_file():
        return path.read_bytes()
    made = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_of(path)
    partial.write_bytes(made)
    partial.rename(path)
    for earlier in CACHE.glob(f"{name}-*{suffix}"):
        if earlier != path:
            earlier.unlink()
    return made
