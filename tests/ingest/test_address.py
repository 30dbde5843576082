from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from privet.core.errors import SourceError
from privet.core.scene import Reason
from privet.ingest.address import LONGEST_CREDENTIALS_BYTES, full_url, parse_address
from privet.ingest.rtsp import options_for
from privet.ingest.source import SourceSettings


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://cam", "cam:554"),
        ("rtsp://CAM.example:8554/Streaming/Channels/101", "cam.example:8554"),
        ("rtsps://192.168.1.20/cam/realmonitor?channel=1&subtype=0", "192.168.1.20:322"),
        ("rtsp://[fe80::1]:10554/a", "[fe80::1]:10554"),
    ],
)
def test_good_urls(url: str, shown: str) -> None:
    address = parse_address(url)
    assert address.shown() == shown
    assert full_url(address, None, None).lower() == url.lower()


@pytest.mark.parametrize(
    "url",
    [
        "http://cam/a",
        "rtsp:///a",
        "rtsp://user@cam/a",
        "rtsp://user:hunter2@cam/a",
        "rtsp://cam/a b",
        "rtsp://cam/a\r\nX: y",
        "rtsp://cam/a\x00",
        "rtsp://cam:99999/a",
        "rtsp://cam:x/a",
        "rtsp://ca*m/a",
        "rtsp://[::1/a",
        "rtsp://cam/é",
        "rtsp://cam/a#b",
        "rtsp://cam/" + "a" * 2000,
        "concat:rtsp://cam/a",
        "",
    ],
)
def test_bad_urls_are_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(SourceError) as failure:
        parse_address(url)
    assert failure.value.reason is Reason.PROTOCOL
    assert "hunter2" not in str(failure.value)
    assert "user@" not in str(failure.value)


@given(st.text(st.characters(codec="utf-8", exclude_characters=":"), max_size=12), st.text(max_size=24))
def test_any_password_survives_the_url(username: str, password: str) -> None:
    address = parse_address("rtsp://cam:8554/path?x=1")
    assume(len(quote(username, safe="")) + len(quote(password, safe="")) < LONGEST_CREDENTIALS_BYTES)
    url = full_url(address, username, password)
    assert url.isascii()
    assert not any(character <= " " for character in url)
    authority = url.removeprefix("rtsp://").split("/", 1)[0]
    assert authority.count("@") == 1
    userinfo = authority.split("@")[0]
    name, secret = userinfo.split(":")
    assert (unquote(name), unquote(secret)) == (username, password)
    assert urlsplit(url).hostname == "cam"
    assert len(userinfo) <= LONGEST_CREDENTIALS_BYTES


def test_too_long_credentials_are_refused_not_cut() -> None:
    address = parse_address("rtsp://cam/")
    with pytest.raises(SourceError, match="at most 127") as failure:
        full_url(address, "operator", "hunter2" * 20)
    assert failure.value.reason is Reason.REFUSED
    assert "hunter2" not in str(failure.value)
    with pytest.raises(SourceError, match="user name"):
        full_url(address, "a:b", "hunter2")


@pytest.mark.parametrize("word", ["tcp", "udp", "multicast", "filter_src", "http"])
def test_words_of_a_query_that_ffmpeg_would_obey_do_not_reach_it(word: str) -> None:
    for query in (word, f"{word}&channel=1", f"channel=1&{word}", f"{word}&{word}"):
        url = full_url(parse_address(f"rtsp://cam/a?{query}"), None, None)
        sent = urlsplit(url).query
        assert word not in sent.split("&")
        assert unquote(sent) == query           # the camera is asked for the same thing
    assert full_url(parse_address("rtsp://cam/a?mode=tcp&tcpx"), None, None).endswith("?mode=tcp&tcpx")


def test_options_hold_nothing_from_the_configurations_text() -> None:
    plain = options_for(SourceSettings("rtsp://cam/"))
    odd = SourceSettings("rtsp://cam/?timeout=1&x=concat:", username="-i", password="protocol_whitelist=file")
    assert options_for(odd) == plain
    assert options_for(SourceSettings("rtsp://cam/", transport="udp"))["rtsp_transport"] == "udp"


def test_settings_show_no_credentials() -> None:
    shown = repr(SourceSettings("rtsp://cam/", username="operator", password="hunter2"))
    assert "hunter2" not in shown
    assert "operator" not in shown


def test_sub_stream_must_exist_to_be_chosen() -> None:
    assert SourceSettings("rtsp://cam/", "rtsp://cam/sub", stream="sub").chosen_url() == "rtsp://cam/sub"
    with pytest.raises(SourceError, match="sub-stream"):
        SourceSettings("rtsp://cam/", stream="sub").chosen_url()
