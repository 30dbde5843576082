"""The three attacks over one sequence, as figures: three passes, so that little proven ground hides nothing.

Belongs here: which runs are attacked, and how the figures are named (docs/ref/privacy-bench.md). The first pass starts from nothing, as
after commissioning; the second begins with what the first proved, so that whatever can be proven of the walkways is shown from its first
frame; the third is given the plate, proven everywhere, which is more
than the product ever has: everybody is a silhouette in an open place.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Many
from dataclasses import replace

from bench.privacy.attack.crops import Crops, gather
from bench.privacy.attack.reconstruct import reconstruct
from bench.privacy.attack.reidentify import reidentify
from bench.privacy.attack.silhouettes import DEFAULT, Answers, Silhouettes, Told, proven_plate, silhouettes
from bench.privacy.sequence import Sequence
from bench.privacy.tables import Json, aligned, markdown
from bench.privacy.watch import Account, Shown, watch
from privet.scene.analyst import Analyst
from privet.scene.proof.looks import Detector
from privet.scene.settings import AnalystSettings
from privet.scene.state_format import StoredScene

QUESTIONS = ("near", "far")


def attack(sequence: Sequence, settings: AnalystSettings, detectors: Many[Detector]) -> Json:
    """All figures, under the names of docs/ref/privacy-bench.md."""
    kept: list[StoredScene] = []
    passes: Json = {"first_pass": crop_attacks(gather(sequence, first_pass(sequence, settings, detectors, kept)))}
    if kept:
        passes["proven"] = crop_attacks(gather(sequence, second_pass(sequence, settings, detectors, kept[-1])))
    everywhere = second_pass(sequence, settings, detectors, proven_plate(sequence, settings.block_px))
    passes["proven_everywhere"] = crop_attacks(gather(sequence, everywhere))
    return {**passes, "silhouettes": as_json(silhouettes(sequence))}


def first_pass(
    sequence: Sequence, settings: AnalystSettings, detectors: Many[Detector], kept: list[StoredScene]
) -> Iterator[Shown]:
    """A run from nothing. kept: is given what it leaves, as the supervisor would be."""
    last: list[Analyst] = []

    def remember(_number: int, analyst: Analyst) -> Analyst:
        last[:] = [analyst]
        return analyst

    yield from watch(sequence, settings, detectors, Account(), remember)
    if last and (snapshot := last[0].snapshot()) is not None:
        kept.append(snapshot)


def second_pass(
    sequence: Sequence, settings: AnalystSettings, detectors: Many[Detector], stored: StoredScene
) -> Iterator[Shown]:
    """The same footage once more, with what the first pass left."""
    # Stored times are of the first pass: as far as this one is concerned the background was there before it began.
    before = replace(stored, proven_wall_ns=(stored.proven_wall_ns > 0).astype(stored.proven_wall_ns.dtype))

    def begin(number: int, analyst: Analyst) -> Analyst:
        return Analyst(settings, detectors, before) if number == 0 else analyst

    yield from watch(sequence, settings, detectors, Account(), begin)


def crop_attacks(crops: Crops) -> Json:
    matched, tracks = reidentify(crops)
    guessed = reconstruct(crops)
    return {
        "person_frames": len(crops.track),
        "tracks": tracks,
        "box_share_proven": round(float(crops.proven.mean()), 4),
        "box_share_hidden": round(float(crops.hidden.mean()), 4),
        "reidentification": {
            name: {
                "rank1_live": round(each.live, 4),
                "rank1_shown": round(each.shown, 4),
                "rank1_background": round(each.control, 4),
                "rank1_adversary": round(each.adversary, 4),
                "lift": round(each.lift, 4),
                "lift_95": [round(each.low, 4), round(each.high, 4)],
                "contains_zero": each.contains_zero,
                "lift_shown_alone": round(each.shown - each.control, 4),
                "lift_shown_alone_95": [round(each.shown_low, 4), round(each.shown_high, 4)],
            }
            for name, each in matched.items()
        },
        "reconstruction": {
            "background_psnr_db": round(guessed.background_psnr_db, 3),
            "stream_psnr_db": round(guessed.stream_psnr_db, 3),
            "gain_db": round(guessed.gain_db, 3),
            "blurred_live_gain_db": round(guessed.sanity_gain_db, 3),
        },
    }


def as_json(found: Silhouettes) -> Json:
    default = found.covers.get(DEFAULT)
    return {
        "pixel_masks": _answers(found.pixel_masks),
        "box_only": _share(found.box_only, found.pixel_masks),
        "default": None if default is None else _share(default, found.pixel_masks),
        "choices": [
            {
                "block_px": choice.block_px,
                "tallest_blocks": choice.tallest_blocks or None,
                "covers_per_second": choice.covers_per_second,
                "hold_ms": choice.hold_ms,
                **_share(answers, found.pixel_masks),
            }
            for choice, answers in found.covers.items()
        ],
    }


def _answers(answers: Answers) -> Json:
    return {"near": _told(answers.near), "far": _told(answers.far)}


def _share(answers: Answers, of: Answers) -> Json:
    """Answers, and which share of what pixel masks give they are."""
    out = _answers(answers)
    for question in QUESTIONS:
        share, low, high = getattr(answers, question).share_of(getattr(of, question))
        out[f"{question}_share_of_pixel_masks"] = round(share, 4)
        out[f"{question}_share_95"] = [round(low, 4), round(high, 4)]
    return out


def _told(told: Told) -> Json:
    low, high = told.interval
    return {
        "rank1": round(told.rank1, 4),
        "rank1_95": [round(low, 4), round(high, 4)],
        "chance": round(1 / max(len(told.by_walker), 1), 4),
        "walkers": len(told.by_walker),
        "walks": told.walks,
    }


# -- tables, from the figures as they stand in JSON


def tables(figures: Json, as_markdown: bool = False) -> str:
    """Three tables with a heading each."""
    draw = markdown if as_markdown else aligned
    mark = "### " if as_markdown else ""
    parts = []
    for title, rows in (
        ("Re-identification: rank-1, and its lift over the empty place", _match_rows(figures)),
        ("Reconstruction: PSNR of the best linear guess at the live crop, dB", _guess_rows(figures)),
        ("Silhouettes: rank-1 of telling walkers apart", _silhouette_rows(figures)),
    ):
        parts.append(f"{mark}{title}\n\n{draw(rows)}\n")
    return "\n".join(parts)


def _passes(figures: Json) -> list[tuple[str, Json]]:
    return [(name.replace("_", " "), _object(figures[name])) for name in ("first_pass", "proven", "proven_everywhere") if name in figures]


def _match_rows(figures: Json) -> list[list[str]]:
    rows = [["pass", "feature", "live (sanity)", "shown alone", "empty place", "adversary", "lift", "95 %"]]
    for name, one in _passes(figures):
        for feature, each in _object(one["reidentification"]).items():
            got = _object(each)
            low, high = _pair(got["lift_95"])
            arms = ("rank1_live", "rank1_shown", "rank1_background", "rank1_adversary")
            rows.append(
                [name, feature, *(f"{_number(got[arm]):.3f}" for arm in arms), f"{_number(got['lift']):+.3f}", f"{low:+.3f} to {high:+.3f}"]
            )
    return rows


def _guess_rows(figures: Json) -> list[list[str]]:
    rows = [["pass", "empty place", "with the stream", "gain", "gain of a 4 x 2 px live crop (sanity)"]]
    for name, one in _passes(figures):
        got = _object(one["reconstruction"])
        rows.append(
            [name, f"{_number(got['background_psnr_db']):.2f}", f"{_number(got['stream_psnr_db']):.2f}",
             f"{_number(got['gain_db']):+.3f}", f"{_number(got['blurred_live_gain_db']):+.2f}"]
        )
    return rows


def _silhouette_rows(figures: Json) -> list[list[str]]:
    found = _object(figures["silhouettes"])
    head = ["mask", "tallest, cells", "a second", "hold, ms"]
    rows = [[*head, *(cell for question in QUESTIONS for cell in (question, "95 %", "of pixel masks", "95 %"))]]
    masks = _object(found["pixel_masks"])

    def row(cells: list[str], one: Json) -> list[str]:
        for question in QUESTIONS:
            told = _object(one[question])
            low, high = _pair(told["rank1_95"])
            cells = [*cells, f"{_number(told['rank1']):.3f}", f"{low:.3f} to {high:.3f}"]
            if f"{question}_share_95" in one:
                low, high = _pair(one[f"{question}_share_95"])
                cells += [f"{_number(one[f'{question}_share_of_pixel_masks']):.0%}", f"{low:.0%} to {high:.0%}"]
            else:
                cells += ["", ""]
        return cells

    chances = [[f"{_number(_object(masks[question])['chance']):.3f}", "", "", ""] for question in QUESTIONS]
    rows.append(["chance", "", "", "", *chances[0], *chances[1]])
    rows.append(row(["pixel masks", "", "every frame", ""], masks))
    rows.append(row(["boxes only, 8 px", "12", "5", "600"], _object(found["box_only"])))
    choices = found["choices"]
    assert isinstance(choices, list)
    for each in choices:
        one = _object(each)
        rate, hold = _number(one["covers_per_second"]), _number(one["hold_ms"])
        rows.append(row([f"{one['block_px']} px", str(one["tallest_blocks"] or "no limit"), f"{rate:g}", f"{hold:g}"], one))
    return rows


def _object(value: object) -> Json:
    assert isinstance(value, dict)
    return value


def _number(value: object) -> float:
    assert isinstance(value, (int, float))
    return float(value)


def _pair(value: object) -> tuple[float, float]:
    assert isinstance(value, list)
    return _number(value[0]), _number(value[1])
