"""Blind or awake: a picture that stops fitting the place for a second is an arrival as a whole, until it fits again for as long."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.scene import Condition, Reason
from privet.scene.fit import FIT_SHARE, MISFIT_SHARE, Fit, Fitted, Picture, fit_picture

GOOD = Picture(luma=110.0, gradient=6.0, share=0.0, known=1000, blocks=1200)
BAD = replace(GOOD, share=0.9)


def after(fit: Fit, *shown: tuple[Picture, float]) -> list[Fitted]:
    """What each picture says, shown for so many seconds, five a second."""
    found, now_ns = [], 0
    for picture, seconds in shown:
        for _ in range(round(5 * seconds)):
            found.append(fit_picture(fit, picture, now_ns))
            fit = found[-1].fit
            now_ns += 200 * NS_PER_MS
    return found


@pytest.mark.parametrize("picture", [replace(BAD, luma=23.9), replace(BAD, gradient=0.5)], ids=["black", "featureless"])
def test_black_or_featureless_is_obscured_and_changes_nothing(picture: Picture) -> None:
    fit = Fit(changing_since_ns=5)
    assert fit_picture(fit, picture, NS_PER_S) == Fitted(fit, Condition.BLIND, Reason.OBSCURED)


def test_a_moment_of_misfit_is_none_and_a_second_is() -> None:
    assert all(each.condition is Condition.AWAKE for each in after(Fit(), (BAD, 1.0), (GOOD, 1.0)))
    found = after(Fit(), (BAD, 1.2))
    assert [each.turned for each in found] == [False] * 5 + [True]
    assert found[-1] == Fitted(Fit(misfit=True), Condition.BLIND, Reason.MOVED, arrival=True, turned=True)
    again = after(found[-1].fit, (GOOD, 1.2))
    assert again[-1] == Fitted(Fit(), Condition.AWAKE, Reason.NONE, arrival=False, turned=True)
    assert all(each.reason is Reason.MOVED for each in again[:-1])


def test_after_a_start_the_place_must_be_seen_first() -> None:
    unseen = Fit(found=False)
    assert not unseen.fits
    found = fit_picture(unseen, replace(GOOD, share=FIT_SHARE), 0)
    assert (found.fit.fits, found.found, found.arrival) == (True, True, False)
    elsewhere = fit_picture(unseen, replace(GOOD, share=FIT_SHARE + 0.01), 0)
    assert (elsewhere.fit.fits, elsewhere.found, elsewhere.arrival, elsewhere.reason) == (False, False, True, Reason.MOVED)


def test_where_hardly_anything_is_known_nothing_can_fail_to_fit_but_what_did_not_fit_before() -> None:
    few = replace(BAD, known=50)
    assert all(each.condition is Condition.AWAKE for each in after(Fit(), (few, 5)))
    assert fit_picture(Fit(misfit=True), few, 0).condition is Condition.BLIND
    nothing = replace(BAD, known=0)
    assert fit_picture(Fit(misfit=True), nothing, 0).condition is Condition.AWAKE


@given(st.lists(st.floats(0, 1), max_size=40), st.booleans())
def test_it_turns_only_where_the_shares_say_so(shares: list[float], misfit: bool) -> None:
    fit = Fit(misfit=misfit)
    for number, share in enumerate(shares):
        said = fit_picture(fit, replace(GOOD, share=share), number * 500 * NS_PER_MS)
        if said.turned:
            assert share < FIT_SHARE if fit.misfit else share > MISFIT_SHARE
            assert said.arrival is said.fit.misfit is not fit.misfit
        else:
            assert said.fit.misfit is fit.misfit
        assert (said.condition is Condition.BLIND) == said.fit.misfit
        fit = said.fit
