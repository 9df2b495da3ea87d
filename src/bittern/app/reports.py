"""What accounts can have kept of their devices and gateways: summaries, and a log as AWS has it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import NamedTuple

from bittern.config import Configuration
from bittern.network.core import Network
from bittern.servers.aws_log import AwsLog, Write
from bittern.servers.background import task
from bittern.servers.lns import LnsServer
from bittern.servers.summary_keeper import SummaryKeeper
from bittern.store.protocol import Store


class Reports(NamedTuple):
    """Both at work; the log only where it has a file."""

    keeper: SummaryKeeper
    log: AwsLog


@asynccontextmanager
async def reports_of(
    configuration: Configuration, store: Store, network: Network, lns: LnsServer
) -> AsyncIterator[Reports]:
    """To be entered before the front end: what that one counts until its end is kept."""
    keeper = SummaryKeeper(
        store,
        network.directory,
        network.journal,
        network.now,
        days_kept=configuration.network.summary_days,
    )
    lns.watch(keeper)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(keeper.finish)
        await stack.enter_async_context(task(keeper.run(lns.counted), "keep summaries"))
        log = AwsLog(store, network.directory, network.journal)
        path = configuration.log.aws_file
        if path is not None:
            write = stack.enter_context(lines_into(path))
            await stack.enter_async_context(task(log.run(write), "write the log of accounts"))
        yield Reports(keeper, log)


@contextmanager
def lines_into(path: Path) -> Iterator[Write]:
    """Each line at once, at the end of the file of that name; it is made where it is not there."""
    handler = WatchedFileHandler(path, encoding="utf-8")

    def write(line: bytes) -> None:
        handler.handle(logging.makeLogRecord({"msg": line.decode()}))

    try:
        yield write
    finally:
        handler.close()
