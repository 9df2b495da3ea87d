"""What is known of an installation before anything of it is judged. No key is among it."""

from __future__ import annotations

import msgspec

from bittern.types import DevEUI, GatewayEUI, Instant


class PathFact(msgspec.Struct, frozen=True):
    """A file or folder of the data directory."""

    path: str
    mode: int
    ours: bool
    """It belongs to the user that the doctor runs as, or the server."""
    secret: bool
    """It holds keys in the clear, or opens what does."""


class CertificateFact(msgspec.Struct, frozen=True):
    what: str
    """``certificate of the server``."""
    not_before: Instant
    not_after: Instant
    cure: str


class GatewayCertificates(msgspec.Struct, frozen=True):
    """The one of each purpose that lasts longest."""

    gateway_eui: GatewayEUI
    purpose: str
    not_after: Instant
    by_cups: bool
    """Ours: CUPS renews it, where the gateway asks."""


class ClockFact(msgspec.Struct, frozen=True):
    now: Instant
    synchronized: bool | None
    """By the kernel's word; None: it has none."""
    last_event: Instant | None
    """The latest time that is stored."""


class DiskFact(msgspec.Struct, frozen=True):
    free_bytes: int
    total_bytes: int
    database_bytes: int
    budget_bytes: int
    fsync_s: float
    """The middle one of several."""


class ListenerFact(msgspec.Struct, frozen=True):
    name: str
    host: str
    tls: bool
    on_purpose: bool = False
    """A setting says that it may be without."""


class DataKeyFact(msgspec.Struct, frozen=True):
    id: int
    state: str
    created_at: Instant


class ProviderFact(msgspec.Struct, frozen=True):
    where: str
    problem: str = ""
    """Why it does not unwrap; empty: it does."""


class KeyFact(msgspec.Struct, frozen=True):
    """A key of a device, without the key."""

    dev_eui: DevEUI
    name: str
    """``AppKey``."""
    weakness: str | None
    fingerprint: bytes
    """Equal for equal keys, within one look."""


class AccessKeyFact(msgspec.Struct, frozen=True):
    id: str
    account: str
    active: bool
    created_at: Instant
    last_used_at: Instant | None


class BrokerFact(msgspec.Struct, frozen=True):
    """The embedded broker's users."""

    password_file_since: Instant | None
    """The default user's password stands in a file since then; None: it does not."""
    users_changed_at: Instant | None


class DatabaseFact(msgspec.Struct, frozen=True):
    schema: int
    newest: int
    faults: tuple[str, ...]
    sealed: int | None
    """Values that were opened; None: nobody looked."""


class VersionFact(msgspec.Struct, frozen=True):
    name: str
    found: tuple[int, ...]
    least: tuple[int, ...]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    clock: ClockFact
    has_entropy: bool
    disk: DiskFact
    paths: tuple[PathFact, ...] = ()
    certificates: tuple[CertificateFact, ...] = ()
    gateways: tuple[GatewayCertificates, ...] = ()
    listeners: tuple[ListenerFact, ...] = ()
    provider: ProviderFact
    data_keys: tuple[DataKeyFact, ...] = ()
    keys: tuple[KeyFact, ...] = ()
    access_keys: tuple[AccessKeyFact, ...] = ()
    broker: BrokerFact | None = None
    database: DatabaseFact
    versions: tuple[VersionFact, ...] = ()
    core_dumps: bool = False
    held_sessions: int = 0
    """Sessions that wait since a restore."""
