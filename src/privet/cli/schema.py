"""`privet schema`: the JSON schema of privet.toml."""

from __future__ import annotations

import click


@click.command()
def schema() -> None:
    """Print the JSON schema of privet.toml, for editors that check and complete it.

    With Taplo or VS Code's Even Better TOML: write it to a file and name that in the first line of privet.toml,
    `#:schema privet.schema.json`.
    """
    from privet.config.reference import schema_json

    click.echo(schema_json(), nl=False)
