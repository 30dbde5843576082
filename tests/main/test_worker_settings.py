"""What a worker is told follows from privet.toml, survives the pipe, and shows no secret."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from privet.config.load import load
from privet.core.errors import NotFoundError
from privet.core.ids import CameraId
from privet.main.worker_settings import worker_settings
from privet.pipe.directories import Directories, arguments_of, directories_of
from privet.pipe.settings import WorkerSettings

KEY = bytes(range(32))
PASSWORD = "s3cr/t@?&%"


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    config = tmp_path / "privet.toml"
    config.write_text(
        """
        [site]
        controller = "Facilities"
        [scene]
        block_px = 16
        [detect]
        device = "GPU"
        [worker]
        lockdown = "required"
        [cameras.gate]
        place = "Gate"
        purpose = "Deliveries"
        url = "rtsp://192.0.2.1/main"
        sub_url = "rtsp://192.0.2.1/sub"
        transport = "udp"
        credentials = "door"
        blind = [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]]
        [cameras.yard]
        place = "Yard"
        purpose = "Deliveries"
        url = "file:clips/a%20b.mp4"
        """
    )
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f'[door]\nusername = "viewer"\npassword = "{PASSWORD}"\n')
    secrets.chmod(0o600)
    return config


def settings_of(config: Path) -> WorkerSettings:
    return worker_settings(load(config), (CameraId("gate"), CameraId("yard")), PurePosixPath("workers/0"), KEY)


def test_each_camera_is_told_what_its_configuration_says(configured: Path) -> None:
    settings = settings_of(configured)
    gate, yard = settings.cameras
    assert settings.camera_ids() == ("gate", "yard")
    assert (gate.url, gate.sub_url, gate.transport) == ("rtsp://192.0.2.1/main", "rtsp://192.0.2.1/sub", "udp")
    assert (gate.username, gate.password) == ("viewer", PASSWORD)
    assert (yard.username, yard.password) == ("", "")
    assert gate.scene.block_px == 16
    assert gate.blind == (((0.0, 0.0), (1.0, 0.0), (1.0, 1.0)),)
    assert yard.url == (configured.parent / "clips/a b.mp4").as_uri()
    assert settings.state_key == KEY
    assert (settings.lockdown, settings.detect.device) == ("required", "GPU")


def test_cameras_keep_their_state_whoever_hosts_them_and_share_no_directory(configured: Path) -> None:
    settings = settings_of(configured)
    elsewhere = worker_settings(load(configured), (CameraId("yard"),), PurePosixPath("workers/7"), KEY)
    assert elsewhere.cameras[0].state_directory == settings.cameras[1].state_directory
    writable = settings.writable_directories()
    assert len(set(writable)) == 3
    assert {str(name) for name in writable} == {"workers/0", "state/gate", "state/yard"}


def test_nothing_of_where_this_machine_keeps_things_is_told(configured: Path) -> None:
    """A worker may run on another machine: but for a clip's own address, nothing said to it lies in this one's directories."""
    gate = worker_settings(load(configured), (CameraId("gate"),), PurePosixPath("workers/0"), KEY)
    assert str(configured.parent) not in gate.model_dump_json()


@pytest.mark.parametrize("name", ["/data/workers/0", "../workers/0", "workers/../..", "", "."])
def test_a_directory_lies_below_the_data_directory(configured: Path, name: str) -> None:
    told = json.loads(settings_of(configured).model_dump_json())
    for broken in (told | {"directory": name}, told | {"cameras": [told["cameras"][0] | {"state_directory": name}]}):
        with pytest.raises(ValueError, match="relative to the data directory"):
            WorkerSettings.model_validate_json(json.dumps(broken))


def test_directories_survive_the_arguments_of_a_process() -> None:
    for directories in (Directories(Path("/data")), Directories(Path("/data"), Path("/cache/compiled"))):
        assert directories_of(arguments_of(directories)) == directories
    for wrong in ([], ["data"], ["/data", "compiled"], ["/data", "/compiled", "/more"]):
        with pytest.raises(ValueError, match="absolute"):
            directories_of(wrong)


def test_settings_survive_the_pipe(configured: Path) -> None:
    settings = settings_of(configured)
    assert WorkerSettings.model_validate_json(settings.model_dump_json()) == settings


def test_no_repr_shows_a_password_or_the_key(configured: Path) -> None:
    settings = settings_of(configured)
    for text in (repr(settings), str(settings), repr(settings.cameras[0])):
        assert PASSWORD not in text
        assert KEY.hex() not in text


def test_a_settings_error_does_not_show_its_input(configured: Path) -> None:
    broken = settings_of(configured).model_dump_json().replace('"transport":"udp"', '"transport":"carrier pigeon"')
    with pytest.raises(ValueError) as caught:
        WorkerSettings.model_validate_json(broken)
    assert "pigeon" not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_an_unknown_camera_is_named_with_the_known_ones(configured: Path) -> None:
    with pytest.raises(NotFoundError, match=r"'gaet'.*known: gate, yard"):
        worker_settings(load(configured), (CameraId("gaet"),), PurePosixPath("workers/0"), KEY)
