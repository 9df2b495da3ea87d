"""From an empty folder to a device that is heard and answered, by a script written for AWS: boto3
makes the rule, the destination, the profiles, the gateway with its certificate and the device; the
gateway comes up through CUPS with what the script was given.
"""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from bittern.simulator.air import Air, Hearing
from bittern.simulator.device import DownlinkReceived, Joined, SimulatedDevice
from bittern.testing.genuine_station import VARIABLE, station_binary
from bittern.testing.program import Program

sys.path.insert(0, str(Path(__file__).parent))
from meter_site import (
    APP_KEY,
    DEVICE,
    EVENTS,
    GATEWAY,
    JOIN_EUI,
    TOPIC,
    Heard,
    field_of,
    meter,
    subscriber,
)

pytestmark = pytest.mark.e2e

GENUINE = pytest.param(
    "genuine",
    marks=[
        pytest.mark.station,
        pytest.mark.skipif(station_binary() is None, reason=f"{VARIABLE} names no Basics Station"),
    ],
)

ROLE = "arn:aws:iam::000000000000:role/any"
DEVICE_EVENT = "lorawan/wireless_devices"
GATEWAY_EVENT = "lorawan/wireless_gateways"
SQL = (
    "SELECT PayloadData AS payload, WirelessDeviceId AS id, WirelessMetadata.LoRaWAN AS lorawan,"
    " topic() AS topic"
)


class Script:
    """What somebody has who used AWS until yesterday, but for the endpoint and the key."""

    def __init__(self, endpoint: str, key: dict[str, str]) -> None:
        def client(name: str) -> Any:
            return boto3.client(
                name,
                endpoint_url=endpoint,
                region_name="eu-west-1",
                aws_access_key_id=key["id"],
                aws_secret_access_key=key["secret_access_key"],
                config=Config(retries={"total_max_attempts": 1}),
            )

        self.iot, self.wireless = client("iot"), client("iotwireless")

    def set_up(self, home: Path) -> tuple[str, str]:
        """The ids of the device and of the gateway, whose files for CUPS are in ``home``."""
        self.iot.create_topic_rule(
            ruleName="meters",
            topicRulePayload={
                "sql": SQL,
                "actions": [{"republish": {"roleArn": ROLE, "topic": TOPIC, "qos": 1}}],
            },
        )
        self.wireless.create_destination(
            Name="meters", ExpressionType="RuleName", Expression="meters", RoleArn=ROLE
        )
        self.wireless.update_event_configuration_by_resource_types(
            Join={"LoRaWAN": {"WirelessDeviceEventTopic": "Enabled"}},
            ConnectionStatus={"LoRaWAN": {"WirelessGatewayEventTopic": "Enabled"}},
        )
        return self._device(), self._gateway(home)

    def _device(self) -> str:
        profile = self.wireless.create_device_profile(
            Name="meter",
            LoRaWAN={
                "MacVersion": "1.0.3",
                "RegParamsRevision": "Regional Parameters v1.0.3rA",
                "RfRegion": "EU868",
                "SupportsJoin": True,
                "RxDelay1": 1,
            },
        )
        service = self.wireless.create_service_profile(
            Name="with metadata", LoRaWAN={"AddGwMetadata": True}
        )
        made = self.wireless.create_wireless_device(
            Type="LoRaWAN",
            Name="meter 1",
            DestinationName="meters",
            LoRaWAN={
                "DevEui": str(DEVICE),
                "DeviceProfileId": profile["Id"],
                "ServiceProfileId": service["Id"],
                "OtaaV1_0_x": {"AppKey": APP_KEY, "AppEui": str(JOIN_EUI)},
            },
        )
        return str(made["Id"])

    def _gateway(self, home: Path) -> str:
        gateway = self.wireless.create_wireless_gateway(
            Name="roof", LoRaWAN={"GatewayEui": str(GATEWAY), "RfRegion": "EU868"}
        )
        made = self.iot.create_keys_and_certificate(setAsActive=True)
        self.wireless.associate_wireless_gateway_with_certificate(
            Id=gateway["Id"], IotCertificateId=made["certificateId"]
        )
        place = self.wireless.get_service_endpoint(ServiceType="CUPS")
        home.mkdir()
        (home / "cups.uri").write_text(place["ServiceEndpoint"])
        (home / "cups.trust").write_text(place["ServerTrust"])
        (home / "cups.crt").write_text(made["certificatePem"])
        (home / "cups.key").write_text(made["keyPair"]["PrivateKey"])
        return str(gateway["Id"])


async def call(operation: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
    """Beside the event loop, on which the radio is."""
    answer: dict[str, Any] = await asyncio.to_thread(lambda: operation(**parameters))
    return answer


async def until(
    satisfied: Callable[[dict[str, Any]], bool], operation: Callable[..., Any], **parameters: Any
) -> dict[str, Any]:
    """The first answer that is: statistics are written within a second."""
    async with asyncio.timeout(20):
        while not satisfied(answer := await call(operation, **parameters)):
            await asyncio.sleep(0.2)
    return answer


@pytest.mark.parametrize("kind", ["simulated", GENUINE])
async def test_a_script_for_aws_brings_up_a_network(tmp_path: Path, kind: str) -> None:
    program, home, device = Program(tmp_path), tmp_path / "station", meter()
    async with program.serving() as ready:
        script = Script(ready["api"], await program.json("access-key", "add"))
        wireless = script.wireless
        async with subscriber(program) as heard:
            device_id, gateway_id = await asyncio.to_thread(script.set_up, home)

            await call(wireless.test_wireless_device, Id=device_id)
            tested = await heard.on(TOPIC)
            assert base64.b64decode(tested["payload"]) == b"Hello"
            assert tested["id"] == device_id

            async with field_of(kind, home) as (air, hearing):
                await _comes_up(heard, wireless, gateway_id)
                device.join_request()
                assert isinstance(await air.exchange(device, [hearing]), Joined)
                await _has_joined(heard, device_id)

                device.uplink(b"42.0 kWh", fport=5)
                await air.exchange(device, [hearing])
                _is_as_aws_writes_it(await heard.on(TOPIC), device_id, device)
                await _statistics_are_right(wireless, device_id, gateway_id, device)

                await _is_answered(wireless, device_id, device, air, hearing)
                assert air.complaints == []
            gone = await heard.on(f"{EVENTS}/connection_status/disconnected/{GATEWAY_EVENT}")
            assert gone["WirelessGatewayId"] == gateway_id
            told = await until(
                lambda answer: "LastUplinkReceivedAt" in answer,  # told at the end, if not before
                wireless.get_wireless_gateway_statistics,
                WirelessGatewayId=gateway_id,
            )
            assert told["ConnectionStatus"] == "Disconnected"


async def _comes_up(heard: Heard, wireless: Any, gateway_id: str) -> None:
    event = await heard.on(f"{EVENTS}/connection_status/connected/{GATEWAY_EVENT}")
    assert (event["eventType"], event["WirelessGatewayId"]) == ("connected", gateway_id)
    assert event["LoRaWAN"]["GatewayEui"] == str(GATEWAY)
    certificates = await call(wireless.get_wireless_gateway_certificate, Id=gateway_id)
    assert len(certificates["LoRaWANNetworkServerCertificateId"]) == 64
    assert certificates["LoRaWANNetworkServerCertificateId"] != certificates["IotCertificateId"]


async def _has_joined(heard: Heard, device_id: str) -> None:
    for kind in ("join_req_received", "join_accepted"):
        event = await heard.on(f"{EVENTS}/join/{kind}/{DEVICE_EVENT}")
        assert (event["eventType"], event["WirelessDeviceId"]) == (kind, device_id)
        assert event["LoRaWAN"]["DevEui"] == str(DEVICE)


def _is_as_aws_writes_it(told: dict[str, Any], device_id: str, device: SimulatedDevice) -> None:
    """Text for the frequency and the data rate, numbers for the rest."""
    assert device.sent is not None
    assert base64.b64decode(told["payload"]) == b"42.0 kWh"
    assert told["id"] == device_id
    metadata = told["lorawan"]
    assert metadata["DevEui"] == str(DEVICE)
    assert (metadata["FCnt"], metadata["FPort"]) == (0, 5)
    assert metadata["DataRate"] == str(device.sent.data_rate)
    assert metadata["Frequency"] == str(device.sent.frequency_hz)
    assert [one["GatewayEui"] for one in metadata["Gateways"]] == [str(GATEWAY)]


async def _statistics_are_right(
    wireless: Any, device_id: str, gateway_id: str, device: SimulatedDevice
) -> None:
    """A number for the data rate, which is text in the message."""
    assert device.sent is not None
    told = await until(
        lambda answer: "LoRaWAN" in answer,
        wireless.get_wireless_device_statistics,
        WirelessDeviceId=device_id,
    )
    lorawan = told["LoRaWAN"]
    assert (lorawan["DevEui"], lorawan["DataRate"]) == (str(DEVICE), device.sent.data_rate)
    assert lorawan["Timestamp"] == told["LastUplinkReceivedAt"]
    told = await call(wireless.get_wireless_gateway_statistics, WirelessGatewayId=gateway_id)
    assert told["ConnectionStatus"] == "Connected"


async def _is_answered(
    wireless: Any, device_id: str, device: SimulatedDevice, air: Air, hearing: Hearing
) -> None:
    sent = await call(
        wireless.send_data_to_wireless_device,
        Id=device_id,
        TransmitMode=1,
        PayloadData=base64.b64encode(b"open the valve").decode(),
        WirelessMetadata={"LoRaWAN": {"FPort": 9}},
    )
    assert sent["ResponseMetadata"]["HTTPStatusCode"] == 202
    queue = await call(wireless.list_queued_messages, Id=device_id)
    assert [one["MessageId"] for one in queue["DownlinkQueueMessagesList"]] == [sent["MessageId"]]
    device.uplink(b"anything?", fport=5)
    received = await air.exchange(device, [hearing])
    assert isinstance(received, DownlinkReceived)
    assert (received.payload, received.fport) == (b"open the valve", 9)
    device.uplink(b"done", fport=5)  # with the ACK
    await air.exchange(device, [hearing])
    await until(
        lambda answer: not answer.get("DownlinkQueueMessagesList"),
        wireless.list_queued_messages,
        Id=device_id,
    )
