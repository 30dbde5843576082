"""A site's own model: an ONNX or OpenVINO file that the configuration names, checked when it is loaded.

Belongs here: what such a model must look like, and reading its answers. Does not belong here: loading and running it (openvino). It is
one detector more: it can forbid that a block becomes background and can never allow it.

Two forms of answers are read. *Boxes and scores*, as SSD and torchvision export them: boxes (n, 4), scores (n,), labels (n,), with or
without a leading 1, named so that `box`, `score` and `label` (or `class`) occur in the names. *One tensor*, as YOLO since version 8
exports it: (1, 4 + classes, n), middle and size in pixels of the input, then a score for each class.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from privet.core.errors import DetectorError

Boxes = NDArray[np.float32]
InputScale = Literal["0-1", "0-255"]
Corners = Literal["pixels", "fractions", "fractions-y-first"]

PERSON = "person"
SUFFIXES = frozenset({".xml", ".onnx"})
IDENTIFIES = re.compile(
    r"identit|embedding|face.?id|recogni|biometric|gait|\bre.?id|gender|\bsex\b|\bage\b|\b(fe)?male\b|\b(wo)?man\b|emotion|ethnic|"
    r"\brace\b|(licen[cs]e|number).?plate|\bplate\b|fingerprint|\biris\b|\bname\b",
    re.I,
)
"""Words of classes and outputs of models that tell people apart or describe them."""


@dataclass(frozen=True, slots=True)
class OwnModel:
    """What the site says of its model."""

    path: Path
    input_px: tuple[int, int]               # height, width
    classes: tuple[str, ...]                # by label
    scale: InputScale = "0-1"               # of the input's red, green and blue
    corners: Corners = "pixels"             # what the boxes of the first form are in


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a model: a name, and a shape in which None is a side that is not fixed."""

    name: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """Which output is what. `single` is the one tensor; otherwise boxes and scores, and labels if there are several classes."""

    single: int | None = None
    boxes: int = 0
    scores: int = 0
    labels: int | None = None


def check_classes(own: OwnModel) -> int:
    """The label of `person`.

    Raises:
        DetectorError: it is not among the classes, or one of them is about who somebody is.
    """
    for name in own.classes:
        if IDENTIFIES.search(name.replace("_", " ")):
            raise DetectorError(f"{own.path}: class {name!r} tells people apart or describes them: Privet runs no such model")
    if PERSON not in own.classes:
        named = ", ".join(own.classes[:8]) or "none"
        raise DetectorError(f"{own.path}: no class is called {PERSON!r} (found: {named}): list the model's classes, in their order")
    return own.classes.index(PERSON)


def check_file(own: OwnModel) -> None:
    """Raise DetectorError unless the file is there and of a kind that is read."""
    if own.path.suffix not in SUFFIXES:
        raise DetectorError(f"{own.path}: a model of kind {own.path.suffix or 'none'!r}; take ONNX (.onnx) or OpenVINO (.xml)")
    if not own.path.is_file():
        raise DetectorError(f"{own.path} is not there: detect.own_model names it")


def check_input(own: OwnModel, inputs: Sequence[Port]) -> bool:
    """Whether the colours come first (n, 3, height, width) rather than last.

    Raises:
        DetectorError: not one picture of three colours and the size that the site says.
    """
    if len(inputs) != 1:
        raise DetectorError(f"{own.path}: {len(inputs)} inputs ({_names(inputs)}), expected one picture")
    shape, (height, width) = inputs[0].shape, own.input_px
    for first, wanted in ((True, (1, 3, height, width)), (False, (1, height, width, 3))):
        if len(shape) == 4 and all(side is None or side == want for side, want in zip(shape, wanted, strict=True)):
            if shape[1 if first else 3] is None:
                continue
            return first
    raise DetectorError(
        f"{own.path}: input {inputs[0].name!r} is {_shape(shape)}, expected 1 x 3 x {height} x {width} or 1 x {height} x {width} x 3: "
        "set detect.own_model_height_px and detect.own_model_width_px, or export it for one picture"
    )


def check_outputs(own: OwnModel, outputs: Sequence[Port]) -> Answers:
    """Which output is what.

    Raises:
        DetectorError: they are of neither form, or one is not needed to find people.
    """
    for port in outputs:
        if IDENTIFIES.search(port.name.replace("_", " ")):
            raise DetectorError(f"{own.path}: output {port.name!r} tells people apart or describes them: Privet runs no such model")
    if len(outputs) == 1:
        shape, wanted = outputs[0].shape, 4 + len(own.classes)
        if len(shape) == 3 and shape[0] in (1, None) and shape[1] == wanted:
            return Answers(single=0)
        raise DetectorError(
            f"{own.path}: output {outputs[0].name!r} is {_shape(shape)}, expected 1 x {wanted} x n "
            f"(a box and {len(own.classes)} classes)"
        )
    kinds = {"boxes": r"box", "scores": r"score|conf", "labels": r"label|class"}
    found: dict[str, int] = {}
    for number, port in enumerate(outputs):
        kind = next((kind for kind, pattern in kinds.items() if re.search(pattern, port.name, re.I) and kind not in found), None)
        if kind is None:
            raise DetectorError(f"{own.path}: output {port.name!r} is neither boxes nor scores nor labels: export it without")
        rank = len(port.shape) - (kind == "boxes")
        if rank not in (1, 2) or (kind == "boxes" and port.shape[-1] not in (4, None)):
            raise DetectorError(f"{own.path}: output {port.name!r} is {_shape(port.shape)}, which cannot be read as {kind}")
        found[kind] = number
    if missing := {"boxes", "scores"} - set(found):
        raise DetectorError(f"{own.path}: no output is called {' or '.join(sorted(missing))} (found: {_names(outputs)})")
    if "labels" not in found and len(own.classes) > 1:
        raise DetectorError(f"{own.path}: {len(own.classes)} classes and no output with labels (found: {_names(outputs)})")
    return Answers(boxes=found["boxes"], scores=found["scores"], labels=found.get("labels"))


def read_answers(own: OwnModel, answers: Answers, tensors: Sequence[NDArray[np.float32]], person: int, threshold: float) -> Boxes:
    """People: float32 (k, 4), left, top, right, bottom in fractions of the input.

    Raises:
        DetectorError: the tensors are not of one length.
    """
    height, width = own.input_px
    pixels = np.array([width, height, width, height], np.float32)
    if answers.single is not None:
        cells = tensors[answers.single][0]
        kept = cells[:4, cells[4 + person] >= threshold].T
        return _clipped(np.concatenate([kept[:, :2] - kept[:, 2:] / 2, kept[:, :2] + kept[:, 2:] / 2], axis=1) / pixels)
    boxes = tensors[answers.boxes].reshape(-1, 4)
    scores = tensors[answers.scores].reshape(-1)
    is_person = np.ones(len(scores), np.bool_) if answers.labels is None else tensors[answers.labels].reshape(-1).round() == person
    if not len(boxes) == len(scores) == len(is_person):
        raise DetectorError(f"{own.path}: {len(boxes)} boxes, {len(scores)} scores and {len(is_person)} labels do not belong together")
    kept = boxes[(scores >= threshold) & is_person].astype(np.float32)
    if own.corners == "pixels":
        return _clipped(kept / pixels)
    return _clipped(kept[:, [1, 0, 3, 2]] if own.corners == "fractions-y-first" else kept)


def _clipped(boxes: NDArray[np.floating]) -> Boxes:
    clipped: Boxes = np.clip(boxes, 0.0, 1.0).astype(np.float32)
    return clipped


def layout(picture: NDArray[np.uint8], colours_first: bool, own: OwnModel) -> NDArray[np.float32]:
    """A picture (height, width, 3) as the model's input."""
    scaled = picture.astype(np.float32) / np.float32(255.0 if own.scale == "0-1" else 1.0)
    return np.ascontiguousarray((scaled.transpose(2, 0, 1) if colours_first else scaled)[None])


def _names(ports: Sequence[Port]) -> str:
    return ", ".join(port.name for port in ports) or "none"


def _shape(shape: Sequence[int | None]) -> str:
    return " x ".join("?" if side is None else str(side) for side in shape) or "a single number"
