"""docs/measured/privacy.md and its stills, from the figures that `python -m bench.privacy --json` printed.

    python -m bench.privacy.page FILE.json [FILE.json ...]

Every file adds to docs/measured/privacy.json or replaces what is there under the same name; the page is written from that alone, so it
says what was measured and when. Stills of scenarios are taken from their contact sheets, where there are any.

Belongs here: which figure goes into which table. Does not belong here: what the figures mean (docs/ref/privacy-bench.md), measuring.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path
from string import Template

from PIL import Image

from bench.privacy.ablate import ABLATIONS
from bench.privacy.attack.attack import tables
from bench.privacy.scenarios.cases import SCENARIOS
from bench.privacy.scenarios.judge import SHEET_ROWS, SHEETS
from bench.privacy.stills import GAP_PX, save
from bench.privacy.tables import Json, markdown, said

DOCS = Path(__file__).resolve().parents[2] / "docs"
FIGURES = DOCS / "measured" / "privacy.json"
TEMPLATE = Path(__file__).with_name("page.md.in")
PAGE = DOCS / "measured" / "privacy.md"
PICTURES = DOCS / "pictures" / "privacy"
STILL_ROW = 3       # of a contact sheet: past the middle
SHOWN_SCENARIOS = (
    "present_at_start", "present_at_start_lying", "low_contrast", "still_person", "close_up", "screen", "light_step", "parked_car", "rain",
)
KEYS = (
    "person_frames", "leaked_person_frames", "leaked_person_frames_image", "tracks_with_leak", "longest_leak_ms", "person_frames_on_proven",
    "covered_50", "covered_20", "false_cover", "proven_share", "background_psnr_db", "detector_hits", "capacity_bits_per_second",
    "sent_bits_per_second",
)
ABLATION_KEYS = ("leaked_person_frames", "leaked_person_frames_image", "proven_share", "false_cover")


def merge(figures: Json, measured: Json) -> Json:
    """Scenarios by name, the sequence and its attacks and peers by key; whatever is measured anew replaces what was there."""
    out = dict(figures)
    scenarios = measured.get("scenarios")
    if isinstance(scenarios, dict):
        out["scenarios"] = {**_object(out.get("scenarios", {})), **scenarios}
    rest = {key: value for key, value in measured.items() if key != "scenarios"}
    if rest:
        out["sequence"] = {**_object(out.get("sequence", {})), **rest}
    return out


def page(figures: Json) -> str:
    """The page as Markdown.

    Raises:
        KeyError: a part of it was never measured.
    """
    sequence, scenarios = _object(figures["sequence"]), _object(figures["scenarios"])
    return Template(TEMPLATE.read_text()).substitute(
        measured_on=figures["measured_on"],
        sequence=_sequence(sequence),
        ablations=_ablations(_object(sequence["ablations"])),
        scenarios=_scenarios(scenarios),
        rules=_rules(scenarios),
        stills="\n\n".join(
            f"`{name}`: {SCENARIOS[name].says}\n\n![live, shown, empty place](../pictures/privacy/{name}.jpg)" for name in SHOWN_SCENARIOS
        ),
        attack=tables(_object(sequence["attack"]), as_markdown=True),
    )


def _sequence(sequence: Json) -> str:
    others = _object(sequence["peers"])
    columns = {"Privet": sequence, "deface": _object(others["deface"]), "MOG2": _object(others["mog2"])}
    return markdown([["", *columns], *([f"`{key}`", *(said(each[key]) for each in columns.values())] for key in KEYS)])


def _ablations(off: Json) -> str:
    body = [[f"`{name}`", ABLATIONS[name].says, *(said(_object(off[name])[key]) for key in ABLATION_KEYS)] for name in ABLATIONS]
    return markdown([["", "rule off", *(f"`{key}`" for key in ABLATION_KEYS)], *body])


def _scenarios(scenarios: Json) -> str:
    head = ["", "what happens", "person-frames", "leaked", "by image", "leaks with rules off", "stays hidden", "proven", "needless cover",
            "back after"]
    return markdown([head, *(_scenario(name, _object(scenarios[name])) for name in SCENARIOS)])


def _rules(scenarios: Json) -> str:
    """Person-frames that leak without a rule, in the cases for which every rule was switched off."""
    off = {name: _object(_object(scenarios[name])["ablations"]) for name in SCENARIOS}
    whole = [name for name in SCENARIOS if set(off[name]) == set(ABLATIONS)]
    body = [
        [f"`{rule}`", *(said(_object(off[name][rule])["leaked_person_frames"]) for name in whole)] for rule in ABLATIONS
    ]
    return markdown([["rule off", *(f"`{name}`" for name in whole)], *body])


def _scenario(name: str, one: Json) -> list[str]:
    useful = _object(one["usefulness"])
    counts = ("person_frames", "leaked_person_frames", "leaked_person_frames_image", "ablation_leaks")
    stays = "–" if one["stays_covered"] is None else "yes" if one["stays_covered"] else "**no**"
    after = useful.get("recovery_s")
    return [
        f"`{name}`", SCENARIOS[name].says, *(said(one[key]) for key in counts), stays, _share(useful["proven_share"]),
        _share(useful["false_cover"]), "–" if after is None else f"{after:.1f} s",
    ]


def take_stills() -> None:
    """One row of each contact sheet that is there."""
    for name in SHOWN_SCENARIOS:
        path = SHEETS / f"{name}.jpg"
        if not path.is_file():
            continue
        with Image.open(path) as sheet:
            pitch = (sheet.height + GAP_PX) / SHEET_ROWS
            top = round(STILL_ROW * pitch)
            save(sheet.crop((0, top, sheet.width, round(top + pitch) - GAP_PX)), PICTURES / f"{name}.jpg")


def _share(value: object) -> str:
    return f"{value:.1%}" if isinstance(value, (int, float)) else "–"


def _object(value: object) -> Json:
    assert isinstance(value, dict)
    return value


def main() -> int:
    """Exit status 0, or 2 if a file cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m bench.privacy.page", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.json", help="what `python -m bench.privacy --json` printed")
    options = parser.parse_args()
    figures: Json = json.loads(FIGURES.read_text()) if FIGURES.is_file() else {}
    for path in options.files:
        try:
            figures = merge(figures, json.loads(path.read_text()))
        except (OSError, ValueError) as error:
            print(f"bench.privacy.page: {path}: {error}: give it what `python -m bench.privacy --json` printed", file=sys.stderr)
            return 2
    figures["measured_on"] = datetime.datetime.now(datetime.UTC).date().isoformat()
    take_stills()
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n")
    try:
        PAGE.write_text(page(figures))
    except KeyError as error:
        print(f"bench.privacy.page: {error} was never measured: `make docs-privacy` measures everything", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
