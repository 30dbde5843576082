"""What outlives the worker: there and back, and damage is always a StoreError."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.scene.pictures import random_planes

from privet.core.errors import StoreError
from privet.core.frame import Matrix
from privet.core.grid import Grid
from privet.scene.state_format import StoredScene, from_bytes, to_bytes


def a_scene(grid: Grid, seed: int = 0, matrix: Matrix = Matrix.BT709) -> StoredScene:
    draw = np.random.default_rng(seed)
    planes = random_planes(grid.height_px, grid.width_px, seed)
    return StoredScene(
        grid, matrix, planes, draw.random(grid.shape) < 0.5, draw.integers(0, 2**62, grid.shape), draw.random(grid.shape) < 0.5,
        given_up=draw.random(grid.shape) < 0.5,
    )


def same(one: StoredScene, other: StoredScene) -> bool:
    arrays_of = [
        (*scene.planes, scene.proven, scene.proven_wall_ns, scene.arrival, scene.given_up) for scene in (one, other)
    ]
    return (one.grid, one.matrix) == (other.grid, other.matrix) and all(
        a is not None and b is not None and np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(*arrays_of, strict=True)
    )


@given(
    st.builds(Grid, st.integers(1, 60), st.integers(1, 60), st.sampled_from([8, 16, 32]), st.integers(0, 2**32 - 1)),
    st.integers(0, 99),
    st.sampled_from(list(Matrix)),
)
def test_there_and_back(grid: Grid, seed: int, matrix: Matrix) -> None:
    scene = a_scene(grid, seed, matrix)
    assert same(from_bytes(to_bytes(scene)), scene)


def test_before_it_was_kept_nothing_was_given_up() -> None:
    assert from_bytes(to_bytes(replace(SCENE, given_up=None))).given_up is None


SCENE = a_scene(Grid(33, 17))
BYTES = to_bytes(SCENE)


@given(st.integers(0, len(BYTES) - 1))
@example(0)
@example(len(BYTES) - 1)
def test_what_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        from_bytes(BYTES[:length])


@given(st.integers(0, len(BYTES) * 8 - 1))
def test_a_flipped_bit_is_refused_or_means_nothing(bit: int) -> None:
    """The archive has bits that say nothing (times, attributes); whatever else is flipped is noticed."""
    damaged = bytearray(BYTES)
    damaged[bit // 8] ^= 1 << bit % 8
    try:
        read = from_bytes(bytes(damaged))
    except StoreError:
        return
    assert same(read, SCENE)


@given(st.binary(max_size=400))
@example(b"\x80\x04.")
@example(b"\x93NUMPY\x01\x00")
@example(b"PK\x05\x06" + bytes(18))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(StoreError):
        from_bytes(data)


@given(st.data())
def test_bytes_written_over_are_refused_or_mean_nothing(data: st.DataObject) -> None:
    damaged = bytearray(BYTES)
    start = data.draw(st.integers(0, len(BYTES) - 1))
    piece = data.draw(st.binary(min_size=1, max_size=30))
    damaged[start : start + len(piece)] = piece
    try:
        read = from_bytes(bytes(damaged))
    except StoreError:
        return
    assert same(read, SCENE)


def rewritten(**changes: np.ndarray) -> bytes:
    """The archive with members replaced, as a careless or hostile writer would leave it."""
    with np.load(io.BytesIO(BYTES)) as archive:
        members = {name: archive[name] for name in archive.files} | changes
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **members)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "changes",
    [
        {"header": np.array([1, 33, 17, 8, 0], np.int64)},
        {"header": np.array([1, 0, 17, 8, 0, 709], np.int64)},
        {"header": np.array([1, 33, 17, 9, 0, 709], np.int64)},
        {"header": np.array([1, 33, 17, 8, -1, 709], np.int64)},
        {"header": np.array([1, 33, 17, 8, 0, 2020], np.int64)},
        {"header": np.array([1, 34, 17, 8, 0, 709], np.int64)},
        {"y": np.zeros((17, 33), np.int16)},
        {"u": np.zeros((17, 33), np.uint8)},
        {"proven": np.zeros(1, np.uint8)},
        {"arrival": np.full(2, 255, np.uint8)},
        {"proven_wall_ns": np.zeros((5, 3), np.int64)},
        {"proven_wall_ns": np.full((3, 5), "yesterday")},
        {"proven_wall_ns": np.full((3, 5), np.nan)},
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes: dict[str, np.ndarray]) -> None:
    with pytest.raises(StoreError):
        from_bytes(rewritten(**changes))


def test_another_version_says_so() -> None:
    with pytest.raises(StoreError, match="version 4: this Privet reads versions 1 to 3"):
        from_bytes(rewritten(header=np.array([4, 33, 17, 8, 0, 709], np.int64)))


@pytest.mark.parametrize("version", [1, 2])
def test_earlier_versions_are_read(version: int) -> None:
    assert same(from_bytes(rewritten(header=np.array([version, 33, 17, 8, 0, 709], np.int64))), SCENE)


def test_an_array_that_the_archive_does_not_list_is_missed() -> None:
    """A length in the list of members that swallows those after it, as a flipped bit leaves it."""
    damaged = bytearray(BYTES)
    comment_length = BYTES.rindex(b"PK\x01\x02", 0, BYTES.rindex(b"PK\x01\x02")) + 32
    damaged[comment_length + 1] = 1
    with zipfile.ZipFile(io.BytesIO(bytes(damaged))) as archive, zipfile.ZipFile(io.BytesIO(BYTES)) as whole:
        assert len(archive.namelist()) == len(whole.namelist()) - 1
    with pytest.raises(StoreError, match="7 arrays in it of 8"):
        from_bytes(bytes(damaged))


def test_pickles_are_never_loaded() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, header=np.array([{"anything": 1}], dtype=object))
    with pytest.raises(StoreError):
        from_bytes(buffer.getvalue())


@given(arrays(np.uint8, st.integers(0, 200)))
def test_members_that_are_not_arrays_are_refused(content: np.ndarray) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("header", "y", "u", "v", "proven", "arrival", "proven_wall_ns"):
            archive.writestr(f"{name}.npy", content.tobytes())
    with pytest.raises(StoreError):
        from_bytes(buffer.getvalue())
