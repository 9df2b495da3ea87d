from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from bittern.api import errors
from bittern.api.errors import ApiError

sys.path.insert(0, str(Path(__file__).parent))
from oracle import OPERATIONS, operation_of, understood

GET = operation_of("GetWirelessDevice")


def test_an_error_is_told_as_aws_tells_it() -> None:
    response = errors.answer(errors.not_found("WirelessDevice", "w-1"), "r-1", GET.service, GET)
    assert response.status == 404
    assert response.headers["x-amzn-ErrorType"] == "ResourceNotFoundException"
    assert response.headers["x-amzn-RequestId"] == "r-1"
    assert msgspec.json.decode(response.body) == {
        "Message": "WirelessDevice w-1 does not exist",
        "ResourceId": "w-1",
        "ResourceType": "WirelessDevice",
    }


@pytest.mark.parametrize("name", ["iotwireless", "iot", "iot-data", "sts", "cloudcontrol"])
def test_botocore_reads_every_modelled_error(name: str) -> None:
    seen = 0
    for operation in OPERATIONS:
        if operation.service.name != name:
            continue
        for code, made in operation.errors.items():
            given = dict.fromkeys(made.shape.members.keys() - {"Message", "message"}, "x")
            response = errors.answer(
                ApiError(code, "why", **given), "r-1", operation.service, operation
            )
            parsed = understood(operation, response)
            assert response.status == made.status
            assert parsed["Error"]["Code"] == response.error == code
            assert parsed["Error"]["Message"] == "why"
            assert parsed["ResponseMetadata"]["RequestId"] == "r-1"
            assert {name: parsed[name] for name in given} == given or name == "sts"
            seen += 1
    assert seen > 5


@pytest.mark.parametrize(
    ("operation", "of", "code", "told", "status"),
    [
        ("DescribeThing", "iot", "x", "InternalFailureException", 500),
        ("DescribeThing", "iot", errors.VALIDATION, "InvalidRequestException", 400),
        ("Publish", "iot-data", errors.VALIDATION, "InvalidRequestException", 400),
        ("Publish", "iot-data", errors.ACCESS_DENIED, "ForbiddenException", 403),
        ("GetResource", "cloudcontrol", errors.VALIDATION, "InvalidRequestException", 400),
        ("GetResource", "cloudcontrol", errors.MISSING_TOKEN, errors.MISSING_TOKEN, 400),
        ("GetCallerIdentity", "sts", errors.INVALID_SIGNATURE, "SignatureDoesNotMatch", 403),
        ("GetCallerIdentity", "sts", errors.VALIDATION, "ValidationError", 400),
        (
            "GetWirelessDevice",
            "iotwireless",
            errors.INVALID_SIGNATURE,
            errors.INVALID_SIGNATURE,
            403,
        ),
        ("GetWirelessDevice", "iotwireless", "NoSuchThing", errors.INTERNAL, 500),
        ("DeleteWirelessDevice", "iotwireless", "ConflictException", errors.VALIDATION, 400),
    ],
)
def test_each_service_has_its_own_word(
    operation: str, of: str, code: str, told: str, status: int
) -> None:
    made = operation_of(operation, of)
    response = errors.answer(ApiError(code, "why"), "r-1", made.service, made)
    assert (response.error, response.status) == (told, status)


def test_what_went_wrong_here_is_not_told() -> None:
    response = errors.internal("r-1", GET.service, GET)
    assert (response.status, response.error) == (500, errors.INTERNAL)
    unknown = errors.answer(ApiError("Bug", "the key is 0123"), "r-1", GET.service, GET)
    assert b"0123" not in unknown.body


def test_without_a_service_an_error_is_written_as_rest_json() -> None:
    response = errors.answer(ApiError(errors.MISSING_TOKEN, "unsigned"), "r-1")
    assert (response.status, response.error) == (403, errors.MISSING_TOKEN)
    assert msgspec.json.decode(response.body) == {"Message": "unsigned"}


def test_a_message_is_cut_where_the_model_ends() -> None:
    response = errors.answer(errors.invalid("x" * 5000), "r-1", GET.service, GET)
    assert len(msgspec.json.decode(response.body)["Message"]) == errors.MAX_MESSAGE


def test_xml_holds_whatever_text_there_is() -> None:
    operation = operation_of("GetCallerIdentity", "sts")
    text = "a<b>&\x00\x1b\ufffe\ud800"
    response = errors.answer(errors.invalid(text), "r-1", operation.service, operation)
    assert understood(operation, response)["Error"]["Message"].startswith("a<b>&")
