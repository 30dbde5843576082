"""Cases for the scene stream: messages one by one, and sequences for the reader. Every expectation is written by hand.

messages.json: each case has `message` (hex of a SceneMessage), `grid` (the one in force, or null) and one of
- `decoded`: the value; 64-bit numbers are decimal strings, bitmaps are rows of `#` and `.`, bytes are hex;
- `skipped`: true: a reader goes on as if it had not come;
- `rejected`: what is wrong with it (docs/ref/scene-stream.md, "What is rejected").

readers.json: each case has `messages` (hex), `rejected` and `skipped` (their places in it, from 0) and `view`, what is in force after
the last one, each part by its sequence.

freshness.json: each case has `messages` (hex), `at_wall_ns`, and `freshness`: how the place is drawn then, of a recording
(silence by wall times). Times are whole milliseconds.

framing.json: several messages in one run of bytes.
"""

from __future__ import annotations

from vectors import protobuf as pb
from vectors.parts import (
    ASLEEP,
    AWAKE,
    BLIND,
    IMAGE,
    OFFLINE,
    PNG,
    SESSION,
    SMALL,
    STARTING,
    T0,
    UNREACHABLE,
    WIDE,
    GridCase,
    S,
    background,
    bits,
    cover,
    head,
    light,
    patch,
    state,
)

Json = dict[str, object]

ROWS_WIDE = (
    "#............",
    ".#...........",
    "..#..........",
    "...#.........",
    "....#........",
    ".....#.......",
    "......#......",
    ".......#.....",
    "........#....",
    ".........####",
)
# Row-major, 13 to a row, first block in the highest bit of the first byte; worked out on paper.
BITS_WIDE = bytes.fromhex("80020008002000800200080020008003C0")


def _head(sequence: int, wall_ns: int = T0, session: int = SESSION) -> Json:
    return {"session": str(session), "sequence": str(sequence), "wall_ns": str(wall_ns)}


def _case(name: str, about: str, message: bytes, grid: GridCase | None, **outcome: object) -> Json:
    return {"name": name, "about": about, "grid": None if grid is None else grid.json(), "message": message.hex(), **outcome}


def _background_json(sequence: int, grid: GridCase, proven: list[str], **changed: object) -> Json:
    return {
        "kind": "background",
        "head": _head(sequence),
        "grid": grid.json(),
        "proven": proven,
        "format": "webp",
        "image": IMAGE.hex(),
        "oldest_wall_ns": str(T0 - 60 * S),
        "newest_wall_ns": str(T0 - S),
        **changed,
    }


def _state_json(sequence: int, **changed: object) -> Json:
    return {
        "kind": "state",
        "head": _head(sequence),
        "condition": "awake",
        "reason": "none",
        "cover_until_wall_ns": "0",
        "grid": SMALL.json(),
        "proven_blocks": 0,
        "blind_blocks": 0,
        **changed,
    }


def _good() -> list[Json]:
    unknown_field = pb.data(15, b"later") + pb.number(200, 7) + pb.fixed64(201, 1)
    plain_cover: Json = {
        "kind": "cover", "head": _head(3), "epoch": 0, "duration_ns": str(S // 5), "covered": ["#.", ".."],
    }
    return [
        _case("background", "all four blocks proven", background(1), None, decoded=_background_json(1, SMALL, ["##", "##"])),
        _case(
            "background-of-nothing", "no block is proven: no image, no times",
            background(1, proven=bits("../.."), image=b"", oldest=0, newest=0), None,
            decoded=_background_json(1, SMALL, ["..", ".."], image="", oldest_wall_ns="0", newest_wall_ns="0"),
        ),
        _case(
            "background-replaces-the-grid", "the grid in force does not matter to a background",
            background(1, GridCase(24, 8, 8, 7), bits("#.#")), WIDE,
            decoded=_background_json(1, GridCase(24, 8, 8, 7), ["#.#"]),
        ),
        _case(
            "background-png", "the other image format", background(1, image_format=PNG), None,
            decoded=_background_json(1, SMALL, ["##", "##"], format="png"),
        ),
        _case(
            "background-partial-blocks", "100 x 75 px in blocks of 8: 13 x 10 blocks, rows of the bitmap not padded",
            background(1, WIDE, BITS_WIDE), None, decoded=_background_json(1, WIDE, list(ROWS_WIDE)),
        ),
        _case(
            "background-blocks-of-32", "100 x 75 px in blocks of 32: 4 x 3",
            background(1, GridCase(100, 75, 32), bits("#..#/.##./####")), None,
            decoded=_background_json(1, GridCase(100, 75, 32), ["#..#", ".##.", "####"]),
        ),
        _case(
            "background-one-pixel", "the smallest picture", background(1, GridCase(1, 1), b"\x80"), None,
            decoded=_background_json(1, GridCase(1, 1), ["#"]),
        ),
        _case(
            "patch", "one block", patch(2), SMALL,
            decoded={
                "kind": "patch", "head": _head(2), "epoch": 0, "column": 0, "row": 0, "promoted": ["#"],
                "format": "webp", "image": IMAGE.hex(),
            },
        ),
        _case(
            "patch-at-the-edge", "a rectangle that ends at the last column and row; not all of it is promoted",
            patch(2, bits("#./.#"), at=(11, 8), size=(2, 2), image_format=PNG), WIDE,
            decoded={
                "kind": "patch", "head": _head(2), "epoch": 0, "column": 11, "row": 8, "promoted": ["#.", ".#"],
                "format": "png", "image": IMAGE.hex(),
            },
        ),
        _case("cover", "one block of four", cover(3), SMALL, decoded=plain_cover),
        _case(
            "cover-of-nothing", "an empty cover says that nothing is there: its bitmap is zeros, not absent",
            cover(3, b"\0"), SMALL, decoded={**plain_cover, "covered": ["..", ".."]},
        ),
        _case(
            "cover-partial-blocks", "17 bytes for 130 blocks", cover(3, BITS_WIDE), WIDE,
            decoded={**plain_cover, "covered": list(ROWS_WIDE)},
        ),
        _case(
            "cover-longest", "ten seconds", cover(3, duration=10 * S), SMALL,
            decoded={**plain_cover, "duration_ns": str(10 * S)},
        ),
        _case(
            "light", "two cells", light(4), SMALL,
            decoded={"kind": "light", "head": _head(4), "epoch": 0, "gain": [[128, 160]], "offset": [[128, 118]]},
        ),
        _case(
            "light-rows", "row after row; all values are good ones",
            light(4, bytes([0, 1, 2, 253, 254, 255]), bytes([255, 254, 253, 2, 1, 0]), size=(2, 3)), SMALL,
            decoded={
                "kind": "light", "head": _head(4), "epoch": 0,
                "gain": [[0, 1], [2, 253], [254, 255]], "offset": [[255, 254], [253, 2], [1, 0]],
            },
        ),
        _case("state", "the heartbeat", state(5), None, decoded=_state_json(5)),
        _case(
            "state-before-the-first-picture", "offline, no grid", state(5, OFFLINE, UNREACHABLE, grid=None), None,
            decoded=_state_json(5, condition="offline", reason="unreachable", grid=None),
        ),
        _case(
            "state-asleep", "the cover holds on", state(5, ASLEEP, until=T0 + S, proven=3, blind=1), SMALL,
            decoded=_state_json(
                5, condition="asleep", cover_until_wall_ns=str(T0 + S), proven_blocks=3, blind_blocks=1
            ),
        ),
        _case(
            "largest-numbers", "session and sequence take 64 bits, the wall clock 63, the epoch 32",
            pb.message(3, pb.message(1, head(2**64 - 1, 2**63 - 1, 2**64 - 1)) + pb.number(2, 2**32 - 1)
                       + pb.number(3, 1) + pb.data(4, b"\xf0")),
            GridCase(16, 16, 8, 2**32 - 1),
            decoded={
                "kind": "cover", "head": _head(2**64 - 1, 2**63 - 1, 2**64 - 1), "epoch": 2**32 - 1, "duration_ns": "1",
                "covered": ["##", "##"],
            },
        ),
        _case(
            "wall-time-zero", "1970 is allowed: a camera without a clock",
            cover(3, wall=0), SMALL, decoded={**plain_cover, "head": _head(3, 0)},
        ),
        _case(
            "unknown-fields", "fields of a later version are skipped, in the message and in what it holds",
            pb.message(3, pb.message(1, head(3) + unknown_field) + pb.number(3, S // 5) + pb.data(4, bits("#./.."))
                       + unknown_field) + unknown_field,
            SMALL, decoded=plain_cover,
        ),
        _case(
            "fields-in-another-order", "order on the wire means nothing",
            pb.message(3, pb.data(4, bits("#./..")) + pb.number(3, S // 5) + pb.message(1, head(3))), SMALL,
            decoded=plain_cover,
        ),
        _case(
            "two-kinds", "of two kinds in one message the last counts, as in every oneof",
            state(2) + cover(3), SMALL, decoded=plain_cover,
        ),
        _case("unknown-kind", "a kind of a later version", pb.message(9, b"anything"), SMALL, skipped=True),
        _case("no-kind", "an empty message", b"", SMALL, skipped=True),
        _case(
            "cover-of-another-epoch", "it is about a grid that is gone; its bitmap cannot be judged",
            cover(3, b"\xff\xff\xff", epoch=1), SMALL, skipped=True,
        ),
        _case("patch-of-another-epoch", "as above", patch(3, epoch=4, at=(900, 900)), SMALL, skipped=True),
        _case("light-of-another-epoch", "as above", light(3, epoch=1), SMALL, skipped=True),
    ]


def _bad() -> list[Json]:
    wrong_wire_type = pb.number(3, 5)  # a cover as a number
    headless = pb.message(3, pb.number(3, S) + pb.data(4, bits("#./..")))
    return [
        _case("cut-short", "the last byte is missing", cover(3)[:-1], SMALL, rejected="malformed"),
        _case("garbage", "no message at all", b"\xff" * 12, SMALL, rejected="malformed"),
        _case("length-beyond-the-end", "a field longer than the message", b"\x1a\x7f\x0a", SMALL, rejected="malformed"),
        _case("head-of-a-wrong-type", "the head is a number", pb.message(3, wrong_wire_type + pb.number(1, 4)), SMALL,
              rejected="head"),
        _case("no-head", "no session, no sequence", headless, SMALL, rejected="head"),
        _case("no-session", "session 0", cover(3, session=0), SMALL, rejected="head"),
        _case("no-sequence", "sequences begin at 1", cover(0), SMALL, rejected="head"),
        _case("before-1970", "a negative wall time", cover(3, wall=-1), SMALL, rejected="time"),
        _case("background-without-grid", "width 0", background(1, GridCase(0, 0, 0), b""), None, rejected="grid"),
        _case("block-size", "blocks of 12 px", background(1, GridCase(16, 16, 12)), None, rejected="grid"),
        _case("side-too-long", "16385 px", background(1, GridCase(16385, 1, 32), bytes(65)), None, rejected="grid"),
        _case("picture-too-large", "16384 x 4097 px are more than 64 Mi",
              background(1, GridCase(16384, 4097, 32), bytes(8256)), None, rejected="grid"),
        _case("bitmap-too-short", "13 x 10 blocks in 16 bytes", cover(3, BITS_WIDE[:-1]), WIDE, rejected="bitmap"),
        _case("bitmap-too-long", "2 x 2 blocks in 2 bytes", cover(3, b"\x80\x00"), SMALL, rejected="bitmap"),
        _case("bitmap-absent", "an empty bitmap is none", cover(3, b""), SMALL, rejected="bitmap"),
        _case("padding-bit", "a bit beyond the last block", cover(3, b"\x81"), SMALL, rejected="bitmap"),
        _case("proven-padding-bit", "the same in a background", background(1, proven=b"\xf8"), None, rejected="bitmap"),
        _case("promoted-padding-bit", "the same in a patch", patch(2, b"\xc0"), SMALL, rejected="bitmap"),
        _case("proven-without-image", "a block is proven, no image", background(1, image=b""), None, rejected="image"),
        _case("image-without-proven", "an image, no block is proven", background(1, proven=bits("../..")), None,
              rejected="image"),
        _case("patch-without-image", "nothing to paste", patch(2, image=b""), SMALL, rejected="image"),
        _case("patch-of-nothing", "no block of it is promoted", patch(2, b"\0"), SMALL, rejected="image"),
        _case("format-absent", "an image in no format", background(1, image_format=0), None, rejected="format"),
        _case("format-unknown", "formats are a closed list", background(1, image_format=3), None, rejected="format"),
        _case("patch-format-unknown", "in a patch too", patch(2, image_format=9), SMALL, rejected="format"),
        _case("proven-times-reversed", "the oldest is younger than the newest",
              background(1, oldest=T0, newest=T0 - S), None, rejected="time"),
        _case("proven-without-times", "a block is proven, but never", background(1, oldest=0, newest=0), None, rejected="time"),
        _case("times-without-proven", "no block is proven, yet at a time",
              background(1, proven=bits("../.."), image=b"", oldest=T0, newest=T0), None, rejected="time"),
        _case("proven-before-1970", "a negative time", background(1, oldest=-5), None, rejected="time"),
        _case("patch-before-a-grid", "no grid is known yet", patch(2), None, rejected="no-grid"),
        _case("cover-before-a-grid", "no grid is known yet", cover(3), None, rejected="no-grid"),
        _case("light-before-a-grid", "no grid is known yet", light(4), None, rejected="no-grid"),
        _case("patch-empty-rectangle", "no columns", patch(2, b"", size=(0, 1)), SMALL, rejected="rectangle"),
        _case("patch-beyond-the-right", "ends at column 3 of 2", patch(2, bits("##"), at=(1, 0), size=(2, 1)), SMALL,
              rejected="rectangle"),
        _case("patch-beyond-the-bottom", "begins at row 2 of 2", patch(2, at=(0, 2)), SMALL, rejected="rectangle"),
        _case("patch-far-outside", "column + columns is beyond 32 bits",
              patch(2, at=(2**32 - 1, 0)), SMALL, rejected="rectangle"),
        _case("cover-without-duration", "it holds for no time", cover(3, duration=0), SMALL, rejected="duration"),
        _case("cover-too-long", "a nanosecond more than ten seconds", cover(3, duration=10 * S + 1), SMALL,
              rejected="duration"),
        _case("light-without-cells", "0 x 0", light(4, b"", b"", size=(0, 0)), SMALL, rejected="cells"),
        _case("light-too-fine", "65 cells across", light(4, bytes(65), bytes(65), size=(65, 1)), SMALL, rejected="cells"),
        _case("light-gain-too-short", "one byte for two cells", light(4, b"\x80"), SMALL, rejected="cells"),
        _case("light-offset-too-long", "three bytes for two cells", light(4, offset=b"\x80\x80\x80"), SMALL, rejected="cells"),
        _case("condition-absent", "a state of nothing", state(5, condition=0), SMALL, rejected="enumeration"),
        _case("condition-unknown", "conditions are a closed list", state(5, condition=6), SMALL, rejected="enumeration"),
        _case("reason-absent", "REASON_NONE is 1", state(5, reason=0), SMALL, rejected="enumeration"),
        _case("reason-unknown", "reasons are a closed list", state(5, reason=99), SMALL, rejected="enumeration"),
        _case("state-bad-grid", "a grid of 8 x 0 px", state(5, grid=GridCase(8, 0)), SMALL, rejected="grid"),
        _case("state-cover-before-1970", "a negative time", state(5, until=-1), SMALL, rejected="time"),
        _case("state-more-than-there-is", "5 proven blocks of 4", state(5, proven=5), SMALL, rejected="counts"),
        _case("state-blind-without-grid", "1 blind block of none", state(5, blind=1, grid=None), SMALL, rejected="counts"),
    ]


def _view(**known: object) -> Json:
    return {
        "session": str(SESSION), "sequence": None, "grid": SMALL.json(), "background": None, "patches": [], "light": None,
        "cover": None, "state": None, "covered_until_wall_ns": "0", **known,
    }


def _reader(
    name: str, about: str, messages: list[bytes], view: Json, rejected: tuple[int, ...] = (), skipped: tuple[int, ...] = ()
) -> Json:
    return {
        "name": name, "about": about, "messages": [message.hex() for message in messages], "view": view,
        "rejected": list(rejected), "skipped": list(skipped),
    }


def _readers() -> list[Json]:
    other = 0x99
    second = GridCase(16, 16, 8, 1)
    turned = GridCase(8, 24, 8, 1)
    ends = str(T0 + S // 5)
    return [
        _reader("nothing", "no message", [], _view(session=None, grid=None)),
        _reader(
            "from-the-start", "state, background, patch, light, cover, state",
            [state(1), background(2), patch(3), light(4), cover(5), state(6)],
            _view(sequence="6", background="2", patches=["3"], light="4", cover="5", state="6", covered_until_wall_ns=ends),
        ),
        _reader(
            "before-a-grid", "what needs a grid and comes before one is rejected and leaves no trace",
            [light(1), cover(2), patch(3), state(4)], _view(sequence="4", state="4"), rejected=(0, 1, 2),
        ),
        _reader(
            "patch-before-a-background", "the state told the grid, but there is nothing to paste on",
            [state(1), patch(2), background(3)], _view(sequence="3", background="3", state="1"),
        ),
        _reader(
            "gaps", "covers may be dropped: a gap is no error",
            [background(2), cover(10), patch(11), cover(400)],
            _view(sequence="400", background="2", patches=["11"], cover="400", covered_until_wall_ns=ends),
        ),
        _reader(
            "repeated", "what has been seen does nothing again",
            [background(2), patch(3), cover(4), background(2), patch(3), cover(4)],
            _view(sequence="4", background="2", patches=["3"], cover="4", covered_until_wall_ns=ends),
        ),
        _reader(
            "background-heard-twice", "the patches that came after it stay",
            [background(1), patch(2), patch(3), background(1)],
            _view(sequence="3", background="1", patches=["2", "3"]),
        ),
        _reader(
            "older-background", "it does not replace a newer one, of the same grid or of another",
            [background(5), patch(6), background(3), background(4, second)],
            _view(sequence="6", background="5", patches=["6"]),
        ),
        _reader(
            "older-of-a-kind", "an older cover, light, state and patch do not replace newer ones",
            [background(1), patch(12), light(13), cover(14), state(15), patch(11), light(5), cover(6), state(7)],
            _view(
                sequence="15", background="1", patches=["12"], light="13", cover="14", state="15", covered_until_wall_ns=ends
            ),
        ),
        _reader(
            "joined", "a reader that joins is sent what is in force, kind by kind: the sequences go back and forth",
            [background(40), patch(44), patch(51), light(7), cover(39), state(60), cover(61)],
            _view(
                sequence="61", background="40", patches=["44", "51"], light="7", cover="61", state="60",
                covered_until_wall_ns=ends,
            ),
        ),
        _reader(
            "joined-asleep", "the cover in force is older than the background: it still holds",
            [background(40), cover(12), state(60, ASLEEP, until=T0 + S)],
            _view(sequence="60", background="40", cover="12", state="60", covered_until_wall_ns=str(T0 + S)),
        ),
        _reader(
            "resynchronised", "a reader that lost its queue at 30 is sent what is in force, of which it has some",
            [background(5), patch(10), light(20), cover(30), background(5), patch(10), patch(35), light(20), cover(48), state(47)],
            _view(
                sequence="48", background="5", patches=["10", "35"], light="20", cover="48", state="47",
                covered_until_wall_ns=ends,
            ),
        ),
        _reader(
            "background-again", "a background replaces the patches; on the same grid, light and cover stay",
            [background(1), patch(2), light(3), cover(4), background(5)],
            _view(sequence="5", background="5", light="3", cover="4", covered_until_wall_ns=ends),
        ),
        _reader(
            "new-epoch-by-background", "the same size in another epoch is another grid",
            [background(1), patch(2), light(3), cover(4), background(5, second)],
            _view(sequence="5", grid=second.json(), background="5"),
        ),
        _reader(
            "new-epoch-by-state", "a state with another grid forgets the picture",
            [background(1), patch(2), light(3), cover(4), state(5, grid=turned)],
            _view(sequence="5", grid=turned.json(), state="5"),
        ),
        _reader(
            "state-without-grid", "offline: the grid and what was known stay",
            [background(1), cover(2), state(3, OFFLINE, UNREACHABLE, grid=None)],
            _view(sequence="3", background="1", cover="2", state="3", covered_until_wall_ns=ends),
        ),
        _reader(
            "late-of-the-old-epoch", "what was under way when the epoch changed is skipped, whatever its size",
            [background(1), background(5, turned, bits("#/./#")), cover(6), light(7), patch(8), cover(9, bits("#/./."), epoch=1)],
            _view(
                sequence="9", grid=turned.json(), background="5", cover="9", covered_until_wall_ns=ends
            ),
            skipped=(2, 3, 4),
        ),
        _reader(
            "old-state-after-a-new-background", "a state that is older than the background does not set the grid",
            [background(9, second), state(8, grid=SMALL)],
            _view(sequence="9", grid=second.json(), background="9", state="8"),
        ),
        _reader(
            "old-background-after-a-new-state", "nor a background that is older than the state that set another grid",
            [state(9, grid=second), background(8), cover(10, epoch=1)],
            _view(sequence="10", grid=second.json(), state="9", cover="10", covered_until_wall_ns=ends),
        ),
        _reader(
            "new-session", "a pipeline that starts again begins anew, though its sequences are low",
            [background(90), cover(91), state(1, session=other, proven=0), background(2, session=other)],
            _view(session=str(other), sequence="2", background="2", state="1"),
        ),
        _reader(
            "new-session-begins-with-a-cover", "nothing of the old session is drawn on, not even its grid",
            [background(90), cover(91), cover(1, session=other)],
            _view(session=str(other), sequence="1", grid=None),
        ),
        _reader(
            "new-session-rejected", "a message that is rejected changes nothing, a session included",
            [background(90), cover(91), cover(1, b"\x81", session=other)],
            _view(sequence="91", background="90", cover="91", covered_until_wall_ns=ends), rejected=(2,),
        ),
        _reader(
            "rejected-in-between", "after a bad message the next good one counts",
            [background(1), cover(2, b"\x81"), patch(3, b"\0"), cover(4)],
            _view(sequence="4", background="1", cover="4", covered_until_wall_ns=ends), rejected=(1, 2),
        ),
        _reader(
            "unknown-in-between", "a kind of a later version is passed over",
            [background(1), pb.message(9, b"later"), cover(2)],
            _view(sequence="2", background="1", cover="2", covered_until_wall_ns=ends), skipped=(1,),
        ),
        _reader(
            "wall-clock-steps-back", "order is the sequence's, not the wall's",
            [background(1), cover(2, wall=T0 + 3600 * S), cover(3, bits(".#/.."), wall=T0)],
            _view(sequence="3", background="1", cover="3", covered_until_wall_ns=ends),
        ),
        _reader(
            "cover-extended", "a later state says that the cover still holds",
            [background(1), cover(2), state(3, ASLEEP, until=T0 + 3 * S, wall=T0 + 2 * S)],
            _view(sequence="3", background="1", cover="2", state="3", covered_until_wall_ns=str(T0 + 3 * S)),
        ),
        _reader(
            "cover-extended-too-far", "a heartbeat speaks for two seconds at most",
            [background(1), cover(2), state(3, ASLEEP, until=T0 + 3600 * S, wall=T0 + 2 * S)],
            _view(sequence="3", background="1", cover="2", state="3", covered_until_wall_ns=str(T0 + 4 * S)),
        ),
        _reader(
            "cover-not-shortened", "a state cannot take back what the cover said",
            [background(1), cover(2, duration=5 * S), state(3, until=T0 + S)],
            _view(sequence="3", background="1", cover="2", state="3", covered_until_wall_ns=str(T0 + 5 * S)),
        ),
        _reader(
            "cover-after-the-state", "a state speaks of the cover before it, not of the next",
            [background(1), state(2, ASLEEP, until=T0 + S), cover(3)],
            _view(sequence="3", background="1", cover="3", state="2", covered_until_wall_ns=ends),
        ),
        _reader(
            "background-withdrawn", "a background of nothing on the same grid takes everything proven back",
            [background(1), patch(2), cover(3), background(4, proven=bits("../.."), image=b"", oldest=0, newest=0)],
            _view(sequence="4", background="4", cover="3", covered_until_wall_ns=ends),
        ),
    ]


def _freshness_cases() -> list[Json]:
    ms = S // 1000
    known = [background(1), cover(2), state(3)]  # the cover holds for 200 ms

    def case(name: str, about: str, messages: list[bytes], at: int, freshness: str) -> Json:
        hexed = [message.hex() for message in messages]
        return {"name": name, "about": about, "messages": hexed, "at_wall_ns": str(T0 + at), "freshness": freshness}

    def beat(condition: int, until: int = 0) -> bytes:
        return state(9, condition, wall=T0 + 10 * S, until=until)

    return [
        case("nothing", "no message", [], 0, "waiting"),
        case("no-heartbeat", "a picture, but nobody says how the camera is", [background(1), cover(2)], 0, "waiting"),
        case("no-background", "a heartbeat alone", [state(1)], 0, "waiting"),
        case("no-cover", "a picture, but nothing is said of what is there", [background(1), state(2)], 0, "waiting"),
        case("starting", "the camera says so itself", [background(1), cover(2), state(3, STARTING)], 0, "waiting"),
        case("known", "heartbeat, background and cover", known, 0, "shown"),
        case("two-seconds-after-the-heartbeat", "not yet silent", known, 2 * S, "shown"),
        case("silent", "a millisecond later it is", known, 2 * S + ms, "silent"),
        case("silent-and-offline", "what a camera said long ago is no longer how it is", [state(1, OFFLINE)], 3 * S, "silent"),
        case("silent-without-a-picture", "the same where nothing was ever shown", [state(1)], 3 * S, "silent"),
        case("before-it-was-said", "a clock that stepped back hides nothing", known, -S, "shown"),
        case("offline", "with a picture from before", [*known, beat(OFFLINE)], 10 * S, "offline"),
        case("blind", "with a picture from before", [*known, beat(BLIND)], 10 * S, "blind"),
        case("unknown", "a heartbeat, but the last cover ended long ago", [*known, beat(AWAKE)], 10 * S, "unknown"),
        case("asleep", "a heartbeat that extends the cover", [*known, beat(ASLEEP, T0 + 11 * S)], 10 * S, "shown"),
        case("asleep-unknown", "one that does not", [*known, beat(ASLEEP)], 10 * S, "unknown"),
        case("cover-just-ended", "two seconds after its end", [*known, state(9, wall=T0 + 2 * S)], 2 * S + 200 * ms, "shown"),
        case("cover-ended", "a millisecond later", [*known, state(9, wall=T0 + 2 * S)], 2 * S + 201 * ms, "unknown"),
        case(
            "another-session", "what the one before had shown is forgotten",
            [*known, state(1, wall=T0 + S, session=0x99)], S, "waiting",
        ),
    ]


def _framing() -> list[Json]:
    first, second = state(1), cover(2)
    long = background(3, image=bytes(range(256)) * 2)
    camera = pb.data(1, b"loading-bay") + pb.message(2, first)

    def delimited(*messages: bytes) -> bytes:
        return b"".join(pb.varint(len(message)) + message for message in messages)

    def piped(*messages: bytes) -> bytes:
        return b"".join(len(message).to_bytes(4, "big") + message for message in messages)

    def case(name: str, about: str, framing: str, stream: bytes, messages: list[bytes], end: str) -> Json:
        return {
            "name": name, "about": about, "framing": framing, "stream": stream.hex(),
            "messages": [message.hex() for message in messages], "end": end,
        }

    return [
        case("none", "an empty answer is a whole one", "varint", b"", [], "clean"),
        case("two", "one after another", "varint", delimited(first, second), [first, second], "clean"),
        case("long", "a length of two bytes", "varint", delimited(long, second), [long, second], "clean"),
        case("empty-message", "a message without a kind, skipped by the reader", "varint", delimited(b"", second),
             [b"", second], "clean"),
        case("torn", "what came whole counts; the rest is an error", "varint", delimited(first, second)[:-1], [first], "torn"),
        case("torn-length", "the length itself is cut", "varint", delimited(second) + b"\x80", [second], "torn"),
        case("length-too-long", "a length of more than ten bytes", "varint", delimited(second) + b"\xff" * 11, [second], "bad"),
        case("length-too-large", "more than 64 MiB: refused before a byte of it is read", "varint",
             delimited(second) + pb.varint(64 * 1024 * 1024 + 1), [second], "bad"),
        case("pipe-two", "four bytes of length, big endian", "uint32", piped(first, second), [first, second], "clean"),
        case("pipe-torn", "a worker that died in the middle", "uint32", piped(first, second)[:-3], [first], "torn"),
        case("pipe-too-large", "refused before a byte of it is read", "uint32", piped(first) + b"\x04\x00\x00\x01", [first], "bad"),
        {
            "name": "camera-message", "about": "what a WebSocket message holds", "framing": "camera", "stream": camera.hex(),
            "camera": "loading-bay", "messages": [first.hex()], "end": "clean",
        },
    ]


def files() -> dict[str, Json]:
    """Name of each file to its content."""
    about = "Written by `python -m vectors.make`; specified in docs/ref/scene-stream.md."
    return {
        "scene-stream/messages.json": {"about": about, "cases": [*_good(), *_bad()]},
        "scene-stream/readers.json": {"about": about, "cases": _readers()},
        "scene-stream/freshness.json": {"about": about, "cases": _freshness_cases()},
        "scene-stream/framing.json": {"about": about, "cases": _framing()},
    }


