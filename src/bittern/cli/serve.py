"""`bittern serve`: the server."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import typer

from bittern import __version__
from bittern.cli import parameters
from bittern.cli.group import verb
from bittern.cli.log import start_logging
from bittern.cli.workspace import Workspace
from bittern.config import Configuration
from bittern.upkeep.process import closed_to_others, forbid_dumps, owner_only

if TYPE_CHECKING:
    from bittern.app import Addresses

T = TypeVar("T")

app = verb()
logger = logging.getLogger("bittern.serve")

OWN_FILES = 256
"""Descriptors for all but gateways: database, listeners, clients of the broker and of the API."""
FEW_GATEWAYS = 1000
"""A limit that leaves room for fewer is told as a warning: it is for programs of another kind."""


@app.command()
def serve(
    as_json: parameters.AsJson = False,
    data_dir: parameters.DataDir = None,
    config: parameters.Config = None,
) -> None:
    """Run the server until SIGTERM or Ctrl-C.

    What is missing in the data directory is made first: keys, certificates, the database. One line
    tells the addresses when all of them are open; the log goes to standard error.
    """
    workspace = Workspace.of(data_dir, config)
    start_logging(workspace.configuration.log)
    harden(workspace.configuration)
    tell_file_limit(raise_file_limit(), workspace.configuration)
    run_on_uvloop(_serve(workspace.configuration, as_json))


def run_on_uvloop(work: Coroutine[Any, Any, T]) -> T:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


async def _serve(configuration: Configuration, as_json: bool) -> None:
    from bittern.app import running

    stop = stop_on_signals()
    async with running(configuration) as addresses:
        spare_the_collector()
        typer.echo(_ready(configuration, addresses, as_json))
        await stop.wait()
        logger.info("stopping")
    logger.info("stopped")


def harden(configuration: Configuration) -> None:
    """Before the first key is in memory: no dumps, and nothing that others may read."""
    owner_only()
    if configuration.server.core_dumps:
        logger.warning("core dumps are allowed: every key in use would be in one")
    elif not forbid_dumps():
        logger.warning("this system cannot forbid core dumps but by their size")
    for path in closed_to_others(configuration.data_dir):
        logger.warning("closed to others: %s", path)


def raise_file_limit() -> int:
    """How many files may be open from here on: as many as the system lets this process have. The
    limit that it is started with is for programs that use ``select``, often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError) as error:  # some systems promise more than they grant
            logger.warning("open files stay at limit=%d reason=%r", soft, str(error))
            return soft
    return hard


def gateways_at_most(open_files: int, configuration: Configuration) -> int:
    """Each takes a descriptor; so does each handshake under way, and discovery beside it."""
    return max(open_files - OWN_FILES - 2 * configuration.lns.handshakes, 0)


def tell_file_limit(open_files: int, configuration: Configuration) -> None:
    """Nobody should learn of it by gateways that cannot connect."""
    if open_files == resource.RLIM_INFINITY:
        return
    room = gateways_at_most(open_files, configuration)
    level = logging.WARNING if room < FEW_GATEWAYS else logging.INFO
    cure = "; raise it by ulimit -Hn or LimitNOFILE=" if room < FEW_GATEWAYS else ""
    logger.log(level, "open files limit=%d gateways_at_most=%d%s", open_files, room, cure)


def spare_the_collector() -> None:
    """Look for cyclic garbage seldom: with Python's defaults that takes a third of the processor
    time under load, again and again through every cached session, and finds next to nothing, since
    what frames leave behind is freed by reference counts."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 200)


def stop_on_signals() -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT; the second has its usual effect, and nothing is lost by
    it: what was answered is stored."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def stopping(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping, number)
    return stop


def _ready(configuration: Configuration, addresses: Addresses, as_json: bool) -> str:
    """One line, the same facts either way."""
    places = {
        **{name: place for name, place in msgspec.structs.asdict(addresses).items() if place},
        "data_dir": str(configuration.data_dir.absolute()),
    }
    if as_json:
        ready = {"event": "ready", "version": __version__, "pid": os.getpid(), **places}
        return msgspec.json.encode(ready).decode()
    told = " ".join(f"{name}={place}" for name, place in places.items())
    return f"bittern {__version__} ready {told}"
