"""privet init: what it writes can be loaded, is private where it must be, and overwrites nothing."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from privet.cli.init import config_text, init
from privet.config.load import load
from privet.config.models import Config
from privet.core.errors import ConfigError


def run_init(*arguments: str) -> str:
    result = CliRunner().invoke(init, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_what_it_writes_loads_and_means_the_defaults(tmp_path: Path) -> None:
    said = run_init(str(tmp_path))
    loaded = load(tmp_path / "privet.toml")
    assert loaded.config == Config()
    assert loaded.secrets == {}
    assert "privet run" in said
    assert stat.S_IMODE((tmp_path / "secrets.toml").stat().st_mode) == 0o600


def test_every_commented_setting_can_be_switched_on() -> None:
    lines = []
    for line in config_text().splitlines():
        setting = line.startswith("#") and not line.startswith("# ")
        if setting and not line.endswith('= ""'):
            lines.append(line[1:])
        elif not line.startswith("#"):
            lines.append(line)
    written = Config.model_validate(tomllib.loads("\n".join(lines)))
    assert set(written.cameras) == {"gate"}
    assert written.model_copy(update={"cameras": {}}) == Config()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "privet.toml").write_text("mine")
    with pytest.raises(ConfigError, match="is there already"):
        run_init(str(tmp_path))
    assert (tmp_path / "privet.toml").read_text() == "mine"
    assert not (tmp_path / "secrets.toml").exists()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "secrets.toml").write_text("kept")
    run_init(str(tmp_path / "new"))
    assert (tmp_path / "new" / "secrets.toml").read_text() == "kept"


def test_a_certificate_can_be_made_later_and_makes_listening_possible(tmp_path: Path) -> None:
    from privet.api.guard.listen import listen_settings

    run_init(str(tmp_path))
    said = run_init(str(tmp_path), "--certificate", "--host", "guard.example.org")
    config = tmp_path / "privet.toml"
    block = said.split("\n\n", 1)[1]
    config.write_text(block.replace("[server]", '[server]\nhost = "0.0.0.0"'))
    loaded = load(config)
    listen = listen_settings(loaded.config.server, loaded)
    assert listen.tls
    assert listen.allows_host("guard.example.org")
    with pytest.raises(ConfigError, match="there already"):
        run_init(str(tmp_path), "--certificate")


def test_a_directory_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        run_init(str(tmp_path / "file" / "below"))
