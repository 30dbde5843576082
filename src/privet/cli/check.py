"""`privet check`: verify the recordings and mend what a crash left.

Exit status: 0 all is in order (or was put in order), 1 something is still wrong, 2 it could not begin.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from privet.cli.main import EXIT_FAILED, CannotBegin

if TYPE_CHECKING:
    from privet.index.index import Index
    from privet.record.store import Store


@click.command()
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=Path("privet.toml"),
    show_default=True,
    help="The configuration, which names the data directory.",
)
@click.option("--dry-run", is_flag=True, help="Say what is wrong and change nothing.")
@click.option("--deep", is_flag=True, help="Read every byte of every recording, not only the ends of those that are closed.")
def check(config: Path, dry_run: bool, deep: bool) -> None:
    """Verify the recordings and mend what a crash left.

    Privet must not be running. Every line names what was wrong and what was done. Exit status: 0 all is in order (or was put in
    order), 1 something is still wrong, 2 it could not begin.
    """
    from privet.config.load import load
    from privet.core.errors import StoreError
    from privet.record.lock import hold_data_directory
    from privet.record.store import DirectoryStore

    try:
        directory = load(config).data_directory
        if not directory.is_dir():
            raise StoreError(f"data directory {directory} does not exist: nothing was recorded yet")
        with hold_data_directory(directory):
            index = _open_index(directory, dry_run)
            try:
                wrong = _check(DirectoryStore(directory), index, dry_run, deep)
            finally:
                index.close()
    except StoreError as error:
        raise CannotBegin(str(error)) from error
    if wrong:
        raise SystemExit(EXIT_FAILED)


def _open_index(directory: Path, dry_run: bool) -> Index:
    """Open the index; a dry run must not make one."""
    from privet.index.index import FILE_NAME, Index, index_url

    if dry_run and not (directory / FILE_NAME).exists():
        return Index.open("sqlite://")
    return Index.open(index_url(directory))


def _check(store: Store, index: Index, dry_run: bool, deep: bool) -> int:
    """Print what is wrong, mend it, and look again; return how much is wrong still."""
    from privet.core.errors import StoreError
    from privet.record.check import check as find
    from privet.record.mend import mend

    findings = find(store, index, deep)
    for finding in findings:
        line = f"{finding.path or finding.camera}: {finding.wrong.value} ({finding.detail})"
        if dry_run:
            click.echo(line)
            continue
        try:
            click.echo(f"{line}: {mend(store, index, finding)}")
        except StoreError as error:
            click.echo(f"{line}: not mended: {error}")
    remaining = len(findings) if dry_run or not findings else len(find(store, index, deep))
    recordings = len(index.recordings())
    if remaining:
        click.echo(f"{recordings} recordings, {remaining} things wrong")
    elif findings:
        click.echo(f"{recordings} recordings, {len(findings)} things put in order")
    else:
        click.echo(f"{recordings} recordings, all in order")
    return remaining
