"""The pages say what is so: links lead somewhere, commands exist, dependencies and states are all there.

Belongs here: comparing pages with the repository. That the settings' page is current is tests/config; that the list of what
leaves a worker is complete is tests/main.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from privet.core.scene import Condition, Reason

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

BINARY = {".png", ".jpg", ".webp", ".ico", ".woff2", ".mcap", ".bin", ".pb", ".mp4"}


def run(*command: str) -> str:
    """What a command prints, run in the project's root."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository: tracked, and new ones that are not ignored."""
    names = set(run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"))
    files = tuple(sorted(ROOT / name for name in names if name and (ROOT / name).is_file()))
    assert ROOT / "pyproject.toml" in files
    return files


def pages() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md" and path.parent.name != "changelog.d"]


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    found = set()
    for heading in re.findall(r"^#+ +(.+?)\s*$", page, re.M):
        words = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(words.replace(" ", "-"))
    return found


def links(page: str) -> Iterator[str]:
    without_code = re.sub(r"^(?: {4,}|\t)[^\n]*$|```.*?```|`[^`\n]*`", "", page, flags=re.M | re.S)
    yield from re.findall(r"\]\(([^)\s]+)\)", without_code)


def broken_links(path: Path) -> list[str]:
    broken = []
    for link in links(text(path)):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists():
            broken.append(f"{link}: no such file")
        elif anchor and anchor not in anchors(text(file)):
            broken.append(f"{link}: no such heading")
    return broken


def test_links_lead_somewhere() -> None:
    found = [f"{page.relative_to(ROOT)}: {problem}" for page in pages() for problem in broken_links(page)]
    assert not found, "\n".join(found)


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    pending = [ROOT / "README.md"]
    while pending:
        page = pending.pop()
        if page in reached or not page.is_file():
            continue
        reached.add(page)
        targets = (link.partition("#")[0] for link in links(text(page)) if not re.match(r"[a-z]+:", link))
        pending += [(page.parent / target).resolve() for target in targets if target.endswith(".md")]
    lost = [str(page.relative_to(ROOT)) for page in pages() if DOCS in page.parents and page not in reached]
    assert not lost, f"no way leads from README.md to {lost}"


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", text(ROOT / "Makefile"), re.M))


def test_make_commands_that_pages_name_exist() -> None:
    targets = make_targets()
    assert {"setup", "demo", "test"} <= targets
    named = {(page.name, target) for page in pages() for target in re.findall(r"(?:`|^ {4})make ([a-z-]+)", text(page), re.M)}
    assert ("README.md", "demo") in named
    assert not [pair for pair in sorted(named) if pair[1] not in targets]


def test_make_help_lists_every_target() -> None:
    phony = set(re.findall(r"^\.PHONY: (.+)$", text(ROOT / "Makefile"), re.M))
    assert phony == set(re.findall(r"^ +make ([a-z-]+)", run("make", "--no-print-directory", "help"), re.M))


# ---- commands and states


def commands() -> dict[str, click.Command]:
    from privet.cli.main import privet

    context = click.Context(privet)
    found = {}
    for name in privet.list_commands(context):
        command = privet.get_command(context, name)
        assert command is not None
        found[name] = command
    return found


def told_commands() -> dict[str, str]:
    """What docs/ref/cli.md says under each command's own heading."""
    parts = re.split(r"^## ", text(DOCS / "ref" / "cli.md"), flags=re.M)[1:]
    return {match[1]: part for part in parts if (match := re.match(r"`privet ([a-z-]+)[^`\n]*`\n", part))}


def test_every_command_has_its_heading_and_no_other_has() -> None:
    assert {"init", "run", "check", "mask", "export", "doctor"} <= set(commands())
    assert set(told_commands()) == set(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_options_under_a_commands_heading_are_its_own(name: str) -> None:
    told = set(re.findall(r"^\| `(--[a-z-]+)[^`]*` \| \S", told_commands()[name], re.M))
    assert told == {
        option.opts[0] for option in commands()[name].params if isinstance(option, click.Option) and not option.hidden
    }


def test_commands_that_pages_name_exist() -> None:
    known = set(commands())
    named = {
        (str(page.relative_to(ROOT)), name)
        for page in pages()
        for name in re.findall(r"(?:`|^ {4}(?:\S*/)?)privet ([a-z][a-z-]+)\b", text(page), re.M)
    }
    assert named
    assert not [pair for pair in sorted(named) if pair[1] not in known]


@pytest.mark.parametrize("name", sorted(member.name.lower() for kind in (Condition, Reason) for member in kind))
def test_every_state_has_a_remedy(name: str) -> None:
    assert name in anchors(text(DOCS / "guide" / "troubleshooting.md"))


# ---- dependencies


def rows(page: str, heading: str) -> dict[str, list[str]]:
    """The table under a heading: the name in the first column (in backquotes) -> the other cells."""
    part = page[page.index(f"## {heading}\n") :].split("\n## ", 1)[0]
    table = {}
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `"):
            assert cells[1], f"{cells[0]} has no licence"
            assert cells[2], f"{cells[0]} is for nothing"
            table[cells[0].strip("`")] = cells[1:]
    assert list(table) == sorted(table), f"the rows of {heading!r} are not in order"
    return table


def requirement_names(requirements: list[str]) -> set[str]:
    return {match[0].lower() for line in requirements if (match := re.match(r"[A-Za-z0-9_.-]+", line))}


def test_dependencies_are_all_explained() -> None:
    page = text(DOCS / "design" / "dependencies.md")
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    optional = project["optional-dependencies"]
    build = text(ROOT / "requirements" / "build.in").splitlines()
    models = text(ROOT / "requirements" / "models.in").splitlines()
    web = json.loads(text(ROOT / "web" / "package.json"))
    debian = run("scripts/debian-packages", "--list").split()
    explained = {
        "Python: the product": requirement_names(project["dependencies"]),
        "Python: optional, `privet[fast]`": requirement_names(optional["fast"]),
        "Python: weights": requirement_names(models),
        "Python: tests and tools": requirement_names(optional["dev"]) | requirement_names(build),
        "Web": set(web["dependencies"]),
        "Web: tests and tools": set(web["devDependencies"]),
        "Debian: the demo and the tests": set(debian),
    }
    assert set(optional) == {"fast", "dev"}
    for heading, names in explained.items():
        assert set(rows(page, heading)) == names, heading


# ---- what must not be in the repository


# Put together from parts, so that this file does not hold what it forbids.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("yarnpkg", "com"), ("debian", "org"))
)
PERSONAL = ("root", "work", "home/[a-z]+", "Users/[A-Za-z]+")
FORBIDDEN = {
    "a registry's host name": re.compile("|".join(re.escape(name) for name in REGISTRIES), re.I),
    "a path of somebody's machine": re.compile(rf"(?<![\w.~-])/(?:{'|'.join(PERSONAL)})(?=[/\s'\"`),:]|$)"),
}


def forbidden(line: str) -> list[str]:
    return [what for what, pattern in FORBIDDEN.items() if pattern.search(line)]


def test_no_host_of_a_registry_and_no_path_of_a_machine() -> None:
    found = []
    for path in tracked():
        if path.suffix in BINARY:
            continue
        try:
            lines = text(path).splitlines()
        except UnicodeDecodeError:
            continue
        name = path.relative_to(ROOT)
        found += [f"{name}:{number}: {what}" for number, line in enumerate(lines, 1) for what in forbidden(line)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [*(f"https://files.{name}/x" for name in REGISTRIES), *(f"cd '/{name}/x'" for name in ("root", "work", "home/ann"))],
)
def test_forbidden_lines_are_noticed(line: str) -> None:
    assert forbidden(line)


@pytest.mark.parametrize("line", ["the root/work", "docs/work/x", "~/site", "src/root/", "a/work", "/worker"])
def test_honest_lines_are_not(line: str) -> None:
    assert not forbidden(line)


# ---- locks


@pytest.mark.parametrize("name", ["runtime", "dev", "models"])
def test_locks_hold_versions_and_hashes_and_no_address(name: str) -> None:
    lock = text(ROOT / "requirements" / f"{name}.lock")
    assert "://" not in lock
    assert not re.search(r"^\s*--(?!hash=sha256:[0-9a-f]{64})", lock, re.M)
    pinned = re.findall(r"^([a-z0-9._-]+)==[^\s;]+", lock, re.M)
    assert pinned
    blocks = re.split(r"^(?=[a-z0-9])", lock, flags=re.M)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize(("name", "extras"), [("runtime", ()), ("dev", ("fast", "dev"))])
def test_locks_hold_every_dependency(name: str, extras: tuple[str, ...]) -> None:
    project = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", text(ROOT / "requirements" / f"{name}.lock"), re.M))
    assert requirement_names(wanted) <= pinned, "run `make lock`"


def test_the_web_lock_names_no_address() -> None:
    lock = json.loads(text(ROOT / "web" / "package-lock.json"))
    assert lock["packages"]
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry and not entry.get("link")]
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name and not entry.get("link"))


def test_weights_are_listed_under_the_packages_they_come_in() -> None:
    models = text(ROOT / "requirements" / "models.in")
    assert set(rows(text(DOCS / "design" / "dependencies.md"), "Python: weights")) == requirement_names(models.splitlines())
