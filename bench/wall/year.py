"""A year of one camera in the real index.

Belongs here: the rows that a year leaves. Does not belong here: asking for them.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from privet.core.clock import NS_PER_S
from privet.core.scene import Condition, Reason
from privet.index.index import FILE_NAME
from privet.index.timeline import LEVELS_S

DAY_S = 24 * 3600
YEAR_S = 365 * DAY_S
STATES_A_DAY = 100              # a camera that falls asleep and wakes
HOUR_NS = 3600 * NS_PER_S


def fill(data_directory: Path, camera: str, until_ns: int, days: int = 365) -> int:
    """Write what a year of recording leaves in the index below `data_directory`: an hour's file each hour, density in its three levels,
    a hundred states a day. Returns the rows.

    Straight into the tables: the index takes summaries ten seconds at a time, as they come, and a year of them would take a quarter of
    an hour. What it would have written is the same.
    """
    until_ns = until_ns // (LEVELS_S[-1] * NS_PER_S) * LEVELS_S[-1] * NS_PER_S
    from_ns = until_ns - days * DAY_S * NS_PER_S
    shares = _shares(days)
    connection = sqlite3.connect(data_directory / FILE_NAME)
    with connection:
        key = int(connection.execute("SELECT key FROM cameras WHERE id = ?", (camera,)).fetchone()[0])
        rows = 0
        for level in LEVELS_S:
            folded = shares.reshape(-1, level // LEVELS_S[0]).mean(axis=1)
            begins = range(from_ns, until_ns, level * NS_PER_S)
            known = level // LEVELS_S[0]
            values = ((key, level, begin, share, known) for begin, share in zip(begins, folded.tolist(), strict=True))
            connection.executemany("INSERT INTO density VALUES (?, ?, ?, ?, ?)", values)
            rows += len(begins)
        hours = [
            (key, f"recordings/{camera}/year/{at}.mcap", at, at + HOUR_NS, 400_000, 3000, 5000) for at in range(from_ns, until_ns, HOUR_NS)
        ]
        connection.executemany(
            "INSERT INTO recordings (camera_key, path, from_wall_ns, to_wall_ns, size_bytes, summary_bytes, messages)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)", hours,
        )  # fmt: skip
        conditions = (int(Condition.AWAKE), int(Condition.ASLEEP))
        steps = range(from_ns, until_ns, 24 * HOUR_NS // STATES_A_DAY)
        states = [(key, at, conditions[number % 2], int(Reason.NONE)) for number, at in enumerate(steps)]
        connection.executemany("INSERT INTO camera_states (camera_key, wall_ns, condition, reason) VALUES (?, ?, ?, ?)", states)
    # A year comes a little at a time, and each time what was written is moved to where it belongs.
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return rows + len(hours) + len(states)


def _shares(days: int) -> NDArray[np.float64]:
    """How much was covered in each ten seconds of so many days: busy by day, quiet by night and on Sundays."""
    random = np.random.default_rng(7)
    at_s = np.arange(0, days * DAY_S, LEVELS_S[0])
    day = np.clip(np.sin((at_s % 86400) / 86400 * 2 * np.pi - np.pi / 2), 0, 1)
    sunday = (at_s // 86400) % 7 == 6
    likely = np.where(sunday, 0.02, 0.05 + 0.6 * day)
    shares: NDArray[np.float64] = np.where(random.random(at_s.size) < likely, random.gamma(2.0, 0.02, at_s.size), 0.0)
    return np.clip(shares, 0.0, 1.0)
