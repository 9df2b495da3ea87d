"""What a client of AWS raises, in the two words that deliveries know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bittern.errors import DeliveryError, DeliveryRejected, DeliveryUnavailable

REASON_CHARACTERS = 300
"""Of a reason: what a service says of an error may be long."""

LATER = frozenset(
    {
        # The service is busy.
        "BandwidthLimitExceeded",
        "KMSThrottlingException",
        "KmsThrottled",
        "LimitExceededException",
        "OverLimit",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        # The service is unwell, or in the middle of something.
        "ConditionalRequestConflict",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "OperationAborted",
        "PriorRequestNotComplete",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "TransactionConflictException",
        "TransactionInProgressException",
        # Our credentials or our clock: nothing is wrong with the message.
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "OptInRequired",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Codes of errors that pass. Any other one with a status of 4xx stays."""

TARGET = (
    "AccessDenied",
    "AuthorizationError",
    "InvalidAddress",
    "KMS",
    "NoSuchBucket",
    "NonExistent",
    "NotFound",
    "ResourceNotFound",
    "UnsupportedOperation",
)
"""Parts of codes by which a service refuses the receiver: no message fares better than another."""


class AwsRejected(DeliveryRejected):
    """The service refused a call. `details` is its answer."""

    def __init__(self, reason: str, code: str = "", details: Mapping[str, Any] | None = None):
        super().__init__(reason)
        self.code = code
        self.details = details or {}

    @property
    def is_of_the_receiver(self) -> bool:
        """Rather than of what it was sent."""
        return any(part in self.code for part in TARGET)


class Unreachable(DeliveryUnavailable):
    """There was no answer; the next call would get none either."""


def told(code: str, message: str) -> str:
    text = f"{code}: {message}" if message else code
    return " ".join(text.split())[:REASON_CHARACTERS]


def of_code(code: str, message: str, *, status: int = 400) -> DeliveryError:
    """An error that a service names: of a whole call, or of one entry of it."""
    if status >= 500 or status in (408, 429) or code in LATER:
        return DeliveryUnavailable(told(code, message))
    return AwsRejected(told(code, message), code)


def of_exception(error: Exception, operation: str) -> DeliveryError:
    """What botocore raises. Anything else is an error of ours and comes as it is."""
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    if isinstance(error, ClientError):
        about = error.response.get("Error", {})
        code, message = str(about.get("Code", "")), str(about.get("Message") or "")
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
        found = of_code(code, message, status=status)
        if isinstance(found, AwsRejected):
            return AwsRejected(told(f"{operation}: {code}", message), code, error.response)
        return type(found)(told(f"{operation}: {code}", message))
    if isinstance(error, ParamValidationError):
        return AwsRejected(told(operation, str(error)), "ParamValidation")
    if isinstance(error, BotoCoreError | ValueError):
        # No connection, no answer, no credentials, no region: an operator can change that.
        return Unreachable(told(operation, str(error)))
    raise error
