#!/usr/bin/python3
"""An RTSP server that looks like cameras: plays clips in a loop, in real time, over TCP and UDP, with RTCP sender reports.

Run by Debian's python3 (packages python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-good); it uses nothing but
the standard library and GStreamer, so the virtual environment cannot import it and does not need to.

    /usr/bin/python3 demo/rtsp_server.py streams.json

streams.json: {"port": 0, "guarded_port": 0, "authentication": "digest", "streams": [STREAM, ...]}. Streams with a password are
served at the guarded port, all others at the port; 0 takes any free one. "authentication" is "digest" or "basic". A STREAM:

    path            "/gate"
    codec           "h264" | "h265" (both need `file`), "mjpeg" (a test picture), "audio" (a tone and no video)
    file            access units as demo/encode.py writes them, index beside them
    fps             frames a second; the clip's own if left out
    start_seconds   where in the clip it begins
    free_running    true: the clip runs by the server's clock, whenever a viewer comes, and so do its keyframes: the first GOP is cut short
    username, password   asked for if given
    transports      ["tcp", "udp"] if left out
    audio           true: a tone beside the video, as many cameras have it
    stall_after_seconds, end_after_seconds   send nothing more, or say goodbye, after so long
    garbage_after_seconds    send noise instead of pictures after so long (parameter sets stay whole)
    sent            a file that gets a line "NUMBER WALL_NS" for every access unit when it is sent: its number in the clip, the time
    damage          share of access units, from 0 to 1, in which some bytes are overwritten (never in parameter sets)

Prints one line of JSON, {"port": ..., "guarded_port": ...}, once it listens. SIGTERM and SIGINT end it at once.
"""

# GStreamer's Python bindings have no types to name:
# ruff: noqa: ANN001, ANN201, ANN204

import json
import random
import signal
import sys
import time
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstApp, GstRtsp, GstRtspServer  # noqa: E402, F401  (GstApp gives appsrc its methods)

LAUNCH = {
    "h264": "appsrc name=source is-live=true format=time block=false caps=video/x-h264,stream-format=byte-stream,alignment=au"
    " ! rtph264pay name=pay0 pt=96 config-interval=-1",
    "h265": "appsrc name=source is-live=true format=time block=false caps=video/x-h265,stream-format=byte-stream,alignment=au"
    " ! rtph265pay name=pay0 pt=96 config-interval=-1",
    "mjpeg": "videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=10/1 ! jpegenc"
    " ! rtpjpegpay name=pay0 pt=26",
    "audio": "audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay0 pt=8",
}
TONE = " audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay1 pt=8"
SOON_NS = 1_000_000
"""What is due so soon is done at once: a timer counts in milliseconds."""
AHEAD_NS = 1_000_000_000
"""So far ahead access units are pushed, several at a time, which costs half as much; unless somebody wants to know when each was sent."""
SLICE_TYPES = {"h264": lambda byte: byte & 0x1F in (1, 5), "h265": lambda byte: (byte >> 1) & 0x3F < 32}


class Clip:
    """Access units in memory and the number of each one's last keyframe before it."""

    def __init__(self, path):
        index = json.loads(Path(path).with_suffix(".json").read_text())
        data = Path(path).read_bytes()
        self.fps = index["fps"][0] / index["fps"][1]
        self.units = [data[offset : offset + size] for offset, size, _, _ in index["units"]]
        self.keyframes = [number for number, unit in enumerate(index["units"]) if unit[2]]

    def keyframe_before(self, number):
        return max(keyframe for keyframe in self.keyframes if keyframe <= number)


class Player:
    """Pushes a clip's access units into one media's appsrc, in real time, until that media goes away."""

    def __init__(self, clip, stream, started):
        self.clip = clip
        self.stream = stream
        self.started = started
        self.fps = stream.get("fps", clip.fps if clip else 10)
        self.noise = random.Random(8)  # the same damage every time
        self.sent = Path(stream["sent"]).open("a", buffering=1) if "sent" in stream else None  # noqa: SIM115

    def attach(self, _factory, media):
        """A media is being made for a viewer: begin where the clip would be by now, at the keyframe before."""
        source = media.get_element().get_by_name("source")
        position = (time.monotonic() - self.started + self.stream.get("start_seconds", 0)) * self.fps % len(self.clip.units)
        first = self.clip.keyframe_before(int(position))
        state = {"sent": 0, "alive": True, "begin": None, "cut": self.cut(first, position)}
        media.connect("unprepared", lambda _: state.update(alive=False))
        GLib.timeout_add(1, self.push, source, first, state)

    def cut(self, first, position):
        """How many access units of the first GOP are sent, and how many are not."""
        end = next((keyframe for keyframe in self.clip.keyframes if keyframe > first), len(self.clip.units))
        kept = max(1, round(end - position)) if self.stream.get("free_running") else end - first
        return kept, end - first - kept

    def number(self, first, state):
        """Which access unit of the clip is sent next."""
        kept, left_out = state["cut"]
        return (first + state["sent"] + (left_out if state["sent"] >= kept else 0)) % len(self.clip.units)

    def push(self, source, first, state):
        """Push what is due soon, for the sink waits until it is, and come again before the next access unit is."""
        if not state["alive"]:
            return GLib.SOURCE_REMOVE
        clock = source.get_clock()
        # The running time is known once the pipeline has a clock; until then, a payloader that waits for its caps is fed at time 0.
        running_ns = clock.get_time() - source.get_base_time() if clock and source.get_base_time() else 0
        if state["begin"] is None:
            state["begin"] = running_ns
        period_ns = Gst.SECOND / self.fps
        ahead_ns = SOON_NS if self.sent else AHEAD_NS
        while state["begin"] + state["sent"] * period_ns <= running_ns + ahead_ns or state["sent"] == 0:
            seconds = state["sent"] / self.fps
            if seconds >= self.stream.get("end_after_seconds", float("inf")):
                source.end_of_stream()
                return GLib.SOURCE_REMOVE
            if seconds >= self.stream.get("stall_after_seconds", float("inf")):
                return GLib.SOURCE_REMOVE
            number = self.number(first, state)
            unit = self.clip.units[number]
            buffer = Gst.Buffer.new_wrapped(self.spoiled(unit, seconds))
            buffer.pts = int(state["begin"] + state["sent"] * period_ns)
            if self.sent:
                print(number, time.time_ns(), file=self.sent)
            if source.push_buffer(buffer) != Gst.FlowReturn.OK:
                return GLib.SOURCE_REMOVE
            state["sent"] += 1
        due_ns = state["begin"] + state["sent"] * period_ns - running_ns - ahead_ns / 2
        GLib.timeout_add(max(1, int(due_ns / Gst.MSECOND)), self.push, source, first, state)
        return GLib.SOURCE_REMOVE

    def spoiled(self, unit, seconds):
        """The access unit as it is to be sent: whole, with bytes of its last slice overwritten, or with that slice all noise."""
        garbage = seconds >= self.stream.get("garbage_after_seconds", float("inf"))
        if not garbage and self.noise.random() >= self.stream.get("damage", 0):
            return unit
        begin = unit.rfind(b"\x00\x00\x01") + 3
        if not SLICE_TYPES[self.stream["codec"]](unit[begin]) or len(unit) - begin < 32:
            return unit
        body = bytearray(unit)
        if garbage:
            places = range(begin + 2, len(unit))
        else:
            places = [self.noise.randrange(begin + 12, len(unit)) for _ in range(max(4, (len(unit) - begin) // 50))]
        for place in places:
            body[place] = self.noise.randrange(4, 256)  # no zero: it could begin another NAL unit
        return bytes(body)


def make_factory(stream, clips, started):
    """The media factory of one stream. Every viewer gets a media of its own, which begins where the clip would be by now: a shared one
    could stay half torn down, and answer 503 for good, when one viewer was killed in the moment in which another came."""
    factory = GstRtspServer.RTSPMediaFactory()
    tone = TONE if stream.get("audio") else ""
    factory.set_launch(f"( {LAUNCH[stream['codec']]}{tone} )")
    factory.set_shared(False)
    factory.set_latency(0)
    factory.set_eos_shutdown(True)
    lower = {"tcp": GstRtsp.RTSPLowerTrans.TCP, "udp": GstRtsp.RTSPLowerTrans.UDP}
    protocols = GstRtsp.RTSPLowerTrans(0)
    for transport in stream.get("transports", ("tcp", "udp")):
        protocols |= lower[transport]
    factory.set_protocols(protocols)
    if "file" in stream:
        clip = clips.setdefault(stream["file"], Clip(stream["file"]))
        player = Player(clip, stream, started)
        factory.connect("media-configure", player.attach)
    return factory


def make_server(settings, port, threads=8):
    """A server that answers its viewers in several threads: a stream that is slow to begin holds up nobody else's."""
    server = GstRtspServer.RTSPServer()
    server.set_address(settings.get("address", "127.0.0.1"))
    server.set_service(str(port))
    server.get_thread_pool().set_max_threads(threads)
    return server


def guard(server, settings, streams):
    """Ask for user name and password whatever is requested; every account may see every stream of this server."""
    methods = {"basic": GstRtsp.RTSPAuthMethod.BASIC, "digest": GstRtsp.RTSPAuthMethod.DIGEST}
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(methods[settings.get("authentication", "digest")])
    for stream in streams:
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(stream["username"], stream["password"]), token)
        auth.add_digest(stream["username"], stream["password"], token)
    server.set_auth(auth)


def let_viewers_in(factory):
    """Let whoever gave a right password see and play a stream."""
    permissions = Gst.Structure.new_empty("viewer")
    permissions.set_value("media.factory.access", True)
    permissions.set_value("media.factory.construct", True)
    factory.add_role_from_structure(permissions)


def serve(settings):
    """Listen and play until told to stop."""
    Gst.init(None)
    streams = settings["streams"]
    # A server either asks everybody for a password or nobody, as a camera does: those with a password have a port of their own.
    public = make_server(settings, settings.get("port", 0))
    guarded = make_server(settings, settings.get("guarded_port", 0))
    guard(guarded, settings, [stream for stream in streams if "username" in stream])
    clips, started = {}, time.monotonic()
    for stream in streams:
        factory = make_factory(stream, clips, started)
        let_viewers_in(factory)
        (guarded if "username" in stream else public).get_mount_points().add_factory(stream["path"], factory)

    loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)
    for server in (public, guarded):
        if server.attach(None) == 0:
            print(f"cannot listen on port {server.get_service()}: is it taken?", file=sys.stderr)
            return 1
        GLib.timeout_add_seconds(5, lambda pool: pool.cleanup() >= 0, server.get_session_pool())
    print(json.dumps({"port": public.get_bound_port(), "guarded_port": guarded.get_bound_port()}), flush=True)
    loop.run()
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print("usage: rtsp_server.py streams.json", file=sys.stderr)
        sys.exit(2)
    sys.exit(serve(json.loads(Path(sys.argv[1]).read_text())))
