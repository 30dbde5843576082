"""How private is it? Run `python -m bench.privacy --help`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence as Many
from functools import partial
from pathlib import Path

from demo.encode import FootageMissingError, find_footage

from bench.privacy.ablate import ABLATIONS
from bench.privacy.bench import ablated, finders, gate_detectors, policy, run
from bench.privacy.measure import Figures
from bench.privacy.scenarios.report import outcomes, rows
from bench.privacy.sequence import Sequence, from_video
from bench.privacy.stills import Stills, evenly, save
from bench.privacy.substream import Smaller
from bench.privacy.tables import Json, as_json, table
from privet.scene.proof.looks import Detector

TRUTH_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "PETS09-S2L1-gt.txt"
STILLS = 2


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.privacy", description="How often a person slips through, measured.")
    parser.add_argument("--video", type=Path, help="a video file; by default the demo's footage")
    parser.add_argument("--truth", type=Path, help="its people, MOTChallenge format; by default PETS09-S2L1 in ../shared/data, if there")
    parser.add_argument("--prove-seconds", type=float, default=10.0, metavar="S")
    parser.add_argument("--block", type=int, default=8, metavar="PX", help="side of a block (8)")
    parser.add_argument("--covers-per-second", type=float, default=5.0, metavar="N")
    parser.add_argument("--person-height", type=int, default=0, metavar="PX", help="0: an eighth of the picture")
    parser.add_argument("--tallest-blocks", type=int, default=12, metavar="N", help="coarsening: cells that a silhouette may be tall")
    parser.add_argument("--hold-ms", type=int, default=600, metavar="MS")
    parser.add_argument(
        "--sub", type=int, default=0, choices=range(2, 5), metavar="N", help="watch a sub-stream so many times smaller between keyframes"
    )
    parser.add_argument("--sub-every", type=int, default=1, metavar="N", help="with --sub: of its pictures, one in N is sent (1)")
    parser.add_argument("--ablate", action="store_true", help="each rule of promotion switched off in turn")
    parser.add_argument("--scenarios", nargs="*", metavar="NAME", help="hard cases made from real footage; without names all of them")
    parser.add_argument("--attack", action="store_true", help="what an adversary gets out of the scene stream itself")
    parser.add_argument("--peers", action="store_true", help="deface and OpenCV MOG2 on the same video")
    parser.add_argument("--still", type=Path, metavar="FILE.jpg", help="live and what is shown (of peers, too) side by side, two moments")
    parser.add_argument("--json", action="store_true", help="for machines, on standard output")
    return parser


def _sequence(options: argparse.Namespace) -> Sequence:
    video = options.video or find_footage()
    truth = options.truth or TRUTH_BESIDE
    for path, what in ((video, "video"), (truth, "ground truth")):
        if not path.is_file():
            raise FileNotFoundError(f"{what}: {path} is not there: name it with --{'video' if what == 'video' else 'truth'}")
    return from_video(video, truth)


def main() -> int:
    """Measure; exit status 0, or 1 if anything leaked, or 2 if it could not be measured."""
    options = _options().parse_args()
    try:
        return _measure(options)
    except (FileNotFoundError, FootageMissingError, ValueError, KeyError) as error:
        print(f"bench.privacy: {error}", file=sys.stderr)
        return 2


def _measure(options: argparse.Namespace) -> int:
    settings = policy(
        options.prove_seconds,
        block_px=options.block,
        covers_per_second=options.covers_per_second,
        person_height_px=options.person_height,
        tallest_blocks=options.tallest_blocks,
        hold_ns=options.hold_ms * 1_000_000,
    )
    detectors = gate_detectors()
    if options.scenarios is not None:
        return _scenarios(options, detectors)
    sequence = _sequence(options)
    stills = Stills(sequence, evenly(sequence, STILLS) if options.still else frozenset())
    figures = run(sequence, settings, detectors, eyes=True, through=partial(stills.through, "privet"), smaller=_smaller(options))
    result: Json = as_json(figures)
    _say(options, f"{sequence.name}, proving in {options.prove_seconds:g} s", {"privet": figures})
    leaked = figures.leaked
    if options.ablate:
        off = ablated(sequence, settings, detectors, list(ABLATIONS))
        result["ablations"] = {name: as_json(each) for name, each in off.items()}
        result["ablation_leaks"] = sum(each.leaked_person_frames + each.leaked_person_frames_image for each in off.values())
        _say(options, "with one rule off", off)
    if options.attack:
        from bench.privacy.attack.attack import attack, tables

        result["attack"] = attacked = attack(sequence, settings, detectors)
        print(f"\n{tables(attacked)}", file=sys.stderr if options.json else sys.stdout)
    if options.peers:
        from bench.privacy.peers import peers

        others = peers(sequence, finders, stills.through)
        result["peers"] = {name: as_json(each) for name, each in others.items()}
        _say(options, "the same video, others' programs", {"privet": figures, **others})
    if options.still and (sheet := stills.sheet(("live", "privet", *(("deface", "mog2") if options.peers else ())))) is not None:
        save(sheet, options.still)
    if options.json:
        json.dump(result, sys.stdout, indent=2)
        print()
    return 1 if leaked else 0


def _scenarios(options: argparse.Namespace, detectors: Many[Detector]) -> int:
    # Rules are about the main stream's keyframes, whichever stream is watched: without --ablate they are left on for a sub-stream.
    ablations = list(ABLATIONS) if options.ablate else [] if options.sub else None
    results = dict(outcomes(options.scenarios, options.prove_seconds, detectors, ablations, _smaller(options)))
    print(f"\nscenarios\n{rows(results)}", file=sys.stderr if options.json else sys.stdout)
    if options.json:
        json.dump({"scenarios": {name: each.as_json() for name, each in results.items()}}, sys.stdout, indent=2)
        print()
    return 1 if any(each.failed for each in results.values()) else 0


def _smaller(options: argparse.Namespace) -> Smaller | None:
    """The sub-stream that is watched.

    Raises:
        ValueError: it would send no pictures.
    """
    if options.sub_every < 1:
        raise ValueError(f"--sub-every {options.sub_every}: of the sub-stream's pictures one in so many is sent: 1 or more")
    return Smaller(options.sub, options.sub_every) if options.sub else None


def _say(options: argparse.Namespace, title: str, columns: dict[str, Figures]) -> None:
    print(f"\n{title}\n{table(columns)}", file=sys.stderr if options.json else sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
