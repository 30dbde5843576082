"""The command line as a whole: what it lists, how it fails, and that its page says so."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from privet.cli.main import COMMANDS, Commands, Complaint, privet
from privet.core.errors import ConfigError, StoreError

PAGE = (Path(__file__).parents[2] / "docs/ref/cli.md").read_text()


def call(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "privet", *arguments], capture_output=True, text=True, check=False, cwd=cwd, timeout=120
    )


def command(name: str) -> click.Command:
    found = Commands().get_command(click.Context(privet), name)
    assert found is not None
    return found


def sections() -> dict[str, str]:
    return {part.split()[1].strip("`"): part for part in PAGE.split("\n## `")[1:] if part.startswith("privet ")}


def test_help_lists_every_command_and_imports_none() -> None:
    script = (
        "import sys; from privet.cli.main import privet\n"
        "try: privet.main(['--help'], prog_name='privet', standalone_mode=False)\n"
        "finally: print(sorted(m for m in sys.modules if m.split('.')[0] in {'numpy', 'av', 'fastapi', 'sqlalchemy', 'numba'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", done.stdout, re.MULTILINE)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_is_quick() -> None:
    began = time.process_time(), time.monotonic()
    took = min(_cpu_seconds_of_help() for _ in range(3))
    assert took < 0.5, began


def _cpu_seconds_of_help() -> float:
    script = (
        "import resource, subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'privet', '--help'], check=True, stdout=subprocess.DEVNULL)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime)"
    )
    return float(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_has_help_and_is_documented_with_all_its_options(name: str) -> None:
    loaded = command(name)
    assert loaded.help
    section = sections()[name]
    for parameter in loaded.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert f"| `{parameter.opts[0]}" in section, parameter.opts[0]
    known = {option for parameter in loaded.params for option in parameter.opts}
    for option in re.findall(r"^\| `(--[\w-]+)", section, re.MULTILINE):
        assert option in known, option


def test_nothing_is_documented_that_does_not_exist() -> None:
    assert set(sections()) == set(COMMANDS)


def test_an_unknown_command_is_a_usage_error() -> None:
    done = call("rnu")
    assert done.returncode == 2
    assert "rnu" in done.stderr


def test_a_wrong_configuration_is_one_sentence_and_code_2(tmp_path: Path) -> None:
    done = call("run", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "privet: privet.toml does not exist: `privet init` writes one\n"
    (tmp_path / "privet.toml").write_text("[sever]\n")
    done = call("doctor", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'server'?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("error", "code"), [(ConfigError("wrong"), 2), (StoreError("full"), 1)])
def test_errors_become_a_complaint_with_their_code(error: Exception, code: int) -> None:
    @click.command()
    def failing() -> None:
        raise error

    group = Commands("privet")
    group.get_command = lambda ctx, cmd_name: failing  # type: ignore[method-assign]  # a command of the test's own
    with pytest.raises(Complaint) as caught:
        group.main(["failing"], standalone_mode=False)
    assert caught.value.exit_code == code
    assert caught.value.message == str(error)


def test_version_is_said() -> None:
    assert call("--version").stdout.startswith("privet, version ")
