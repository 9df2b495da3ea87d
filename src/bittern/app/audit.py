"""The store with its audit log, and what of a running server goes into it beside the API."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bittern.config import Configuration
from bittern.config.layout import Layout
from bittern.errors import StoreError
from bittern.installation import opened_store
from bittern.keys.keychain import Keychain
from bittern.network.core import Network
from bittern.network.ports import Clock
from bittern.servers.audit_desk import HEAD_S, AuditDesk
from bittern.servers.background import Background
from bittern.servers.control import Control
from bittern.servers.lns import LnsServer
from bittern.store.ports.audit import AuditLog
from bittern.store.protocol import Store

logger = logging.getLogger("bittern.app")

DAY_S = 86_400.0
SHORTEN_S = 3600.0


@asynccontextmanager
async def audited_store(
    configuration: Configuration, keychain: Keychain, now: Clock
) -> AsyncIterator[tuple[Store, AuditDesk]]:
    """The open store, and the desk that keeps its audit log."""
    async with (
        opened_store(configuration, now(), keychain) as store,
        audit_of(configuration, store, now) as desk,
    ):
        yield store, desk


@asynccontextmanager
async def audit_of(
    configuration: Configuration, log: AuditLog, now: Clock
) -> AsyncIterator[AuditDesk]:
    """Says in the log itself when the server began and ended in order."""
    desk = AuditDesk(
        log,
        now=now,
        head_file=Layout(configuration.data_dir).audit_head,
        keep_s=configuration.audit.days * DAY_S,
    )
    await desk.begin()
    async with Background() as background:
        background.repeat(desk.keep_up, HEAD_S, "keep the head of the audit log")
        background.repeat(desk.shorten, SHORTEN_S, "shorten the audit log")
        yield desk
    try:
        await desk.finish()
    except StoreError as error:
        logger.error("audit log not finished reason=%r", str(error))


@asynccontextmanager
async def control_of(
    configuration: Configuration, network: Network, store: Store, lns: LnsServer, desk: AuditDesk
) -> AsyncIterator[None]:
    """Remote administration of gateways; gateways that are refused are told to the log, too."""
    control = Control(
        Layout(configuration.data_dir).control_socket,
        directory=store,
        remote_of=lns.remote,
        record=desk.record,
        now=network.now,
    )
    with network.journal.listening(desk.heard):
        async with control:
            yield
