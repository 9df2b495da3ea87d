"""The way to join servers elsewhere, from the configuration; None where there are none."""

from __future__ import annotations

import ssl
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from bittern.config import Configuration
from bittern.config.layout import Layout
from bittern.errors import ConfigurationError
from bittern.network.ports import Clock, Randomness
from bittern.network.remote_join import RemoteJoinServer
from bittern.servers.join_client import Credentials, JoinClient, Place
from bittern.store.ports.sessions import SessionStore
from bittern.types import KeyEncryptionKey

EVERY_JOIN_EUI = (0, (1 << 64) - 1)


@asynccontextmanager
async def join_servers_of(
    configuration: Configuration, store: SessionStore, now: Clock, randomness: Randomness
) -> AsyncIterator[RemoteJoinServer | None]:
    """Raises `ConfigurationError` where its files cannot be used: told at the start, not by the
    first device that does not join."""
    places = list(places_of(configuration))
    if not places:
        yield None
        return
    async with JoinClient(places, _context(configuration)) as client:
        yield RemoteJoinServer(
            store,
            client,
            net_id=configuration.network.net_id,
            keks=keks_of(configuration),
            now=now,
            randomness=randomness,
        )


def places_of(configuration: Configuration) -> Iterator[Place]:
    """`uri` for every JoinEUI that `uris` says nothing of."""
    settings = configuration.join_server
    if settings.uri is not None:
        yield Place(*EVERY_JOIN_EUI, settings.uri)
    for row, uri in settings.uris.items():
        first, _, last = row.partition("-")
        yield Place(int(first, 16), int(last or first, 16), uri)


def keks_of(configuration: Configuration) -> dict[str, KeyEncryptionKey]:
    """By label. Raises `ConfigurationError`."""
    given = configuration.join_server.kek_file
    path = given or Layout(configuration.data_dir).join_server / "kek"
    if given is None and not path.exists():
        return {}
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise _wrong("kek_file", f"{path} can be read by others; it must be 0600")
    keks = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        label, _, digits = line.strip().rpartition(" ")
        try:
            keks[label] = KeyEncryptionKey.from_hex(digits)
        except ValueError as error:
            raise _wrong("kek_file", f"{path}, line {number}: {error}") from None
        if not label:
            raise _wrong("kek_file", f"{path}, line {number}: a label and a key, not a key alone")
    return keks


def _context(configuration: Configuration) -> ssl.SSLContext:
    settings = configuration.join_server
    folder = Layout(configuration.data_dir).join_server
    files = {
        "certificate": settings.certificate or folder / "client.crt",
        "key": settings.key or folder / "client.key",
        "trust": settings.trust or folder / "ca.crt",
    }
    for name, path in files.items():
        if not Path(path).is_file():
            raise _wrong(name, f"file not found: {path}")
    try:
        return Credentials(files["certificate"], files["key"], files["trust"]).context()
    except OSError as error:  # ssl.SSLError is one
        raise _wrong("certificate", f"cannot be used with its key: {error.strerror}") from None


def _wrong(name: str, what: str) -> ConfigurationError:
    return ConfigurationError([f"join_server.{name}: {what}"])
