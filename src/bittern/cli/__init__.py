"""The command line: one file for each verb or noun, imported when it is called.

Exit codes: 0 done; 1 refused or failed, with the reason on standard error; 2 wrong usage.
"""

from __future__ import annotations

from typing import Annotated

import typer

from bittern import __version__
from bittern.cli.group import VerbGroup

app = typer.Typer(
    cls=VerbGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a fault of ours is a plain traceback, for a report
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bittern {__version__}")
        raise typer.Exit


@app.callback()
def bittern(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version."),
    ] = False,
) -> None:
    """A LoRaWAN network server of your own."""


def main() -> None:
    """The program `bittern`."""
    app(prog_name="bittern")
