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


FIRST_REVISION_BITS = 62
"""Of the revision that a session begins with: it has the rest of 63 bits to grow."""


class ChannelState(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An uplink channel of a dynamic plan that is not as the region has it: given to the device
    beyond the defaults, or a default one whose RX1 was moved."""

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
    enabled_channels: tuple[int, ...] = ()
    """Indices in their order; empty: every channel that the device has."""

    data_rate: int | None = None
    """Of the last uplink, or what the device has accepted since."""
    tx_power: int = 0
    """An index; 0 is the most."""
    nb_trans: int = 1
    link_uncertain: bool = False
    """An answer to a LinkADRReq got lost and another request followed, or the device may have
    fallen back: DR, power, NbTrans and channels are to be told again."""

    max_duty_cycle: int = 0
    """The device sends 1/2^this of the time at most."""
    uplink_dwell: bool | None = None
    """Limited to 400 ms; None: as devices of the region start, likewise the next two."""
    downlink_dwell: bool | None = None
    max_eirp: int | None = None
    """An index of ``MAX_EIRP_DBM``."""
    adr_ack_limit_exp: int = 6
    """ADR_ACK_LIMIT is 2 to this power: 64 until somebody changes it; likewise the delay of 32."""
    adr_ack_delay_exp: int = 5
    rejoin_max_time_n: int | None = None
    """RejoinParamSetupReq; None: not set, or a device that counts uplinks only."""
    rejoin_max_count_n: int | None = None

    ping_slot_periodicity: int | None = None
    """A ping slot every 2^this seconds; None: the device has not told."""
    ping_slot_frequency_hz: int = 0
    """0: the region's, likewise for beacons."""
    ping_slot_data_rate: int | None = None
    """None: the region's."""
    beacon_frequency_hz: int = 0


class Request(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """MAC commands that the device was sent and has not answered yet."""

    commands: bytes
    """As on air: one command, or a block that is answered as one."""
    sent_after: int
    """Counter of the uplink that it last went out in answer to."""
    attempts: int = 1
    answered: bool = False
    """The device repeats the answer until it hears a downlink."""


class RefusedRequest(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What the device did not accept: it is not asked for the same again in this session."""

    commands: bytes
    status: int
    """The bits of the answer."""


class DeviceStatus(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The last DevStatusAns."""

    battery: int
    margin: int
    at: Instant


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


class Hold(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Why frames of a session are not let in, though they are verified: the store was restored from
    an older copy (`mac.restored`)."""

    quarantine_s: float | None
    """None: until the device joins again."""
    until: Instant | None = None
    """When the quarantine is over: it begins with the first frame."""


class Session(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One activation. `(dev_eui, generation)` is its identity, `revision` its version.

    For LoRaWAN 1.0.x the three network keys are equal and `afcnt_down` is unused. A default is
    stored by its absence: it must never become another one.
    """

    dev_eui: DevEUI
    generation: int
    """JoinNonce of the join that made it, 0 for ABP."""
    revision: int = 0
    """Begins at random (`FIRST_REVISION_BITS`): a device that is removed and added again may get a
    session of the same generation, which must not be taken for the one that ended."""
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
    uplink_history: bytes = b""
    """The last uplinks for ADR: `mac/adr.py`."""
    requests: tuple[Request, ...] = ()
    """In the order in which they were first sent."""
    refused: tuple[RefusedRequest, ...] = ()
    """The last of them."""
    status: DeviceStatus | None = None
    demanded_rejoin: bytes = b""
    """The ForceRejoinReq that is to be sent until the device rejoins."""
    rj_count0: int = -1
    """The last RJcount0 that a rejoin-request of type 0 or 2 had under these keys (1.1, 6.2.4)."""

    awaited_ack: AwaitedAck | None = None
    heard_by: tuple[HeardBy, ...] = ()
    """Of the last uplink, the best first; kept for devices that listen between uplinks."""
    last_uplink_at: Instant | None = None
    last_heard: bytes = b""
    """How the last uplink was heard: `mac/last_heard.py`."""
    hold: Hold | None = None
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


class SpentNonces(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What the device has used up under a JoinEUI."""

    join_eui: JoinEUI
    last_dev_nonce: int | None
    used_dev_nonces: frozenset[int]
    last_rj_count1: int


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
    last_rj_count1: int = -1
    """Of rejoin-requests of type 1, under this JoinEUI (1.1, 6.2.4.2)."""
    earlier: tuple[SpentNonces, ...] = ()
    """Under the JoinEUIs that the device had before: it may be given one of them again, and what
    it sent then is still on somebody's tape."""

    def under(self, join_eui: JoinEUI) -> JoinState:
        """The same device under a JoinEUI: with what it has used up there, if it ever was."""
        if join_eui == self.join_eui:
            return self
        left = SpentNonces(
            self.join_eui, self.last_dev_nonce, self.used_dev_nonces, self.last_rj_count1
        )
        found = SpentNonces(join_eui, None, frozenset(), -1)
        for one in self.earlier:
            if one.join_eui == join_eui:
                found = one
        return msgspec.structs.replace(
            self,
            join_eui=join_eui,
            last_dev_nonce=found.last_dev_nonce,
            used_dev_nonces=found.used_dev_nonces,
            last_rj_count1=found.last_rj_count1,
            earlier=(*(one for one in self.earlier if one.join_eui != join_eui), left),
        )


class LinkProfile(Protocol):
    """What a device profile says that the link layer has to know."""

    @property
    def mac_version(self) -> MacVersion: ...
    @property
    def supports_32bit_fcnt(self) -> bool: ...
    @property
    def supports_class_b(self) -> bool: ...
    @property
    def supports_class_c(self) -> bool: ...
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
    @property
    def factory_preset_frequencies_hz(self) -> tuple[int, ...]:
        """Channels beyond the defaults that a personalized device of a dynamic plan has."""
        ...

    @property
    def downlink_frequencies_hz(self) -> tuple[tuple[int, int], ...]:
        """RX1 frequency by uplink frequency, where it is to be another (DlChannelReq)."""
        ...

    @property
    def max_eirp_dbm(self) -> int | None:
        """None: what the region allows."""
        ...

    @property
    def uplink_dwell_time(self) -> bool | None:
        """Whether frames are limited to 400 ms; None: as devices of the region start."""
        ...

    @property
    def downlink_dwell_time(self) -> bool | None: ...
    @property
    def ping_slot_frequency_hz(self) -> int | None:
        """None: the region's, likewise the data rate and the beacon's frequency."""
        ...

    @property
    def ping_slot_data_rate(self) -> int | None: ...
    @property
    def beacon_frequency_hz(self) -> int | None: ...
    @property
    def adr_ack_limit_exp(self) -> int:
        """ADR_ACK_LIMIT is 2 to this power, and ADR_ACK_DELAY to the next."""
        ...

    @property
    def adr_ack_delay_exp(self) -> int: ...
    @property
    def rejoin_max_time_n(self) -> int | None:
        """A rejoin-request every 2^(this + 10) s at the latest; None: not asked for."""
        ...

    @property
    def rejoin_max_count_n(self) -> int | None:
        """A rejoin-request every 2^(this + 4) uplinks at the latest; None: not asked for."""
        ...


class LinkPolicy(Protocol):
    """What a service profile says of it."""

    @property
    def dr_min(self) -> int: ...
    @property
    def dr_max(self) -> int: ...
    @property
    def tx_power_index_min(self) -> int: ...
    @property
    def tx_power_index_max(self) -> int: ...
    @property
    def nb_trans_min(self) -> int: ...
    @property
    def nb_trans_max(self) -> int: ...
    @property
    def dev_status_req_freq(self) -> int:
        """A day; 0: never."""
        ...

    @property
    def max_duty_cycle(self) -> int:
        """The device may send 1/2^this of the time."""
        ...

    @property
    def adr_algorithm(self) -> str:
        """Of ``adr.ALGORITHMS``, or empty: the network leaves the data rate alone."""
        ...
