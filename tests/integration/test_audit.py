"""The audit log and the limits of a running server, seen from outside."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from bittern.outputs.mqtt import packets as mqtt
from bittern.outputs.mqtt.packets import Connect
from bittern.testing.program import Program

OTHER_ACCOUNT = "210987654321"
PLANT = {"Name": "plant", "ExpressionType": "MqttTopic", "Expression": "plant/up"}
PLANT["RoleArn"] = "arn:aws:iam::123456789012:role/any"


def client(endpoint: str, key: dict[str, str], service: str = "iotwireless") -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id=key["id"],
        aws_secret_access_key=key["secret_access_key"],
        config=Config(retries={"max_attempts": 0}),
    )


async def code_of(call: Any, **parameters: Any) -> str:
    """Of the error; empty: it succeeded."""
    try:
        await asyncio.to_thread(call, **parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


async def log_in(program: Program, password: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", program.ports["MQTT"])
    connect = Connect(client_id="c", username="mallory", password=password)
    writer.write(mqtt.encode_connect(connect))
    await reader.read(4)
    writer.close()


@pytest.mark.timeout(180)
async def test_who_changed_what_is_known_and_who_tried_in_vain(tmp_path: Path) -> None:
    program = Program(tmp_path)
    async with program.serving() as ready:
        key = await program.json("access-key", "add")
        looking = await program.json("access-key", "add", "--policy", "reader")
        here, reader = client(ready["api"], key), client(ready["api"], looking)
        wrong = client(ready["api"], key | {"secret_access_key": "x" * 40})
        assert await code_of(here.create_destination, **PLANT) == ""
        assert await code_of(reader.delete_destination, Name="plant") == "AccessDeniedException"
        assert await code_of(here.delete_destination, Name="x") == "ResourceNotFoundException"
        assert await code_of(here.list_destinations) == ""
        for _ in range(7):
            assert "Signature" in await code_of(wrong.list_destinations)
        for number in range(3):
            await log_in(program, b"guess %d" % number)
    entries = await program.json("audit", "list")
    by_action = {one["action"]: one for one in entries}
    made = by_action["iotwireless:CreateDestination"]
    assert made["actor"].endswith(key["id"])
    assert (made["outcome"], made["detail"]["address"]) == ("done", "127.0.0.1")
    assert made["detail"]["parameters"]["Name"] == "plant"
    deletions = [one for one in entries if one["action"] == "iotwireless:DeleteDestination"]
    assert [one["outcome"] for one in deletions] == ["denied", "failed"]
    assert deletions[0]["resource"].endswith("Destination/plant")
    assert by_action["sign-in:api"]["detail"]["times"] == 7
    assert by_action["sign-in:mqtt"]["detail"]["times"] == 3
    assert by_action["sign-in:mqtt"]["actor"] == "mallory"
    assert "iotwireless:ListDestinations" not in by_action
    assert [one["action"] for one in entries if one["action"].startswith("server:")] == [
        "server:start",
        "server:stop",
    ]
    assert (await program.json("audit", "verify"))["intact"]
    text = await program.run("audit", "export")
    assert key["secret_access_key"] not in text
    assert "guess" not in text


async def test_a_script_that_asks_without_end_is_slowed_down_and_nobody_else(
    tmp_path: Path,
) -> None:
    program = Program(tmp_path, API__REQUESTS_PER_SECOND="1")
    async with program.serving() as ready:
        await program.run("account", "add", "north", "--id", OTHER_ACCOUNT)
        keys = [await program.json("access-key", "add") for _ in range(2)]
        other = await program.json("access-key", "add", "--account", OTHER_ACCOUNT)
        busy = [client(ready["api"], one) for one in keys]
        codes = [await code_of(busy[number % 2].list_destinations) for number in range(12)]
        assert set(codes[:5]) == {""}
        assert codes.count("ThrottlingException") >= 3
        assert await code_of(client(ready["api"], other).list_destinations) == ""
