"""Selection against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.scene.quantile import median, nth, percentile

VALUES = st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60).map(lambda values: np.array(values, np.float32))


@given(VALUES, st.integers(0, 59))
def test_the_nth_value_is_found(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], which: int) -> None:
    which = min(which, values.size - 1)
    before = values.copy()
    assert nth(values, which) == np.sort(values)[which]
    assert np.array_equal(values, before), "they stay where they are"


@given(st.lists(st.sampled_from([-np.inf, -2.5, -1e-40, -0.0, 0.0, 1e-40, 2.5, np.inf]), min_size=1, max_size=20), st.integers(0, 19))
def test_of_both_signs_and_of_the_least_and_most_there_is(listed: list[float], which: int) -> None:
    values = np.array(listed, np.float32)
    which = min(which, values.size - 1)
    assert nth(values, which) == np.sort(values)[which]


@given(VALUES, st.floats(0, 100))
def test_medians_and_percentiles_are_numpys(values: np.ndarray[tuple[int, ...], np.dtype[np.float32]], share: float) -> None:
    spread = float(np.ptp(values.astype(np.float64)))
    assert median(values.copy()) == pytest.approx(float(np.median(values.astype(np.float64))), rel=1e-5, abs=1e-6 * spread)
    wanted = float(np.percentile(values.astype(np.float64), share))
    assert percentile(values.copy(), share) == pytest.approx(wanted, rel=1e-5, abs=1e-6 * spread)


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile(np.zeros(0, np.float32), 30.0) == 0.0
