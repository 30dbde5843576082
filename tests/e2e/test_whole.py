"""The API of a running site, to the end: a span leaves as MP4, recordings are read in ranges, and a stop leaves nothing to mend."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import av
import numpy as np
import pytest
from mcap.reader import make_reader
from pydantic import TypeAdapter
from tests.e2e.site import PASSWORD, Site, privet

from privet.api.recordings.routes import RecordingModel
from privet.render.paint import COVER

pytestmark = pytest.mark.rtsp

AWAKE_WITHIN_S = 60.0


def test_every_camera_is_awake_and_received(site: Site) -> None:
    site.wait_until_awake(AWAKE_WITHIN_S)
    states = site.states()
    assert set(states) == {"gate", "yard", "dock"}
    for state in states.values():
        assert state.counters.frames_decoded > 100
        assert state.counters.bytes_sent * 8 < state.counters.bytes_received


def test_a_span_leaves_as_mp4(site: Site, moments: list[int], tmp_path: Path) -> None:
    with site.client() as client:
        query = {"from_ms": moments[0], "to_ms": moments[0] + 10_000}
        answer = client.get("/api/cameras/gate/export.mp4", params=query).raise_for_status()
    assert answer.headers["content-type"] == "video/mp4"
    path = tmp_path / "span.mp4"
    path.write_bytes(answer.content)
    probe = shutil.which("ffprobe")
    assert probe is not None, "ffprobe is missing: run `make setup`"
    said = subprocess.run([probe, "-v", "error", "-show_streams", path], capture_output=True, text=True, check=True, timeout=60)
    assert said.stderr == ""
    assert "codec_name=h264" in said.stdout
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert 8 * 4 <= len(pictures) <= 12 * 30
    silhouettes = [(np.abs(picture.astype(np.int16) - np.array(COVER)) <= 12).all(axis=2).mean() for picture in pictures]
    assert max(silhouettes) > 0.002, "no silhouette in ten seconds of a busy place"


def test_recordings_are_read_in_ranges(site: Site, moments: list[int]) -> None:
    with site.client() as client:
        listed = TypeAdapter(list[RecordingModel]).validate_json(
            client.get("/api/recordings", params={"camera": "gate", "from_ms": moments[0], "to_ms": moments[-1]}).raise_for_status().content
        )
        assert listed
        address = f"/api/recordings/{listed[-1].id}/data"
        first = client.get(address, headers={"Range": "bytes=0-99"})
        again = client.get(address, headers={"Range": "bytes=50-149"})
        assert (first.status_code, again.status_code) == (206, 206)
        assert len(first.content) == len(again.content) == 100
        assert first.content[50:] == again.content[:50]
        assert first.content.startswith(b"\x89MCAP0\r\n")
        assert client.get(address, headers={"Range": "bytes=9999999999-"}).status_code == 416


def test_nothing_is_answered_without_a_login(site: Site) -> None:
    with site.client() as client:
        del client.headers["Authorization"]
        assert client.get("/health").status_code == 200
        for path in ("/api/cameras", "/api/cameras/gate/snapshot.jpg", "/metrics", "/api/recordings", "/api/openapi.json"):
            assert client.get(path).status_code == 401, path


def test_no_password_is_written_or_said(site: Site) -> None:
    said = "\n".join(site.lines)
    assert PASSWORD not in said
    data = site.directory / "data"
    files = [path for path in data.rglob("*") if path.is_file()]
    assert {".mcap", ".sqlite"} <= {path.suffix for path in files}
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
    with site.client() as client:
        assert PASSWORD not in client.get("/api/cameras").text


def test_a_stop_leaves_nothing_to_mend(site: Site) -> None:
    """Last: it stops the site that the other tests look at."""
    assert site.stop() == 0
    checked = subprocess.run(
        privet("check", "--config", str(site.config)), capture_output=True, text=True, timeout=120, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    files = sorted((site.directory / "data" / "recordings").rglob("*.mcap"))
    assert {path.relative_to(site.directory / "data" / "recordings").parts[0] for path in files} == {"gate", "yard", "dock"}
    for path in files:
        summary = make_reader(io.BytesIO(path.read_bytes())).get_summary()
        assert summary is not None
        assert summary.statistics is not None
        assert summary.statistics.message_count > 0
