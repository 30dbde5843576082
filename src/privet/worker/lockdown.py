"""What a process that holds live pixels can still do: read, and write below its own directories. The kernel holds it to that.

Belongs here: the kernel's switches. Does not belong here: which directories and ports (process, jobs).

- no core dump: RLIMIT_CORE 0, and not dumpable, which also holds where the core pattern is a pipe; not dumpable means no ptrace
  and no /proc/PID/mem for other processes of the same user;
- no new privileges; it ends when its parent ends;
- Landlock: no writing, creating, removing or executing anywhere but below the directories named; no TCP socket that listens; TCP
  connections only to the ports named; no signal and no abstract socket to processes outside. Reading stays possible everywhere.

Landlock binds the calling thread and what it starts later: `confine` comes before the first thread.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import stat
import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from privet.core.errors import PrivetError
from privet.core.landlock import CREATE_RULESET, landlock_abi, system_call

PR_SET_PDEATHSIG = 1
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38

_NR_ADD_RULE = 445
_NR_RESTRICT_SELF = 446
_RULE_PATH_BENEATH = 1
_RULE_NET_PORT = 2

_FS_EXECUTE = 1 << 0
_FS_WRITE_FILE = 1 << 1
_FS_REMOVE_AND_MAKE = sum(1 << bit for bit in range(4, 13))  # remove dir, file; make char, dir, reg, sock, fifo, block, symlink
_FS_REFER = 1 << 13      # ABI 2
_FS_TRUNCATE = 1 << 14   # ABI 3
_FS_IOCTL_DEV = 1 << 15  # ABI 5
_NET_BIND_TCP = 1 << 0   # ABI 4
_NET_CONNECT_TCP = 1 << 1
_SCOPE_ABSTRACT_SOCKET = 1 << 0  # ABI 6
_SCOPE_SIGNAL = 1 << 1


class LockdownError(PrivetError):
    """The kernel refused a restriction that it said it has, or that the configuration requires."""


@dataclass(frozen=True, slots=True)
class Access:
    """The rights that a Landlock ABI knows and that are taken away: bit masks."""

    fs: int
    net: int
    scoped: int


def access_of_abi(abi: int) -> Access:
    """Return what is taken away under an ABI; higher ones than are known here are used as the highest known.

    Pure. abi: 1 or more.
    """
    fs = _FS_EXECUTE | _FS_WRITE_FILE | _FS_REMOVE_AND_MAKE
    if abi >= 2:
        fs |= _FS_REFER
    if abi >= 3:
        fs |= _FS_TRUNCATE
    if abi >= 5:
        fs |= _FS_IOCTL_DEV
    net = _NET_BIND_TCP | _NET_CONNECT_TCP if abi >= 4 else 0
    scoped = _SCOPE_ABSTRACT_SOCKET | _SCOPE_SIGNAL if abi >= 6 else 0
    return Access(fs, net, scoped)


def forbid_dumps() -> None:
    """No core dump, not dumpable, no new privileges, ends with its parent.

    Raises:
        LockdownError: the kernel refused one of them.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(PR_SET_DUMPABLE, 0)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))


def is_dumpable() -> bool:
    """Whether the kernel would dump this process or let others of its user look into it."""
    return _prctl(PR_GET_DUMPABLE, 0) != 0


def confine(writable: Sequence[Path], connect_ports: Collection[int], devices: Sequence[Path] = ()) -> int:
    """Confine this thread, and every thread and process it starts from now on, by Landlock.

    writable: directories below which writing stays possible; they exist. connect_ports: TCP ports that may be connected to.
    devices: device files or directories of them (for a GPU) that may be written and controlled; missing ones are skipped.

    Returns the ABI that is in force; 0 if the kernel has no Landlock and nothing is confined.

    Raises:
        LockdownError: the kernel has Landlock and refused, or a directory is not there.
    """
    abi = landlock_abi()
    if abi == 0:
        return 0
    access = access_of_abi(abi)
    ruleset = _create_ruleset(abi, access)
    try:
        for directory in writable:
            _allow_below(ruleset, directory, access.fs & ~_FS_EXECUTE)
        for device in (Path("/dev/null"), *devices):
            if device.exists():
                _allow_below(ruleset, device, access.fs & (_FS_WRITE_FILE | _FS_TRUNCATE | _FS_IOCTL_DEV))
        if access.net:
            for port in connect_ports:
                _allow_port(ruleset, port)
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        result, code = system_call(_NR_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
        if result != 0:
            raise LockdownError(f"Landlock (ABI {abi}) refused to restrict this process: {os.strerror(code)}")
    finally:
        os.close(ruleset)
    return abi


def _create_ruleset(abi: int, access: Access) -> int:
    # The attribute has grown with the ABIs: a kernel refuses one that is longer than it knows unless the rest is zero.
    attribute = struct.pack("=QQQ", access.fs, access.net, access.scoped)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    ruleset, code = system_call(CREATE_RULESET, attribute, ctypes.c_size_t(len(attribute)), ctypes.c_uint32(0))
    if ruleset < 0:
        raise LockdownError(f"Landlock (ABI {abi}) refused a ruleset: {os.strerror(code)}")
    os.set_inheritable(ruleset, False)
    return ruleset


def _allow_below(ruleset: int, path: Path, allowed: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise LockdownError(f"{path} cannot be opened for the sandbox: {error.strerror}") from error
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            allowed &= _FS_WRITE_FILE | _FS_TRUNCATE | _FS_IOCTL_DEV
        attribute = struct.pack("=Qi", allowed, descriptor)
        _add_rule(ruleset, _RULE_PATH_BENEATH, attribute, str(path))
    finally:
        os.close(descriptor)


def _allow_port(ruleset: int, port: int) -> None:
    _add_rule(ruleset, _RULE_NET_PORT, struct.pack("=QQ", _NET_CONNECT_TCP, port), f"TCP port {port}")


def _add_rule(ruleset: int, kind: int, attribute: bytes, name: str) -> None:
    result, code = system_call(_NR_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(kind), attribute, ctypes.c_uint32(0))
    if result != 0:
        raise LockdownError(f"Landlock refused a rule for {name}: {os.strerror(code)}")


def _prctl(option: int, value: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    result = int(libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero))
    if result < 0:
        code = ctypes.get_errno()
        raise LockdownError(f"prctl option {option} was refused: {os.strerror(code)}")
    return result


