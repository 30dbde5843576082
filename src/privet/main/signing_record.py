"""The record of commissioning: one JSON line for every step, in `commission.jsonl` in the data directory. Appended, never changed.

Belongs here: putting a line on the disk. Does not belong here: what is recorded and when (api.signing). Each line holds who, when, which
camera and offer, the picture's hash (the picture itself is kept nowhere), what was done, and the words that were signed.
"""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict
from pathlib import Path

from privet.api.signing.ports import CommissionEntry
from privet.core.errors import StoreError

NAME = "commission.jsonl"


class CommissionFile:
    """`api.signing.ports.CommissionRecord` over a file that only its owner may read. Safe from several threads."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._lock = threading.Lock()

    def append(self, entry: CommissionEntry) -> None:
        """Write a line and wait until it is on the disk.

        Raises:
            StoreError: it cannot be written.
        """
        line = json.dumps(asdict(entry), ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        try:
            with self._lock:
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
                try:
                    _append(descriptor, line)
                finally:
                    os.close(descriptor)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror}") from error


def _append(descriptor: int, line: bytes) -> None:
    size = os.fstat(descriptor).st_size
    if size and os.pread(descriptor, 1, size - 1) != b"\n":
        line = b"\n" + line  # a crash, or a full disk, cut the last one off: it stays as it is, and does not spoil this one
    while line:
        line = line[os.write(descriptor, line) :]
    os.fsync(descriptor)
