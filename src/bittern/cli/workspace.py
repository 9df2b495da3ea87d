"""The configuration and the store that a verb works with.

The command line writes the store itself, whether a server runs or not: the store takes any number
of processes, and a running server follows its feed of changes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bittern.cli.attribution import record_of_verb
from bittern.cli.output import say
from bittern.config import Configuration, load, uris
from bittern.config.layout import Layout
from bittern.errors import BitternError, ConfigurationError, NotFound
from bittern.installation import opened_store
from bittern.store.attribution import attributed
from bittern.store.audit_head import keep_head
from bittern.store.audit_records import AuditRecord
from bittern.store.protocol import Store
from bittern.store.records import DEFAULT_ACCOUNT
from bittern.types import Instant

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Workspace:
    """One data directory as it is configured."""

    configuration: Configuration
    account: str = DEFAULT_ACCOUNT
    """Whose resources the verb is about."""

    @classmethod
    def of(
        cls, data_dir: Path | None, config: Path | None, account: str | None = None
    ) -> Workspace:
        """`data_dir` wins over whatever else names one. Raises `ConfigurationError`."""
        configuration = load(config, os.environ)
        folder = (data_dir or configuration.data_dir).absolute()
        configuration = msgspec.structs.replace(configuration, data_dir=folder)
        return cls(configuration, account or DEFAULT_ACCOUNT)

    @property
    def layout(self) -> Layout:
        return Layout(self.configuration.data_dir)

    def now(self) -> Instant:
        return Instant(time.time())

    def station_uri(self) -> str:
        """What goes into `tc.uri`: the name that gateways know this server by, and its LNS port."""
        uri = uris.lns_uri(self.configuration)
        if uri is None:
            raise ConfigurationError(["lns.port: 0, so a gateway needs to be told by --uri"])
        return uri

    def cups_uri(self) -> str:
        """What goes into `cups.uri`: that name, and the port of CUPS."""
        uri = uris.cups_uri(self.configuration)
        if uri is None:
            raise ConfigurationError(["cups.port: 0, so a gateway needs to be told by --cups-uri"])
        return uri

    def api_uri(self) -> str | None:
        """Where programs reach the API; None: its port is not known before it listens."""
        return uris.api_uri(self.configuration)

    def is_served(self) -> bool:
        """Whether a server runs on this data directory: only then is what it keeps of connections
        what they are."""
        from bittern.servers.local_socket import reachable

        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            try:
                with reachable(self.layout.feed_socket) as name:
                    asking.connect(name)
            except OSError:
                return False
            return True

    @contextlib.asynccontextmanager
    async def store(self, *, make: bool = False) -> AsyncIterator[Store]:
        """The open store. Without `make`, a data directory that is not there is a mistake.

        Raises `NotFound` where there is no such account.
        """
        if not self.layout.database.exists():
            if not make:
                raise ConfigurationError(
                    [
                        f"data_dir: nothing of bittern in {self.layout.data_dir}; name the folder"
                        " with --data-dir, or make it with `bittern serve`"
                    ]
                )
            say(f"new data directory: {self.layout.data_dir}")
        async with opened_store(self.configuration, self.now()) as store:
            if await store.account(self.account) is None:
                raise NotFound("account", self.account)
            async with self._recorded(store):
                yield store

    @contextlib.asynccontextmanager
    async def _recorded(self, store: Store) -> AsyncIterator[None]:
        """The audit log has the first change that is made inside, and that a verb failed which was
        about to change something."""
        record = record_of_verb(self.now(), self.account, "done")
        with attributed(record) as attribution:
            try:
                yield
            except BitternError as error:
                attribution.record = None
                if attribution.is_tried:
                    why = type(error).__name__
                    failed = record_of_verb(self.now(), self.account, "failed", why)
                    await store.add_audit(failed)
                raise
        await self._keep_head(store)

    async def record(self, record: AuditRecord) -> None:
        """What was done beside the store."""
        async with opened_store(self.configuration, self.now()) as store:
            await store.add_audit(record)
            await self._keep_head(store)

    async def _keep_head(self, store: Store) -> None:
        flaw = await keep_head(store, self.layout.audit_head)
        if flaw:
            say(f"{flaw}: `bittern audit verify` tells more")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
