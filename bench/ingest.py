"""What ingest costs on top of FFmpeg: the same footage through bare PyAV and through ingest, in turns, in one process.

    python -m bench.ingest

Belongs here: packets to frames, by CPU time. Does not belong here: networks, what is done with the frames.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from demo.clip import Clip
from demo.encode import cached_clip, find_footage

from privet.core.clock import SystemClock
from privet.ingest.decode import listen_to_ffmpeg
from privet.ingest.open import open_file_frames

ROUNDS = 3


def bare(path: Path) -> int:
    """Frames decoded by PyAV alone, every plane touched as ingest hands it out."""
    count = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for picture in container.decode(stream):
            for plane in picture.planes:
                np.frombuffer(memoryview(plane), np.uint8)
            count += 1
    return count


def ours(path: Path) -> int:
    """Frames out of ingest."""
    return sum(1 for _ in open_file_frames(path, SystemClock()))


def remux(clip: Clip, path: Path) -> None:
    """The clip's access units in a container, untouched."""
    data = clip.path.read_bytes()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=clip.fps)
        if not isinstance(stream, av.VideoStream):
            raise TypeError("no video stream")
        stream.width, stream.height = clip.width_px, clip.height_px
        for unit in clip.units:
            packet = av.Packet(data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes])
            packet.pts = packet.dts = unit.pts
            packet.time_base = 1 / clip.fps
            packet.is_keyframe = unit.keyframe
            packet.stream = stream
            container.mux(packet)


def cpu_s(decode: Callable[[Path], int], path: Path) -> float:
    """CPU seconds a frame."""
    began_s = time.process_time()
    frames = decode(path)
    return (time.process_time() - began_s) / frames


def main() -> None:
    """Print the table."""
    listen_to_ffmpeg()
    clip = cached_clip(find_footage(), "gate")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "clip.mkv"
        remux(clip, path)
        times = [(cpu_s(bare, path), cpu_s(ours, path)) for _ in range(ROUNDS)]
    least_bare, least_ours = min(bare_s for bare_s, _ in times), min(ours_s for _, ours_s in times)
    print(f"{clip.width_px}x{clip.height_px} H.264, {clip.bits_per_second / 1e6:.2f} Mbit/s, {len(clip.units)} frames, best of {ROUNDS}")
    print(f"bare PyAV   {least_bare * 1e6:7.0f} us of CPU a frame")
    print(f"ingest      {least_ours * 1e6:7.0f} us of CPU a frame")
    print(f"overhead    {(least_ours / least_bare - 1) * 100:7.1f} %  ({(least_ours - least_bare) * 1e6:.0f} us a frame)")


if __name__ == "__main__":
    main()
