"""`privet run`: the whole thing, until it is told to stop."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Literal

import click

CONFIG_OPTION = click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), default=Path("privet.toml"), show_default=True, help="Configuration."
)


@click.command()
@CONFIG_OPTION
@click.option("--log-format", type=click.Choice(["human", "json"]), default="human", show_default=True, help="How log lines look.")
@click.option("--verbose", is_flag=True, help="Log more.")
def run(config: Path, log_format: Literal["human", "json"], *, verbose: bool) -> None:
    """Guard the place: connect the cameras, record, serve the page.

    Stops on Ctrl-C or SIGTERM, in order; a second one ends it at once, and the next start mends what that left. The first start
    prints a token to log in with, once.

    Exit codes: 0 stopped as asked, 1 failed, 2 the configuration cannot be used, 130 ended at once.
    """
    from privet.config.load import load

    loaded = load(config)
    from privet.config.directories import cache_directory
    from privet.main import logs

    # Before numba is imported: what this process draws (snapshots) is compiled once, too.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_directory(loaded) / "main"))
    from privet.main.serve import serve

    logs.configure(log_format, logging.DEBUG if verbose else logging.INFO)
    serve(loaded, click.echo)
