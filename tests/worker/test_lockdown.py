"""The kernel holds a locked-down process to its directories: tried in a child, for it cannot be undone."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from privet.core.landlock import landlock_abi
from privet.worker.lockdown import LockdownError, access_of_abi, confine

needs_landlock = pytest.mark.skipif(landlock_abi() == 0, reason="this kernel has no Landlock")

CHILD = """
import json, os, resource, socket, sys
from pathlib import Path
from privet.worker import lockdown
inside, outside, ports = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
sys.stdin.readline()
lockdown.forbid_dumps()
abi = lockdown.confine([inside], ports)

def tried(act):
    try:
        act()
    except OSError as error:
        return error.errno
    return 0

def connect(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass

def listen():
    with socket.create_server(("127.0.0.1", 0)):
        pass

def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        s.sendto(b"x", s.getsockname())

print(json.dumps({
    "abi": abi,
    "dumpable": lockdown.is_dumpable(),
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "write_inside": tried(lambda: (inside / "a").write_text("x")),
    "replace_inside": tried(lambda: (inside / "a").replace(inside / "b")),
    "mkdir_inside": tried(lambda: (inside / "d").mkdir()),
    "write_outside": tried(lambda: (outside / "new").write_text("x")),
    "overwrite_outside": tried(lambda: (outside / "there").write_text("x")),
    "truncate_outside": tried(lambda: os.truncate(outside / "there", 0)),
    "remove_outside": tried(lambda: (outside / "there").unlink()),
    "mkdir_outside": tried(lambda: (outside / "d").mkdir()),
    "link_outside": tried(lambda: os.link(inside / "b", outside / "b")),
    "move_outside": tried(lambda: (inside / "b").rename(outside / "b")),
    "read_outside": tried(lambda: (outside / "there").read_text()),
    "execute": tried(lambda: os.execv("/bin/true", ["true"])),
    "dev_null": tried(lambda: Path("/dev/null").write_text("x")),
    "shm": tried(lambda: Path("/dev/shm/privet-test").write_text("x")),
    "allowed_port": tried(lambda: connect(ports[0])),
    "other_port": tried(lambda: connect(int(sys.argv[4]))),
    "listen": tried(listen),
    "udp": tried(udp),
    "signal_parent": tried(lambda: os.kill(os.getppid(), 0)),
}))
"""

EACCES, EPERM, EXDEV = 13, 1, 18


@needs_landlock
def test_a_locked_down_process_writes_only_its_own_directory(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "there").write_text("kept")
    with socket.create_server(("127.0.0.1", 0)) as camera, socket.create_server(("127.0.0.1", 0)) as other:
        allowed_port, other_port = camera.getsockname()[1], other.getsockname()[1]
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(inside), str(outside), json.dumps([allowed_port]), str(other_port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        output, _ = child.communicate("\n", timeout=60)
    found = json.loads(output)
    abi = found.pop("abi")
    assert abi == landlock_abi()
    assert found.pop("dumpable") is False
    assert found.pop("core") == [0, 0]
    allowed = ["write_inside", "replace_inside", "mkdir_inside", "read_outside", "dev_null", "allowed_port", "udp"]
    assert {name: found.pop(name) for name in allowed} == dict.fromkeys(allowed, 0)
    if abi < 4:
        del found["other_port"], found["listen"]
    if abi < 6:
        del found["signal_parent"]
    if abi < 3:
        del found["truncate_outside"]
    assert {name: code for name, code in found.items() if code not in {EACCES, EPERM, EXDEV}} == {}
    assert (outside / "there").read_text() == "kept"
    assert [path.name for path in outside.iterdir()] == ["there"]


def test_others_cannot_look_into_a_process_that_forbids_dumps() -> None:
    script = "import sys; from privet.worker.lockdown import forbid_dumps; forbid_dumps(); print('ready', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "ready\n"
        status = Path(f"/proc/{child.pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        # The kernel gives the files of a process that is not dumpable to root.
        assert Path(f"/proc/{child.pid}/mem").stat().st_uid == 0
        limits = Path(f"/proc/{child.pid}/limits").read_text()
        (core,) = [line.split() for line in limits.splitlines() if line.startswith("Max core file size")]
        assert core[4:6] == ["0", "0"]
        child.stdin.close()
        assert child.wait(30) == 0


@needs_landlock
def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LockdownError, match="missing"):
        confine([tmp_path / "missing"], [])


def test_each_abi_takes_away_at_least_what_the_one_before_did() -> None:
    for abi in range(1, 12):
        before, after = access_of_abi(abi), access_of_abi(abi + 1)
        assert before.fs & ~after.fs == 0
        assert before.net & ~after.net == 0
        assert before.scoped & ~after.scoped == 0
    assert access_of_abi(1).net == access_of_abi(3).net == 0
    assert access_of_abi(5).scoped == 0
