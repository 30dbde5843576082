"""Reconstruction: how much nearer to the live crop does the scene stream bring the best linear guess than the empty place alone?

Belongs here: ridge regression over crops, cross-validated by track. Both guesses get the plate's crop at the same box, so both know the
place and
(through the constant) what an average person looks like; the adversary's gets what is shown and what is hidden there on top. The gain is
what the stream tells of the person. That a guess made from 4 x 2 live pixels gains decibels shows that the attack works.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.privacy.attack.crops import Crops

Rows = NDArray[np.float64]

FOLDS = 5
SHRINK = 4               # crops of 64 x 32 are guessed at 16 x 8: finer there is nothing to gain, and coarser is easier
STRENGTHS = (1e1, 1e2, 1e3, 1e4, 1e5)   # of the ridge, per crop of a thousand


@dataclass(frozen=True, slots=True)
class Guessed:
    """PSNR of luma, in dB, of the guesses at the live crop, over crops of tracks that were not learned from."""

    background_psnr_db: float
    stream_psnr_db: float
    blurred_live_psnr_db: float

    @property
    def gain_db(self) -> float:
        return self.stream_psnr_db - self.background_psnr_db

    @property
    def sanity_gain_db(self) -> float:
        return self.blurred_live_psnr_db - self.background_psnr_db


def reconstruct(crops: Crops) -> Guessed:
    """Raises ValueError: fewer than three tracks: none would be left to learn from, to tune by and to judge by."""
    if len(np.unique(crops.track)) < 3:
        raise ValueError("a guess that is learned, tuned and judged on different people takes three tracks")
    live = shrunk(crops.live[..., 0])
    plate = np.concatenate([shrunk(crops.plate[..., plane]) for plane in range(3)], axis=1)
    shown = np.concatenate([*(shrunk(crops.shown[..., plane]) for plane in range(3)), 64 * shrunk(crops.hidden)], axis=1)
    coarse = shrunk(crops.live[..., 0], 4 * SHRINK)
    return Guessed(
        _psnr(_guess(plate, live, crops.track), live),
        _psnr(_guess(np.concatenate([plate, shown], axis=1), live, crops.track), live),
        _psnr(_guess(np.concatenate([plate, coarse], axis=1), live, crops.track), live),
    )


def shrunk(pixels: NDArray[np.uint8] | NDArray[np.float32], times: int = SHRINK) -> Rows:
    """Means over squares of `times` pixels. pixels: (n, height, width); float64 (n, height * width / times^2)."""
    n, height, width = pixels.shape
    squares = pixels.reshape(n, height // times, times, width // times, times).astype(np.float64)
    out: Rows = squares.mean(axis=(2, 4)).reshape(n, -1)
    return out


def _guess(features: Rows, wanted: Rows, track: NDArray[np.int64]) -> Rows:
    """Guesses for every row, by what was learned from other tracks; the ridge's strength is chosen on a further fold."""
    tracks = np.unique(track)
    fold = np.searchsorted(tracks, track) % min(FOLDS, len(tracks))
    out = np.empty_like(wanted)
    count = int(fold.max()) + 1
    for judged in range(count):
        tuned = (judged + 1) % count
        learned = (fold != judged) & (fold != tuned)
        errors = [
            float(np.square(guess - wanted[fold == tuned]).mean())
            for guess in ridge(features[learned], wanted[learned], features[fold == tuned], STRENGTHS)
        ]
        best = STRENGTHS[int(np.argmin(errors))]
        others = fold != judged
        out[fold == judged] = ridge(features[others], wanted[others], features[fold == judged], (best,))[0]
    return out


def ridge(features: Rows, wanted: Rows, asked: Rows, strengths: tuple[float, ...]) -> list[Rows]:
    """Guesses at `asked` (m, d) by regression learned from features (n, d) and wanted (n, k), one (m, k) per strength."""
    middle, target = features.mean(axis=0), wanted.mean(axis=0)
    centred = features - middle
    values, vectors = np.linalg.eigh(centred.T @ centred)
    towards = vectors.T @ (centred.T @ (wanted - target))
    turned = (asked - middle) @ vectors
    scale = len(features) / 1000
    return [turned @ (towards / (np.maximum(values, 0) + strength * scale)[:, None]) + target for strength in strengths]


def _psnr(guess: Rows, live: Rows) -> float:
    return float(10 * np.log10(255**2 / max(float(np.square(guess - live).mean()), 1e-9)))
