"""A camera that sleeps shows everybody whom one that never does would show, a GOP late at most."""

from __future__ import annotations

import pytest
from bench.privacy.scenarios.cut import TRUTH_FILE

from bench import on_demand


@pytest.mark.slow
@pytest.mark.skipif(not TRUTH_FILE.is_file(), reason="the ground truth lies outside the project and is not on this machine")
@pytest.mark.parametrize("name", list(on_demand.VIEWS))
def test_no_track_is_missed(name: str) -> None:
    figures = on_demand.measure(name)
    assert figures["tracks_shown_when_all_is_decoded"] == 19
    assert figures["tracks_missed"] == 0
    assert figures["person_pictures_not_decoded"] == 0
    assert figures["late_s_most"] <= on_demand.GOP_S
    assert figures["slept"] >= 10, "or it would be no evidence"
