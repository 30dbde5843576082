from __future__ import annotations

import json
from functools import reduce
from pathlib import Path
from typing import TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.scenes import streams
from tests.render.places import T0, S, background, cover, nothing, state, texture
from vectors import make as vectors_made

from privet.core.grid import Grid
from privet.core.reader import STALE_AFTER_NS, SceneView, follow
from privet.core.scene import Condition, Reason, Scene
from privet.core.wire import decode
from privet.render.freshness import REASONS, Freshness, duration_words, freshness_of, words

GRID = Grid(16, 16)


def view_of(*scenes: Scene) -> SceneView:
    return reduce(follow, scenes, SceneView())


def awake(*, condition: Condition = Condition.AWAKE, reason: Reason = Reason.NONE, until_ns: int = 0) -> SceneView:
    return view_of(
        background(1, GRID, texture(16, 16)), cover(2, GRID, nothing(GRID)), state(3, GRID, T0, condition, reason, until_ns)
    )


def test_a_place_that_is_known_is_shown() -> None:
    assert freshness_of(awake(), T0) is Freshness.SHOWN
    assert words(awake(), T0 + STALE_AFTER_NS) == ""


def test_silence_is_stale() -> None:
    assert freshness_of(awake(until_ns=T0 + 2 * S), T0 + STALE_AFTER_NS) is Freshness.SHOWN
    assert freshness_of(awake(until_ns=T0 + 2 * S), T0 + STALE_AFTER_NS + 1) is Freshness.SILENT
    assert words(awake(), T0 + 90 * S) == "nothing heard for 1 min"


def test_a_heartbeat_without_a_cover_is_stale_too() -> None:
    view = follow(awake(), state(9, GRID, T0 + 10 * S))
    assert freshness_of(view, T0 + 10 * S) is Freshness.UNKNOWN
    assert words(view, T0 + 10 * S) == "nothing said about what is there for 9 s"


def test_asleep_the_last_cover_holds() -> None:
    view = follow(awake(), state(9, GRID, T0 + 10 * S, Condition.ASLEEP, until_ns=T0 + 11 * S))
    assert freshness_of(view, T0 + 10 * S) is Freshness.SHOWN


@pytest.mark.parametrize(
    ("condition", "reason", "said"),
    [
        (Condition.OFFLINE, Reason.UNREACHABLE, "camera offline: no connection to the camera"),
        (Condition.OFFLINE, Reason.NONE, "camera offline"),
        (Condition.BLIND, Reason.MOVED, "camera sees nothing that fits: the camera was moved"),
        (Condition.STARTING, Reason.WORKER, "starting: restarting"),
    ],
)
def test_conditions_are_said_with_their_reason(condition: Condition, reason: Reason, said: str) -> None:
    assert words(awake(condition=condition, reason=reason), T0) == said


def test_what_is_not_there_yet() -> None:
    assert words(SceneView(), T0) == "no picture yet"
    assert words(view_of(state(1, None)), T0) == "no picture yet"
    assert words(view_of(state(1, GRID)), T0) == "nothing is proven yet"
    assert words(view_of(background(1, GRID, texture(16, 16)), state(2, GRID)), T0) == "starting"


class Case(TypedDict):
    """A vector: what was heard, and how the place is drawn at a moment."""

    name: str
    about: str
    messages: list[str]
    at_wall_ns: str
    freshness: str


def vectors() -> list[Case]:
    found: list[Case] = json.loads((Path(vectors_made.__file__).parent / "scene-stream" / "freshness.json").read_text())["cases"]
    return found


@pytest.mark.parametrize("case", vectors(), ids=lambda case: case["name"])
def test_a_vector_stands_as_it_does_in_the_browser(case: Case) -> None:
    view = SceneView()
    for message in case["messages"]:
        scene = decode(bytes.fromhex(message), view.grid)
        assert scene is not None
        view = follow(view, scene)
    assert freshness_of(view, int(case["at_wall_ns"])) is Freshness(case["freshness"])


def test_the_vectors_know_every_standing() -> None:
    assert {case["freshness"] for case in vectors()} == {each.value for each in Freshness}


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(Reason)


@given(streams(), st.integers(-(10**11), 10**11))
def test_words_are_written_exactly_where_it_is_not_shown(sent: list[Scene], later_ns: int) -> None:
    view = view_of(*sent)
    at_ns = T0 + later_ns
    shown = freshness_of(view, at_ns) is Freshness.SHOWN
    assert shown == (words(view, at_ns) == "")
    if shown:
        # Nothing is shown as the place unless somebody spoke of it lately.
        assert view.background is not None
        assert view.cover is not None
        assert at_ns - view.covered_until_wall_ns() <= STALE_AFTER_NS
        assert view.state is not None
        assert at_ns - view.state.head.wall_ns <= STALE_AFTER_NS


@pytest.mark.parametrize(
    ("duration_ns", "said"),
    [(-5, "0 s"), (0, "0 s"), (59 * S, "59 s"), (60 * S, "1 min"), (3599 * S, "59 min"), (3600 * S, "1 h"), (86399 * S, "23 h"),
     (86400 * S, "1 day"), (40 * 86400 * S, "40 days")],
)
def test_durations(duration_ns: int, said: str) -> None:
    assert duration_words(duration_ns) == said
