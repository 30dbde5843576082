"""`privet reload` and what it shares with `privet check-config`: what would change, and having it changed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from privet.cli.run import CONFIG_OPTION

if TYPE_CHECKING:
    from privet.config.difference import Difference
    from privet.config.load import Loaded
    from privet.main.running import Told

WAIT_S = 60.0
"""A worker takes some seconds to begin; who gives a camera up has ten."""


@click.command()
@CONFIG_OPTION
def reload(config: Path) -> None:
    """Have a running Privet take up privet.toml as it is now.

    Cameras that are new begin, those that are gone end, those that are told otherwise begin anew; all others go on untouched. A file
    with a mistake changes nothing. What waits for the next start is said.

    Exit codes: 0 taken up, 1 it was not, 2 the file is wrong, or no Privet runs.
    """
    from privet.config.load import load
    from privet.core.errors import NotFoundError, StoreError
    from privet.main.running import told

    loaded = load(config)
    before = in_force(loaded)
    if before is None:
        raise NotFoundError(f"no Privet runs on {loaded.data_directory}: `privet run --config {config}` starts one with this file")
    try:
        os.kill(before.process, signal.SIGHUP)
    except ProcessLookupError as error:
        raise NotFoundError(f"process {before.process} has just ended: start Privet again") from error
    except PermissionError as error:
        raise StoreError(f"process {before.process} is another user's: run `privet reload` as the user that runs Privet") from error
    until_s = time.monotonic() + WAIT_S
    while (now := told(loaded.data_directory)) is None or now.process != before.process or now.reloads <= before.reloads:
        if time.monotonic() > until_s:
            raise StoreError(
                f"process {before.process} has not said within {WAIT_S:.0f} s that it took the file up, or its disk is full: "
                "read its log"
            )
        time.sleep(0.1)
    for line in now.lines:
        click.echo(line)
    if not now.done:
        raise SystemExit(1)


def in_force(loaded: Loaded) -> Told | None:
    """What the Privet that runs on this data directory says is in force; None if none runs."""
    from privet.main.running import told
    from privet.record.lock import holder

    process = holder(loaded.data_directory)
    said = told(loaded.data_directory)
    return said if said is not None and said.process == process else None


def would_change(loaded: Loaded, running: Told) -> Difference:
    """The difference that taking up `loaded` would make."""
    from privet.config.difference import difference
    from privet.main.installation_key import installation_key
    from privet.main.running import sealed

    key = installation_key(loaded.data_directory)
    secrets = frozenset(
        name for name, entry in loaded.secrets.items() if name in running.secrets and running.secrets[name] != sealed(entry, key)
    )
    return difference(running.config, loaded.config, secrets)
