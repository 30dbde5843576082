"""A camera written out by hand: answers RTSP over one TCP connection and sends what RTP a test wants, right or wrong.

    with serve_raw(scripted(SDP, send=lambda connection: ...)) as port: ...
"""

from __future__ import annotations

import base64
import re
import socket
import struct
import time
from collections.abc import Callable, Sequence

from demo.clip import Clip
from tests.cameras import Conversation

CLOCK_HZ = 90_000
MTU_BYTES = 1400


def access_units(clip: Clip) -> list[bytes]:
    """A clip's access units, Annex B."""
    data = clip.path.read_bytes()
    return [data[unit.offset_bytes : unit.offset_bytes + unit.size_bytes] for unit in clip.units]


def nal_units(unit: bytes) -> list[bytes]:
    """The NAL units of an Annex B access unit, without start codes."""
    return [nal.rstrip(b"\x00") for nal in re.split(b"\x00\x00\x01", unit)[1:]]


def sdp_of(clip: Clip) -> str:
    """What a camera says about an H.264 clip."""
    first = nal_units(access_units(clip)[0])
    sets = ",".join(base64.b64encode(nal).decode() for nal in first if nal[0] & 0x1F in (7, 8))
    return (
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
        "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
        f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\na=control:track1\r\n"
    )


def rtp_packets(units: Sequence[bytes], fps: int, first_sequence: int = 100, ssrc: int = 7) -> list[bytes]:
    """RTP packets of H.264 access units (RFC 6184: single NAL units and FU-A), numbered on."""
    packets, sequence = [], first_sequence
    for number, unit in enumerate(units):
        payloads = [payload for nal in nal_units(unit) for payload in _payloads(nal)]
        for index, payload in enumerate(payloads):
            marker = 0x80 if index == len(payloads) - 1 else 0
            header = struct.pack("!BBHII", 0x80, 96 | marker, sequence & 0xFFFF, number * CLOCK_HZ // fps, ssrc)
            packets.append(header + payload)
            sequence += 1
    return packets


def _payloads(nal: bytes) -> list[bytes]:
    if len(nal) <= MTU_BYTES:
        return [nal]
    indicator, kind, body = nal[0] & 0xE0 | 28, nal[0] & 0x1F, nal[1:]
    pieces = [body[begin : begin + MTU_BYTES] for begin in range(0, len(body), MTU_BYTES)]
    return [
        bytes([indicator, kind | (0x80 if index == 0 else 0) | (0x40 if index == len(pieces) - 1 else 0)]) + piece
        for index, piece in enumerate(pieces)
    ]


def interleaved(packet: bytes, channel: int = 0) -> bytes:
    """An RTP packet as it goes over RTSP's TCP connection."""
    return struct.pack("!cBH", b"$", channel, len(packet)) + packet


def sender_report(wall_s: float, rtp_time: int, ssrc: int = 7) -> bytes:
    """An RTCP sender report: at this wall time the media's time was that."""
    ntp = int((wall_s + 2_208_988_800) * 2**32)
    return struct.pack("!BBHIQIII", 0x80, 200, 6, ssrc, ntp, rtp_time & 0xFFFFFFFF, 0, 0)


def read_request(connection: socket.socket, patience_s: float = 20) -> tuple[str, str]:
    """Method and CSeq of the next request; interleaved data from the client is passed over. OSError when there is none."""
    data = b""
    until_s = time.monotonic() + patience_s
    while b"\r\n\r\n" not in data:
        if time.monotonic() > until_s:
            raise OSError("no request came")
        try:
            piece = connection.recv(4096)
        except TimeoutError:
            continue
        if not piece:
            raise OSError("the client has gone")
        data += piece
        while data[:1] == b"$" and len(data) >= 4:
            data = data[4 + struct.unpack("!H", data[2:4])[0] :]
    text = data.decode("latin-1")
    sequence = re.search(r"CSeq: *(\d+)", text)
    return text.split(" ", 1)[0], sequence[1] if sequence else "0"


def reply(connection: socket.socket, sequence: str, headers: str = "", body: str = "", status: str = "200 OK") -> None:
    """Answer a request."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    connection.sendall(f"RTSP/1.0 {status}\r\nCSeq: {sequence}\r\n{headers}{length}\r\n{body}".encode("latin-1"))


def scripted(sdp: str, send: Callable[[socket.socket], None]) -> Conversation:
    """A camera that answers everything rightly and, once it is told to play, does `send` and hangs up."""

    def converse(connection: socket.socket) -> None:
        while True:
            method, sequence = read_request(connection)
            if method == "OPTIONS":
                reply(connection, sequence, "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n")
            elif method == "DESCRIBE":
                reply(connection, sequence, "Content-Type: application/sdp\r\n", sdp)
            elif method == "SETUP":
                reply(connection, sequence, "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n")
            elif method == "PLAY":
                reply(connection, sequence, "Session: 1\r\n")
                send(connection)
                return
            else:
                reply(connection, sequence)

    return converse
