"""What a request of the API may be about, made by boto3 once it is asked for."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bittern.outputs.broker.log import Retained
from bittern.pki.authority import open_authority
from bittern.pki.requests import certificate_of_request
from bittern.types import Instant

ACCOUNT, OTHER_ACCOUNT = "123456789012", "210987654321"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
APP_KEY = "000102030405060708090a0b0c0d0e0f"
POLICY = '{"Statement": {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}}'
VERSION = {"PackageVersion": "1.0.0", "Model": "roof", "Station": "2.0.5"}
UPDATE = {
    "UpdateDataSource": "s3://bucket/image",
    "UpdateDataRole": ROLE,
    "LoRaWAN": {
        "UpdateSignature": "AAECAwQFBgcICQ==",
        "SigKeyCrc": 3434210794,
        "CurrentVersion": VERSION,
        "UpdateVersion": {"PackageVersion": "1.1.0", "Model": "roof"},
    },
}
RULE = {
    "sql": "SELECT * FROM 'plant/+/up'",
    "actions": [{"republish": {"roleArn": ROLE, "topic": "to/meters", "qos": 1}}],
}
POSITION = json.dumps({"type": "Point", "coordinates": [13.4, 52.5]}).encode()


def wireless_arn(rest: str) -> str:
    return f"arn:aws:iotwireless:eu-west-1:{ACCOUNT}:{rest}"


def iot_arn(rest: str) -> str:
    return f"arn:aws:iot:eu-west-1:{ACCOUNT}:{rest}"


def request_pem() -> str:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


class World:
    """What is there once it is asked for, all of one account; made by boto3."""

    def __init__(self, api: Any, folder: Any) -> None:
        self.api = api
        self.folder = folder
        self.client = api.wireless
        self.iot = api.client("iot")
        self._made = 0

    def another(self) -> int:
        """A number that nothing has yet."""
        self._made += 1
        return self._made

    def moment(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(self.api.now, UTC) + timedelta(seconds=seconds)

    # Fresh ones

    def new_device(self, **more: Any) -> str:
        made: str = self.api.device(f"70b3d57ed1{self.another():06x}", **more)["Id"]
        return made

    def new_gateway(self) -> str:
        made: str = self.api.gateway(f"00800000a1{self.another():06x}")
        return made

    def new_destination(self) -> str:
        made: str = self.api.destination(f"plant-{self.another()}")
        return made

    def new_certificate(self, active: bool = True) -> str:
        made: str = self.iot.create_keys_and_certificate(setAsActive=active)["certificateId"]
        return made

    def new_thing(self) -> str:
        made: str = self.iot.create_thing(thingName=f"thing-{self.another()}")["thingName"]
        return made

    def new_policy(self) -> str:
        name = f"policy-{self.another()}"
        self.iot.create_policy(policyName=name, policyDocument=POLICY)
        return name

    def new_rule(self) -> str:
        name = f"rule_{self.another()}"
        self.iot.create_topic_rule(ruleName=name, topicRulePayload=RULE)
        return name

    def new_definition(self) -> str:
        given = {"AutoCreateTasks": False, "Update": UPDATE}
        made: str = self.client.create_wireless_gateway_task_definition(**given)["Id"]
        return made

    def new_group(self) -> str:
        given = {"RfRegion": "EU868", "DlClass": "ClassC"}
        made: str = self.client.create_multicast_group(LoRaWAN=given)["Id"]
        return made

    def new_task(self) -> str:
        given = {"FirmwareUpdateImage": "s3://images/a", "FirmwareUpdateRole": ROLE}
        given |= {"LoRaWAN": {"RfRegion": "EU868"}}
        made: str = self.client.create_fuota_task(**given)["Id"]
        return made

    def new_analyzer(self) -> str:
        name = f"analyzer-{self.another()}"
        self.client.create_network_analyzer_configuration(Name=name)
        return name

    def retain(self, topic: str) -> str:
        at = Instant(self.api.now)
        self.api.broker.kept[topic] = Retained(topic=topic, payload=b"on", qos=1, at=at)
        return topic

    # The ones that everybody means

    @cached_property
    def device(self) -> str:
        return self.new_device()

    @cached_property
    def gateway(self) -> str:
        return self.new_gateway()

    @cached_property
    def destination(self) -> str:
        return self.new_destination()

    @cached_property
    def device_profile(self) -> str:
        made: str = self.api.device_profile()
        return made

    @cached_property
    def service_profile(self) -> str:
        made: str = self.api.service_profile()
        return made

    @cached_property
    def certificate(self) -> str:
        return self.new_certificate()

    @cached_property
    def thing(self) -> str:
        return self.new_thing()

    @cached_property
    def policy(self) -> str:
        return self.new_policy()

    @cached_property
    def rule(self) -> str:
        return self.new_rule()

    @cached_property
    def definition(self) -> str:
        return self.new_definition()

    @cached_property
    def group(self) -> str:
        return self.new_group()

    @cached_property
    def task(self) -> str:
        return self.new_task()

    @cached_property
    def analyzer(self) -> str:
        return self.new_analyzer()

    @property
    def certificate_arn(self) -> str:
        return iot_arn(f"cert/{self.certificate}")

    @property
    def thing_arn(self) -> str:
        return iot_arn(f"thing/{self.thing}")

    # What has happened to them

    @cached_property
    def queued(self) -> str:
        """A message that waits for the device."""
        sent = self.client.send_data_to_wireless_device(**self.data(self.device))
        return str(sent["MessageId"])

    @cached_property
    def gateway_with_certificate(self) -> str:
        self.client.associate_wireless_gateway_with_certificate(
            Id=self.gateway, IotCertificateId=self.certificate
        )
        return self.gateway

    @cached_property
    def gateway_with_task(self) -> str:
        self.client.create_wireless_gateway_task(
            Id=self.gateway, WirelessGatewayTaskDefinitionId=self.definition
        )
        return self.gateway

    @cached_property
    def group_with_device(self) -> str:
        self.client.associate_wireless_device_with_multicast_group(
            Id=self.group, WirelessDeviceId=self.device
        )
        return self.group

    @cached_property
    def group_in_session(self) -> str:
        self.client.start_multicast_group_session(Id=self.group, LoRaWAN=self.session())
        return self.group

    @cached_property
    def task_with_device(self) -> str:
        self.client.associate_wireless_device_with_fuota_task(
            Id=self.task, WirelessDeviceId=self.device
        )
        return self.task

    @cached_property
    def task_with_group(self) -> str:
        """It has groups or devices, not both."""
        task = self.new_task()
        self.client.associate_multicast_group_with_fuota_task(Id=task, MulticastGroupId=self.group)
        return task

    @cached_property
    def started_task(self) -> str:
        self.client.start_fuota_task(Id=self.task_with_device, LoRaWAN=self.start())
        return self.task

    @cached_property
    def leveled_device(self) -> str:
        self.client.put_resource_log_level(
            ResourceIdentifier=self.device, ResourceType="WirelessDevice", LogLevel="INFO"
        )
        return self.device

    @cached_property
    def thing_with_principal(self) -> str:
        self.iot.attach_thing_principal(thingName=self.thing, principal=self.certificate_arn)
        return self.thing

    @cached_property
    def attached_policy(self) -> str:
        self.iot.attach_policy(policyName=self.policy, target=self.certificate_arn)
        return self.policy

    @cached_property
    def policy_version(self) -> str:
        made = self.iot.create_policy_version(policyName=self.policy, policyDocument=POLICY)
        return str(made["policyVersionId"])

    @cached_property
    def retained(self) -> str:
        return self.retain("plant/state")

    @cached_property
    def positioned(self) -> str:
        self.client.update_resource_position(
            ResourceIdentifier=self.gateway,
            ResourceType="WirelessGateway",
            GeoJsonPayload=POSITION,
        )
        return self.gateway

    def foreign_pem(self) -> str:
        """A certificate of another authority."""
        folder = self.folder / f"authority-{self.another()}"
        made = certificate_of_request(
            open_authority(folder, Instant(self.api.now)), request_pem(), Instant(self.api.now)
        )
        return made.public_bytes(serialization.Encoding.PEM).decode()

    # Parameters that more than one request has

    def data(self, device: str) -> dict[str, Any]:
        metadata = {"LoRaWAN": {"FPort": 10}}
        return dict(Id=device, TransmitMode=0, PayloadData="AQI=", WirelessMetadata=metadata)

    def session(self) -> dict[str, Any]:
        return {"SessionStartTime": self.moment(3600), "SessionTimeout": 300}

    def start(self) -> dict[str, Any]:
        return {"StartTime": self.moment(3600)}

    def queries(self) -> list[dict[str, Any]]:
        query = {"QueryId": "q", "MetricName": "DeviceUplinkCount", "AggregationPeriod": "OneHour"}
        span = {"StartTimestamp": self.moment(-86400), "EndTimestamp": self.moment(-3600)}
        return [query | span]

    def new_device_parameters(self) -> dict[str, Any]:
        lorawan = {
            "DevEui": f"70b3d57ed2{self.another():06x}",
            "DeviceProfileId": self.device_profile,
            "ServiceProfileId": self.service_profile,
            "OtaaV1_0_x": {"AppKey": APP_KEY, "AppEui": "70b3d57ed0ffff01"},
        }
        return dict(Type="LoRaWAN", DestinationName=self.destination, LoRaWAN=lorawan)

    def new_gateway_parameters(self) -> dict[str, Any]:
        eui = f"00800000a2{self.another():06x}"
        return dict(LoRaWAN={"GatewayEui": eui, "RfRegion": "EU868"})
