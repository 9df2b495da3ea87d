"""What the network knows of one activation of one device, as immutable values.

A `Session` never changes: accepting a frame yields the next one, and the store moves from the one
to the other by compare-and-set on `revision`. That is the only lock in bittern.
"""

from __future__ import annotations

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
    """The full counter it was sent with; LoRaWAN 1.1 puts its low half into the uplink's MIC."""


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

    radio: RadioState
    awaited_ack: AwaitedAck | None = None
    last_uplink_at: Instant | None = None
    activated_at: Instant


class JoinState(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a device's joins, across its sessions; compared and set like a session."""

    dev_eui: DevEUI
    revision: int = 0
    join_eui: JoinEUI
    next_join_nonce: int = 1
    """Never reused, 24 bits (TS001-1.0.4, 6.2.3)."""
    last_dev_nonce: int | None = None
    used_dev_nonces: frozenset[int] = frozenset()
    """Versions before 1.0.4 draw DevNonce at random: every one ever used is kept."""
