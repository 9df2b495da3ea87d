"""What the network knows of one activation of one device, as immutable values.

A `Session` never changes: accepting a frame yields the next one, and the store moves from the one
to the other by compare-and-set on `revision`. That is the only lock in bittern.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.radio import DeviceClass
from bittern.lorawan.versions import MacVersion
from bittern.types import DevAddr, DevEUI, GatewayEUI, Instant, JoinEUI

NO_FCNT = -1
"""`fcnt_up` before the first accepted uplink."""

MAX_REPEATS = 15
"""A device sends a frame 15 times at most (NbTrans: TS001-1.0.4, 5.3); what comes after is somebody
else's replay, and answering it would wear out the downlink counter."""


class ChannelState(msgspec.Struct, frozen=True, gc=False):
    """An uplink channel that the device was given beyond the defaults of a dynamic plan."""

    index: int
    frequency_hz: int
    min_data_rate: int = 0
    max_data_rate: int = 5
    downlink_frequency_hz: int | None = None


class RadioState(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The radio parameters that the device is believed to use.

    A default is stored by its absence: it must never become another one.
    """

    rx1_delay_s: int
    rx1_dr_offset: int
    rx2_data_rate: int
    rx2_frequency_hz: int
    extra_channels: tuple[ChannelState, ...] = ()


class AwaitedAck(msgspec.Struct, frozen=True, gc=False):
    """A confirmed downlink whose acknowledgement is awaited."""

    message_id: str
    fcnt_down: int
    """The full counter it was sent with."""


class HeardBy(msgspec.Struct, frozen=True, array_like=True):
    """A gateway that heard the device, and how it is reached by it."""

    gateway_eui: GatewayEUI
    snr_db: float
    rctx: int
    """The antenna, in the gateway's words."""
    has_gps_time: bool


class Session(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One activation. `(dev_eui, generation)` is its identity, `revision` its version.

    For LoRaWAN 1.0.x the three network keys are equal and `afcnt_down` is unused. A default is
    stored by its absence: it must never become another one.
    """

    dev_eui: DevEUI
    generation: int
    """JoinNonce of the join that made it, 0 for ABP."""
    revision: int = 0
    pending: bool = False
    """Joined, but the device has not used it yet: an older session stays valid meanwhile."""

    dev_addr: DevAddr
    mac_version: MacVersion
    region: str
    keys: SessionKeys

    fcnt_up: int = NO_FCNT
    """Last accepted uplink counter, 32 bits."""
    nfcnt_down: int = 0
    """Next downlink counter; in 1.1 the next NFCntDown."""
    afcnt_down: int = 0
    """Next AFCntDown, LoRaWAN 1.1 only."""
    counts_32_bits: bool = True
    """False: the profile says that the device has 16-bit counters (1.0.3, 4.3.1.5)."""
    repeats: int = 0
    """Copies of the last accepted uplink that came after it."""
    confirmed_down: tuple[AwaitedAck, ...] = ()
    """The last confirmed downlinks, newest first, settled or not. The MIC of LoRaWAN 1.1 covers the
    counter that is acknowledged, and the device may have heard an earlier one than the last."""

    radio: RadioState
    device_class: DeviceClass = "A"
    awaited_ack: AwaitedAck | None = None
    heard_by: tuple[HeardBy, ...] = ()
    """Of the last uplink, the best first; kept for devices that listen between uplinks."""
    last_uplink_at: Instant | None = None
    activated_at: Instant

    @property
    def joined(self) -> bool:
        """Activated over the air, not by personalization."""
        return self.generation > 0

    @property
    def fcnt_limit(self) -> int:
        """The first value that a counter cannot have.

        A 16-bit counter ends like a 32-bit one: if it began anew under the same keys, every frame
        of its first round could be replayed. A device that was heard beyond counts 32 bits,
        whatever its profile says: its MIC shows it.
        """
        return 1 << 32 if self.counts_32_bits or self.fcnt_up > 0xFFFF else 1 << 16


class JoinState(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a device's joins, across its sessions.

    Compared and set like a session.
    """

    dev_eui: DevEUI
    revision: int = 0
    join_eui: JoinEUI
    next_join_nonce: int = 1
    """Never reused, 24 bits (TS001-1.0.4, 6.2.3)."""
    last_dev_nonce: int | None = None
    used_dev_nonces: frozenset[int] = frozenset()
    """Versions before 1.0.4 draw DevNonce at random: every one ever used is kept."""


class LinkProfile(Protocol):
    """What a device profile says that the link layer has to know."""

    @property
    def mac_version(self) -> MacVersion: ...
    @property
    def supports_32bit_fcnt(self) -> bool: ...
    @property
    def rx1_delay_s(self) -> int: ...
    @property
    def rx1_dr_offset(self) -> int: ...
    @property
    def rx2_data_rate(self) -> int | None:
        """None: the region's own, likewise the frequency."""
        ...

    @property
    def rx2_frequency_hz(self) -> int | None: ...
