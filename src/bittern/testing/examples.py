"""One of each value that the store keeps, to vary in tests.

Everything here fits together: the device is of the profiles and sends to the destination.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bittern.gateway.firmware import Version
from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.mac.fuota import FuotaSession
from bittern.mac.multicast import MulticastSession
from bittern.mac.session import JoinState, RadioState, Session
from bittern.store.account_records import AccessKey, AccessSecret, Account
from bittern.store.codec_records import CodecRecord
from bittern.store.gateway_records import (
    CupsContact,
    FirmwareDefinition,
    FirmwareTask,
    GatewayConnection,
    GatewayRefusal,
    Gift,
)
from bittern.store.group_records import FuotaTask, MulticastGroup
from bittern.store.protocol import Store
from bittern.store.records import (
    Delivery,
    Destination,
    Device,
    DeviceProfile,
    Gateway,
    GatewayCertificate,
    OtaaActivation,
    QueuedDownlink,
    ServiceProfile,
)
from bittern.store.rule_records import DeadLetter, RuleRecord
from bittern.types import (
    EUI64,
    AppKey,
    AppSKey,
    DevAddr,
    DevEUI,
    FNwkSIntKey,
    GatewayEUI,
    Instant,
    JoinEUI,
    NwkKey,
    NwkSEncKey,
    Refusal,
    SNwkSIntKey,
)

NOW = Instant(1_700_000_000.0)
DEV_EUI = DevEUI(EUI64.from_hex("70b3d57ed0000001"))
JOIN_EUI = JoinEUI(EUI64.from_hex("70b3d57ed0ffff01"))
GATEWAY_EUI = GatewayEUI(EUI64.from_hex("00800000a0000001"))
DEV_ADDR = DevAddr.from_hex("26011bda")

DEVICE_PROFILE = DeviceProfile(id="0b8c1c5e-0000-4000-8000-000000000001", name="sensor")
SERVICE_PROFILE = ServiceProfile(id="0b8c1c5e-0000-4000-8000-000000000002", name="standard")
DESTINATION = Destination(name="plant", expression="plant/uplinks", created_at=NOW)
RULE = RuleRecord(
    name="meters",
    sql="SELECT PayloadData WHERE WirelessMetadata.LoRaWAN.FPort = 2",
    description="what meters say",
    actions=(
        {"republish": {"roleArn": "arn", "topic": "meters/${WirelessDeviceId}", "qos": 1}},
        {"http": {"url": "https://meters.example/in"}},
    ),
    error_action={"republish": {"roleArn": "arn", "topic": "meters/errors"}},
    created_at=NOW,
)
CODEC = CodecRecord(
    name="meter",
    script="function decodeUplink(input) { return { data: { level: input.bytes[0] } }; }",
    created_at=NOW,
)
ACCOUNT = Account(id="111122223333", name="north", created_at=NOW)
ACCESS_KEY = AccessKey(
    id="AKIAEXAMPLE000000001",
    account=ACCOUNT.id,
    secret=AccessSecret("an example, forty characters long......."),
    policies=("operator",),
    description="the script that adds meters",
    created_at=NOW,
)
GATEWAY = Gateway(
    id="0b8c1c5e-0000-4000-8000-000000000003",
    gateway_eui=GATEWAY_EUI,
    name="roof",
    sub_bands=(2,),
    join_eui_filters=((1, 0xFFFF),),
    created_at=NOW,
)
CERTIFICATE = GatewayCertificate(
    fingerprint="ab" * 32,
    gateway_eui=GATEWAY_EUI,
    not_after=Instant(NOW + 86_400),
    created_at=NOW,
)
FOREIGN_CERTIFICATE = msgspec.structs.replace(
    CERTIFICATE,
    fingerprint="cd" * 32,
    purpose="cups",
    pem="-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
)
CONNECTION = GatewayConnection(
    connected=True,
    changed_at=NOW,
    peer="192.0.2.7:50123",
    station="2.0.6(linux/std)",
    features=("rmtsh", "gps"),
    certificate=CERTIFICATE.fingerprint,
    round_trip_s=0.125,
    last_uplink_at=Instant(NOW + 60.5),
    received=12,
    forwarded=9,
)
CUPS_CONTACT = CupsContact(
    at=NOW,
    station="2.0.6(linux/std)",
    cups_uri="https://cups.example:443",
    cups_crc=0xFFFF_FFFF,
    key_crcs=(1, 2),
    gifts=(Gift(kind="lns_uri", value="wss://lns.example:8887", times=2, at=NOW),),
    withheld=("update: it waits for its turn",),
)
REFUSED = GatewayRefusal(
    at=NOW,
    place="lns",
    refusal=Refusal.STATION_TOO_OLD,
    reason="station 2.0.3 is older than 2.0.4",
)
FIRMWARE = FirmwareDefinition(
    id="0b8c1c5e-0000-4000-8000-000000000004",
    name="spring",
    current=Version(package="1.0.0", model="roof"),
    update=Version(package="1.1.0"),
    source="spring.bin",
    signature=bytes(range(70)),
    key_crc=0x8000_0000,
    created_at=NOW,
)
FIRMWARE_TASK = FirmwareTask(
    gateway_eui=GATEWAY_EUI,
    definition_id=FIRMWARE.id,
    created_at=NOW,
    changed_at=NOW,
)
MULTICAST_GROUP = MulticastGroup(
    id="0b8c1c5e-0000-4000-8000-000000000005",
    name="street lamps",
    region="EU868",
    dl_class="ClassC",
    gateways=(GATEWAY_EUI,),
    interval_ms=1000,
    session=MulticastSession(
        data_rate=0, frequency_hz=869_525_000, start_at=Instant(NOW + 3600), timeout_s=256
    ),
    created_at=NOW,
)
FUOTA_TASK = FuotaTask(
    id="0b8c1c5e-0000-4000-8000-000000000006",
    name="lamps 1.1.0",
    region="EU868",
    image="s3://images/lamps-1.1.0.bin",
    role_arn="arn:aws:iam::000000000000:role/images",
    redundancy_percent=25,
    descriptor="AQEAAA==",
    session=FuotaSession(start_at=Instant(NOW + 7200)),
    created_at=NOW,
)


def dev_eui(number: int) -> DevEUI:
    return DevEUI(EUI64.from_int(int(DEV_EUI) + number))


def session_keys() -> SessionKeys:
    """Four different keys, as LoRaWAN 1.1 has them."""
    return SessionKeys(
        FNwkSIntKey(b"forwarding s int"),
        SNwkSIntKey(b"serving sess int"),
        NwkSEncKey(b"network sess enc"),
        AppSKey(b"application sess"),
    )


def device(number: int = 0, **different: Any) -> Device:
    example = Device(
        id=f"0b8c1c5e-0000-4000-8000-{number + 256:012x}",
        dev_eui=dev_eui(number),
        name=f"sensor {number}",
        destination=DESTINATION.name,
        device_profile_id=DEVICE_PROFILE.id,
        service_profile_id=SERVICE_PROFILE.id,
        activation=OtaaActivation(
            join_eui=JOIN_EUI,
            app_key=AppKey(b"root application"),
            nwk_key=NwkKey(b"root network key"),
        ),
        created_at=NOW,
    )
    return msgspec.structs.replace(example, **different)


def session(number: int = 0, **different: Any) -> Session:
    example = Session(
        dev_eui=dev_eui(number),
        generation=1,
        dev_addr=DEV_ADDR,
        mac_version=MacVersion.LORAWAN_1_0_3,
        region="EU868",
        keys=session_keys(),
        radio=RadioState(
            rx1_delay_s=1, rx1_dr_offset=0, rx2_data_rate=0, rx2_frequency_hz=869_525_000
        ),
        activated_at=NOW,
    )
    return msgspec.structs.replace(example, **different)


def next_session(before: Session, **different: Any) -> Session:
    """What an accepted uplink makes of it."""
    changes = {"revision": before.revision + 1, "fcnt_up": before.fcnt_up + 1} | different
    return msgspec.structs.replace(before, **changes)


def join_state(number: int = 0, **different: Any) -> JoinState:
    example = JoinState(
        dev_eui=dev_eui(number),
        join_eui=JOIN_EUI,
        next_join_nonce=2,
        last_dev_nonce=7,
        used_dev_nonces=frozenset({7}),
    )
    return msgspec.structs.replace(example, **different)


def delivery(number: int = 0, **different: Any) -> Delivery:
    example = Delivery(
        message_id=f"{number:08x}-0000-4000-8000-000000000000",
        dev_eui=dev_eui(0),
        destination=DESTINATION.name,
        document=b'{"PayloadData":"aGVsbG8="}',
        created_at=NOW,
    )
    return msgspec.structs.replace(example, **different)


def dead_letter(number: int = 1, **different: Any) -> DeadLetter:
    example = DeadLetter(
        owed_as=number,
        lane="000000000000/meters/1/http",
        dev_eui=dev_eui(0),
        message_id=f"{number:08x}-0000-4000-8000-000000000000",
        destination=DESTINATION.name,
        rule=RULE.name,
        action="2 http",
        reason="rejected",
        detail="404 Not Found",
        attempts=1,
        created_at=NOW,
        failed_at=Instant(NOW + 60),
        document=b'{"PayloadData":"aGVsbG8="}',
    )
    return msgspec.structs.replace(example, **different)


def downlink(number: int = 0, **different: Any) -> QueuedDownlink:
    example = QueuedDownlink(
        message_id=f"{number:08x}-1111-4000-8000-000000000000",
        dev_eui=dev_eui(0),
        payload=b"open the valve",
        fport=2,
        queued_at=NOW,
    )
    return msgspec.structs.replace(example, **different)


async def register(store: Store, devices: int = 1) -> None:
    """The destination, the profiles, and this many devices of them."""
    await store.add_destination(DESTINATION)
    await store.add_device_profile(DEVICE_PROFILE)
    await store.add_service_profile(SERVICE_PROFILE)
    for number in range(devices):
        await store.add_device(device(number))


async def activated(store: Store, **different: Any) -> Session:
    """A device in the registry, and its first session."""
    await register(store)
    first = session(**different)
    await store.activate(None, join_state(), first)
    return first


async def news(store: Store, since: int) -> list[tuple[str, str]]:
    """Kind and identity of each change behind that one."""
    return [(change.kind, change.identity) for change in await store.changes(since)]
