"""Station messages made before the run, so that sending them costs next to nothing.

The first eight bytes of every payload are the run and the number of the uplink in it: by them a
subscriber knows what arrived, without anything else of the message.
"""

from __future__ import annotations

import random
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from bench.fleet import Fleet, FleetDevice
from bittern.lorawan.crypto import crypt_frm_payload, data_up_mic_1_0
from bittern.lorawan.frame import DataUp, MType

DATA_RATE = 5
SPREADING_FACTOR, BANDWIDTH_KHZ = 7, 125
FREQUENCIES_HZ = (868_100_000, 868_300_000, 868_500_000)
FPORT = 10
MARK = b'"PayloadData":"'
"""What stands before the payload in a delivered message, written compactly."""
MARK_SPACED = b'"PayloadData": "'

_IDENTITY = Struct(">II")
_MESSAGE = (
    '{"msgtype":"updf","MHdr":64,"DevAddr":%d,"FCtrl":%d,"FCnt":%d,"FOpts":"","FPort":%d,'
    '"FRMPayload":"%s","MIC":%d,"RefTime":0.0,"DR":%d,"Freq":%d,"upinfo":{"rctx":0,"xtime":%d,'
    '"gpstime":0,"fts":-1,"rssi":%d,"snr":%.2f,"rxtime":%.6f}}'
)


@dataclass(frozen=True, slots=True)
class Copy:
    """One uplink as one gateway tells it."""

    gateway: int
    message: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run sends."""

    fleet: Fleet
    uplinks: int
    run: int
    first_fcnt: int = 0
    copies: int = 1
    """By how many gateways every uplink is heard. A device stays where it is: they are the same
    ones each time, so that its frames arrive in order however far behind the server is."""
    payload_size: int = 16
    seed: int = 1

    def build(self) -> list[tuple[Copy, ...]]:
        """Uplinks in the order of sending: every device once, in random order, then again."""
        chance = random.Random(self.seed)
        order = list(range(self.fleet.devices))
        chance.shuffle(order)
        devices = [self.fleet.device(index) for index in order]
        return [
            self._uplink(
                devices[number % len(devices)],
                number,
                self.first_fcnt + number // len(devices),
                chance,
            )
            for number in range(self.uplinks)
        ]

    @property
    def next_fcnt(self) -> int:
        """Where a following run has to begin."""
        return self.first_fcnt + -(-self.uplinks // self.fleet.devices)

    def _uplink(
        self, device: FleetDevice, number: int, fcnt: int, chance: random.Random
    ) -> tuple[Copy, ...]:
        payload = _IDENTITY.pack(self.run, number).ljust(self.payload_size, b"\x5a")
        phy = data_frame(device, fcnt, payload)
        fields = (
            int.from_bytes(phy[1:5], "little", signed=True),
            phy[5],
            fcnt & 0xFFFF,
            FPORT,
            phy[9:-4].hex(),
            int.from_bytes(phy[-4:], "little", signed=True),
            DATA_RATE,
            FREQUENCIES_HZ[number % len(FREQUENCIES_HZ)],
        )
        home = int.from_bytes(device.dev_eui[4:], "big")
        return tuple(
            Copy((home + n) % self.fleet.gateways, _told(fields, number, chance))
            for n in range(self.copies)
        )


def data_frame(device: FleetDevice, fcnt: int, payload: bytes) -> bytes:
    """The PHYPayload of an unconfirmed uplink."""
    ciphertext = crypt_frm_payload(
        device.keys.app_s_key, payload, device.dev_addr, fcnt, uplink=True
    )
    frame = DataUp(
        MType.UNCONFIRMED_DATA_UP,
        device.dev_addr,
        fcnt16=fcnt & 0xFFFF,
        fport=FPORT,
        frm_payload=ciphertext,
    )
    message = frame.to_bytes()[:-4]
    return message + data_up_mic_1_0(device.keys.f_nwk_s_int_key, message, device.dev_addr, fcnt)


def _told(fields: tuple[int | str, ...], number: int, chance: random.Random) -> bytes:
    xtime = 1 << 48 | number * 1000
    reception = (xtime, -40 - chance.randrange(80), chance.randrange(-40, 44) / 4, 1.7e9)
    return (_MESSAGE % (*fields, *reception)).encode()


def identify(message: bytes) -> tuple[int, int] | None:
    """Run and number of the uplink in a delivered message, ``None`` if it is not one of ours."""
    at = message.find(MARK) + len(MARK)
    if at < len(MARK):
        at = message.find(MARK_SPACED) + len(MARK_SPACED)
        if at < len(MARK_SPACED):
            return None
    try:
        payload = b64decode(message[at : at + 12])
    except ValueError:
        return None
    if len(payload) < _IDENTITY.size:
        return None
    run, number = _IDENTITY.unpack_from(payload)
    return run, number


def arrivals(rate: float, count: int, seed: int) -> Sequence[float]:
    """Seconds after the start: independent devices, so exponential gaps."""
    chance = random.Random(seed)
    at, times = 0.0, []
    for _ in range(count):
        at += chance.expovariate(rate)
        times.append(at)
    return times
