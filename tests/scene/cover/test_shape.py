"""Cover kernels against plain references, and what holds of every cover."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from tests.scene.pictures import bool_grids

from privet.core.grid import BoolGrid
from privet.scene.cover import shape as cover


def windows(bits: BoolGrid, radius: int, beyond: bool) -> NDArray[np.bool_]:
    """Every shift of the grid within a square: bool ((2 radius + 1)^2, rows, columns)."""
    padded = np.pad(bits, radius, constant_values=beyond)
    rows, columns = bits.shape
    span = range(2 * radius + 1)
    return np.array([padded[i : i + rows, j : j + columns] for i in span for j in span])


def dilate_reference(bits: BoolGrid, radius: int) -> BoolGrid:
    grown: BoolGrid = np.logical_or.reduce(windows(bits, radius, False), axis=0)
    return grown


def erode_reference(bits: BoolGrid, radius: int) -> BoolGrid:
    shrunk: BoolGrid = np.logical_and.reduce(windows(bits, radius, True), axis=0)
    return shrunk


def drop_specks_reference(bits: BoolGrid) -> BoolGrid:
    kept: BoolGrid = bits & (windows(bits, 1, False).sum(axis=0) > 1)
    return kept


def label_reference(bits: BoolGrid) -> tuple[NDArray[np.int32], int]:
    labels = np.zeros(bits.shape, np.int32)
    count = 0
    for row, column in np.argwhere(bits):
        if labels[row, column]:
            continue
        count += 1
        component = np.zeros_like(bits)
        component[row, column] = True
        while True:
            grown = dilate_reference(component, 1) & bits
            if np.array_equal(grown, component):
                break
            component = grown
        labels[component] = count
    return labels, count


def fill_holes_reference(bits: BoolGrid) -> BoolGrid:
    free = np.pad(~bits, 1, constant_values=True)
    outside = np.zeros_like(free)
    outside[0, :] = outside[-1, :] = outside[:, 0] = outside[:, -1] = True
    while True:
        grown = outside.copy()
        grown[1:] |= outside[:-1]
        grown[:-1] |= outside[1:]
        grown[:, 1:] |= outside[:, :-1]
        grown[:, :-1] |= outside[:, 1:]
        grown &= free
        if np.array_equal(grown, outside):
            return ~outside[1:-1, 1:-1]
        outside = grown


def factor_of(component: BoolGrid, tallest: int) -> int:
    """The least cell side, in blocks, at which a component spans at most `tallest` cells."""
    rows = np.flatnonzero(component.any(axis=1))
    factor = 1
    while rows[-1] // factor - rows[0] // factor + 1 > tallest:
        factor += 1
    return factor


def coarsen_reference(bits: BoolGrid, tallest: int) -> BoolGrid:
    out = bits.copy()
    labels, count = label_reference(bits)
    for which in range(1, count + 1):
        component = labels == which
        factor = factor_of(component, tallest)
        for row, column in np.argwhere(component):
            top, left = row // factor * factor, column // factor * factor
            out[top : top + factor, left : left + factor] = True
    return out


@given(bool_grids())
def test_specks(bits: BoolGrid) -> None:
    assert np.array_equal(cover.drop_specks(bits), drop_specks_reference(bits))


@given(bool_grids(), st.integers(0, 14))
def test_dilate_and_erode(bits: BoolGrid, radius: int) -> None:
    assert np.array_equal(cover.dilate(bits, radius), dilate_reference(bits, radius))
    assert np.array_equal(cover.erode(bits, radius), erode_reference(bits, radius))


@given(bool_grids())
def test_label(bits: BoolGrid) -> None:
    labels, count = cover.label(bits)
    expected, expected_count = label_reference(bits)
    assert count == expected_count
    assert np.array_equal(labels, expected)


@given(bool_grids())
def test_fill_holes(bits: BoolGrid) -> None:
    filled = cover.fill_holes(bits)
    assert np.array_equal(filled, fill_holes_reference(bits))
    assert np.array_equal(cover.fill_holes(filled), filled)
    assert not (bits & ~filled).any()


@given(bool_grids(16), st.integers(1, 14))
def test_coarsen(bits: BoolGrid, tallest: int) -> None:
    coarse = cover.coarsen(bits, tallest)
    assert np.array_equal(coarse, coarsen_reference(bits, tallest))
    assert not (bits & ~coarse).any(), "coarsening uncovers nothing"


@given(bool_grids())
def test_shape(bits: BoolGrid) -> None:
    plain = erode_reference(dilate_reference(drop_specks_reference(bits), 1), 1)
    assert np.array_equal(cover.shape(bits), fill_holes_reference(dilate_reference(plain, 1)))


@given(st.data(), st.integers(0, 5))
def test_dilation_is_extensive_and_monotone(data: st.DataObject, radius: int) -> None:
    less = data.draw(bool_grids())
    extra = np.array(data.draw(st.lists(st.booleans(), min_size=less.size, max_size=less.size)), np.bool_).reshape(less.shape)
    more = less | extra
    assert not (less & ~cover.dilate(less, radius)).any()
    assert not (cover.dilate(less, radius) & ~cover.dilate(more, radius)).any()
    assert np.array_equal(cover.erode(less, radius), ~cover.dilate(~less, radius))
    assert not (cover.erode(less, radius) & ~less).any()


@given(bool_grids(40), st.integers(4, 12))
def test_every_component_is_coarse(bits: BoolGrid, tallest: int) -> None:
    """What a component becomes is made of whole cells (up to the picture's edge), at most `tallest` of them high."""
    coarse = cover.coarsen(bits, tallest)
    labels, count = cover.label(bits)
    for which in range(1, count + 1):
        component = labels == which
        factor = factor_of(component, tallest)
        rows = np.flatnonzero(component.any(axis=1)) // factor
        assert rows[-1] - rows[0] + 1 <= tallest
        for row, column in np.argwhere(component):
            top, left = row // factor * factor, column // factor * factor
            assert coarse[top : top + factor, left : left + factor].all()


@given(bool_grids(24))
def test_a_tall_figure_loses_its_outline(bits: BoolGrid) -> None:
    """Two figures that touch the same cells cannot be told apart once they are coarse."""
    tall = np.zeros((48, 24), np.bool_)
    tall[:, 10] = True
    tall[: bits.shape[0], : bits.shape[1]] |= bits
    factor = factor_of(np.ones((48, 1), np.bool_), 12)
    assert factor == 4
    coarse = cover.coarsen(tall, 12)
    labels, _ = cover.label(tall)
    figure = labels == labels[47, 10]
    cells = figure.reshape(12, 4, 6, 4).any(axis=(1, 3)).repeat(4, 0).repeat(4, 1)
    filled = figure.copy()
    filled[cells] = True
    assert not (filled & ~coarse).any()


@pytest.mark.parametrize("shape", [(0, 0), (0, 7), (7, 0), (1, 1)])
def test_nothing_stays_nothing(shape: tuple[int, int]) -> None:
    nothing = np.zeros(shape, np.bool_)
    for found in (
        cover.drop_specks(nothing), cover.dilate(nothing, 3), cover.fill_holes(nothing), cover.coarsen(nothing, 12), cover.shape(nothing)
    ):
        assert found.shape == shape
        assert not found.any()
    assert cover.label(nothing)[1] == 0


def test_a_lone_block_is_no_silhouette() -> None:
    bits = np.zeros((9, 9), np.bool_)
    bits[4, 4] = True
    assert not cover.shape(bits).any()
    bits[4, 5] = True
    assert cover.shape(bits)[3:6, 3:7].all()


@given(st.lists(arrays(np.bool_, (3, 4)), min_size=1, max_size=12))
def test_since_when_each_block_has_been_set(grids: list[BoolGrid]) -> None:
    since = np.full((3, 4), -1, np.int64)
    for now_ns, there in enumerate(grids):
        cover.follow(there, since, now_ns)
    for at in np.ndindex(3, 4):
        run = 0
        while run < len(grids) and grids[-1 - run][at]:
            run += 1
        assert since[at] == (len(grids) - run if run else -1)
