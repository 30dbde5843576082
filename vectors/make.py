"""`python -m vectors.make`: writes the vectors. Deterministic: a run that changes nothing in the sources changes no file."""

from __future__ import annotations

import json
from pathlib import Path

from vectors import render, scene_stream

HERE = Path(__file__).parent


def contents() -> dict[str, bytes]:
    """Path below vectors/ of each file to its bytes."""
    files: dict[str, object] = {**scene_stream.files(), **render.files()}
    return {
        name: content if isinstance(content, bytes) else (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
        for name, content in files.items()
    }


def main() -> None:
    for name, content in contents().items():
        path = HERE / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
            print(f"wrote {name}, {len(content)} bytes")  # noqa: T201


if __name__ == "__main__":
    main()
