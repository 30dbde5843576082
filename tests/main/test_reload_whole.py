"""Twenty cameras, one added, one changed, one removed, a mistake in the file: the other eighteen notice nothing."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.main.test_serve import TOKEN, Running, configure, free_port, get, running
from websockets.sync.client import connect

from privet.core.clock import NS_PER_S
from privet.core.pb import scene_pb2
from privet.index.index import Index, index_url
from privet.worker.jobs.rehearsal import encode_film

COUNT = 20
CHANGED, REMOVED, ADDED = "c18", "c19", "barn"
UNTOUCHED = [f"c{number:02d}" for number in range(COUNT - 2)]
WITHIN_S = 120.0


def table(name: str, *lines: str) -> str:
    return "\n".join([f"[cameras.{name}]", 'place = "a"', 'purpose = "b"', 'controller = "c"', 'url = "file:film.mp4"', *lines, ""])


def tables(*names: str, **extra: str) -> str:
    policy = '[promotion]\ncommissioning = "automatic"\nprove_seconds = 2\nprove_keyframes = 2\n[worker]\ncameras_per_worker = 10\n'
    return policy + "".join(table(name, extra.get(name, "")) for name in names)


@dataclass
class Heard:
    """What a viewer was sent: (session, sequence, kind, when it came) of each camera, in order."""

    messages: dict[str, list[tuple[int, int, str, float]]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def following(self, url: str, token: str) -> Iterator[None]:
        """Watch all cameras in a thread, for as long as the context lasts."""
        headers = {"Authorization": f"Bearer {token}"}
        with connect(url, additional_headers=headers, max_size=None, ping_interval=None) as socket:

            def listen() -> None:
                for data in socket:
                    assert isinstance(data, bytes)
                    message = scene_pb2.CameraMessage.FromString(data)
                    kind = message.scene.WhichOneof("kind")
                    assert kind is not None
                    head = getattr(message.scene, kind).head
                    self.messages[message.camera].append((head.session, head.sequence, kind, time.monotonic()))

            thread = threading.Thread(target=listen, daemon=True)
            thread.start()
            yield
            socket.close()
            thread.join(10)


def privet(command: str, config: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "privet", command, "--config", str(config)], capture_output=True, text=True, timeout=120, check=False
    )


def until(what: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not what():
        assert time.monotonic() < deadline_s
        time.sleep(0.2)  # another process' work: there is no clock to fake


def known(port: int, token: str) -> set[str]:
    return {camera["id"] for camera in get(port, "/api/cameras", token).json()}


def watched(port: int, token: str) -> set[str]:
    """Cameras of which covers came."""
    return {camera["id"] for camera in get(port, "/api/cameras", token).json() if camera["counters"]["covers_sent"] > 3}


@pytest.mark.slow
def test_the_others_lose_no_cover_and_no_heartbeat(tmp_path: Path) -> None:
    port = free_port()
    encode_film(tmp_path / "film.mp4", 256, 192)
    names = [*UNTOUCHED, CHANGED, REMOVED]
    config = configure(tmp_path, port, tables(*names))
    with running(config) as site:
        token = site.until(TOKEN.pattern)
        until(lambda: watched(port, token) >= set(names))
        heard = Heard()
        with heard.following(f"ws://127.0.0.1:{port}/api/live", token):
            until(lambda: all(len(heard.messages[name]) > 5 for name in names))
            _a_mistake_changes_nothing(site, config, port, token)
            began_s, began_wall_ns = time.monotonic(), time.time_ns()
            blind = "blind = [[[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]]"
            configure(tmp_path, port, tables(*UNTOUCHED, CHANGED, ADDED, **{CHANGED: blind}))
            checked = privet("check-config", config)
            assert checked.returncode == 0
            for line in ("camera barn is added", "camera c19 is removed", "camera c18: blind: [] -> "):
                assert line in checked.stdout
            done = privet("reload", config)
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
            assert "camera barn is added" in done.stdout
            print(f"taken up in {time.monotonic() - began_s:.1f} s")
            until(lambda: ADDED in watched(port, token))
            until(lambda: heard.messages[CHANGED][-1][0] != heard.messages[CHANGED][0][0])
            assert known(port, token) == {*UNTOUCHED, CHANGED, ADDED}
            assert get(port, f"/api/cameras/{REMOVED}", token).status_code == 404
            assert f'camera="{REMOVED}"' not in get(port, "/metrics", token).text
            assert f'camera="{ADDED}"' in get(port, "/metrics", token).text
        status, log = site.end(signal.SIGTERM)
    assert status == 0
    assert "Traceback" not in log
    assert not re.search("was lost|broke the rules|crashed", log)
    _heard_whole(heard)
    _recorded_apart(tmp_path / "data", began_wall_ns)


def _a_mistake_changes_nothing(site: Running, config: Path, port: int, token: str) -> None:
    before = known(port, token)
    good = config.read_text()
    config.write_text(good.replace('place = "a"', 'plaice = "a"', 1))
    for command in ("check-config", "reload"):
        refused = privet(command, config)
        assert refused.returncode == 2
        assert "cameras.c00.plaice is not known: did you mean 'place'?" in refused.stderr
    reloads = json.loads((config.parent / "data" / "running.json").read_text())["reloads"]
    site.process.send_signal(signal.SIGHUP)  # as somebody would who did not check it
    until(lambda: json.loads((config.parent / "data" / "running.json").read_text())["reloads"] > reloads)
    assert not json.loads((config.parent / "data" / "running.json").read_text())["done"]
    assert known(port, token) == before
    config.write_text(good)


def _heard_whole(heard: Heard) -> None:
    for name in UNTOUCHED:
        messages = heard.messages[name]
        assert len({session for session, *_ in messages}) == 1, f"{name} began anew"
        sequences = [sequence for _, sequence, *_ in messages]
        whole = list(range(sequences[-1] - len(set(sequences)) + 1, sequences[-1] + 1))
        assert sorted(set(sequences))[-len(whole) + 5 :] == whole[5:], f"{name} lost a message"
        beats = [at_s for _, _, kind, at_s in messages if kind == "state"]
        longest_s = max(later - earlier for earlier, later in itertools.pairwise(beats))
        assert longest_s < 2.0, f"{name} was not heard of for {longest_s:.2f} s"


def _recorded_apart(data: Path, reloaded_wall_ns: int) -> None:
    index = Index.open(index_url(data))
    rows = index.recordings()
    configured = {str(camera.id): camera.configured for camera in index.cameras()}
    index.close()
    assert all(row.closed for row in rows)
    hours = {at_ns // (3600 * NS_PER_S) for at_ns in (reloaded_wall_ns, time.time_ns())}
    for name in UNTOUCHED:
        begun = [row for row in rows if row.camera == name and row.from_wall_ns > reloaded_wall_ns]
        assert len(begun) <= len(hours) - 1, f"{name}: its recording goes on"
    ends = {name: max(row.to_wall_ns or 0 for row in rows if row.camera == name) for name in (REMOVED, *UNTOUCHED)}
    assert ends[REMOVED] + NS_PER_S < min(ends[name] for name in UNTOUCHED), "its recording was closed when it was removed"
    assert configured[REMOVED] is False
    assert configured[ADDED] is True
