"""`privet commission`: the conversation, against the real API in a server of its own; the end to end with a real worker is below."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
import uvicorn
from click.testing import CliRunner, Result
from tests.api.world import World, make_world
from tests.main.test_serve import TOKEN, configure, free_port, get, running
from tests.scene.pictures import place

from privet.api.guard.listen import ListenSettings
from privet.api.signing import routes as api
from privet.cli import commission as cli
from privet.cli.commission import EXIT_FAILED, EXIT_NOTHING, EXIT_REFUSED, EXIT_SIGNED, STATEMENT, commission
from privet.core.errors import PrivetError, UserError
from privet.core.pb import pipe_pb2


@dataclass
class Served:
    """A server with fakes behind its API."""

    world: World
    url: str
    directory: Path

    def call(self, *arguments: str, said: str = "", token: str | None = None) -> Result:
        file = self.directory / "token"
        file.write_text((self.world.administrator if token is None else token) + "\n")
        options = ["--config", str(self.directory / "none.toml"), "--url", self.url, "--token-file", str(file)]
        return CliRunner().invoke(commission, ["gate", *options, *arguments], input=said, standalone_mode=False)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    port = free_port()
    world = make_world(tmp_path, listen=ListenSettings("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(world.app, host="127.0.0.1", port=port, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    get(port, "/health")
    yield Served(world, f"http://127.0.0.1:{port}", tmp_path)
    server.should_exit = True
    thread.join(20)


def test_yes_signs_what_was_shown_and_the_picture_is_removed(served: Served) -> None:
    path = served.directory / "shown.webp"
    done = served.call("--picture", str(path), said="yes\n")
    assert done.return_value == EXIT_SIGNED
    assert str(path) in done.output
    assert "4 of 4 blocks" in done.output
    assert "3 blocks are background now" in done.output
    assert "1 blocks have lapsed" in done.output
    assert len(served.world.signers.signed) == 1
    assert not path.exists()


def test_refuse_refuses(served: Served) -> None:
    assert served.call(said="maybe\nrefuse\n").return_value == EXIT_REFUSED
    assert len(served.world.signers.refused) == 1
    assert served.world.signers.signed == []


def test_no_answer_signs_nothing_and_leaves_no_picture(served: Served) -> None:
    path = served.directory / "shown.webp"
    done = served.call("--picture", str(path), said="")
    assert done.exit_code != 0
    assert (served.world.signers.signed, served.world.signers.refused) == ([], [])
    assert not path.exists()


def test_signing_without_being_asked_takes_the_words_and_the_picture(served: Served) -> None:
    path = served.directory / "shown.webp"
    for wrong in (
        ["--sign"], ["--sign", "--statement", STATEMENT], ["--sign", "--picture", str(path)],
        ["--sign", "--picture", str(path), "--statement", "yes"],
    ):
        assert isinstance(served.call(*wrong).exception, UserError)
    assert served.world.signers.asked == []
    done = served.call("--sign", "--picture", str(path), "--statement", STATEMENT)
    assert done.return_value == EXIT_SIGNED
    assert [entry.act for entry in served.world.entries.entries] == ["asked", "offered", "signing", "signed"]


def test_nothing_to_sign_is_no_failure(served: Served) -> None:
    served.world.signers.answer = pipe_pb2.OFFER_ANSWER_NO_CANDIDATES
    done = served.call()
    assert done.return_value == EXIT_NOTHING
    assert "nothing waits" in done.output


def test_complaints_are_the_servers_own(served: Served) -> None:
    assert isinstance(served.call(token="wrong").exception, UserError)
    viewer = served.call(token=served.world.viewer).exception
    assert isinstance(viewer, UserError)
    assert "commission" in str(viewer)
    served.world.signers.answer = pipe_pb2.OFFER_ANSWER_NO_PICTURE
    failed = served.call().exception
    assert isinstance(failed, PrivetError)
    assert not isinstance(failed, UserError)
    assert "no picture" in str(failed)


def test_a_picture_is_never_written_over_anything(served: Served) -> None:
    path = served.directory / "there"
    path.write_text("mine")
    assert isinstance(served.call("--picture", str(path), said="yes\n").exception, UserError)
    assert path.read_text() == "mine"
    assert served.world.signers.asked == []


@pytest.mark.parametrize("url", ["ftp://localhost/", "localhost:8420", "file:///etc/passwd"])
def test_only_servers_are_asked(served: Served, url: str) -> None:
    served.url = url
    assert isinstance(served.call().exception, UserError)


def test_a_server_that_is_not_there_is_said(served: Served) -> None:
    served.url = f"http://127.0.0.1:{free_port()}"
    failed = served.call().exception
    assert isinstance(failed, PrivetError)
    assert "is `privet run` running?" in str(failed)


def test_the_words_are_the_apis() -> None:
    assert cli.STATEMENT == api.STATEMENT
    assert EXIT_FAILED == 1


CAMERA = """[cameras.gate]
place = "a"
purpose = "b"
controller = "c"
url = "file:a.mp4"
[promotion]
commissioning = "signature"
prove_seconds = 3
prove_keyframes = 3
[detect]
looks_per_second = 30
"""


def encode_place(path: Path, seconds: int) -> None:
    """A place where nothing happens, in five frames a second with a little noise and a keyframe a second."""
    draw = np.random.default_rng(1)
    planes = place()
    height, width = planes[0].shape
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5, options={"preset": "ultrafast", "g": "5"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for _ in range(seconds * 5):
            levels = np.concatenate([planes[0].reshape(-1), planes[1].reshape(-1), planes[2].reshape(-1)]).astype(np.int16)
            levels[: height * width] += draw.integers(-1, 2, height * width, dtype=np.int16)
            picture = levels.astype(np.uint8).reshape(height * 3 // 2, width)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "yuv420p")))
        container.mux(stream.encode(None))


@pytest.mark.timeout(400)
def test_end_to_end_with_a_real_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A film, a worker, the server and the command as they run: flat until somebody signs, then the place."""
    encode_place(tmp_path / "a.mp4", seconds=400)
    port = free_port()
    config = configure(tmp_path, port, CAMERA)
    with running(config) as house:
        token = house.until(TOKEN.pattern)
        monkeypatch.setenv("PRIVET_TOKEN", token)
        deadline = time.monotonic() + 100
        while True:
            (camera,) = get(port, "/api/cameras", token).json()
            if camera["counters"]["candidate_blocks"] > 300 or time.monotonic() > deadline:
                break
            time.sleep(0.5)  # another process' work: there is no clock to fake
        assert camera["counters"]["candidate_blocks"] > 300
        assert camera["proven_blocks"] == 0
        path = tmp_path / "shown.webp"
        done = CliRunner().invoke(
            commission, ["gate", "--config", str(config), "--picture", str(path)], input="yes\n", standalone_mode=False
        )
        assert done.return_value == EXIT_SIGNED, (done.output, done.exception)
        while time.monotonic() < deadline:
            (camera,) = get(port, "/api/cameras", token).json()
            if camera["proven_blocks"]:
                break
            time.sleep(0.2)  # likewise
        assert camera["proven_blocks"] > 300
        shown = get(port, "/api/cameras/gate/snapshot.jpg", token)
        assert shown.status_code == 200
        # Somebody else's guess at an offer, and one that was decided on, show nothing.
        header = {"Authorization": f"Bearer {token}"}
        guessed = httpx.get(f"http://127.0.0.1:{port}/api/cameras/gate/commission/{'0' * 32}/picture.webp", headers=header)
        assert guessed.status_code == 404
        house.end(2)
    record = [json.loads(line) for line in (tmp_path / "data" / "commission.jsonl").read_text().splitlines()]
    assert [entry["act"] for entry in record] == ["asked", "offered", "signing", "signed"]
    assert record[-1]["signed_blocks"] > 300
    assert record[-1]["signed_blocks"] + record[-1]["lapsed_blocks"] == record[-2]["blocks"]
    assert not path.exists()
