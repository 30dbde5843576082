"""The recorder on this machine's own disk and clock: killed, and on a file system that is really full."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.record.streams import file_of

from privet.core.clock import NS_PER_S
from privet.core.pb import scene_pb2 as pb
from privet.index.index import Index, index_url
from privet.record import scan
from privet.record.archive import Archive, recording_files
from privet.record.check import check
from privet.record.mend import recover
from privet.record.store import DirectoryStore

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "tests.record.on_a_machine"]


@pytest.mark.parametrize("seed", range(3))
def test_kill_minus_nine_loses_less_than_a_second(tmp_path: Path, seed: int) -> None:
    with subprocess.Popen([*PROGRAM, "record", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline()]
        end = time.monotonic() + 1.5 + random.Random(seed).random()
        while time.monotonic() < end:
            said.append(process.stdout.readline())
        killed_ns = time.time_ns()
        process.kill()
        process.wait(10)
    index = Index.open(index_url(tmp_path))
    store = DirectoryStore(tmp_path)
    recover(store, index)
    assert check(store, index, deep=True) == ()
    files = recording_files(index.recordings())
    kept = {m.cover.head.sequence for m in Archive(store).scenes(files, 0, 2**62) if m.HasField("cover")}
    handed_over = [(int(line.split()[0]), int(line.split()[1])) for line in said if line.endswith("\n")]
    lost_ns = [at_ns for sequence, at_ns in handed_over if sequence not in kept]
    assert len(kept) > 5
    assert all(at_ns > killed_ns - NS_PER_S for at_ns in lost_ns)
    index.close()


def test_a_file_system_that_is_really_full(tmp_path: Path) -> None:
    """In a mount namespace of its own, so that nothing is left behind whatever happens."""
    mount = tmp_path / "small"
    mount.mkdir()
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system takes more rights than we have; FlakyDisk stands in for it elsewhere")
    script = (
        f"mount -t tmpfs -o size=600k none {mount} && head -c 300000 /dev/zero > {mount}/ballast && "
        f"{' '.join(PROGRAM)} full {mount} && cp -r {mount}/recordings {tmp_path}/kept"
    )
    run = subprocess.run([unshare, "--mount", "sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    path, newest = run.stdout.split()
    with closing(file_of(tmp_path / path.replace("recordings", "kept", 1))) as file:
        found = scan.scan(file)
        assert found.complete
        messages = [
            pb.SceneMessage.FromString(entry.data)
            for chunk in found.chunks
            for entry in scan.entries(scan.read_chunk(file, chunk))
        ]
    assert int(newest) in [m.background.head.sequence for m in messages if m.HasField("background")]
    assert messages[-1].HasField("cover")
