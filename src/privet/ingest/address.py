"""A camera's URL: checked, shown without secrets, and completed with the credentials at the last moment. Pure.

Belongs here: everything done to the text of a camera's URL. Does not belong here: opening it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from privet.core.errors import SourceError
from privet.core.scene import Reason

LONGEST_CREDENTIALS_BYTES = 127
"""FFmpeg's RTSP client keeps `user:password`, percent-encoded, in a buffer of 128 bytes and cuts what is longer."""
LONGEST_URL_BYTES = 1000
_CREDENTIAL_SAFE = "!$&'()*+,;=-._~"
_SWITCHES = re.compile(r"(?<=[?&])(udp|multicast|tcp|filter_src|http|https)(?=&|$)")
"""Words in a query that FFmpeg takes for options of its own instead of sending them to the camera."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a camera is. `path` may hold a password (some makes put one there) and is shown nowhere."""

    scheme: str
    host: str
    port: int | None
    path: str

    def shown(self) -> str:
        """Host and port: all that may stand in a message or a log."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port or (322 if self.scheme == 'rtsps' else 554)}"

    def __repr__(self) -> str:
        return f"Address({self.scheme}://{self.shown()})"


def parse_address(url: str) -> Address:
    """Take a camera's URL apart.

    Raises:
        SourceError: PROTOCOL, it is not an rtsp:// or rtsps:// URL with a host, or holds credentials, blanks or control characters.
    """
    problem = ""
    if len(url.encode("utf-8", "surrogatepass")) > LONGEST_URL_BYTES:
        problem = f"is longer than {LONGEST_URL_BYTES} bytes"
    elif not url.isascii() or any(character <= " " or character in '"<>\\^`{|}\x7f' for character in url):
        problem = "holds a blank, a control character or another that a URL may not hold: percent-encode it"
    else:
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname
        except ValueError:
            problem = "has a host or port that is none"
        else:
            if parts.scheme not in ("rtsp", "rtsps"):
                problem = "does not begin with rtsp:// or rtsps://"
            elif not host:
                problem = "names no host"
            elif "@" in parts.netloc:
                problem = "holds a user name or password: they belong in secrets.toml"
            elif not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host):
                problem = "has a host name with characters that none has"
            elif parts.fragment:
                problem = "holds a '#': percent-encode it as %23"
            else:
                path = parts.path + (f"?{parts.query}" if parts.query else "")
                return Address(parts.scheme, host, port, path)
    raise SourceError(f"the camera's URL {problem}", Reason.PROTOCOL)


def full_url(address: Address, username: str | None, password: str | None) -> str:
    """The URL that FFmpeg is handed. It must not be kept, logged or put into a message.

    Raises:
        SourceError: REFUSED, the credentials are longer than FFmpeg can carry or the user name holds a colon.
    """
    credentials = ""
    if username is not None or password is not None:
        name = username or ""
        if ":" in name:
            raise SourceError(f"the user name for {address.shown()} holds a ':', which no camera can take: change it", Reason.REFUSED)
        credentials = quote(name, safe=_CREDENTIAL_SAFE) + ":" + quote(password or "", safe=_CREDENTIAL_SAFE)
        if len(credentials) > LONGEST_CREDENTIALS_BYTES:
            raise SourceError(
                f"user name and password for {address.shown()} take {len(credentials)} bytes when percent-encoded "
                f"and at most {LONGEST_CREDENTIALS_BYTES} can be sent: give the camera a shorter password",
                Reason.REFUSED,
            )
        credentials += "@"
    host = f"[{address.host}]" if ":" in address.host else address.host
    port = "" if address.port is None else f":{address.port}"
    path = _SWITCHES.sub(lambda match: f"%{ord(match[0][0]):02X}{match[0][1:]}", address.path)
    return f"{address.scheme}://{credentials}{host}{port}{path}"
