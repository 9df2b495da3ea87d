from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    ReadTimeoutError,
)

from bittern.errors import DeliveryRejected, DeliveryUnavailable
from bittern.outputs.aws_errors import (
    REASON_CHARACTERS,
    AwsRejected,
    Unreachable,
    of_code,
    of_exception,
)


def client_error(code: str, status: int = 400, message: str = "why") -> ClientError:
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "PutObject")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("SlowDown", 503),
        ("Whatever", 500),
        ("Whatever", 502),
        ("Whatever", 429),
        ("Whatever", 408),
        ("ExpiredToken", 400),
        ("SignatureDoesNotMatch", 403),
        ("RequestTimeTooSkewed", 403),
    ],
)
def test_what_passes_is_tried_again(code: str, status: int) -> None:
    assert type(of_code(code, "", status=status)) is DeliveryUnavailable
    assert type(of_exception(client_error(code, status), "put_object")) is DeliveryUnavailable


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("NoSuchBucket", 404),
        ("AccessDenied", 403),
        ("ValidationException", 400),
        ("EntityTooLarge", 400),
        ("PermanentRedirect", 301),
        ("", 413),
    ],
)
def test_what_stays_is_rejected(code: str, status: int) -> None:
    assert isinstance(of_exception(client_error(code, status), "put_object"), AwsRejected)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="http://127.0.0.1:9"),
        ReadTimeoutError(endpoint_url="http://127.0.0.1:9"),
        NoCredentialsError(),
        NoRegionError(),
        ValueError("Invalid endpoint: http://"),
    ],
)
def test_without_an_answer_the_service_is_unreachable(error: Exception) -> None:
    assert isinstance(of_exception(error, "put_object"), Unreachable)


def test_what_botocore_refuses_to_send_is_rejected() -> None:
    error = ParamValidationError(report="Bucket: too short")
    assert "too short" in str(of_exception(error, "put_object"))
    assert isinstance(of_exception(error, "put_object"), DeliveryRejected)


def test_an_error_of_ours_comes_as_it_is() -> None:
    with pytest.raises(KeyError):
        of_exception(KeyError("oops"), "put_object")


def test_a_reason_names_the_operation_and_is_bounded() -> None:
    reason = str(of_exception(client_error("NoSuchBucket", message="y\n" * 1000), "put_object"))
    assert reason.startswith("put_object: NoSuchBucket: y y")
    assert len(reason) <= REASON_CHARACTERS


@pytest.mark.parametrize(
    ("code", "of_the_receiver"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", True),
        ("ResourceNotFoundException", True),
        ("AccessDeniedException", True),
        ("ValidationException", False),
        ("BatchRequestTooLong", False),
    ],
)
def test_a_refused_receiver_is_told_from_a_refused_message(
    code: str, of_the_receiver: bool
) -> None:
    assert AwsRejected("why", code).is_of_the_receiver is of_the_receiver
