"""`privet commission`: shows a person what is to become background, and takes a signature or a refusal to the running server.

Belongs here: the conversation. Does not belong here: what is offered and what a signature does. It talks to `privet run` over its API, with
the certificate that the configuration names; the token goes to that server and nowhere else (no proxy, no redirect). The picture is
readable by its owner alone and is removed as soon as it is decided on.
"""

from __future__ import annotations

import json
import os
import ssl
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.parse import quote, urljoin, urlsplit

import click

from privet.core.errors import PrivetError, UserError

STATEMENT = "nobody is in this picture"
TOKEN_VARIABLE = "PRIVET_TOKEN"  # noqa: S105  (the name of a variable)
ANSWER_WITHIN_S = 30.0
MAX_ANSWER_BYTES = 64 * 1024 * 1024

EXIT_SIGNED = 0
EXIT_FAILED = 1
EXIT_REFUSED = 3
EXIT_NOTHING = 5


class ServerError(PrivetError):
    """The server answered with a problem. status: 0 if it did not answer."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Offered:
    """What the server offered."""

    offer: str
    picture: str
    blocks: int
    of_blocks: int
    good_for_s: int


@click.command()
@click.argument("camera", metavar="CAMERA")
@click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), default=Path("privet.toml"), show_default=True, help="Configuration."
)
@click.option("--url", help="The server's address, if it is not the one in the configuration.")
@click.option(
    "--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=f"Holds the access token; else {TOKEN_VARIABLE}."
)
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="Where to put the picture while it is decided on.")
@click.option("--open", "open_it", is_flag=True, help="Show the picture with this machine's viewer.")
@click.option("--sign", is_flag=True, help="Sign without asking, after the picture was fetched; needs --statement and --picture.")
@click.option("--statement", help=f'With --sign: "{STATEMENT}", in these words.')
def commission(
    camera: str, config: Path, url: str | None, token_file: Path | None, picture: Path | None, statement: str | None, *,
    open_it: bool, sign: bool,
) -> int:
    """Look at what waits to become background at CAMERA, and sign that nobody is in it.

    `privet run` must be running. The offer is good for five minutes. Look at the picture as if somebody sat motionless in it.

    Exit codes: 0 signed, 1 failed, 2 the call, the configuration or the token is wrong, 3 refused, 5 nothing waits for a signature.
    """
    if sign and (statement != STATEMENT or picture is None):
        raise UserError(f'--sign takes --picture PATH and --statement "{STATEMENT}", for who signs must have been shown the picture')
    if picture is not None and picture.exists():
        raise UserError(f"{picture} exists: name another file")
    server = _server(config, url, _token(token_file))
    try:
        offered = server.ask(camera)
    except ServerError as error:
        if error.status == 409:
            click.echo(str(error))
            return EXIT_NOTHING
        if error.status in {401, 403, 404}:
            raise UserError(str(error)) from error
        raise
    with tempfile.TemporaryDirectory(prefix="privet-commission-") as directory:
        path = picture or Path(directory) / f"{camera}.webp"
        _write(path, server.picture(offered))
        try:
            click.echo(f"The picture: {path.resolve()}")
            click.echo(f"{offered.blocks} of {offered.of_blocks} blocks wait for a signature; everything else in it is flat.")
            if open_it:
                click.launch(str(path))
            if sign:
                return _sign(server, camera, offered)
            minutes = max(1, offered.good_for_s // 60)
            click.echo(f"Look for anybody: behind glass, seated, lying, in a vehicle, far away. You have {minutes} minutes.")
            answer = click.prompt("Is nobody in this picture?", type=click.Choice(["yes", "refuse"]), show_choices=True)
            return _sign(server, camera, offered) if answer == "yes" else _refuse(server, camera, offered)
        finally:
            path.unlink(missing_ok=True)


def _sign(server: Server, camera: str, offered: Offered) -> int:
    signed, lapsed, saved = server.decide(camera, offered, "sign", {"statement": STATEMENT})
    click.echo(f"Signed: {signed} blocks are background now.")
    if lapsed:
        click.echo(f"{lapsed} blocks have lapsed, because something moved there since: they are proven anew and offered again.")
    if not saved:
        click.echo("It could not be saved yet: if Privet ends before its disk takes it, sign again. See the server's log.", err=True)
    return EXIT_SIGNED


def _refuse(server: Server, camera: str, offered: Offered) -> int:
    server.decide(camera, offered, "refuse", None)
    click.echo("Refused: the picture is forgotten, and its blocks are to be proven anew.")
    return EXIT_REFUSED


class Server:
    """The running server's API, as far as a signer needs it."""

    def __init__(self, url: str, token: str, certificate: Path | None) -> None:
        """certificate: trusted besides those this machine trusts."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise UserError(f"{url} is no address of a server: take one like https://localhost:8420/")
        self._url = url if url.endswith("/") else f"{url}/"
        self._token = token
        context = ssl.create_default_context()
        if certificate is not None and parts.scheme == "https":
            context.load_verify_locations(certificate)
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _NoRedirect(), urllib.request.HTTPSHandler(context=context)
        )

    def ask(self, camera: str) -> Offered:
        """Ask for an offer. Raises ServerError."""
        body = self._json("POST", f"api/cameras/{quote(camera, safe='')}/commission", None)
        try:
            return Offered(
                str(body["offer"]), str(body["picture"]), int(str(body["blocks"])),
                int(str(body["columns"])) * int(str(body["rows"])), int(str(body["good_for_ms"])) // 1000,
            )
        except (KeyError, ValueError) as error:
            raise ServerError("the server's answer is not an offer: is it another version's?", 0) from error

    def picture(self, offered: Offered) -> bytes:
        """Fetch the picture of an offer. Raises ServerError."""
        return self._send("GET", offered.picture.lstrip("/"), None)

    def decide(self, camera: str, offered: Offered, verb: str, body: dict[str, str] | None) -> tuple[int, int, bool]:
        """Sign or refuse. Returns blocks signed and lapsed, and whether it is on the server's disk. Raises ServerError."""
        path = f"api/cameras/{quote(camera, safe='')}/commission/{quote(offered.offer, safe='')}/{verb}"
        answer = self._json("POST", path, body)
        return int(str(answer.get("signed_blocks", 0))), int(str(answer.get("lapsed_blocks", 0))), answer.get("saved") is not False

    def _json(self, method: str, path: str, body: dict[str, str] | None) -> dict[str, object]:
        try:
            answer: object = json.loads(self._send(method, path, body))
        except ValueError as error:
            raise ServerError("the server's answer cannot be read: is it Privet that answers there?", 0) from error
        if not isinstance(answer, dict):
            raise ServerError("the server's answer cannot be read: is it Privet that answers there?", 0)
        return answer

    def _send(self, method: str, path: str, body: dict[str, str] | None) -> bytes:
        data = json.dumps(body).encode() if body is not None else b"" if method == "POST" else None
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", "Accept": "*/*"}
        request = urllib.request.Request(urljoin(self._url, path), data, headers, method=method)  # noqa: S310  (checked above)
        try:
            with self._opener.open(request, timeout=ANSWER_WITHIN_S) as answer:
                content: bytes = answer.read(MAX_ANSWER_BYTES)
                return content
        except urllib.error.HTTPError as error:
            with error:
                raise ServerError(_detail(error), error.code) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise ServerError(f"{self._url} does not answer ({reason}): is `privet run` running?", 0) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token is for the server it was meant for."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def _detail(error: urllib.error.HTTPError) -> str:
    """The problem's own sentence, or the status."""
    try:
        body: object = json.loads(error.read(1 << 16))
    except ValueError:
        body = None
    detail = body.get("detail") if isinstance(body, dict) else None
    return str(detail) if detail else f"the server answered with status {error.code}"


def _server(config: Path, url: str | None, token: str) -> Server:
    if url is not None and not config.exists():
        return Server(url, token, None)
    from privet.api.guard.listen import listen_settings
    from privet.config.load import load

    loaded = load(config)
    listen = listen_settings(loaded.config.server, loaded)
    return Server(url or listen.url, token, listen.tls_certificate)


def _token(file: Path | None) -> str:
    token = os.environ.get(TOKEN_VARIABLE, "")
    if file is not None:
        try:
            token = file.read_text("ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{file} cannot be read as a token") from error
    if not token.strip():
        token = click.prompt("Access token", hide_input=True, err=True)
    if not token.strip().isprintable() or not token.strip().isascii():
        raise UserError("the token holds characters that no token has: check that it was pasted as a whole")
    return token.strip()


def _write(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
