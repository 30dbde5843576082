"""Whether this kernel can confine a process: Landlock, asked through the bare system call.

Belongs here: the call and the kernel's version of it. Does not belong here: what a process is confined to (worker.lockdown).
"""

from __future__ import annotations

import ctypes
import sys

CREATE_RULESET = 444  # the system call's number, the same on every architecture
_CREATE_RULESET_VERSION = 1


def landlock_abi() -> int:
    """Return the kernel's Landlock ABI; 0 if it has none or has it switched off."""
    if not sys.platform.startswith("linux"):
        return 0
    abi, _ = system_call(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_CREATE_RULESET_VERSION))
    return max(0, abi)


def system_call(number: int, *arguments: object) -> tuple[int, int]:
    """Return (result, errno); errno is 0 where the call succeeded."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    result = int(libc.syscall(ctypes.c_long(number), *arguments))
    return (result, ctypes.get_errno() if result < 0 else 0)
