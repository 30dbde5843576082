"""`privet check-config`: whether privet.toml can be used, and what taking it up would change."""

from __future__ import annotations

from pathlib import Path

import click

from privet.cli.run import CONFIG_OPTION


@click.command("check-config")
@CONFIG_OPTION
def check_config(config: Path) -> None:
    """Say whether privet.toml can be used, and what `privet reload` would change. Changes nothing.

    Exit codes: 0 it can be used, 2 it cannot, and why.
    """
    from privet.cli.reload import in_force, would_change
    from privet.config.load import load

    loaded = load(config)
    running = in_force(loaded)
    if running is None:
        cameras = len(loaded.config.camera_ids())
        click.echo(f"{config} can be used: {cameras} camera{'' if cameras == 1 else 's'}. No Privet runs on {loaded.data_directory}.")
        return
    found = would_change(loaded, running)
    if not found:
        click.echo(f"{config} can be used, and says what is in force already.")
        return
    click.echo(f"{config} can be used. `privet reload` would change:")
    for line in found.words():
        click.echo(f"  {line}")
