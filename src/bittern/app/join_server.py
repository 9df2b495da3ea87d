"""The join server as a process of its own: its data directory, its store, one listener."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bittern.app.addresses import url
from bittern.app.clock import steady_utc
from bittern.app.gateways import keep_up_to_date, transport_of
from bittern.app.root_keys import root_keys_of
from bittern.backend.values import ResultCode
from bittern.config import Configuration
from bittern.installation import only_server, opened_keychain, opened_store
from bittern.network.join_desk import JoinDesk, Told
from bittern.servers.background import Background
from bittern.servers.join_server import JoinServerListener
from bittern.servers.loop_faults import tell_faults_of_ours
from bittern.store.join_registry import JoinRegistry

logger = logging.getLogger("bittern.join_server")


@asynccontextmanager
async def running_join_server(configuration: Configuration) -> AsyncIterator[str]:
    """The address, ``https://HOST:PORT``, while it runs inside this context."""
    tell_faults_of_ours(asyncio.get_running_loop())
    now = steady_utc()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        stack.enter_context(only_server(configuration))
        keychain = await enter(opened_keychain(configuration, now()))
        store = await enter(opened_store(configuration, now(), keychain))
        transport = transport_of(configuration, keychain.ring, now)
        background = await enter(Background())
        keep_up_to_date(transport, background)
        listener = await enter(
            JoinServerListener(
                configuration.host_of(configuration.join_server),
                configuration.join_server.port,
                context=transport.listener(),
                desk=JoinDesk(
                    JoinRegistry(store), now, tell, await enter(root_keys_of(configuration))
                ),
            )
        )
        yield url("https", listener.address)


def tell(told: Told) -> None:
    """One line for each request."""
    level = logging.INFO if told.code == ResultCode.SUCCESS else logging.WARNING
    dev_eui = "" if told.dev_eui is None else f" dev_eui={told.dev_eui}"
    reason = f" reason={told.reason!r}" if told.reason else ""
    logger.log(level, "%s%s result=%s%s", told.message_type, dev_eui, told.code, reason)
