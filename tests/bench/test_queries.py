"""What the bench of queries asks about is what a recorder leaves, day after day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bench.throughput.queries import CAMERA, DAY_NS, HOUR_NS, POLYGONS, START_NS, copy_day, record_day

from privet.api.covered.adapter import ArchivedCovers
from privet.core.clock import NS_PER_S
from privet.index.index import Index, index_url
from privet.record.archive import Archive
from privet.record.check import Wrong, check
from privet.record.covered import SOMETHING
from privet.record.store import DirectoryStore


def test_days_are_alike_and_in_order(tmp_path: Path) -> None:
    index, store = Index.open(index_url(tmp_path)), DirectoryStore(tmp_path)
    record_day(tmp_path, index, 8 * HOUR_NS + 200 * NS_PER_S)
    assert check(store, index) == ()
    sizes = copy_day(tmp_path, index, 3)
    assert 0 < sizes.places < sizes.summaries
    assert {finding.wrong for finding in check(store, index)} <= {Wrong.ROW_WITHOUT_FILE, Wrong.LEFTOVER}  # copies have no recordings
    covers = ArchivedCovers(index, Archive(store))
    found = []
    for day in range(3):
        from_ns = START_NS + day * DAY_NS + 8 * HOUR_NS
        intervals = covers.covered(CAMERA, POLYGONS["everything"], from_ns, from_ns + 200 * NS_PER_S).intervals
        found.append(((intervals.edges_ns - from_ns).tolist(), intervals.kinds.tolist()))
        night = covers.covered(CAMERA, POLYGONS["everything"], from_ns - 2 * HOUR_NS, from_ns - HOUR_NS).intervals
        assert not np.isin(night.kinds, SOMETHING).any()
    index.close()
    assert found[0] == found[1] == found[2]
    assert SOMETHING in found[0][1]
