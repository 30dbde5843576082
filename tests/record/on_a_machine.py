"""Run by test_machine.py in a process of its own: records in real time on a real file system, until told to stop or killed.

usage: on_a_machine.py record DIRECTORY    a message every 50 ms; prints each sequence once it was handed over
       on_a_machine.py full DIRECTORY      DIRECTORY is a small file system with a file `ballast`: fills it, frees it, goes on
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.record.streams import CAMERA, Camera, Heard
from tests.record.test_check import Tells

from privet.core.clock import SystemClock
from privet.core.pb import scene_pb2 as pb
from privet.index.index import Index, index_url
from privet.record.recorder import Recorder


def record(directory: Path) -> None:
    index = Index.open(index_url(directory))
    recorder = Recorder(directory, Tells(index), SystemClock())
    camera = Camera(columns=16, rows=9)
    recorder.put(CAMERA, camera.background(time.time_ns()))
    while True:
        now_ns = time.time_ns()
        message = camera.cover(now_ns)
        recorder.put(CAMERA, message)
        print(message.cover.head.sequence, now_ns, flush=True)
        time.sleep(0.05)


def full(directory: Path) -> None:
    heard = Heard()
    recorder = Recorder(directory, heard, SystemClock())
    camera = Camera(columns=16, rows=9)

    def put(message: pb.SceneMessage) -> None:
        recorder.put(CAMERA, message)
        time.sleep(0.02)

    def wait(failing: bool) -> bool:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            put(camera.background(time.time_ns(), 4000) if failing else camera.cover(time.time_ns()))
            if bool(recorder.statistics().error) is failing:
                return True
        return False

    assert wait(failing=True), "the disk never filled up"
    for _ in range(10):
        put(camera.cover(time.time_ns()))
    while recorder.statistics().queued_messages:
        time.sleep(0.01)
    newest = camera.background(time.time_ns(), 1000)
    put(newest)
    assert recorder.statistics().covers_dropped >= 10
    (directory / "ballast").unlink()
    assert wait(failing=False), "it did not go on"
    put(camera.cover(time.time_ns()))
    recorder.close()
    (info,) = heard.closed_recordings
    print(info.path, newest.background.head.sequence, flush=True)


if __name__ == "__main__":
    {"record": record, "full": full}[sys.argv[1]](Path(sys.argv[2]))
