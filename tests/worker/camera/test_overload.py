"""What is left out on a machine that is behind: more the further behind it is, and in the stated order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.ingest.rtsp import QUEUE_NS
from privet.worker.camera.load_shedding import FEWER_COVERS, KEYFRAMES_ABOVE_NS, NO_LOOKS_ABOVE_NS, covers_apart_ns


def test_the_order_is_looks_then_covers_then_pictures_and_all_of_it_before_packets_are_thrown_away() -> None:
    assert NO_LOOKS_ABOVE_NS < min(above_ns for above_ns, _ in FEWER_COVERS) <= KEYFRAMES_ABOVE_NS < QUEUE_NS
    assert covers_apart_ns(NO_LOOKS_ABOVE_NS) == 0
    assert [covers_apart_ns(each * NS_PER_MS) for each in (401, 1001)] == [NS_PER_S // 2, NS_PER_S]


@given(st.integers(0, 5 * NS_PER_S), st.integers(0, 5 * NS_PER_S))
def test_whoever_is_further_behind_takes_no_more_covers(one_ns: int, other_ns: int) -> None:
    less_ns, more_ns = sorted((one_ns, other_ns))
    assert covers_apart_ns(less_ns) <= covers_apart_ns(more_ns)
