"""What each slice answers, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
from collections.abc import Callable, MutableMapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from google.protobuf.internal.decoder import _DecodeVarint32  # type: ignore[attr-defined]  # the other side's reader; not in the stubs
from hypothesis import given
from hypothesis import strategies as st
from tests.api.fakes import (
    DOCK,
    GATE,
    HOUR_NS,
    FixedInForce,
    OnlyGateForViewers,
    SpoiledDisk,
    WordyExporter,
    World,
    make_world,
    publish_place,
    row,
)
from tests.live.places import START_WALL_NS, Place

from privet.api.cameras.routes import ConditionName, ReasonName
from privet.api.covered.routes import joined_to_fit
from privet.api.dependencies import ApiDependencies, ApiLimits
from privet.api.parameters import Span
from privet.api.scenes.routes import delimited
from privet.api.timeline.routes import MAX_SPANS, coarse, whole
from privet.core.clock import NS_PER_MS, NS_PER_S
from privet.core.intervals import Intervals, runs
from privet.core.pb import scene_pb2 as pb
from privet.core.polygon import Polygon
from privet.core.scene import Condition, Reason
from privet.index.rows import SPAN_KINDS, SpanKind
from privet.record.covered import NOTHING, SOMETHING, UNKNOWN

pytestmark = pytest.mark.anyio

FROM_MS = START_WALL_NS // NS_PER_MS
SPAN = f"from_ms={FROM_MS}&to_ms={FROM_MS + 60_000}"


# ---- site, openapi, metrics


async def test_site_and_metrics(world: World, openapi_text: str) -> None:
    async with world.client(world.viewer) as client:
        assert (await client.get("/api/site")).json() == {
            "name": "Harbour <b>",
            "timezone": "Europe/Berlin",
            "version": "0.1",
            "controller": "Harbour Ltd",
            "retention_hours": 72,
            "retention_reason": "",
        }
        metrics = await client.get("/metrics")
        assert metrics.text == "privet_up 1\n"
        assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        served = await client.get("/api/openapi.json")
    assert served.json() == json.loads(openapi_text)


async def test_storage_is_told_of_the_cameras_one_may_see(tmp_path: Path) -> None:
    def change(deps: ApiDependencies) -> ApiDependencies:
        site = replace(deps.site, quota_bytes=5_000_000_000)
        return replace(deps, in_force=FixedInForce(site, deps.register, deps.covers_per_second))

    world = make_world(tmp_path, policy=OnlyGateForViewers(), change=change)
    each = 1000
    world.past.rows += [row(number, "", camera, size_bytes=each) for number, camera in ((1, GATE), (2, GATE), (3, DOCK))]
    async with world.client(world.administrator) as client:
        whole = (await client.get("/api/storage")).json()
    async with world.client(world.viewer) as client:
        part = (await client.get("/api/storage")).json()
    assert whole["free_bytes"] > 0
    assert (whole["bytes"], whole["quota_bytes"], whole["retention_hours"]) == (3 * each, 5_000_000_000, 72)
    assert [stored["camera"] for stored in whole["cameras"]] == [GATE, DOCK]
    assert part["bytes"] == 2 * each
    assert part["cameras"] == [{"camera": GATE, "recordings": 2, "bytes": 2 * each, "oldest_ms": START_WALL_NS // NS_PER_MS, "error": ""}]


async def test_nothing_stored_yet(world: World) -> None:
    async with world.client(world.viewer) as client:
        found = (await client.get("/api/storage")).json()
    assert (found["bytes"], found["quota_bytes"]) == (0, None)
    assert found["cameras"][0] == {"camera": GATE, "recordings": 0, "bytes": 0, "oldest_ms": None, "error": ""}
    assert found["index_fails"] is False


async def test_what_cannot_be_written_is_said_where_storage_is_shown(tmp_path: Path) -> None:
    disk = SpoiledDisk({DOCK: "No space left on device"}, index=True)
    world = make_world(tmp_path, change=lambda deps: replace(deps, disk=disk))
    async with world.client(world.viewer) as client:
        found = (await client.get("/api/storage")).json()
    assert found["index_fails"] is True
    assert {each["camera"]: each["error"] for each in found["cameras"]} == {GATE: "", DOCK: "No space left on device"}


def test_the_stored_openapi_document_is_current(openapi_text: str) -> None:
    stored = Path(__file__).parents[2] / "docs/ref/openapi.json"
    assert stored.read_text(encoding="utf-8") == openapi_text, "run `python -m privet.api.openapi > docs/ref/openapi.json`"


def test_every_operation_has_an_id_and_models_what_it_answers(openapi_text: str) -> None:
    document = json.loads(openapi_text)
    ids = []
    for item in document["paths"].values():
        for operation in item.values():
            ids.append(operation["operationId"])
            for status, answer in operation["responses"].items():
                for media_type, content in answer.get("content", {}).items():
                    assert content["schema"], (operation["operationId"], status, media_type)
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"]
    assert len(ids) == len(set(ids))
    for schema in document["components"]["schemas"].values():
        assert schema["additionalProperties"] is False
        assert set(schema["required"]) == set(schema["properties"])


def test_the_api_pages_table_has_every_operation_and_the_schema_every_row_but_these(openapi_text: str) -> None:
    page = (Path(__file__).parents[2] / "docs/ref/api.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    told = {(method, path) for row in rows for method, path in re.findall(r"`([A-Z]+) ([^`?]+)(?:\?[^`]*)?`", row)}
    paths = json.loads(openapi_text)["paths"]
    offered = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert offered <= told, sorted(offered - told)
    assert told - offered == {("GET", "/login"), ("POST", "/login"), ("GET", "/api/openapi.json"), ("WS", "/api/live")}


# ---- cameras


def test_names_of_conditions_and_reasons_are_those_of_the_stream() -> None:
    assert get_args(ConditionName) == tuple(condition.name.lower() for condition in Condition)
    assert get_args(ReasonName) == tuple(reason.name.lower() for reason in Reason)


async def test_a_camera_nothing_was_heard_of(world: World) -> None:
    async with world.client(world.viewer) as client:
        camera = (await client.get("/api/cameras/dock")).json()
    assert camera["name"] == "<script>alert(1)</script>"  # data, not markup: the page draws it as text
    assert (camera["condition"], camera["reason"], camera["stale"]) == ("starting", "none", True)
    assert (camera["grid"], camera["since_ms"], camera["heard_ms"], camera["background_oldest_ms"]) == (None,) * 4
    assert camera["counters"]["frames_decoded"] == 0
    assert camera["capacity_bits_per_second"] == 0


async def test_a_camera_that_is_awake(world: World) -> None:
    place = publish_place(world)
    now_ms = world.fake_clock.wall_ns() // NS_PER_MS
    async with world.client(world.viewer) as client:
        first, second = (await client.get("/api/cameras")).json()
        assert (first["id"], second["id"]) == (GATE, DOCK)
        assert first == (await client.get("/api/cameras/gate")).json()
        world.fake_clock.advance(3 * NS_PER_S)
        assert (await client.get("/api/cameras/gate")).json()["stale"] is True
    assert (first["condition"], first["stale"], first["heard_ms"]) == ("awake", False, now_ms)
    assert first["grid"] == {
        "width_px": 64, "height_px": 40, "block_px": 8, "epoch": 0, "columns": 8, "rows": 5,
    }  # fmt: skip
    assert first["capacity_bits_per_second"] == place.grid.blocks * 5
    assert first["counters"]["frames_decoded"] == 7
    assert first["background_oldest_ms"] == FROM_MS


@pytest.mark.parametrize(
    "name",
    ["none", "<script>", "gate'--", "gate%00", "..", "%2e%2e", "gate%2f..%2fdock", "GATE", "gate%20", "x" * 65, "1%20OR%201=1", "ü"],
)
async def test_a_name_that_is_none_is_not_found(world: World, name: str) -> None:
    async with world.client(world.administrator) as client:
        asked = f"/covered?{SPAN}&polygon=0,0,1,0,1,1"
        for path in ("", f"/timeline?{SPAN}", asked, f"/scene?{SPAN}", "/snapshot.jpg", f"/export.mp4?{SPAN}"):
            answer = await client.get(f"http://localhost:8420/api/cameras/{name}{path}")
            assert answer.status_code == 404, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert "<" not in answer.text
        answer = await client.get(f"http://localhost:8420/api/recordings?camera={name}&{SPAN}")
        assert answer.status_code in {404, 422}


# ---- parameters


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "from_ms"),
        ("from_ms=0", "to_ms"),
        ("from_ms=x&to_ms=1", "from_ms"),
        ("from_ms=-1&to_ms=1", "from_ms"),
        ("from_ms=1.5&to_ms=9", "from_ms"),
        ("from_ms=nan&to_ms=9", "from_ms"),
        (f"from_ms=0&to_ms={10**30}", "to_ms"),
        (f"from_ms=0&to_ms={'9' * 4400}", "to_ms"),
        ("from_ms=0&to_ms=1&bins=0", "bins"),
        ("from_ms=0&to_ms=1&bins=4001", "bins"),
    ],
)
async def test_a_parameter_that_cannot_be_used_is_named(world: World, query: str, parameter: str) -> None:
    async with world.client(world.viewer) as client:
        answer = await client.get(f"/api/cameras/gate/timeline?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert parameter in [error["parameter"] for error in body["errors"]]
    assert parameter in body["detail"]
    assert len(answer.content) < 2000


@pytest.mark.parametrize(
    "path",
    [
        "/api/cameras/gate/timeline?from_ms=5&to_ms=5",
        "/api/cameras/gate/timeline?from_ms=6&to_ms=5",
        "/api/cameras/gate/timeline?from_ms=0&to_ms=253402300799999",
        "/api/cameras/gate/covered?polygon=0,0,1,0,1,1&from_ms=0&to_ms=86400000000",
        "/api/cameras/gate/scene?from_ms=0&to_ms=86400000000",
        "/api/cameras/gate/scene?from_ms=0&to_ms=86400000",
        "/api/cameras/gate/scene?from_ms=0&to_ms=86400000&step_ms=100",
        "/api/cameras/gate/export.mp4?from_ms=0&to_ms=86400000",
    ],
)
async def test_too_much_is_refused_with_what_would_do(world: World, path: str) -> None:
    async with world.client(world.administrator) as client:
        answer = await client.get(path)
    assert answer.status_code == 422
    assert answer.json()["detail"]


# ---- timeline


async def test_timeline(world: World) -> None:
    world.past.rows = [row(1, "one.mcap")]
    world.past.conditions[GATE] = ["awake", "awake", "asleep", "asleep", "asleep", "gap"]
    async with world.client(world.viewer) as client:
        answer = (await client.get(f"/api/cameras/gate/timeline?{SPAN}&bins=7")).json()
        future = f"from_ms={FROM_MS + 10 * 3_600_000}&to_ms={FROM_MS + 11 * 3_600_000}"
        ahead = (await client.get(f"/api/cameras/gate/timeline?{future}&bins=4")).json()
    assert answer["bin_ms"] == 8572
    assert answer["density"] == [0.25] * 7
    assert [(s["from_ms"] - FROM_MS, s["to_ms"] - FROM_MS, s["kind"]) for s in answer["spans"]] == [
        (0, 20_000, "awake"),
        (20_000, 50_000, "asleep"),
        (50_000, 60_000, "gap"),
    ]
    assert [s["kind"] for s in ahead["spans"]] == ["gap"]
    assert ahead["density"] == [None] * 4


@st.composite
def known_pieces(draw: Callable[[st.SearchStrategy[int]], int]) -> Intervals:
    lengths_ns = [draw(st.integers(0, 40)) for _ in range(draw(st.integers(1, 12)))]
    edges_ns = np.array([draw(st.integers(0, 50)), *lengths_ns]).cumsum()
    return runs(edges_ns, np.array([draw(st.integers(0, 4)) for _ in lengths_ns], np.uint8))


def kind_at(intervals: Intervals, at_ns: int) -> SpanKind | None:
    ends = pairwise(intervals.edges_ns.tolist())
    return next((SPAN_KINDS[kind] for (start, end), kind in zip(ends, intervals.kinds, strict=True) if start <= at_ns < end), None)


@given(known_pieces(), st.integers(0, 100), st.integers(1, 300))
def test_spans_fill_the_stretch_without_overlap(known: Intervals, from_ns: int, duration_ns: int) -> None:
    span = Span(from_ns, from_ns + duration_ns)
    intervals = whole(known, span)
    assert intervals.edges_ns[0] == span.from_ns
    assert intervals.edges_ns[-1] == span.to_ns
    assert (np.diff(intervals.edges_ns) > 0).all()
    assert (intervals.kinds[1:] != intervals.kinds[:-1]).all()
    for at_ns in range(span.from_ns, span.to_ns):
        assert kind_at(intervals, at_ns) == (kind_at(known, at_ns) or "gap")


@given(known_pieces(), st.integers(1, 60))
def test_coarse_steps_are_of_the_kind_that_fills_most(known: Intervals, most: int) -> None:
    from_ns, to_ns = int(known.edges_ns[0]), int(known.edges_ns[-1])
    if from_ns == to_ns:
        return
    found = coarse(known, most)
    assert len(found.kinds) <= most
    assert (found.edges_ns[0], found.edges_ns[-1]) == (from_ns, to_ns)
    step_ns = -(-(to_ns - from_ns) // most)
    for start in range(from_ns, to_ns, step_ns):
        within = [kind_at(known, at_ns) for at_ns in range(start, min(start + step_ns, to_ns))]
        assert within.count(kind_at(found, start)) == max(within.count(kind) for kind in SPAN_KINDS)


def test_very_many_spans_are_coarsened() -> None:
    flicker = runs(np.arange(100_001), np.where(np.arange(100_000) % 5, 0, 2).astype(np.uint8))
    intervals = coarse(flicker, MAX_SPANS)
    assert intervals.edges_ns.tolist() == [0, 100_000]
    assert kind_at(intervals, 0) == "awake"


# ---- covered

WHERE = "polygon=0.1,0.1,0.9,0.1,0.9,0.9"


async def test_covered(world: World) -> None:
    world.past.places[GATE] = [NOTHING, SOMETHING, NOTHING, SOMETHING, UNKNOWN]
    async with world.client(world.viewer) as client:
        answer = (await client.get(f"/api/cameras/gate/covered?{SPAN}&{WHERE}")).json()
        joined = (await client.get(f"/api/cameras/gate/covered?{SPAN}&{WHERE}&join_ms=10001")).json()
        future = f"from_ms={FROM_MS + 10 * 3_600_000}&to_ms={FROM_MS + 11 * 3_600_000}"
        ahead = (await client.get(f"/api/cameras/gate/covered?{future}&{WHERE}")).json()
        reaching = f"from_ms={FROM_MS + 3_590_000}&to_ms={FROM_MS + 3_610_000}"
        across = (await client.get(f"/api/cameras/gate/covered?{reaching}&{WHERE}")).json()
    assert world.past.polygons[0] == Polygon(((0.1, 0.1), (0.9, 0.1), (0.9, 0.9)))
    assert [(s["from_ms"] - FROM_MS, s["to_ms"] - FROM_MS, s["kind"]) for s in answer["spans"]] == [
        (0, 10_000, "nothing"),
        (10_000, 20_000, "something"),
        (20_000, 30_000, "nothing"),
        (30_000, 40_000, "something"),
        (40_000, 60_000, "unknown"),
    ]
    assert [(s["from_ms"] - FROM_MS, s["kind"]) for s in joined["spans"]] == [(0, "nothing"), (10_000, "something"), (40_000, "unknown")]
    assert (joined["join_ms"], joined["something_ms"], joined["unknown_ms"]) == (10_001, 20_000, 20_000)
    assert answer["proven_share"] == 0.75
    assert [s["kind"] for s in ahead["spans"]] == ["unknown"]
    assert ahead["proven_share"] is None
    # What is yet to come is not known, whatever was a moment ago.
    assert across["spans"][-1]["kind"] == "unknown"
    assert across["spans"][-1]["to_ms"] == FROM_MS + 3_610_000


@pytest.mark.parametrize(
    "polygon",
    ["", "1", "0,0,1,1", "0,0,1,0,1", "0,0,1,0,1,2", "0,0,1,0,nan,1", "0,0,1,0,x,1", ",".join(["0,1"] * 65), "0," * 2000 + "0"],
)
async def test_what_is_no_polygon_is_refused(world: World, polygon: str) -> None:
    async with world.client(world.viewer) as client:
        answer = await client.get(f"/api/cameras/gate/covered?{SPAN}&polygon={polygon}")
    assert answer.status_code == 422
    assert "polygon" in answer.json()["detail"]
    assert len(answer.content) < 2000
    assert not world.past.polygons


def test_very_many_pieces_are_joined_until_they_fit() -> None:
    kinds = np.tile(np.array([SOMETHING, NOTHING, SOMETHING, UNKNOWN], np.uint8), 5000)
    intervals = Intervals(np.arange(len(kinds) + 1) * 10 * NS_PER_S, kinds)
    found, join_ns = joined_to_fit(intervals, 0, 8000)
    assert (found.kinds.tolist(), join_ns) == ([SOMETHING, UNKNOWN], 20 * NS_PER_S)
    assert joined_to_fit(intervals, 0, len(kinds))[1] == 0


# ---- scene


def read_delimited(data: bytes) -> list[pb.SceneMessage]:
    """As protobuf's own readers do."""
    messages, at = [], 0
    while at < len(data):
        length, at = _DecodeVarint32(data, at)
        messages.append(pb.SceneMessage.FromString(data[at : at + length]))
        at += length
    return messages


@given(st.lists(st.integers(0, 70_000), max_size=5))
def test_lengths_are_protobufs_own(sizes: list[int]) -> None:
    at, data = 0, b"".join(delimited(b"x" * size) for size in sizes)
    for size in sizes:
        length, at = _DecodeVarint32(data, at)
        assert length == size
        at += length
    assert at == len(data)


async def test_scene_streams_what_the_archive_reads_off_the_loop(world: World) -> None:
    place = Place()
    world.past.messages[GATE] = [place.state(), place.background(b"x" * 600_000), *(place.cover(n) for n in range(50))]
    async with world.client(world.viewer) as client:
        answer = await client.get(f"/api/cameras/gate/scene?{SPAN}")
        nothing = await client.get(f"/api/cameras/dock/scene?{SPAN}")
    assert answer.headers["content-type"] == "application/vnd.privet.scene"
    assert read_delimited(answer.content) == world.past.messages[GATE]
    assert (nothing.status_code, nothing.content) == (200, b"")
    assert threading.get_ident() not in world.past.threads
    assert world.past.closed.is_set()


async def test_scene_stops_reading_when_the_client_goes_away(world: World) -> None:
    place = Place()
    world.past.messages[GATE] = [place.background(b"x" * 300_000) for _ in range(200)]
    started = asyncio.Event()

    async def receive() -> dict[str, object]:
        await started.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.body":
            started.set()
            await asyncio.sleep(0)

    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "path": "/api/cameras/gate/scene", "raw_path": b"", "query_string": SPAN.encode(), "root_path": "", "scheme": "http",
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {world.viewer}".encode())],
        "client": ("192.0.2.7", 1), "server": ("localhost", 8420),
    }  # fmt: skip
    await world.app(scope, receive, send)
    assert await asyncio.to_thread(world.past.closed.wait, 10)
    assert 0 < world.past.yielded < 200


# ---- background


async def test_the_background_in_force_at_its_full_size(world: World) -> None:
    place = publish_place(world)
    background = world.hub.view(GATE).background
    assert background is not None
    session, sequence = background.head.session, background.head.sequence
    async with world.client(world.viewer) as client:
        path = f"/api/cameras/gate/background?session={session}"
        answer = await client.get(f"{path}&sequence={sequence}")
        others = [await client.get(f"{path}&sequence={other}") for other in (sequence + 1, 0, 10**19)]
        wrong = [await client.get(f"{path}&sequence={other}") for other in ("", "-1", "1e3", "x")]
        world.hub.publish(GATE, place.background(b"another"))
        late = await client.get(f"{path}&sequence={sequence}")
        world.hub.publish(GATE, place.empty_background())
        none = await client.get(f"{path}&sequence={place.sequence}")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/png", b"picture")
    assert answer.headers["cache-control"] == "no-store"
    assert [other.status_code for other in (*others, late, none)] == [404] * 5
    assert [other.status_code for other in wrong] == [422] * 4


# ---- snapshot


async def test_what_is_not_written_yet_is_no_silence(world: World) -> None:
    """While nothing happens a recorder writes every ten seconds; heartbeats are heard meanwhile, and say that the cover holds."""
    place = Place()
    said = [place.background(), place.cover(), place.state(Condition.ASLEEP)]
    world.past.messages[GATE] = said
    for message in said:
        world.hub.publish(GATE, message)
    at_ms = place.wall_ns // NS_PER_MS + 5000

    async def drawn() -> int:
        async with world.client(world.viewer) as client:
            answer = await client.get(f"/api/cameras/gate/snapshot.jpg?at_ms={at_ms}")
        return int(answer.text.split()[2])

    written = place.sequence
    assert await drawn() == written
    place.wall_ns += 6_000_000_000
    world.hub.publish(GATE, place.state(Condition.ASLEEP))
    assert await drawn() == place.sequence
    world.hub.publish(GATE, place.state(Condition.OFFLINE))
    assert await drawn() == written, "it was not offline then, as far as is known"
    world.hub.publish(GATE, place.state(Condition.ASLEEP))
    world.hub.publish(GATE, place.cover(3))
    assert await drawn() == written, "something has come since"


async def test_snapshot_now_and_then(world: World) -> None:
    place = publish_place(world)
    then = Place()
    world.past.messages[GATE] = [then.state(), then.background(), then.cover()]
    at_ms = FROM_MS + 30_000
    async with world.client(world.viewer) as client:
        now = await client.get("/api/cameras/gate/snapshot.jpg")
        past = await client.get(f"/api/cameras/gate/snapshot.jpg?at_ms={at_ms}&width=320")
        world.fake_clock.advance(3 * NS_PER_S)
        late = await client.get("/api/cameras/gate/snapshot.jpg")
        nothing = await client.get("/api/cameras/dock/snapshot.jpg")
        unrecorded = await client.get(f"/api/cameras/dock/snapshot.jpg?at_ms={at_ms}")
        wide = await client.get("/api/cameras/gate/snapshot.jpg?width=100000")
    assert now.text == f"jpeg 640 {place.sequence} Gate {START_WALL_NS + HOUR_NS}"
    assert now.headers["content-type"] == "image/jpeg"
    assert now.headers["x-privet-background-age-seconds"] == "3600"
    assert past.text == f"jpeg 320 3 Gate {at_ms * NS_PER_MS}"
    assert past.headers["x-privet-background-age-seconds"] == "30"
    assert [answer.headers["x-privet-stale"] for answer in (now, past, late)] == ["false", "false", "true"]
    assert (nothing.status_code, unrecorded.status_code, wide.status_code) == (404, 404, 422)


async def test_snapshot_says_how_the_place_is_drawn(world: World) -> None:
    place = publish_place(world)
    then = Place()
    world.past.messages[GATE] = [then.state(), then.background(), then.cover()]
    async with world.client(world.viewer) as client:

        async def said(query: str = "") -> str:
            answer = await client.get(f"/api/cameras/gate/snapshot.jpg{query}")
            standing: str = answer.headers["x-privet-freshness"]
            return standing

        assert await said() == "silent"
        assert await said(f"?at_ms={FROM_MS + 1000}") == "shown"
        assert await said(f"?at_ms={FROM_MS + 30_000}") == "silent"
        place.wall_ns = world.deps.clock.wall_ns()
        world.hub.publish(GATE, place.state())
        assert await said() == "unknown"
        world.hub.publish(GATE, place.cover())
        assert await said() == "shown"
        world.hub.publish(GATE, place.state(Condition.OFFLINE))
        assert await said() == "offline"


# ---- recordings


async def test_recordings_are_listed(world: World) -> None:
    world.past.rows = [row(1, "one.mcap", size_bytes=5), row(2, "two.mcap", DOCK, closed=False)]
    async with world.client(world.viewer) as client:
        every = (await client.get(f"/api/recordings?{SPAN}")).json()
        dock = (await client.get(f"/api/recordings?camera=dock&{SPAN}")).json()
    assert every == [
        {"id": 1, "camera": "gate", "from_ms": FROM_MS, "to_ms": FROM_MS + 3_600_000, "size_bytes": 5, "closed": True},
        {"id": 2, "camera": "dock", "from_ms": FROM_MS, "to_ms": None, "size_bytes": 0, "closed": False},
    ]
    assert dock == every[1:]


DATA = bytes(range(256)) * 4096


@pytest.fixture
def recorded(world: World) -> World:
    directory = world.deps.data_directory / "recordings"
    directory.mkdir()
    (directory / "one.mcap").write_bytes(DATA)
    world.past.rows = [row(1, "recordings/one.mcap")]
    return world


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_recording_whole_and_in_parts(recorded: World) -> None:
    async with recorded.client(recorded.administrator) as client:
        before = open_descriptors()
        whole_file = await client.get("/api/recordings/1/data")
        assert (whole_file.status_code, whole_file.content) == (200, DATA)
        assert whole_file.headers["accept-ranges"] == "bytes"
        assert whole_file.headers["content-disposition"] == f'attachment; filename="gate-{FROM_MS}.mcap"'
        etag = whole_file.headers["etag"]
        part = await client.get("/api/recordings/1/data", headers={"Range": "bytes=300000-700000"})
        assert (part.status_code, part.content) == (206, DATA[300000:700001])
        assert part.headers["content-range"] == f"bytes 300000-700000/{len(DATA)}"
        assert part.headers["content-length"] == "400001"
        same = await client.get("/api/recordings/1/data", headers={"Range": "bytes=0-9", "If-Range": etag})
        assert (same.status_code, same.content) == (206, DATA[:10])
        changed = await client.get("/api/recordings/1/data", headers={"Range": "bytes=0-9", "If-Range": '"other"'})
        assert (changed.status_code, len(changed.content)) == (200, len(DATA))
        beyond = await client.get("/api/recordings/1/data", headers={"Range": f"bytes={len(DATA)}-"})
        assert beyond.status_code == 416
        assert beyond.headers["content-range"] == f"bytes */{len(DATA)}"
        assert beyond.headers["content-type"] == "application/problem+json"
        several = await client.get("/api/recordings/1/data", headers={"Range": "bytes=0-1,5-6"})
        assert (several.status_code, len(several.content)) == (200, len(DATA))
        unchanged = await client.get("/api/recordings/1/data", headers={"If-None-Match": etag})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        head = await client.head("/api/recordings/1/data")
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(DATA)))
        assert open_descriptors() == before


async def test_a_path_that_leads_out_of_the_data_directory_is_not_followed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (data / "link").symlink_to(secret)
    (data / "directory").mkdir()
    os.mkfifo(data / "pipe")
    world = make_world(data)
    bad = ["../secret", str(secret), "link", "directory", "pipe", "directory/../../secret"]
    world.past.rows = [row(number, path) for number, path in enumerate(bad)] + [row(99, "gone.mcap")]
    async with world.client(world.administrator) as client:
        for number, path in enumerate(bad):
            answer = await client.get(f"/api/recordings/{number}/data")
            assert answer.status_code == 503, path
            assert "secret" not in answer.text
        assert (await client.get("/api/recordings/99/data")).status_code == 404
        assert (await client.get("/api/recordings/100/data")).status_code == 404
        for name in ("1%20OR%201", "x", "-1", str(2**63), "9" * 5000, "../../secret"):
            answer = await client.get(f"http://localhost:8420/api/recordings/{name}/data")
            assert answer.status_code in {404, 422}, name


# ---- export


async def test_export_is_sent_and_leaves_nothing_behind(world: World) -> None:
    before = open_descriptors()
    async with world.client(world.administrator) as client:
        answer = await client.get(f"/api/cameras/gate/export.mp4?{SPAN}")
    assert answer.text == f"film gate {START_WALL_NS} {START_WALL_NS + 60 * NS_PER_S}"
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-disposition"] == f'attachment; filename="gate-{FROM_MS}-{FROM_MS + 60_000}.mp4"'
    assert list((world.deps.data_directory / "exports").iterdir()) == []
    assert open_descriptors() == before


async def test_export_of_nothing(world: World) -> None:
    world.exporter.empty = True
    async with world.client(world.administrator) as client:
        assert (await client.get(f"/api/cameras/gate/export.mp4?{SPAN}")).status_code == 404
    assert list((world.deps.data_directory / "exports").iterdir()) == []


async def test_export_is_cancelled_when_the_client_goes_away(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    exporter: WordyExporter = world.exporter
    exporter.go = asyncio.Event()

    async def receive() -> dict[str, object]:
        await exporter.started.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None: ...

    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "path": "/api/cameras/gate/export.mp4", "raw_path": b"", "query_string": SPAN.encode(), "root_path": "", "scheme": "http",
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {world.administrator}".encode())],
        "client": ("192.0.2.7", 1), "server": ("localhost", 8420),
    }  # fmt: skip
    await world.app(scope, receive, send)
    assert exporter.cancelled.is_set()
    assert list((tmp_path / "exports").iterdir()) == []


# ---- the web application


async def test_the_web_application_is_served_from_a_list(tmp_path: Path) -> None:
    static, data = tmp_path / "static", tmp_path / "data"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html>page")
    (static / "assets" / "app-1a2b.js").write_text("code")
    (static / "assets" / "app-1a2b.js.map").write_text("map")
    (static / ".hidden.js").write_text("hidden")
    (tmp_path / "secret.txt").write_text("secret")
    (static / "link.txt").symlink_to(tmp_path / "secret.txt")
    world = make_world(data, static=static)
    async with world.client(world.viewer) as client:
        script = await client.get("/assets/app-1a2b.js")
        assert (script.text, script.headers["content-type"]) == ("code", "text/javascript; charset=utf-8")
        assert "immutable" in script.headers["cache-control"]
        for address in ("/", "/camera/gate?at=5", "/index.html"):
            page = await client.get(address, headers={"Accept": "text/html"})
            assert page.text == "<!doctype html>page"
            assert page.headers["cache-control"] == "private, no-cache"
        for address in (
            "/link.txt", "/.hidden.js", "/assets/app-1a2b.js.map", "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt",
            "/assets/..%2f..%2fsecret.txt", "//secret.txt", "/assets%00.js", "/assets/", "/\\..\\secret.txt", "/api/none",
            f"/{tmp_path}/secret.txt",
        ):  # fmt: skip
            answer = await client.get(f"http://localhost:8420{address}")
            assert answer.status_code == 404, address
            assert "secret" not in answer.text
        assert (await client.get("/api/none", headers={"Accept": "text/html"})).status_code == 404
    async with world.client() as client:
        assert (await client.get("/assets/app-1a2b.js")).status_code == 401


async def test_without_a_build_the_page_says_so(world: World) -> None:
    async with world.client(world.viewer, Accept="text/html") as client:
        answer = await client.get("/")
    assert answer.status_code == 503
    assert "not built" in answer.text


# ---- errors


async def test_every_error_is_a_problem(world: World) -> None:
    async with world.client(world.administrator) as client:
        for method, path, status in (
            ("GET", "/none", 404),
            ("DELETE", "/api/cameras", 405),
            ("POST", "/api/cameras/gate", 405),
            ("GET", "/api/cameras/gate/timeline", 422),
        ):
            answer = await client.request(method, path)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"
            body = answer.json()
            assert set(body) == {"type", "title", "status", "detail", "errors"}
            assert body["status"] == status


async def test_nothing_of_a_request_reaches_a_header(world: World) -> None:
    evil = "x%0d%0aSet-Cookie:%20a=b"
    async with world.client(world.administrator, Accept="text/html") as client:
        for path in (f"/{evil}", f"/api/cameras/{evil}", f"/api/cameras/gate/export.mp4?from_ms={evil}&to_ms=1", f"/login?{evil}"):
            answer = await client.get(f"http://localhost:8420{path}")
            assert "set-cookie" not in answer.headers
            assert all("\r" not in value and "\n" not in value for value in answer.headers.values())


async def test_limits_are_settings(tmp_path: Path) -> None:
    world = make_world(tmp_path, limits=ApiLimits(export_span_ns=NS_PER_S))
    async with world.client(world.administrator) as client:
        assert (await client.get(f"/api/cameras/gate/export.mp4?{SPAN}")).status_code == 422
