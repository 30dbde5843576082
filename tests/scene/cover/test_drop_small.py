"""Small components go, large ones stay as they are."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from privet.core.grid import BoolGrid
from privet.scene.cover.shape import drop_small, drop_specks, label


@given(arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12))), st.integers(1, 9))
def test_components_stay_whole_or_go_whole(bits: BoolGrid, fewest: int) -> None:
    kept = drop_small(bits, fewest)
    labels, count = label(bits)
    for which in range(1, count + 1):
        component = labels == which
        assert kept[component].all() == (component.sum() >= fewest)
        assert kept[component].any() == kept[component].all()
    assert not (kept & ~bits).any()
    if fewest == 2:
        assert np.array_equal(kept, drop_specks(bits))
