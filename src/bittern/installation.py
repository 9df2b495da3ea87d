"""What a data directory holds, made where it is missing: by the server's first start, or by the
first command that adds something."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bittern.config import Configuration
from bittern.config.layout import Layout
from bittern.errors import AlreadyServed, Conflict
from bittern.keys.ring import FileVault
from bittern.pki import files
from bittern.store.account_records import Account
from bittern.store.protocol import Store
from bittern.store.records import DEFAULT_ACCOUNT, Destination
from bittern.store.sqlite import SqliteStore
from bittern.types import Instant

if TYPE_CHECKING:  # X.509 takes longer to import than most commands take to run
    from bittern.pki.rotation import Authorities

DEFAULT_DESTINATION = "default"
DEFAULT_TOPIC = "bittern/uplink"
"""Where the messages of devices go that were added without a destination."""
DEFAULT_ACCOUNT_NAME = "default"
"""Of the account that the command line works in."""


@contextlib.contextmanager
def only_server(configuration: Configuration) -> Iterator[None]:
    """One server at a time works on a data directory; raises `AlreadyServed`.

    The lock is the kernel's, on an open file: it ends with the process, however that ends.
    """
    path = Layout(configuration.data_dir).server_lock
    files.make_folder(configuration.data_dir)
    files.make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServed(str(configuration.data_dir)) from None
        yield
    finally:
        os.close(descriptor)


@contextlib.asynccontextmanager
async def opened_store(
    configuration: Configuration, now: Instant, vault: FileVault | None = None
) -> AsyncIterator[Store]:
    """The store, with data key and schema, and an account; a new one has the destination
    `default`. `vault` is that of its data directory, where it is open already."""
    layout = Layout(configuration.data_dir)
    files.make_folder(layout.data_dir)
    is_new = not layout.database.exists()
    store = SqliteStore(
        layout.database,
        vault or FileVault.load(layout.data_key),
        group_commit_s=configuration.store.group_commit_ms / 1000,
    )
    await store.open()
    try:
        if is_new:
            await _add_default_destination(store, now)
        await _ensure_default_account(store, now)
        yield store
    finally:
        await store.close()


async def _add_default_destination(store: Store, now: Instant) -> None:
    with contextlib.suppress(Conflict):  # of another process that starts at the same time
        await store.add_destination(
            Destination(
                name=DEFAULT_DESTINATION,
                expression=DEFAULT_TOPIC,
                description="made at the first start",
                created_at=now,
            )
        )


async def _ensure_default_account(store: Store, now: Instant) -> None:
    """It owns what was there before there were accounts."""
    if await store.account(DEFAULT_ACCOUNT) is None:
        with contextlib.suppress(Conflict):
            await store.add_account(
                Account(id=DEFAULT_ACCOUNT, name=DEFAULT_ACCOUNT_NAME, created_at=now)
            )


def authorities(configuration: Configuration, now: Instant) -> Authorities:
    """Who signs certificates, and who is trusted. Raises `AuthorityUnusable`."""
    from bittern.pki.rotation import open_authorities

    files.make_folder(configuration.data_dir)
    return open_authorities(Layout(configuration.data_dir).pki, now)


def server_certificate(configuration: Configuration, signed_by: Authorities, now: Instant) -> Path:
    """PEM file with the server's key and certificate for every name that it goes by."""
    from bittern.pki.identity import server_identity
    from bittern.pki.issuing import server_names

    names = server_names(
        socket.gethostname(),
        configuration.server.names,
        configuration.host_of(configuration.lns),
    )
    folder = Layout(configuration.data_dir).pki
    return server_identity(folder, signed_by.presenting, names, now, signed_by.chain)
