"""No model that tells people apart: every weight file that can be loaded is listed, and nothing else can be.

Belongs here: comparing docs/ref/models.md with the code, and with what is installed. How good the detectors are is measured elsewhere.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import openvino
import pytest

from privet.detect.weights import ALL_WEIGHTS, Weights, locate

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "privet"

# Ways in which a runtime is handed weights. Only detect may use them, on files that `locate` has verified.
LOADERS = {"read_model", "compile_model", "InferenceSession", "Interpreter", "readNet", "readNetFromONNX", "load_model", "from_pretrained"}

# Packages that recognise, re-identify or describe people, or that fetch weights by themselves.
UNWANTED = re.compile(
    r"insightface|deepface|face.?recognition|facenet|arcface|dlib|retinaface|\bre-?id\b|torchreid|fast.?reid|opengait|gait|"
    r"easyocr|paddleocr|openalpr|fast.?alpr|fast.?plate|\bfer\b|huggingface|ultralytics|transformers|timm|speechbrain|pyannote",
    re.I,
)

WEIGHT_SUFFIXES = {".onnx", ".pb", ".tflite", ".pt", ".pth", ".safetensors", ".h5", ".caffemodel", ".weights"}


# What a weight file of ours may be for. Whose, who and what kind of person are not among it.
TASKS = re.compile(r"^finds (people|faces|80 classes of things)\b")
IDENTIFIES = re.compile(r"identif|embedding|recogni|re-?id|gender|\bage\b|emotion|gait|plate", re.I)


def page() -> str:
    return (ROOT / "docs" / "ref" / "models.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return page().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def table() -> list[tuple[str, ...]]:
    lines = [line for line in section("The weights").splitlines() if line.startswith("|")][2:]
    return [tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")) for line in lines]


def test_the_page_lists_every_weight_file() -> None:
    listed = [(w.name, f"{w.package} {w.version}", w.file, w.sha256, w.task, w.licence) for w in ALL_WEIGHTS]
    assert table() == listed


@pytest.mark.parametrize("weights", ALL_WEIGHTS, ids=lambda weights: weights.name)
def test_the_installed_file_is_the_listed_one(weights: Weights) -> None:
    path = locate(weights)
    assert path.stat().st_size > 100_000


def test_the_locks_hold_the_listed_versions() -> None:
    lock = (ROOT / "requirements" / "models.lock").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([^\s\\]+)", lock, re.M))
    assert pinned == {weights.package.replace("_", "-"): weights.version for weights in ALL_WEIGHTS if weights.registry == "python"}
    lock = (ROOT / "requirements" / "models-npm.lock").read_text("utf-8")
    npm = re.findall(r"^(@?[^@\s]+)@(\S+) sha512-[A-Za-z0-9+/]{86}==$", lock, re.M)
    assert dict(npm) == {weights.package: weights.version for weights in ALL_WEIGHTS if weights.registry == "npm"}
    assert "://" not in lock


def test_packages_of_the_npm_registry_are_explained() -> None:
    explained = (ROOT / "docs" / "design" / "dependencies.md").read_text("utf-8").partition("\n## npm: weights\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `([^`]+)` \|", explained, re.M))
    assert named == {weights.package for weights in ALL_WEIGHTS if weights.registry == "npm"}


@pytest.mark.parametrize("weights", ALL_WEIGHTS, ids=lambda weights: weights.name)
def test_no_weight_file_tells_people_apart(weights: Weights) -> None:
    """Its task is to find, its licence permissive, and what it puts out is scores and places, no vector to know a person by."""
    assert TASKS.search(weights.task)
    assert not IDENTIFIES.search(f"{weights.name} {weights.file} {weights.task}")
    assert {each.strip() for each in weights.licence.split(",")} <= {"MIT", "Apache-2.0"}
    outputs = openvino.Core().read_model(locate(weights)).outputs
    names = {name for output in outputs for name in output.names}
    assert names
    assert not [name for name in names if IDENTIFIES.search(name)]


def test_every_detector_has_its_figures_on_the_page() -> None:
    measured = re.findall(r"^\| ([a-z-]+) \|", section("How well they see"), re.M)
    assert [name for name in measured if name != "detector"] == [weights.name for weights in ALL_WEIGHTS]


def loader_calls(module: ast.Module) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and (node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")) in LOADERS
    ]


def test_only_detect_loads_weights() -> None:
    found = {
        path.relative_to(SOURCE).parts[0]
        for path in SOURCE.rglob("*.py")
        if loader_calls(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == {"detect"}


def test_detect_takes_its_files_from_the_list() -> None:
    """A file name ending like weights stands in the list and nowhere else in the source."""
    found = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and Path(node.value).suffix in WEIGHT_SUFFIXES:
                found.append((path.relative_to(SOURCE).as_posix(), node.value))
    assert sorted(found) == sorted(("detect/weights.py", weights.file) for weights in ALL_WEIGHTS)


def test_a_model_is_read_in_two_places_only() -> None:
    """Weights of ours after their hash was compared, and the site's own after its classes, input and outputs were."""
    tree = ast.parse((SOURCE / "detect" / "openvino.py").read_text(encoding="utf-8"))
    readers = {
        function.name: {name.id for name in ast.walk(function) if isinstance(name, ast.Name)}
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        and any(isinstance(call, ast.Attribute) and call.attr == "read_model" for call in ast.walk(function))
    }
    assert set(readers) == {"_compile", "__init__"}
    assert "locate" in readers["_compile"]
    assert {"check_classes", "check_file", "check_input", "check_outputs"} <= readers["__init__"]
    others = [path for path in SOURCE.rglob("*.py") if path.name != "openvino.py" and loader_calls(ast.parse(path.read_text("utf-8")))]
    assert others == []


def test_no_weights_lie_in_the_repository() -> None:
    places = [ROOT / name for name in ("src", "tests", "demo", "bench", "vectors", "docs", "scripts", "web/src", "web/public")]
    assert not [place for place in places if not any(place.iterdir())]
    assert not [path for place in places for path in place.rglob("*") if path.suffix in WEIGHT_SUFFIXES]


@pytest.mark.parametrize("name", ["runtime.lock", "dev.lock", "models.lock"])
def test_no_package_that_recognises_people_is_locked(name: str) -> None:
    names = re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements" / name).read_text(encoding="utf-8"), re.M)
    assert names
    assert not [package for package in names if UNWANTED.search(package)]


def test_no_web_package_that_recognises_people_is_locked() -> None:
    names = re.findall(r'"node_modules/([^"]+)": \{', (ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
    assert names
    assert not [package for package in names if UNWANTED.search(package)]


@pytest.mark.parametrize("name", ["insightface", "face-recognition", "torchreid", "easyocr", "deepface"])
def test_unwanted_packages_are_noticed(name: str) -> None:
    assert UNWANTED.search(name)
