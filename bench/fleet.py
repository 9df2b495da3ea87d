"""Devices and gateways of a benchmark, the same ones wherever the same numbers are given.

Who registers them and who sends for them need not talk: everything follows from the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from bittern.lorawan.crypto import SessionKeys
from bittern.types import EUI64, DevAddr, DevEUI, GatewayEUI

REGION = "EU868"


@dataclass(frozen=True, slots=True)
class FleetDevice:
    """An ABP device of LoRaWAN 1.0.3."""

    dev_eui: DevEUI
    dev_addr: DevAddr
    keys: SessionKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """How many there are. DevAddrs are in NetID 000000."""

    devices: int = 10_000
    gateways: int = 50
    devices_per_dev_addr: int = 1
    seed: int = 1

    def device(self, index: int) -> FleetDevice:
        digest = blake2b(f"{self.seed}/{index}".encode(), digest_size=32).digest()
        return FleetDevice(
            DevEUI(EUI64(b"\xbe\x7c\x00\x00" + index.to_bytes(4, "big"))),
            DevAddr.from_int(1 + index // self.devices_per_dev_addr),
            SessionKeys.of_1_0(digest[:16], digest[16:]),
        )

    def gateway_eui(self, index: int) -> GatewayEUI:
        return GatewayEUI(EUI64(b"\xbe\x7c\xff\xfe" + index.to_bytes(4, "big")))
