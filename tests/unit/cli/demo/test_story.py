from __future__ import annotations

import base64
import json

import pytest

from bittern.cli.demo.story import DeviceState, Happening, Story
from bittern.simulator.device import DownlinkReceived, Joined
from bittern.types import EUI64, DevAddr, DevEUI, NetID

SILO = DevEUI(EUI64.from_hex("70b3d57ed0000005"))
GATEWAY = EUI64.from_hex("0016c001ff000001")


@pytest.fixture
def told() -> list[Happening]:
    return []


@pytest.fixture
def story(told: list[Happening]) -> Story:
    return Story(
        clock=lambda: 1.5,
        told=told.append,
        devices={SILO: DeviceState("silo", "OTAA 1.0.3 US915")},
        gateways={GATEWAY: "hill"},
    )


def message(fcnt: int = 0, payload: bytes = b"fill 71 %") -> bytes:
    """As it is at the destination, with fields that the demo does not read."""
    lorawan = {
        "DevEui": str(SILO),
        "FCnt": fcnt,
        "FPort": 2,
        "DataRate": "3",
        "Gateways": [{"GatewayEui": str(GATEWAY), "Rssi": -70, "Snr": 7.5}],
    }
    return json.dumps(
        {
            "MessageId": "m",
            "PayloadData": base64.b64encode(payload).decode(),
            "WirelessMetadata": {"LoRaWAN": lorawan},
        }
    ).encode()


def downlink(payload: bytes = b"report 1", fport: int | None = 2) -> DownlinkReceived:
    return DownlinkReceived(
        fcnt=3, fport=fport, payload=payload, confirmed=True, ack=False, fpending=False, commands=()
    )


JOINED = Joined(DevAddr.from_hex("00aabbcc"), NetID(bytes(3)), 1)


def test_uplink_that_arrived_as_it_was_sent_counts(story: Story, told: list[Happening]) -> None:
    story.sent(SILO, 0, b"fill 71 %")
    story.arrived(message())
    assert (story.uplinks, story.wrong) == (1, [])
    device = story.devices[SILO]
    assert (device.sent, device.arrived, device.last_payload) == (1, 1, "fill 71 %")
    (line,) = told
    assert (line.kind, line.who, line.at_s) == ("uplink", "silo", 1.5)
    assert line.text == "fill 71 %        FCnt 0 FPort 2, heard at -70 dBm"


def test_uplink_that_says_something_else_is_wrong(story: Story, told: list[Happening]) -> None:
    story.sent(SILO, 0, b"fill 72 %")
    story.arrived(message())
    assert story.uplinks == 0
    assert story.missing()[-1] == "silo: uplink 0 is not what it sent"
    assert told[-1].kind == "wrong"


def test_uplink_that_nobody_sent_is_wrong(story: Story) -> None:
    story.arrived(message(fcnt=9))
    assert story.wrong == ["silo: uplink 9 is not what it sent"]


def test_join_tells_the_address(story: Story, told: list[Happening]) -> None:
    story.received(SILO, JOINED)
    assert story.joins == 1
    assert story.devices[SILO].dev_addr == JOINED.dev_addr
    assert told[-1].text == "joined as 00aabbcc"


def test_downlink_counts_when_it_was_meant_for_the_device(
    story: Story, told: list[Happening]
) -> None:
    story.queued(SILO, b"report 1", "id")
    story.received(SILO, downlink())
    assert (story.downlinks, story.devices[SILO].downlinks) == (1, 1)
    assert [one.kind for one in told] == ["queued", "downlink"]
    assert "confirmed" in told[-1].text


def test_downlink_that_nobody_queued_is_wrong(story: Story) -> None:
    story.received(SILO, downlink(b"intruder"))
    assert story.downlinks == 0
    assert story.wrong == ["silo: downlink 3 was never sent to it"]


@pytest.mark.parametrize("fport", [None, 0])
def test_mac_commands_are_no_downlink_of_an_application(story: Story, fport: int | None) -> None:
    story.received(SILO, downlink(b"", fport))
    assert (story.downlinks, story.wrong) == (0, [])


def test_everything_is_missing_at_first_and_nothing_at_the_end(story: Story) -> None:
    assert len(story.missing()) == 3
    story.received(SILO, JOINED)
    assert story.missing() == [
        "no uplink arrived at the subscriber",
        "no downlink reached its device",
    ]
    story.sent(SILO, 0, b"fill 71 %")
    story.arrived(message())
    story.queued(SILO, b"report 1", "id")
    story.received(SILO, downlink())
    assert story.missing() == []


def test_gateway_is_told_by_its_name(story: Story, told: list[Happening]) -> None:
    story.gateway_connected(GATEWAY)
    assert (told[-1].kind, told[-1].who) == ("gateway", "hill")
