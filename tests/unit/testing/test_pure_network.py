from __future__ import annotations

import random

import msgspec
import pytest

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.mac.refused import Refused
from bittern.mac.uplink import Accepted, Retransmission
from bittern.simulator.device import Abp, Otaa, SimulatedDevice
from bittern.simulator.ping_slots import slot_beginning
from bittern.simulator.regions import device_region
from bittern.store.records import DeviceProfile, ServiceProfile
from bittern.testing import examples
from bittern.testing.pure_network import PureNetwork
from bittern.types import EUI64, AppKey, DevAddr, DevEUI, Instant, JoinEUI, NetID, NwkKey

NOW = Instant(1_700_000_000.0)
DEV_EUI = DevEUI(EUI64.from_hex("0004a30b001c0530"))
ADDRESS = DevAddr.from_hex("26000001")
KEYS = SessionKeys.of_1_0(bytes(16), bytes(range(16)))
OTAA = Otaa(
    join_eui=JoinEUI(EUI64.from_hex("70b3d57ed0000001")),
    app_key=AppKey(bytes([8]) * 16),
    nwk_key=NwkKey(bytes([7]) * 16),
)


def a_network(version: MacVersion = MacVersion.LORAWAN_1_0_4) -> PureNetwork:
    network = PureNetwork(
        DEV_EUI,
        profile=DeviceProfile(id="sensor", mac_version=version),
        policy=ServiceProfile(id="standard"),
        net_id=NetID.from_hex("000013"),
        now=NOW,
        credentials=OTAA,
    )
    network.personalize(ADDRESS, KEYS)
    return network


def a_device(version: MacVersion = MacVersion.LORAWAN_1_0_4) -> SimulatedDevice:
    is_1_1 = version is MacVersion.LORAWAN_1_1
    return SimulatedDevice(
        dev_eui=DEV_EUI,
        activation=OTAA if is_1_1 else Abp(dev_addr=ADDRESS, keys=KEYS),
        version=version,
        region=device_region("EU868"),
        chance=random.Random(1),
    )


def heard(network: PureNetwork, device: SimulatedDevice):
    sent = device.sent
    return network.hear(sent.phy_payload, sent.data_rate, sent.frequency_hz)


def answer(network: PureNetwork, device: SimulatedDevice):
    opened = heard(network, device)
    assert isinstance(opened, Accepted)
    return network.answer(opened, device.sent.data_rate, device.sent.frequency_hz)


def test_an_uplink_is_delivered_and_answered() -> None:
    network, device = a_network(), a_device()
    message = examples.downlink(payload=b"open", fport=7, confirmed=True)
    network.queue.append(message)
    device.uplink(b"hello", 10)
    down = answer(network, device)
    assert network.delivered == [b"hello"]
    # The new channels take no room from the message here.
    received = device.receive(down.composed.phy_payload)
    assert received.payload == b"open"
    device.uplink(b"", 10)
    answer(network, device)
    assert network.acked == [message.message_id]
    assert network.queue == []


def test_what_was_not_answered_is_not_stored() -> None:
    network, device = a_network(), a_device()
    device.uplink(b"hello", 10)
    assert isinstance(heard(network, device), Accepted)
    assert network.sessions[0].fcnt_up == -1
    assert network.delivered == []


def test_a_repetition_is_told_from_a_new_frame() -> None:
    network, device = a_network(), a_device()
    device.uplink(b"hello", 10)
    answer(network, device)
    device.retransmit()
    assert isinstance(heard(network, device), Retransmission)
    assert network.delivered == [b"hello"]


def test_a_stale_session_is_not_replaced() -> None:
    network = a_network()
    (session,) = network.sessions
    after = msgspec.structs.replace(session, revision=1)
    network.replace(session, after)
    with pytest.raises(AssertionError, match="moved on"):
        network.replace(session, after)


def test_a_device_joins_and_rejoins() -> None:
    network, device = a_network(MacVersion.LORAWAN_1_1), a_device(MacVersion.LORAWAN_1_1)
    network.sessions = []
    device.join_request()
    granted = network.join(device.sent.phy_payload, device.sent.frequency_hz)
    device.receive(granted.phy_payload)
    assert isinstance(network.join(device.sent.phy_payload, device.sent.frequency_hz), Refused)
    device.rejoin_request(0)
    granted = network.join(device.sent.phy_payload, device.sent.frequency_hz)
    device.receive(granted.phy_payload)
    assert [session.pending for session in network.sessions] == [False, True]


def test_other_profiles_are_wanted_at_once() -> None:
    network = a_network()
    network.want(msgspec.structs.replace(network.profile, rx1_delay_s=5), network.policy)
    assert network.wanted.rx1_delay_s == 5


def of_class(network: PureNetwork, **classes: bool) -> None:
    network.want(msgspec.structs.replace(network.profile, **classes), network.policy)


def test_a_device_of_class_c_is_sent_its_messages_at_once() -> None:
    network, device = a_network(), a_device()
    network.queue.append(examples.downlink())
    assert network.push() is None
    of_class(network, supports_class_c=True)
    pushed = network.push()
    assert (pushed.served, pushed.slot) == ("C", None)
    window = device.radio.rx2_window()
    assert pushed.composed.windows.rx2 == (window.data_rate, window.frequency_hz)
    assert device.receive(pushed.composed.phy_payload, window=window).payload == b"open the valve"
    assert network.queue == []


def test_a_device_of_class_b_is_sent_its_messages_in_a_ping_slot() -> None:
    network, device = a_network(), a_device()
    of_class(network, supports_class_b=True)
    device.desk.tell_ping_slots(0)
    device.uplink()
    device.receive(answer(network, device).composed.phy_payload)
    device.find_beacon()
    device.uplink()
    answer(network, device)
    network.queue.append(examples.downlink())
    pushed = network.push()
    assert pushed.served == "B"
    assert slot_beginning(pushed.slot.gps_time_us, ADDRESS, 0)


def test_a_restart_leaves_what_a_store_keeps() -> None:
    network, device = a_network(MacVersion.LORAWAN_1_1), a_device(MacVersion.LORAWAN_1_1)
    network.sessions = []
    device.join_request()
    device.receive(network.join(device.sent.phy_payload, device.sent.frequency_hz).phy_payload)
    device.uplink(b"hello", 10)
    answer(network, device)
    network.queue.append(examples.downlink())
    before = network.sessions, network.join_state, network.queue
    network.restart()
    assert (network.sessions, network.join_state, network.queue) == before
    assert network.sessions[0] is not before[0][0]
