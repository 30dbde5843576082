"""Who may import whom: the table of docs/design/house.md as data, held against the real imports.

Belongs here: rules over the import graph. Rules over what stands inside the files are in test_source.py.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSE = ROOT / "docs" / "design" / "house.md"

EVERYTHING = frozenset({"*"})
NOTHING: frozenset[str] = frozenset()

# What a room may import besides core. The table of docs/design/house.md says the same; a test below compares the two.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "config": NOTHING,
    "ingest": NOTHING,
    "scene": NOTHING,
    "detect": NOTHING,
    "render": NOTHING,
    "record": NOTHING,
    "live": NOTHING,
    "index": NOTHING,
    "api": frozenset({"index", "live", "record", "render", "config"}),
    "runtime": EVERYTHING,
    "cli": EVERYTHING,
}

# Where a live frame may be named, and where the rooms that hold live frames may be put together.
NAMES_LIVE_FRAMES = (
    "privet.ingest.*",
    "privet.scene.*",
    "privet.detect.*",
    "privet.runtime.worker*",
    "privet.runtime.camera*",
    "privet.runtime.narrator*",
    "privet.runtime.probe*",
    "privet.runtime.mask*",
)
COMPOSES_LIVE_ROOMS = NAMES_LIVE_FRAMES[3:]

# What must not be in reach of the process that records, serves and shows.
NOT_IN_MAIN_PROCESS = ("privet.core.frame", "privet.ingest", "privet.scene", "privet.detect", "av", "openvino")


@pytest.fixture(scope="session")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("privet", include_external_packages=True, cache_dir=None)


def room(module: str) -> str:
    """The room a module stands in; '' for the package itself and for modules beside the rooms."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "privet" and parts[1] != "__main__" else ""


def within(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def named(module: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(module, pattern) or fnmatch(module + ".", pattern) for pattern in patterns)


def privet_modules(graph: grimp.ImportGraph) -> list[str]:
    return sorted(module for module in graph.modules if within(module, ["privet"]))


def edges(graph: grimp.ImportGraph) -> Iterator[tuple[str, str]]:
    for importer in privet_modules(graph):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            yield importer, imported


def closure(graph: grimp.ImportGraph, start: str) -> dict[str, str]:
    """What importing `start` can bring in, each with the module that brought it; imports inside functions count too."""
    reached = {start: ""}
    pending = [start]
    while pending:
        module = pending.pop()
        if not within(module, ["privet"]):
            continue
        parents = [module.rsplit(".", 1)[0]] if "." in module else []
        for imported in sorted([*graph.find_modules_directly_imported_by(module), *parents]):
            if imported not in reached:
                reached[imported] = module
                pending.append(imported)
    return reached


def chain(reached: dict[str, str], module: str) -> str:
    path = [module]
    while reached[path[-1]]:
        path.append(reached[path[-1]])
    return " <- ".join(path)


def forbidden_in(graph: grimp.ImportGraph, start: str, forbidden: Iterable[str]) -> list[str]:
    reached = closure(graph, start)
    return [chain(reached, module) for module in sorted(reached) if within(module, forbidden)]


# ---- the table


def house_table() -> dict[str, frozenset[str]]:
    """Read docs/design/house.md's table of rooms: room -> rooms it may import."""
    text = HOUSE.read_text(encoding="utf-8")
    table = text[text.index("| room | imports") :].split("\n\n", 1)[0]
    rooms: dict[str, frozenset[str]] = {}
    for line in table.splitlines()[2:]:
        left, right = (cell.strip() for cell in line.strip("|").split("|"))
        names = [name.strip() for name in left.split(",")]
        if right == "nothing":
            allowed = NOTHING
        elif right.startswith("everything") or "whatever a command needs" in right:
            allowed = EVERYTHING
        else:
            allowed = frozenset(re.findall(r"[a-z]+", re.sub(r"\([^)]*\)", "", right)))
        rooms.update(dict.fromkeys(names, allowed))
    return rooms


def test_the_page_and_the_rules_say_the_same() -> None:
    assert house_table() == MAY_IMPORT


def test_every_room_has_a_rule(graph: grimp.ImportGraph) -> None:
    rooms = {room(module) for module in privet_modules(graph)}
    assert rooms - {"", "core"} <= set(MAY_IMPORT), "a new room needs a line in docs/design/house.md and here"


def test_rooms_import_what_they_may(graph: grimp.ImportGraph) -> None:
    seen = 0
    wrong = []
    for importer, imported in edges(graph):
        here, there = room(importer), room(imported)
        if not here or not there or here == there:
            continue
        seen += 1
        allowed = MAY_IMPORT.get(here, NOTHING)
        if there != "core" and allowed is not EVERYTHING and there not in allowed:
            wrong.append(f"{importer} imports {imported}")
    assert seen, "no import between rooms was found: the graph is empty"
    assert not wrong, "\n".join(wrong)


def test_core_imports_no_room(graph: grimp.ImportGraph) -> None:
    wrong = [f"{importer} imports {imported}" for importer, imported in edges(graph)
             if room(importer) == "core" and room(imported) not in {"", "core"}]
    assert not wrong, "\n".join(wrong)


def test_no_cycles_between_rooms(graph: grimp.ImportGraph) -> None:
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for importer, imported in edges(graph):
        if room(importer) and room(imported) and room(importer) != room(imported):
            sorter.add(room(importer), room(imported))
    sorter.prepare()  # raises CycleError, which names the cycle


# ---- live pixels


def test_only_these_name_a_live_frame(graph: grimp.ImportGraph) -> None:
    importers = graph.find_modules_that_directly_import("privet.core.frame")
    assert importers, "nobody imports core.frame: the rule watches a name that is not used"
    assert not [module for module in sorted(importers) if not named(module, NAMES_LIVE_FRAMES)]


def test_only_the_worker_puts_live_rooms_together(graph: grimp.ImportGraph) -> None:
    wrong = [
        f"{importer} imports {imported}"
        for importer, imported in edges(graph)
        if room(imported) in {"ingest", "scene", "detect"} and room(importer) != room(imported)
        and not named(importer, COMPOSES_LIVE_ROOMS)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["render", "record", "live", "api", "index", "config"])
def test_rooms_that_never_reach_a_live_frame(graph: grimp.ImportGraph, name: str) -> None:
    modules = [module for module in privet_modules(graph) if within(module, [f"privet.{name}"])]
    assert modules
    forbidden = ("privet.core.frame", "privet.ingest", "privet.scene", "privet.detect")
    found = [line for module in modules for line in forbidden_in(graph, module, forbidden)]
    assert not found, "\n".join(found)


def test_the_main_process_never_reaches_a_live_frame(graph: grimp.ImportGraph) -> None:
    found = forbidden_in(graph, "privet.runtime.serve", NOT_IN_MAIN_PROCESS)
    assert not found, "\n".join(found)


def test_the_running_main_process_holds_none_of_it() -> None:
    code = "import sys, privet.runtime.serve; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    modules = done.stdout.splitlines()
    assert "privet.runtime.serve" in modules
    assert not [module for module in modules if within(module, NOT_IN_MAIN_PROCESS)]


def test_the_rules_notice_what_they_forbid() -> None:
    """Each rule fails on a graph that breaks it."""
    graph = grimp.build_graph("privet", include_external_packages=True, cache_dir=None)
    graph.add_import(importer="privet.core.reader", imported="privet.ingest")
    assert forbidden_in(graph, "privet.core.clock", ["privet.ingest"]) == []
    assert "privet.ingest <- privet.core.reader" in forbidden_in(graph, "privet.core.reader", ["privet.ingest"])
    with pytest.raises(AssertionError, match=r"privet\.core\.reader imports privet\.ingest"):
        test_core_imports_no_room(graph)
    with pytest.raises(AssertionError, match=r"privet\.core\.reader imports privet\.ingest"):
        test_only_the_worker_puts_live_rooms_together(graph)
    graph.add_import(importer="privet.record", imported="privet.live")
    with pytest.raises(AssertionError, match=r"privet\.record imports privet\.live"):
        test_rooms_import_what_they_may(graph)
    graph.add_import(importer="privet.record", imported="privet.core.frame")
    with pytest.raises(AssertionError, match=r"privet\.record"):
        test_only_these_name_a_live_frame(graph)
    with pytest.raises(AssertionError, match=r"privet\.core\.frame <- privet\.record"):
        test_rooms_that_never_reach_a_live_frame(graph, "record")
