"""`privet init`: a commented privet.toml, an empty secrets.toml, and a certificate if one is asked for."""

from __future__ import annotations

import os
from pathlib import Path

import click

from privet.core.errors import ConfigError

CONFIG_NAME = "privet.toml"


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option("--certificate", is_flag=True, help="Make a certificate, to serve the page beyond this machine.")
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="Name or address of the page, for the certificate.")
def init(directory: Path, *, certificate: bool, hosts: tuple[str, ...]) -> None:
    """Write a privet.toml to begin with into DIRECTORY (default: here), and a secrets.toml that only you may read.

    Nothing that exists is overwritten. With --certificate and a privet.toml that is there already, only the certificate is made.

    Exit codes: 0 written, 2 something of the kind is there already or the directory cannot be written.
    """
    config = directory / CONFIG_NAME
    exists = config.exists()
    if exists and not certificate:
        raise ConfigError(f"{config} is there already: edit it, or take another directory")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not exists:
            _write_new(config, config_text(), 0o644)
            _write_new_unless_there(directory / "secrets.toml", SECRETS_TEXT, 0o600)
            click.echo(f"Wrote {config} and secrets.toml beside it.")
        if certificate:
            _make_certificate(directory, hosts)
    except OSError as error:
        raise ConfigError(f"{error.filename or directory} cannot be written: {error.strerror}") from error
    if not exists:
        click.echo(f"Next: add a camera to {config}, then `privet doctor`, then `privet run`.")
        click.echo("A camera shows nothing until somebody has signed that nobody is in its picture: `privet commission CAMERA`.")


def config_text() -> str:
    """Return a privet.toml in which every setting stands, commented out, with its default. Made from the models."""
    from privet.config.models import Camera
    from privet.config.reference import settings, tables

    lines = [
        "# How Privet runs here. What is commented out shows the default.",
        "# `privet doctor` says what is wrong with it; `privet schema` prints its schema for editors.",
    ]
    for heading, model in tables():
        if model is Camera:
            continue
        lines += ["", f"# {_summary(model.__doc__)}", heading]
        for row in settings(model):
            lines += [f"# {row.description}", f"#{row.name} = {_value(row.default)}"]
    lines += ["", f"# {_summary(Camera.__doc__)}", "# One table per camera; its name in brackets is its id.", "#[cameras.gate]"]
    for row in settings(Camera):
        lines += [f"# {row.description}", f"#{row.name} = {_EXAMPLE.get(row.name, _value(row.default))}"]
    return "\n".join(lines) + "\n"


SECRETS_TEXT = """\
# Passwords of cameras, apart from privet.toml, readable by nobody else. A camera names an entry in `credentials`.
#[gate]
#username = "viewer"
#password = "..."
"""

_EXAMPLE = {
    "name": '"Gate"',
    "place": '"Main gate, looking out"',
    "purpose": '"Deliveries and intrusion at night"',
    "controller": '"Facilities, extension 204"',
    "url": '"rtsp://192.0.2.10/stream1"',
    "sub_url": '"rtsp://192.0.2.10/stream2"',
    "credentials": '"gate"',
    "blind": "[[[0.0, 0.0], [0.3, 0.0], [0.3, 0.4], [0.0, 0.4]]]",
}


def _summary(docstring: str | None) -> str:
    return (docstring or "").strip().splitlines()[0]


def _value(default: str) -> str:
    """A default as the reference shows it (JSON in backticks, or words for none), as TOML."""
    return default.strip("`") if default.startswith("`") else '""'


def _make_certificate(directory: Path, hosts: tuple[str, ...]) -> None:
    from privet.api.guard.listen import machine_names, make_certificate

    names = hosts or machine_names()
    certificate, key = make_certificate(directory, names)
    click.echo(f"Made {certificate} for {', '.join(names)}. Name it in {CONFIG_NAME}:")
    click.echo(f'\n[server]\ntls_certificate = "{certificate.name}"\ntls_key = "{key.name}"\n')


def _write_new(path: Path, text: str, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _write_new_unless_there(path: Path, text: str, mode: int) -> None:
    try:
        _write_new(path, text, mode)
    except FileExistsError:
        return
