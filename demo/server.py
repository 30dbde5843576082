"""The RTSP server as a process: started, asked for its ports, stopped or killed. Used by the demo and by the tests.

Belongs here: one process's life. Does not belong here: what is streamed (demo/rtsp_server.py), which cameras there are.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

SCRIPT = Path(__file__).resolve().parent / "rtsp_server.py"
SYSTEM_PYTHON = "/usr/bin/python3"
"""Debian's: GStreamer's bindings belong to it and not to the virtual environment."""

Authentication = Literal["digest", "basic"]
StreamSettings = Mapping[str, object]
"""One stream, as demo/rtsp_server.py describes it."""


@dataclass
class RtspServer:
    """May be stopped or killed and started again; it then listens on the same ports."""

    streams: Sequence[StreamSettings]
    directory: Path                         # where its settings are written
    authentication: Authentication = "digest"
    port: int = 0                           # of the streams without a password; 0 until the first start
    guarded_port: int = 0                   # of the others
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def url(self, path: str) -> str:
        """URL of a stream, without credentials."""
        guarded = any(stream["path"] == path and "username" in stream for stream in self.streams)
        return f"rtsp://127.0.0.1:{self.guarded_port if guarded else self.port}{path}"

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            RuntimeError: it ended instead; it has said why on stderr.
        """
        settings = self.directory / "streams.json"
        settings.touch(0o600)               # it holds the passwords
        settings.write_text(
            json.dumps(
                {
                    "port": self.port,
                    "guarded_port": self.guarded_port,
                    "authentication": self.authentication,
                    "streams": [dict(stream) for stream in self.streams],
                }
            )
        )
        # A session of its own: Ctrl-C in a terminal is for whoever started this, who then stops it in order.
        self.process = subprocess.Popen(
            [SYSTEM_PYTHON, str(SCRIPT), str(settings)], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the RTSP server ended with status {self.stop()} before it listened")
        ports = json.loads(line)
        self.port, self.guarded_port = ports["port"], ports["guarded_port"]

    def stop(self) -> int:
        """SIGTERM, and wait; returns the exit status."""
        return self._end(subprocess.Popen.terminate)

    def kill(self) -> None:
        """SIGKILL: a camera that lost its power."""
        self._end(subprocess.Popen.kill)

    def _end(self, how: Callable[[subprocess.Popen[str]], None]) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        how(process)
        status = process.wait(timeout=10)
        assert process.stdout is not None
        process.stdout.close()
        return status
