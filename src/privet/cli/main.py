"""The command `privet`: finds the commands, and turns errors into one sentence and an exit code.

Belongs here: the list of commands and what every one has in common. Does not belong here: any command's own options.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import IO, NoReturn

import click

from privet import __version__

EXIT_FAILED = 1
EXIT_UNUSABLE = 2
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is, and its line in `privet --help`, which is shown without importing it."""

    module: str
    help: str


COMMANDS = {
    "init": Entry("privet.cli.init", "Write a privet.toml to begin with, and a certificate."),
    "run": Entry("privet.cli.run", "Guard the place: cameras, recordings, web page."),
    "doctor": Entry("privet.cli.doctor", "Say what is wrong, and what to do, with this machine and each camera."),
    "bench": Entry("privet.cli.bench", "Measure how many of your cameras this machine holds."),
    "check-config": Entry("privet.cli.check_config", "Say whether privet.toml can be used, and what a reload would change."),
    "reload": Entry("privet.cli.reload", "Have a running Privet take up privet.toml as it is now."),
    "check": Entry("privet.cli.check", "Verify the recordings and mend what a crash left."),
    "commission": Entry("privet.cli.commission", "Look at what waits to become background, and sign that nobody is in it."),
    "export": Entry("privet.cli.export", "Write a recorded span as MP4."),
    "mask": Entry("privet.cli.mask", "Take the people out of a video file."),
    "schema": Entry("privet.cli.schema", "Print the JSON schema of privet.toml."),
}


class Complaint(click.ClickException):
    """What went wrong, in one sentence."""

    def show(self, file: IO[str] | None = None) -> None:
        click.echo(f"privet: {self.message}", file=file, err=file is None)


class CannotBegin(Complaint):
    """The call or the configuration is wrong."""

    exit_code = EXIT_UNUSABLE


class Commands(click.Group):
    """Imports a command when it is called."""

    def invoke(self, ctx: click.Context) -> object:
        from privet.core.errors import PrivetError, UserError  # not for --help: it takes numpy along

        try:
            return super().invoke(ctx)
        except UserError as error:
            raise CannotBegin(str(error)) from error
        except PrivetError as error:
            raise Complaint(str(error)) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = getattr(importlib.import_module(entry.module), cmd_name.replace("-", "_"))
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.module}.{cmd_name} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failed or something is still wrong, 2 the call or the configuration is wrong, 130 interrupted.",
)
@click.version_option(__version__, prog_name="privet")
def privet() -> None:
    """Video security that guards places, not people.

    What is shown, kept and sent is painted from a proven background; live pixels never are. Begin with `privet init`.
    """


def main() -> NoReturn:
    """Run the command line; never returns."""
    try:
        status: object = privet.main(prog_name="privet", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:
        # Whoever read us (`head`) has enough; Python would complain once more when it flushes at exit.
        sys.stderr.close()
        sys.exit(EXIT_FAILED)
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
