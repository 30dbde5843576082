"""Passwords reach the camera and nothing else: no message, no traceback, no log, no repr, no output of FFmpeg."""

from __future__ import annotations

import logging
import socket
import traceback
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
from tests.cameras import Camera, CameraSite, rtsp_server_missing, serve_cameras, serve_raw, small_clip
from tests.rtsp.script import read_request, reply, scripted, sdp_of

from privet.core.clock import NS_PER_S, SystemClock
from privet.core.errors import SourceError
from privet.core.scene import Reason
from privet.ingest.open import open_source
from privet.ingest.reconnect import Link, LinkState, Reconnector
from privet.ingest.source import SourceSettings

PASSWORDS = ["hunter2-Tr0ub4dor", "p@ss:w/rd%20 ?#é\"'", "a%00b%0d%0aX: y", "rtsp://evil@host/", "{password!r}%s%n"]
USERNAME = "night.operator"


@pytest.fixture(scope="module")
def site() -> Iterator[CameraSite]:
    with serve_cameras([Camera("/locked", small_clip(), username=USERNAME, password="another")]) as running:
        yield running


def forms(secret: str) -> set[str]:
    """A secret as it might be written somewhere."""
    return {secret, repr(secret)[1:-1], quote(secret, safe=""), quote(secret), quote_plus(secret), quote(secret, safe="!$&'()*+,;=-._~")}


def assert_unsaid(text: str, password: str) -> None:
    for form in forms(password):
        assert form not in text
    assert USERNAME not in text


@pytest.mark.rtsp
@pytest.mark.skipif(bool(rtsp_server_missing()), reason=rtsp_server_missing() or "-")
@pytest.mark.parametrize("password", PASSWORDS)
def test_a_refused_password_is_said_nowhere(
    site: CameraSite, password: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = SourceSettings(site.url("/locked"), username=USERNAME, password=password, stall_ns=NS_PER_S, connect_ns=NS_PER_S)
    links: list[Link] = []

    def notice(link: Link) -> None:
        links.append(link)
        if link.state is LinkState.WAITING:
            reconnector.close()

    reconnector = Reconnector(lambda: open_source(settings, SystemClock()), SystemClock(), lambda: 0.0, notice)
    with caplog.at_level(1):
        for name in ("libav", "libav.rtsp", "libav.tcp"):
            logging.getLogger(name)                     # whatever FFmpeg logs would come through these
        assert list(reconnector.frames()) == []
        source = open_source(settings, SystemClock())
        with pytest.raises(SourceError) as failure:
            next(source.frames())
    assert failure.value.reason is Reason.REFUSED
    below = failure.value.__traceback__.tb_next if failure.value.__traceback__ else None    # this test's own locals are its own affair
    shown = "".join(traceback.TracebackException(SourceError, failure.value, below, capture_locals=True).format())
    out, err = capfd.readouterr()
    assert "self = RtspSource" in shown
    for text in (shown, str(failure.value), repr(failure.value), repr(settings), repr(source), repr(links), caplog.text, out, err):
        assert_unsaid(text, password)


def test_a_camera_that_answers_with_errors_does_not_get_them_repeated(caplog: pytest.LogCaptureFixture) -> None:
    """A camera may put what it was told, or anything else, into its status line: none of it comes into a message."""

    def echo(connection: socket.socket) -> None:
        while True:
            _, sequence = read_request(connection)
            reply(connection, sequence, status="400 <script>hunter2</script>")

    with serve_raw(echo) as port, caplog.at_level(1):
        source = open_source(SourceSettings(f"rtsp://127.0.0.1:{port}/x?password=hunter2"), SystemClock())
        with pytest.raises(SourceError) as failure:
            next(source.frames())
    assert failure.value.reason is Reason.PROTOCOL
    assert "hunter2" not in str(failure.value)
    assert "script" not in str(failure.value)
    assert "hunter2" not in caplog.text


def test_a_redirect_is_refused() -> None:
    """FFmpeg follows redirects and cannot be told not to. What is found there is not used, and somebody is told."""
    played: list[str] = []

    def elsewhere(connection: socket.socket) -> None:
        played.append("")
        scripted(sdp_of(small_clip()), lambda _: None)(connection)

    with serve_raw(elsewhere) as other:

        def redirect(connection: socket.socket) -> None:
            while True:
                _, sequence = read_request(connection)
                reply(connection, sequence, f"Location: rtsp://127.0.0.1:{other}/x\r\n", status="302 Found")

        with serve_raw(redirect) as port:
            settings = SourceSettings(f"rtsp://127.0.0.1:{port}/a", connect_ns=2 * NS_PER_S, stall_ns=NS_PER_S)
            source = open_source(settings, SystemClock())
            with pytest.raises(SourceError, match="redirects to another URL") as failure:
                next(source.frames())
    assert played
    assert failure.value.reason is Reason.PROTOCOL
    assert str(other) not in str(failure.value)
