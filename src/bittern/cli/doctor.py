"""`bittern doctor`: what is unsound, and what to do about it."""

from __future__ import annotations

import sqlite3
from typing import Annotated

import typer

from bittern.cli import output, parameters
from bittern.cli.group import verb
from bittern.cli.workspace import Workspace, run
from bittern.errors import ConfigurationError, StoreUnavailable
from bittern.upkeep.doctor.checks import CHECKS, Finding, Severity, examined

app = verb()

COLOURS: dict[Severity, str] = {"error": "red", "warning": "yellow", "note": "cyan"}


@app.command()
def doctor(
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Open every sealed value of the database, too."),
    ] = False,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Look for what is unsound: files, certificates, clock, disk, listeners, keys, database.

    Nothing is changed; the server may run. The exit code is 1 where something is an error.
    """
    workspace = Workspace.of(data_dir, config)
    findings = run(_examine(workspace, deep))
    if as_json:
        output.print_json({"checks": len(CHECKS), "findings": findings})
    else:
        _tell(findings)
    if any(one.severity == "error" for one in findings):
        raise typer.Exit(1)


async def _examine(workspace: Workspace, deep: bool) -> list[Finding]:
    from bittern.upkeep.doctor.gathering import gather

    if not workspace.layout.database.exists():
        raise ConfigurationError([f"data_dir: nothing of bittern in {workspace.layout.data_dir}"])
    try:
        return examined(await gather(workspace.configuration, workspace.now(), deep=deep))
    except sqlite3.Error as error:
        raise StoreUnavailable(str(error)) from error


def _tell(findings: list[Finding]) -> None:
    from rich.text import Text

    shown = output.console()
    for one in findings:
        line = Text(f"{one.severity:7}", style=COLOURS[one.severity])
        line.append(f"  {one.check}: {one.what}", style="default")
        shown.print(line)
        shown.print(Text(f"         {one.cure}", style="dim"))
    counted = [
        f"{sum(one.severity == severity for one in findings)} {severity}s"
        for severity in ("error", "warning", "note")
    ]
    output.say(f"{len(CHECKS)} checks: {', '.join(counted)}")
