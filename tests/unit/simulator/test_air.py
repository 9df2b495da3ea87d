from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

import pytest

from bittern.lorawan.class_b import next_ping_slot
from bittern.lorawan.crypto import SessionKeys, data_down_mic
from bittern.lorawan.frame import DataDown, MType
from bittern.lorawan.versions import MacVersion
from bittern.simulator.air import Air, Hearing
from bittern.simulator.complaint import Complaint, DeviceComplaint
from bittern.simulator.device import Abp, DownlinkReceived, SimulatedDevice
from bittern.simulator.radio import Emission
from bittern.simulator.regions import EU868, Modulation
from bittern.simulator.station import RadioTransmission
from bittern.types import EUI64, DevAddr, DevEUI

DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001c0530"))
DEV_ADDR = DevAddr.from_hex("26011b2c")
KEYS = SessionKeys.of_1_0(bytes([1] * 16), bytes([2] * 16))
NOW_US = 3_000_000


@dataclass
class RecordingAntenna:
    heard: list[tuple[Emission, int, int, float]] = field(default_factory=list)

    def hear(self, emission: Emission, ended_us: int, rssi_dbm: int, snr_db: float) -> None:
        self.heard.append((emission, ended_us, rssi_dbm, snr_db))


def a_device(device_class: str = "A") -> SimulatedDevice:
    return SimulatedDevice(
        dev_eui=DEV_EUI,
        activation=Abp(dev_addr=DEV_ADDR, keys=KEYS),
        version=MacVersion.LORAWAN_1_0_3,
        region=EU868,
        chance=random.Random(1),
        device_class=device_class,
    )


def an_air() -> Air:
    return Air(clock_us=lambda: NOW_US)


def a_transmission(device: SimulatedDevice, at_us: int, fcnt: int = 0, **changes):
    message = DataDown(MType.UNCONFIRMED_DATA_DOWN, DEV_ADDR, fcnt16=fcnt).to_bytes()[:-4]
    fields = {
        "downlink_id": 1,
        "dev_eui": device.dev_eui,
        "phy_payload": message + data_down_mic(KEYS.s_nwk_s_int_key, message, DEV_ADDR, fcnt),
        "window": "RX1",
        "at_us": at_us,
        "frequency_hz": device.sent.frequency_hz if device.sent else 868_100_000,
        "data_rate": 5,
        "modulation": Modulation(7, 125),
        "rctx": 0,
    }
    return RadioTransmission(**(fields | changes))


def test_every_gateway_in_reach_hears_the_uplink() -> None:
    air, device, near, far = an_air(), a_device(), RecordingAntenna(), RecordingAntenna()
    device.uplink(b"a", 1)
    air.send(device, [Hearing(near, -40, 9.0), Hearing(far, -110, -5.0)])
    assert near.heard == [(device.sent, NOW_US, -40, 9.0)]
    assert far.heard == [(device.sent, NOW_US, -110, -5.0)]


def test_device_without_an_uplink_sends_nothing() -> None:
    with pytest.raises(ValueError, match="nothing to send"):
        an_air().send(a_device(), [])


async def test_exchange_returns_what_came_in_rx1() -> None:
    air, device = an_air(), a_device()
    device.uplink(b"a", 1)
    exchange = asyncio.create_task(air.exchange(device, []))
    await asyncio.sleep(0)
    air.transmit(a_transmission(device, NOW_US + 1_000_000))
    received = await exchange
    assert isinstance(received, DownlinkReceived)
    assert received.fcnt == 0


async def test_rx2_counts_from_the_same_uplink() -> None:
    air, device = an_air(), a_device()
    device.uplink(b"a", 1)
    exchange = asyncio.create_task(air.exchange(device, []))
    await asyncio.sleep(0)
    rx2 = {"frequency_hz": 869_525_000, "modulation": Modulation(12, 125)}
    air.transmit(a_transmission(device, NOW_US + 2_000_015, **rx2))
    assert await exchange is not None


@pytest.mark.parametrize(
    ("after_us", "changes"),
    [
        (1_000_021, {}),
        (999_979, {}),
        (2_000_000, {}),
        (1_000_000, {"frequency_hz": 868_900_000}),
        (1_000_000, {"modulation": Modulation(8, 125)}),
    ],
)
async def test_frame_outside_the_windows_is_complained_about(after_us: int, changes) -> None:
    air, device = an_air(), a_device()
    device.uplink(b"a", 1)
    exchange = asyncio.create_task(air.exchange(device, []))
    await asyncio.sleep(0)
    air.transmit(a_transmission(device, NOW_US + after_us, **changes))
    with pytest.raises(DeviceComplaint, match="RX1 at 1 s, 868") as caught:
        await exchange
    assert caught.value.complaint is Complaint.OUTSIDE_WINDOWS
    assert air.complaints == [caught.value]


def test_windows_close_after_a_frame() -> None:
    air, device = an_air(), a_device()
    device.uplink(b"a", 1)
    air.send(device, [])
    heard = []
    air.on_received = lambda who, what: heard.append((who, what.fcnt))
    air.transmit(a_transmission(device, NOW_US + 1_000_000))
    air.transmit(a_transmission(device, NOW_US + 1_000_000, fcnt=1))
    assert heard == [(device, 0)]
    assert "open were no window" in air.complaints[0].detail


def test_class_c_device_always_listens_in_rx2() -> None:
    air, device = an_air(), a_device("C")
    air.add(device)
    rx2 = {"frequency_hz": 869_525_000, "modulation": Modulation(12, 125)}
    air.transmit(a_transmission(device, NOW_US + 123_456_789, **rx2))
    assert air.complaints == []
    air.transmit(a_transmission(device, NOW_US + 123_456_789, fcnt=1))
    assert air.complaints[0].complaint is Complaint.OUTSIDE_WINDOWS


def test_frame_for_nobody_is_complained_about() -> None:
    air, device = an_air(), a_device()
    air.transmit(a_transmission(device, 0))
    assert "no such device" in str(air.complaints[0])


def test_complaint_without_a_waiting_exchange_is_kept() -> None:
    air, device = an_air(), a_device()
    device.uplink(b"a", 1)
    air.send(device, [])
    air.transmit(a_transmission(device, NOW_US + 1_000_000, phy_payload=b"\x60" + bytes(11)))
    assert [c.complaint for c in air.complaints] == [Complaint.WRONG_DEV_ADDR]


# Class B


def a_device_of_class_b() -> SimulatedDevice:
    device = a_device("B")
    device.desk.ping_slot_periodicity = 0
    return device


def a_slot_us(air: Air, device: SimulatedDevice) -> int:
    """The clock at a ping slot."""
    return next_ping_slot(air.gps_offset_us + NOW_US, DEV_ADDR, 0).gps_time_us - air.gps_offset_us


@pytest.mark.parametrize(("off_us", "complaints"), [(0, 0), (30_000, 1), (-500, 1)])
def test_class_b_hears_in_its_ping_slots_only(off_us: int, complaints: int) -> None:
    air, device = an_air(), a_device_of_class_b()
    air.gps_offset_us = 1_234_567_890_123
    air.add(device)
    at_us = a_slot_us(air, device) + off_us
    air.transmit(
        a_transmission(device, at_us, frequency_hz=869_525_000, modulation=Modulation(9, 125))
    )
    assert len(air.complaints) == complaints


def test_without_having_told_its_slots_a_device_opens_none() -> None:
    air, device = an_air(), a_device("B")
    air.add(device)
    at_us = a_slot_us(air, device)
    air.transmit(
        a_transmission(device, at_us, frequency_hz=869_525_000, modulation=Modulation(9, 125))
    )
    assert len(air.complaints) == 1


def test_a_frame_between_uplinks_leaves_the_windows_of_the_last_one_open() -> None:
    air, device = an_air(), a_device("C")
    device.uplink(b"a", 1)
    air.send(device, [])
    rx2 = {"frequency_hz": 869_525_000, "modulation": Modulation(12, 125)}
    air.transmit(a_transmission(device, NOW_US + 300_000, fcnt=0, **rx2))
    air.transmit(a_transmission(device, NOW_US + 1_000_000, fcnt=1))
    assert air.complaints == []
