from __future__ import annotations

import json
import shlex

import pytest
from botocore import xform_name
from botocore.validate import ParamValidator

from bittern.api import validate
from bittern.api.model import service
from bittern.api.operations import offered
from bittern.api.reference.samples import boto3_text, cli_text, sample

EVERY = sorted(offered())


@pytest.mark.parametrize(("name", "operation"), EVERY)
def test_every_sample_is_allowed_by_the_server_and_by_the_client(name: str, operation: str) -> None:
    it = service(name).operation(operation)
    validate.check(it, sample(it))
    if it.input is not None:
        assert not ParamValidator().validate(sample(it), it.input).has_errors()


@pytest.mark.parametrize(("name", "operation"), EVERY)
def test_every_script_compiles_and_calls_its_operation(name: str, operation: str) -> None:
    it = service(name).operation(operation)
    compile(boto3_text(it), operation, "exec")
    assert f"client.{xform_name(operation)}(" in boto3_text(it)
    words = shlex.split(cli_text(it).replace("\\\n", " "))
    assert words[:5] == [
        *("aws", "--endpoint-url", "http://localhost:8080"),
        *(name, xform_name(operation, "-")),
    ]


def test_nothing_of_sidewalk_is_recommended() -> None:
    for name, operation in EVERY:
        assert "Sidewalk" not in boto3_text(service(name).operation(operation))


def test_boxes_are_json_in_a_shell_and_literals_in_a_script() -> None:
    it = service("iotwireless").operation("CreateWirelessDevice")
    words = shlex.split(cli_text(it).replace("\\\n", " "))
    told = json.loads(words[words.index("--lorawan") + 1])
    assert told == sample(it)["LoRaWAN"]
    assert '    LoRaWAN={\n        "DevEui": "70b3d57ed0000001",\n' in boto3_text(it)
