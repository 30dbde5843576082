"""A store that is no directory, and the disk that writes into it: bytes by path, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class MemoryFile:
    """Implements `StoredFile`."""

    data: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    @property
    def tag(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def read_at(self, offset_bytes: int, length_bytes: int) -> bytes:
        assert offset_bytes >= 0
        assert length_bytes >= 0
        return self.data[offset_bytes : offset_bytes + length_bytes]

    def close(self) -> None:
        pass


@dataclass
class MemoryStore:
    """Implements `Store`."""

    files: dict[str, bytes] = field(default_factory=dict)

    def open(self, path: str) -> MemoryFile:
        return MemoryFile(self.read(path))

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(2, "No such object", path)
        return self.files[path]

    def read_each(self, paths: Iterable[str]) -> Generator[bytes]:
        for path in paths:
            yield self.files.get(path, b"")

    def paths(self) -> Iterator[str]:
        return iter(list(self.files))

    def replace(self, path: str, data: bytes) -> None:
        self.files[path] = data

    def remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.files.pop(path, None)


@dataclass
class MemoryDisk:
    """Implements `Disk` over a store's files; the data directory is `Path("")`."""

    store: MemoryStore

    def create(self, path: Path) -> GrowingFile:
        if str(path) in self.store.files:
            raise FileExistsError(17, "Object exists", str(path))
        self.store.files[str(path)] = b""
        return GrowingFile(self.store.files, str(path))

    def remove(self, path: Path) -> None:
        self.store.files.pop(str(path), None)


@dataclass
class GrowingFile:
    """Implements `OutFile`."""

    files: dict[str, bytes]
    path: str

    def append(self, data: bytes) -> None:
        self.files[self.path] += data

    def sync(self) -> None:
        pass

    def truncate(self, size_bytes: int) -> None:
        self.files[self.path] = self.files[self.path][:size_bytes]

    def close(self) -> None:
        pass
