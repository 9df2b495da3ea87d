"""`bittern demo`: the whole path at work, with simulated gateways and devices.

`cast` is who plays, `story` what has happened, `screen` how it is shown, and `stage` puts the
server, the gateways, the devices and a subscriber together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bittern.cli.group import verb
from bittern.cli.parameters import parsed

app = verb()


def _simulated_region(text: str) -> str:
    """A region by any of its names, if devices of it can be simulated."""
    from bittern.lorawan.regions import plan
    from bittern.simulator.regions import device_region

    return device_region(plan(text).name).name


@app.command()
def demo(
    seconds: Annotated[
        float | None,
        typer.Option(
            min=1,
            envvar="SECONDS",
            show_envvar=False,
            help="End after this time, with exit code 0 if a join, uplinks and a downlink"
            " arrived. Without it: run until Ctrl-C.",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="New folder to keep the server's data in. Without it: one that is removed at"
            " the end.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            parser=parsed(_simulated_region),
            metavar="REGION",
            help="Put all gateways and devices into this region. Without it: some are in EU868 and"
            " some in US915.",
        ),
    ] = None,
) -> None:
    """Run a server with simulated gateways and devices, and show what arrives.

    Everything is real but the radio: TLS with client certificates, joins, encryption, the broker.
    """
    from bittern.cli.demo.stage import play

    raise typer.Exit(play(seconds, data_dir, region))
