"""The uplink message as AWS IoT Core for LoRaWAN writes it: field for field, type for type.

`DataRate` and `Frequency` are strings here although they are numbers elsewhere in that API, and an
uplink without FPort is reported with 225: consumers depend on both.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from bittern.lorawan.frame import DataUp
from bittern.lorawan.radio import Reception
from bittern.lorawan.regions.plan import DataRate
from bittern.types import DevEUI, Instant

FPORT_OF_NONE = 225
"""Stands for an absent FPort."""


class GatewayMetadata(msgspec.Struct, frozen=True, gc=False, rename="pascal"):
    gateway_eui: str
    rssi: int
    snr: float


class LoRaWANMetadata(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """`WirelessMetadata.LoRaWAN`. Frequency: Hz, Bandwidth: kHz, Battery: 0..255, Margin: dB."""

    ADR: bool
    Bandwidth: int
    ClassB: bool
    CodeRate: str
    DataRate: str
    DevAddr: str
    DevEui: str
    FCnt: int
    FOptLen: int
    FPort: int
    Frequency: str
    Battery: int | None = None
    Margin: int | None = None
    Gateways: list[GatewayMetadata] | None = None
    AckedMessageId: str | None = None
    MIC: str
    MType: str
    Major: str
    Modulation: str
    PolarizationInversion: bool
    SpreadingFactor: int
    Timestamp: str


class WirelessMetadata(msgspec.Struct, frozen=True, gc=False):
    LoRaWAN: LoRaWANMetadata


class UplinkMessage(msgspec.Struct, frozen=True, gc=False):
    """What a destination receives. `DecodedPayload` is not AWS's: consumers of AWS ignore it."""

    MessageId: str
    WirelessDeviceId: str
    PayloadData: str
    WirelessMetadata: WirelessMetadata
    DecodedPayload: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_encoder = msgspec.json.Encoder()


def uplink_message(
    *,
    message_id: str,
    device_id: str,
    dev_eui: DevEUI,
    frame: DataUp,
    fcnt: int,
    payload: bytes,
    data_rate: DataRate,
    receptions: tuple[Reception, ...],
    received_at: Instant,
    with_gateways: bool,
    acked_message_id: str | None = None,
    battery: int | None = None,
    margin: int | None = None,
    decoded: bytes | None = None,
) -> bytes:
    """The message as JSON in UTF-8.

    `payload` is the decrypted FRMPayload; `receptions` come best first, and frequency and data rate
    are those of the best. `battery` and `margin` are of the last DevStatusAns. `decoded` is what a
    codec made of the payload, JSON.
    """
    best = receptions[0]
    gateways = [
        GatewayMetadata(reception.gateway_eui.hex(), reception.rssi_dbm, reception.snr_db)
        for reception in receptions
    ]
    metadata = LoRaWANMetadata(
        ADR=frame.adr,
        Bandwidth=data_rate.bandwidth_khz,
        ClassB=frame.class_b,
        CodeRate="4/5",
        DataRate=str(best.data_rate),
        DevAddr=frame.dev_addr.hex(),
        DevEui=dev_eui.hex(),
        FCnt=fcnt,
        FOptLen=len(frame.fopts),
        FPort=FPORT_OF_NONE if frame.fport is None else frame.fport,
        Frequency=str(best.frequency_hz),
        Battery=battery,
        Margin=margin,
        Gateways=gateways if with_gateways else None,
        AckedMessageId=acked_message_id,
        MIC=frame.mic.hex(),
        MType=frame.mtype.spec_name,
        Major="LoRaWANR1",
        Modulation=data_rate.modulation,
        PolarizationInversion=False,
        SpreadingFactor=data_rate.spreading_factor,
        Timestamp=rfc3339(received_at),
    )
    message = UplinkMessage(
        message_id,
        device_id,
        b64encode(payload).decode(),
        WirelessMetadata(metadata),
        msgspec.UNSET if decoded is None else msgspec.Raw(decoded),
    )
    return _encoder.encode(message)


def rfc3339(instant: Instant) -> str:
    """UTC with milliseconds, as in the samples of the developer guide."""
    seconds, milliseconds = divmod(int(instant * 1000), 1000)
    return f"{_to_the_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=4)
def _to_the_second(seconds: int) -> str:
    """Thousands of uplinks share it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
