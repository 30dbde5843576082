"""The scene stream's vectors, through the Python reader. The TypeScript reader runs the same files."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from vectors import make

from privet.core import wire
from privet.core.errors import WireError
from privet.core.grid import Grid
from privet.core.pb import scene_pb2 as pb
from privet.core.reader import SceneView, follow
from privet.core.scene import Background, Cover, Light, Patch, Scene, State
from privet.pipe import framing

VECTORS = Path(make.__file__).parent
Json = dict[str, Any]

# What the error says, for each reason a vector gives.
SAYS = {
    "malformed": "not a scene message",
    "head": "head without|not a scene message",
    "time": "1970|in order, and 0",
    "grid": "block size|picture size",
    "bitmap": "bitmap",
    "image": "has an image exactly|no image or no promoted",
    "format": "not a valid ImageFormat",
    "no-grid": "no grid is known",
    "rectangle": "rectangle",
    "duration": "duration",
    "cells": "cells",
    "enumeration": "not a valid (Condition|Reason)",
    "counts": "blocks of",
}


def cases(name: str) -> list[Json]:
    loaded: Json = json.loads((VECTORS / "scene-stream" / f"{name}.json").read_text())
    found: list[Json] = loaded["cases"]
    return found


def by_name(case: Json) -> str:
    return str(case["name"])


def grid_of(value: Json | None) -> Grid | None:
    return None if value is None else Grid(value["width_px"], value["height_px"], value["block_px"], value["epoch"])


def grid_json(grid: Grid | None) -> Json | None:
    if grid is None:
        return None
    return {"width_px": grid.width_px, "height_px": grid.height_px, "block_px": grid.block_px, "epoch": grid.epoch}


def rows_of(blocks: np.ndarray[Any, np.dtype[np.bool_]]) -> list[str]:
    return ["".join("#" if block else "." for block in row) for row in blocks]


def as_json(scene: Scene) -> Json:
    head = {"session": str(scene.head.session), "sequence": str(scene.head.sequence), "wall_ns": str(scene.head.wall_ns)}
    match scene:
        case Background():
            return {
                "kind": "background", "head": head, "grid": grid_json(scene.grid), "proven": rows_of(scene.proven),
                "format": scene.format.name.lower(), "image": scene.image.hex(),
                "oldest_wall_ns": str(scene.oldest_wall_ns), "newest_wall_ns": str(scene.newest_wall_ns),
            }
        case Patch():
            return {
                "kind": "patch", "head": head, "epoch": scene.epoch, "column": scene.column, "row": scene.row,
                "promoted": rows_of(scene.promoted), "format": scene.format.name.lower(), "image": scene.image.hex(),
            }
        case Cover():
            return {
                "kind": "cover", "head": head, "epoch": scene.epoch, "duration_ns": str(scene.duration_ns),
                "covered": rows_of(scene.covered),
            }
        case Light():
            return {
                "kind": "light", "head": head, "epoch": scene.epoch, "gain": scene.gain.tolist(),
                "offset": scene.offset.tolist(),
            }
        case State():
            return {
                "kind": "state", "head": head, "condition": scene.condition.name.lower(), "reason": scene.reason.name.lower(),
                "cover_until_wall_ns": str(scene.cover_until_wall_ns), "grid": grid_json(scene.grid),
                "proven_blocks": scene.proven_blocks, "blind_blocks": scene.blind_blocks,
            }


def test_files_are_what_the_generator_writes() -> None:
    for name, content in make.contents().items():
        assert (VECTORS / name).read_bytes() == content, f"{name}: run `python -m vectors.make`"


def test_there_are_enough_cases_of_either_kind() -> None:
    messages = cases("messages")
    assert len(messages) >= 60
    assert sum("rejected" in case for case in messages) >= 40
    assert {case["rejected"] for case in messages if "rejected" in case} == set(SAYS)
    assert len({case["name"] for case in messages}) == len(messages)


@pytest.mark.parametrize("case", [case for case in cases("messages") if "decoded" in case], ids=by_name)
def test_good_message(case: Json) -> None:
    scene = wire.decode(bytes.fromhex(case["message"]), grid_of(case["grid"]))
    assert scene is not None
    assert as_json(scene) == case["decoded"]
    # And what this version writes for it reads back as the same.
    again = wire.decode(wire.encode(scene), grid_of(case["grid"]))
    assert again is not None
    assert as_json(again) == case["decoded"]


@pytest.mark.parametrize("case", [case for case in cases("messages") if "skipped" in case], ids=by_name)
def test_skipped_message(case: Json) -> None:
    assert wire.decode(bytes.fromhex(case["message"]), grid_of(case["grid"])) is None


@pytest.mark.parametrize("case", [case for case in cases("messages") if "rejected" in case], ids=by_name)
def test_rejected_message(case: Json) -> None:
    with pytest.raises(WireError) as raised:
        wire.decode(bytes.fromhex(case["message"]), grid_of(case["grid"]))
    assert re.search(SAYS[case["rejected"]], str(raised.value)), raised.value


def sequence_of(part: Background | Light | Cover | State | None) -> str | None:
    return None if part is None else str(part.head.sequence)


def view_json(view: SceneView) -> Json:
    return {
        "session": None if view.head is None else str(view.head.session),
        "sequence": None if view.head is None else str(view.head.sequence),
        "grid": grid_json(view.grid),
        "background": sequence_of(view.background),
        "patches": [str(patch.head.sequence) for patch in view.patches],
        "light": sequence_of(view.light),
        "cover": sequence_of(view.cover),
        "state": sequence_of(view.state),
        "covered_until_wall_ns": str(view.covered_until_wall_ns()),
    }


@pytest.mark.parametrize("case", cases("readers"), ids=by_name)
def test_reader(case: Json) -> None:
    view = SceneView()
    rejected, skipped = [], []
    for place, message in enumerate(case["messages"]):
        try:
            scene = wire.decode(bytes.fromhex(message), view.grid)
        except WireError:
            rejected.append(place)
            continue
        if scene is None:
            skipped.append(place)
        else:
            view = follow(view, scene)
    assert (view_json(view), rejected, skipped) == (case["view"], case["rejected"], case["skipped"])


@pytest.mark.parametrize("case", [case for case in cases("framing") if case["framing"] == "uint32"], ids=by_name)
def test_pipe_framing(case: Json) -> None:
    read: list[str] = []
    end = "clean"
    try:
        read.extend(body.hex() for body in framing.read_bodies(io.BytesIO(bytes.fromhex(case["stream"]))))
    except WireError:
        end = "refused"
    assert read == case["messages"][: len(read)]
    assert (end == "clean") == (case["end"] == "clean")


def delimited(stream: bytes) -> tuple[list[str], str]:
    """The specification's rules for a varint-delimited run, by hand: there is no Python reader of it to test."""
    messages: list[str] = []
    at = 0
    while at < len(stream):
        length = shift = 0
        while True:
            if shift == 70:
                return messages, "bad"
            if at == len(stream):
                return messages, "torn"
            length |= (stream[at] & 0x7F) << shift
            shift += 7
            at += 1
            if stream[at - 1] < 0x80:
                break
        if length > wire.MAX_MESSAGE_BYTES:
            return messages, "bad"
        if at + length > len(stream):
            return messages, "torn"
        messages.append(stream[at : at + length].hex())
        at += length
    return messages, "clean"


@pytest.mark.parametrize("case", [case for case in cases("framing") if case["framing"] == "varint"], ids=by_name)
def test_length_delimited_framing(case: Json) -> None:
    assert delimited(bytes.fromhex(case["stream"])) == (case["messages"], case["end"])


def test_camera_message() -> None:
    (case,) = (case for case in cases("framing") if case["framing"] == "camera")
    message = pb.CameraMessage.FromString(bytes.fromhex(case["stream"]))
    assert message.camera == case["camera"]
    assert message.scene == pb.SceneMessage.FromString(bytes.fromhex(case["messages"][0]))
    with pytest.raises(DecodeError):
        pb.CameraMessage.FromString(bytes.fromhex(case["stream"])[:-1])
