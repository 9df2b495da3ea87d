"""Unmodified boto3 and aws-cli over HTTP against a server that runs as it does for an operator."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import boto3
import botocore.auth
import pytest
import pytest_asyncio
from botocore.config import Config
from botocore.exceptions import ClientError

from bittern.testing.program import Program

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

AWS_CLI = os.environ.get("BITTERN_AWSCLI_BIN") or shutil.which("aws")
"""The aws-cli to try, of either version; without one its tests are skipped."""

OTHER_ACCOUNT = "111122223333"
PLANT = {
    "Name": "plant",
    "ExpressionType": "MqttTopic",
    "Expression": "plant/up",
    "RoleArn": "arn:aws:iam::000000000000:role/bittern",
}

METER = {"MacVersion": "1.0.3", "RegParamsRevision": "RP002-1.0.1", "RfRegion": "EU868"}


class Site:
    """A running server, and clients of it."""

    def __init__(self, program: Program, endpoint: str) -> None:
        self.program = program
        self.endpoint = endpoint

    async def key(self, *arguments: str) -> dict[str, str]:
        return await self.program.json("access-key", "add", *arguments)

    async def listed(self, key: dict[str, str]) -> dict[str, Any]:
        every = await self.program.json("access-key", "list")
        return next(one for one in every if one["id"] == key["id"])

    def client(self, service: str, key: dict[str, str], **options: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="eu-west-1",
            aws_access_key_id=key["id"],
            aws_secret_access_key=key["secret_access_key"],
            config=Config(retries={"max_attempts": 1}),
            **options,
        )

    async def call(self, call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
        """Beside the event loop, which reads what the server has to say."""
        return await asyncio.to_thread(lambda: call(**parameters))

    async def refused(self, call: Callable[..., Any], **parameters: Any) -> str:
        """The code of the error."""
        with pytest.raises(ClientError) as refused:
            await self.call(call, **parameters)
        return str(refused.value.response["Error"]["Code"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One server for all: each test has keys of its own."""
    program = Program(tmp_path_factory.mktemp("site"))
    async with program.serving() as ready:
        yield Site(program, ready["api"])


@pytest.fixture
def skewed() -> Iterator[None]:
    """The client's clock is ten minutes behind."""
    behind = datetime.now(UTC) - timedelta(minutes=10)

    def now(remove_tzinfo: bool = True) -> datetime:
        return behind.replace(tzinfo=None) if remove_tzinfo else behind

    with mock.patch.object(botocore.auth, "get_current_datetime", now):
        yield


async def test_a_caller_learns_who_it_is_and_the_use_of_its_key_is_kept(site: Site) -> None:
    key = await site.key()
    told = await site.call(site.client("sts", key).get_caller_identity)
    assert (told["Account"], told["UserId"]) == (key["account"], key["id"])
    assert told["Arn"] == f"arn:aws:iam::{key['account']}:user/{key['id']}"
    assert (await site.listed(key))["last_used_at"] is not None


async def test_a_wrong_secret_gets_nowhere(site: Site) -> None:
    key = await site.key()
    wrong = site.client("sts", key | {"secret_access_key": "x" * 40})
    assert await site.refused(wrong.get_caller_identity) == "SignatureDoesNotMatch"
    wrong = site.client("iot", key | {"secret_access_key": "x" * 40})
    assert await site.refused(wrong.describe_endpoint) == "InvalidSignatureException"
    assert (await site.listed(key))["last_used_at"] is None


async def test_a_key_that_nobody_has_gets_nowhere(site: Site) -> None:
    key = {"id": "AKIAEXAMPLE000000001", "secret_access_key": "x" * 40}
    refused = await site.refused(site.client("sts", key).get_caller_identity)
    assert refused == "InvalidClientTokenId"


async def test_a_key_is_inactive_from_the_next_request_on(site: Site) -> None:
    key = await site.key()
    client = site.client("iot", key)
    told = await site.call(client.describe_endpoint)
    assert told["endpointAddress"] == f"127.0.0.1:{site.program.ports['MQTT']}"
    await site.program.run("access-key", "deactivate", key["id"])
    assert await site.refused(client.describe_endpoint) == "UnrecognizedClientException"
    await site.program.run("access-key", "activate", key["id"])
    await site.call(client.describe_endpoint)
    await site.program.run("access-key", "remove", key["id"])
    assert await site.refused(client.describe_endpoint) == "UnrecognizedClientException"


async def test_a_clock_that_is_wrong_is_told(site: Site, skewed: None) -> None:
    key = await site.key()
    with pytest.raises(ClientError, match="Signature expired"):
        await site.call(site.client("iot", key).describe_endpoint)


async def test_a_written_policy_decides(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "nothing.json"
    denied = {"Effect": "Deny", "Action": "iot:DescribeEndpoint", "Resource": "*"}
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": denied}))
    key = await site.key("--policy", "administrator", "--policy", str(path))
    refused = await site.refused(site.client("iot", key).describe_endpoint)
    assert refused == "AccessDeniedException"
    await site.call(site.client("sts", key).get_caller_identity)


async def test_a_reader_may_look_and_not_write(site: Site) -> None:
    writer, reader = [
        site.client("iotwireless", await site.key("--policy", policy))
        for policy in ("operator", "reader")
    ]
    assert await site.refused(reader.create_destination, **PLANT) == "AccessDeniedException"
    await site.call(writer.create_destination, **PLANT)
    found = await site.call(reader.get_destination, Name="plant")
    assert found["Expression"] == "plant/up"
    refused = await site.refused(reader.delete_destination, Name="plant")
    assert refused == "AccessDeniedException"


async def test_no_account_sees_what_another_has(site: Site) -> None:
    await site.program.run("account", "add", "north", "--id", OTHER_ACCOUNT)
    here = site.client("iotwireless", await site.key())
    there = site.client("iotwireless", await site.key("--account", OTHER_ACCOUNT))
    await site.call(here.create_destination, **PLANT | {"Name": "ours"})
    made = await site.call(here.create_device_profile, Name="meter", LoRaWAN=METER)
    assert await site.refused(there.get_destination, Name="ours") == "ResourceNotFoundException"
    refused = await site.refused(there.delete_destination, Name="ours")
    assert refused == "ResourceNotFoundException"
    refused = await site.refused(there.get_device_profile, Id=made["Id"])
    assert refused == "ResourceNotFoundException"
    assert (await site.call(there.list_destinations))["DestinationList"] == []
    assert (await site.call(there.list_device_profiles))["DeviceProfileList"] == []
    own = await site.call(there.create_destination, **PLANT | {"Name": "ours"})
    assert f":{OTHER_ACCOUNT}:Destination/ours" in own["Arn"]


async def test_a_script_learns_where_gateways_connect_to(site: Site) -> None:
    client = site.client("iotwireless", await site.key("--policy", "reader"))
    for kind, scheme in (("CUPS", "https"), ("LNS", "wss")):
        told = await site.call(client.get_service_endpoint, ServiceType=kind)
        port = site.program.ports[kind]
        assert told["ServiceEndpoint"] == f"{scheme}://localhost:{port}"
        assert told["ServerTrust"].startswith("-----BEGIN CERTIFICATE-----")


async def test_an_address_that_goes_on_signing_wrongly_is_sent_away(tmp_path: Path) -> None:
    program = Program(tmp_path)
    async with program.serving() as ready:
        site = Site(program, ready["api"])
        key = await site.key()
        wrong = site.client("iot", key | {"secret_access_key": "x" * 40})
        codes = {await site.refused(wrong.describe_endpoint) for _ in range(30)}
    assert codes == {"InvalidSignatureException", "ThrottlingException"}


@pytest.mark.parametrize("size", [1_048_576, 1_048_577])
async def test_a_body_has_a_bound(site: Site, size: int) -> None:
    key = await site.key()
    client = site.client("iotwireless", key)
    wanted = {"ResourceIdentifier": str(uuid4()), "ResourceType": "WirelessDevice"}
    with pytest.raises(ClientError) as refused:
        await site.call(client.update_resource_position, **wanted, GeoJsonPayload=b"x" * size)
    is_too_long = "the body is longer than" in str(refused.value)
    assert is_too_long is (size > 1_048_576)


async def test_tls_is_that_of_the_authority(tmp_path: Path) -> None:
    program = Program(tmp_path, API__TLS="true")
    async with program.serving() as ready:
        assert ready["api"].startswith("https://")
        site = Site(program, ready["api"])
        key = await site.key()
        client = site.client("sts", key, verify=str(tmp_path / "data" / "pki" / "ca.crt"))
        told = await site.call(client.get_caller_identity)
        assert told["Account"] == key["account"]
        assert key["endpoint_url"].startswith("https://localhost:")


@pytest.mark.skipif(AWS_CLI is None, reason="no aws-cli: name one by BITTERN_AWSCLI_BIN")
async def test_aws_cli_signs_as_it_is_told_by_the_printed_profile(
    site: Site, tmp_path: Path
) -> None:
    printed = await site.program.run("access-key", "add")
    credentials = tmp_path / "credentials"
    credentials.write_text("[bittern]" + printed.partition("[bittern]")[2])
    own = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    environment = own | {
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def aws(*arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [str(AWS_CLI), *arguments, "--profile", "bittern", "--output", "json"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    identity = await asyncio.to_thread(aws, "sts", "get-caller-identity")
    assert f"aws_access_key_id = {identity['UserId']}" in printed
    endpoint = await asyncio.to_thread(
        aws, "iot", "describe-endpoint", "--endpoint-type", "iot:Data-ATS"
    )
    assert endpoint == {"endpointAddress": f"127.0.0.1:{site.program.ports['MQTT']}"}
