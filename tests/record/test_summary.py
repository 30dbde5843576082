"""Summaries: the union of covers per ten seconds, and how the time was spent; their file survives a cut anywhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.record.streams import MS, NOON, Camera, wall_of

from privet.core.clock import NS_PER_S
from privet.core.pb import scene_pb2 as pb
from privet.record.summary import SLOT_NS, Summariser, decode_summaries, encode_summary, merge_summaries


def folded(messages: list[pb.SceneMessage]) -> list[pb.Summary]:
    summariser = Summariser()
    return [summary for message in messages for summary in summariser.take(message)] + summariser.finish()


@st.composite
def covers(draw: st.DrawFn) -> list[pb.SceneMessage]:
    camera = Camera(columns=5, rows=4)
    wall_ns = NOON + draw(st.integers(0, 9)) * NS_PER_S
    messages = [camera.background(wall_ns, 4)]
    for _ in range(draw(st.integers(0, 20))):
        wall_ns += draw(st.integers(0, 15_000)) * MS
        blocks = draw(st.sets(st.integers(0, 19), max_size=4))
        messages.append(camera.cover(wall_ns, blocks, draw(st.integers(1, 4000)) * MS))
    return messages


@given(covers())
def test_a_slot_is_the_union_of_the_covers_that_reach_into_it(messages: list[pb.SceneMessage]) -> None:
    expected: dict[int, int] = {}
    heard = {wall_of(message) // SLOT_NS * SLOT_NS for message in messages}
    for number, message in enumerate(messages):
        if message.WhichOneof("kind") != "cover":
            continue
        start_ns = wall_of(message)
        end_ns = start_ns + message.cover.duration_ns
        if number + 1 < len(messages):  # the next cover takes its place
            end_ns = min(end_ns, wall_of(messages[number + 1]))
        slot_ns = start_ns // SLOT_NS * SLOT_NS
        while slot_ns == start_ns // SLOT_NS * SLOT_NS or slot_ns < end_ns:
            expected[slot_ns] = expected.get(slot_ns, 0) | int.from_bytes(message.cover.bits, "big")
            slot_ns += SLOT_NS
    found = {summary.from_wall_ns: int.from_bytes(summary.covered, "big") for summary in folded(messages)}
    assert heard <= set(found)
    for slot_ns, bits in found.items():
        assert bits == expected.get(slot_ns, 0)
    assert {slot_ns for slot_ns in expected if slot_ns <= max(heard)} <= set(found)


def test_a_cover_that_is_replaced_as_a_slot_begins_does_not_reach_into_it() -> None:
    camera = Camera(columns=8, rows=1)
    messages = [camera.background(NOON, 4), camera.cover(NOON + 9 * NS_PER_S, {0}, 4 * NS_PER_S)]
    messages.append(camera.cover(NOON + SLOT_NS, {1}, NS_PER_S))
    assert [summary.covered for summary in folded(messages)] == [b"\x80", b"\x40"]


def test_time_is_credited_to_the_condition_until_it_is_stale() -> None:
    camera = Camera()
    messages = [camera.state(NOON + n * NS_PER_S, pb.CONDITION_AWAKE) for n in range(4)]
    messages += [camera.state(NOON + n * NS_PER_S, pb.CONDITION_ASLEEP) for n in range(4, 8)]
    messages.append(camera.state(NOON + 40 * NS_PER_S, pb.CONDITION_OFFLINE))
    messages.append(camera.state(NOON + 41 * NS_PER_S, pb.CONDITION_STARTING))
    messages.append(camera.state(NOON + 42 * NS_PER_S, pb.CONDITION_BLIND))
    messages.append(camera.state(NOON + 43 * NS_PER_S, pb.CONDITION_AWAKE))
    first, last = folded(messages)
    assert (first.from_wall_ns, first.awake_ms, first.asleep_ms, first.blind_ms, first.offline_ms) == (NOON, 4000, 5000, 0, 0)
    assert (last.from_wall_ns, last.offline_ms, last.blind_ms, last.awake_ms) == (NOON + 40 * NS_PER_S, 2000, 1000, 0)


def test_time_in_which_keyframes_alone_were_looked_at_is_credited_to_nothing() -> None:
    camera = Camera()
    messages = [camera.state(NOON + n * NS_PER_S, pb.CONDITION_AWAKE) for n in range(8)]
    for message in messages[2:5]:
        message.state.reason = pb.REASON_OVERLOADED
    (only,) = folded(messages)
    assert (only.awake_ms, only.asleep_ms, only.blind_ms, only.offline_ms) == (4000, 0, 0, 0)


def test_a_heartbeat_keeps_a_cover_for_two_seconds_not_for_the_night() -> None:
    camera = Camera(columns=8, rows=1)
    messages = [camera.state(NOON), camera.cover(NOON, {0})]
    messages += [
        camera.state(NOON + n * NS_PER_S, pb.CONDITION_ASLEEP, until_ns=NOON + 10_000 * NS_PER_S) for n in range(1, 14)
    ]
    messages += [camera.state(NOON + n * NS_PER_S, pb.CONDITION_ASLEEP) for n in range(30, 35)]
    assert [(s.from_wall_ns - NOON, s.covered) for s in folded(messages)] == [
        (0, b"\x80"),
        (SLOT_NS, b"\x80"),
        (3 * SLOT_NS, b""),
    ]


def test_another_grid_cuts_the_slot() -> None:
    camera = Camera(columns=8, rows=1)
    messages = [camera.background(NOON, 4), camera.cover(NOON, {0})]
    camera.columns, camera.epoch = 16, 1
    messages += [camera.background(NOON + NS_PER_S, 4), camera.cover(NOON + NS_PER_S, {9})]
    first, second = folded(messages)
    assert (first.from_wall_ns, first.grid.width_px, first.covered) == (NOON, 64, b"\x80")
    assert (second.from_wall_ns, second.grid.width_px, second.covered) == (NOON, 128, b"\x00\x40")
    assert merge_summaries([second, first]) == [first, second]


def test_a_cut_slot_is_joined() -> None:
    camera = Camera(columns=8, rows=1)
    messages = [camera.background(NOON, 4), *(camera.cover(NOON + n * NS_PER_S, {n % 8}) for n in range(9))]
    messages.insert(1, camera.state(NOON))
    whole = folded(messages)
    summariser = Summariser()
    parts = [s for m in messages[:5] for s in summariser.take(m)] + summariser.finish()
    parts += [s for m in messages[5:] for s in summariser.take(m)] + summariser.finish()
    assert len(parts) == 2
    (joined,) = merge_summaries(parts)
    assert joined.covered == whole[0].covered
    assert joined.awake_ms <= whole[0].awake_ms


def test_a_cover_that_does_not_fit_the_grid_is_left_out() -> None:
    camera = Camera(columns=8, rows=1)
    wrong = camera.cover(NOON, {0})
    wrong.cover.bits = b"\xff\xff"
    assert folded([camera.background(NOON, 4), wrong])[0].covered == b""


def test_an_absurd_duration_or_time_makes_no_endless_rows() -> None:
    camera = Camera(columns=8, rows=1)
    messages = [camera.background(NOON, 4), camera.cover(NOON, {0}, duration_ns=2**62), camera.state(2**62)]
    assert len(folded(messages)) <= 4


@given(covers(), st.data())
def test_a_file_cut_anywhere_keeps_its_whole_records(messages: list[pb.SceneMessage], data: st.DataObject) -> None:
    summaries = folded(messages)
    records = [encode_summary(summary) for summary in summaries]
    file = b"".join(records)
    assert decode_summaries(file) == (summaries, len(file))
    cut = data.draw(st.integers(0, len(file)))
    kept, intact = decode_summaries(file[:cut])
    assert kept == summaries[: len(kept)]
    assert intact == sum(len(record) for record in records[: len(kept)]) <= cut
    assert len(kept) == len(records) or cut < intact + len(records[len(kept)])


@given(st.binary(max_size=300))
def test_rubbish_is_no_summary_and_no_crash(data: bytes) -> None:
    _, intact = decode_summaries(data)
    assert intact <= len(data)


def test_a_busy_camera_takes_less_than_forty_bytes_a_second() -> None:
    summaries = folded(list(Camera(seed=5).busy(NOON, 600, people=6)))
    size = sum(len(encode_summary(summary)) for summary in summaries)
    assert len(summaries) == 60
    assert size / 600 < 40


def test_what_was_proven_all_the_while_is_said_when_it_changes() -> None:
    camera = Camera(columns=4, rows=4)
    s = NS_PER_S
    messages = [camera.background(NOON, proven={0, 1})]
    messages += camera.quiet(NOON + s, 14)
    patch = pb.Patch(head=camera.head(NOON + 15 * s), column=1, row=2, columns=2, rows=2, promoted=b"\x90")  # blocks 9 and 14
    messages.append(pb.SceneMessage(patch=patch))
    messages += camera.quiet(NOON + 16 * s, 18)
    messages.append(camera.background(NOON + 34 * s, proven={1, 2}))
    messages += camera.quiet(NOON + 35 * s, 20)
    camera.session += 1
    messages += camera.quiet(NOON + 55 * s, 3)
    said = [(summary.from_wall_ns - NOON, summary.proven) for summary in folded(messages)]
    assert said == [
        (0, b"\0\0"),                                   # the first came as the slot was under way
        (10 * s, camera.bitmap({0, 1})),                # what was proven meanwhile counts from the next on
        (20 * s, camera.bitmap({0, 1, 9, 14})),
        (30 * s, camera.bitmap({1})),                   # and what is no longer counts no longer at once
        (40 * s, camera.bitmap({1, 2})),
        (50 * s, b""),                                  # as before
        (50 * s, b"\0\0"),                              # of a new session nothing is known yet
    ]


def test_each_file_says_anew_what_is_proven() -> None:
    camera = Camera(columns=4, rows=4)
    summariser = Summariser()
    found = []
    for message in (camera.background(NOON, proven={3}), *camera.quiet(NOON + NS_PER_S, 25)):
        found += summariser.take(message)
    found += summariser.finish()
    assert [summary.proven for summary in found] == [b"\0\0", camera.bitmap({3}), b""]
    background, patch = camera.background(NOON, proven={3, 4}), camera.patch(NOON)
    patch.patch.column, patch.patch.row = 3, 3
    for repeated in (background, patch):
        summariser.prime(repeated)
    for message in camera.quiet(NOON + 26 * NS_PER_S, 3):
        assert not summariser.take(message)
    (last,) = summariser.finish()
    assert last.proven == camera.bitmap({3, 4, 15})


def test_a_patch_that_does_not_fit_proves_nothing() -> None:
    camera = Camera(columns=4, rows=4)
    for column, columns, promoted in ((3, 2, b"\xc0"), (0, 2, b""), (0, 0, b"")):
        patch = pb.Patch(head=camera.head(NOON + NS_PER_S), column=column, columns=columns, rows=1, promoted=promoted)
        messages = [camera.background(NOON, proven=()), pb.SceneMessage(patch=patch), *camera.quiet(NOON + 11 * NS_PER_S, 10)]
        assert {summary.proven for summary in folded(messages)} <= {b"\0\0", b""}
