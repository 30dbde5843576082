"""Sealed state: it comes back, only for its own camera and installation, and is never torn."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privet.core.ids import CameraId
from privet.worker.state_store import StateError, StateStore, replace_durably

KEY = bytes(range(32))
GATE, YARD = CameraId("gate"), CameraId("yard")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=500))
def test_state_comes_back_sealed(tmp_path: Path, state: bytes) -> None:
    store = StateStore(tmp_path, GATE, KEY)
    store.save(state)
    assert StateStore(tmp_path, GATE, KEY).load() == state
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(state) < 8 or state not in file.read_bytes()


def test_nothing_saved_is_no_error(tmp_path: Path) -> None:
    assert StateStore(tmp_path, GATE, KEY).load() is None


def test_two_saves_of_the_same_state_do_not_look_alike(tmp_path: Path) -> None:
    store = StateStore(tmp_path, GATE, KEY)
    store.save(b"same")
    first = next(tmp_path.iterdir()).read_bytes()
    store.save(b"same")
    assert next(tmp_path.iterdir()).read_bytes() != first


def test_another_camera_or_installation_cannot_open_it(tmp_path: Path) -> None:
    StateStore(tmp_path, GATE, KEY).save(b"background")
    for other in (StateStore(tmp_path, YARD, KEY), StateStore(tmp_path, GATE, secrets.token_bytes(32))):
        with pytest.raises(StateError, match="does not open"):
            other.load()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_change_is_noticed(tmp_path: Path, data: st.DataObject) -> None:
    store = StateStore(tmp_path, GATE, KEY)
    store.save(b"background")
    file = next(tmp_path.iterdir())
    sealed = bytearray(file.read_bytes())
    if data.draw(st.booleans(), "cut"):
        changed = bytes(sealed[: data.draw(st.integers(0, len(sealed) - 1))])
    else:
        sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
        changed = bytes(sealed)
    file.write_bytes(changed)
    with pytest.raises(StateError):
        store.load()


def test_a_state_that_cannot_be_read_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "scene.state").mkdir()
    with pytest.raises(StateError, match="cannot be read"):
        StateStore(tmp_path, GATE, KEY).load()


def test_a_save_that_fails_leaves_the_old_state_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = StateStore(tmp_path, GATE, KEY)
    store.save(b"old")

    def no_space(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(StateError, match="No space left"):
        store.save(b"new")
    assert store.load() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["scene.state"]


def test_a_planted_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(b"kept")
    monkeypatch.setattr(secrets, "token_hex", lambda _count: "guessed")
    (tmp_path / f"file.{os.getpid()}-guessed.new").symlink_to(target)
    with pytest.raises(OSError):
        replace_durably(tmp_path / "file", b"data")
    assert target.read_bytes() == b"kept"


def test_two_saves_at_once_do_not_write_into_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was given up and still writes, and the one that took its place."""
    old, new = StateStore(tmp_path, GATE, KEY), StateStore(tmp_path, GATE, KEY)
    fsync, saved = os.fsync, list[bytes | None]()

    def meanwhile(descriptor: int) -> None:
        monkeypatch.setattr(os, "fsync", fsync)
        new.save(b"the new one's")
        saved.append(new.load())
        assert StateStore(tmp_path, GATE, KEY).load() == saved[0], "a start meanwhile takes nothing from who still writes"
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", meanwhile)
    old.save(b"the old one's, which is longer")
    assert saved == [b"the new one's"]
    assert new.load() == b"the old one's, which is longer"
    assert [path.name for path in tmp_path.iterdir()] == ["scene.state"]


def test_what_was_left_half_written_goes_at_the_next_start_and_nothing_else(tmp_path: Path) -> None:
    StateStore(tmp_path, GATE, KEY).save(b"background")
    target = tmp_path / "elsewhere"
    target.write_bytes(b"kept")
    (tmp_path / "scene.state.new").write_bytes(b"half")
    (tmp_path / "scene.state.4711-0123456789abcdef.new").write_bytes(b"half")
    (tmp_path / "scene.state.4711-fedcba9876543210.new").symlink_to(target)
    (tmp_path / "scene.state.12-directory.new").mkdir()
    assert StateStore(tmp_path, GATE, KEY).load() == b"background"
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"scene.state", "elsewhere", "scene.state.4711-fedcba9876543210.new", "scene.state.12-directory.new"}
    assert target.read_bytes() == b"kept"


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32"):
        StateStore(tmp_path, GATE, b"short")
