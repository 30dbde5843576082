"""Hard cases through the product: nobody shows, and without the rules somebody does.

Made from the demo's footage and its ground truth, which lies outside the project: without either these tests are skipped.
"""

from __future__ import annotations

import pytest
from bench.privacy.bench import gate_detectors
from bench.privacy.scenarios.cases import SCENARIOS
from bench.privacy.scenarios.cut import footage_key
from bench.privacy.scenarios.judge import Outcome, outcome, recovery_s
from demo.encode import FootageMissingError
from hypothesis import given
from hypothesis import strategies as st

PROVE_S = 10.0
FAST = ("present_at_start",)       # the others take two minutes each on a slow machine
LISTED = {
    "still_person", "sitting_down", "sleeper_restart", "lying_down", "behind_counter", "present_at_start", "low_contrast", "tiny",
    "close_up", "light_step", "dusk", "sun_shadow", "infrared", "shake", "moved", "lens_covered", "night_noise", "rain", "swaying_trees",
    "parked_car", "screen", "damaged_stream", "restart", "reconfigure",
}


def _outcome(name: str) -> Outcome:
    try:
        footage_key()
    except (FileNotFoundError, FootageMissingError) as error:
        pytest.skip(str(error))
    return outcome(name, SCENARIOS[name], PROVE_S, gate_detectors())


def _holds(name: str) -> None:
    result = _outcome(name)
    assert result.figures.person_frames > 0
    assert result.figures.leaks == []
    assert result.stays_covered is not False
    if SCENARIOS[name].about == "promotion":
        assert result.ablation_leaks > 0, "no rule matters here: it is no evidence"


def test_every_case_of_the_list_is_there() -> None:
    assert set(SCENARIOS) >= LISTED


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(0, 10))
def test_recovery_is_the_first_clear_second_on_end(shares: list[float], since_s: int) -> None:
    away = [(number / 2, share) for number, share in enumerate(shares)]
    found = recovery_s(away, since_s)
    clear = [
        start for start, _ in away
        if start >= since_s and away[-1][0] >= start + 1 and all(share <= 0.05 for at, share in away if start <= at <= start + 1)
    ]
    assert found == (clear[0] - since_s if clear else -1.0)


@pytest.mark.parametrize("name", FAST)
def test_holds_fast(name: str) -> None:
    _holds(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in FAST])
def test_holds(name: str) -> None:
    _holds(name)
