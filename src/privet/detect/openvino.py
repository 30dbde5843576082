"""Person and face detectors on OpenVINO. One compiled model, with one inference request, serves all cameras of a worker in turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import openvino
from numpy.typing import NDArray

from privet.core.errors import DetectorError
from privet.detect.own import (
    OwnModel,
    Port,
    check_classes,
    check_file,
    check_input,
    check_outputs,
    layout,
    read_answers,
)
from privet.detect.weights import CENTERFACE, NANODET, PEDESTRIAN, Weights, locate

Boxes = NDArray[np.float32]
"""Shape (k, 4): left, top, right, bottom in fractions of the picture; a body may reach beyond it."""

FACE_HEIGHTS_IN_A_BODY = 7.5
FACE_WIDTHS_IN_SHOULDERS = 3.0


class Detector(Protocol):
    """Finds people in pictures."""

    @property
    def name(self) -> str: ...

    @property
    def input_px(self) -> tuple[int, int]:
        """(height, width) of its input."""
        ...

    def find(self, pictures: NDArray[np.uint8]) -> list[Boxes]:
        """People in uint8 (n, height, width, 3) RGB; a box spans the whole body, as far as it can be known.

        Raises:
            DetectorError: the runtime failed, or the pictures are not of the input's size.
        """
        ...


class _Requests:
    """The one inference request of a compiled model. Cameras take turns: what a request holds is tens of megabytes, and a look is
    never urgent.
    """

    def __init__(self, model: openvino.CompiledModel) -> None:
        self.model = model
        self._request = model.create_infer_request()
        self._turn = threading.Lock()

    @contextmanager
    def request(self) -> Iterator[openvino.InferRequest]:
        """Wait for it; it is this thread's until the end of the block."""
        with self._turn:
            yield self._request


def _compile(weights: Weights, device: str, shape: tuple[int, int, int, int], cache: Path | None) -> _Requests:
    path = locate(weights)
    try:
        core = openvino.Core()
        model = core.read_model(path)
        model.reshape(list(shape))
        return _Requests(core.compile_model(model, device, _options(cache)))
    except RuntimeError as error:
        raise DetectorError(f"{weights.name} does not load on {device}: {str(error).splitlines()[0]}") from error


def _options(cache: Path | None) -> dict[str, str | int]:
    # Pinned, every worker's looks would be on the machine's first core, and wait for each other while others are idle.
    options: dict[str, str | int] = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": "NO"}
    if cache is not None:
        options["CACHE_DIR"] = str(cache)  # compiled once, read again by every worker's start
    return options


def _infer(request: openvino.InferRequest, inputs: Mapping[int | str, NDArray[np.uint8 | np.float32]], name: str) -> None:
    try:
        request.infer(inputs)
    except RuntimeError as error:
        raise DetectorError(f"{name} fails: {str(error).splitlines()[0]}: restart Privet, and see `privet doctor`") from error


class PedestrianDetector:
    """SSDLite over a MobileNet, trained on pedestrians; boxes come out non-maximum suppressed."""

    name = "pedestrian-ssdlite"
    input_px = (300, 300)

    def __init__(self, device: str, threshold: float, cache: Path | None = None) -> None:
        self._requests = _compile(PEDESTRIAN, device, (1, *self.input_px, 3), cache)
        self._threshold = threshold

    def find(self, pictures: NDArray[np.uint8]) -> list[Boxes]:
        found: list[Boxes] = []
        with self._requests.request() as request:
            for picture in pictures:
                _infer(request, {"image_tensor:0": np.ascontiguousarray(picture[None])}, self.name)
                scores = request.get_tensor("detection_scores:0").data[0]
                boxes = request.get_tensor("detection_boxes:0").data[0]
                kept = boxes[scores >= self._threshold]
                found.append(np.clip(kept[:, [1, 0, 3, 2]], 0.0, 1.0).astype(np.float32))
            return found


class NanoDetector:
    """NanoDet-g (R. Lyu, "NanoDet: super fast and high accuracy lightweight anchor-free object detection", 2020), trained on COCO:
    people in every posture, cut off by furniture, and far away. Boxes are distributions over distances (Li et al., "Generalized focal
    loss", 2020).
    """

    name = "nanodet"
    input_px = (416, 416)

    def __init__(self, device: str, threshold: float, cache: Path | None = None) -> None:
        self._requests = _compile(NANODET, device, (1, 3, *self.input_px), cache)
        self._threshold = threshold

    def find(self, pictures: NDArray[np.uint8]) -> list[Boxes]:
        with self._requests.request() as request:
            found: list[Boxes] = []
            for picture in pictures:
                _infer(request, {"input_1:0": normalised_bgr(picture)}, self.name)
                maps = [
                    (request.get_tensor(f"Identity{score}:0").data[0, :, PERSON_OF_COCO], request.get_tensor(f"Identity_{side}:0").data[0])
                    for score, side in (("", 3), ("_1", 4), ("_2", 5))
                ]
                boxes = [
                    decode_distances(scores, sides, stride, self._threshold, self.input_px)
                    for (scores, sides), stride in zip(maps, NANODET_STRIDES, strict=True)
                ]
                found.append(without_nested(np.concatenate(boxes)))
            return found


PERSON_OF_COCO = 0
NANODET_STRIDES = (8, 16, 32)
BGR_MEAN = (103.53, 116.28, 123.675)
BGR_DEVIATION = (57.375, 57.12, 58.395)


def normalised_bgr(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Shape (1, 3, height, width): blue, green, red about 0, as NanoDet was trained. picture: (height, width, 3) RGB."""
    out = np.empty((1, 3, *picture.shape[:2]), np.float32)
    for channel, (mean, deviation) in enumerate(zip(BGR_MEAN, BGR_DEVIATION, strict=True)):
        np.multiply(picture[..., 2 - channel], np.float32(1 / deviation), out=out[0, channel])
        out[0, channel] -= np.float32(mean / deviation)
    return out


def decode_distances(
    scores: NDArray[np.float32], sides: NDArray[np.float32], stride_px: int, threshold: float, input_px: tuple[int, int]
) -> Boxes:
    """Boxes from one of NanoDet's maps, whose cells go row by row.

    scores: (cells,). sides: (cells, 4 n), for left, top, right and bottom the logits of n distances from the cell's middle, in strides. The
    distance is their mean.
    """
    cells = np.flatnonzero(scores >= threshold)
    logits = sides[cells].reshape(len(cells), 4, sides.shape[1] // 4)
    weight = np.exp(logits - logits.max(axis=2, keepdims=True))
    distance = (weight @ np.arange(logits.shape[2], dtype=np.float32)) / weight.sum(axis=2) * stride_px
    rows, columns = np.divmod(cells, -(-input_px[1] // stride_px))
    x, y = (columns + 0.5) * stride_px, (rows + 0.5) * stride_px
    boxes = np.stack([x - distance[:, 0], y - distance[:, 1], x + distance[:, 2], y + distance[:, 3]], axis=1)
    scaled: Boxes = np.clip(boxes / np.array([input_px[1], input_px[0]] * 2), 0.0, 1.0).astype(np.float32)
    return scaled


def without_nested(boxes: Boxes) -> Boxes:
    """Those boxes that lie in no other. Unlike suppression by overlap this loses no area."""
    if len(boxes) < 2:
        return boxes
    boxes = np.unique(boxes, axis=0)
    inside: NDArray[np.bool_] = np.logical_and(
        (boxes[:, None, :2] >= boxes[None, :, :2]).all(axis=2), (boxes[:, None, 2:] <= boxes[None, :, 2:]).all(axis=2)
    )
    np.fill_diagonal(inside, False)
    return boxes[~inside.any(axis=1)]


class FaceDetector:
    """CenterFace (Xu et al., "CenterFace: joint face detection and alignment using face as point", 2019); boxes grow to a body."""

    name = "centerface"
    input_px = (320, 320)

    def __init__(self, device: str, threshold: float, cache: Path | None = None) -> None:
        self._requests = _compile(CENTERFACE, device, (1, 3, *self.input_px), cache)
        self._threshold = threshold

    def find(self, pictures: NDArray[np.uint8]) -> list[Boxes]:
        with self._requests.request() as request:
            found: list[Boxes] = []
            for picture in pictures:
                _infer(request, {"input.1": np.ascontiguousarray(picture.transpose(2, 0, 1)[None], dtype=np.float32)}, self.name)
                heat, size = request.get_tensor("537").data[0, 0], request.get_tensor("538").data[0]
                offset = request.get_tensor("539").data[0]
                found.append(bodies_of_faces(decode_faces(heat, size, offset, self._threshold, self.input_px)))
            return found


def decode_faces(
    heat: NDArray[np.float32], size: NDArray[np.float32], offset: NDArray[np.float32], threshold: float, input_px: tuple[int, int]
) -> Boxes:
    """Faces from CenterFace's maps: heat (h, w), log size and offset (2, h, w; y first), at a quarter of the input's resolution.

    No suppression of overlaps: nobody counts faces here, and a box too many only keeps a block flat.
    """
    rows, columns = np.nonzero(heat >= threshold)
    height = np.exp(size[0, rows, columns]) * 4
    width = np.exp(size[1, rows, columns]) * 4
    centre_y = (rows + offset[0, rows, columns] + 0.5) * 4
    centre_x = (columns + offset[1, rows, columns] + 0.5) * 4
    boxes = np.stack([centre_x - width / 2, centre_y - height / 2, centre_x + width / 2, centre_y + height / 2], axis=1)
    scaled: Boxes = np.clip(boxes / np.array([input_px[1], input_px[0]] * 2), 0.0, 1.0).astype(np.float32)
    return scaled


def bodies_of_faces(faces: Boxes) -> Boxes:
    """Where the body under each face is, standing or seated: three faces wide, seven and a half tall.

    It is not cut at the view's edge: the body of a face at the bottom of one view lies in the next.
    """
    if not len(faces):
        return faces
    width, height = faces[:, 2] - faces[:, 0], faces[:, 3] - faces[:, 1]
    centre = (faces[:, 0] + faces[:, 2]) / 2
    half = width * FACE_WIDTHS_IN_SHOULDERS / 2
    bodies = np.stack(
        [centre - half, faces[:, 1] - 0.3 * height, centre + half, faces[:, 1] + FACE_HEIGHTS_IN_A_BODY * height], axis=1
    )
    return bodies.astype(np.float32)


class OwnDetector:
    """A site's own model (privet.detect.own)."""

    name = "own-model"

    def __init__(self, own: OwnModel, device: str, threshold: float, cache: Path | None = None) -> None:
        """Check and load it.

        Raises:
            DetectorError: it is not what a detector of people must be, or does not load.
        """
        self.input_px = own.input_px
        self._own, self._threshold, self._person = own, threshold, check_classes(own)
        check_file(own)
        try:
            core = openvino.Core()
            model = core.read_model(own.path)
            self._colours_first = check_input(own, _ports(model.inputs))
            model.reshape([1, 3, *own.input_px] if self._colours_first else [1, *own.input_px, 3])
            self._outputs = len(model.outputs)
            self._answers = check_outputs(own, _ports(model.outputs))
            self._requests = _Requests(core.compile_model(model, device, _options(cache)))
        except RuntimeError as error:
            raise DetectorError(f"{own.path} does not load on {device}: {str(error).splitlines()[0]}") from error

    def find(self, pictures: NDArray[np.uint8]) -> list[Boxes]:
        with self._requests.request() as request:
            found: list[Boxes] = []
            for picture in pictures:
                if picture.shape[:2] != self.input_px:
                    height, width = picture.shape[:2]
                    raise DetectorError(f"{self.name} fails: a picture of {height} x {width}, expected {self.input_px}")
                _infer(request, {0: layout(picture, self._colours_first, self._own)}, self.name)
                tensors = [request.get_output_tensor(number).data.astype(np.float32) for number in range(self._outputs)]
                found.append(without_nested(read_answers(self._own, self._answers, tensors, self._person, self._threshold)))
            return found


def _ports(ports: Sequence[openvino.Output]) -> list[Port]:
    found = []
    for port in ports:
        shape, name = port.partial_shape, min(port.names, default="")
        sides = [shape[i] for i in range(len(shape))] if shape.rank.is_static else []
        found.append(Port(name, tuple(side.get_length() if side.is_static else None for side in sides)))
    return found


INPUTS_PX = (PedestrianDetector.input_px, NanoDetector.input_px, FaceDetector.input_px)
"""(height, width) of the input of each detector that Privet brings, in the order of `load_detectors`."""


def inputs_px(own: OwnModel | None = None) -> tuple[tuple[int, int], ...]:
    """(height, width) of each detector's input, in the order of `load_detectors`, before any is loaded."""
    return INPUTS_PX if own is None else (*INPUTS_PX, own.input_px)


def load_detectors(device: str, threshold: float, cache: Path | None = None, own: OwnModel | None = None) -> tuple[Detector, ...]:
    """Every detector, ready. cache: a directory for compiled models, filled by the first call. own: the site's own model, one more.

    The scores of different models are not comparable, so each makes of the site's threshold what it is worth (docs/ref/models.md).

    Raises:
        DetectorError: one of them does not load; then nothing may be promoted.
    """
    brought: tuple[Detector, ...] = (
        PedestrianDetector(device, threshold, cache),
        NanoDetector(device, threshold, cache),
        FaceDetector(device, max(threshold, 0.25), cache),
    )
    return brought if own is None else (*brought, OwnDetector(own, device, threshold, cache))
