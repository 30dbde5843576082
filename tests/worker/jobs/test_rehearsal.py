"""What is compiled before any worker starts is all that a camera needs: compiling holds a camera up until its queue is full."""

from __future__ import annotations

import subprocess
import sys

RUN = """
import importlib, pkgutil, sys, tempfile
from pathlib import Path
from numba.core.dispatcher import Dispatcher
import privet.scene
from privet.worker.jobs.rehearsal import rehearse

def signatures():
    found = set()
    for module in pkgutil.walk_packages(privet.scene.__path__, "privet.scene."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Dispatcher):
                found.update(f"{module.name}.{name}{signature}" for signature in value.signatures)
    return found

with tempfile.TemporaryDirectory() as directory:
    assert rehearse(Path(directory)) > 0
rehearsed = signatures()
assert len(rehearsed) > 40, rehearsed

from tests.scene.pictures import with_person
from tests.scene.test_analyst import PLACE, SOMEBODY_PX, proven_camera
from tests.scene.substream.test_view import MAIN, SUB, Both, with_somebody

both = Both()
both.show(20)
both.show(4, with_somebody(MAIN), with_somebody(SUB))
both.show(2)
both.show(1, with_somebody(MAIN), with_somebody(SUB), intact=False)
camera = proven_camera()
camera.show(with_person(PLACE, SOMEBODY_PX), 3)
camera.show(PLACE, 3)
print(*sorted(signatures() - rehearsed), sep="\\n", end="")
"""


def test_no_kernel_is_compiled_while_a_camera_is_watched() -> None:
    """In a process of its own: what other tests have compiled would hide it."""
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=False, timeout=500)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
