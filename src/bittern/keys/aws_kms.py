"""AWS KMS, or a service that speaks like it: the key that wraps never leaves it.

The context is an encryption context, which KMS binds to what it has wrapped and writes into its own
log of who has used the key. Credentials are found as by every AWS client.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bittern.config import Keys
from bittern.errors import KeyProviderError, KeyProviderRefused, KeyProviderUnavailable

NAME = "aws-kms"
CONTEXT = "purpose"
"""Name of the context, as it stands in policies of keys and in the log of KMS."""
OWN_REGION = "us-east-1"
"""Of an endpoint of one's own: it has no regions, and signing needs one."""
REASON_CHARACTERS = 300

_PASSES = frozenset(
    {
        "DependencyTimeoutException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InternalFailure",
        "KMSInternalException",
        "KeyUnavailableException",
        "LimitExceededException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
    }
)
"""Codes of errors that may pass by themselves. With any other one a person must act."""
_LET = "let these credentials kms:Encrypt and kms:Decrypt with the key"
_CURES = {
    "AccessDenied": _LET,
    "AccessDeniedException": _LET,
    "DisabledException": "enable the key",
    "ExpiredToken": "renew the credentials",
    "ExpiredTokenException": "renew the credentials",
    "IncorrectKeyException": "configure the key that wrapped it",
    "InvalidCiphertextException": "configure the key that wrapped it, or restore the database",
    "InvalidClientTokenId": "give credentials that are valid there",
    "InvalidKeyUsageException": "configure a symmetric key for encryption",
    "InvalidSignatureException": "give credentials that are valid there",
    "KMSInvalidStateException": "enable the key, or cancel its deletion",
    "NotFoundException": "configure a key that is there, and its region",
    "RequestExpired": "set the clock",
    "RequestTimeTooSkewed": "set the clock",
    "UnrecognizedClientException": "give credentials that are valid there",
}


class AwsKmsProvider:
    """Connects when it is first asked."""

    def __init__(self, keys: Keys) -> None:
        """`keys.kms_key` is there."""
        self._keys = keys
        self._key = keys.kms_key or ""
        # botocore blocks.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="aws kms")
        self._client: Any = None

    @property
    def name(self) -> str:
        return NAME

    def describe(self) -> str:
        endpoint = self._keys.kms_endpoint
        return self._key if endpoint is None else f"{self._key} at {endpoint}"

    async def wrap(self, data_key: bytes, context: str) -> bytes:
        answer = await self._call("encrypt", Plaintext=data_key, EncryptionContext=_bound(context))
        return bytes(answer["CiphertextBlob"])

    async def unwrap(self, wrapped: bytes, context: str) -> bytes:
        answer = await self._call(
            "decrypt", CiphertextBlob=wrapped, EncryptionContext=_bound(context)
        )
        return bytes(answer["Plaintext"])

    async def close(self) -> None:
        """A call under way ends by its own time limit."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    async def _call(self, operation: str, **request: Any) -> Mapping[str, Any]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._blocking, operation, request)

    def _blocking(self, operation: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._client is None:
                self._client = connect(self._keys)
            # With its name another key than this one is told apart from a damaged value.
            answer: Mapping[str, Any] = getattr(self._client, operation)(KeyId=self._key, **request)
        except ClientError as error:
            raise self._of_answer(error.response) from None
        except (BotoCoreError, ValueError) as error:
            # No answer, no credentials, no region. None of these texts has a secret in it.
            reason = " ".join(str(error).split())[:REASON_CHARACTERS]
            cure = "see that it can be reached, and that there are credentials and a region"
            raise KeyProviderUnavailable(NAME, self.describe(), reason, cure) from None
        return answer

    def _of_answer(self, answer: Mapping[str, Any]) -> KeyProviderError:
        about = answer.get("Error", {})
        code, message = str(about.get("Code", "")), str(about.get("Message") or "")
        status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
        kind = KeyProviderUnavailable if status >= 500 or code in _PASSES else KeyProviderRefused
        reason = " ".join(f"{code}: {message}".split())[:REASON_CHARACTERS]
        otherwise = _LET if status == 403 else ""
        return kind(NAME, self.describe(), reason, _CURES.get(code, otherwise))

    def __repr__(self) -> str:
        return f"AwsKmsProvider({self.describe()!r})"


def connect(keys: Keys) -> Any:
    """A client of botocore. Raises what botocore raises, for a profile that is not there."""
    import botocore.session
    from botocore.config import Config

    session = botocore.session.Session(profile=keys.kms_profile)
    region = keys.kms_region or region_of(keys.kms_key or "")
    region = region or session.get_config_variable("region")
    return session.create_client(
        "kms",
        region_name=region or (OWN_REGION if keys.kms_endpoint else None),
        endpoint_url=keys.kms_endpoint,
        verify=None if keys.ca is None else str(keys.ca),
        config=Config(
            connect_timeout=keys.timeout_s,
            read_timeout=keys.timeout_s,
            retries={"total_max_attempts": 2, "mode": "standard"},
        ),
    )


def region_of(key: str) -> str | None:
    """That an ARN tells."""
    found = re.match(r"arn:[a-z-]+:kms:([a-z0-9-]+):", key)
    return found[1] if found else None


def _bound(context: str) -> dict[str, str]:
    return {CONTEXT: context}
