"""A worker is started from wherever Privet stands, and takes nothing from there."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from privet.core.pb import pipe_pb2
from privet.main.launch import launch_worker
from privet.pipe import framing
from privet.pipe.directories import Directories
from privet.pipe.settings import WorkerSettings


@pytest.mark.anyio
async def test_no_file_where_privet_stands_is_a_module_of_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("privet", "pydantic", "secrets"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w').close()\nraise SystemExit(99)\n")
    monkeypatch.chdir(tmp_path)
    settings = WorkerSettings(cameras=(), directory=PurePosixPath("workers/0"), state_key_hex="ab" * 32)
    worker = await launch_worker(Directories(tmp_path / "data"))
    try:
        start = pipe_pb2.Start(settings=settings.model_dump_json().encode())
        await worker.send(pipe_pb2.SupervisorMessage(start=start))
        said = await worker.receive()
        assert said is not None
        assert framing.parse_worker_message(said).log.code == pipe_pb2.LOG_CODE_SANDBOX
    finally:
        await worker.end()
    assert (tmp_path / "data/workers/0/compiled/models").is_dir()
    assert not (tmp_path / "ran").exists()
