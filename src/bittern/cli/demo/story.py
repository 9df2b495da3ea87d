"""What has happened in the demo so far, and what has not yet."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from bittern.simulator.device import DownlinkReceived, Joined, Received
from bittern.types import EUI64, DevAddr, DevEUI

Kind = Literal["gateway", "join", "uplink", "queued", "downlink", "wrong", "note"]


class Happening(msgspec.Struct, frozen=True):
    """One line of the story."""

    at_s: float
    """Since the curtain rose."""
    kind: Kind
    who: str
    text: str


@dataclass(slots=True)
class DeviceState:
    """One device as the audience sees it."""

    name: str
    what: str
    """`OTAA 1.0.3 EU868`."""
    dev_addr: DevAddr | None = None
    sent: int = 0
    arrived: int = 0
    downlinks: int = 0
    last_payload: str = ""
    heard: str = ""


class _Gateway(msgspec.Struct, frozen=True, rename="pascal"):
    gateway_eui: str
    rssi: int
    snr: float


class _LoRaWAN(msgspec.Struct, frozen=True):
    DevEui: str
    FCnt: int
    FPort: int
    Gateways: list[_Gateway] = []


class _Metadata(msgspec.Struct, frozen=True):
    LoRaWAN: _LoRaWAN


class _Message(msgspec.Struct, frozen=True):
    """What is read of the uplink message at the destination."""

    PayloadData: str
    WirelessMetadata: _Metadata


@dataclass(slots=True)
class Story:
    """`clock` counts seconds from the beginning; `told` hears of every line at once."""

    clock: Callable[[], float]
    told: Callable[[Happening], None] = lambda happening: None
    devices: dict[EUI64, DeviceState] = field(default_factory=dict)
    gateways: dict[EUI64, str] = field(default_factory=dict)
    lines: deque[Happening] = field(default_factory=lambda: deque(maxlen=200))
    joins: int = 0
    uplinks: int = 0
    downlinks: int = 0
    wrong: list[str] = field(default_factory=list)
    _sent: dict[tuple[EUI64, int], bytes] = field(default_factory=dict)
    _queued: dict[tuple[EUI64, bytes], str] = field(default_factory=dict)

    def note(self, text: str) -> None:
        self._tell("note", "", text)

    def gateway_connected(self, eui: EUI64) -> None:
        self._tell("gateway", self.gateways[eui], f"connected as {eui}, by its certificate")

    def sent(self, dev_eui: DevEUI, fcnt: int, payload: bytes) -> None:
        """The device put a frame on air; it is told only when it arrives."""
        self.devices[dev_eui].sent += 1
        self._sent[dev_eui, fcnt] = payload

    def arrived(self, document: bytes) -> None:
        """The subscriber received a message: it must say what the device said."""
        message = msgspec.json.decode(document, type=_Message)
        metadata = message.WirelessMetadata.LoRaWAN
        dev_eui = EUI64.from_hex(metadata.DevEui)
        payload = base64.b64decode(message.PayloadData)
        device = self.devices[dev_eui]
        if self._sent.get((dev_eui, metadata.FCnt)) != payload:
            self.went_wrong(f"{device.name}: uplink {metadata.FCnt} is not what it sent")
            return
        self.uplinks += 1
        device.arrived += 1
        device.last_payload = payload.decode()
        device.heard = " ".join(f"{one.rssi} dBm" for one in metadata.Gateways)
        self._tell(
            "uplink",
            device.name,
            f"{device.last_payload:<16} FCnt {metadata.FCnt} FPort {metadata.FPort},"
            f" heard at {device.heard}",
        )

    def queued(self, dev_eui: DevEUI, payload: bytes, message_id: str) -> None:
        self._queued[dev_eui, payload] = message_id
        self._tell("queued", self.devices[dev_eui].name, f"{payload.decode():<16} {message_id}")

    def received(self, dev_eui: DevEUI, received: Received) -> None:
        """A device took what a gateway sent in one of its windows."""
        device = self.devices[dev_eui]
        match received:
            case Joined(dev_addr=dev_addr):
                self.joins += 1
                device.dev_addr = dev_addr
                self._tell("join", device.name, f"joined as {dev_addr}")
            case DownlinkReceived(fport=fport, payload=payload) if fport:
                self._downlink(dev_eui, device, received, payload)
            case DownlinkReceived():
                pass  # MAC commands or an acknowledgement

    def _downlink(
        self, dev_eui: DevEUI, device: DeviceState, received: DownlinkReceived, payload: bytes
    ) -> None:
        if (dev_eui, payload) not in self._queued:
            self.went_wrong(f"{device.name}: downlink {received.fcnt} was never sent to it")
            return
        self.downlinks += 1
        device.downlinks += 1
        how = "confirmed" if received.confirmed else "unconfirmed"
        self._tell(
            "downlink",
            device.name,
            f"{payload.decode():<16} FCnt {received.fcnt} FPort {received.fport}, {how},"
            " in its receive window",
        )

    def went_wrong(self, text: str) -> None:
        self.wrong.append(text)
        self._tell("wrong", "", text)

    def missing(self) -> list[str]:
        """What a demo has to show and has not; empty: all is well."""
        wanted: Mapping[str, int] = {
            "no device joined": self.joins,
            "no uplink arrived at the subscriber": self.uplinks,
            "no downlink reached its device": self.downlinks,
        }
        return [text for text, count in wanted.items() if not count] + self.wrong

    def _tell(self, kind: Kind, who: str, text: str) -> None:
        happening = Happening(self.clock(), kind, who, text)
        self.lines.append(happening)
        self.told(happening)
