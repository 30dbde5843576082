"""The registry of hard cases. Each is a `Stage` and what must hold on it.

Belongs here: what happens in a scenario. Does not belong here: composing (stage), judging (judge).
`about` says whether promotion or the cover is tried: only what is about promotion must leak without some rule.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from collections.abc import Sequence as Many
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

import numpy as np

from bench.privacy.scenarios.cut import VISIBLE, Cutout, Picture, Placed, lying, paste, person, piece, place, put, seated, upper, walk
from bench.privacy.scenarios.stage import (
    CLOSE,
    WIDE,
    Actor,
    Damage,
    Stage,
    one_after_the_other,
    sequence,
    staying,
    walking,
)
from bench.privacy.sequence import Sequence
from bench.privacy.watch import Between
from privet.scene.analyst import Analyst
from privet.scene.proof.looks import Detector
from privet.scene.settings import AnalystSettings
from privet.scene.state_format import from_bytes, to_bytes

About = Literal["promotion", "cover", "both"]
TWO, FIVE, TEN = Fraction(2), Fraction(5), Fraction(10)
MINUTES = 480
ALIVE_PX = 0.4              # of the head of somebody 75 px tall who stands still
HEAD, SHOES = 0.14, 0.06    # of somebody's height
FACING, FRONT, BACK = (11, 309), (12, 309), (2, 564)
WALK = (13, 200, 290)       # a track and the frames in which nobody else is near it

Restarting = Callable[[AnalystSettings, Many[Detector]], Between]


@dataclass(frozen=True, slots=True)
class Scenario:
    """says: what happens. stays_covered: tracks that must be covered or unproven throughout. changes: policy. restarting: makes what
    is called before every frame. disturbed: seconds at which a disturbance ended: how
    long it took to recover is the longest of them.
    """

    says: str
    about: About
    stage: Callable[[], Stage]
    ablations: tuple[str, ...] = ()
    stays_covered: tuple[int, ...] = ()
    changes: tuple[tuple[str, object], ...] = ()
    restarting: Restarting | None = None
    disturbed: tuple[float, ...] = ()

    def sequence(self, name: str) -> Sequence:
        return sequence(name, self.stage(), inspect.getsource(inspect.getmodule(self.stage) or self.stage))


def walkers(stage_seconds: float, step_s: float = 0.2, start_s: float = 0.0) -> tuple[Actor, ...]:
    """Two people who walk through as in the footage, again and again."""
    out = []
    for track, first, last in (WALK, (17, 180, 270)):
        steps = walk(track, first, last, max(round(step_s * 10), 1))
        length_s = len(steps) * step_s
        rounds = range(int((stage_seconds - start_s) / (length_s + 6)) + 1)
        out.append(one_after_the_other(*(walking(WIDE, steps, step_s, start_s + each * (length_s + 6)) for each in rounds)))
    return tuple(out)


def comes_and(pose: Callable[[Cutout], Cutout], step_s: float, start_s: float, alive_px: float = 0.0) -> Actor:
    """Walks in as in the footage and stays where the walk ends, in a pose."""
    steps = walk(13, 200, 244, max(min(round(step_s * 10), 10), 1))
    end_s = start_s + len(steps) * step_s
    last = steps[-1]
    posed = pose(last)
    left, top = WIDE.at(last.left, last.top)
    below = (last.height_px - posed.height_px) * WIDE.scale
    return one_after_the_other(
        walking(WIDE, steps, step_s, start_s), staying(posed, left, top + below, WIDE.scale, from_s=end_s, alive_px=alive_px)
    )


def _as_is(cutout: Cutout) -> Cutout:
    return cutout


# -- there from the start


def _at_start(pose: Callable[[Cutout], Cutout]) -> Callable[[], Stage]:
    def stage() -> Stage:
        people = [
            staying(pose(person(*who)), left, top, 1.0, alive_px=ALIVE_PX)
            for who, left, top in ((FACING, 40.0, 110.0), (FRONT, 300.0, 120.0), (BACK, 150.0, 60.0))
        ]
        return Stage(MINUTES, TWO, CLOSE, tuple(people))

    return stage


def _behind_counter() -> Stage:
    return Stage(MINUTES, TWO, CLOSE, (
        staying(upper(person(*FACING), 0.55), 40.0, 118.0, 1.0, alive_px=ALIVE_PX),
        staying(upper(person(*FRONT), 0.5), 300.0, 130.0, 1.0, alive_px=ALIVE_PX),
    ))


def _tiny() -> Stage:
    scale = 12 / 80
    return Stage(MINUTES, TWO, WIDE, tuple(
        staying(person(*who), left, top, scale, alive_px=ALIVE_PX * scale)
        for who, left, top in ((FACING, 60.0, 100.0), (FRONT, 170.0, 120.0), (BACK, 290.0, 90.0))
    ))


def _low_contrast() -> Stage:
    """Clothes are the place behind them, five levels darker, with a tenth of their own folds; head and shoes are as they were."""
    who = person(*BACK)
    height, width = who.alpha.shape
    background = place()[190 : 190 + height, 330 : 330 + width]
    folds = who.colour[:, :, :1] - who.colour[:, :, :1].mean()
    pale = background + 0.1 * folds * np.array([1, 0, 0], np.float32) - np.array([5, 0, 0], np.float32)
    rows = np.flatnonzero((who.alpha > VISIBLE).any(axis=1))
    share = (np.arange(height) - rows[0] + 0.5) / (rows[-1] + 1 - rows[0])
    clothes = ((share > HEAD) & (share < 1 - SHOES))[:, None, None]
    left, top = CLOSE.at(330, 190)
    dressed = replace(who, colour=np.where(clothes, pale, who.colour).astype(np.float32))
    return Stage(MINUTES, TWO, CLOSE, (staying(dressed, left, top, 1.0, alive_px=ALIVE_PX),))


def _close_up() -> Stage:
    who = person(*FACING)
    scale = 300 / who.height_px
    return Stage(60, FIVE, WIDE, (staying(who, 120.0, 10.0, scale, alive_px=4 * ALIVE_PX),))


# -- coming to stay


def _still_person() -> Stage:
    return Stage(640, Fraction(1), WIDE, (comes_and(_as_is, 1.0, 30.0),))


def _lying_down() -> Stage:
    return Stage(150, Fraction(2), WIDE, (comes_and(lying, 0.5, 30.0),))


def _sitting(rate: Fraction) -> Callable[[], Stage]:
    def stage() -> Stage:
        return Stage(7200, rate, WIDE, (comes_and(seated, float(1 / rate), 60.0),))

    return stage


def restart_at(numbers: Many[int], **changes: object) -> Restarting:
    """Throws the analyst away before these frames; another one takes up what it had left, through the bytes that are sealed."""

    def make(settings: AnalystSettings, detectors: Many[Detector]) -> Between:
        after = replace(settings, **changes)  # type: ignore[arg-type] # names are checked at the call, by the dataclass

        def between(number: int, analyst: Analyst) -> Analyst:
            stored = analyst.snapshot() if number in numbers else None
            return analyst if stored is None else Analyst(after, detectors, from_bytes(to_bytes(stored)), rules=analyst.rules)

        return between

    return make


# -- light and the camera's own doings


def gained(picture: Picture, gain: float, offset: float = 0.0) -> Picture:
    """Another exposure: luma from black, chroma from grey."""
    out = picture.copy()
    out[:, :, 0] = (picture[:, :, 0] - 16) * gain + 16 + offset
    out[:, :, 1:] = (picture[:, :, 1:] - 128) * gain + 128
    return np.clip(out, 16, 235)


def _ramp(seconds: float, *points: tuple[float, float]) -> float:
    return float(np.interp(seconds, [at for at, _ in points], [value for _, value in points]))


def _light_step() -> Stage:
    return Stage(60, FIVE, WIDE, walkers(60), light=lambda s, picture: gained(
        picture, _ramp(s, (30, 1.0), (31, 1.3), (45, 1.3), (46, 0.7))
    ))


def _dusk() -> Stage:
    return Stage(640, Fraction(1), WIDE, walkers(640, step_s=1.0), light=lambda s, picture: gained(
        picture, _ramp(s, (40, 1.0), (640, 0.25))
    ))


def _sun_shadow() -> Stage:
    """The shadow of a wall, 40 % darker, crosses the picture in an hour."""

    def light(seconds: float, picture: Picture) -> Picture:
        x = np.arange(picture.shape[1])[None] + 0.3 * np.arange(picture.shape[0])[:, None]
        edge = _ramp(seconds, (60, -40.0), (3660, 400.0))
        dark = np.clip((edge - x) / 3 + 0.5, 0, 1) * np.clip((x - edge + 120) / 3 + 0.5, 0, 1)
        out = picture.copy()
        out[:, :, 0] = (picture[:, :, 0] - 16) * (1 - 0.4 * dark) + 16
        return out

    return Stage(3660, Fraction(1, 4), WIDE, walkers(3660, step_s=4.0), light=light)


def _infrared() -> Stage:
    def light(seconds: float, picture: Picture) -> Picture:
        if not 35 <= seconds < 60:
            return picture
        grey = gained(picture, _ramp(seconds, (35, 1.5), (36, 0.75)), 10.0)
        grey[:, :, 1:] = 128
        return grey

    return Stage(75, FIVE, WIDE, walkers(75), light=light)


def _shake() -> Stage:
    def shift(seconds: float) -> tuple[int, int]:
        if not 25 <= seconds < 28:
            return 0, 0
        return round(6 * np.sin(11 * seconds)), round(6 * np.sin(17 * seconds + 1))

    return Stage(40, TEN, WIDE, walkers(40, step_s=0.1), shift=shift)


def _moved() -> Stage:
    return Stage(60, FIVE, WIDE, walkers(60), shift=lambda s: (40, 0) if s >= 30 else (0, 0))


def _lens_covered() -> Stage:
    def light(seconds: float, picture: Picture) -> Picture:
        return np.full_like(picture, 128) * np.array([0.3, 1, 1], np.float32) if 30 <= seconds < 38 else picture

    return Stage(55, FIVE, WIDE, walkers(55), light=light)


def _night_noise() -> Stage:
    return Stage(50, FIVE, WIDE, (*walkers(50), staying(person(*FACING), 60.0, 100.0, 0.5, alive_px=0.2)), light=lambda s, picture: gained(
        picture, 0.45
    ), sigma=lambda s: 12.0)


def _rain() -> Stage:
    def weather(seconds: float, random: np.random.Generator, picture: Picture) -> Picture:
        out = picture.copy()
        height, width = out.shape[:2]
        for _ in range(220):
            x, y, length = int(random.integers(width)), int(random.integers(height)), int(random.integers(6, 18))
            out[y : y + length, x, 0] += 25.0
        return out

    return Stage(60, FIVE, WIDE, walkers(60), weather=weather)


def _swaying_trees() -> Stage:
    """Lawn and hedge at the left warp back and forth by up to three pixels."""

    def backdrop(seconds: float, picture: Picture) -> Picture:
        rows, columns = np.mgrid[160:288, 0:110]
        reach = 3 * np.clip((110 - columns) / 20, 0, 1) * np.clip((rows - 160) / 10, 0, 1)
        off = reach * np.sin(2.1 * seconds + columns / 17 + rows / 29)
        out = picture.copy()
        out[160:288, 0:110] = picture[rows, np.clip(np.rint(columns + off), 0, 383).astype(np.int64)]
        return out

    return Stage(60, FIVE, WIDE, walkers(60), backdrop=backdrop)


def _parked_car() -> Stage:
    """The footage's white van comes down the road, stays for half a minute and goes again."""
    van = piece(place(), 648, 40, 80, 64)

    def backdrop(seconds: float, picture: Picture) -> Picture:
        if 28 <= seconds < 66:
            x = _ramp(seconds, (28, 384.0), (31, 250.0), (62, 250.0), (66, 390.0))
            paste(picture, put(van, x, 118.0, 0.8))
        return picture

    return Stage(80, FIVE, WIDE, walkers(80), backdrop=backdrop)


def _screen() -> Stage:
    """A display of 96 x 72 px shows other people of the footage, walking."""
    shown = tuple(walk(9, 362, 460, 2))

    def on_screen(seconds: float) -> Placed | None:
        cutout = shown[int(seconds * 5) % len(shown)]
        return put(cutout, 30.0 + (cutout.left - 380) * 0.5, 200.0, 0.6)

    def backdrop(seconds: float, picture: Picture) -> Picture:
        picture[190:262, 10:106] = np.array([180, 128, 128], np.float32)
        return picture

    return Stage(60, FIVE, WIDE, (on_screen, *walkers(60)), backdrop=backdrop)


def _damaged_stream() -> Stage:
    lost = {number: Damage(lost=True) for number in (57, 63, 128, 200, 201, 244)}
    broken = {number: Damage(cut_to=0.5) for number in (85, 140, 181)} | {number: Damage(flipped_bytes=4) for number in (101, 160, 222)}
    return Stage(55, FIVE, WIDE, walkers(55), damage={**lost, **broken})


def _crowd() -> Stage:
    return Stage(60, FIVE, WIDE, (
        *walkers(60), staying(person(*FACING), 60.0, 100.0, 0.5, alive_px=0.2), staying(person(*FRONT), 250.0, 140.0, 0.5, alive_px=0.2),
    ))


def _as_by_default(person_height_px: int) -> tuple[tuple[str, object], ...]:
    """Who is there from the start is judged by the defaults: these scenarios are long enough for them."""
    usual = AnalystSettings()
    return (
        ("prove_ns", usual.prove_ns), ("prove_keyframes", usual.prove_keyframes), ("looks_per_second", usual.looks_per_second),
        ("person_height_px", person_height_px),
    )


RULES_1_AND_2 = ("stillness_and_looks", "looks")
RULE_3 = ("arrival_and_looks", "arrival")
NOW_AND_THEN = range(300, 1800, 400)

SCENARIOS: dict[str, Scenario] = {
    "present_at_start": Scenario(
        "three upright people, 75 px, sway and breathe by at most 0.4 px", "promotion", _at_start(_as_is), RULES_1_AND_2, (1, 2, 3),
        _as_by_default(75),
    ),
    "present_at_start_lying": Scenario(
        "the same three, lying", "promotion", _at_start(lying), (*RULES_1_AND_2, "small_shifts"), (1, 2, 3), _as_by_default(75)
    ),
    "present_at_start_seated": Scenario(
        "the same three, seated", "promotion", _at_start(seated), RULES_1_AND_2, (1, 2, 3), _as_by_default(75)
    ),
    "still_person": Scenario(
        "walks in, stops, stands ten minutes; only sensor noise moves", "promotion", _still_person, RULE_3, (1,)
    ),
    "lying_down": Scenario("walks in and lies down for two minutes", "promotion", _lying_down, RULE_3, (1,)),
    "sleeper_restart": Scenario(
        "sits down on a proven place, is still for two hours; restarts meanwhile", "promotion", _sitting(Fraction(1, 4)), RULE_3, (1,),
        restarting=restart_at(NOW_AND_THEN),
    ),
    "light_step": Scenario("+30 %, then -46 %, within a second each", "cover", _light_step, disturbed=(31, 46)),
    "shake": Scenario("+-6 px for three seconds", "cover", _shake, disturbed=(28,)),
    "infrared": Scenario("chroma gone, exposure jumps, and back", "cover", _infrared, disturbed=(60,)),
    "parked_car": Scenario("comes, stays, goes, among walkers", "cover", _parked_car, disturbed=(66,)),
    "sitting_down": Scenario("sits down on a proven place, two hours", "promotion", _sitting(Fraction(1, 4)), RULE_3, (1,)),
    "behind_counter": Scenario(
        "two people from the waist up", "promotion", _behind_counter, RULES_1_AND_2, (1, 2), _as_by_default(75)
    ),
    "low_contrast": Scenario(
        "clothes five levels off the place", "promotion", _low_contrast, (*RULES_1_AND_2, "small_shifts"), (1,), _as_by_default(75)
    ),
    "tiny": Scenario("people of 12 px", "promotion", _tiny, RULES_1_AND_2, (1, 2, 3), _as_by_default(12)),
    "close_up": Scenario("somebody fills a third of the frame", "promotion", _close_up, RULES_1_AND_2, (1,)),
    "dusk": Scenario("gain 1 to 0.25 in ten minutes", "cover", _dusk),
    "sun_shadow": Scenario("a hard shadow wanders for an hour", "cover", _sun_shadow),
    "moved": Scenario("40 px, stays", "both", _moved, ("arrival",)),
    "lens_covered": Scenario("for eight seconds", "cover", _lens_covered, disturbed=(38,)),
    "night_noise": Scenario("noise of 12 levels, little light, somebody stands", "both", _night_noise, RULES_1_AND_2, (3,)),
    "rain": Scenario("220 streaks a frame", "cover", _rain),
    "swaying_trees": Scenario("a textured part of the picture warps", "cover", _swaying_trees),
    "screen": Scenario("a display shows people", "both", _screen, ("stillness_and_looks",)),
    "damaged_stream": Scenario("lost, cut and corrupted pictures", "cover", _damaged_stream),
    "restart": Scenario(
        "three times in a crowd", "both", _crowd, RULES_1_AND_2, (3, 4), restarting=restart_at((60, 140, 220))
    ),
    "reconfigure": Scenario(
        "block size, hold and a blind zone change while running", "both", _crowd, RULES_1_AND_2, (3, 4),
        restarting=restart_at((130,), block_px=16, hold_ns=1_000_000_000, blind=(((0.0, 0.0), (0.2, 0.0), (0.2, 0.1), (0.0, 0.1)),)),
    ),
}
