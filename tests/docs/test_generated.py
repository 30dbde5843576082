"""What is generated and committed is what would be generated now."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

PYTHON = [
    "src/privet/core/pb/options_pb2.py",
    "src/privet/core/pb/options_pb2.pyi",
    "src/privet/core/pb/scene_pb2.py",
    "src/privet/core/pb/scene_pb2.pyi",
    "src/privet/core/pb/pipe_pb2.py",
    "src/privet/core/pb/pipe_pb2.pyi",
    "docs/ref/api.md",
    "docs/ref/openapi.json",
    "docs/ref/what-leaves.md",
    "docs/ref/privet.schema.json",
    "docs/ref/configuration.md",
]
WEB = ["web/src/scene/pb/privet/v1/scene_pb.ts", "web/src/api/schema.ts"]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("generated")
    subprocess.run([ROOT / "scripts" / "generate"], env={**os.environ, "OUT": str(out)}, check=True, timeout=180, cwd=ROOT)
    return out


@pytest.mark.parametrize("name", PYTHON)
def test_what_is_committed_is_current(made: Path, name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == (made / name).read_text(encoding="utf-8"), "run `make generate`"


@pytest.mark.browser
@pytest.mark.parametrize("name", WEB)
def test_what_the_pages_are_built_from_is_current(made: Path, name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == (made / name).read_text(encoding="utf-8"), "run `make generate`"


def test_nothing_else_is_generated(made: Path) -> None:
    found = {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()}
    assert found <= {*PYTHON, *WEB}
