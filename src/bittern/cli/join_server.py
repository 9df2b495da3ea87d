"""`bittern join-server`: root keys in a process and a data directory of their own."""

from __future__ import annotations

import logging
import os

import msgspec
import typer

from bittern import __version__
from bittern.cli import join_server_device, join_server_peer, output, parameters
from bittern.cli.group import noun
from bittern.cli.log import start_logging
from bittern.cli.serve import harden, run_on_uvloop, stop_on_signals
from bittern.cli.workspace import Workspace, run
from bittern.config import Configuration
from bittern.errors import ConfigurationError
from bittern.mac.refused import Refused
from bittern.types import DevEUI, JoinEUI, NetID

logger = logging.getLogger("bittern.join_server")

app = noun(
    "A join server: root keys in a process and a data directory of their own, for networks that"
    " need not hold them."
)
app.add_typer(join_server_device.app, name="device")
app.add_typer(join_server_peer.network, name="network")
app.add_typer(join_server_peer.application, name="application")


@app.command("serve")
def serve(
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Run the join server until SIGTERM or Ctrl-C. One line tells its address."""
    workspace = Workspace.of(data_dir, config)
    start_logging(workspace.configuration.log)
    harden(workspace.configuration)
    run_on_uvloop(_serve(workspace.configuration, as_json))


async def _serve(configuration: Configuration, as_json: bool) -> None:
    from bittern.app.join_server import running_join_server

    stop = stop_on_signals()
    async with running_join_server(configuration) as address:
        typer.echo(_ready(configuration, address, as_json))
        await stop.wait()
        logger.info("stopping")
    logger.info("stopped")


def _ready(configuration: Configuration, address: str, as_json: bool) -> str:
    folder = str(configuration.data_dir.absolute())
    if as_json:
        ready = {
            "event": "ready",
            "version": __version__,
            "pid": os.getpid(),
            "join_server": address,
            "data_dir": folder,
        }
        return msgspec.json.encode(ready).decode()
    return f"bittern {__version__} ready join_server={address} data_dir={folder}"


@app.command("ask")
def ask(
    dev_eui: parameters.DevEuiArgument,
    join_eui: parameters.JoinEuiOption = None,
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Ask the join server that a network's configuration names whose device it is (HomeNSReq).

    So it is seen whether it is reached, and takes our certificate.
    """
    workspace = Workspace.of(data_dir, config)
    wanted = JoinEUI(join_eui or type(dev_eui)(bytes(8)))

    async def work() -> NetID | Refused:
        return await _asked(workspace, DevEUI(dev_eui), wanted)

    answer = run(work())
    if isinstance(answer, Refused):
        output.complain(f"{answer.refusal}: {answer.reason}")
        raise typer.Exit(1)
    if as_json:
        output.print_json({"dev_eui": str(dev_eui), "home_net_id": str(answer)})
    else:
        output.properties({"DevEUI": str(dev_eui), "home NetID": str(answer)})


async def _asked(workspace: Workspace, dev_eui: DevEUI, join_eui: JoinEUI) -> NetID | Refused:
    from bittern.app.clock import steady_utc
    from bittern.app.joining import join_servers_of
    from bittern.network.randomness import BlockRandomness

    async with (
        workspace.store() as store,
        join_servers_of(
            workspace.configuration, store, steady_utc(), BlockRandomness(os.urandom)
        ) as servers,
    ):
        if servers is None:
            raise ConfigurationError(["join_server.uri: absent; there is nobody to ask"])
        return await servers.home(dev_eui, join_eui)
