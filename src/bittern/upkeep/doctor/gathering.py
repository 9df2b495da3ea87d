"""Looks at an installation without changing it: what `checks` judge."""

from __future__ import annotations

import ctypes
import os
import shutil
import sqlite3
import ssl
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bittern.config import Configuration
from bittern.config.layout import Layout
from bittern.errors import BitternError
from bittern.installation import opened_keychain, opened_store
from bittern.keys.keychain import Keychain
from bittern.keys.ring import Vault
from bittern.lorawan.crypto import SessionKeys
from bittern.store.known_keys import fingerprint, known
from bittern.store.pages import everything
from bittern.store.protocol import Store
from bittern.store.records import AbpActivation, Device, OtaaActivation
from bittern.store.sqlite.migrations import known_migrations
from bittern.store.sqlite.restoring import inspect
from bittern.types import AES128Key, Instant, JoinEUI
from bittern.upkeep.doctor.facts import (
    AccessKeyFact,
    BrokerFact,
    CertificateFact,
    ClockFact,
    DatabaseFact,
    DataKeyFact,
    DiskFact,
    Facts,
    GatewayCertificates,
    KeyFact,
    ListenerFact,
    PathFact,
    ProviderFact,
    VersionFact,
)

FLUSHES = 5
TIME_ERROR = 5
"""What adjtimex returns where the clock is not synchronized (adjtimex(2))."""
SECRET_SUFFIXES = (".key", ".pem", ".password", ".users")
LEAST_PYTHON, LEAST_SQLITE, LEAST_OPENSSL = (3, 11, 0), (3, 35, 0), (3, 0, 0)


class _Stored:
    """What only an open store tells."""

    def __init__(self) -> None:
        self.keys: list[KeyFact] = []
        self.access_keys: list[AccessKeyFact] = []
        self.gateways: list[GatewayCertificates] = []
        self.held = 0


async def gather(configuration: Configuration, now: Instant, *, deep: bool) -> Facts:
    """`deep` opens every sealed value of the database, which takes its time. The database is there.
    Raises `sqlite3.Error` and OSError where it cannot be read at all."""
    layout = Layout(configuration.data_dir)
    schema, newest = _schema(layout.database), len(known_migrations())
    paths = tuple(_paths(layout, configuration))  # as they were: an opened store closes its files
    stored, provider = _Stored(), ProviderFact(configuration.keys.provider)
    data_keys: tuple[DataKeyFact, ...] = ()
    faults, sealed = _quick_check(layout.database), None
    if schema == newest:  # else opening it would bring it up to date
        try:
            async with opened_keychain(configuration, now) as keychain:
                provider = ProviderFact(keychain.provider.describe())
                data_keys = _data_keys(keychain)
                async with opened_store(configuration, now, keychain) as store:
                    await _read(store, stored)
                if deep:
                    faults, sealed = _inspected(layout.database, keychain.ring)
        except BitternError as error:
            provider = ProviderFact(configuration.keys.provider, str(error))
    return Facts(
        clock=ClockFact(now, clock_synchronized(), _last_event(layout.database)),
        has_entropy=_has_entropy(),
        disk=_disk(configuration, layout),
        paths=paths,
        certificates=tuple(_certificates(layout, configuration)),
        gateways=tuple(stored.gateways),
        listeners=listeners(configuration),
        provider=provider,
        data_keys=data_keys,
        keys=tuple(stored.keys),
        access_keys=tuple(stored.access_keys),
        broker=None if configuration.mqtt.url else _broker(layout),
        database=DatabaseFact(schema, newest, tuple(faults), sealed),
        versions=versions(),
        core_dumps=configuration.server.core_dumps,
        held_sessions=stored.held,
    )


# The store


async def _read(store: Store, stored: _Stored) -> None:
    salt = os.urandom(32)
    async for device in everything(store.devices, lambda one: one.dev_eui):
        stored.keys += device_keys(device, salt)
        for session in await store.sessions_of(device.dev_eui):
            stored.held += session.hold is not None
    for key in await store.access_keys():
        stored.access_keys.append(
            AccessKeyFact(key.id, key.account, key.active, key.created_at, key.last_used_at)
        )
    async for gateway in everything(store.gateways, lambda one: one.gateway_eui):
        latest: dict[str, GatewayCertificates] = {}
        for one in await store.certificates_of(gateway.gateway_eui):
            fact = GatewayCertificates(gateway.gateway_eui, one.purpose, one.not_after, not one.pem)
            if one.active and (
                one.purpose not in latest or latest[one.purpose].not_after < one.not_after
            ):
                latest[one.purpose] = fact
        stored.gateways += latest.values()


def device_keys(device: Device, salt: bytes) -> list[KeyFact]:
    """What is known of its keys, without them."""
    activation, found = device.activation, []
    named: dict[str, AES128Key | None] = {}
    join_eui: JoinEUI | None = None
    if isinstance(activation, OtaaActivation):
        join_eui = activation.join_eui
        named = {"AppKey": activation.app_key, "NwkKey": activation.nwk_key}
    elif isinstance(activation, AbpActivation):
        named = _of_session(activation.keys)
    for name, key in named.items():
        if key is not None and key.reference is None:
            weakness = known(key, device.dev_eui, join_eui)
            found.append(KeyFact(device.dev_eui, name, weakness, fingerprint(key, salt)))
    return found


def _of_session(keys: SessionKeys) -> dict[str, AES128Key | None]:
    return {"NwkSKey": keys.f_nwk_s_int_key, "AppSKey": keys.app_s_key}


def _data_keys(keychain: Keychain) -> tuple[DataKeyFact, ...]:
    return tuple(DataKeyFact(key.id, key.state, key.created_at) for key in keychain.keys)


# The database


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _schema(path: Path) -> int:
    connection = _reading(path)
    try:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return version
    finally:
        connection.close()


def _quick_check(path: Path) -> list[str]:
    connection = _reading(path)
    try:
        found = [row[0] for row in connection.execute("PRAGMA quick_check(10)")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    finally:
        connection.close()
    return [fault for fault in found if fault != "ok"]


def _inspected(path: Path, vault: Vault) -> tuple[list[str], int]:
    verdict = inspect(path, vault)
    return list(verdict.faults), verdict.sealed


def _last_event(path: Path) -> Instant | None:
    connection = _reading(path)
    try:
        latest = connection.execute("SELECT max(last_uplink_at) FROM session").fetchone()[0]
    except sqlite3.DatabaseError:
        return None
    finally:
        connection.close()
    return None if latest is None else Instant(latest)


# The machine


def clock_synchronized() -> bool | None:
    """By the kernel, which whoever keeps the clock tells; None: it cannot be asked."""
    ask = getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)
    if ask is None:
        return None
    state: int = ask(ctypes.create_string_buffer(512))  # `modes` 0: nothing is changed
    return None if state < 0 else state != TIME_ERROR


def _has_entropy() -> bool:
    try:
        os.getrandom(32, os.GRND_NONBLOCK)
    except BlockingIOError:
        return False
    return True


def _disk(configuration: Configuration, layout: Layout) -> DiskFact:
    usage = shutil.disk_usage(layout.data_dir)
    files = (layout.database, Path(f"{layout.database}-wal"))
    return DiskFact(
        usage.free,
        usage.total,
        sum(path.stat().st_size for path in files if path.exists()),
        configuration.delivery.disk_budget_mib << 20,
        median(_flush(layout.data_dir) for _ in range(FLUSHES)),
    )


def _flush(folder: Path) -> float:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(4096))
        file.flush()
        begun = time.perf_counter()
        os.fsync(file.fileno())
        return time.perf_counter() - begun


def _paths(layout: Layout, configuration: Configuration) -> Iterator[PathFact]:
    owners = {os.geteuid(), layout.data_dir.stat().st_uid}
    found = [layout.data_dir, *sorted(layout.data_dir.iterdir()), *sorted(layout.pki.glob("*"))]
    if configuration.keys.path is not None:
        found.append(configuration.keys.path)
    for path in found:
        if path.is_symlink() or path.name in ("output", "firmware") or not path.exists():
            continue
        state = path.stat()
        yield PathFact(
            str(path),
            stat.S_IMODE(state.st_mode),
            state.st_uid in owners,
            path.is_file() and path.name.endswith(SECRET_SUFFIXES),
        )


def _certificates(layout: Layout, configuration: Configuration) -> Iterator[CertificateFact]:
    renewed = "restart the server: it makes a new one"
    for path in sorted(layout.pki.glob("*.crt")):
        yield from _ages(path, f"certificate of the authority ({path.name})", "`bittern ca rotate`")
    yield from _ages(layout.pki / "server.pem", "certificate of the server", renewed)
    if configuration.api.certificate is not None:
        cure = "renew it where it was issued"
        yield from _ages(configuration.api.certificate, "api.certificate", cure)


def _ages(path: Path, what: str, cure: str) -> Iterator[CertificateFact]:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        leaf = load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError):
        return
    begin, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    yield CertificateFact(what, Instant(begin.timestamp()), Instant(end.timestamp()), cure)


def listeners(configuration: Configuration) -> tuple[ListenerFact, ...]:
    """Those that a configuration opens."""
    api, mqtt = configuration.api, configuration.mqtt
    found = [
        ListenerFact("api", configuration.host_of(api), api.tls),
        ListenerFact("lns", configuration.host_of(configuration.lns), True),
        ListenerFact("cups", configuration.host_of(configuration.cups), True),
    ]
    if not mqtt.url and mqtt.allow_plain:  # else it listens on loopback addresses alone
        found.append(ListenerFact("mqtt", configuration.host_of(mqtt), False, on_purpose=True))
    return tuple(found)


def _broker(layout: Layout) -> BrokerFact:
    return BrokerFact(_changed_at(layout.mqtt_password), _changed_at(layout.mqtt_users))


def _changed_at(path: Path) -> Instant | None:
    return Instant(path.stat().st_mtime) if path.exists() else None


def versions() -> tuple[VersionFact, ...]:
    openssl = ssl.OPENSSL_VERSION_INFO[:3]
    return (
        VersionFact("Python", tuple(sys.version_info[:3]), LEAST_PYTHON),
        VersionFact("SQLite", sqlite3.sqlite_version_info, LEAST_SQLITE),
        VersionFact("OpenSSL", openssl, LEAST_OPENSSL),
    )
