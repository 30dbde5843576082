from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.render.places import T0, S, texture

from privet.render.caption import caption, dimmed, strip, time_words

BERLIN = ZoneInfo("Europe/Berlin")


def test_the_parts() -> None:
    said = caption("gate", T0, T0 - 3 * 3600 * S, BERLIN)
    assert (said.camera, said.time, said.age, said.notice) == (
        "gate", "2023-11-14 23:13:20 +01:00", "background 3 h old", "reconstruction, not video"
    )
    assert caption("gate", T0, 0, UTC).age == "no background yet"
    assert caption("gate", T0 - S, T0, UTC).age == "background 0 s old"


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    first, second = 1_698_539_400 * S, 1_698_543_000 * S
    assert time_words(first, BERLIN) == "2023-10-29 02:30:00 +02:00"
    assert time_words(second, BERLIN) == "2023-10-29 02:30:00 +01:00"
    assert time_words(2**63 - 1, UTC) == "2262-04-11 23:47:16 +00:00"


@given(st.integers(2, 4000), st.integers(0, 2**62), st.integers(0, 2**62), st.sampled_from(("", "gate", "x" * 64)))
def test_a_strip_is_as_wide_as_asked_and_as_high_whatever_it_says(
    width: int, at_ns: int, oldest_ns: int, camera: str
) -> None:
    drawn = strip(caption(camera, at_ns, oldest_ns, BERLIN), width)
    assert drawn.shape == (strip(caption(camera, 0, 0, UTC), width).shape[0], width, 3)


def test_what_is_said_is_drawn() -> None:
    early, late = (strip(caption("gate", at, T0 - S, UTC), 640) for at in (T0, T0 + 77 * S))
    assert not np.array_equal(early, late)
    assert early.max() > 180  # letters


def test_names_are_drawn_or_left_out_but_never_as_boxes() -> None:
    assert caption("Éntrée Süd", T0, 0, UTC).camera == "Entree Sud"
    assert caption("a\n\tb", T0, 0, UTC).camera == "a b"
    for name in ("البوابة", "大门", "gate \u2603\ufe0f", "x\0"):
        assert caption(name, T0, 0, UTC).camera == ""
    long = strip(caption("long " * 100, T0, 0, UTC), 300)
    assert long[:, -2:].max() < 40  # cut, not run over the edge


def test_nothing_is_cut_off_where_there_is_room() -> None:
    """The last columns stay empty at every usual width: the line was broken in time."""
    for width in range(200, 2000, 37):
        drawn = strip(caption("loading-bay", T0, T0 - 300 * 86400 * S, BERLIN), width)
        assert drawn[:, -2:].max() < 40, width


@given(st.integers(16, 400), st.integers(16, 300), st.text(max_size=60))
def test_dimmed_is_no_brighter_than_half_but_for_the_words(width: int, height: int, said: str) -> None:
    picture = texture(width, height)
    drawn = dimmed(picture, said)
    assert drawn.shape == picture.shape
    if not said.split():
        assert np.array_equal(drawn[: height // 4], picture[: height // 4] // 2)


def test_words_are_written_over_a_dimmed_picture() -> None:
    picture = texture(320, 240)
    one, other = dimmed(picture, "camera offline"), dimmed(picture, "nothing heard for 5 s")
    assert not np.array_equal(one, other)
    assert np.array_equal(one[:80], picture[:80] // 2)
    assert one[110:130].max() > 180
