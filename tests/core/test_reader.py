from __future__ import annotations

from dataclasses import replace
from functools import reduce

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.core.scenes import T0, streams

from privet.core.grid import Grid
from privet.core.reader import MAX_PATCHES, STALE_AFTER_NS, SceneView, follow
from privet.core.scene import Background, Condition, Cover, Head, ImageFormat, Light, Patch, Reason, Scene, State

GRID = Grid(16, 16)
NOTHING = SceneView()


def after(scenes: list[Scene], view: SceneView = NOTHING) -> SceneView:
    return reduce(follow, scenes, view)


def in_force(view: SceneView, grid_state: State | None) -> list[Scene]:
    """What a sender sends to bring a reader to `view` (specification, "Joining and catching up")."""
    parts: list[Scene | None] = [
        grid_state if view.background is None else None, view.background, *view.patches, view.light, view.cover, view.state
    ]
    return [part for part in parts if part is not None]


def last_grid_state(scenes: list[Scene]) -> State | None:
    found = None
    for scene in scenes:
        if found is not None and scene.head.session != found.head.session:
            found = None
        if isinstance(scene, State) and scene.grid is not None:
            found = scene
    return found


def parts(view: SceneView) -> list[object]:
    return [view.head and view.head.session, view.grid, view.background, view.patches, view.light, view.cover, view.state]


@given(streams())
def test_nothing_of_another_session_or_epoch_is_ever_in_force(sent: list[Scene]) -> None:
    view = NOTHING
    for scene in sent:
        view = follow(view, scene)
        assert view.head is not None
        known = [part for part in (view.background, *view.patches, view.light, view.cover, view.state) if part is not None]
        assert all(part.head.session == view.head.session for part in known)
        if view.background is not None:
            assert view.background.grid == view.grid
        for part in (*view.patches, view.light, view.cover):
            assert part is None or (view.grid is not None and part.epoch == view.grid.epoch)
        if view.cover is not None:
            assert view.grid is not None
            assert view.cover.covered.shape == view.grid.shape


@given(streams())
def test_in_order_everything_acts(sent: list[Scene]) -> None:
    view = NOTHING
    for scene in sent:
        view = follow(view, scene)
        assert view.head == scene.head
        match scene:
            case Background():
                assert view.background is scene
                assert view.patches == ()
            case Patch():
                assert (scene in view.patches) == (view.background is not None)
            case Cover():
                assert view.cover is scene
            case Light():
                assert view.light is scene
            case State():
                assert view.state is scene


@given(streams(), st.data())
def test_hearing_it_again_changes_nothing(sent: list[Scene], data: st.DataObject) -> None:
    view = after(sent)
    if view.head is None:
        return
    again = [scene for scene in sent if scene.head.session == view.head.session]
    for scene in data.draw(st.permutations(again)):
        # A patch that came before there was a background, or was forgotten with it, may not come up now either.
        heard = follow(view, scene)
        assert parts(heard) == parts(view)


@given(streams(), st.integers(0, 30))
def test_what_is_in_force_brings_any_reader_up_to_date(sent: list[Scene], heard: int) -> None:
    view = after(sent)
    late = after(in_force(view, last_grid_state(sent)), after(sent[:heard]))
    if view.head is None or late.head is None:
        return
    if late.head.session == view.head.session:
        assert parts(late) == parts(view)


@given(streams(), st.integers(0, 30), st.data())
def test_dropped_covers_are_the_only_thing_missed(sent: list[Scene], at: int, data: st.DataObject) -> None:
    kept = [scene for scene in sent if not isinstance(scene, Cover) or data.draw(st.booleans())]
    whole, gappy = after(sent), after(kept)
    assert parts(replace(whole, head=None, cover=None)) == parts(replace(gappy, head=None, cover=None))


def head(sequence: int, wall_ns: int = T0) -> Head:
    return Head(1, sequence, wall_ns)


def test_patches_are_bounded() -> None:
    block = np.ones((1, 1), np.bool_)
    view = after([Background(head(1), GRID, np.ones((2, 2), np.bool_), ImageFormat.PNG, b"x", T0, T0)])
    for sequence in range(2, MAX_PATCHES + 10):
        view = follow(view, Patch(head(sequence), 0, 0, 0, block, ImageFormat.PNG, b"x"))
    assert len(view.patches) == MAX_PATCHES
    assert view.patches[-1].head.sequence == MAX_PATCHES + 1


def test_values_that_do_not_fit_the_grid_are_skipped() -> None:
    """The decoder refuses them; a caller may hand values over without it."""
    view = after([Background(head(1), GRID, np.ones((2, 2), np.bool_), ImageFormat.PNG, b"x", T0, T0)])
    outside = Patch(head(2), 0, 1, 1, np.ones((1, 2), np.bool_), ImageFormat.PNG, b"x")
    misshapen = Cover(head(3), 0, 1, np.ones((3, 2), np.bool_))
    view = after([outside, misshapen], view)
    assert view.patches == ()
    assert view.cover is None


@given(st.integers(1, 10**10), st.integers(0, 10**11), st.integers(0, 10**11), st.booleans())
def test_how_long_a_cover_holds(duration_ns: int, said_ns: int, until_ns: int, later: bool) -> None:
    cover = Cover(head(5), 0, duration_ns, np.ones((2, 2), np.bool_))
    state = State(head(6 if later else 4, T0 + said_ns), Condition.ASLEEP, Reason.NONE, T0 + until_ns, GRID, 0, 0)
    until = SceneView(head=head(6), grid=GRID, cover=cover, state=state).covered_until_wall_ns()
    assert until >= T0 + duration_ns
    assert until <= max(T0 + duration_ns, T0 + said_ns + STALE_AFTER_NS)
    if later and until_ns <= said_ns + STALE_AFTER_NS:
        assert until == T0 + max(duration_ns, until_ns)
    if not later:
        assert until == T0 + duration_ns


def test_nothing_was_heard() -> None:
    assert NOTHING.covered_until_wall_ns() == 0
    assert NOTHING.heard_wall_ns() == 0
