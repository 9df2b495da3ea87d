"""Rules, things, policies and messages with unmodified boto3 over HTTP, and what a device says."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import boto3
import pytest
import pytest_asyncio
from botocore.config import Config
from botocore.exceptions import ClientError

from bittern.lorawan.crypto import SessionKeys
from bittern.lorawan.versions import MacVersion
from bittern.simulator.air import Air, Hearing
from bittern.simulator.device import Abp, SimulatedDevice
from bittern.simulator.gateway import SimulatedGateway
from bittern.simulator.regions import device_region
from bittern.testing.program import Program
from bittern.types import EUI64, DevAddr, DevEUI, GatewayEUI

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ACCOUNT = "000000000000"
OTHER_ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
RULE = f"arn:aws:iot:us-east-1:{ACCOUNT}:rule/"
EUI = "00800000a0000077"
DEV_EUI = "70b3d57ed0000077"
NWK_S_KEY, APP_S_KEY = "11" * 16, "22" * 16
PROFILE = {
    "MacVersion": "1.0.3",
    "RegParamsRevision": "RP002-1.0.1",
    "RfRegion": "EU868",
    "SupportsJoin": False,
}
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}],
    }
)


class Site:
    """A running server, and clients of it."""

    def __init__(self, program: Program, ready: dict[str, Any]) -> None:
        self.program = program
        self.ready = ready

    async def client(self, service: str, *key: str | Path) -> Any:
        made = await self.program.json("access-key", "add", *key)
        return boto3.client(
            service,
            endpoint_url=self.ready["api"],
            region_name="us-east-1",
            aws_access_key_id=made["id"],
            aws_secret_access_key=made["secret_access_key"],
            config=Config(retries={"max_attempts": 1}),
        )

    def subscriber(self, **options: Any) -> aiomqtt.Client:
        password = (self.program.folder / "data" / "mqtt.password").read_text().strip()
        return aiomqtt.Client(
            "127.0.0.1",
            self.program.ports["MQTT"],
            username="bittern",
            password=password,
            protocol=aiomqtt.ProtocolVersion.V311,
            **options,
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One server for all: each test has names of its own."""
    program = Program(tmp_path_factory.mktemp("site"))
    async with program.serving() as ready:
        yield Site(program, ready)


async def call(operation: Callable[..., Any], **parameters: Any) -> Any:
    """Beside the event loop, which reads what the server has to say."""
    return await asyncio.to_thread(lambda: operation(**parameters))


async def refused(operation: Callable[..., Any], **parameters: Any) -> str:
    """The code of the error."""
    with pytest.raises(ClientError) as caught:
        await call(operation, **parameters)
    return str(caught.value.response["Error"]["Code"])


def republish(topic: str) -> dict[str, Any]:
    return {"republish": {"roleArn": ROLE, "topic": topic, "qos": 1}}


async def message(client: aiomqtt.Client, within_s: float = 15.0) -> aiomqtt.Message:
    async with asyncio.timeout(within_s):
        async for received in client.messages:
            return received
    raise AssertionError("the subscription ended")


class Meter:
    """A device and its gateway, both made with boto3, in a field of their own."""

    def __init__(self, home: Path) -> None:
        chance = random.Random(7)
        self.air = Air()
        self.gateway = SimulatedGateway(
            gateway_eui=GatewayEUI(EUI64.from_hex(EUI)), home=home, air=self.air, chance=chance
        )
        keys = SessionKeys.of_1_0(bytes.fromhex(NWK_S_KEY), bytes.fromhex(APP_S_KEY))
        self.device = SimulatedDevice(
            dev_eui=DevEUI(EUI64.from_hex(DEV_EUI)),
            activation=Abp(dev_addr=DevAddr.from_hex("01020304"), keys=keys),
            version=MacVersion.LORAWAN_1_0_3,
            region=device_region("EU868"),
            chance=chance,
        )

    def says(self, payload: bytes) -> None:
        self.device.uplink(payload, 10)
        self.air.send(self.device, [Hearing(self.gateway)])


async def register(site: Site, home: Path, destination: str) -> Meter:
    """What a script for AWS does; the station's files are what it is told."""
    iot, wireless = await site.client("iot"), await site.client("iotwireless")
    gateway = await call(
        wireless.create_wireless_gateway, LoRaWAN={"GatewayEui": EUI, "RfRegion": "EU868"}
    )
    made = await call(iot.create_keys_and_certificate, setAsActive=True)
    await call(
        wireless.associate_wireless_gateway_with_certificate,
        Id=gateway["Id"],
        IotCertificateId=made["certificateId"],
    )
    place = await call(wireless.get_service_endpoint, ServiceType="LNS")
    (home / "tc.uri").write_text(place["ServiceEndpoint"])
    (home / "tc.trust").write_text(place["ServerTrust"])
    (home / "tc.crt").write_text(made["certificatePem"])
    (home / "tc.key").write_text(made["keyPair"]["PrivateKey"])
    profile = await call(wireless.create_device_profile, LoRaWAN=PROFILE)
    service = await call(wireless.create_service_profile)
    await call(
        wireless.create_wireless_device,
        Type="LoRaWAN",
        DestinationName=destination,
        LoRaWAN={
            "DevEui": DEV_EUI,
            "DeviceProfileId": profile["Id"],
            "ServiceProfileId": service["Id"],
            "AbpV1_0_x": {
                "DevAddr": "01020304",
                "SessionKeys": {"NwkSKey": NWK_S_KEY, "AppSKey": APP_S_KEY},
            },
        },
    )
    return Meter(home)


async def test_a_rule_made_by_boto3_delivers_what_a_device_says(site: Site, tmp_path: Path) -> None:
    iot, wireless = await site.client("iot"), await site.client("iotwireless")
    sql = "SELECT PayloadData AS data, WirelessMetadata.LoRaWAN.DevEui AS eui"
    payload = {"sql": sql, "actions": [republish("meters/${WirelessMetadata.LoRaWAN.FPort}")]}
    await call(iot.create_topic_rule, ruleName="meters", topicRulePayload=payload)
    await call(
        wireless.create_destination,
        Name="to_meters",
        ExpressionType="RuleName",
        Expression="meters",
        RoleArn=ROLE,
    )
    meter = await register(site, tmp_path, "to_meters")
    async with meter.gateway, site.subscriber() as client:
        await client.subscribe("meters/#", qos=1)
        await client.subscribe("valves/#", qos=1)
        await asyncio.wait_for(meter.gateway.configured.wait(), 15)
        meter.says(b"one")
        got = await message(client)
        assert str(got.topic) == "meters/10"
        assert json.loads(got.payload) == {
            "data": base64.b64encode(b"one").decode(),
            "eui": DEV_EUI,
        }

        await call(iot.disable_topic_rule, ruleName="meters")
        meter.says(b"two")
        assert (await buried(site, 1))[0]["reason"] == "rule_disabled"

        replaced = {"sql": "SELECT VALUE PayloadData", "actions": [republish("valves/1")]}
        await call(iot.replace_topic_rule, ruleName="meters", topicRulePayload=replaced)
        meter.says(b"three")
        got = await message(client)
        assert str(got.topic) == "valves/1"
        assert json.loads(got.payload) == base64.b64encode(b"three").decode()

        await call(iot.delete_topic_rule, ruleName="meters")
        meter.says(b"four")
        assert (await buried(site, 2))[1]["reason"] == "rule_not_found"


async def buried(site: Site, count: int) -> list[dict[str, Any]]:
    """The messages that went nowhere, once there are so many."""
    async with asyncio.timeout(20):
        while True:
            found: list[dict[str, Any]] = await site.program.json("dead-letter", "list")
            if len(found) >= count:
                return found
            await asyncio.sleep(0.2)


async def test_a_rule_of_the_command_line_is_that_of_the_api(site: Site) -> None:
    iot = await site.client("iot")
    file = json.dumps({"file": {"path": "a.jsonl"}})
    sql = "SELECT * FROM 'a/+'"
    await site.program.run("rule", "add", "shared", "--sql", sql, "--action", file)
    told = await call(iot.get_topic_rule, ruleName="shared")
    assert told["ruleArn"] == f"{RULE}shared"
    assert (told["rule"]["sql"], told["rule"]["actions"]) == (sql, [])
    assert "bittern rule show shared" in told["rule"]["description"]
    listed = (await call(iot.list_topic_rules, topic="a/1"))["rules"]
    assert [(one["ruleName"], one["topicPattern"]) for one in listed] == [("shared", "a/+")]
    await call(iot.delete_topic_rule, ruleName="shared")
    assert await refused(iot.get_topic_rule, ruleName="shared") == "UnauthorizedException"


async def test_a_mistake_in_a_rule_is_told_where_it_is(site: Site) -> None:
    iot = await site.client("iot")
    payload = {"sql": "SELECT tpic() AS t FROM 'a'", "actions": [republish("b")]}
    with pytest.raises(iot.exceptions.SqlParseException, match="line 1, column 8"):
        await call(iot.create_topic_rule, ruleName="wrong", topicRulePayload=payload)
    payload = {
        "sql": "SELECT 1 AS a",
        "actions": [{"iotEvents": {"inputName": "i", "roleArn": ROLE}}],
    }
    with pytest.raises(iot.exceptions.InvalidRequestException, match="'iotEvents'"):
        await call(iot.create_topic_rule, ruleName="wrong", topicRulePayload=payload)


async def test_a_thing_stands_for_a_gateway_and_has_a_certificate(site: Site) -> None:
    iot, wireless = await site.client("iot"), await site.client("iotwireless")
    thing = await call(
        iot.create_thing, thingName="roof", attributePayload={"attributes": {"site": "north"}}
    )
    made = await call(iot.create_keys_and_certificate, setAsActive=True)
    arn = made["certificateArn"]
    await call(iot.create_policy, policyName="gateways", policyDocument=POLICY)
    await call(iot.attach_policy, policyName="gateways", target=arn)
    await call(iot.attach_thing_principal, thingName="roof", principal=arn)
    gateway = await call(
        wireless.create_wireless_gateway,
        LoRaWAN={"GatewayEui": "00800000a0000078", "RfRegion": "EU868"},
    )
    await call(
        wireless.associate_wireless_gateway_with_thing,
        Id=gateway["Id"],
        ThingArn=thing["thingArn"],
    )
    told = await call(wireless.get_wireless_gateway, Identifier="roof", IdentifierType="ThingName")
    assert (told["Id"], told["ThingName"]) == (gateway["Id"], "roof")
    assert (await call(iot.list_principal_things, principal=arn))["things"] == ["roof"]
    listed = await call(iot.list_attached_policies, target=arn)
    assert [one["policyName"] for one in listed["policies"]] == ["gateways"]
    assert await refused(iot.delete_thing, thingName="roof") == "InvalidRequestException"
    assert await refused(iot.delete_policy, policyName="gateways") == "DeleteConflictException"
    await call(wireless.disassociate_wireless_gateway_from_thing, Id=gateway["Id"])
    await call(iot.detach_thing_principal, thingName="roof", principal=arn)
    await call(iot.detach_policy, policyName="gateways", target=arn)
    await call(iot.delete_thing, thingName="roof")
    await call(iot.delete_policy, policyName="gateways")
    assert await refused(iot.describe_thing, thingName="roof") == "ResourceNotFoundException"


async def test_a_message_of_a_program_reaches_subscribers_and_is_retained(site: Site) -> None:
    data = await site.client("iot-data")
    async with site.subscriber() as client:
        await client.subscribe("site/#", qos=1)
        await call(
            data.publish,
            topic="site/a b",
            qos=1,
            retain=True,
            payload=b"\x00on",
            userProperties=json.dumps([{"by": "script"}]),
        )
        got = await message(client)
        assert (str(got.topic), got.payload, got.qos) == ("site/a b", b"\x00on", 1)
    async with site.subscriber() as late:
        await late.subscribe("site/#", qos=1)
        got = await message(late)
        assert (got.payload, got.retain) == (b"\x00on", True)
    told = await call(data.get_retained_message, topic="site/a b")
    assert (told["payload"], told["qos"]) == (b"\x00on", 1)
    listed = (await call(data.list_retained_messages))["retainedTopics"]
    assert [(one["topic"], one["payloadSize"]) for one in listed] == [("site/a b", 3)]
    await call(data.publish, topic="site/a b", retain=True)
    gone = await refused(data.get_retained_message, topic="site/a b")
    assert gone == "ResourceNotFoundException"
    assert await refused(data.publish, topic="$aws/events") == "InvalidRequestException"


async def test_what_a_client_retains_is_told_to_programs(site: Site) -> None:
    data = await site.client("iot-data")
    async with site.subscriber() as client:
        await client.publish("by/client", b"1", qos=1, retain=True)
    told = await call(data.get_retained_message, topic="by/client")
    assert told["payload"] == b"1"
    await call(data.publish, topic="by/client", retain=True)


async def test_a_policy_decides_by_resource(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    topics = f"arn:aws:iot:us-east-1:{ACCOUNT}:topic/mine/*"
    things = f"arn:aws:iot:us-east-1:{ACCOUNT}:thing/mine-*"
    allowed = [
        {"Effect": "Allow", "Action": "iot:Publish", "Resource": topics},
        {"Effect": "Allow", "Action": "iot:CreateThing", "Resource": things},
    ]
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": allowed}))
    data = await site.client("iot-data", "--policy", path)
    await call(data.publish, topic="mine/1", payload=b"1")
    assert await refused(data.publish, topic="other/1") == "ForbiddenException"
    assert await refused(data.publish, topic="mine/1", retain=True) == "ForbiddenException"
    iot = await site.client("iot", "--policy", path)
    await call(iot.create_thing, thingName="mine-1")
    assert await refused(iot.create_thing, thingName="other") == "AccessDeniedException"
    assert await refused(iot.list_things) == "AccessDeniedException"
    assert await refused(iot.describe_thing, thingName="mine-1") == "AccessDeniedException"


async def test_no_account_sees_what_another_has(site: Site) -> None:
    await site.program.run("account", "add", "north", "--id", OTHER_ACCOUNT)
    iot, there = await site.client("iot"), await site.client("iot", "--account", OTHER_ACCOUNT)
    await call(iot.create_thing, thingName="pump")
    await call(iot.create_policy, policyName="pumps", policyDocument=POLICY)
    payload = {"sql": "SELECT 1 AS a FROM 'a'", "actions": [republish("b")]}
    await call(iot.create_topic_rule, ruleName="pumps", topicRulePayload=payload)
    assert (await call(there.list_things))["things"] == []
    assert (await call(there.list_policies))["policies"] == []
    assert (await call(there.list_topic_rules))["rules"] == []
    await call(there.create_topic_rule, ruleName="pumps", topicRulePayload=payload)
    assert (
        f":{OTHER_ACCOUNT}:rule/pumps"
        in (await call(there.get_topic_rule, ruleName="pumps"))["ruleArn"]
    )
    data = await site.client("iot-data", "--account", OTHER_ACCOUNT)
    assert await refused(data.publish, topic="a") == "UnauthorizedException"


async def test_clients_are_told_where_mqtt_is_spoken(tmp_path: Path) -> None:
    """And connect there, with the authority that the wireless API tells."""
    program = Program(tmp_path, MQTT__TLS_PORT="0")
    async with program.serving() as ready:
        site = Site(program, ready)
        iot, wireless = await site.client("iot"), await site.client("iotwireless")
        told = await call(iot.describe_endpoint, endpointType="iot:Data-ATS")
        host, _, port = told["endpointAddress"].partition(":")
        assert host == "localhost"
        assert ready["mqtts"].endswith(f":{port}")
        assert await refused(iot.describe_endpoint, endpointType="iot:Jobs") == (
            "InvalidRequestException"
        )
        trust = (await call(wireless.get_service_endpoint, ServiceType="CUPS"))["ServerTrust"]
        password = (tmp_path / "data" / "mqtt.password").read_text().strip()
        async with aiomqtt.Client(
            host,
            int(port),
            username="bittern",
            password=password,
            protocol=aiomqtt.ProtocolVersion.V311,
            tls_context=ssl.create_default_context(cadata=trust),
        ) as client:
            await client.publish("t", b"1", qos=1)


async def test_what_is_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    program = Program(tmp_path)
    payload = {"sql": "SELECT 1 AS a FROM 'a'", "actions": [republish("b")]}
    async with program.serving() as ready:
        site = Site(program, ready)
        iot, data = await site.client("iot"), await site.client("iot-data")
        await call(iot.create_thing, thingName="pump")
        await call(iot.create_topic_rule, ruleName="pumps", topicRulePayload=payload)
        await call(data.publish, topic="state", payload=b"a secret state", retain=True)
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or b"a secret state" not in path.read_bytes()
    async with program.serving() as ready:
        site = Site(program, ready)
        iot, data = await site.client("iot"), await site.client("iot-data")
        assert (await call(iot.describe_thing, thingName="pump"))["version"] == 1
        told = await call(iot.get_topic_rule, ruleName="pumps")
        assert told["rule"]["actions"] == payload["actions"]
        told = await call(data.get_retained_message, topic="state")
        assert told["payload"] == b"a secret state"
