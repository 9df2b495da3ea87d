"""What the network knows of one activation of one device, as immutable values.

A `Session` never changes: accepting a frame yields the next one, and the store moves from the one
to the other by compare-and-set on `revision`. That is the only lock in bittern.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.types import DevAddr, DevEUI, Instant, JoinEUI

NO_FCNT = -1
"""`fcnt_up` before the first accepted uplink."""


class ChannelState(msgspec.Struct, frozen=True):
    """An uplink channel that the device was given beyond the defaults of a dynamic plan."""

    index: int
    frequency_hz: int
    min_data_rate: int = 0
    max_data_rate: int = 5
    downlink_frequency_hz: int | None = None


class RadioState(msgspec.Struct, frozen=True, kw_only=True):
    """The radio parameters that the device is believed to use."""

    rx1_delay_s: int
    rx1_dr_offset: int
    rx2_data_rate: int
    rx2_frequency_hz: int
    extra_channels: tuple[ChannelState, ...] = ()


class AwaitedAck(msgspec.Struct, frozen=True):
    """A confirmed downlink whose acknowledgement is awaited."""

    message_id: str
    fcnt_down: int
    """The full counter it was sent with."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One activation. `(dev_eui, generation)` is its identity, `revision` its version.

    For LoRaWAN 1.0.x the three network keys are equal and `afcnt_down` is unused.
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
    """False: the device keeps 16-bit counters (1.0.x, 4.3.1.5), so the session ends with them."""
    repeats: int = 0
    """Copies of the last accepted uplink that came after it."""
    confirmed_fcnt_down: int = 0
    """Full counter of the last confirmed downlink: ConfFCnt of whatever the device acknowledges,
    again too, after `awaited_ack` is settled."""

    radio: RadioState
    awaited_ack: AwaitedAck | None = None
    last_uplink_at: Instant | None = None
    activated_at: Instant

    @property
    def joined(self) -> bool:
        """Activated over the air, not by personalization."""
        return self.generation > 0


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
