"""The data directory of a join server, as its verbs open it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from bittern.cli.workspace import Workspace
from bittern.errors import ConfigurationError
from bittern.store.join_registry import JoinRegistry


@contextlib.asynccontextmanager
async def opened_registry(
    workspace: Workspace, *, make: bool = False
) -> AsyncIterator[JoinRegistry]:
    """Raises `ConfigurationError` for the data directory of a network server: keys that are there
    are in the hands that they are to be kept from."""
    async with workspace.store(make=make) as store:
        if await store.gateways(limit=1) or await store.devices(limit=1):
            folder = workspace.layout.data_dir
            raise ConfigurationError(
                [
                    f"data_dir: {folder} is a network server's; name another for the join server"
                    " with --data-dir"
                ]
            )
        yield JoinRegistry(store)
