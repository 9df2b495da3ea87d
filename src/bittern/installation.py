"""What a data directory holds, made where it is missing: by the server's first start, or by the
first command that adds something."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from bittern.config import Configuration
from bittern.config.layout import Layout
from bittern.errors import AlreadyServed, Conflict
from bittern.keys.choose import provider_of
from bittern.keys.file import data_keys_of_an_earlier_version, remove_key_file
from bittern.keys.keychain import Keychain, open_keychain
from bittern.keys.resealing import Sealed
from bittern.keys.ring import KeyRing, Vault
from bittern.outputs.broker.sealed import SealedLog
from bittern.pki import files
from bittern.store.account_records import Account
from bittern.store.protocol import Store
from bittern.store.records import DEFAULT_ACCOUNT, Destination
from bittern.store.sqlite import SqliteStore
from bittern.store.sqlite.data_keys import SqliteDataKeys
from bittern.store.sqlite.sealed import SealedStore
from bittern.types import Instant

if TYPE_CHECKING:  # X.509 takes longer to import than most commands take to run
    from bittern.pki.bundle import Bundle
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
async def opened_keychain(configuration: Configuration, now: Instant) -> AsyncIterator[Keychain]:
    """The data keys, unwrapped; new ones, or those of an earlier version, where there are none.

    Raises `KeyProviderUnavailable`, `KeyProviderRefused`, `KeyFileExposed`, `ConfigurationError`,
    `StoreUnavailable`, `SchemaTooNew`: nothing was begun then.
    """
    layout = Layout(configuration.data_dir)
    files.make_folder(layout.data_dir)
    earlier = data_keys_of_an_earlier_version(layout.data_key)
    provider = provider_of(configuration.keys, layout.data_key)
    table = SqliteDataKeys(layout.database)
    try:
        await asyncio.to_thread(table.__enter__)
        keychain = await open_keychain(table, provider, earlier, now)
        if earlier and not _wraps_by(layout.data_key, configuration):
            # It holds the keys in the clear, and they are wrapped by now.
            remove_key_file(layout.data_key)
        yield keychain
    finally:
        await asyncio.to_thread(table.close)
        await provider.close()


def _wraps_by(key_file: Path, configuration: Configuration) -> bool:
    keys = configuration.keys
    return keys.provider == "file" and (keys.path is None or keys.path.absolute() == key_file)


@contextlib.asynccontextmanager
async def opened_store(
    configuration: Configuration, now: Instant, keychain: Keychain | None = None
) -> AsyncIterator[Store]:
    """The store, with data keys and schema, and an account; a new one has the destination
    `default`. `keychain` is that of its data directory, where it is open already. Raises as
    `opened_keychain`."""
    if keychain is None:
        async with opened_keychain(configuration, now) as opened:
            keychain = opened
    store = SqliteStore(
        Layout(configuration.data_dir).database,
        keychain.ring,
        group_commit_s=configuration.store.group_commit_ms / 1000,
    )
    await store.open()
    try:
        if keychain.is_new:
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


def unlocked(configuration: Configuration, now: Instant) -> KeyRing:
    """The data keys, for a command that needs them between two others of its steps, whether it is
    asynchronous or not. Raises as `opened_keychain`."""

    async def work() -> KeyRing:
        async with opened_keychain(configuration, now) as keychain:
            return keychain.ring

    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, work()).result()


def authorities(
    configuration: Configuration, now: Instant, vault: Vault | None = None
) -> Authorities:
    """Who signs certificates, and who is trusted. ``vault`` is that of the data directory, where it
    is open already. Raises `AuthorityUnusable`, `SealBroken`, and as `opened_keychain`."""
    from bittern.pki.rotation import open_authorities

    files.make_folder(configuration.data_dir)
    folder = Layout(configuration.data_dir).pki
    return open_authorities(folder, now, vault or unlocked(configuration, now))


def server_certificate(
    configuration: Configuration, signed_by: Authorities, now: Instant, vault: Vault | None = None
) -> Bundle:
    """The server's key and certificate for every name that it goes by; raises as `authorities`."""
    from bittern.pki.identity import server_identity, shown
    from bittern.pki.issuing import server_names

    names = server_names(
        socket.gethostname(),
        configuration.server.names,
        configuration.host_of(configuration.lns),
    )
    vault = vault or unlocked(configuration, now)
    folder = Layout(configuration.data_dir).pki
    path = server_identity(folder, signed_by.presenting, names, now, signed_by.chain, vault=vault)
    return shown(path, vault)


def sealed_things(configuration: Configuration) -> list[Sealed]:
    """Everything of a data directory that holds sealed values."""
    from bittern.pki.sealed import SealedKeys

    layout = Layout(configuration.data_dir)
    return [SealedStore(layout.database), SealedLog(layout.mqtt_sessions), SealedKeys(layout.pki)]
