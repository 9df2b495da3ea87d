from __future__ import annotations

from typing import Any

import pytest

ABSENT = "arn:aws:iot:eu-west-1:123456789012:cert/" + "0" * 64


@pytest.fixture
def iot(api: Any) -> Any:
    made = api.client("iot")
    made.create_thing(thingName="pump")
    return made


def test_a_principal_is_a_certificate(iot: Any, refused: Any) -> None:
    with refused("InvalidRequestException"):
        iot.attach_thing_principal(thingName="pump", principal="eu-west-1:identity")


@pytest.mark.parametrize(
    "arn",
    [
        ABSENT,
        ABSENT.replace("cert/", "policy/"),
        ABSENT.replace(":iot:", ":iotwireless:"),
        ABSENT.replace("123456789012", "210987654321"),
    ],
)
def test_what_is_no_certificate_of_the_account_is_not_there(
    iot: Any, refused: Any, arn: str
) -> None:
    with refused("ResourceNotFoundException"):
        iot.attach_thing_principal(thingName="pump", principal=arn)


def test_no_account_attaches_the_certificate_of_another(api: Any, iot: Any, refused: Any) -> None:
    other = api.client("iot", access_key_id="AKIDOTHER")
    arn = other.create_keys_and_certificate()["certificateArn"]
    identity = arn.rpartition("/")[2]
    for named in (arn, f"arn:aws:iot:eu-west-1:123456789012:cert/{identity}"):
        with refused("ResourceNotFoundException"):
            iot.attach_thing_principal(thingName="pump", principal=named)
