"""Re-identification: does what is shown of somebody match live pictures of them any better than the empty place does?

Belongs here: features, matching, the interval. The gallery is live crops of one half of each track, the probe crops of the other half, and
the other way round; a probe's answer is the track of its nearest neighbour in the gallery. Crops of the person-free plate at the same boxes
are the control: people stay near where they were, so the place alone gives some matches away. Live probes are the sanity of the attack.

What is shown where somebody stands is mostly flat, so that alone it tells *less* than the empty place does (`shown`). An adversary has a
picture of the empty place, too, from any other minute of the stream: they add the two similarities (`adversary`), weighed as suits them
best on the very tracks that they are asked about, which is more than an adversary can know. The lift is the adversary's rank-1 less the
control's: what the stream adds. It is 0 where nothing helps.

Features: histograms of colour in three bands; HOG (N. Dalal and B. Triggs, "Histograms of oriented gradients for human detection", 2005);
and, for the generic embedding, the low frequencies of a cosine transform of each plane: no backbone that is trained on general pictures
installs under a permissive licence. `all` adds up the similarities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.privacy.attack.crops import Crops, Pixels

Features = NDArray[np.float32]
"""Shape (n, d), each row of length 1."""

BANDS = 3
LUMA_BINS, CHROMA_BINS = 8, 16
CELL_PX = 8
ORIENTATIONS = 9
FREQUENCIES = 8
LEAST_HALF = 5          # crops in each half of a track, or it is left out
RESAMPLES = 2000
WEIGHTS = (0.1, 0.25, 0.5, 1.0, 2.0)    # of what is shown, beside the empty place


@dataclass(frozen=True, slots=True)
class Matched:
    """Rank-1 of one feature. lift: adversary less control; low, high: its 95 % interval by bootstrap over tracks. shown_*: of shown
    alone."""

    live: float
    shown: float
    control: float
    adversary: float
    low: float
    high: float
    shown_low: float
    shown_high: float

    @property
    def lift(self) -> float:
        return self.adversary - self.control

    @property
    def contains_zero(self) -> bool:
        return self.low <= 0 <= self.high


def reidentify(crops: Crops, seed: int = 0) -> tuple[dict[str, Matched], int]:
    """Per feature, and `all`; and the number of tracks.

    Raises:
        ValueError: fewer than two tracks are long enough.
    """
    halves = _halves(crops)
    tracks = np.unique(crops.track[halves >= 0])
    if len(tracks) < 2:
        raise ValueError(f"{len(tracks)} tracks are long enough to be matched, two are needed")
    out: dict[str, Matched] = {}
    total: dict[str, NDArray[np.float32]] = {}
    for name, feature in FEATURES.items():
        gallery = feature(crops.live)
        similar = {arm: _similarity(gallery, feature(pixels), halves) for arm, pixels in _arms(crops).items()}
        out[name] = _judge(similar, crops.track, halves, tracks, seed)
        total = {arm: total[arm] + each if total else each for arm, each in similar.items()}
    out["all"] = _judge(total, crops.track, halves, tracks, seed)
    return out, len(tracks)


def _arms(crops: Crops) -> dict[str, Pixels]:
    return {"live": crops.live, "shown": crops.shown, "plate": crops.plate}


def _halves(crops: Crops) -> NDArray[np.int64]:
    """0 or 1 by time for every crop, -1 for those of tracks that are too short: int64 (n,)."""
    halves = np.full(crops.track.shape, -1, np.int64)
    for track in np.unique(crops.track):
        of_track = np.flatnonzero(crops.track == track)
        order = of_track[np.argsort(crops.number[of_track], kind="stable")]
        middle = len(order) // 2
        if middle >= LEAST_HALF:
            halves[order[:middle]], halves[order[middle:]] = 0, 1
    return halves


def _similarity(gallery: Features, probe: Features, halves: NDArray[np.int64]) -> NDArray[np.float32]:
    """Cosine of every probe (rows) with every gallery crop of the other half; -inf where they are not to be compared."""
    similar = probe @ gallery.T
    comparable = (halves[:, None] >= 0) & (halves[None] >= 0) & (halves[:, None] != halves[None])
    return np.where(comparable, similar, np.float32(-np.inf))


def _judge(
    similar: dict[str, NDArray[np.float32]], track: NDArray[np.int64], halves: NDArray[np.int64], tracks: NDArray[np.int64], seed: int
) -> Matched:
    def by_track(each: NDArray[np.float32]) -> NDArray[np.float64]:
        right = track[np.argmax(each, axis=1)] == track
        return np.array([right[(track == one) & (halves >= 0)].mean() for one in tracks], np.float64)

    live, shown, control = (by_track(similar[arm]) for arm in ("live", "shown", "plate"))
    weighed = np.stack([control, *(by_track(similar["plate"] + np.float32(w) * similar["shown"]) for w in WEIGHTS), shown])
    adversary = best_of(weighed)
    low, high = interval(adversary - control, seed)
    shown_low, shown_high = interval(shown - control, seed)
    return Matched(
        float(live.mean()), float(shown.mean()), float(control.mean()), float(adversary.mean()), low, high, shown_low, shown_high
    )


def best_of(weighed: NDArray[np.float64]) -> NDArray[np.float64]:
    """The results of that way which was best on these very tracks; of the first where several are. weighed: (ways, tracks); (tracks,)."""
    # Means that are equal but for rounding are equal: then the first way, which is the empty place alone, is taken.
    best: NDArray[np.float64] = weighed[int(np.argmax(np.round(weighed.mean(axis=1), 9)))]
    return best


def interval(values: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """95 % interval of the mean by bootstrap. values: (n,)."""
    random = np.random.default_rng(seed)
    means = values[random.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def histogram(pixels: Pixels) -> Features:
    """Square roots of the shares of luma and chroma in bands from head to foot (so that a cosine is Bhattacharyya's coefficient)."""
    parts = []
    for band in np.array_split(pixels, BANDS, axis=1):
        flat = band.reshape(len(band), -1, 3)
        luma = _shares(flat[..., 0].astype(np.int64) * LUMA_BINS // 256, LUMA_BINS)
        # Chroma of what cameras see lies within 64 levels of grey: bins twice as fine there.
        chroma = ((flat[..., 1:].astype(np.int64) - 64).clip(0, 127) * CHROMA_BINS) // 128
        parts += [luma, _shares(chroma[..., 0] * CHROMA_BINS + chroma[..., 1], CHROMA_BINS**2)]
    return _unit(np.sqrt(np.concatenate(parts, axis=1)))


def _shares(values: NDArray[np.int64], bins: int) -> NDArray[np.float32]:
    n, count = values.shape
    keys = (values + np.arange(n)[:, None] * bins).ravel()
    return np.bincount(keys, minlength=n * bins).reshape(n, bins).astype(np.float32) / np.float32(count)


def hog(pixels: Pixels) -> Features:
    """Histograms of oriented gradients of luma: cells of 8 px, nine unsigned orientations, normalised over 2 x 2 cells and cut at 0.2."""
    luma = pixels[..., 0].astype(np.float32)
    n, height, width = luma.shape
    down, across = np.gradient(luma, axis=(1, 2))
    strength = np.hypot(across, down)
    turn = (np.arctan2(down, across) % np.pi) / np.pi * ORIENTATIONS
    low = np.floor(turn).astype(np.int64)
    part = turn - low
    rows, columns = height // CELL_PX, width // CELL_PX
    cells = np.zeros((n, rows, columns, ORIENTATIONS), np.float32)
    for shift, weight in ((0, 1 - part), (1, part)):
        which = (low + shift) % ORIENTATIONS
        for orientation in range(ORIENTATIONS):
            votes = np.where(which == orientation, strength * weight, 0.0)
            cells[..., orientation] += votes.reshape(n, rows, CELL_PX, columns, CELL_PX).sum(axis=(2, 4))
    blocks = np.concatenate([cells[:, i : rows - 1 + i, j : columns - 1 + j] for i in (0, 1) for j in (0, 1)], axis=-1)
    blocks /= np.linalg.norm(blocks, axis=-1, keepdims=True) + 1.0
    blocks = np.minimum(blocks, 0.2)
    blocks /= np.linalg.norm(blocks, axis=-1, keepdims=True) + 1e-3
    return _unit(blocks.reshape(n, -1))


def cosine_transform(pixels: Pixels) -> Features:
    """The lowest 8 x 8 frequencies of each plane's DCT-II, without the mean of luma (which is light, not person)."""
    _, height, width, _ = pixels.shape
    centred = pixels.astype(np.float32) - np.float32(128)
    out = np.einsum("fh,nhwc,gw->ncfg", _waves(height), centred, _waves(width), optimize=True)
    out[:, 0, 0, 0] = 0
    out[:, 1:] *= 2  # chroma is weaker by half and tells more
    return _unit(out.reshape(len(pixels), -1))


def _waves(length: int) -> NDArray[np.float32]:
    k, i = np.arange(FREQUENCIES)[:, None], np.arange(length)[None]
    return (np.cos(np.pi * k * (2 * i + 1) / (2 * length)) / length).astype(np.float32)


def _unit(rows: NDArray[np.float32]) -> Features:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Features = (rows / np.maximum(length, 1e-6)).astype(np.float32)
    return unit


FEATURES: dict[str, Callable[[Pixels], Features]] = {"colour": histogram, "hog": hog, "embedding": cosine_transform}
