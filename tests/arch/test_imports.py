"""Who may import whom: the table of docs/design/house.md as data, held against the real imports.

Belongs here: rules over the import graph. Rules over what stands inside the files are in test_source.py.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from copy import deepcopy
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
    "pipe": frozenset({"config"}),
    "worker": frozenset({"config", "ingest", "scene", "detect", "pipe"}),
    "main": frozenset({"api", "config", "index", "live", "pipe", "record"}),
    "cli": EVERYTHING,
}

# A name below is a package or a module, and stands for itself and for all that lies in it. Each must exist and be needed.

# The rooms that see live frames, and the type of one.
LIVE_ROOMS = ("privet.ingest", "privet.scene", "privet.detect")
LIVE_FRAME = "privet.core.frame"

# What puts live rooms together: the worker.
COMPOSES_LIVE_ROOMS = ("privet.worker",)

# Rooms that no live frame can reach, and the module that the process which records, serves and shows begins with.
BLIND_ROOMS = ("main", "pipe", "render", "record", "live", "api", "index", "config")
MAIN_PROCESS = "privet.main.serve"
NOT_IN_MAIN_PROCESS = (LIVE_FRAME, *LIVE_ROOMS, "av", "openvino")

# Modules that import one another, each of which is still to be parted.
CYCLES: set[frozenset[str]] = set()


@pytest.fixture(scope="session")
def graph() -> grimp.ImportGraph:
    """Every import, those inside functions and those for type checking alone too. No test changes it."""
    return grimp.build_graph("privet", include_external_packages=True, cache_dir=None)


def room(module: str) -> str:
    """The room a module stands in; '' for the package itself and for modules beside the rooms."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "privet" and parts[1] != "__main__" else ""


def within(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


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
    table = text[text.index("| room | may import") :].split("\n\n", 1)[0]
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


def test_every_room_has_a_rule_and_every_rule_a_room(graph: grimp.ImportGraph) -> None:
    rooms = {room(module) for module in privet_modules(graph)} - {"", "core"}
    assert rooms == set(MAY_IMPORT), "a room needs a line in docs/design/house.md and here, and a line a room"


def between_rooms(graph: grimp.ImportGraph) -> Iterator[tuple[str, str]]:
    for importer, imported in edges(graph):
        here, there = room(importer), room(imported)
        if here and there and here != there:
            yield importer, imported


def test_what_a_room_may_import_it_does(graph: grimp.ImportGraph) -> None:
    """A permission that nobody uses is one that nobody would miss."""
    used = {(room(importer), room(imported)) for importer, imported in between_rooms(graph)}
    allowed = {(here, there) for here, rooms in MAY_IMPORT.items() if rooms is not EVERYTHING for there in rooms}
    assert allowed <= used, sorted(allowed - used)


def test_rooms_import_what_they_may(graph: grimp.ImportGraph) -> None:
    seen = list(between_rooms(graph))
    assert seen, "no import between rooms was found: the graph is empty"
    wrong = []
    for importer, imported in seen:
        allowed = MAY_IMPORT.get(room(importer), NOTHING)
        if room(imported) != "core" and allowed is not EVERYTHING and room(imported) not in allowed:
            wrong.append(f"{importer} imports {imported}")
    assert not wrong, "\n".join(wrong)


def test_core_imports_no_room(graph: grimp.ImportGraph) -> None:
    wrong = [f"{importer} imports {imported}" for importer, imported in edges(graph)
             if room(importer) == "core" and room(imported) not in {"", "core"}]
    assert not wrong, "\n".join(wrong)


def test_no_cycles_between_rooms(graph: grimp.ImportGraph) -> None:
    rooms = {(room(importer), room(imported)) for importer, imported in between_rooms(graph)}
    assert rooms
    assert cycles(rooms) == set()


def cycles(imports: Iterable[tuple[str, str]]) -> set[frozenset[str]]:
    """The largest sets of names of which each reaches every other."""
    imported = defaultdict(set)
    for here, there in imports:
        imported[here].add(there)

    def reached(start: str) -> set[str]:
        found, pending = set[str](), [start]
        while pending:
            for there in imported.get(pending.pop(), ()):
                if there not in found:
                    found.add(there)
                    pending.append(there)
        return found

    reach = {name: reached(name) for name in list(imported)}
    return {frozenset(other for other in found if name in reach.get(other, ())) for name, found in reach.items() if name in found}


def test_no_cycles_between_modules(graph: grimp.ImportGraph) -> None:
    found = cycles((importer, imported) for importer, imported in edges(graph) if within(imported, ["privet"]))
    assert found == CYCLES, "\n".join(" <-> ".join(sorted(each)) for each in found ^ CYCLES)


def test_cycles_are_noticed() -> None:
    assert cycles([("a", "b"), ("b", "c"), ("a", "c")]) == set()
    assert cycles([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("e", "d"), ("x", "a")]) == {
        frozenset("abc"), frozenset("de"),
    }


# ---- live pixels


def test_every_name_of_these_rules_is_of_something(graph: grimp.ImportGraph) -> None:
    named = {*LIVE_ROOMS, LIVE_FRAME, *COMPOSES_LIVE_ROOMS, MAIN_PROCESS, *NOT_IN_MAIN_PROCESS, *(f"privet.{name}" for name in BLIND_ROOMS)}
    assert named <= graph.modules, sorted(named - graph.modules)


def test_every_composer_composes(graph: grimp.ImportGraph) -> None:
    composing = {importer for importer, imported in edges(graph) if within(imported, (LIVE_FRAME, *LIVE_ROOMS))}
    idle = [name for name in COMPOSES_LIVE_ROOMS if not any(within(module, [name]) for module in composing)]
    assert not idle, "these need no leave to name live frames"


def test_only_these_name_a_live_frame(graph: grimp.ImportGraph) -> None:
    importers = graph.find_modules_that_directly_import(LIVE_FRAME)
    assert importers, "nobody imports core.frame: the rule watches a name that is not used"
    assert not [module for module in sorted(importers) if not within(module, (*LIVE_ROOMS, *COMPOSES_LIVE_ROOMS))]


def test_only_the_worker_puts_live_rooms_together(graph: grimp.ImportGraph) -> None:
    wrong = [
        f"{importer} imports {imported}"
        for importer, imported in between_rooms(graph)
        if within(imported, LIVE_ROOMS) and not within(importer, COMPOSES_LIVE_ROOMS)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", BLIND_ROOMS)
def test_rooms_that_never_reach_a_live_frame(graph: grimp.ImportGraph, name: str) -> None:
    modules = [module for module in privet_modules(graph) if within(module, [f"privet.{name}"])]
    assert modules
    found = [line for module in modules for line in forbidden_in(graph, module, (LIVE_FRAME, *LIVE_ROOMS))]
    assert not found, "\n".join(found)


def test_the_main_process_never_reaches_a_live_frame(graph: grimp.ImportGraph) -> None:
    found = forbidden_in(graph, MAIN_PROCESS, NOT_IN_MAIN_PROCESS)
    assert not found, "\n".join(found)


def test_the_running_main_process_holds_none_of_it() -> None:
    code = f"import sys, {MAIN_PROCESS}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    modules = done.stdout.splitlines()
    assert MAIN_PROCESS in modules
    assert not [module for module in modules if within(module, NOT_IN_MAIN_PROCESS)]


def test_the_rules_notice_what_they_forbid(graph: grimp.ImportGraph) -> None:
    """Each rule fails on a graph that breaks it."""
    graph = deepcopy(graph)
    graph.add_import(importer="privet.core.reader", imported="privet.ingest")
    assert forbidden_in(graph, "privet.core.clock", ["privet.ingest"]) == []
    assert "privet.ingest <- privet.core.reader" in forbidden_in(graph, "privet.core.reader", ["privet.ingest"])
    with pytest.raises(AssertionError, match=r"privet\.core\.reader imports privet\.ingest"):
        test_core_imports_no_room(graph)
    with pytest.raises(AssertionError, match=r"privet\.core\.reader imports privet\.ingest"):
        test_only_the_worker_puts_live_rooms_together(graph)
    with pytest.raises(AssertionError, match=r"core"):
        test_no_cycles_between_rooms(graph)
    graph.add_import(importer="privet.core.scene", imported="privet.core.reader")
    with pytest.raises(AssertionError, match=r"privet\.core\.reader <-> .*privet\.core\.scene"):
        test_no_cycles_between_modules(graph)
    graph.add_import(importer="privet.record", imported="privet.live")
    with pytest.raises(AssertionError, match=r"privet\.record imports privet\.live"):
        test_rooms_import_what_they_may(graph)
    graph.add_import(importer="privet.record", imported=LIVE_FRAME)
    with pytest.raises(AssertionError, match=r"privet\.record"):
        test_only_these_name_a_live_frame(graph)
    with pytest.raises(AssertionError, match=r"privet\.core\.frame <- privet\.record"):
        test_rooms_that_never_reach_a_live_frame(graph, "record")
    graph.add_import(importer=MAIN_PROCESS, imported="av")
    with pytest.raises(AssertionError, match=rf"av <- {re.escape(MAIN_PROCESS)}"):
        test_the_main_process_never_reaches_a_live_frame(graph)


def test_a_rule_about_nothing_is_noticed(graph: grimp.ImportGraph) -> None:
    graph = deepcopy(graph)
    graph.remove_module("openvino")
    with pytest.raises(AssertionError, match="openvino"):
        test_every_name_of_these_rules_is_of_something(graph)
    for importer, imported in list(edges(graph)):
        if within(importer, [COMPOSES_LIVE_ROOMS[-1]]):
            graph.remove_import(importer=importer, imported=imported)
    with pytest.raises(AssertionError, match=re.escape(COMPOSES_LIVE_ROOMS[-1])):
        test_every_composer_composes(graph)
    for module in [module for module in graph.modules if room(module) == "cli"]:
        graph.remove_module(module)
    with pytest.raises(AssertionError, match="cli"):
        test_every_room_has_a_rule_and_every_rule_a_room(graph)
