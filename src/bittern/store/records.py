"""The values that the store keeps, beside sessions: what an operator registers, and what is owed.

Secrets (`RootKeys`, session keys, downlink payloads, delivery documents) are sealed by the store on
their way in and opened on their way out; a record carries them as types that do not print.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.types import (
    AppKey,
    DevAddr,
    DevEUI,
    GatewayEUI,
    GenAppKey,
    Instant,
    JoinEUI,
    NwkKey,
)

DEFAULT_ACCOUNT = "000000000000"


class OtaaActivation(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="otaa"):
    """Over-the-air activation. `nwk_key` is None for LoRaWAN 1.0.x."""

    join_eui: JoinEUI
    app_key: AppKey
    nwk_key: NwkKey | None = None
    gen_app_key: GenAppKey | None = None


class AbpActivation(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="abp"):
    """Activation by personalization. `fcnt_start` is the first uplink counter to expect."""

    dev_addr: DevAddr
    keys: SessionKeys
    fcnt_start: int = 0


class JoinServerActivation(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="join_server"):
    """Over-the-air activation by a join server elsewhere: the root keys are there, and not here."""

    join_eui: JoinEUI


Activation = OtaaActivation | AbpActivation | JoinServerActivation


class DeviceProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What the maker says of a kind of device."""

    account: str = DEFAULT_ACCOUNT
    id: str
    name: str = ""
    mac_version: MacVersion = MacVersion.LORAWAN_1_0_3
    reg_params_revision: str = ""
    """Of the regional parameters that the device has: `RegionalParameters.parse` takes it. Empty:
    the newest."""
    region: str = "EU868"
    supports_join: bool = True
    supports_class_b: bool = False
    supports_class_c: bool = False
    supports_32bit_fcnt: bool = True
    rx1_delay_s: int = 1
    rx1_dr_offset: int = 0
    rx2_data_rate: int | None = None
    """None: the region's default, likewise `rx2_frequency_hz`."""
    rx2_frequency_hz: int | None = None
    factory_preset_frequencies_hz: tuple[int, ...] = ()
    """Channels beyond the defaults that a personalized device has; dynamic plans."""
    downlink_frequencies_hz: tuple[tuple[int, int], ...] = ()
    """RX1 frequency by uplink frequency, where it is to be another one; dynamic plans."""
    max_eirp_dbm: int | None = None
    """None: what the region allows. Told by TXParamSetupReq, where the region has it."""
    uplink_dwell_time: bool | None = None
    """Limited to 400 ms; None: as devices of the region start."""
    downlink_dwell_time: bool | None = None
    class_b_timeout_s: int = 8
    """How long a device may take to answer (RP002-1.0.4, CLASS_B_RESP_TIMEOUT and _C_)."""
    class_c_timeout_s: int = 8
    ping_slot_frequency_hz: int | None = None
    """None: the region's, likewise the data rate and the beacon's frequency."""
    ping_slot_data_rate: int | None = None
    beacon_frequency_hz: int | None = None
    adr_ack_limit_exp: int = 6
    """LoRaWAN 1.1: ADR_ACK_LIMIT is 2 to this power, 64; ADR_ACK_DELAY is 32."""
    adr_ack_delay_exp: int = 5
    rejoin_max_time_n: int | None = None
    """LoRaWAN 1.1: a rejoin-request every 2^(n + 10) s, or 2^(n + 4) uplinks; None: not asked."""
    rejoin_max_count_n: int | None = None
    ping_slot_period: int | None = None
    """Slots from one ping slot to the next, 32..4096, as its maker tells; the device itself tells
    it too (PingSlotInfoReq), and that is heeded."""
    max_duty_cycle: int | None = None
    """Percent of the time that it may send, as its maker tells."""
    codec: str = ""
    """Name of what decodes its payloads: a registered codec, or ``cayenne-lpp``. Empty: nobody."""


class ServiceProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator grants a device."""

    account: str = DEFAULT_ACCOUNT
    id: str
    name: str = ""
    add_gateway_metadata: bool = True
    dr_min: int = 0
    """Bounds of ADR, within what the region and the device can."""
    dr_max: int = 15
    tx_power_index_min: int = 0
    """0 is the most power."""
    tx_power_index_max: int = 15
    nb_trans_min: int = 0
    nb_trans_max: int = 3
    adr_algorithm: str = "reference"
    """``reference``, ``mobile``, or empty: the network leaves data rate and power alone."""
    max_duty_cycle: int = 0
    """Devices may send 1/2^n of the time."""
    dev_status_req_freq: int = 24
    """DevStatusReq a day; 0: never."""
    report_dev_status_battery: bool = True
    """In uplink messages, once the device has told it."""
    report_dev_status_margin: bool = True
    passive_roaming: bool = False
    """Whether other networks may carry its frames, likewise the next one: activation."""
    roaming_activation: bool = False


class ApplicationPort(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A port whose messages are of an application that AWS knows."""

    fport: int | None = None
    type: str = ""
    destination: str = ""


class Ports(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Where a device speaks the application layer packages, and other applications."""

    fuota: int | None = None
    multicast: int | None = None
    clock_sync: int | None = None
    positioning_clock_sync: int | None = None
    positioning_stream: int | None = None
    positioning_gnss: int | None = None
    applications: tuple[ApplicationPort, ...] = ()


class Device(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A registered device."""

    account: str = DEFAULT_ACCOUNT
    id: str
    """WirelessDeviceId, a lower-case UUID."""
    dev_eui: DevEUI
    name: str = ""
    description: str = ""
    destination: str
    device_profile_id: str
    service_profile_id: str
    activation: Activation
    ports: Ports = Ports()
    positioning: bool | None = None
    """None: not said."""
    thing_name: str = ""
    """Of the AWS IoT thing that stands for it; empty: none does."""
    created_at: Instant


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """A registered gateway and what it is told in `router_config`."""

    account: str = DEFAULT_ACCOUNT
    id: str
    gateway_eui: GatewayEUI
    name: str = ""
    description: str = ""
    region: str = "EU868"
    sub_bands: tuple[int, ...] = ()
    """Sub-bands 1..8 of a fixed plan; empty: the plan's first that gateways use (2)."""
    boards: int = 1
    """Concentrator boards; each takes one sub-band."""
    join_eui_filters: tuple[tuple[int, int], ...] = ()
    net_id_filters: tuple[int, ...] = ()
    max_eirp_dbm: float | None = None
    station_region: str | None = None
    """Name sent to the station instead of the plan's own."""
    beaconing: bool = True
    """Class B beacons, by gateways that have a GPS."""
    beacon_data_rate: int | None = None
    """None: the region's, likewise empty frequencies."""
    beacon_frequencies_hz: tuple[int, ...] = ()
    thing_name: str = ""
    """Of the AWS IoT thing that stands for it; empty: none does."""
    lns_uri: str | None = None
    """Where CUPS sends it; None: the installation's, likewise `cups_uri`."""
    cups_uri: str | None = None
    remote_shell: bool = False
    """Whether an administrator may open a shell on it (rmtsh)."""
    remote_commands: bool = False
    """Whether an administrator may have it run commands (runcmd)."""
    created_at: Instant
    changed_at: Instant | None = None
    """When an operator last changed something of this record."""


CertificatePurpose = Literal["any", "cups", "lns"]


class GatewayCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A client certificate of a gateway; its private key was handed out and not kept."""

    fingerprint: str
    """SHA-256 of the DER, 64 lower-case hex digits: the certificate id."""
    account: str = DEFAULT_ACCOUNT
    gateway_eui: GatewayEUI
    active: bool = True
    purpose: CertificatePurpose = "any"
    """Where it lets the gateway in."""
    authority: str = ""
    """Fingerprint of the authority's certificate that signed it; empty: of the first, or not ours
    (`pem`)."""
    credentials_crc: int | None = None
    """CRC-32 of trust, certificate and key as the gateway stores them: how it names them to
    CUPS. None: not made here."""
    pem: str = ""
    """The certificate itself, where an outside authority has signed it."""
    revoked_at: Instant | None = None
    """Revoked for good, with `revoked_because`; inactive may become active again."""
    revoked_because: str = ""
    renew: bool = False
    """CUPS is to replace it, long before its end: an operator wants so."""
    not_after: Instant
    created_at: Instant


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where the messages of devices go."""

    account: str = DEFAULT_ACCOUNT
    name: str
    expression_type: Literal["MqttTopic", "RuleName"] = "MqttTopic"
    expression: str
    description: str = ""
    role_arn: str = ""
    created_at: Instant


DownlinkMode = Literal["SEQUENTIAL", "CONCURRENT", "USING_UPLINK_GATEWAY"]


class ParticipatingGateway(msgspec.Struct, frozen=True):
    """One that an operator has chosen for a message."""

    gateway_eui: GatewayEUI
    frequency_hz: int
    """Where it sends the message, in class B and C."""


class ParticipatingGateways(msgspec.Struct, frozen=True, kw_only=True):
    """Which gateways send a message in class B and C; in class A it is those that heard the uplink.

    SEQUENTIAL: all of the list, one after the other. CONCURRENT: all of them at once.
    USING_UPLINK_GATEWAY: one of those that last heard the device, as for a message without a list.
    """

    mode: DownlinkMode
    gateways: tuple[ParticipatingGateway, ...] = ()
    interval_s: int = 1
    """SEQUENTIAL: from one gateway to the next, 1..604800."""


LONGEST_PAYLOAD = 242
"""Bytes of the fastest data rates (RP002-1.0.4, N); slower ones carry less."""


class QueuedDownlink(msgspec.Struct, frozen=True, kw_only=True):
    """An application payload that waits for its device, in order of priority and arrival."""

    message_id: str
    """8-8-4-4 hexadecimal, as AWS writes it."""
    dev_eui: DevEUI
    payload: bytes
    fport: int
    confirmed: bool = False
    attempts: int = 0
    priority: int = 0
    """The higher goes first."""
    participating: ParticipatingGateways | None = None
    queued_at: Instant
    expires_at: Instant | None = None
    """From then on it is not sent any more; None: it waits as long as it takes."""


class Delivery(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A message owed to a destination: stored with the session that it came from."""

    message_id: str
    account: str = DEFAULT_ACCOUNT
    dev_eui: DevEUI
    destination: str
    document: bytes
    """The message itself, JSON in UTF-8."""
    created_at: Instant
    sequence: int = 0
    """Given by the store; deliveries of one device go out in this order."""
    lane: str = ""
    """The one receiver that it is owed to; empty: to wherever its destination says."""


ChangeKind = Literal[
    "device",
    "gateway",
    "certificate",
    "destination",
    "profile",
    "downlink",
    "session",
    "firmware",
    "rule",
    "replay",
    "codec",
    "account",
    "access_key",
    "events",
    "data_key",
]


class Change(msgspec.Struct, frozen=True):
    """Something that is no longer what it was: caches drop what they hold of it."""

    sequence: int
    kind: ChangeKind
    identity: str
    """DevEUI of a device, of a queue (`downlink`) and of sessions (activated, in use, ended);
    gateway EUI, of a firmware task too; id of a firmware definition and of a profile;
    fingerprint; `account/name` of a destination, of a rule and of a codec; the lane that dead
    letters were put back into (`replay`); id of an account and of an access key;
    `account/name` of a note of `events`; id of a data key."""
