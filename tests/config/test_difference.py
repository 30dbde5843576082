"""What a changed privet.toml changes, in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from privet.config.difference import NEEDS_RESTART, changed_secrets, difference, in_force_after
from privet.config.models import Config, Credentials

CAMERA = {"place": "North", "purpose": "See the gate", "controller": "Us", "url": "rtsp://192.0.2.1/"}


def config(**sections: object) -> Config:
    return Config.model_validate({"cameras": {"gate": CAMERA, "yard": CAMERA}} | sections)


def cameras(**changed: Mapping[str, object] | None) -> Config:
    tables: dict[str, Mapping[str, object] | None] = {"gate": CAMERA, "yard": CAMERA} | changed
    return config(cameras={key: table for key, table in tables.items() if table is not None})


def test_the_same_is_no_difference() -> None:
    found = difference(config(), config())
    assert not found
    assert list(found.words()) == []


def test_cameras_come_and_go() -> None:
    found = difference(config(), cameras(yard=None, barn=CAMERA))
    assert (found.added, found.removed, dict(found.changed)) == (("barn",), ("yard",), {})
    assert list(found.words()) == ["camera barn is added", "camera yard is removed; its recordings stay until they are too old"]


def test_a_camera_that_is_switched_off_is_gone() -> None:
    found = difference(config(), cameras(yard=CAMERA | {"enabled": False}))
    assert found.removed == ("yard",)
    assert difference(cameras(yard=CAMERA | {"enabled": False}), cameras(yard=None)) == difference(config(), config())


def test_a_changed_camera_is_said_key_by_key() -> None:
    found = difference(config(), cameras(gate=CAMERA | {"url": "rtsp://192.0.2.9/", "name": "Gate"}))
    assert list(found.words()) == [
        'camera gate: name: "" -> "Gate"',
        'camera gate: url: "rtsp://192.0.2.1/" -> "rtsp://192.0.2.9/"',
    ]


def test_another_password_is_a_change_of_every_camera_that_uses_it_and_is_not_said() -> None:
    now = cameras(gate=CAMERA | {"credentials": "old"})
    found = difference(now, now, frozenset({"old"}))
    (line,) = found.words()
    assert line == "camera gate: credentials old: as before -> another user name or password"
    before = {"old": Credentials(username="a", password="hunter2"), "same": Credentials(username="b", password="c")}
    assert changed_secrets(before, before | {"old": Credentials(username="a", password="hunter3")}) == {"old"}


def test_settings_are_said_and_what_waits_for_a_restart_is_named() -> None:
    after = config(site={"name": "Harbour"}, server={"port": 9000}, storage={"directory": "elsewhere", "quota_gb": 5.0})
    lines = list(difference(config(), after).words())
    assert lines[:2] == ['site.name: "Privet" -> "Harbour"', "storage.quota_gb: 0.0 -> 5.0"]
    assert len(lines) == 4
    assert all(line.endswith("(takes effect at the next start: stop Privet and start it again)") for line in lines[2:])


def test_what_waits_for_a_restart_stays_as_it_is() -> None:
    after = config(
        site={"name": "Harbour"}, server={"port": 9000}, storage={"directory": "elsewhere", "quota_gb": 5.0}, detect={"device": "GPU"},
        worker={"cameras_per_worker": 3},
    )
    now = in_force_after(config(), after)
    assert (now.site.name, now.storage.quota_gb) == ("Harbour", 5.0)
    assert (now.server.port, now.storage.directory, now.detect.device) == (8420, Path("data"), "CPU")
    assert now.worker.cameras_per_worker == Config().worker.cameras_per_worker
    assert {change.key for change in difference(now, after).settings} == {
        "server.port", "storage.directory", "detect.device", "worker.cameras_per_worker"
    }, "and is still said the next time"


@pytest.mark.parametrize("key", sorted(NEEDS_RESTART))
def test_every_key_that_waits_exists(key: str) -> None:
    section, _, name = key.partition(".")
    assert section in Config.model_fields
    assert not name or name in getattr(Config(), section).model_dump()
