"""Errors as an AWS client expects them: a code, a status, and members that the model knows.

Code here and in the operations speaks ``iotwireless``: ``ValidationException``,
``AccessDeniedException``, ``InternalServerException``. On the way out each becomes what the
operation models (`iot` says ``InvalidRequestException``), and what an operation does not model
does not leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape  # nosec B406

import msgspec

from bittern.api.message import Response
from bittern.api.model import ErrorShape, Operation, Service
from bittern.errors import BitternError

MAX_MESSAGE = 2048
"""Characters, as the model has it."""

VALIDATION = "ValidationException"
ACCESS_DENIED = "AccessDeniedException"
INTERNAL = "InternalServerException"
UNKNOWN_OPERATION = "UnknownOperationException"
MISSING_TOKEN = "MissingAuthenticationTokenException"
INCOMPLETE_SIGNATURE = "IncompleteSignatureException"
INVALID_SIGNATURE = "InvalidSignatureException"
UNRECOGNIZED_CLIENT = "UnrecognizedClientException"

_EQUIVALENTS: Mapping[str, tuple[str, ...]] = {
    VALIDATION: ("InvalidRequestException",),
    ACCESS_DENIED: ("ForbiddenException",),
    INTERNAL: ("InternalFailureException", "InternalException", "ServiceInternalErrorException"),
    "ConflictException": ("ResourceAlreadyExistsException", "AlreadyExistsException"),
}
"""What else an operation may call the same."""

_COMMON: Mapping[str, int] = {
    VALIDATION: 400,
    ACCESS_DENIED: 403,
    INTERNAL: 500,
    UNKNOWN_OPERATION: 404,
    MISSING_TOKEN: 403,
    INCOMPLETE_SIGNATURE: 403,
    INVALID_SIGNATURE: 403,
    UNRECOGNIZED_CLIENT: 403,
    "ThrottlingException": 429,
}
"""Errors that any service may answer with though its model does not have them."""

_QUERY_COMMON: Mapping[str, tuple[str, int]] = {
    VALIDATION: ("ValidationError", 400),
    ACCESS_DENIED: ("AccessDenied", 403),
    INTERNAL: ("InternalFailure", 500),
    UNKNOWN_OPERATION: ("InvalidAction", 400),
    MISSING_TOKEN: ("MissingAuthenticationToken", 403),
    INCOMPLETE_SIGNATURE: ("IncompleteSignature", 400),
    INVALID_SIGNATURE: ("SignatureDoesNotMatch", 403),
    UNRECOGNIZED_CLIENT: ("InvalidClientTokenId", 403),
    "ThrottlingException": ("Throttling", 400),
}
"""The same in the older protocol, by the names it has for them."""

_NOT_XML = {code: "�" for code in (*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF)}


class ApiError(BitternError):
    """What the caller is told instead of a result. `members` are further members of the error's
    shape: ``ResourceId``, ``ResourceType``."""

    def __init__(self, code: str, message: str, **members: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.members = members

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


def invalid(message: str) -> ApiError:
    """The request is not one that the model allows."""
    return ApiError(VALIDATION, message)


def not_found(kind: str, identity: str) -> ApiError:
    """`kind` is AWS's name of it: ``WirelessDevice``."""
    return ApiError(
        "ResourceNotFoundException",
        f"{kind} {identity} does not exist",
        ResourceId=identity,
        ResourceType=kind,
    )


def conflict(kind: str, identity: str, message: str) -> ApiError:
    """It exists, is in use, or a token was used for something else."""
    return ApiError("ConflictException", message, ResourceId=identity, ResourceType=kind)


def modelled(operation: Operation, code: str) -> str | None:
    """What `operation` calls the error; None if it models nothing like it."""
    for name in (code, *_EQUIVALENTS.get(code, ())):
        if name in operation.errors:
            return name
    return None


def answer(
    error: ApiError,
    request_id: str,
    service: Service | None = None,
    operation: Operation | None = None,
) -> Response:
    """The error on the wire. Without a service it is written as ``rest-json``.

    An error of the client that the operation does not model is told as the operation's
    validation error, one of the server and an unknown one as its internal error.
    """
    shape = _shape(operation, error.code)
    if shape is not None:
        known = {name: text for name, text in error.members.items() if name in shape.shape.members}
        return _written(service, request_id, (shape.code, shape.status), error.message, known)
    if error.code not in _COMMON:
        return answer(_substitute(error, service), request_id, service, operation)
    return _written(service, request_id, _common(error.code, service), error.message, {})


def internal(
    request_id: str, service: Service | None = None, operation: Operation | None = None
) -> Response:
    """For whatever went wrong here: nothing of it is told."""
    error = ApiError(INTERNAL, "An internal error occurred; the log has it under the request id")
    return answer(error, request_id, service, operation)


def xml_text(text: str) -> str:
    """Escaped; what XML 1.0 cannot hold at all is replaced."""
    return escape(text.translate(_NOT_XML))


def _shape(operation: Operation | None, code: str) -> ErrorShape | None:
    name = modelled(operation, code) if operation else None
    return operation.errors[name] if operation and name else None


def _substitute(error: ApiError, service: Service | None) -> ApiError:
    elsewhere = service.errors.get(error.code) if service else None
    if elsewhere is not None and elsewhere.status < 500:
        return invalid(error.message)
    return ApiError(INTERNAL, "An internal error occurred")


def _common(code: str, service: Service | None) -> tuple[str, int]:
    protocol = service.protocol if service else "rest-json"
    if protocol == "query":
        return _QUERY_COMMON[code]
    if service is not None and code not in service.errors:
        code = next((name for name in _EQUIVALENTS.get(code, ()) if name in service.errors), code)
    status = service.errors[code].status if service and code in service.errors else _COMMON[code]
    return code, 400 if protocol == "json" and status < 500 else status


def _written(
    service: Service | None,
    request_id: str,
    code_and_status: tuple[str, int],
    message: str,
    members: Mapping[str, str],
) -> Response:
    code, status = code_and_status
    message = message[:MAX_MESSAGE].encode("utf-8", "replace").decode()
    protocol = service.protocol if service else "rest-json"
    if protocol == "query":
        return _xml(code, status, message, service.xml_namespace if service else "", request_id)
    body = {service.message_member if service else "Message": message, **members}
    content_type = "application/json"
    if protocol == "json":
        body = {"__type": code, **body}
        content_type = "application/x-amz-json-1.0"
    headers = {
        "Content-Type": content_type,
        "x-amzn-RequestId": request_id,
        "x-amzn-ErrorType": code,
    }
    return Response(status, headers, msgspec.json.encode(body), error=code)


def _xml(code: str, status: int, message: str, namespace: str, request_id: str) -> Response:
    fault = "Sender" if status < 500 else "Receiver"
    body = (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{fault}</Type><Code>{code}</Code>'
        f"<Message>{xml_text(message)}</Message></Error>"
        f"<RequestId>{xml_text(request_id)}</RequestId></ErrorResponse>"
    )
    headers = {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}
    return Response(status, headers, body.encode(), error=code)
