"""What a join server keeps, as values: root keys, what was used up of them, and its peers."""

from __future__ import annotations

from typing import Literal

import msgspec

from bittern.lorawan.versions import MacVersion
from bittern.mac.session import JoinState
from bittern.store.records import OtaaActivation
from bittern.types import AppSKey, DevEUI, Instant, KeyEncryptionKey, NetID

SESSIONS_KEPT = 4
"""Of a device: its application server may ask late, or for the session before a rejoin."""

PeerKind = Literal["network", "application"]


class JoinDevice(msgspec.Struct, frozen=True, kw_only=True):
    """A device whose root keys are here."""

    dev_eui: DevEUI
    name: str = ""
    mac_version: MacVersion
    """Its own: it decides which DevNonce may come next."""
    keys: OtaaActivation
    net_id: NetID
    """Of its home network, the only one that may activate it."""
    application: str = ""
    """Name of the application server that its AppSKeys are wrapped for; empty: the network has
    them."""
    created_at: Instant


class JoinPeer(msgspec.Struct, frozen=True, kw_only=True):
    """Who may ask, by its client certificate."""

    fingerprint: str
    """SHA-256 of the certificate's DER, 64 lower-case hex digits."""
    kind: PeerKind
    identity: str
    """NetID of a network, six lower-case digits, or the name of an application server."""
    kek_label: str = ""
    kek: KeyEncryptionKey | None = None
    """Wraps what it is sent; None: TLS alone protects it."""
    not_after: Instant
    created_at: Instant


class AgreedSession(msgspec.Struct, frozen=True, kw_only=True):
    """The application's key of a session, for whoever asks for it later."""

    session_key_id: bytes
    app_s_key: AppSKey
    at: Instant


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What a device has used up, and its last sessions; `body` is how that is stored."""

    state: JoinState | None = None
    sessions: tuple[AgreedSession, ...] = ()
    body: str | None = None
