"""Why a camera over RTSP gives no pictures, in words for whoever can mend it: FFmpeg's error codes and log lines, translated once.

Belongs here: that translation. Nothing that FFmpeg logged is repeated, for it may name the URL. Does not belong here: connecting and
reading (rtsp).
"""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence

import av

from privet.core.clock import NS_PER_S
from privet.core.errors import SourceError
from privet.core.scene import Reason
from privet.ingest.address import Address
from privet.ingest.decode import LogLine
from privet.ingest.source import SourceSettings

_UNREACHABLE = {
    errno.ECONNREFUSED: "refuses the connection: check the port and that RTSP is switched on",
    errno.EHOSTUNREACH: "cannot be reached: check its address, cable and power",
    errno.ENETUNREACH: "is in a network that this machine has no way to: check its address",
    errno.ENETDOWN: "cannot be reached, the network is down: check this machine's connection",
    errno.EADDRNOTAVAIL: "has an address that cannot be connected to: check it",
    errno.ETIMEDOUT: "does not answer: check its address, cable and power",
}
_LOST = (errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE, errno.EIO, errno.ENOTCONN, *_UNREACHABLE)
_STATUS = re.compile(r"method (\w+) failed: (\d{3})")
_EXIT = av.error.tag_to_code(b"EXIT")
_UNAUTHORIZED = av.error.tag_to_code(b"\xf8401")
_FORBIDDEN = av.error.tag_to_code(b"\xf8403")
_NOT_FOUND = av.error.tag_to_code(b"\xf8404")


def no_video(address: Address) -> SourceError:
    """There is a stream, but nothing to see in it."""
    return SourceError(
        f"the camera at {address.shown()} offers no video track in this stream: take another of its streams", Reason.NO_VIDEO
    )


def redirected(lines: Sequence[LogLine]) -> bool:
    """Whether the camera sent FFmpeg to another place. It cannot be told not to go; but what it finds there is not used."""
    return any("Redirecting to" in line[2] for line in lines)


def elsewhere(address: Address) -> SourceError:
    """A camera is where its URL says, or somebody plays tricks."""
    return SourceError(f"the camera at {address.shown()} redirects to another URL: configure that one if it is yours", Reason.PROTOCOL)


def translate_opening(
    code: int | None, lines: Sequence[LogLine], address: Address, settings: SourceSettings
) -> SourceError:
    """Why a camera could not be opened, from FFmpeg's error code and what it logged meanwhile. Nothing it logged is repeated."""
    camera = f"the camera at {address.shown()}"
    words = "\n".join(line[2] for line in lines)
    if redirected(lines):
        return elsewhere(address)
    method, status = next(((answer[1], int(answer[2])) for answer in reversed([*_STATUS.finditer(words)])), ("", 0))
    if code in (_UNAUTHORIZED, _FORBIDDEN) or status in (401, 403):
        if settings.username is None:
            return SourceError(f"{camera} asks for a password and none is configured: name its credentials", Reason.REFUSED)
        return SourceError(f"{camera} refuses the user name or the password: correct them in secrets.toml", Reason.REFUSED)
    if code == _NOT_FOUND or status == 404:
        return SourceError(f"{camera} knows no such stream: correct the path in its URL", Reason.NOT_FOUND)
    if method == "PLAY" and status in (454, 455):
        return no_video(address)  # no video was offered, so nothing was set up, so there is nothing to play
    if status == 461 or code == errno.EPROTONOSUPPORT:
        other = "udp" if settings.transport == "tcp" else "tcp"
        return SourceError(f'{camera} does not offer {settings.transport}: set transport = "{other}"', Reason.PROTOCOL)
    if status == 453 or status >= 500:
        return SourceError(
            f"{camera} is there but cannot serve now (RTSP status {status}): it may have too many viewers; restart it if this lasts",
            Reason.UNREACHABLE,
        )
    if status:
        return SourceError(f"{camera} answers {method} with status {status}: check the path and update it", Reason.PROTOCOL)
    if "Failed to resolve hostname" in words:
        return SourceError(f"{camera}: no such host name is known: correct it or use the IP address", Reason.UNREACHABLE)
    if "Failed reading RTSP data: Connection timed out" in words:
        return SourceError(f"{camera} takes the connection and then says nothing: restart it", Reason.STALLED)
    if code is not None and code in _UNREACHABLE:
        return SourceError(f"{camera} {_UNREACHABLE[code]}", Reason.UNREACHABLE)
    if code == _EXIT:
        seconds = settings.connect_ns // NS_PER_S
        return SourceError(f"{camera} did not come to the point within {seconds} s: restart it", Reason.PROTOCOL)
    return SourceError(f"{camera} does not speak RTSP as cameras do: check the port and the path", Reason.PROTOCOL)


def stalled(address: Address, settings: SourceSettings, packets: int) -> SourceError:
    """The connection stands and nothing comes."""
    seconds = settings.stall_ns / NS_PER_S
    camera = f"the camera at {address.shown()}"
    if packets == 0 and settings.transport == "udp":
        return SourceError(f'{camera}: no UDP packet came within {seconds:g} s: try transport = "tcp"', Reason.STALLED)
    return SourceError(f"{camera} has sent nothing for {seconds:g} s: it may be overloaded or its cable out", Reason.STALLED)


def translate_reading(code: int | None, silent: bool, address: Address, settings: SourceSettings, packets: int) -> SourceError:
    """Why a stream that had been opened broke off. `silent`: no picture had come for `stall_ns`."""
    camera = f"the camera at {address.shown()}"
    if silent or code in (errno.ETIMEDOUT, _EXIT):
        return stalled(address, settings, packets)
    if code in _LOST:
        return SourceError(f"{camera} was lost in the middle of the stream: check the network", Reason.UNREACHABLE)
    return SourceError(f"{camera} sends what is no RTSP: update it", Reason.PROTOCOL)
