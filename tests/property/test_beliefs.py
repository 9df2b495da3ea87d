from __future__ import annotations

import random
import sys
from pathlib import Path

import msgspec
import pytest

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.simulator.device import Abp, SimulatedDevice
from bittern.simulator.regions import device_region
from bittern.store.records import DeviceProfile, ServiceProfile
from bittern.testing.pure_network import PureNetwork
from bittern.types import EUI64, DevAddr, DevEUI, Instant, NetID

sys.path.insert(0, str(Path(__file__).parent))
from beliefs import disagreements, known_of, truth_of

DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001c0530"))
ADDRESS = DevAddr.from_hex("26000001")
KEYS = SessionKeys.of_1_0(bytes(16), bytes(range(16)))


def a_pair() -> tuple[PureNetwork, SimulatedDevice]:
    """That has just met: one uplink was heard, its answer not."""
    version = MacVersion.LORAWAN_1_0_4
    network = PureNetwork(
        DEV_EUI,
        profile=DeviceProfile(id="sensor", mac_version=version, region="US915"),
        policy=ServiceProfile(id="standard", adr_algorithm="", dev_status_req_freq=0),
        net_id=NetID.from_hex("000013"),
        now=Instant(1_700_000_000.0),
    )
    network.personalize(ADDRESS, KEYS)
    device = SimulatedDevice(
        dev_eui=DEV_EUI,
        activation=Abp(dev_addr=ADDRESS, keys=KEYS),
        version=version,
        region=device_region("US915"),
        chance=random.Random(1),
    )
    device.uplink(b"", 1)
    sent = device.sent
    opened = network.hear(sent.phy_payload, sent.data_rate, sent.frequency_hz)
    network.answer(opened, sent.data_rate, sent.frequency_hz)
    return network, device


def differences(network: PureNetwork, device: SimulatedDevice) -> set[str]:
    return set(disagreements(network.sessions[0], network, device))


def test_who_has_just_met_agrees() -> None:
    network, device = a_pair()
    assert known_of(network.sessions[0], network).keys() == truth_of(device).keys()
    assert differences(network, device) == set()


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("windows", {"rx1_delay_s": 7}),
        ("enabled", {"enabled_channels": (0, 1)}),
        ("tx_power", {"tx_power": 3}),
        ("max_duty_cycle", {"max_duty_cycle": 2}),
        ("rejoin", {"rejoin_max_count_n": 2}),
        ("beacon", {"beacon_frequency_hz": 923_900_000}),
    ],
)
def test_whatever_differs_is_named(name: str, changed: dict[str, object]) -> None:
    network, device = a_pair()
    (session,) = network.sessions
    radio = msgspec.structs.replace(session.radio, **changed)
    network.sessions = [msgspec.structs.replace(session, radio=radio)]
    assert differences(network, device) == {name}


def test_a_device_may_have_moved_by_itself() -> None:
    network, device = a_pair()
    device.radio.data_rate = 1
    assert differences(network, device) == set()
    device.adr = True
    assert differences(network, device) == {"data_rate"}


def test_ping_slots_are_known_when_they_are_told() -> None:
    network, device = a_pair()
    (session,) = network.sessions
    radio = msgspec.structs.replace(session.radio, ping_slot_periodicity=3)
    network.sessions = [msgspec.structs.replace(session, radio=radio)]
    assert differences(network, device) == {"periodicity"}
    device.desk.tell_ping_slots(3)
    assert differences(network, device) == set()
