"""privet.toml is taken whole or refused with a sentence that helps."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.config.load import Loaded, load
from privet.config.models import Config
from privet.core.errors import ConfigError
from privet.core.ids import parse_camera_id

CAMERA = """
[cameras.gate]
place = "Gate"
purpose = "See who left the gate open"
controller = "Facilities"
url = "rtsp://camera.example/main"
"""


def write(directory: Path, text: str, secrets: str | None = None, mode: int = 0o600) -> Path:
    path = directory / "privet.toml"
    path.write_text(text, encoding="utf-8")
    if secrets is not None:
        (directory / "secrets.toml").write_text(secrets, encoding="utf-8")
        (directory / "secrets.toml").chmod(mode)
    return path


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value)


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, ""))
    assert loaded.config == Config()
    assert loaded.config.camera_ids() == ()


def test_relative_paths_begin_at_the_file(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, '[storage]\ndirectory = "kept"\n'))
    assert loaded.data_directory == tmp_path / "kept"
    assert loaded.resolve(Path("x.pem")) == tmp_path / "x.pem"


def test_a_camera_with_credentials(tmp_path: Path) -> None:
    text = CAMERA + 'credentials = "shelf"\n'
    loaded = load(write(tmp_path, text, '[shelf]\nusername = "admin"\npassword = "hunter2"\n'))
    assert loaded.secrets["shelf"].password == "hunter2"
    assert loaded.config.camera_ids() == ("gate",)


def test_the_site_may_answer_for_all_cameras(tmp_path: Path) -> None:
    silent = CAMERA.replace('controller = "Facilities"\n', "")
    loaded = load(write(tmp_path, '[site]\ncontroller = "Facilities"\n' + silent))
    assert loaded.config.camera_ids() == ("gate",)


def test_disabled_cameras_are_not_connected_to(tmp_path: Path) -> None:
    assert load(write(tmp_path, CAMERA + "enabled = false\n")).config.camera_ids() == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server]\nprot = 1\n", ["server.prot", "not known", "'port'"]),
        ("[sever]\nport = 1\n", ["sever", "'server'"]),
        (CAMERA + 'transprot = "tcp"\n', ["cameras.gate.transprot", "'transport'"]),
        ("[server]\nport = 99999\n", ["server.port", "65535"]),
        ('[server]\nport = "http"\n', ["server.port", "integer"]),
        ("[storage]\nretention_hours = 100\n", ["storage", "72", "retention_reason"]),
        ('[site]\ntimezone = "Mars/Olympus"\n', ["site.timezone", "Mars/Olympus", "Europe/Berlin"]),
        ('[cameras.gate]\nurl = "rtsp://a/b"\n', ["cameras.gate.place", "cameras.gate.purpose", "missing"]),
        (CAMERA.replace("gate]", "../etc]"), ["not TOML"]),
        (CAMERA.replace("gate]", '"../etc"]'), ["camera id", "../etc"]),
        (CAMERA.replace("rtsp://", "rtsp://admin:hunter2@"), ["cameras.gate.url", "secrets.toml"]),
        (CAMERA.replace("rtsp://", "http://"), ["cameras.gate.url", "rtsp://"]),
        (CAMERA.replace("rtsp://camera.example", "rtsp://"), ["cameras.gate.url", "no host"]),
        (CAMERA + "blind = [[[0.0, 0.0], [1.0, 1.0]]]\n", ["cameras.gate.blind", "at least 3 points"]),
        (CAMERA + "blind = [[[0.0, 0.0], [1.0, 1.5], [0.0, 1.0]]]\n", ["cameras.gate.blind", "less than or equal to 1"]),
        ("port = [", ["not TOML"]),
        (CAMERA.replace('controller = "Facilities"\n', ""), ["nobody answers for cameras.gate", "controller", "[site]"]),
        ('[site]\ncontroller = " "\n' + CAMERA.replace('"Facilities"', '""'), ["nobody answers for cameras.gate"]),
    ],
)
def test_what_is_refused_and_how(tmp_path: Path, text: str, words: list[str]) -> None:
    message = refused(write(tmp_path, text))
    assert "privet.toml" in message
    for word in words:
        assert word in message, message
    assert "hunter2" not in message


def test_a_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    assert "privet init" in refused(tmp_path / "privet.toml")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert "name the file" in refused(tmp_path)


def test_secrets_that_others_may_read_are_refused(tmp_path: Path) -> None:
    message = refused(write(tmp_path, CAMERA, '[shelf]\nusername = "a"\npassword = "hunter2"\n', mode=0o644))
    assert "chmod 600" in message
    assert "hunter2" not in message


def test_unknown_credentials_name_the_nearest(tmp_path: Path) -> None:
    text = CAMERA + 'credentials = "shlef"\n'
    assert "'shelf'" in refused(write(tmp_path, text, '[shelf]\nusername = "a"\npassword = "b"\n'))


@pytest.mark.parametrize(
    "entry", ['shelf = "hunter2"', '[shelf]\npasword = "hunter2"', '[shelf]\nusername = 1\npassword = ["hunter2"]']
)
def test_broken_secrets_are_named_but_never_shown(tmp_path: Path, entry: str) -> None:
    message = refused(write(tmp_path, CAMERA, entry + "\n"))
    assert "shelf" in message
    assert "hunter2" not in message


def test_secrets_do_not_show_in_a_repr(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, CAMERA, '[shelf]\nusername = "a"\npassword = "hunter2"\n'))
    assert isinstance(loaded, Loaded)
    assert "hunter2" not in repr(loaded)


@given(st.text(max_size=80))
def test_a_camera_id_is_safe_in_paths_and_urls(text: str) -> None:
    try:
        camera = parse_camera_id(text)
    except ConfigError:
        return
    assert camera == text
    assert 1 <= len(camera) <= 64
    assert set(camera) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert camera[0] not in "-_"
    assert camera[-1] not in "-_"


@given(st.from_regex(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?", fullmatch=True))
def test_good_camera_ids_are_taken(text: str) -> None:
    assert parse_camera_id(text) == text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[server]\nport = 1" + "0" * 5000, "not TOML"), ("a = " + "[" * 100_000, "nested too deeply"),
        ("a = 1\n" * 4_000_000, "no configuration"),
    ],
)
def test_what_a_parser_chokes_on_is_a_sentence(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "privet.toml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=said):
        load(path)


@pytest.mark.parametrize("name", ["privet.toml", "secrets.toml"])
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "privet.toml").write_text("")
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).symlink_to(name)      # a loop
    with pytest.raises(ConfigError, match=rf"{name} cannot be read"):
        load(tmp_path / "privet.toml")
