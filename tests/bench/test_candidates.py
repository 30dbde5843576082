"""What the candidates' answers are made into, with plain numbers. Their weights are fetched by the bench alone."""

from __future__ import annotations

import numpy as np
import pytest
from bench.candidates import anchors, decode, needed, packed_model, plain, shapes
from scripts.fetch_models import FetchError, Json


def test_anchors_lie_in_their_cells() -> None:
    places = anchors()
    assert places.shape == (1917, 4)
    assert places[0].tolist() == pytest.approx([0.5 / 19, 0.5 / 19, 0.1, 0.1])
    assert places[-1, :2].tolist() == [0.5, 0.5]
    assert places[1].tolist() == pytest.approx([0.5 / 19, 0.5 / 19, 0.2 / 2**0.5, 0.2 * 2**0.5])  # twice as wide as tall
    assert [len(shapes(level)) for level in range(6)] == [3, 6, 6, 6, 6, 6]


def test_a_box_is_read_off_its_anchor() -> None:
    places = np.array([[0.5, 0.4, 0.2, 0.1], [0.5, 0.4, 0.2, 0.1]], np.float32)
    encodings = np.array([[1.0, -2.0, 5 * np.log(2), 0.0], [0, 0, 0, 0]], np.float32)
    found = decode(encodings, np.array([2.0, -2.0], np.float32), places, 0.5)
    # The middle is 0.02 lower and 0.02 to the left, and it is twice as tall.
    assert found.tolist() == [pytest.approx([0.33, 0.32, 0.43, 0.72])]


def test_boxes_are_cut_at_the_edge_of_the_view() -> None:
    found = decode(np.zeros((1, 4), np.float32), np.array([9.0], np.float32), np.array([[0.0, 1.0, 0.4, 0.4]], np.float32), 0.5)
    assert found.tolist() == [pytest.approx([0.8, 0.0, 1.0, 0.2])]


def test_only_what_the_outputs_need_is_kept() -> None:
    nodes: dict[str, dict[str, Json]] = {
        "loop": {"name": "loop", "op": "Loop", "input": []},
        "start": {"name": "start", "op": "Sub", "input": ["loop"]},
        "weights": {"name": "weights", "op": "Const"},
        "out": {"name": "out", "op": "Conv2D", "input": ["start:0", "^weights"]},
        "other": {"name": "other", "op": "Conv2D", "input": ["start"]},
    }
    assert needed(nodes, ("out",), "start") == {"out", "start", "weights"}
    assert nodes["start"]["op"] == "Placeholder"


def test_an_older_converter_s_json() -> None:
    assert plain({"dtype": {"type": 1}, "padding": {"s": ["83", "65"]}}) == {"dtype": {"type": "DT_FLOAT"}, "padding": {"s": "U0E="}}


def test_a_packed_file_without_a_model_is_refused() -> None:
    assert packed_model({"a": bytes(188) + b"TFL3rest"}) == bytes(4) + b"TFL3rest"
    with pytest.raises(FetchError, match=r"no \.tflite"):
        packed_model({"a": bytes(400)})
